"""A workbook is bounded before anything lays its cells out."""

import zipfile
from pathlib import Path

import pytest

from mdm.errors import FileUnreadable
from mdm.sources.files_gate import WorkbookBounds, check_workbook

BOUNDS = WorkbookBounds(file_bytes=20_000, unpacked_bytes=100_000, columns=200, cells=1_000)
SHEET = '<?xml version="1.0"?><worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>'


def workbook(folder: Path, sheet: str | bytes, *, part: str = "xl/worksheets/sheet1.xml") -> Path:
    path = folder / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/media/picture.png", b"\x89PNG\r\n")
        archive.writestr(part, sheet)
    return path


def test_a_plain_workbook_passes(tmp_path: Path) -> None:
    check_workbook(workbook(tmp_path, SHEET), BOUNDS)
    # What looks like a cell inside a text is none.
    told = SHEET.replace("<v>1</v>", "<is><t>r=\"XFD9\" &lt;c r='XFD9'></t></is>")
    check_workbook(workbook(tmp_path, told), BOUNDS)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('r="A1"', 'r="XFD1048576"', "row 1,048,576 and column 16,384"),
        ('<c r="A1"', "<c pad='>'\n r = ' XFD9 '", "column 16,384"),
        ('<c r="A1"', '<c r="&#88;FD1"', "column 16,384"),
        ('<row r="1"', '<row r="900000000"', "beyond"),
        ("<row", "<row/>" * 1_001 + "<row", "cells"),
        ("</row>", "<c/>" * 250 + "</row>", "columns"),
        ('r="A1"', 'r="nowhere"', "names a cell 'nowhere'"),
        ("<worksheet>", '<!DOCTYPE w [<!ENTITY a "aa">]><worksheet>', "document type"),
        ("</worksheet>", "</worksheets>", "no well-formed XML"),
        ("</worksheet>", " " * 100_000 + "</worksheet>", "unpacks to"),
    ],
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/elsewhere.bin"])
def test_what_would_fill_the_memory_is_refused(tmp_path: Path, old: str, new: str, reason: str, part: str) -> None:
    assert old in SHEET
    # <row/> before <row r="1"> starts the count anew, as it does for a reader; the rows stay counted.
    sheet = SHEET.replace(old, new, 1)

    with pytest.raises(FileUnreadable, match=reason):
        check_workbook(workbook(tmp_path, sheet, part=part), BOUNDS)


def test_another_encoding_hides_nothing(tmp_path: Path) -> None:
    sheet = SHEET.replace('<?xml version="1.0"?>', "").replace('r="A1"', 'r="XFD1"').encode("utf-16")

    with pytest.raises(FileUnreadable, match="column 16,384"):
        check_workbook(workbook(tmp_path, sheet), BOUNDS)


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "large.xlsx").write_bytes(b"x" * 20_001)

    with pytest.raises(FileUnreadable, match="20,001 bytes, more than 20,000"):
        check_workbook(tmp_path / "large.xlsx", BOUNDS)
