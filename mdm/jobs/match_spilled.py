"""Match files that are larger than memory: rows are read and matched in parts, and what is written is the same.

Each row of the files lies on the disk meanwhile, in a folder that is gone afterwards.
"""

import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from matching.backends.duckdb import Space, SpilledMatch, matched
from matching.backends.parts import Repeated
from matching.model import VERDICTS
from matching.records import Records
from matching.stages import Stage
from mdm.entities.model import EntityType
from mdm.errors import InputInvalid
from mdm.jobs.columnar import FileRecords, records_of
from mdm.jobs.delivered import Delivered, delivered_rows
from mdm.jobs.files_asked import FilesAsked
from mdm.publishing.files import write_rows, writing
from mdm.sources.files import find_files
from mdm.sources.files_faults import OnFault
from mdm.sources.rows import require_mapped

RECORD_BYTES: Final = 4_000
"""Memory that a record takes when all are matched at once; see docs/guides/spark.md for how it was measured."""

ROWS_AT_ONCE: Final = 100_000
"""Rows read and standardised at a time (chosen: a quarter of a gigabyte at work)."""

_ROWS: Final = pa.schema([("id", pa.string()), ("source", pa.string()), ("name", pa.string())])


@dataclass(frozen=True, slots=True, eq=False)
class SpilledFiles:
    """What matching made of some files, and where their rows lie while it is written."""

    found: SpilledMatch
    rows_file: Path
    hidden: tuple[bool, ...]
    columns: Mapping[str, tuple[str, ...]]
    numbered: tuple[Path, ...]


def is_larger(asked: FilesAsked, limit: int) -> bool:
    """Tell whether the rows of some files would take more memory than a limit in bytes, matched all at once."""
    count = 0
    for table in _delivered(asked).batches(lambda _: None):
        count += table.num_rows
        if count * RECORD_BYTES > limit:
            return True
    return False


@contextmanager
def match_spilled(
    asked: FilesAsked, *, bounds: tuple[int, int], listen: tuple[Callable[[Stage], None], OnFault]
) -> Iterator[SpilledFiles]:
    """Match every row of the files; the answer is that of `match_files`.

    bounds  bytes of memory, threads
    listen  hears of each finished stage, and of each row that cannot be read
    raises  InputInvalid for an id that comes twice in one source, or a column mapped to what does not exist
    """
    on_stage, on_fault = listen
    require_mapped(asked.entity_type, asked.column_map)
    delivered = _delivered(asked)
    with TemporaryDirectory(prefix="mdm-match-") as folder:
        reader = _Reader(delivered, asked.entity_type, asked.parents, Path(folder) / "rows.parquet")
        space = Space(Path(folder), bounds[0], threads=bounds[1])
        records, model = reader.records(on_fault), asked.entity_type.model
        try:
            with matched(records, model, space, teach=asked.teach, on_stage=on_stage) as found:
                yield SpilledFiles(found, reader.rows_file, reader.hidden, reader.columns, delivered.numbered)
        except Repeated as refused:
            raise InputInvalid(
                f"the id {refused.key!r} comes twice",
                remedy="map a column whose values differ, --map COLUMN=id; --map id= numbers the rows",
                field="id",
            ) from refused


def _delivered(asked: FilesAsked) -> Delivered:
    return delivered_rows(find_files(asked.patterns), asked.entity_type, asked.column_map, rows_max=ROWS_AT_ONCE)


class _Reader:
    """Read the records part by part, and keep what their rows are called."""

    def __init__(
        self, delivered: Delivered, entity_type: EntityType, parents: Mapping[str, str] | None, rows_file: Path
    ) -> None:
        self.rows_file = rows_file
        self.columns: Mapping[str, tuple[str, ...]] = {}
        self._delivered, self._entity_type, self._parents = delivered, entity_type, parents
        self._named_by: list[int] = []
        features = entity_type.model.features
        wanted = (path for feature in features for path in (*feature.attributes, *feature.country_from))
        self._paths = list(dict.fromkeys(wanted))

    @property
    def hidden(self) -> tuple[bool, ...]:
        """Tell of each part whether its rows go without a name, as another part has values that are preferred."""
        first = min(self._named_by, default=0)
        return tuple(place > first for place in self._named_by)

    def records(self, on_fault: OnFault) -> Iterator[Records]:
        """Yield the records, writing down the rows on the way."""
        with pq.ParquetWriter(self.rows_file, _ROWS) as writer:
            for table in self._delivered.batches(on_fault):
                rows = records_of(table, self._entity_type, self._delivered.column_map, self._parents)
                self._note(rows)
                named = {"id": rows.ids, "source": rows.records.sources, "name": rows.names}
                writer.write_table(pa.table(named, schema=_ROWS), row_group_size=len(rows.ids))
                yield rows.records

    def _note(self, rows: FileRecords) -> None:
        self.columns = rows.columns
        held = rows.records.attributes
        self._named_by.append(next((place for place, path in enumerate(self._paths) if path in held), len(self._paths)))


def write_clusters(path: Path, files: SpilledFiles) -> int:
    """Write id, source, cluster_id and name of each row, in the order of the files, and return the clusters' count."""
    labels = files.found.result.labels

    def rows() -> Iterator[Mapping[str, str]]:
        start = 0
        with pq.ParquetFile(files.rows_file) as file:
            for group, is_hidden in enumerate(files.hidden):
                part = file.read_row_group(group)
                clusters = files.found.keys_of(labels[start : start + part.num_rows])
                start += part.num_rows
                cells = zip(*(column.to_pylist() for column in (*part.columns, clusters)), strict=True)
                for id_, source, name, cluster in cells:
                    yield {"id": id_, "source": source, "cluster_id": cluster, "name": "" if is_hidden else name}

    write_rows(path, ["id", "source", "cluster_id", "name"], rows())
    return len(np.unique(labels))


def write_pairs(path: Path, files: SpilledFiles) -> int:
    """Write the pairs at or above the review line as Parquet, as `match_files.write_pairs` does."""
    result = files.found.result
    columns: dict[str, Any] = {
        "left": files.found.keys_of(result.left),
        "right": files.found.keys_of(result.right),
        "bits": pa.array(result.bits),
        "verdict": _named(result.verdicts, VERDICTS),
    }
    for place, comparison in enumerate(result.model.comparisons):
        columns[comparison.name] = _named(result.vectors[:, place], [level.label for level in comparison.levels])
    with writing(path):
        pq.write_table(pa.table(columns), path)
    return len(result.left)


def report_of(files: SpilledFiles, *, entity: str, threads: int) -> dict[str, Any]:
    """Say what was done and what it took, as `match_files.report_of` does."""
    result, model = files.found.result, files.found.result.model
    return {
        "entity": entity,
        "records": len(result.labels),
        "clusters": len(np.unique(result.labels)),
        "pairs": {name: int(np.count_nonzero(result.verdicts == code)) for code, name in enumerate(VERDICTS) if code},
        "refused_by_conflicts": result.refused_count,
        "line": {"match_bits": model.match_bits, "review_bits": model.review_bits},
        "stages": [{**asdict(stage), "seconds": round(stage.seconds, 3)} for stage in result.stages],
        "seconds": round(sum(stage.seconds for stage in result.stages), 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "threads": threads,
        "model_version": model.version,
        "columns": {name: list(columns) for name, columns in files.columns.items()},
        "oversize_blocks": len(result.oversize),
        "backend": "duckdb",
    }


def _named(codes: Any, names: Sequence[str]) -> pa.DictionaryArray:
    """Code levels by their labels; -1, a missing side, is null."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8), mask=codes < 0), pa.array(names, pa.string()))
