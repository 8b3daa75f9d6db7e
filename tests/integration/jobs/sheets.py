"""Review sheets in tests: written by the hub, read as a program sees them, written again as a person edited them."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from mdm.decisions.review_model import ReviewFilter
from mdm.hub import Hub
from mdm.jobs.review_sheet import write_sheet

WIDGETS = ReviewFilter(entity_types=("widget_hold",))
Row = dict[str, Any]


def written(hub: Hub, path: Path, asked: ReviewFilter = WIDGETS) -> list[Row]:
    """Write a sheet, and give the rows of its first worksheet by heading."""
    write_sheet(hub, asked, path)
    return rows_of(path)


def rows_of(path: Path, sheet: int = 0) -> list[Row]:
    """Give the rows of a worksheet by heading."""
    headings, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(sheet).to_python()
    return [dict(zip(map(str, headings), row, strict=True)) for row in rows]


def edited(path: Path, rows: Sequence[Mapping[str, Any]], *, name: str = "Sheet1") -> Path:
    """Write rows as another spreadsheet program saves them: plain cells, no protection, no hidden columns."""
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    with xlsxwriter.Workbook(str(path)) as workbook:
        page = workbook.add_worksheet(name)
        page.write_row(0, 0, headings)
        for number, row in enumerate(rows, start=1):
            for place, heading in enumerate(headings):
                page.write(number, place, row.get(heading, ""))
    return path


def by_name(rows: Sequence[Row], name: str) -> Row:
    """Find the row about two records of a name."""
    (found,) = [row for row in rows if row["Name · first"] == name]
    return found


def tampered(source: Path, target: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Copy a workbook with its parts changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
    return target
