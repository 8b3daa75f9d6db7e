"""Files that tests write and read back: rows, faults and refusals in few words."""

import gzip
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mdm.errors import FileUnreadable
from mdm.sources.files import FileFault, read_file

INSTANT = datetime(2026, 1, 31, 8, 15)  # noqa: DTZ001 -- a workbook knows no time zones


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    content = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def rows_of(path: Path, **options: Any) -> list[tuple[int, dict[str, Any]]]:
    """Read a file in which no row may be at fault."""
    rows = []
    for number, row in read_file(path, **options):
        assert not isinstance(row, FileFault), row.message
        rows.append((number, row))
    return rows


def split(path: Path, **options: Any) -> tuple[list[int], list[tuple[int, str, str]]]:
    """Tell the numbers of the rows kept, and (row, column, code) of the faults; each fault names file and place."""
    kept, faults = [], []
    for number, row in read_file(path, **options):
        if isinstance(row, FileFault):
            assert (row.row, row.path) == (number, str(path))
            assert row.message.startswith(str(path))
            assert f" {number}" in row.message
            assert row.remedy
            faults.append((number, row.column, row.code))
        else:
            kept.append(number)
    return kept, faults


def refusal(path: Path, **options: Any) -> str:
    """Tell why a file is refused as a whole; the error names the file and what to do."""
    with pytest.raises(FileUnreadable) as refused:
        list(read_file(path, **options))
    assert str(path) in refused.value.message
    assert refused.value.remedy
    return refused.value.reason
