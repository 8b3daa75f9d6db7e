"""Delivered files of every format, sound and hostile: what is kept, what is refused, and in which words."""

import gzip
import json
import os
import random
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from xlsxwriter import Workbook

from mdm.errors import FileUnreadable
from mdm.sources import files_tables, files_text
from mdm.sources.files import find_files, read_file
from tests.unit.sources.reading import refusal, rows_of, split, written

INSTANT = datetime(2026, 1, 31, 8, 15)  # noqa: DTZ001 -- a workbook knows no time zones


# CSV


# JSONL


def test_jsonl_gives_text_lists_and_objects(tmp_path: Path) -> None:
    line = '{"id": 7, "rate": 12.50, "ok": true, "none": null, "names": ["a", 1], "address": {"no": 5}}'

    rows = rows_of(written(tmp_path, "a.jsonl", f"\n{line}\n"))

    assert rows == [
        (2, {"id": "7", "rate": "12.50", "ok": True, "none": "", "names": ["a", "1"], "address": {"no": "5"}})
    ]


HOSTILE_LINES = [
    ('{"id": NaN}', "", "not_a_number"),
    ('{"id": -Infinity}', "", "not_a_number"),
    ('{"id": "a\\u0000b"}', "id", "nul_character"),
    ('{"id": "\\ud800"}', "id", "lone_surrogate"),
    ('{"id": ["ok", {"x": "\\udfff"}]}', "id", "lone_surrogate"),
    ('{"\\ud800": "x"}', "\\ud800", "lone_surrogate"),
    ('{"id": 1, "id": 2}', "", "duplicate_key"),
    ('{"id": {"x": 1, "x": 1}}', "", "duplicate_key"),
    ('{"id": 9007199254740993}', "id", "number_too_large"),  # 2^53 + 1
    ('{"id": [-9007199254740993]}', "id", "number_too_large"),
    (f'{{"id": {"9" * 5000}}}', "id", "number_too_large"),
    (f'{{"id": {"[" * 32}{"]" * 32}}}', "", "too_deep"),
    ("[" * 100_000, "", "too_deep"),
    ('{"a":' * 100_000, "", "too_deep"),
    ('{"id": "x"', "", "not_json"),
    ("{'id': 1}", "", "not_json"),
    ("\\x00\\x01", "", "not_json"),
    ("12", "", "not_an_object"),
    ('"text"', "", "not_an_object"),
]


@pytest.mark.parametrize(("line", "column", "code"), HOSTILE_LINES, ids=range(len(HOSTILE_LINES)))
def test_a_hostile_line_costs_itself_only(tmp_path: Path, line: str, column: str, code: str) -> None:
    path = written(tmp_path, "a.ndjson", f'{{"id": "1"}}\n{line}\n{{"id": "2"}}\n')

    assert split(path) == ([1, 3], [(2, column, code)])


def test_brackets_in_text_are_no_nesting_and_the_bound_itself_is_allowed(tmp_path: Path) -> None:
    deep = "[" * 31 + "]" * 31  # with the object around it 32 levels
    path = written(
        tmp_path, "a.jsonl", json.dumps({"id": "[{\\" * 100}) + f'\n{{"id": {deep}}}\n{{"id": 9007199254740992}}\n'
    )

    assert split(path) == ([1, 2, 3], [])


def test_all_faults_of_a_line_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"a": "\\u0000", "b": 99999999999999999999, "c": "ok"}\n')

    assert split(path)[1] == [(1, "b", "number_too_large"), (1, "a", "nul_character")]


def test_one_json_document_is_not_jsonl(tmp_path: Path) -> None:
    assert "one JSON document" in refusal(written(tmp_path, "a.json", '[\n {"id": 1}\n]'))
    assert "one JSON document" in refusal(written(tmp_path, "b.jsonl", '{\n "id": 1\n}'))


# XLSX and Parquet


def workbook(path: Path, *sheets: list[list[Any]]) -> Path:
    with Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm", "strings_to_numbers": False}) as book:
        for rows in sheets:
            sheet = book.add_worksheet()
            for number, cells in enumerate(rows):
                for place, cell in enumerate(cells):
                    sheet.write(number, place, cell)
    return path


def test_cells_of_a_workbook_read_as_typed_by_a_careful_person(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        [],
        [
            ["id", "number", "rate", "day", "instant", "flag"],
            ["007", 42, 12.5, date(2026, 1, 31), INSTANT, True],
            [],
            ["x", -3, 1e-7, "31.1.2026", "", False],
        ],
    )

    assert rows_of(path) == [
        (
            2,
            {
                "id": "007",
                "number": "42",
                "rate": "12.5",
                "day": "2026-01-31",
                "instant": "2026-01-31T08:15:00",
                "flag": True,
            },
        ),
        (4, {"id": "x", "number": "-3", "rate": "0.0000001", "day": "31.1.2026", "instant": "", "flag": False}),
    ]


def test_a_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["a"], ["1"]], [["b"], ["2"]])

    assert rows_of(path, sheet="Sheet2") == [(2, {"b": "2"})]
    assert refusal(path, sheet="Budget") == "has no sheet 'Budget'; it has 'Sheet1', 'Sheet2'"


def test_faults_in_a_workbook_cost_their_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "n"], ["1", 1e17], ["2", 1, "stray"], ["3", 3]])

    assert split(path) == ([4], [(2, "n", "number_too_large"), (3, "", "row_too_long")])


def test_parquet_values_become_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([2**60, None], pa.int64()),
            "rate": pa.array([5.0, float("nan")]),
            "amount": pa.array([Decimal("12.50"), None]),
            "day": pa.array([date(2026, 1, 31), None]),
            "instant": pa.array([datetime(2026, 1, 31, 8, 15, tzinfo=UTC), None]),
            "at": pa.array([time(8, 15), None]),
            "names": pa.array([["a", "b"], None]),
            "raw": pa.array([b"abc", None]),
            "flag": pa.array([True, None]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")

    first, second = rows_of(tmp_path / "a.parquet")

    assert first == (
        1,
        {
            "id": "1152921504606846976",
            "rate": "5",
            "amount": "12.50",
            "day": "2026-01-31",
            "instant": "2026-01-31T08:15:00+00:00",
            "at": "08:15:00",
            "names": ["a", "b"],
            "raw": "abc",
            "flag": True,
        },
    )
    assert second == (2, dict.fromkeys(table.column_names, ""))


def test_faults_in_parquet_cost_their_rows(tmp_path: Path) -> None:
    table = pa.table({"id": ["1", "a\0b", "3"], "x": [1.0, 2.0, float("inf")], "raw": [b"\xff", b"", b""]})
    pq.write_table(table, tmp_path / "a.parquet")

    assert split(tmp_path / "a.parquet") == (
        [],
        [(1, "raw", "not_text"), (2, "id", "nul_character"), (3, "x", "not_text")],
    )


# Files refused as a whole

WHOLE_FILES: list[tuple[str, bytes, str]] = [
    ("empty.csv", b"", "is empty"),
    ("blank.csv", b" \r\n\n", "is empty"),
    ("bom.csv", b"\xef\xbb\xbf", "is empty"),
    ("empty.jsonl.gz", b"", "is empty"),
    ("binary.csv", random.Random(1).randbytes(5_000), "is binary, not text"),
    ("zeros.csv", bytes(5_000), "is binary, not text"),
    ("picture.csv", b"\x89PNG\r\n\x1a\n", "its name says CSV, but it is a picture"),
    ("parquet.csv", b"PAR1....PAR1", "its name says CSV, but it is a Parquet file"),
    ("text.parquet", b"id,name\n1,a\n", "its name says Parquet, but it is not a Parquet file"),
    ("cut.parquet", b"PAR1abc", "is damaged after row 0"),
    ("text.xlsx", b"id,name\n1,a\n", "its name says XLSX, but it is not a ZIP archive or Excel workbook"),
    ("cut.xlsx", b"PK\x03\x04abc", "is damaged"),
    ("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "protected by a password"),
    ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "its name does not tell a format"),
    ("a.parquet.gz", b"x", "its name does not tell a format"),
    ("noname", b"id\n1\n", "its name does not tell a format"),
    ("doubled.csv", b"id,name,id\n1,a,2\n", "more than one column is named 'id'"),
    ("header.csv", b'"id,name\n' + b"1,a\n" * 3, "the quotes of its header do not add up"),
    ("control.csv", b"i\x01d,name\n1,a\n", "holds no column names but unreadable characters"),
    ("wide.csv", b",".join(b"c%d" % i for i in range(2_001)), "it has 2,001 columns"),
    ("line.csv", b"x" * (9 << 20), "line 1 is longer than 8,388,608 bytes"),
    ("line.jsonl", b"x" * (9 << 20) + b"\n", "line 1 is longer than 8,388,608 bytes"),
    (
        "open.csv",
        b'id,"na\n' + b"x" * (9 << 20) + b"\n1,a\n",
        "quotes of its header do not add up (one is never closed)",
    ),
    ("name.csv", b"id," + b"x" * 200_000 + b"\n1,a\n", "line 1 has a column name of more than 131,072 characters"),
    ("second.csv", b"sep=,\n" + b"x" * (9 << 20) + b"\n1,a\n", "line 2 is longer than 8,388,608 bytes"),
]


def test_a_line_of_jsonl_beyond_the_bound_costs_itself_only(tmp_path: Path) -> None:
    long = b'{"id": "2", "name": "%b"}' % (b"x" * (20 << 20))
    path = written(tmp_path, "a.jsonl.gz", b'{"id": "1"}\n' + long + b'\r\n{"id": "3"}\n' + long)

    assert split(path) == ([1, 3], [(2, "", "line_too_long"), (4, "", "line_too_long")])


def test_a_first_line_of_jsonl_beyond_the_bound_costs_itself_only(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", b"x" * (9 << 20) + b'\n{"id": "1"}\n')

    assert split(path) == ([2], [(1, "", "line_too_long")])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_counts_without_its_end_and_once(tmp_path: Path, end: str) -> None:
    frame = '{"id": ""}'
    lines = ['{"id": "%s"}' % ("x" * (files_text.LINE_BYTES_MAX + more - len(frame))) for more in (0, 1, 2, 3)]
    path = written(tmp_path, "a.jsonl", end.join(["{}", *lines, '{"id": NaN}']))

    assert split(path) == ([1, 2], [*((row, "", "line_too_long") for row in (3, 4, 5)), (6, "", "not_a_number")])


@pytest.mark.parametrize(("name", "content", "reason"), WHOLE_FILES, ids=[name for name, _, _ in WHOLE_FILES])
def test_an_unreadable_file_is_refused_with_its_name_and_a_remedy(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    assert reason in refusal(written(tmp_path, name, content))


def test_a_folder_a_missing_file_and_a_plain_text_named_gz_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "plain.csv.gz").write_bytes(b"id\n1\n")
    (tmp_path / "packed.csv").write_bytes(gzip.compress(b"id\n1\n"))

    assert refusal(tmp_path / "folder.csv") == "is a folder"
    assert refusal(tmp_path / "nothing.csv") == "there is no such file"
    os.mkfifo(tmp_path / "pipe.csv")
    assert refusal(tmp_path / "pipe.csv") == "is a pipe or device, and files are read twice"
    assert refusal(tmp_path / "plain.csv.gz") == "its name says CSV, gzip-compressed, but it is not gzip-compressed"
    assert refusal(tmp_path / "packed.csv") == "its name says CSV, but it is gzip-compressed"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id\n1\n")
    path.chmod(0)

    assert refusal(path) == "cannot be opened (Permission denied)"


def test_a_truncated_gzip_is_refused_before_its_first_row(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.csv.gz", "id,name\n" + "".join(f"{i},{random.Random(i).random()}\n" for i in range(9_999))
    )
    path.write_bytes(path.read_bytes()[:-2_000])

    assert "cannot be unpacked" in refusal(path)


def test_a_file_that_expands_without_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_text, "RATIO_FREE_BYTES", 4 << 20)
    path = written(tmp_path, "bomb.csv.gz", b"id,name\n" + b"1,a\n" * (2 << 20))

    assert "bytes expand to more than" in refusal(path)


def test_a_workbook_that_unpacks_without_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_tables, "WORKBOOK", replace(files_tables.WORKBOOK, unpacked_bytes=1 << 20))
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", bytes(2 << 20))

    assert refusal(tmp_path / "bomb.xlsx") == "unpacks to 2,097,152 bytes, more than 1,048,576"


def test_two_cells_far_apart_are_refused_before_the_cells_between_them_are_laid_out(tmp_path: Path) -> None:
    """A thousand bytes in the file would be seventeen thousand million cells in memory."""
    with Workbook(tmp_path / "far.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write("A1", "name")
        sheet.write("XFD1048576", "stray")

    assert "reaches to row 1,048,576 and column 16,384, beyond 16,384 columns or 30,000,000 cells" in refusal(
        tmp_path / "far.xlsx"
    )


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("readme.txt", "hello")

    assert refusal(tmp_path / "a.xlsx") == "is a ZIP archive, but no Excel workbook"


# Several files


def test_patterns_find_files_in_order_and_each_once(tmp_path: Path) -> None:
    names = ["b.csv", "a.csv", "c[1].csv", "d.txt"]
    paths = {name: written(tmp_path, name, "id\n1\n") for name in names}

    found = find_files([tmp_path / "*.csv", tmp_path / "c[1].csv", tmp_path / "d.txt"])

    assert found == (paths["a.csv"], paths["b.csv"], paths["c[1].csv"], paths["d.txt"])
    with pytest.raises(FileUnreadable, match="no file matches this pattern"):
        find_files([tmp_path / "*.parquet"])


def test_a_large_file_is_read_in_little_memory(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id,name\n" + "".join(f"{i},name of {i}\n" for i in range(60_000)))

    tracemalloc.start()
    count = sum(1 for _ in read_file(path))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 60_000
    assert peak_bytes < 6 << 20  # a piece of 1 MiB as bytes, as text and as a copy; the rows themselves take 12 MiB
