"""Rows written as CSV, JSONL or XLSX for people and systems: same rows, same bytes, and never a live formula.

`read_file` gives back exactly what was written. An empty text and a missing value are the same in CSV and XLSX.
"""

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

import orjson
from xlsxwriter import Workbook

from mdm.errors import InputInvalid, Unavailable
from mdm.sources.formulas import disarm, disarm_all

SHEET_ROWS_MAX: Final = 1_048_576  # of the format, header included
CELL_CHARACTERS_MAX: Final = 32_767  # of the format

_CREATED: Final = datetime(2000, 1, 1)  # noqa: DTZ001 -- the library wants it naive; fixed, so equal rows give equal bytes
_ELSE: Final = "export to .csv"

Rows = Iterable[Mapping[str, Any]]


def require_place(path: Path) -> None:
    """Refuse a file to write that has no folder to stand in, before the work that would fill it."""
    if not path.parent.is_dir():
        raise InputInvalid(
            f"{path} cannot be written: there is no folder {path.parent}",
            remedy="make the folder, or name a file in one that exists",
            field="path",
        )
    if path.is_dir():
        raise InputInvalid(f"{path} is a folder", remedy="name a file in it", field="path")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Translate what the file system refuses while a file is written; raises Unavailable."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror or error}",
            remedy="mend permissions or free space, or name a file elsewhere",
        ) from error


def write_rows(path: Path, columns: Sequence[str], rows: Rows) -> int:
    """Write rows in the format that the name tells (.csv, .jsonl, either also .gz, .xlsx) and return their number.

    rows  values by column: text, or lists and objects, which stand as JSON in a cell; other columns are left out
    """
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    write = _WRITERS.get(suffix)
    if write is None or (path.suffix == ".gz" and suffix == ".xlsx"):
        message = f"the name {path.name!r} does not tell a format to write"
        raise InputInvalid(message, remedy="end it with .csv, .jsonl, .ndjson (each also .gz) or .xlsx", field="path")
    part = path.with_name(f".part-{path.name}")
    with writing(path):
        try:
            count = write(part, columns, rows)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return count


def write_columns(path: Path, columns: Mapping[str, Sequence[str]]) -> int:
    """Write columns of texts as `write_rows` writes their rows, the same bytes, and return the rows' number."""
    names, rows_count = list(columns), len(next(iter(columns.values())))
    if path.suffix != ".csv":
        return write_rows(
            path, names, (dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))
        )
    part = path.with_name(f".part-{path.name}")
    with writing(path):
        try:
            with _open_text(part) as stream:
                writer = csv.writer(stream, lineterminator="\r\n")
                writer.writerow(map(disarm, names))
                writer.writerows(zip(*map(disarm_all, columns.values()), strict=True))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return rows_count


def write_csv(stream: IO[str], columns: Sequence[str], rows: Rows) -> int:
    """Write rows as CSV (RFC 4180) to a stream opened with newline="" and return their number."""
    writer = csv.writer(stream, lineterminator="\r\n")
    count = 0
    writer.writerow(map(disarm, columns))
    for cells in _cells(columns, rows):
        writer.writerow(map(disarm, cells))
        count += 1
    return count


def _write_csv(path: Path, columns: Sequence[str], rows: Rows) -> int:
    with _open_text(path) as stream:
        return write_csv(stream, columns, rows)


def _write_jsonl(path: Path, columns: Sequence[str], rows: Rows) -> int:
    count = 0
    with _open_text(path) as stream:
        for row in rows:
            shown = {column: row[column] for column in columns if row.get(column) is not None}
            stream.write(orjson.dumps(shown).decode() + "\n")
            count += 1
    return count


def _write_xlsx(path: Path, columns: Sequence[str], rows: Rows) -> int:
    """Write every cell as a constant text, which no spreadsheet runs."""
    count = 0
    with Workbook(str(path), {"constant_memory": True}) as workbook:
        workbook.set_properties({"created": _CREATED})
        sheet = workbook.add_worksheet("export")
        sheet.freeze_panes(1, 0)
        for count, cells in enumerate(chain([columns], _cells(columns, rows))):
            if count == SHEET_ROWS_MAX:
                raise InputInvalid(f"a sheet holds {SHEET_ROWS_MAX - 1:,} rows and there are more", remedy=_ELSE)
            for place, cell in enumerate(cells):
                if len(cell) > CELL_CHARACTERS_MAX:
                    message = f"row {count}, column {columns[place]!r}: a cell holds {CELL_CHARACTERS_MAX:,} characters"
                    raise InputInvalid(message, remedy=_ELSE, field=columns[place])
                if cell:
                    sheet.write_string(count, place, cell)
    return count


def _cells(columns: Sequence[str], rows: Rows) -> Iterator[list[str]]:
    for row in rows:
        yield [_cell(row.get(column)) for column in columns]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


@contextmanager
def _open_text(path: Path) -> Iterator[IO[str]]:
    """Open a text file for writing; a compressed one carries no name and no time, so equal rows give equal bytes."""
    with path.open("wb") as file, ExitStack() as stack:
        stream: Any = file
        if path.suffix == ".gz":
            stream = stack.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0))
        text = TextIOWrapper(stream, encoding="utf-8", newline="")
        yield text
        text.detach()


_WRITERS: Final[Mapping[str, Callable[[Path, Sequence[str], Rows], int]]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".ndjson": _write_jsonl,
    ".xlsx": _write_xlsx,
}
