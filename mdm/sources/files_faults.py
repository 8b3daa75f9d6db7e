"""What can be wrong with one row of a delivered file, as values in plain words, and what makes a text unusable."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

INTEGER_MAX: Final = 2**53  # beyond it a double, and so Excel and many writers of JSON, no longer holds every integer

_TYPED: Final = (".xlsx", ".xlsm", ".parquet", ".pq")  # files without lines
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_GUESSED: Final = "encoding_guessed"


@dataclass(frozen=True, slots=True)
class FileFault:
    """Why one row was left out; column is "" when the row as a whole is at fault. The message names file and place.

    One of row 0 leaves nothing out: it says how the file as a whole was read.
    """

    path: str
    row: int
    column: str
    code: str
    message: str
    remedy: str

    @property
    def leaves_out(self) -> bool:
        """Tell whether it cost a row."""
        return self.row > 0


OnFault: TypeAlias = Callable[[FileFault], None]


def ignore(_found: FileFault) -> None:
    """Hear of a fault and do nothing."""


def guessed(path: Path, lines_count: int) -> FileFault:
    """Say that a text file that names no encoding and is no UTF-8 was read as what Windows writes."""
    message = f"{path} is read as Windows-1252, for lines of it are no UTF-8: {lines_count:,}"
    return FileFault(str(path), 0, "", _GUESSED, message, "if names look wrong, export it again as UTF-8")


def fault(path: Path, row: int, column: str, code: str, reason: str, remedy: str) -> FileFault:
    """Make a fault whose message begins with file and place."""
    column = column.encode("utf-8", "backslashreplace").decode()
    unit = "row" if path.suffix.lower() in _TYPED else "line"
    place = f"{path}, {unit} {row}" + (f", column {column!r}" if column else "")
    return FileFault(str(path), row, column, code, f"{place}: {reason}", remedy)


def text_faults(path: Path, row: int, values: Mapping[str, Any]) -> Iterator[FileFault]:
    """Find texts that no database takes: NUL, and halves of characters."""
    for column, value in values.items():
        for text in (column, *_texts(value)):
            if "\x00" in text:
                reason = "holds a NUL character"
                yield fault(path, row, column, "nul_character", reason, "remove it, or export the file again")
            elif not text.isascii() and (found := _SURROGATE.search(text)):
                yield _broken(path, row, column, ord(found[0]))


def integer_fault(path: Path, row: int, column: str, digits: str) -> FileFault:
    """Refuse a number that a writer or spreadsheet may have rounded without a word."""
    reason = f"the number {digits[:40]} is beyond 2^53, where writers lose digits"
    return fault(path, row, column, "number_too_large", reason, "if it is an identifier, write it as text")


def id_fault(path: Path, row: int, column: str) -> FileFault:
    """Say that a row holds no id; column is "" where the row has none for it."""
    return fault(path, row, column, "id_missing", "holds no id", "fill in the key that the system itself uses")


def key_part_fault(path: Path, row: int, column: str, value: Any) -> FileFault | None:
    """Refuse what can be no part of a key. Numbers and instants have become texts; nothing at all is for others."""
    if value is None or isinstance(value, str):
        return None
    kind = "a list" if isinstance(value, list) else "a structure" if isinstance(value, Mapping) else "true or false"
    return fault(path, row, column, "key_not_text", f"holds {kind}, not a text or number", "deliver it as a text")


def _broken(path: Path, row: int, column: str, code_point: int) -> FileFault:
    if 0xDC80 <= code_point <= 0xDCFF:  # what decoding with surrogateescape makes of a byte that it cannot read
        reason = f"byte 0x{code_point - 0xDC00:02X} cannot be read in the file's encoding"
        return fault(path, row, column, "encoding", reason, "export the file again as UTF-8")
    reason = f"holds half a character (U+{code_point:04X})"
    return fault(path, row, column, "lone_surrogate", reason, "export the file again as UTF-8")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield key
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
