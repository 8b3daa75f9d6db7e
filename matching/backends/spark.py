"""Match on a Spark cluster: Spark moves rows, by key and by component; the stages of bulk run on each partition.

The answer is that of `bulk.match` on the same records: population and so the model's version, pairs, bits, verdicts,
refused edges and clusters. A record is named by its source key throughout; how rows lie in partitions changes nothing.
It needs the extra `spark`, on every worker, and the package itself there too.
"""

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as f

from matching.backends import parts, population
from matching.backends.components import connected as connected_columns
from matching.block import OversizeBlock
from matching.bulk import Teach
from matching.model import EMPTY_POPULATION, MATCH, VERDICTS, MatchModel
from matching.records import Forms, Records, column_from_arrow
from matching.stages import Stage, StageClock

Frame: TypeAlias = DataFrame
Read: TypeAlias = Callable[[pa.Table], Records]
"""Reads rows as delivered; runs on the workers, one part of the rows at a time."""

_TEXTS: Final = frozenset({"string", "array<string>"})
_READABLE: Final = _TEXTS | {"tinyint", "smallint", "int", "bigint"}
_FORMS: Final = "key string, source string, context string, packed string"
_KEYS: Final = "record bigint, keys array<bigint>, rules array<smallint>"
_COUNTS: Final = "what string, feature string, value string, other string, n bigint"
_SUMMARY: Final = "what string, feature string, value string, n bigint"
_PAIRS: Final = "left bigint, right bigint, bits double, verdict tinyint, vector binary"
_CLUSTERS: Final = "kind tinyint, left bigint, right bigint, bits double, cluster_key string"

_LOCAL: Final = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "8",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""Settings of a session on this machine alone: nobody else reaches it, and 200 partitions would be too many."""

DRIVER_LINKS: Final = "spark.mdm.driverLinksMax"
"""Setting of the session: edges and must-links up to which the driver finds the components; 0: always the cluster."""

DRIVER_LINKS_MAX: Final = 5_000_000
"""Links whose components the driver finds itself: 80 MB there, and no rounds of shuffles (chosen)."""

RANGES_PER_PARTITION: Final = 8
"""Ranges of keys that fall to one partition on average, so that partitions come out even (chosen)."""


@dataclass(frozen=True, slots=True, eq=False)
class SparkMatch:
    """Hold the answer as DataFrames, all kept until `release`.

    clusters  key, source, cluster (the smallest key among the members)
    pairs     left, right (keys, left < right), bits, verdict, and each comparison's level by its label, null = missing
    refused   left, right, bits: edges that a conflict kept apart
    oversize  blocks larger than the model wants, by key
    """

    clusters: DataFrame
    pairs: DataFrame
    refused: DataFrame
    oversize: tuple[OversizeBlock, ...]
    stages: tuple[Stage, ...]
    model: MatchModel
    _kept: tuple[DataFrame, ...]

    def release(self) -> None:
        """Free what the cluster keeps for the answer."""
        for frame in self._kept:
            frame.unpersist()


def open_session(master: str | None, settings: Mapping[str, str] = MappingProxyType({})) -> SparkSession:
    """Open a session, or take the one there is; without a master, that of `spark-submit`.

    Workers run this same Python, which has all that a stage needs; a cluster's settings win.
    """
    builder = SparkSession.builder.appName("mdm match")
    if master is not None:
        builder = builder.master(master)
    is_local = master is not None and master.startswith("local")
    for name, value in ({**_LOCAL, **settings} if is_local else settings).items():
        builder = builder.config(name, value)
    session = builder.config("spark.sql.caseSensitive", "true").getOrCreate()  # files' columns may differ by case alone
    if is_local:
        session.sparkContext.setLogLevel("ERROR")
        session.sparkContext.pythonExec = sys.executable  # else the first `python3` of the path
    return session


def match(
    records: DataFrame,
    model: MatchModel,
    *,
    read: Read | None = None,
    teach: Teach | None = None,
    bound: tuple[DataFrame | None, DataFrame | None] = (None, None),
    on_stage: Callable[[Stage], None] | None = None,
) -> SparkMatch:
    """Match the records of a DataFrame.

    records  key, source, perhaps context, and the model's attributes as strings or arrays of strings; with `read`,
             whatever it reads
    teach    is asked for other weights when the model has no population and learns it; runs on the driver
    bound    must-links and conflicts, as left and right: source keys
    raises   parts.Repeated for a source key that comes twice
    """
    return _Run(model, read or records_of_rows, StageClock(on_stage), teach).match(records, *bound)


def read_parquet(session: SparkSession, addresses: Sequence[str], kept: Collection[str] = ()) -> DataFrame:
    """Read Parquet with texts, lists of texts and whole numbers, the latter as text but for the columns kept."""
    rows = session.read.option("mergeSchema", "true").parquet(*addresses)
    columns = []
    for field in rows.schema:
        kind = field.dataType.simpleString()
        if kind not in _READABLE:
            raise ValueError(f"column {field.name!r} holds {kind}: cast it to text first")
        column = f.col(f"`{field.name}`")
        columns.append(column if kind in _TEXTS or field.name in kept else column.cast("string").alias(field.name))
    return rows.select(*columns)


def on_workers(rows: DataFrame, stage: Callable[[pa.Table], pa.Table], schema: str) -> DataFrame:
    """Run a function on the rows of each partition, part by part."""

    def made(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from stage(pa.Table.from_batches([batch])).to_batches()

    return rows.mapInArrow(made, schema)


def in_order(rows: DataFrame, *columns: str) -> Iterator[Mapping[str, Any]]:
    """Bring the rows to the driver in order, partition by partition."""
    for row in rows.orderBy(*columns).toLocalIterator():
        yield row.asDict()


def records_of_rows(rows: pa.Table) -> Records:
    """Read rows that have a column for each attribute, beside key, source and perhaps context."""
    names = [name for name in rows.column_names if name not in {"key", "source", "context"}]
    count = rows.num_rows
    sources = rows["source"].to_pylist() if "source" in rows.column_names else [""] * count
    contexts = (word or "" for word in rows["context"].to_pylist()) if "context" in rows.column_names else None
    return Records(
        tuple(rows["key"].to_pylist()),
        tuple(source or "" for source in sources),
        {name: column_from_arrow(rows[name]) for name in names},
        None if contexts is None else tuple(contexts),
    )


def connected(links: DataFrame) -> DataFrame:
    """Name the component of each record of `links` (left, right) by its smallest record: record, component.

    Large-star and small-star in turn until nothing changes (Kiveris et al., Connected Components in MapReduce and
    Beyond, SoCC 2014): each joins a record's neighbours to the smallest among them, so that no neighbourhood grows.
    """
    star = links.where("left != right").select("left", "right").distinct().localCheckpoint(eager=False)
    seen = None
    while True:
        neighbours = star.union(star.select(f.col("right").alias("left"), f.col("left").alias("right")))
        smallest = f.least("left", f.min("right").over(Window.partitionBy("left")))
        large = neighbours.withColumn("root", smallest).where("right > left")
        large = large.select(f.col("right").alias("left"), f.col("root").alias("right")).distinct()
        lower = f.min("right").over(Window.partitionBy("left"))
        small = large.withColumn("root", lower)
        star = (
            small.where("right != root")
            .select(f.col("right").alias("left"), f.col("root").alias("right"))
            .union(small.select("left", f.col("root").alias("right")))
            .distinct()
            .localCheckpoint(eager=False)  # the next line makes it; the plan would double with every round
        )
        now = star.agg(f.count("*"), f.sum(f.hash("left", "right"))).first()
        if now == seen:
            break
        seen = now
    members = star.select(f.col("left").alias("record"), f.col("right").alias("component"))
    return members.union(star.select(f.col("right").alias("record"), f.col("right").alias("component")).distinct())


class _Run:
    """Carry one match through its stages, and remember what the cluster keeps for it."""

    def __init__(self, model: MatchModel, read: Read, clock: StageClock, teach: Teach | None) -> None:
        self.model, self.read, self.clock, self.teach = model, read, clock, teach
        self.kept: list[DataFrame] = []

    def match(self, records: DataFrame, musts: DataFrame | None, conflicts: DataFrame | None) -> SparkMatch:
        """Run the stages one after the other."""
        with self.clock.stage("standardise") as made:
            forms = self._forms(records)
            records_count = forms.count()
            _require_distinct(forms)
            made.append(records_count)
        if self.model.population == EMPTY_POPULATION:
            with self.clock.stage("learn") as made:
                keyed = self._learn(forms, records_count)
                if self.teach is not None:
                    self.model = self.teach(self._lesson(forms), self.model)
                made.append(len(self.model.population.stop_keys))
        else:
            keyed = self._keyed(forms, self.model)
        with self.clock.stage("block") as made:
            _, oversize = self._large(keyed)
            paired = self._paired(keyed, oversize)
            made.append(paired.count())
        with self.clock.stage("compare") as made:
            pairs = self._judge(forms, paired)
            made.append(pairs.count())
        with self.clock.stage("cluster") as made:
            found = self._cluster(forms, pairs, _by_record(forms, musts), _by_record(forms, conflicts))
            labels = found.where(f.col("kind") == parts.MEMBER).select("left", "cluster_key")
            clusters = forms.join(labels, forms["record"] == labels["left"], "left").select(
                "key", "source", f.coalesce("cluster_key", "key").alias("cluster")
            )
            made.append(clusters.select("cluster").distinct().count())
        names = forms.select("record", "key")
        refused = _named(found.where(f.col("kind") == parts.EDGE).select("left", "right", "bits"), names)
        return SparkMatch(
            clusters,
            self._labelled(_named(pairs, names)),
            refused,
            oversize,
            tuple(self.clock.stages),
            self.model,
            tuple(self.kept),
        )

    def _forms(self, records: DataFrame) -> DataFrame:
        sent, read = parts.sent(self.model), self.read

        def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            model = parts.received(sent)
            for batch in batches:
                yield from parts.form_rows(read(pa.Table.from_batches([batch])), model).to_batches()

        return self._keep(records.mapInArrow(made, _FORMS).withColumn("record", f.xxhash64("key")))

    def _learn(self, forms: DataFrame, records_count: int) -> DataFrame:
        """Learn the population, stop keys and all, and return the keys under it."""
        totals = self._totals(forms, records_count)
        self.model = replace(self.model, population=population.population_of(totals, records_count, self.model))
        keyed = self._keyed(forms, self.model)
        stops = np.empty(0, dtype=np.int64)
        for _ in range(2):  # as keys.learn_stop_keys does: the keys, then the finer ones put in their place
            fresh = np.setdiff1d(self._large(keyed)[0]["key"].to_numpy(), stops)
            if not len(fresh):
                break
            stops = np.union1d(stops, fresh)
            self.model = population.with_stop_keys(self.model, stops)
            keyed = self._split(forms, keyed, fresh)
        return keyed

    def _lesson(self, forms: DataFrame) -> Forms:
        """Bring the forms of the records to learn from to the driver."""
        rows = forms.select("key", "source", "context", "packed")
        drawn = rows.mapInArrow(_on_tables(parts.drawn_rows, parts.sent(self.model)), _FORMS)
        return parts.forms_of(drawn.toArrow(), self.model)

    def _totals(self, forms: DataFrame, records_count: int) -> pa.Table:
        sent = parts.sent(self.model)

        def counted(table: pa.Table, model: MatchModel) -> pa.Table:
            return population.part_counts(parts.forms_of(table, model), model)

        counts = forms.select("packed").mapInArrow(_on_tables(counted, sent), _COUNTS)
        sums = counts.groupBy("what", "feature", "value", "other").agg(f.sum("n").alias("n"))
        told = sums.mapInArrow(_on_tables(population.summary, sent), _SUMMARY)
        least = population.least_counts(self.model, records_count)
        bounds = [
            (f.col("what") == what) & (f.col("feature") == feature) & (f.col("n") >= bound)
            for what, features in least.items()
            for feature, bound in features.items()
        ]
        totals = told.groupBy("what", "feature", "value").agg(f.sum("n").alias("n"))
        return totals.where(_any(bounds)).toArrow()

    def _keyed(self, forms: DataFrame, model: MatchModel) -> DataFrame:
        rows = forms.select("record", "context", "packed")
        return self._keep(rows.mapInArrow(_on_tables(parts.key_rows, parts.sent(model)), _KEYS))

    def _split(self, forms: DataFrame, keyed: DataFrame, stops: Any) -> DataFrame:
        """Give anew the keys of the records that stand under new stop keys."""
        listed = f.broadcast(_session(forms).createDataFrame(pa.table({"stop": stops})))
        touched = (
            keyed.select("record", f.explode("keys").alias("stop")).join(listed, "stop").select("record").distinct()
        )
        rows = forms.join(touched, "record", "semi").select("record", "context", "packed")
        anew = rows.mapInArrow(_on_tables(parts.key_rows, parts.sent(self.model)), _KEYS)
        return self._keep(keyed.join(touched, "record", "anti").union(anew))

    def _large(self, keyed: DataFrame) -> tuple[pa.Table, tuple[OversizeBlock, ...]]:
        held = keyed.select(f.explode(f.arrays_zip("keys", "rules")).alias("held"))
        blocks = held.groupBy(f.col("held.keys").alias("key")).agg(
            f.min("held.rules").alias("rule"), f.count("*").alias("size")
        )
        large = blocks.where(f.col("size") > min(parts.sizes_max(self.model)))
        return parts.oversize_of(large.toArrow(), self.model)

    def _paired(self, keyed: DataFrame, oversize: Sequence[OversizeBlock]) -> DataFrame:
        """Give each record the keys of the blocks that pair it with somebody."""
        held = keyed.select("record", f.explode("keys").alias("block"))
        beyond = [block.key for block in oversize if block.is_left_out]
        if beyond:
            listed = _session(keyed).createDataFrame(pa.table({"block": pa.array(beyond, pa.int64())}))
            held = held.join(f.broadcast(listed), "block", "anti").select("record", "block")
        sized = held.withColumn("size", f.count("*").over(Window.partitionBy("block")))
        kept = sized.where(f.col("size") > 1)
        return self._keep(kept.groupBy("record").agg(f.collect_list("block").alias("keys")))

    def _judge(self, forms: DataFrame, paired: DataFrame) -> DataFrame:
        """Judge the blocks, each range of keys in one partition."""
        partitions = int(_session(forms).conf.get("spark.sql.shuffle.partitions") or 1)
        range_bits = (partitions * RANGES_PER_PARTITION - 1).bit_length()
        sent = parts.sent(self.model)

        def judged(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            model = parts.received(sent)
            for part in parts.block_parts(batches, range_bits=range_bits):
                yield from parts.judged_part(part, model).to_batches()

        members = paired.join(forms.select("record", "packed"), "record")
        rows = members.select(f.explode("keys").alias("block"), "record", "keys", "packed")
        ranged = rows.repartition(partitions, f.shiftright("block", parts.KEY_BITS - range_bits))
        return self._keep(ranged.sortWithinPartitions("block").mapInArrow(judged, _PAIRS))

    def _cluster(
        self, forms: DataFrame, pairs: DataFrame, musts: DataFrame | None, conflicts: DataFrame | None
    ) -> DataFrame:
        """Cluster component by component: rows of `parts.CLUSTER_ROWS`."""
        edges = pairs.where(f.col("verdict") == MATCH).select("left", "right", "bits")
        links = [edges] if musts is None else [edges, musts]
        components = self._components(reduce(DataFrame.union, (link.select("left", "right") for link in links)))
        bound = [(parts.EDGE, edges), (parts.MUST, musts), (parts.CONFLICT, conflicts)]
        rows = [_members(forms, components)]
        rows += [_within(kind, each, components) for kind, each in bound if each is not None]
        partitions = int(_session(forms).conf.get("spark.sql.shuffle.partitions") or 1)
        grouped = reduce(DataFrame.union, rows).repartition(partitions, "component")
        sent = parts.sent(self.model)

        def clustered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for found in parts.clustered(batches, parts.received(sent)):
                yield from found.to_batches()

        return self._keep(grouped.sortWithinPartitions("component", "kind").mapInArrow(clustered, _CLUSTERS))

    def _components(self, links: DataFrame) -> DataFrame:
        """Find the components where it is soonest done: few links on the driver, many on the cluster."""
        links_max = int(_session(links).conf.get(DRIVER_LINKS, str(DRIVER_LINKS_MAX)) or 0)
        few = links.limit(links_max + 1).toArrow() if links_max else None
        if few is None or few.num_rows > links_max:
            return self._keep(connected(links))
        ends = np.concatenate([few[side].to_numpy() for side in ("left", "right")])
        records, places = np.unique(ends, return_inverse=True)
        roots = connected_columns(places[: few.num_rows], places[few.num_rows :], len(records))
        found = pa.table({"record": records, "component": records[roots]})
        return _session(links).createDataFrame(found)

    def _labelled(self, pairs: DataFrame) -> DataFrame:
        """Put verdicts and levels in words."""
        columns = [_word(f.col("verdict"), VERDICTS).alias("verdict")]
        for place, comparison in enumerate(self.model.comparisons):
            level = f.conv(f.hex(f.substring("vector", place + 1, 1)), 16, 10).cast("int")
            columns.append(_word(level, [each.label for each in comparison.levels]).alias(comparison.name))
        return pairs.select("left", "right", "bits", *columns)

    def _keep(self, frame: DataFrame) -> DataFrame:
        self.kept.append(frame.persist())
        return self.kept[-1]


def _on_tables(
    stage: Callable[[pa.Table, MatchModel], pa.Table], sent: bytes
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Run a stage on the batches of a partition, each by itself."""

    def made(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model = parts.received(sent)
        for batch in batches:
            yield from stage(pa.Table.from_batches([batch]), model).to_batches()

    return made


def _require_distinct(forms: DataFrame) -> None:
    twice = forms.groupBy("record").agg(f.count("*").alias("n"), f.min("key").alias("key"), f.max("key").alias("other"))
    row = twice.where("n > 1").orderBy("key").first()
    if row is None:
        return
    assert row["key"] == row["other"], f"the keys {row['key']!r} and {row['other']!r} have the same 64-bit hash"
    raise parts.Repeated(row["key"])


def _by_record(forms: DataFrame, pairs: DataFrame | None) -> DataFrame | None:
    """Name the records of pairs of source keys; those of nobody are left out."""
    if pairs is None:
        return None
    known = forms.select("record")
    sides = pairs.select(f.xxhash64("left").alias("left"), f.xxhash64("right").alias("right"))
    for side in ("left", "right"):
        sides = sides.join(known.withColumnRenamed("record", side), side, "semi")
    return sides.withColumn("bits", f.lit(0.0)).select("left", "right", "bits")


def _members(forms: DataFrame, components: DataFrame) -> DataFrame:
    held = components.join(forms.select("record", "key", "packed"), "record")
    kind, nothing = f.lit(parts.MEMBER).cast("tinyint").alias("kind"), f.lit(0.0).alias("bits")
    record = f.col("record")
    return held.select("component", kind, record.alias("left"), record.alias("right"), nothing, "key", "packed")


def _within(kind: int, pairs: DataFrame, components: DataFrame) -> DataFrame:
    """Give the pairs both of whose records are in one component."""
    left = components.select(f.col("record").alias("left"), "component")
    right = components.select(f.col("record").alias("right"), f.col("component").alias("other"))
    held = pairs.join(left, "left").join(right, "right").where("component = other")
    nothing = [f.lit(None).cast("string").alias(name) for name in ("key", "packed")]
    return held.select("component", f.lit(kind).cast("tinyint").alias("kind"), "left", "right", "bits", *nothing)


def _named(pairs: DataFrame, names: DataFrame) -> DataFrame:
    """Put source keys in the place of records, the smaller one left."""
    rest = [name for name in pairs.columns if name not in {"left", "right"}]
    found = pairs
    for side in ("left", "right"):
        found = found.join(names.select(f.col("record").alias(side), f.col("key").alias(f"{side}_key")), side)
    keys = ("left_key", "right_key")
    return found.select(f.least(*keys).alias("left"), f.greatest(*keys).alias("right"), *rest)


def _word(code: Column, words: Sequence[str]) -> Column:
    return f.get(f.array(*map(f.lit, words)), f.when(code < len(words), code))


def _any(conditions: Sequence[Column]) -> Column:
    return reduce(Column.__or__, conditions, f.lit(False))  # noqa: FBT003 -- a literal


def _session(frame: DataFrame) -> SparkSession:
    return frame.sparkSession
