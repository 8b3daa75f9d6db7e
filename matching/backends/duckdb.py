"""Match more records than fit into memory, on one machine: rows lie in DuckDB, which sorts and spills.

The stages see parts, and the answer is that of `bulk.match`, record for record. What stays in memory are the model, a
label a record, and the pairs at or above the review line.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matching.backends import parts, population
from matching.backends.components import connected
from matching.block import OversizeBlock
from matching.bulk import Bound, BulkMatch, Teach
from matching.model import EMPTY_POPULATION, MATCH, MatchModel
from matching.records import Forms, Records
from matching.stages import Stage, StageClock

SHARE_OF_DUCKDB: Final = 0.4
"""Part of the memory that DuckDB may hold before it spills; the stages at work need the rest (chosen)."""

MEMORY_MIN: Final = 256 << 20
"""What DuckDB is given at least; a match that should stay below a gigabyte does not (chosen)."""

_FILE: Final = "match.duckdb"


@dataclass(frozen=True, slots=True)
class Space:
    """Say where rows may lie, and what a match may take.

    folder        where the database of one match stands while it runs, on a disk with room for it
    memory_bytes  what the whole match should stay within
    threads       judging and DuckDB's own sorting use as many
    rows_at_once  rows of records, blocks or clusters that a stage works on
    """

    folder: Path
    memory_bytes: int
    threads: int = 1
    rows_at_once: int = parts.ROWS_AT_ONCE


@dataclass(frozen=True, slots=True, eq=False)
class SpilledMatch:
    """Hold the answer and the place of the records' keys."""

    result: BulkMatch
    _store: duckdb.DuckDBPyConnection

    def keys_of(self, records: NDArray[np.integer]) -> pa.ChunkedArray:
        """Return the source keys of some records, in the order asked for."""
        asked = pa.table({"place": np.arange(len(records)), "record": records.astype(np.int64)})
        return _asked(
            self._store,
            "SELECT key FROM asked JOIN forms USING (record) ORDER BY place",
            asked,
        )["key"]


@contextmanager
def matched(
    batches: Iterable[Records],
    model: MatchModel,
    space: Space,
    *,
    teach: Teach | None = None,
    bound: Bound = ((), ()),
    on_stage: Callable[[Stage], None] | None = None,
) -> Iterator[SpilledMatch]:
    """Match records that come in batches, and keep their rows until the caller is done.

    teach   is asked for other weights when the model has no population and learns it
    bound   must-links and conflicts, as positions in the whole
    raises  parts.Repeated for a source key that comes twice
    """
    file = space.folder / _FILE
    store = duckdb.connect(str(file))
    try:
        _bounded(store, space)
        yield SpilledMatch(_Run(store, space, StageClock(on_stage)).match(batches, model, teach, bound), store)
    finally:
        store.close()
        file.unlink(missing_ok=True)


def _bounded(store: duckdb.DuckDBPyConnection, space: Space) -> None:
    settings = {
        "memory_limit": f"{max(MEMORY_MIN, int(space.memory_bytes * SHARE_OF_DUCKDB)) >> 20}MiB",
        "threads": str(max(1, space.threads)),
        "temp_directory": str(space.folder / "spill"),
        "preserve_insertion_order": "false",  # every question says its order
    }
    for name, value in settings.items():
        store.execute(f"SET {name} = '{value}'")  # constants of this file and numbers


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Carry one match through its stages."""

    store: duckdb.DuckDBPyConnection
    space: Space
    clock: StageClock

    def match(self, batches: Iterable[Records], model: MatchModel, teach: Teach | None, bound: Bound) -> BulkMatch:
        """Run the stages one after the other."""
        store, clock = self.store, self.clock
        learns = model.population == EMPTY_POPULATION
        with clock.stage("standardise") as made:
            records_count = _standardise(store, batches, model, learns=learns)
            made.append(records_count)
        if learns:
            with clock.stage("learn") as made:
                model = _learn(store, model, records_count)
                model = teach(_lesson(store, model), model) if teach else model
                made.append(len(model.population.stop_keys))
        with clock.stage("block") as made:
            if not learns:
                _write_keys(store, model)
            oversize = _blocks(store, model)
            made.append(_number(store, "SELECT count(*) FROM paired"))
        with clock.stage("compare") as made:
            pairs = _judge(store, model, self.space)
            made.append(pairs.num_rows)
        with clock.stage("cluster") as made:
            labels, refused_count = _cluster(store, model, pairs, bound, self.space)
            made.append(len(np.unique(labels)))
        return BulkMatch(
            labels=labels,
            left=pairs["left"].to_numpy().astype(np.int32),
            right=pairs["right"].to_numpy().astype(np.int32),
            vectors=parts.vectors_of(pairs["vector"], model),
            bits=pairs["bits"].to_numpy(),
            verdicts=pairs["verdict"].to_numpy(),
            stages=tuple(clock.stages),
            refused_count=refused_count,
            oversize=oversize,
            model=model,
        )


def _standardise(
    store: duckdb.DuckDBPyConnection, batches: Iterable[Records], model: MatchModel, *, learns: bool
) -> int:
    """Write the forms of all records, numbered in their order, and what they tell of the population."""
    store.execute("CREATE TABLE forms (key VARCHAR, source VARCHAR, context VARCHAR, packed VARCHAR, record BIGINT)")
    store.execute("CREATE TABLE counts (what VARCHAR, feature VARCHAR, value VARCHAR, other VARCHAR, n BIGINT)")
    count = 0
    for batch in batches:
        rows = parts.form_rows(batch, model)
        numbered = rows.append_column("record", pa.array(np.arange(count, count + rows.num_rows)))
        _insert(store, "forms", numbered)
        if learns:
            _insert(store, "counts", population.part_counts(parts.forms_of(rows, model), model))
        count += rows.num_rows
    twice = store.sql("SELECT key FROM forms GROUP BY key HAVING count(*) > 1 ORDER BY key LIMIT 1").fetchall()
    if twice:
        raise parts.Repeated(twice[0][0])
    return count


def _learn(store: duckdb.DuckDBPyConnection, model: MatchModel, records_count: int) -> MatchModel:
    """Learn the population; the keys under it are written on the way."""
    store.execute("CREATE TABLE sums (what VARCHAR, feature VARCHAR, value VARCHAR, n BIGINT)")
    counted = "SELECT what, feature, value, other, sum(n)::BIGINT AS n FROM counts GROUP BY ALL"
    for batch in _stream(store, counted):
        _insert(store, "sums", population.summary(pa.Table.from_batches([batch]), model))
    store.execute("DROP TABLE counts")
    least = population.least_counts(model, records_count)
    asked = pa.table(
        {
            "what": [what for what, features in least.items() for _ in features],
            "feature": [feature for features in least.values() for feature in features],
            "least": pa.array([bound for features in least.values() for bound in features.values()], pa.int64()),
        }
    )
    totals = _asked(
        store,
        "SELECT what, feature, value, sum(n)::BIGINT AS n FROM sums JOIN asked USING (what, feature)"
        " GROUP BY what, feature, value HAVING sum(n) >= max(least)",
        asked,
    )
    store.execute("DROP TABLE sums")
    model = replace(model, population=population.population_of(totals, records_count, model))
    _write_keys(store, model)
    stops = np.empty(0, dtype=np.int64)
    for _ in range(2):  # as keys.learn_stop_keys does: the keys, then the finer ones put in their place
        fresh = np.setdiff1d(_large_keys(store, model)[0]["key"].to_numpy(), stops)
        if not len(fresh):
            break
        stops = np.union1d(stops, fresh)
        model = population.with_stop_keys(model, stops)
        _split_keys(store, model, fresh)
    return model


def _lesson(store: duckdb.DuckDBPyConnection, model: MatchModel) -> Forms:
    """Give the forms of the records to learn from."""
    batches = _stream(store, "SELECT key, source, context, packed FROM forms")
    drawn = (parts.drawn_rows(pa.Table.from_batches([batch]), model) for batch in batches)
    return parts.forms_of(pa.concat_tables([parts.FORM_ROWS.empty_table(), *drawn]), model)


def _write_keys(store: duckdb.DuckDBPyConnection, model: MatchModel) -> None:
    store.execute("CREATE TABLE keyed (record BIGINT, keys BIGINT[], rules SMALLINT[])")
    for batch in _stream(store, "SELECT record, context, packed FROM forms"):
        _insert(store, "keyed", parts.key_rows(pa.Table.from_batches([batch]), model))


def _split_keys(store: duckdb.DuckDBPyConnection, model: MatchModel, stops: NDArray[np.int64]) -> None:
    """Write anew the keys of the records that stand under new stop keys."""
    store.execute("CREATE TABLE split (record BIGINT, keys BIGINT[], rules SMALLINT[])")
    store.register("stops", pa.table({"stop": stops}))
    store.execute(
        "CREATE TABLE touched AS SELECT DISTINCT record FROM"
        " (SELECT record, unnest(keys) AS key FROM keyed) JOIN stops ON key = stop"
    )
    for batch in _stream(store, "SELECT record, context, packed FROM forms SEMI JOIN touched USING (record)"):
        _insert(store, "split", parts.key_rows(pa.Table.from_batches([batch]), model))
    store.execute("INSERT INTO split SELECT * FROM keyed ANTI JOIN touched USING (record)")
    store.execute("DROP TABLE keyed")
    store.execute("ALTER TABLE split RENAME TO keyed")
    store.execute("DROP TABLE touched")


def _large_keys(store: duckdb.DuckDBPyConnection, model: MatchModel) -> tuple[pa.Table, tuple[OversizeBlock, ...]]:
    large = store.sql(
        "SELECT key, min(rule) AS rule, count(*) AS size FROM"
        " (SELECT unnest(keys) AS key, unnest(rules) AS rule FROM keyed) GROUP BY key HAVING count(*) > ?",
        params=[min(parts.sizes_max(model))],
    )
    return parts.oversize_of(large.to_arrow_table(), model)


def _blocks(store: duckdb.DuckDBPyConnection, model: MatchModel) -> tuple[OversizeBlock, ...]:
    """Write who stands in which block of at least two, and report the blocks that are too large."""
    _, report = _large_keys(store, model)
    store.register(
        "beyond", pa.table({"key": pa.array([block.key for block in report if block.is_left_out], pa.int64())})
    )
    store.execute(
        "CREATE TABLE paired AS WITH held AS (SELECT record, unnest(keys) AS key FROM keyed),"
        " blocks AS (SELECT key FROM held ANTI JOIN beyond USING (key) GROUP BY key HAVING count(*) > 1)"
        " SELECT record, list(key) AS keys FROM held SEMI JOIN blocks USING (key) GROUP BY record"
    )
    store.execute("DROP TABLE keyed")
    return report


def _judge(store: duckdb.DuckDBPyConnection, model: MatchModel, space: Space) -> pa.Table:
    """Judge the blocks in the order of their keys, some parts at a time, and return PAIR_ROWS in the order of pairs."""
    rows = _stream(
        store,
        "SELECT unnest(keys) AS block, record, keys, packed FROM paired JOIN forms USING (record)"
        " ORDER BY block, record",
    )
    found = [parts.PAIR_ROWS.empty_table()]
    with ThreadPoolExecutor(max_workers=max(1, space.threads)) as pool:
        waiting: deque[Any] = deque()
        for part in parts.block_parts(rows, rows_at_once=space.rows_at_once):
            waiting.append(pool.submit(parts.judged_part, part, model))
            if len(waiting) > space.threads:  # bounds the parts that are in memory
                found.append(waiting.popleft().result())
        found += [each.result() for each in waiting]
    return pa.concat_tables(found).sort_by([("left", "ascending"), ("right", "ascending")])


def _cluster(
    store: duckdb.DuckDBPyConnection,
    model: MatchModel,
    pairs: pa.Table,
    bound: Bound,
    space: Space,
) -> tuple[NDArray[np.int32], int]:
    """Cluster component by component, and return the labels and the count of refused edges."""
    records_count = _number(store, "SELECT count(*) FROM forms")
    edges = pairs.filter(pa.array(pairs["verdict"].to_numpy() == MATCH)).select(["left", "right", "bits"])
    musts, conflicts = (np.array(list(each), dtype=np.int64).reshape(-1, 2) for each in bound)
    components = connected(
        np.concatenate((edges["left"].to_numpy(), musts[:, 0])),
        np.concatenate((edges["right"].to_numpy(), musts[:, 1])),
        records_count,
    ).astype(np.int64)
    conflicts = conflicts[components[conflicts[:, 0]] == components[conflicts[:, 1]]]
    binding = pa.concat_tables(
        [
            _binding(
                parts.EDGE, components, edges["left"].to_numpy(), edges["right"].to_numpy(), edges["bits"].to_numpy()
            ),
            *(
                _binding(kind, components, each[:, 0], each[:, 1], np.zeros(len(each)))
                for kind, each in ((parts.MUST, musts), (parts.CONFLICT, conflicts))
            ),
        ]
    )
    sizes = np.bincount(components, minlength=records_count)
    members = np.flatnonzero(sizes[components] > 1)
    rows = _stream(
        store,
        'SELECT component, 0::TINYINT AS kind, record AS "left", record AS "right", 0::DOUBLE AS bits, key, packed'
        " FROM members JOIN forms USING (record)"
        ' UNION ALL SELECT component, kind, "left", "right", bits, NULL, NULL FROM binding ORDER BY component, kind',
        binding=binding,
        members=pa.table({"component": components[members], "record": members}),
    )
    labels, refused_count = np.arange(records_count, dtype=np.int32), 0
    for found in parts.clustered(rows, model, rows_at_once=space.rows_at_once):
        is_member = found["kind"].to_numpy() == parts.MEMBER
        labels[found["left"].to_numpy()[is_member]] = found["right"].to_numpy()[is_member]
        refused_count += int(np.count_nonzero(~is_member))
    return labels, refused_count


def _binding(
    kind: int,
    components: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    bits: NDArray[np.float64],
) -> pa.Table:
    kinds = np.full(len(left), kind, dtype=np.int8)
    return pa.table({"component": components[left], "kind": kinds, "left": left, "right": right, "bits": bits})


def _insert(store: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    store.register("rows_to_insert", rows)
    store.execute(f"INSERT INTO {table} SELECT * FROM rows_to_insert")  # noqa: S608 -- a constant of this file
    store.unregister("rows_to_insert")


def _asked(store: duckdb.DuckDBPyConnection, question: str, asked: pa.Table) -> pa.Table:
    store.register("asked", asked)
    found = store.sql(question).to_arrow_table()
    store.unregister("asked")
    return found


def _number(store: duckdb.DuckDBPyConnection, question: str) -> int:
    return int(store.sql(question).fetchall()[0][0])


def _stream(store: duckdb.DuckDBPyConnection, question: str, **tables: pa.Table) -> Iterator[pa.RecordBatch]:
    """Read an answer batch by batch on a cursor of its own, so that other statements may run meanwhile."""
    with store.cursor() as cursor:
        for name, table in tables.items():
            cursor.register(name, table)
        yield from cursor.sql(question).to_arrow_reader(parts.ROWS_AT_ONCE)
