"""Delivered files as one table of text columns, for matching millions of rows.

CSV, gzipped or not, and Parquet go through Arrow; other formats, and files with faults in some rows, go through
`read_file`, which leaves those rows out. Both ways give equal tables, but for text after a closing quote, which the row
reader refuses and Arrow takes.
"""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from mdm.errors import FileUnreadable
from mdm.sources.files import find_files, format_of, read_file
from mdm.sources.files_csv import check_columns, csv_layout
from mdm.sources.files_faults import FileFault, OnFault, id_fault, key_part_fault
from mdm.sources.files_text import inspect_text
from mdm.sources.formulas import TRIGGERS

KeyColumns = Callable[[Sequence[str]], Mapping[str, str]]
"""Finds among the columns of a file those that hold parts of its rows' keys: part → column, of which `id` is needed."""

TextColumns = Callable[[Sequence[str]], Collection[str]]
"""Finds among the columns of a file those that hold texts: true and false say nothing there and are left empty."""

_BLOCK_BYTES: Final = 16 << 20  # longer than any line that `inspect_text` lets pass
_DISARMED: Final = "^''*[" + "".join(f"\\x{{{ord(trigger):x}}}" for trigger in TRIGGERS) + "]"
_STRINGS: Final = (pa.string(), pa.large_string(), pa.list_(pa.string()))


def _no_keys(_columns: Sequence[str]) -> Mapping[str, str]:
    return {}


def _no_texts(_columns: Sequence[str]) -> Collection[str]:
    return ()


def read_columns(
    paths: Sequence[str | Path],
    *,
    on_fault: OnFault | None = None,
    keys: KeyColumns = _no_keys,
    texts: TextColumns = _no_texts,
) -> pa.Table:
    """Read files and glob patterns into one table; its columns are those of all files, in order of appearance.

    on_fault  is given each row left out; left out itself, the first fault raises FileUnreadable
    keys      columns of keys; rows whose key cannot be read are left out
    texts     columns in which true and false are left empty; in others they become "true" and "false"
    returns   columns of string, or list<string> where a file has lists; null = the file has no such column
    """
    report = on_fault or _refuse
    return join_tables([_read_one(path, report, keys, texts) for path in find_files(paths)])


def join_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """Put tables of texts below each other; a column that has lists in one of them has lists in all."""
    names = dict.fromkeys(chain.from_iterable(table.column_names for table in tables))
    lists = {name for table in tables for name in table.column_names if pa.types.is_list(table[name].type)}
    schema = pa.schema([(name, pa.list_(pa.string()) if name in lists else pa.string()) for name in names])
    return pa.concat_tables([_fit(table, schema) for table in tables]) if tables else schema.empty_table()


@dataclass(frozen=True, slots=True)
class ColumnBatches:
    """The rows of one file, to be read in parts: `read` begins anew each time, and each part is a table."""

    path: Path
    columns: tuple[str, ...]
    read: Callable[[OnFault], Iterator[pa.Table]]


def read_column_batches(
    path: Path, *, rows_max: int, keys: KeyColumns = _no_keys, texts: TextColumns = _no_texts
) -> ColumnBatches:
    """Look through a file and promise its rows part by part, with the texts that `read_columns` gives.

    Memory holds one part, but for workbooks, which are held whole. A column whose cells are lists in some parts only is
    text in the others.
    """
    format_name = format_of(path)
    if format_name in ("CSV", "TSV"):
        found = _csv_batches(path, "\t" if format_name == "TSV" else None, rows_max, keys)
    elif format_name == "Parquet":
        found = _parquet_batches(path, rows_max, keys)
    else:
        found = None
    return found or _row_batches(path, rows_max, keys, texts)


def _refuse(found: FileFault) -> None:
    if found.leaves_out:
        raise FileUnreadable(found.path, found.message.removeprefix(f"{found.path}, "), remedy=found.remedy)


def _read_one(path: Path, report: OnFault, keys: KeyColumns, texts: TextColumns) -> pa.Table:
    format_name = format_of(path)
    table = None
    if format_name in ("CSV", "TSV"):
        table = _read_csv(path, "\t" if format_name == "TSV" else None)
    elif format_name == "Parquet":
        table = _read_parquet(path)
    if table is None or not _has_keys(table, keys):
        return _read_rows(path, report, keys, texts)
    return table


def _has_keys(table: pa.Table, keys: KeyColumns) -> bool:
    """Tell whether every row has its key, as a text."""
    columns = keys(table.column_names)
    if any(pa.types.is_list(table[name].type) for name in columns.values()):
        return False
    return "id" not in columns or not _has_blanks(table[columns["id"]])


def _has_blanks(texts: pa.ChunkedArray) -> bool:
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(texts, ""))
    return bool(pc.any(pc.equal(trimmed, "")).as_py())


def _read_csv(path: Path, delimiter: str | None) -> pa.Table | None:
    """Read a CSV file with Arrow; None sends it to the row reader."""
    file = inspect_text(path)
    if not file.is_plain:
        return None
    delimiter, columns, header_lines = csv_layout(file, delimiter)
    encoding = "utf8" if file.encoding in ("utf-8", "utf-8-sig") else file.encoding
    has_ragged_rows = False

    def note(_row: Any) -> str:
        nonlocal has_ragged_rows
        has_ragged_rows = True
        return "skip"

    options = _csv_options(columns, header_lines, encoding, delimiter, note, has_quotes=bool(file.quotes_count))
    try:
        table = pacsv.read_csv(path, **options)
    except pa.ArrowInvalid:
        has_ragged_rows = True
    if has_ragged_rows or _has_long_cells(table):
        return None
    return _rearmed(table) if file.has_apostrophe else table


def _csv_options(
    columns: Sequence[str],
    header_lines: int,
    encoding: str,
    delimiter: str,
    note: Callable[[Any], str],
    *,
    has_quotes: bool,
) -> dict[str, Any]:
    return {
        "read_options": pacsv.ReadOptions(
            column_names=columns, skip_rows=header_lines, block_size=_BLOCK_BYTES, encoding=encoding
        ),
        "parse_options": pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=has_quotes, invalid_row_handler=note
        ),
        "convert_options": pacsv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
        ),
    }


def _csv_batches(path: Path, delimiter: str | None, rows_max: int, keys: KeyColumns) -> ColumnBatches | None:
    """Stream a CSV file once it is known that each of its rows fits; None sends it to the row reader."""
    file = inspect_text(path)
    if not file.is_plain:
        return None
    delimiter, columns, header_lines = csv_layout(file, delimiter)
    encoding = "utf8" if file.encoding in ("utf-8", "utf-8-sig") else file.encoding
    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "skip"

    options = _csv_options(columns, header_lines, encoding, delimiter, note, has_quotes=bool(file.quotes_count))
    try:
        with pacsv.open_csv(path, **options) as reader:
            tables = (pa.Table.from_batches([batch]) for batch in reader)
            if any(ragged or _has_long_cells(table) or not _has_keys(table, keys) for table in tables):
                return None
    except pa.ArrowInvalid:
        return None

    def read(_report: OnFault) -> Iterator[pa.Table]:
        with pacsv.open_csv(path, **options) as reader:
            for batch in reader:
                table = pa.Table.from_batches([batch])
                for start in range(0, batch.num_rows, rows_max):
                    part = table.slice(start, rows_max)
                    yield _rearmed(part) if file.has_apostrophe else part

    return ColumnBatches(path, tuple(columns), read)


def _parquet_batches(path: Path, rows_max: int, keys: KeyColumns) -> ColumnBatches | None:
    try:
        with pq.ParquetFile(path) as file:
            check_columns(path, file.schema_arrow.names)
            names, kinds = file.schema_arrow.names, file.schema_arrow.types
            is_plain = all(kind in _STRINGS or pa.types.is_integer(kind) for kind in kinds)
            if not is_plain or any(_has_faults(_texts(part), keys) for part in file.iter_batches(rows_max)):
                return None
    except (pa.ArrowException, OSError) as error:
        raise FileUnreadable(str(path), f"is damaged ({str(error)[:200]})", remedy="write it again") from error

    def read(_report: OnFault) -> Iterator[pa.Table]:
        with pq.ParquetFile(path) as file:
            for part in file.iter_batches(rows_max):
                yield _texts(part)

    return ColumnBatches(path, tuple(names), read)


def _row_batches(path: Path, rows_max: int, keys: KeyColumns, texts: TextColumns) -> ColumnBatches:
    """Read any format row by row; a first pass finds the columns."""
    names = dict.fromkeys(name for _, row in read_file(path) if not isinstance(row, FileFault) for name in row)
    own, texts_only = keys(tuple(names)), texts(tuple(names))

    def table(rows: list[dict[str, Any]]) -> pa.Table:
        return _table(rows, names, texts_only)

    def read(report: OnFault) -> Iterator[pa.Table]:
        rows: list[dict[str, Any]] = []
        for number, row in read_file(path, on_note=report):
            found = row if isinstance(row, FileFault) else _key_fault(path, number, row, own) or row
            if isinstance(found, FileFault):
                report(found)
                continue
            rows.append(found)
            if len(rows) == rows_max:
                yield table(rows)
                rows = []
        if rows:
            yield table(rows)

    return ColumnBatches(path, tuple(names), read)


def _has_long_cells(table: pa.Table) -> bool:
    """Tell whether the row reader, which counts characters, may refuse a cell for its length."""
    longest = (pc.max(pc.binary_length(column)).as_py() or 0 for column in table.columns)
    return any(length > csv.field_size_limit() for length in longest)


def _rearmed(table: pa.Table) -> pa.Table:
    for place, name in enumerate(table.column_names):
        if pc.any(pc.starts_with(table[name], "'")).as_py():
            is_disarmed = pc.match_substring_regex(table[name], _DISARMED)
            given_back = pc.if_else(is_disarmed, pc.utf8_slice_codeunits(table[name], 1), table[name])
            table = table.set_column(place, name, given_back)
    return table


def _read_parquet(path: Path) -> pa.Table | None:
    """Read a Parquet file by columns when they are all text or whole numbers; None sends it to the row reader."""
    try:
        with pq.ParquetFile(path) as file:
            check_columns(path, file.schema_arrow.names)
            is_plain = all(kind in _STRINGS or pa.types.is_integer(kind) for kind in file.schema_arrow.types)
            table = file.read() if is_plain else None
    except (pa.ArrowException, OSError) as error:
        raise FileUnreadable(str(path), f"is damaged ({str(error)[:200]})", remedy="write it again") from error
    return None if table is None or any(map(_has_nul, table.columns)) else _texts(table)


def _texts(table: pa.Table | pa.RecordBatch) -> pa.Table:
    return pa.table({name: _text(table[name]) for name in table.schema.names})


def _has_faults(table: pa.Table, keys: KeyColumns) -> bool:
    return any(map(_has_nul, table.columns)) or not _has_keys(table, keys)


def _text(column: Any) -> Any:
    return column if pa.types.is_list(column.type) else pc.fill_null(column.cast(pa.string()), "")


def _has_nul(column: pa.ChunkedArray) -> bool:
    texts = pc.list_flatten(column) if pa.types.is_list(column.type) else column
    return not pa.types.is_integer(texts.type) and bool(pc.any(pc.match_substring(texts, "\0")).as_py())


def _read_rows(path: Path, report: OnFault, keys: KeyColumns, texts: TextColumns) -> pa.Table:
    numbered: list[tuple[int, dict[str, Any]]] = []
    for number, row in read_file(path, on_note=report):
        if isinstance(row, FileFault):
            report(row)
        else:
            numbered.append((number, row))
    names = dict.fromkeys(chain.from_iterable(row for _, row in numbered))
    own, rows = keys(tuple(names)), []
    for number, row in numbered:
        found = _key_fault(path, number, row, own)
        if found is None:
            rows.append(row)
        else:
            report(found)
    return _table(rows, names, texts(tuple(names)))


def _table(rows: Sequence[Mapping[str, Any]], names: Iterable[str], texts_only: Collection[str]) -> pa.Table:
    def cells(name: str) -> Iterator[Any]:
        found = (row.get(name, "") for row in rows)
        return map(_without_flags, found) if name in texts_only else found

    return pa.table({name: _column(list(cells(name))) for name in names})


def _without_flags(value: Any) -> Any:
    """Leave out true and false, which are no text; the mapping of a record does not take them for one either."""
    if isinstance(value, list):
        return [part for part in value if not isinstance(part, bool)]
    return "" if isinstance(value, bool) else value


def _key_fault(path: Path, number: int, row: Mapping[str, Any], own: Mapping[str, str]) -> FileFault | None:
    """Say why the key of a row cannot be read, None where it can."""
    for column in own.values():
        found = key_part_fault(path, number, column, row.get(column))
        if found is not None:
            return found
    if "id" not in own or row.get(own["id"], "").strip():
        return None
    return id_fault(path, number, own["id"] if own["id"] in row else "")


def _column(values: list[Any]) -> pa.Array:
    flat = [_flat(value) for value in values]
    if any(isinstance(value, list) for value in flat):
        lists = [value if isinstance(value, list) else [value] if value else [] for value in flat]
        return pa.array(lists, pa.list_(pa.string()))
    return pa.array(flat, pa.string())


def _flat(value: Any) -> Any:
    """Leave text and lists of text; write objects as JSON, which is how a flat table can hold them."""
    if isinstance(value, list):
        return [
            part if isinstance(part, str) else orjson.dumps(part, option=orjson.OPT_SORT_KEYS).decode()
            for part in value
        ]
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _fit(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
        elif pa.types.is_list(field.type) and not pa.types.is_list(table[field.name].type):
            columns.append(_column([[text] if text else [] for text in table[field.name].to_pylist()]))
        else:
            columns.append(table[field.name].cast(field.type))
    return pa.table(columns, schema=schema)
