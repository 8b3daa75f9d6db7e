"""Matching on Spark gives what bulk gives, however rows lie in partitions. One small session serves all tests."""

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import networkx as nx
import pyarrow as pa
import pytest

from matching.backends.parts import Repeated
from matching.records import Column, Records
from tests.crowds import MODEL, Crowd, clusters_of, crowd, pairs_of, told_by_forms

pytest.importorskip("pyspark", reason="the extra `spark` is not installed")

from pyspark.sql import DataFrame, SparkSession

from matching.backends.spark import DRIVER_LINKS, connected, match, open_session

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets between Spark and its Python
]

# A virtual machine that lives for seconds compiles little, and two workers show what more would show.
SMALL = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.memory": "1g",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "40",
    "spark.sql.shuffle.partitions": "2",
}


@pytest.fixture(scope="module")
def session() -> Iterator[SparkSession]:
    opened = open_session("local[2]", SMALL)
    yield opened
    opened.stop()


def lists(column: Column) -> pa.Array:
    return pa.array([column.of(record) for record in range(len(column))], pa.list_(pa.string()))


def rows_of(records: Records) -> pa.Table:
    columns: dict[str, Any] = {"key": records.keys, "source": records.sources}
    if records.contexts is not None:
        columns["context"] = records.contexts
    return pa.table(columns | {name: lists(column) for name, column in records.attributes.items()})


def require_equal(session: SparkSession, one: Crowd, *, partitions: int, driver_links_max: int) -> None:
    expected, records = one.in_bulk, one.records
    session.conf.set(DRIVER_LINKS, driver_links_max)
    frame = session.createDataFrame(rows_of(records)).repartition(partitions)

    found = match(
        frame,
        one.model,
        teach=told_by_forms,
        bound=(pairs(session, one.key_pairs(one.musts)), pairs(session, one.key_pairs(one.conflicts))),
    )

    assert found.model.population == expected.model.population
    assert found.model.version == expected.model.version
    assert {row["key"]: row["cluster"] for row in found.clusters.toArrow().to_pylist()} == clusters_of(
        expected, records
    )
    told = {(row.pop("left"), row.pop("right")): tuple(row.values()) for row in found.pairs.toArrow().to_pylist()}
    assert told == pairs_of(expected, records)
    assert found.refused.count() == expected.refused_count
    assert found.oversize == expected.oversize
    assert len(told) > 40
    found.release()


def pairs(session: SparkSession, keys: list[tuple[str, str]]) -> DataFrame:
    return session.createDataFrame(keys, "left string, right string")


@pytest.mark.parametrize(
    ("seed", "partitions", "driver_links_max"),
    [(0, 2, 0), (1, 3, 1_000), (2, 1, 1_000), (3, 2, 1_000), (4, 4, 1_000)],
)
def test_the_answer_is_that_of_bulk(session: SparkSession, seed: int, partitions: int, driver_links_max: int) -> None:
    """The first finds the components on the cluster, the others on the driver."""
    require_equal(session, crowd(seed, 150), partitions=partitions, driver_links_max=driver_links_max)


def test_components_of_a_long_chain_and_a_star_are_those_of_networkx(session: SparkSession) -> None:
    rnd = random.Random(3)
    names = rnd.sample(range(-50, 50), 60)
    links = [*pairwise(names[:13]), *((names[40], name) for name in names[41:])]

    found = connected(session.createDataFrame(links, "left bigint, right bigint"))

    expected = {record: min(part) for part in nx.connected_components(nx.Graph(links)) for record in part}
    assert {row["record"]: row["component"] for row in found.collect()} == expected


def test_a_key_that_comes_twice_is_refused(session: SparkSession) -> None:
    frame = session.createDataFrame(
        [("b", ["Acme"]), ("a", ["Acme"]), ("b", ["Bolton"])], "key string, name array<string>"
    )

    with pytest.raises(Repeated) as refused:
        match(frame, MODEL)

    assert refused.value.key == "b"


@pytest.mark.soak
@pytest.mark.parametrize("turn", range(4))
def test_large_crowds_are_matched_as_in_bulk(session: SparkSession, turn: int, seed: int) -> None:
    require_equal(session, crowd(seed + turn, 4_000), partitions=5, driver_links_max=1_000 * (turn % 2))
