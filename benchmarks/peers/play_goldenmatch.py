"""GoldenMatch as its documentation advises: files by source, one configuration with identity graph, steward operations.

Each source delivers a file named after it, which is how its record ids come to name the source; `dedupe` runs over
the files of a delivery with the identity graph on. What joins is the rule that all systems have: two exact match keys.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import goldenmatch
import pyarrow as pa
from goldenmatch.config.schemas import GoldenMatchConfig
from goldenmatch.core.memory.store import MemoryStore
from goldenmatch.identity import (
    IdentityStore,
    find_by_record,
    get_entity,
    manual_merge,
    manual_split,
    mediate_conflict,
    open_conflicts,
    resolve_record_incremental,
)
from play import play
from pyarrow import parquet
from system import Judgement, Merge, NoSuchOperation, Record, System

COLUMNS = ("pk", "name", "tax", "website", "phone")
GRAPH, MEMORY = "identity graph", "Learning Memory"
FILES, FRAME = "a file for each source", "one data frame"
WAYS = {"G1": (GRAPH, MEMORY), "G2": (GRAPH, MEMORY), "G8": (FILES, FRAME)}


class GoldenMatch(System):
    """An identity graph and a Learning Memory in files of their own."""

    def __init__(self, folder: Path, way: str) -> None:
        """Configure an empty graph."""
        self.folder, self.way = folder, way
        self.graph, self.memory = folder / "identity.db", folder / "memory.db"
        keys = [{"name": name, "type": "exact", "fields": [{"field": name}]} for name in ("tax", "website")]
        self.config = GoldenMatchConfig(
            matchkeys=keys,
            blocking={"strategy": "multi_pass", "passes": [{"fields": ["tax"]}, {"fields": ["website"]}]},
            golden_rules={"default_strategy": "most_complete"},
            identity={"enabled": True, "path": str(self.graph), "dataset": "firms", "source_pk_column": "pk"},
            memory={"enabled": way == MEMORY, "path": str(self.memory), "dataset": "firms"},
        )
        self.last: Any = None
        self.rows: list[Record] = []
        self.said = ""

    def deliver(self, records: Sequence[Record]) -> None:
        self.rows = sorted(records, key=lambda record: record.source)
        if self.way == FRAME:
            self.last = goldenmatch.dedupe_df(self._table(self.rows), config=self.config)
            return
        paths = []
        for source in dict.fromkeys(record.source for record in self.rows):
            # Parquet, since of CSV it guesses the types of each file by itself and cannot join files that differ then.
            path = self.folder / f"{source}.parquet"
            parquet.write_table(self._table([record for record in self.rows if record.source == source]), path)
            paths.append(str(path))
        self.last = goldenmatch.dedupe(*paths, config=self.config)
        if self.way == MEMORY and self.last.memory_stats:
            self.said = f"Learning Memory says that it applied {self.last.memory_stats.applied}"

    def holder(self, record: Record) -> str:
        with self._store() as store:
            found = find_by_record(store, self._id(record))
        assert found is not None, record
        return found.node.entity_id

    def members(self, entity: str) -> frozenset[str]:
        with self._store() as store:
            found = get_entity(store, entity)
        assert found is not None, entity
        if found.node.merged_into:
            self.said = "the retired node names its survivor, which a caller may look up"
        return frozenset(f"{record.source}/{record.source_pk}" for record in found.records)

    def values(self, entity: str) -> Mapping[str, Any]:
        with self._store() as store:
            found = get_entity(store, entity)
        assert found is not None, entity
        golden = found.node.golden_record or {}
        return {name: value for name, value in golden.items() if name != "pk" and value not in (None, "")}

    def merge(self, first: str, second: str) -> Merge:
        with self._store() as store:
            manual_merge(store, first, second, reason="steward", actor="steward:bench", trust=1.0)
        return Merge(first, second)

    def undo(self, merge: Merge) -> None:
        raise NoSuchOperation("there is no unmerge of a merge; a split makes a new entity of records that are named")

    def moved(self, merge: Merge) -> frozenset[str]:
        with self._store() as store:
            events = [*store.history(merge.survivor), *store.history(merge.absorbed)]
        named = {
            id_ for event in events if event.kind == "manual_merge" for id_ in (event.payload or {}).get("records", ())
        }
        return frozenset(id_.replace(":", "/", 1) for id_ in named)

    def take_out(self, record: Record) -> None:
        """Split the record off in the graph; the other way rejects its pairs in Learning Memory as well."""
        entity = self.holder(record)
        with self._store() as store:
            manual_split(store, entity, [self._id(record)], reason="steward", actor="steward:bench", trust=1.0)
        if self.way == MEMORY:
            with MemoryStore(backend="sqlite", path=str(self.memory)) as memory:
                goldenmatch.unmerge_record(
                    self.rows.index(record), self.last.clusters, memory_store=memory, dataset="firms"
                )

    def decide(self, first: Record, second: Record, judgement: Judgement) -> None:
        """Give a verdict on the pair; the other way rejects it in Learning Memory as well."""
        verdict = {"same": "same", "different": "distinct"}[judgement]
        with self._store() as store:
            if judgement == "same" and self.holder(first) != self.holder(second):
                manual_merge(store, self.holder(first), self.holder(second), reason="steward")
            mediate_conflict(store, self._id(first), self._id(second), verdict, steward="bench", dataset="firms")
        if self.way == MEMORY and judgement == "different":
            goldenmatch.add_correction(
                self.rows.index(first),
                self.rows.index(second),
                "reject",
                source="steward",
                dataset="firms",
                path=str(self.memory),
            )

    def dissolve(self, entity: str) -> None:
        raise NoSuchOperation("entities are not dissolved; `unmerge_cluster` takes the clusters of one run apart")

    def asks(self, first: Record, second: Record) -> bool:
        pair = {self._id(first), self._id(second)}
        with self._store() as store:
            return any({one.record_a_id, one.record_b_id} == pair for one in open_conflicts(store, dataset="firms"))

    def add_child(self, key: str, parent: Record) -> None:
        raise NoSuchOperation(f"records do not point at each other ({key}, {parent.label})")

    def deliver_at_once(self, records: Sequence[Record]) -> None:
        """Resolve each record in a thread of its own against the stored index of blocking keys, its streaming way."""
        start = Barrier(len(records))
        failures: list[Exception] = []

        def resolve(record: Record) -> None:
            with self._store() as store:
                start.wait()
                try:
                    resolve_record_incremental(
                        {"pk": record.key, "name": record.name, "tax": record.tax},
                        None,
                        self.config.get_matchkeys()[:1],
                        store,
                        f"stream-{record.label}-{datetime.now().astimezone().isoformat()}",
                        source=record.source,
                        source_pk_col="pk",
                        dataset="firms",
                        blocking=self.config.blocking,
                    )
                except Exception as error:  # noqa: BLE001 -- whatever a thread meets belongs into the finding
                    failures.append(error)

        threads = [Thread(target=resolve, args=(record,)) for record in records]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            self.said = f"{len(failures)} of {len(records)} threads failed: {failures[0]}"

    def remark(self) -> str:
        return self.said

    def _store(self) -> IdentityStore:
        return IdentityStore(path=str(self.graph))

    def _id(self, record: Record) -> str:
        return f"{'dataframe' if self.way == FRAME else record.source}:{record.key}"

    def _table(self, records: Sequence[Record]) -> pa.Table:
        rows = [
            {"pk": record.key, **{name: getattr(record, name) or None for name in COLUMNS[1:]}} for record in records
        ]
        return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in COLUMNS]))


@contextmanager
def fresh(way: str) -> Iterator[GoldenMatch]:
    """Open an empty system in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="peer-") as folder:
        yield GoldenMatch(Path(folder), way)


if __name__ == "__main__":
    os.environ["GOLDEN_DIAGNOSTICS"] = "0"
    play("goldenmatch", version("goldenmatch"), fresh, WAYS)
