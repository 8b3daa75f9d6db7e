"""Match files without a database: read, match, write the clusters, the scored pairs and the report."""

import resource
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from matching.bulk import BulkMatch, match
from matching.evaluate import Evaluation, evaluate
from matching.model import VERDICTS
from matching.stages import Stage
from mdm.entities.model import EntityType
from mdm.errors import FileUnreadable
from mdm.jobs.columnar import FileRecords, own_columns, records_of, text_columns
from mdm.jobs.files_asked import FilesAsked
from mdm.publishing.files import write_columns, writing
from mdm.sources.files import find_files, read_file
from mdm.sources.files_columns import join_tables, read_columns
from mdm.sources.files_faults import OnFault
from mdm.sources.rows import require_mapped

OnStage = Callable[[Stage], None]


@dataclass(frozen=True, slots=True, eq=False)
class FileMatch:
    """What matching made of some files; numbered are the files without an id, whose rows got their numbers."""

    rows: FileRecords
    result: BulkMatch
    stages: tuple[Stage, ...]
    numbered: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    """Records of a file with their clusters; sources is empty where the file has none."""

    path: Path
    ids: tuple[str, ...]
    sources: tuple[str, ...]
    clusters: tuple[str, ...]

    def by_key(self, values: Sequence[str], *, with_source: bool) -> dict[str, str]:
        """Give values by `source/id` or by the id alone; raises FileUnreadable for a key that comes twice."""
        keys = [f"{s}/{i}" for s, i in zip(self.sources, self.ids, strict=True)] if with_source else self.ids
        found = dict(zip(keys, values, strict=True))
        if len(found) < len(self.ids):
            twice = next(key for key, count in Counter(keys).items() if count > 1)
            raise FileUnreadable(
                str(self.path), f"the id {twice!r} comes twice", remedy="keep one row for each record, with its source"
            )
        return found


def match_files(asked: FilesAsked, *, threads: int = 1, listen: tuple[OnStage, OnFault]) -> FileMatch:
    """Match every row of the files; the same rows give the same clusters, whatever the thread count.

    listen  hears of each finished stage, and of each row that cannot be read
    raises  InputInvalid for a column mapped by hand to what does not exist
    """
    on_stage, on_fault = listen
    entity_type, started = asked.entity_type, time.perf_counter()
    paths = find_files(asked.patterns)
    rows, numbered = mapped_rows(paths, entity_type, asked.column_map, asked.parents, on_fault)
    reading = Stage("read", time.perf_counter() - started, len(rows.ids))
    on_stage(reading)
    result = match(rows.records, entity_type.model, teach=asked.teach, threads=threads, on_stage=on_stage)
    return FileMatch(rows, result, (reading, *result.stages), numbered)


def mapped_rows(
    paths: Sequence[Path],
    entity_type: EntityType,
    column_map: Mapping[str, str],
    parents: Mapping[str, str] | None,
    on_fault: OnFault,
) -> tuple[FileRecords, tuple[Path, ...]]:
    """Read the records of files, and which of these have no id; raises InputInvalid as `match_files` does."""
    require_mapped(entity_type, column_map)
    table, numbered = read_rows(paths, entity_type, column_map, on_fault)
    named = {column: part for column, part in column_map.items() if len(paths) == 1 or part not in {"id", "source"}}
    return records_of(table, entity_type, named, parents), numbered


def read_rows(
    paths: Sequence[Path], entity_type: EntityType, column_map: Mapping[str, str], on_fault: OnFault
) -> tuple[pa.Table, tuple[Path, ...]]:
    """Read files whose columns may have different names; several files without a source column are a source each.

    returns  all rows, and the files without an id
    """

    def texts(columns: Sequence[str]) -> frozenset[str]:
        return text_columns(columns, entity_type, column_map)

    if len(paths) == 1:

        def all_named(columns: Sequence[str]) -> dict[str, str]:
            return own_columns(columns, entity_type, column_map)

        table = read_columns(paths, on_fault=on_fault, keys=all_named, texts=texts)
        has_id = "id" in all_named(table.column_names) or not table.column_names
        return table, () if has_id else tuple(paths)

    def present(columns: Sequence[str]) -> dict[str, str]:
        here = {column: part for column, part in column_map.items() if column in columns}
        return own_columns(columns, entity_type, here)

    tables, numbered = [], []
    for path in paths:
        table = read_columns([path], on_fault=on_fault, keys=present, texts=texts)
        own = present(table.column_names)
        if table.column_names and "id" not in own:
            numbered.append(path)
        numbers = pa.array(map(str, range(1, table.num_rows + 1)), pa.string())
        parts = {
            "id": table[own["id"]] if "id" in own else numbers,
            "source": table[own["source"]] if "source" in own else pa.array([path.stem] * table.num_rows, pa.string()),
        }
        for name, column in parts.items():
            taken = dict.fromkeys((own.get(name, name), name))  # a name given twice drops the next column as well
            table = table.drop_columns([each for each in taken if each in table.column_names])
            table = table.append_column(name, column)
        tables.append(table)
    return join_tables(tables), tuple(numbered)


def first_columns(asked: FilesAsked) -> tuple[str, ...]:
    """Give the columns of the first rows of all files, once each."""
    rows = (
        next((row for _, row in read_file(path) if isinstance(row, dict)), {}) for path in find_files(asked.patterns)
    )
    return tuple(dict.fromkeys(column for row in rows for column in row))


def write_clusters(path: Path, found: FileMatch) -> int:
    """Write id, source, cluster_id and name of each row, in the order of the files, and return the clusters' count.

    A cluster is named by the smallest key among its members, so that its name changes only when its members do.
    """
    keys, rows = found.rows.records.keys, found.rows
    clusters = [keys[label] for label in found.result.labels.tolist()]
    write_columns(path, {"id": rows.ids, "source": rows.records.sources, "cluster_id": clusters, "name": rows.names})
    return len(np.unique(found.result.labels))


def write_pairs(path: Path, found: FileMatch) -> int:
    """Write the pairs at or above the review line as Parquet: keys, weight, verdict and each comparison's level."""
    result, keys = found.result, pa.array(found.rows.records.keys)
    columns: dict[str, Any] = {
        "left": keys.take(pa.array(result.left)),
        "right": keys.take(pa.array(result.right)),
        "bits": pa.array(result.bits),
        "verdict": _named(result.verdicts, VERDICTS),
    }
    for place, comparison in enumerate(result.model.comparisons):
        labels = [level.label for level in comparison.levels]
        columns[comparison.name] = _named(result.vectors[:, place], labels)
    with writing(path):
        pq.write_table(pa.table(columns), path)
    return len(result.left)


def report_of(found: FileMatch, *, entity: str, threads: int, with_model: bool = True) -> dict[str, Any]:
    """Say what was done and what it took: seconds and counts of each stage, peak memory, the lines chosen.

    with_model  name the model by its version, which takes two seconds where a million records taught it
    """
    result, model = found.result, found.result.model
    return {
        "entity": entity,
        "records": len(found.rows.ids),
        "clusters": len(np.unique(result.labels)),
        "pairs": {name: int(np.count_nonzero(result.verdicts == code)) for code, name in enumerate(VERDICTS) if code},
        "refused_by_conflicts": result.refused_count,
        "line": {"match_bits": model.match_bits, "review_bits": model.review_bits},
        "stages": [{**asdict(stage), "seconds": round(stage.seconds, 3)} for stage in found.stages],
        "seconds": round(sum(stage.seconds for stage in found.stages), 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "threads": threads,
        "model_version": model.version if with_model else None,
        "columns": {name: list(columns) for name, columns in found.rows.columns.items()},
        "oversize_blocks": len(result.oversize),
    }


def read_partition(path: Path) -> Partition:
    """Read clusters or a truth: id and cluster_id, with source where the file has it; raises FileUnreadable."""
    table = read_columns([path])
    named = {name.strip().casefold(): name for name in table.column_names}
    cluster = next(
        (named[name] for name in ("cluster_id", "cluster", "entity_id", "truth", "golden_id") if name in named), None
    )
    if "id" not in named or cluster is None:
        raise FileUnreadable(
            str(path),
            f"needs the columns id and cluster_id; it has {', '.join(table.column_names)}",
            remedy="name the columns id and cluster_id, and source where ids repeat between sources",
        )
    sources = tuple(table[named["source"]].to_pylist()) if "source" in named else ()
    return Partition(path, tuple(table[named["id"]].to_pylist()), sources, tuple(table[cluster].to_pylist()))


def parents_of(partition: Partition) -> dict[str, str]:
    """Give the cluster of each parent by `source/id`, and by its id where that is told from all others."""
    by_id = Counter(partition.ids)
    alone = {id_: cluster for id_, cluster in zip(partition.ids, partition.clusters, strict=True) if by_id[id_] == 1}
    return alone | (partition.by_key(partition.clusters, with_source=True) if any(partition.sources) else {})


@dataclass(frozen=True, slots=True)
class FileEvaluation:
    """How well the clusters of a file agree with the truth, and how many records of either are not in the other."""

    evaluation: Evaluation
    without_truth_count: int
    not_found_count: int


def evaluate_files(predicted: Partition, truth: Partition, *, between_sources: bool) -> FileEvaluation:
    """Compare clusters with the truth, by source and id where both files have sources, else by id."""
    with_source = any(predicted.sources) and any(truth.sources)
    sources = None
    if between_sources:
        holder = predicted if any(predicted.sources) else truth
        if not any(holder.sources):
            raise FileUnreadable(
                str(predicted.path), "has no source column", remedy="leave --between-sources out, or add the column"
            )
        sources = holder.by_key(holder.sources, with_source=with_source)
    found = predicted.by_key(predicted.clusters, with_source=with_source)
    true = truth.by_key(truth.clusters, with_source=with_source)
    both = found.keys() & true.keys()
    if not both:
        raise FileUnreadable(
            str(truth.path), f"shares no id with {predicted.path}", remedy="check that both name the same records"
        )
    evaluation = evaluate({key: found[key] for key in both}, true, sources=sources)
    return FileEvaluation(evaluation, len(found) - len(both), len(true) - len(both))


def _named(codes: Any, names: Sequence[str]) -> pa.DictionaryArray:
    """Code levels by their labels; -1, a missing side, is null."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8), mask=codes < 0), pa.array(names, pa.string()))
