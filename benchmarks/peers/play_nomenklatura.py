"""nomenklatura as its documentation advises: statements by dataset, cross-reference with an automatic line, judgements.

Statements are kept by source, as its loader does: a delivery replaces the statements of the records in it. What joins
is the rule that all systems have, given to `xref` as its `heuristic`. Its ids are the caller's own, so each record's id
names its source, as in the examples of its documentation.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from followthemoney import Dataset, StatementEntity, model
from nomenklatura.db import close_db, make_session
from nomenklatura.judgement import Judgement as Said
from nomenklatura.resolver import Identifier, Resolver
from nomenklatura.store.memory import MemoryStore
from nomenklatura.xref import xref
from play import play
from system import Judgement, Merge, NoSuchOperation, Record, System

FIELDS = {"name": "name", "tax": "taxNumber", "website": "website", "phone": "phone"}
CERTAIN = 0.9
REMOVE_AND_JUDGE, EXPLODE_AND_JUDGE, BARE_KEYS = "remove, then negative", "explode, then negative", "bare keys"
WAYS = {
    "G1": ("remove", REMOVE_AND_JUDGE),
    "G2": ("negative", EXPLODE_AND_JUDGE),
    "G8": ("ids that name the source", BARE_KEYS),
}


class Nomenklatura(System):
    """A resolver in a database file of its own, and the statements that deliveries brought."""

    def __init__(self, folder: Path, way: str) -> None:
        """Open an empty resolver."""
        self.folder = folder
        self.way = way
        self.session = make_session(f"sqlite:///{folder / 'nomenklatura.db'}")
        self.resolver: Resolver[StatementEntity] = Resolver(self.session, create=True)
        self.resolver.load_into_memory()
        self.dataset = Dataset.make({"name": "all", "children": []})
        self.delivered: dict[str, StatementEntity] = {}
        self.children: dict[str, StatementEntity] = {}
        self.runs = 0

    def deliver(self, records: Sequence[Record]) -> None:
        for record in records:
            source = self._source(record.source)
            raw = {
                "id": self._id(record),
                "schema": "Company",
                "properties": {FIELDS[name]: [value] for name, value in record.fields.items()},
            }
            self.delivered[record.label] = StatementEntity.from_data(source, raw, cleaned=True)
        self.runs += 1
        xref(
            self.resolver,
            self.session,
            self._store(),
            self.folder / f"index-{self.runs}",
            auto_threshold=CERTAIN,
            heuristic=_same_number_or_site,
            limit=100_000,
        )

    def holder(self, record: Record) -> str:
        return self.resolver.get_canonical(self._id(record))

    def members(self, entity: str) -> frozenset[str]:
        canonical = self.resolver.get_canonical(entity)
        return frozenset({canonical, *self.resolver.get_referents(canonical)} & self.delivered.keys())

    def values(self, entity: str) -> Mapping[str, Any]:
        found = self._store().default_view().get_entity(entity)
        assert found is not None, entity
        lists = {name: sorted(found.get(property_)) for name, property_ in FIELDS.items()}
        return {name: values[0] if len(values) == 1 else values for name, values in lists.items() if values}

    def merge(self, first: str, second: str) -> Merge:
        survivor = self.resolver.decide(first, second, Said.POSITIVE, user="steward").id
        survivor = self.resolver.get_canonical(survivor)
        return Merge(survivor, first if survivor == second else second, (first, second))

    def undo(self, merge: Merge) -> None:
        """Judge the merged pair anew: a later judgement of a pair takes the place of the earlier one.

        Two ids of sources were joined through a minted id, so there is no judgement of the pair: that one is exploded.
        """
        if merge.survivor not in merge.token:
            self.resolver.explode(merge.survivor)
        self.resolver.decide(*merge.token, Said.NEGATIVE, user="steward")

    def moved(self, merge: Merge) -> frozenset[str]:
        raise NoSuchOperation(f"the ledger of {merge.survivor} names the pair, not the records that moved")

    def take_out(self, record: Record) -> None:
        """Remove the record's edges, the nearest there is to a split; one way then judges it different."""
        rest = self.members(self.holder(record)) - {record.label}
        self.resolver.remove(self._id(record))
        if self.way == REMOVE_AND_JUDGE:
            for label in sorted(rest):
                self.resolver.decide(self._id(record), label, Said.NEGATIVE, user="steward")

    def decide(self, first: Record, second: Record, judgement: Judgement) -> None:
        if self.way == EXPLODE_AND_JUDGE:
            self.resolver.explode(self._id(first))
        said = {"same": Said.POSITIVE, "different": Said.NEGATIVE}[judgement]
        self.resolver.decide(self._id(first), self._id(second), said, user="steward")

    def dissolve(self, entity: str) -> None:
        self.resolver.explode(entity)

    def asks(self, first: Record, second: Record) -> bool:
        pair = {self._id(first), self._id(second)}
        return any({left, right} == pair for left, right, _ in self.resolver.get_candidates())

    def add_child(self, key: str, parent: Record) -> None:
        """Deliver an ownership whose owner is the parent."""
        raw = {"id": key, "schema": "Ownership", "properties": {"owner": [self._id(parent)]}}
        self.children[key] = StatementEntity.from_data(self._source("psa-us"), raw, cleaned=True)

    def parent_of(self, key: str) -> str:
        found = self._store().default_view().get_entity(key)
        assert found is not None, key
        (owner,) = found.get("owner")
        return owner

    def deliver_at_once(self, records: Sequence[Record]) -> None:
        raise NoSuchOperation(
            f"records are cross-referenced in batches, not resolved one by one ({len(records)} given)"
        )

    def _id(self, record: Record) -> str:
        return record.key if self.way == BARE_KEYS else record.label

    def _source(self, name: str) -> Dataset:
        for known in self.dataset.children:
            if known.name == name.replace("-", "_"):
                return known
        source = Dataset.make({"name": name.replace("-", "_")})
        self.dataset.children.add(source)
        return source

    def _store(self) -> MemoryStore[Dataset, StatementEntity]:
        """Apply the resolver to all statements, as every pass of its documented loop does."""
        store: MemoryStore[Dataset, StatementEntity] = MemoryStore(self.dataset, self.resolver)
        with store.writer() as writer:
            for entity in (*self.delivered.values(), *self.children.values()):
                for statement in entity.statements:
                    writer.add_statement(self.resolver.apply_statement(statement.clone()))
        return store


def _same_number_or_site(_: Any, left: StatementEntity, right: StatementEntity, __: float) -> float | None:
    """Score 1 where a tax number or website is equal; None is no candidate."""
    shared = any(set(left.get(name)) & set(right.get(name)) for name in ("taxNumber", "website"))
    return 1.0 if shared else None


@contextmanager
def fresh(way: str) -> Iterator[Nomenklatura]:
    """Open an empty system in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        system = Nomenklatura(Path(folder), way)
        try:
            yield system
        finally:
            system.session.close()
            close_db()


if __name__ == "__main__":
    assert Identifier("NK-1").canonical, "an id that it minted is known by its prefix"
    assert model.get("Company") is not None, "the schema of companies is there"
    play("nomenklatura", version("nomenklatura"), fresh, WAYS)
