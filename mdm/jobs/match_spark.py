"""Match files on Spark: rows reach the workers as delivered, each worker reads them by the mapping, and matches.

Files of this machine are laid down as Parquet for Spark to read; an address, as `s3a://bucket/clients.parquet`, is read
by the workers themselves. It needs the extra `spark`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from matching.backends.parts import Repeated, received, sent
from matching.backends.spark import Frame, SparkMatch, in_order, match, on_workers, open_session, read_parquet
from matching.model import VERDICTS
from matching.records import Records
from matching.stages import Stage
from mdm.errors import InputInvalid
from mdm.jobs.columnar import FileRecords, records_of
from mdm.jobs.delivered import Delivered, delivered_rows
from mdm.jobs.files_asked import FilesAsked
from mdm.publishing.files import write_rows, writing
from mdm.sources.files import find_files
from mdm.sources.files_faults import OnFault
from mdm.sources.rows import require_mapped

ROWS_AT_ONCE: Final = 100_000
ROW_NUMBER: Final = "mdm row number"
"""Column that keeps the order of the files' rows on the way."""

_NAMES: Final = "key string, id string, row_source string, name string, number bigint"


@dataclass(frozen=True, slots=True, eq=False)
class SparkFiles:
    """What matching made of some files, and what their rows are called."""

    found: SparkMatch
    names: Frame
    numbered: tuple[Path, ...]


@contextmanager
def match_on_spark(
    asked: FilesAsked,
    *,
    place: tuple[str | None, Path | None],
    listen: tuple[Callable[[Stage], None], OnFault],
) -> Iterator[SparkFiles]:
    """Match every row of files or addresses of Parquet; the answer is that of `match_files`.

    place   master (None: that of `spark-submit`), and a folder that all workers see (None: a temporary one)
    listen  hears of each finished stage, and of each row that cannot be read
    """
    on_stage, on_fault = listen
    entity_type, column_map, patterns = asked.entity_type, asked.column_map, asked.patterns
    require_mapped(entity_type, column_map)
    master, work = place
    session = open_session(master)
    with TemporaryDirectory(prefix="mdm-match-", dir=work) as folder:
        addresses = [str(pattern) for pattern in patterns if "://" in str(pattern)]
        files = find_files([pattern for pattern in patterns if "://" not in str(pattern)])
        if files and addresses:
            raise InputInvalid("files and addresses are matched apart", remedy="copy the files to where the others are")
        numbered: tuple[Path, ...] = ()
        if addresses:
            rows, left = read_parquet(session, addresses), column_map
        else:
            delivered = delivered_rows(files, entity_type, column_map, rows_max=ROWS_AT_ONCE)
            _lay_down(delivered, Path(folder), on_fault)
            rows, left, numbered = (
                read_parquet(session, [folder], {ROW_NUMBER}),
                delivered.column_map,
                delivered.numbered,
            )
        declared = sent((entity_type, dict(left), asked.parents))
        try:
            found = match(rows, entity_type.model, read=_reader(declared), teach=asked.teach, on_stage=on_stage)
        except Repeated as refused:
            raise InputInvalid(
                f"the id {refused.key!r} comes twice",
                remedy="map a column whose values differ, --map COLUMN=id; --map id= numbers the rows",
                field="id",
            ) from refused
        try:
            yield SparkFiles(found, on_workers(rows, _namer(declared), _NAMES), numbered)
        finally:
            found.release()


def write_clusters(path: Path, files: SparkFiles) -> int:
    """Write id, source, cluster_id and name of each row, in the order of the files, else of keys; return the rows."""
    rows = files.names.join(files.found.clusters.select("key", "cluster"), "key")
    return write_rows(
        path,
        ["id", "source", "cluster_id", "name"],
        (
            {"id": row["id"], "source": row["row_source"], "cluster_id": row["cluster"], "name": row["name"]}
            for row in in_order(rows, "number", "key")
        ),
    )


def write_pairs(path: Path, files: SparkFiles) -> int:
    """Write the pairs at or above the review line as Parquet, in the order of their keys."""
    table = files.found.pairs.orderBy("left", "right").toArrow()
    with writing(path):
        pq.write_table(table, path)
    return int(table.num_rows)


def report_of(files: SparkFiles, *, entity: str) -> dict[str, Any]:
    """Say what was done and what it took, as `match_files.report_of` does."""
    found, model = files.found, files.found.model
    counts = {row["verdict"]: row["count"] for row in found.pairs.groupBy("verdict").count().collect()}
    return {
        "entity": entity,
        "records": found.clusters.count(),
        "clusters": found.clusters.select("cluster").distinct().count(),
        "pairs": {name: counts.get(name, 0) for code, name in enumerate(VERDICTS) if code},
        "refused_by_conflicts": found.refused.count(),
        "line": {"match_bits": model.match_bits, "review_bits": model.review_bits},
        "stages": [{**asdict(stage), "seconds": round(stage.seconds, 3)} for stage in found.stages],
        "seconds": round(sum(stage.seconds for stage in found.stages), 3),
        "model_version": model.version,
        "oversize_blocks": len(found.oversize),
        "backend": "spark",
    }


def _lay_down(delivered: Delivered, folder: Path, on_fault: OnFault) -> None:
    """Write the rows of files as Parquet, a file for each part; a column with lists anywhere has them everywhere."""
    lists = {
        field.name
        for table in delivered.batches(lambda _: None)
        for field in table.schema
        if pa.types.is_list(field.type)
    }
    number = 0
    for part, table in enumerate(delivered.batches(on_fault)):
        columns = {
            name: _listed(table[name]) if name in lists else table[name].cast(pa.string())
            for name in table.column_names
        }
        columns[ROW_NUMBER] = pa.array(range(number, number + table.num_rows), pa.int64())
        number += table.num_rows
        pq.write_table(pa.table(columns), folder / f"part-{part:06d}.parquet")


def _listed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_list(column.type):
        return column
    return pa.chunked_array([pa.array([[text] if text else [] for text in column.to_pylist()], pa.list_(pa.string()))])


def _rows_of(table: pa.Table, declared: bytes) -> FileRecords:
    entity_type, column_map, parents = received(declared)
    plain = table.drop_columns([ROW_NUMBER]) if ROW_NUMBER in table.column_names else table
    return records_of(plain, entity_type, column_map, parents)


def _reader(declared: bytes) -> Callable[[pa.Table], Records]:
    def read(table: pa.Table) -> Records:
        return _rows_of(table, declared).records

    return read


def _namer(declared: bytes) -> Callable[[pa.Table], pa.Table]:
    def named(table: pa.Table) -> pa.Table:
        rows = _rows_of(table, declared)
        numbers = table[ROW_NUMBER] if ROW_NUMBER in table.column_names else pa.nulls(table.num_rows, pa.int64())
        columns = [rows.records.keys, rows.ids, rows.records.sources, rows.names]
        return pa.table(
            [*(pa.array(column, pa.string()) for column in columns), numbers],
            names=["key", "id", "row_source", "name", "number"],
        )

    return named
