"""Typed files, Parquet and XLSX, whose cells become the text that a careful person would have typed.

Whole numbers lose their ".0", dates and instants become ISO 8601, an empty cell is "". Text stays as it is, with its
leading zeros; so do true and false.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite, isnan
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from mdm.errors import FileUnreadable
from mdm.sources.files_csv import check_columns
from mdm.sources.files_faults import INTEGER_MAX, FileFault, fault, integer_fault, text_faults
from mdm.sources.files_gate import WorkbookBounds, check_workbook

# Chosen: a full sheet of a million rows unpacks to less, and as much XML holds no more cells, which take a gigabyte.
WORKBOOK: Final = WorkbookBounds(file_bytes=1 << 30, unpacked_bytes=1 << 30, columns=16_384, cells=30_000_000)
_BATCH_ROWS: Final = 4096
_MIDNIGHT: Final = time()


class _Unwritable(ValueError):
    """Why a value has no text."""


def read_parquet(path: Path) -> Iterator[tuple[int, dict[str, Any] | FileFault]]:
    """Read a Parquet file row by row, numbered from 1."""
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            columns = tuple(file.schema_arrow.names)
            check_columns(path, columns)
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                for row in batch.to_pylist():
                    number += 1
                    for found in _read_row(path, number, row):
                        yield number, found
    except (pa.ArrowException, OSError) as error:
        reason = f"is damaged after row {number:,} ({str(error)[:200]})"
        raise FileUnreadable(str(path), reason, remedy="write it again") from error


def read_xlsx(path: Path, *, sheet: str | None) -> Iterator[tuple[int, dict[str, Any] | FileFault]]:
    """Read one sheet of a workbook, rows numbered as it shows them; its first filled row names the columns."""
    check_workbook(path, WORKBOOK)
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            rows = _filled_rows(_choose_sheet(path, workbook, sheet))
            number, header = next(rows, (0, []))
            columns = _columns(path, number, header)
            for number, cells in rows:
                filled = [*cells, *[""] * (len(columns) - len(cells))]
                extra = [place for place in range(len(columns), len(filled)) if filled[place] != ""]
                if extra:
                    reason = f"has a value in cell {extra[0] + 1}, beyond the last named column"
                    yield number, fault(path, number, "", "row_too_long", reason, "name the column, or clear the cell")
                    continue
                for found in _read_row(path, number, dict(zip(columns, filled, strict=False))):
                    yield number, found
    except (CalamineError, OSError) as error:
        raise FileUnreadable(
            str(path), f"is damaged ({str(error)[:200]})", remedy="open it and save it again"
        ) from error


def number_text(value: float) -> str:
    """Write a number as a person would: no ".0", no exponent; raises ValueError for what is no number."""
    if not isfinite(value):
        reason = f"holds {value}, which is no number"
        raise _Unwritable(reason)
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


def _choose_sheet(path: Path, workbook: CalamineWorkbook, sheet: str | None) -> CalamineSheet:
    names = workbook.sheet_names
    if sheet is not None:
        if sheet not in names:
            reason = f"has no sheet {sheet[:80]!r}; it has {', '.join(map(repr, names))}"
            raise FileUnreadable(str(path), reason, remedy="name one of these")
        return workbook.get_sheet_by_name(sheet)
    for name in names:
        found = workbook.get_sheet_by_name(name)
        if found.height:
            return found
    raise FileUnreadable(str(path), "has no sheet with anything in it", remedy="export it again")


def _filled_rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[Any]]]:
    first = (sheet.start or (0, 0))[0]
    for number, cells in enumerate(sheet.to_python(skip_empty_area=True), start=first + 1):
        if any(cell != "" for cell in cells):
            yield number, cells


def _columns(path: Path, number: int, header: list[Any]) -> tuple[str, ...]:
    names = [_text(cell).strip() for cell in header]
    while names and not names[-1]:
        names.pop()
    columns = tuple(name or f"column_{place}" for place, name in enumerate(names, start=1))
    if any(list(text_faults(path, number, {column: ""})) for column in columns):
        raise FileUnreadable(str(path), f"row {number} holds no column names", remedy="write them in the first row")
    check_columns(path, columns)
    return columns


def _read_row(path: Path, number: int, row: Mapping[str, Any]) -> Iterator[dict[str, Any] | FileFault]:
    texts: dict[str, Any] = {}
    faults = []
    for column, value in row.items():
        if isinstance(value, float) and abs(value) > INTEGER_MAX and isfinite(value):
            faults.append(integer_fault(path, number, column, f"{value:.0f}"))
            continue
        try:
            texts[column] = _text(value)
        except ValueError as error:
            faults.append(fault(path, number, column, "not_text", str(error), "write it as text, or leave it out"))
    faults += text_faults(path, number, texts)
    if faults:
        yield from faults
    else:
        yield texts


def _text(value: Any) -> Any:
    """Turn a typed cell into text, a list or an object of texts; raises ValueError for what has no text."""
    if isinstance(value, str | bool):
        return value
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if isnan(value) else number_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        is_day = value.time() == _MIDNIGHT and value.tzinfo is None
        return value.date().isoformat() if is_day else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return _rarer_text(value)


def _rarer_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _text(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_text(part) for part in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, int | timedelta):
        return str(value)
    reason = f"holds a {type(value).__name__}, which has no text"
    raise _Unwritable(reason)
