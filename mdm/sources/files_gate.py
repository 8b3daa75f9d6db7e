"""Bound a workbook before it is read: a reader of spreadsheets lays out every cell between the outermost ones.

Two cells at opposite corners of a worksheet are a few hundred bytes in the file and seventeen thousand million cells in
memory. So the parts are walked once, piece by piece, before anything else looks at them. A document type, with which
a part could grow while it is read, is refused; so is what is no well-formed XML.
"""

import re
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from xml.parsers import expat

from mdm.errors import FileUnreadable

_PIECE: Final = 1 << 20
_LETTERS_KEPT_MAX: Final = 16_384  # a workbook has no more columns
_REFERENCE: Final = re.compile(r"\s*\$?([A-Za-z]{1,7})\$?([0-9]{1,10})\s*")


@dataclass(frozen=True, slots=True)
class WorkbookBounds:
    """How large a workbook may be; `cells` counts the area between the outermost cells of a worksheet."""

    file_bytes: int
    unpacked_bytes: int
    columns: int
    cells: int


class _Beyond(ValueError):
    """Why a part is not read."""


class _Extent:
    """How far the cells of one worksheet reach, cells without a reference of their own included."""

    def __init__(self, bounds: WorkbookBounds) -> None:
        """Begin before the first row."""
        self.bounds = bounds
        self.row = self.column = self.rows = self.columns = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """Look at one element."""
        local = name.rpartition(":")[2] if ":" in name else name
        if local != "c" and local != "row":  # noqa: PLR1714 -- asked of every element, and a set is slower
            return
        reference = attributes.get("r") or _prefixed(attributes)
        if local == "row":
            self.row = int(reference) if reference and reference.strip().isdecimal() else self.row + 1
            self.column = 0
        elif reference is None:
            self.column += 1
        else:
            found = _REFERENCE.fullmatch(reference)
            if found is None:
                raise _Beyond(f"names a cell {reference[:20]!r}, which is none")
            self.row, self.column = int(found[2]), _column(found[1])
        self.rows, self.columns = max(self.rows, self.row), max(self.columns, self.column)
        if self.columns > self.bounds.columns or self.rows * self.columns > self.bounds.cells:
            raise _Beyond(
                f"reaches to row {self.rows:,} and column {self.columns:,}, beyond {self.bounds.columns:,} columns or"
                f" {self.bounds.cells:,} cells"
            )

    def refuse_document_type(self, *_: object) -> None:
        """Refuse a document type."""
        raise _Beyond("declares a document type")


def check_workbook(path: Path, bounds: WorkbookBounds) -> None:
    """Refuse a workbook that is damaged or would take more memory than the bounds; raises FileUnreadable."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FileUnreadable(str(path), f"cannot be read ({error.strerror})", remedy="name an .xlsx file") from error
    if size > bounds.file_bytes:
        raise FileUnreadable(
            str(path), f"has {size:,} bytes, more than {bounds.file_bytes:,}", remedy="cut it in pieces"
        )
    check_archive(path, bounds.unpacked_bytes)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            try:
                _check_part(archive, entry, bounds)
            except (_Beyond, expat.ExpatError) as error:
                reason = f"holds a part {entry.filename[:80]!r} that {_told(error)}"
                raise FileUnreadable(str(path), reason, remedy="open it and save it again as .xlsx") from error


def check_archive(path: Path, bytes_max: int) -> None:
    """Refuse an archive that is damaged, lies about its sizes or unpacks to more than memory should hold."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > bytes_max:
                reason = f"unpacks to {size:,} bytes, more than {bytes_max:,}"
                raise FileUnreadable(str(path), reason, remedy="save its sheets as CSV")
            if "xl/workbook.xml" not in archive.namelist():
                raise FileUnreadable(str(path), "is a ZIP archive, but no Excel workbook", remedy="unpack it first")
            damaged = archive.testzip()  # reads no entry further than its stated size
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise FileUnreadable(str(path), f"is damaged ({error})", remedy="copy or export it again") from error
    if damaged is not None:
        raise FileUnreadable(str(path), f"is damaged in {damaged}", remedy="copy or export it again")


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, bounds: WorkbookBounds) -> None:
    with archive.open(entry) as part:
        piece = part.read(_PIECE)
        if b"<" not in piece[:256]:
            return  # a picture, a printer's settings: no reader of cells takes it for XML
        extent = _Extent(bounds)
        parser = expat.ParserCreate()
        parser.StartElementHandler = extent.begin
        parser.StartDoctypeDeclHandler = extent.refuse_document_type
        while piece:
            parser.Parse(piece, False)  # noqa: FBT003 -- the library's own word for "more comes"
            piece = part.read(_PIECE)
        parser.Parse(b"", True)  # noqa: FBT003 -- the same word for "that was all"


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, _Beyond) else f"is no well-formed XML ({error})"


def _prefixed(attributes: dict[str, str]) -> str | None:
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == "r"), None)


@lru_cache(_LETTERS_KEPT_MAX)
def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
