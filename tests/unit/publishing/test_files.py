"""Rows written for people and systems: the same bytes each time, no formulas, nothing half-written."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mdm.errors import InputInvalid
from mdm.publishing.files import write_rows

ROWS: list[dict[str, Any]] = [
    {"id": "1", "name": "=1+1", "tags": ["a", {"b": "c"}], "other": "x"},
    {"id": "2", "name": None},
]
COLUMNS = ["id", "name", "tags"]


def test_csv_is_quoted_disarmed_and_counted(tmp_path: Path) -> None:
    assert write_rows(tmp_path / "a.csv", COLUMNS, ROWS) == 2

    assert (tmp_path / "a.csv").read_bytes() == b'id,name,tags\r\n1,\'=1+1,"[""a"",{""b"":""c""}]"\r\n2,,\r\n'


def test_jsonl_keeps_lists_and_leaves_missing_values_out(tmp_path: Path) -> None:
    assert write_rows(tmp_path / "a.jsonl", COLUMNS, ROWS) == 2

    assert (tmp_path / "a.jsonl").read_text() == '{"id":"1","name":"=1+1","tags":["a",{"b":"c"}]}\n{"id":"2"}\n'


def test_a_workbook_holds_texts_and_no_formula(tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "＝1", "http://x.example/", "007", "'=x", "{=1}"]

    write_rows(tmp_path / "a.xlsx", ["id"], [{"id": text} for text in texts])

    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<c ") == len(texts) + 1
    assert "<f" not in sheet.replace("<formatPr", "")
    assert "hyperlink" not in sheet


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.xlsx"])
def test_equal_rows_give_equal_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "other").mkdir()

    write_rows(tmp_path / name, COLUMNS, ROWS)
    write_rows(tmp_path / "other" / name, COLUMNS, ROWS)

    assert (tmp_path / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl.gz", "a.xlsx"])
def test_a_failure_leaves_the_file_of_before(tmp_path: Path, name: str) -> None:
    def failing() -> Iterator[dict[str, str]]:
        yield {"id": "1"}
        message = "the database went away"
        raise RuntimeError(message)

    (tmp_path / name).write_bytes(b"before")

    with pytest.raises(RuntimeError):
        write_rows(tmp_path / name, ["id"], failing())

    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"before"


def test_what_a_workbook_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="row 1, column 'id': a cell holds 32,767 characters"):
        write_rows(tmp_path / "a.xlsx", ["id"], [{"id": "x" * 32_768}])


@pytest.mark.parametrize("name", ["a.pdf", "a.xlsx.gz", "a"])
def test_a_name_that_tells_no_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputInvalid, match="does not tell a format"):
        write_rows(tmp_path / name, COLUMNS, ROWS)
