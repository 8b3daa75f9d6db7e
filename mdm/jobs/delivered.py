"""Rows of files in parts, for matching more of them than fit into memory.

Every part has the columns of all files, with the row's own id as `id` and, where files have one or are several, its
source as `source`: what `match_files` reads at once, so that both ways give a row the same key.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from mdm.entities.model import EntityType
from mdm.jobs.columnar import own_columns, text_columns
from mdm.sources.files_columns import ColumnBatches, read_column_batches
from mdm.sources.files_faults import OnFault

_KEY_PARTS = ("id", "source")


@dataclass(frozen=True, slots=True)
class _File:
    """One file: its rows, and the columns that hold their ids and sources, where it has them."""

    rows: ColumnBatches
    own: Mapping[str, str]
    source: str | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """Hold what the files deliver.

    columns     of all files in order of appearance, but for ids and sources
    column_map  what is left of the columns mapped by hand
    numbered    files without an id, whose rows get their numbers
    """

    columns: tuple[str, ...]
    column_map: Mapping[str, str]
    numbered: tuple[Path, ...]
    _files: tuple[_File, ...]

    def batches(self, on_fault: OnFault) -> Iterator[pa.Table]:
        """Yield the rows part by part, each time anew."""
        for file in self._files:
            number = 0
            for table in file.rows.read(on_fault):
                yield self._fit(file, table, number)
                number += table.num_rows

    def _fit(self, file: _File, table: pa.Table, number: int) -> pa.Table:
        count = table.num_rows
        parts: dict[str, Any] = {
            "id": table[file.own["id"]]
            if "id" in file.own
            else pa.array(map(str, range(number + 1, number + count + 1)), pa.string())
        }
        if "source" in file.own:
            parts["source"] = table[file.own["source"]]
        elif file.source is not None:
            parts["source"] = pa.repeat(file.source, count)
        present = set(table.column_names)
        for name in self.columns:
            parts[name] = table[name] if name in present else pa.nulls(count, pa.string())
        return pa.table(parts)


def delivered_rows(
    paths: Sequence[Path], entity_type: EntityType, column_map: Mapping[str, str], *, rows_max: int
) -> Delivered:
    """Look through files and promise their rows; several files without a source column are a source each.

    raises  InputInvalid for a column mapped by hand that no file has
    """

    def keys(columns: Sequence[str]) -> dict[str, str]:
        present = {column: part for column, part in column_map.items() if column in columns}
        return own_columns(columns, entity_type, present if len(paths) > 1 else column_map)

    def texts(columns: Sequence[str]) -> frozenset[str]:
        return text_columns(columns, entity_type, column_map)

    files, names = [], dict[str, None]()
    for path in paths:
        rows = read_column_batches(path, rows_max=rows_max, keys=keys, texts=texts)
        own = keys(rows.columns)
        files.append(_File(rows, own, path.stem if len(paths) > 1 else None))
        taken = {*own.values(), *_KEY_PARTS}
        names.update(dict.fromkeys(name for name in rows.columns if name not in taken))
    left = {column: part for column, part in column_map.items() if column in names and part not in _KEY_PARTS}
    numbered = tuple(file.rows.path for file in files if file.rows.columns and "id" not in file.own)
    return Delivered(tuple(names), left, numbered, tuple(files))
