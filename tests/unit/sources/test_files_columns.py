"""Files as one table, and in parts: the quick ways and the careful way give the same."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mdm.errors import FileUnreadable
from mdm.publishing.files import write_rows
from mdm.sources.files import FileFault, read_file
from mdm.sources.files_columns import read_column_batches, read_columns


def by_rows(path: Path) -> list[dict[str, Any]]:
    return [row for _, row in read_file(path) if not isinstance(row, FileFault)]


CSV_CONTENTS = {
    "plain.csv": b"id,name\n007,a\n8,\n",
    "quoted.csv": b'id;name\r\n1;"a\r\nb ""c"""\r\n\r\n2;"x;y"\r\n',
    "bom.csv": "id,name\n1,Müller\n".encode("utf-8-sig"),
    "cp1252.csv": "id,name\n1,Müller\n2,Å\n".encode("cp1252"),
    "utf16.tsv": "id\tname\n1\tMüller\n".encode("utf-16"),
    "formula.csv": "id,name\n1,'-Zero AG\n2,''=x\n3,'tHooft\n4,'＝1\n".encode(),
    "separator.csv": b"sep=|\nid|name\n1|NULL\n2|nan\n",
    "extra.csv": b"id,name\n1,a,,\n2,b\n",
    "none.csv": b"id,name\n",
    "packed.csv.gz": gzip.compress(b"id,name\n" + b"1,a\n" * 1000, mtime=0),
}


@pytest.mark.parametrize("name", CSV_CONTENTS)
def test_a_table_holds_what_the_rows_hold(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(CSV_CONTENTS[name])

    table = read_columns([path])

    assert table.to_pylist() == by_rows(path)
    assert name == "none.csv" or table.num_rows
    assert table.schema.types == [pa.string(), pa.string()] or name == "none.csv"


def test_faulty_rows_are_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n1,a\n2\n3,c\x00\n4,d\n")
    faults: list[FileFault] = []

    table = read_columns([path], on_fault=faults.append)

    assert table["id"].to_pylist() == ["1", "4"]
    assert [(fault.row, fault.code) for fault in faults] == [(3, "row_too_short"), (4, "nul_character")]
    with pytest.raises(FileUnreadable, match="line 3: has 1 cells"):
        read_columns([path])


def test_parquet_of_text_integers_and_lists_is_read_by_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"id": [1, None], "name": ["a", None], "emails": [["x", "y"], None]})
    pq.write_table(table, path)

    assert read_columns([path]).to_pylist() == [
        {"id": "1", "name": "a", "emails": ["x", "y"]},
        {"id": "", "name": "", "emails": None},
    ]


def test_parquet_of_other_types_reads_as_its_rows_do(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [1.0, 2.5], "at": [{"x": 1}, None]}), path)

    assert read_columns([path]).to_pylist() == [{"id": "1", "at": '{"x":"1"}'}, {"id": "2.5", "at": ""}]


def test_files_of_several_formats_become_one_table(tmp_path: Path) -> None:
    write_rows(tmp_path / "a.csv", ["id", "name"], [{"id": "1", "name": "a"}])
    write_rows(tmp_path / "b.jsonl", ["id", "emails"], [{"id": "2", "emails": ["x", "y"]}, {"id": "3", "emails": "z"}])
    write_rows(tmp_path / "c.xlsx", ["id", "emails"], [{"id": "4", "emails": "w"}])

    table = read_columns([tmp_path / "*"])

    assert table.column_names == ["id", "name", "emails"]
    assert table["id"].to_pylist() == ["1", "2", "3", "4"]
    assert table["name"].to_pylist() == ["a", None, None, None]
    assert table["emails"].to_pylist() == [None, ["x", "y"], ["z"], ["w"]]


ROWS_MAX = 3


def fail_at_once(found: FileFault) -> None:
    if found.leaves_out:
        pytest.fail(found.message)


def in_parts(path: Path) -> list[dict[str, Any]]:
    batches = read_column_batches(path, rows_max=ROWS_MAX)
    tables = list(batches.read(fail_at_once))
    assert all(0 < table.num_rows <= ROWS_MAX for table in tables)
    assert all(tuple(table.column_names) == batches.columns for table in tables)
    return [row for table in tables for row in table.to_pylist()]


@pytest.mark.parametrize("name", CSV_CONTENTS)
def test_the_parts_of_a_text_file_hold_its_rows(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(CSV_CONTENTS[name])

    assert in_parts(path) == by_rows(path)


@pytest.mark.parametrize("name", ["a.jsonl", "a.xlsx", "a.csv"])
def test_the_parts_of_written_rows_hold_them(tmp_path: Path, name: str) -> None:
    rows = [{"id": str(number), "name": f"n{number}", "late": "x" if number > 4 else ""} for number in range(8)]
    write_rows(tmp_path / name, ["id", "name", "late"], rows)

    assert in_parts(tmp_path / name) == rows


def test_the_parts_of_parquet_hold_what_the_table_holds(tmp_path: Path) -> None:
    lists = pa.array([["a", "b"], [], None, ["c"]] * 2, pa.list_(pa.string()))
    pq.write_table(pa.table({"id": range(8), "name": ["a", None, "", "d"] * 2, "tags": lists}), tmp_path / "a.parquet")
    floats = pa.table({"id": ["1", "2"], "share": [0.5, None]})
    pq.write_table(floats, tmp_path / "b.parquet")

    for name in ("a.parquet", "b.parquet"):
        assert in_parts(tmp_path / name) == read_columns([tmp_path / name]).to_pylist()


def test_faulty_rows_are_left_out_and_told_each_time(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n1,a\n2\n3,c\x00\n4,d\n")
    batches = read_column_batches(path, rows_max=1)

    for _ in range(2):
        faults: list[FileFault] = []
        tables = list(batches.read(faults.append))
        assert [table["id"].to_pylist() for table in tables] == [["1"], ["4"]]
        assert [fault.code for fault in faults] == ["row_too_short", "nul_character"]


def test_a_cell_beyond_the_bound_is_left_out_as_the_row_reader_does(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"id,name\n1,a\n2,{'x' * 131_073}\n3,{'x' * 131_072}\n", encoding="utf-8")
    faults: list[FileFault] = []

    table = read_columns([tmp_path / "a.csv"], on_fault=faults.append)
    parts = list(read_column_batches(tmp_path / "a.csv", rows_max=9).read(faults.append))

    assert [one["id"].to_pylist() for one in (table, *parts)] == [["1", "3"]] * 2
    assert [fault.code for fault in faults] == ["cell_too_long"] * 2


KEYS: dict[str, tuple[bytes, list[tuple[int, str]]]] = {
    "a.csv": (b'id,name\n1,a\n,"b\nc"\n3,d\n', [(3, "id_missing")]),
    "a.tsv": (b"id\tsource\n1\t\n\tx\n3\t\n", [(3, "id_missing")]),
    "blank.csv": (b"id,name\n1,a\n\xc2\xa0 ,b\n3,d\n", [(3, "id_missing")]),
    "a.jsonl": (
        b'{"id": "1"}\n{"a": 2}\n{"id": ["2"]}\n{"id": {"a": 2}}\n{"id": true}\n{"id": ""}\n{"id": 3}\n{"source": {}}',
        [
            (2, "id_missing"),
            (3, "key_not_text"),
            (4, "key_not_text"),
            (5, "key_not_text"),
            (6, "id_missing"),
            (8, "key_not_text"),
        ],
    ),
}


def own(columns: Sequence[str]) -> dict[str, str]:
    return {part: part for part in ("id", "source") if part in columns}


@pytest.mark.parametrize("name", KEYS)
def test_rows_without_a_key_that_can_be_read_are_left_out_and_told(tmp_path: Path, name: str) -> None:
    content, expected = KEYS[name]
    (tmp_path / name).write_bytes(content)
    at_once: list[FileFault] = []
    in_turn: list[FileFault] = []

    table = read_columns([tmp_path / name], on_fault=at_once.append, keys=own)
    parts = list(read_column_batches(tmp_path / name, rows_max=1, keys=own).read(in_turn.append))

    assert table["id"].to_pylist() == ["1", "3"]
    assert [part["id"].to_pylist() for part in parts] == [["1"], ["3"]]
    assert [(fault.row, fault.code) for fault in at_once] == [(fault.row, fault.code) for fault in in_turn] == expected


def test_a_list_in_the_id_column_of_parquet_is_no_id(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": pa.array([["1"], ["2"]]), "name": ["a", "b"]}), path)
    faults: list[FileFault] = []

    assert read_columns([path], on_fault=faults.append, keys=own).num_rows == 0
    assert [fault.message.partition(": ")[2] for fault in faults] == ["holds a list, not a text or number"] * 2
    assert not list(read_column_batches(path, rows_max=9, keys=own).read(faults.append))


def test_a_ragged_row_at_the_end_of_a_long_file_sends_it_to_the_row_reader(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n" + b"1,a\n" * 50 + b"2\n")
    faults: list[FileFault] = []

    tables = list(read_column_batches(path, rows_max=20).read(faults.append))

    assert [table.num_rows for table in tables] == [20, 20, 10]
    assert [fault.code for fault in faults] == ["row_too_short"]
