"""Our hub through its own services, on an embedded PostgreSQL with the entity types of this folder."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path
from threading import Barrier, Thread
from typing import Any, TypeVar

import psycopg
import psycopg.sql
from play import play
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from system import Judgement, Merge, Record, Refused, System

from mdm.db.engine import conninfo
from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import DecisionContradicts
from mdm.hub import Hub, open_hub
from mdm.identity.crosswalk_store import select_spans
from mdm.identity.service import crosswalk, golden_id_of, resolve_golden
from mdm.ids import GoldenId
from mdm.jobs.check import check
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register
from mdm.stewardship import model as operations
from mdm.stewardship import service as stewardship
from mdm.stewardship.operations import perform
from mdm.survivorship.model import GoldenVersion
from mdm.survivorship.service import golden_version

ENTITIES = Path(__file__).parent / "entities"
WHO = "peers"
STEWARD = operations.By(WHO, "as the scenario says")
SPLIT, UNMERGE = "split", "unmerge of the record"
WAYS = {"G1": (SPLIT, UNMERGE), "U1": (SPLIT, UNMERGE), "U3": (SPLIT, UNMERGE)}
Result = TypeVar("Result")
_number = count(1)


class Ours(System):
    """The hub on a database that holds nothing yet."""

    def __init__(self, hub: Hub, way: str) -> None:
        """Take an open hub."""
        self.hub, self.way = hub, way
        self.instances: set[str] = set()

    def deliver(self, records: Sequence[Record]) -> None:
        for source in sorted({record.source for record in records}):
            self._register(source)
        outcomes = deliver(self.hub, [_delivery(record) for record in records], who=WHO)
        assert all(one.status != "rejected" for one in outcomes), outcomes

    def holder(self, record: Record) -> str:
        return self._read(lambda connection: golden_id_of(connection, _key(record))[0])

    def members(self, entity: str) -> frozenset[str]:
        entries = self._read(lambda connection: crosswalk(connection, GoldenId(entity)))
        return frozenset(f"{entry.source}/{entry.native_id}" for entry in entries)

    def values(self, entity: str) -> Mapping[str, Any]:
        def look(connection: Connection) -> Mapping[str, Any]:
            found = golden_version(connection, resolve_golden(connection, GoldenId(entity)).id)
            assert found is not None, entity
            return found.values

        return self._read(look)

    def merge(self, first: str, second: str) -> Merge:
        effect = perform(self.hub, operations.Merge(GoldenId(first), GoldenId(second)), STEWARD)
        (survivor,) = (one.after.golden_id for one in effect.goldens if _is_surviving(one.after))
        return Merge(survivor, first if survivor == second else second, effect.event_id)

    def undo(self, merge: Merge) -> None:
        perform(self.hub, operations.Unmerge(merge.token), STEWARD)

    def moved(self, merge: Merge) -> frozenset[str]:
        spans = self._read(lambda connection: select_spans(connection, GoldenId(merge.survivor)))
        keys = [SourceKey.parse(span.source_key) for span in spans if span.event_id == merge.token]
        return frozenset(f"{key.instance}/{key.native_id}" for key in keys)

    def take_out(self, record: Record) -> None:
        if self.way == SPLIT:
            parts = (frozenset({_key(record)}),)
            perform(self.hub, operations.Split(GoldenId(self.holder(record)), parts), STEWARD)
        else:
            perform(self.hub, operations.UnmergeRecord(_key(record)), STEWARD)

    def dissolve(self, entity: str) -> None:
        perform(self.hub, operations.Dissolve(GoldenId(entity)), STEWARD)

    def decide(self, first: Record, second: Record, judgement: Judgement) -> None:
        try:
            stewardship.decide(self.hub, _key(first), _key(second), Verdict(judgement, "as the scenario says"), who=WHO)
        except DecisionContradicts as contradiction:
            raise Refused(f"{contradiction}: {'; '.join(contradiction.chain)}") from contradiction

    def asks(self, first: Record, second: Record) -> bool:
        pair = {str(_key(first)), str(_key(second))}
        return any({one.left_key, one.right_key} == pair for one in stewardship.list_reviews(self.hub))

    def add_child(self, key: str, parent: Record) -> None:
        fields = {"name": key, "firm": parent.key}
        outcomes = deliver(self.hub, [Delivery(_child_key(key, parent.source), "engagement", fields)], who=WHO)
        assert [one.status for one in outcomes] == ["created"], outcomes
        self.child_source = parent.source

    def parent_of(self, key: str) -> str:
        golden_id = self._read(lambda connection: golden_id_of(connection, _child_key(key, self.child_source))[0])
        return str(self.values(golden_id)["firm"])

    def deliver_at_once(self, records: Sequence[Record]) -> None:
        for record in records:
            self._register(record.source)
        start = Barrier(len(records))

        def one(record: Record) -> None:
            start.wait()
            self.deliver([record])

        threads = [Thread(target=partial(one, record)) for record in records]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _register(self, source: str) -> None:
        if source not in self.instances:
            known = SourceInstance(source, source.partition("-")[0], source)
            run(self.hub.engine, lambda connection: register(connection, known, who=WHO))
            self.instances.add(source)

    def _read(self, question: Callable[[Connection], Result]) -> Result:
        return run(self.hub.engine, question)


def _is_surviving(version: GoldenVersion) -> bool:
    return version.entity_type == "firm" and version.state == "active"


def _key(record: Record) -> SourceKey:
    return SourceKey(record.source, "firm", "", record.key)


def _child_key(key: str, source: str) -> SourceKey:
    return SourceKey(source, "engagement", "", key)


def _delivery(record: Record) -> Delivery:
    return Delivery(_key(record), "firm", record.fields)


@contextmanager
def fresh(way: str, *, settings: Settings, template: str) -> Iterator[Ours]:
    """Open the hub on a copy of the migrated database; afterwards every invariant must hold."""
    with _copied(template) as url, open_hub(settings, url) as hub:
        yield Ours(hub, way)
        violations = run(hub.engine, lambda connection: check(connection, hub.declared))
        assert not violations, violations


@contextmanager
def _copied(template: str) -> Iterator[str]:
    """Give a database of its own, since a hub's log cannot be emptied; nobody may be connected with the template."""
    at = make_url(template)
    name = f"peers_{next(_number)}"
    beside = conninfo(at.set(database="postgres").render_as_string(hide_password=False))
    with psycopg.connect(beside, autocommit=True) as server:
        names = {"copy": psycopg.sql.Identifier(name), "template": psycopg.sql.Identifier(at.database or "")}
        server.execute(psycopg.sql.SQL("CREATE DATABASE {copy} TEMPLATE {template}").format(**names))
        try:
            yield at.set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(psycopg.sql.SQL("DROP DATABASE {copy} WITH (FORCE)").format(**names))


def main() -> None:
    """Migrate a database to copy, and play."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(home=Path(folder) / "home", database_url=None, entities=(ENTITIES,))
        with hub_database(settings) as url:
            upgrade(url)
            play("mdm-hub", version("mdm-hub"), partial(fresh, settings=settings, template=url), WAYS)


if __name__ == "__main__":
    main()
