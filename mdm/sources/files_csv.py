"""CSV as people and systems really write it: any usual delimiter and encoding, quoted line breaks, ragged rows.

Quoting is read strictly. A row whose quotes do not add up is one fault, and reading goes on with the line after the one
where that row began, so that a forgotten quote costs one row and not the rest of the file.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from mdm.errors import FileUnreadable
from mdm.sources.files_faults import FileFault, OnFault, fault, guessed, text_faults
from mdm.sources.files_text import LINE_BYTES_MAX, TextFile, bounded_lines, inspect_text, line_fault
from mdm.sources.formulas import rearm

DELIMITERS: Final = (",", ";", "\t", "|")
COLUMNS_MAX: Final = 2000  # chosen: the widest exports of the known systems have some hundreds

_SAMPLE_LINES: Final = 50
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)[\r\n]*", re.IGNORECASE)  # what Excel writes and reads as a first line


def read_csv(
    path: Path, *, delimiter: str | None, encoding: str | None, on_note: OnFault
) -> Iterator[tuple[int, dict[str, Any] | FileFault]]:
    """Read a CSV file row by row, each under the number of the line on which it begins."""
    file = inspect_text(path, encoding)
    if file.lines_guessed:
        on_note(guessed(path, file.lines_guessed))
    with file.open() as stream:
        lines = _Lines(stream)
        delimiter = delimiter or _delimiter(file)
        columns = _header(file, lines, delimiter)
        yield from _rows(file, lines, delimiter, columns)


def csv_layout(file: TextFile, delimiter: str | None) -> tuple[str, tuple[str, ...], int]:
    """Find the delimiter, the columns and the number of lines up to the first row, for faster readers than this one."""
    with file.open() as stream:
        lines = _Lines(stream)
        delimiter = delimiter or _delimiter(file)
        columns = _header(file, lines, delimiter)
        return delimiter, columns, lines.number


class _LineTooLong(Exception):
    """The row being read has come to a line beyond the bound."""


class _Lines:
    """The lines of a file, counted; those of the row being read can be given back."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines = bounded_lines(stream)
        self._pending: deque[str | None] = deque()
        self._taken: list[str | None] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._pending.popleft() if self._pending else next(self._lines)
        self._taken.append(line)
        self.number += 1
        if line is None:
            raise _LineTooLong
        return line

    def begin_row(self) -> int:
        """Forget the lines of the row before, and give the number of the line that comes next."""
        self._taken.clear()
        return self.number + 1

    def give_back_all_but_first(self) -> None:
        """Let the lines after the first one of this row be read again."""
        later = self._taken[1:]
        self._pending.extendleft(reversed(later))
        self.number -= len(later)


def _rows(
    file: TextFile, lines: _Lines, delimiter: str, columns: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any] | FileFault]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    width = len(columns)
    while True:
        number = lines.begin_row()
        try:
            cells = next(reader, None)
        except (csv.Error, _LineTooLong) as error:
            is_first_line = lines.number == number
            lines.give_back_all_but_first()
            yield number, _row_fault(file.path, number, error, is_first_line=is_first_line)
            continue
        if cells is None:
            return
        if not cells:
            continue
        if len(cells) > width and not any(cells[width:]):
            del cells[width:]  # what trailing delimiters leave behind
        if len(cells) != width:
            yield number, _ragged(file.path, number, len(cells), width)
            continue
        if file.has_apostrophe:
            cells = [rearm(cell) if cell[:1] == "'" else cell for cell in cells]
        row = dict(zip(columns, cells, strict=True))
        faults = list(text_faults(file.path, number, row)) if file.is_suspect else []
        if faults:
            yield from ((number, found) for found in faults)
        else:
            yield number, row


def _row_fault(path: Path, number: int, error: Exception, *, is_first_line: bool) -> FileFault:
    """Say why a row cannot be read; a row that goes on for too long after its first line lacks a quote."""
    if is_first_line and isinstance(error, _LineTooLong):
        return line_fault(path, number)
    if is_first_line and _is_too_long(error):
        reason = f"has a cell of more than {csv.field_size_limit():,} characters"
        return fault(path, number, "", "cell_too_long", reason, "shorten it in the source, or leave the column out")
    remedy = 'close every quote, and write a quote inside a cell as ""'
    return fault(path, number, "", "quoting", f"its quotes do not add up ({_quoting(error)})", remedy)


def _header_problem(number: int, error: Exception, *, is_first_line: bool) -> str:
    """Say the same of the header, without which there are no rows."""
    if is_first_line and isinstance(error, _LineTooLong):
        return f"line {number} is longer than {LINE_BYTES_MAX:,} bytes"
    if is_first_line and _is_too_long(error):
        return f"line {number} has a column name of more than {csv.field_size_limit():,} characters"
    return f"the quotes of its header do not add up ({_quoting(error)})"


def _is_too_long(error: Exception) -> bool:
    return isinstance(error, _LineTooLong) or "field limit" in str(error)


def _quoting(error: Exception) -> str:
    return "one is never closed" if _is_too_long(error) else str(error)


def _ragged(path: Path, number: int, found: int, expected: int) -> FileFault:
    code = "row_too_short" if found < expected else "row_too_long"
    reason = f"has {found} cells, the header has {expected}"
    return fault(
        path, number, "", code, reason, "put cells that hold the delimiter in quotes, and fill up missing cells"
    )


def _header(file: TextFile, lines: _Lines, delimiter: str) -> tuple[str, ...]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    path = str(file.path)
    cells: list[str] | None = []
    while cells is not None and (not cells or _is_separator_line(cells, delimiter)):
        number = lines.begin_row()
        try:
            cells = next(reader, None)
        except (csv.Error, _LineTooLong) as error:
            reason = _header_problem(number, error, is_first_line=lines.number == number)
            raise FileUnreadable(path, reason, remedy="write the column names in the first line") from error
    columns = tuple(
        cell.strip() or f"column_{place}" for place, cell in enumerate(_without_empty_end(cells or []), start=1)
    )
    if any("\x00" in column or not column.isprintable() for column in columns):
        reason = f"line {lines.number} holds no column names but unreadable characters"
        raise FileUnreadable(path, reason, remedy="check the encoding, or export it again as UTF-8")
    check_columns(file.path, columns)
    return columns


def check_columns(path: Path, columns: Sequence[str]) -> None:
    """Refuse columns that cannot be told apart, or more than any real export has."""
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if doubled:
        reason = f"more than one column is named {', '.join(map(repr, doubled))}"
        raise FileUnreadable(str(path), reason, remedy="give each column a name of its own")
    if not columns or len(columns) > COLUMNS_MAX:
        reason = f"it has {len(columns):,} columns" if columns else "it has no column names"
        raise FileUnreadable(str(path), reason, remedy=f"write 1 to {COLUMNS_MAX:,} column names in the first line")


def _is_separator_line(cells: Sequence[str], delimiter: str) -> bool:
    return _SEPARATOR_LINE.fullmatch(delimiter.join(cells)) is not None


def _without_empty_end(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _delimiter(file: TextFile) -> str:
    """Find the delimiter that cuts the first lines into the most and most even cells."""
    with file.open() as stream:
        first = islice(bounded_lines(stream), _SAMPLE_LINES)
        sample = [line for line in first if line is not None and len(line) <= csv.field_size_limit()]
    if sample and (declared := _SEPARATOR_LINE.fullmatch(sample[0])):
        return declared[1]

    def evenness(delimiter: str) -> tuple[bool, float]:
        try:
            widths = [len(cells) for cells in csv.reader(sample, delimiter=delimiter) if cells]
        except csv.Error:
            return False, 0.0
        if not widths or widths[0] == 1:
            return False, 0.0
        share = widths.count(widths[0]) / len(widths)
        return share >= 0.9, share * widths[0]

    return max(DELIMITERS, key=evenness)
