"""CSV: delimiter and encoding found, rows that are broken cost themselves only."""

from datetime import datetime
from pathlib import Path

import pytest

from mdm.sources.files import FileFault, read_file
from tests.unit.sources.reading import refusal, rows_of, split, written

INSTANT = datetime(2026, 1, 31, 8, 15)  # noqa: DTZ001 -- a workbook knows no time zones


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    lines = [["id", "name", "note"], ["1", '"Müller, Söhne; Co"', "x"], ["2", "Straße", "y"]]
    content = "\n".join(delimiter.join(cells) for cells in lines)

    rows = rows_of(written(tmp_path, "a.csv", content))

    assert rows[0] == (2, {"id": "1", "name": "Müller, Söhne; Co", "note": "x"})
    assert rows[1] == (3, {"id": "2", "name": "Straße", "note": "y"})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str, name: str) -> None:
    content = "id\tname\n1\tMüller €\n2\tÅngström\n".encode(encoding)

    rows = rows_of(written(tmp_path, name, content))

    assert rows == [(2, {"id": "1", "name": "Müller €"}), (3, {"id": "2", "name": "Ångström"})]


def test_an_encoding_and_a_delimiter_may_be_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id:name\n1:Łódź\n".encode("cp1250"))

    assert rows_of(path, encoding="cp1250", delimiter=":") == [(2, {"id": "1", "name": "Łódź"})]
    assert refusal(path, encoding="klingon") == "there is no encoding 'klingon'"
    assert refusal(path, encoding="hex") == "there is no encoding 'hex'"
    assert "is not utf-16" in refusal(written(tmp_path, "odd.csv", b"abc"), encoding="utf-16")


def test_quoted_line_breaks_stay_and_rows_are_numbered_by_their_first_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id,address\r\n1,"Main St 1\r\nBern"\r\n\r\n2,"say ""hi"""\r\n')

    assert rows_of(path) == [(2, {"id": "1", "address": "Main St 1\r\nBern"}), (5, {"id": "2", "address": 'say "hi"'})]


def test_ragged_rows_are_reported_and_good_rows_kept(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id,name\n1,a\n2\n3,b,c\n4,d,,\n5,e\n")

    assert split(path) == ([2, 5, 6], [(3, "", "row_too_short"), (4, "", "row_too_long")])


def test_a_forgotten_quote_costs_one_row(tmp_path: Path) -> None:
    body = "".join(f"{i},name {i}\n" for i in range(4, 10_000))
    path = written(tmp_path, "a.csv", f'id,name\n1,a\n2,"open\n3,c\n{body}')

    kept, faults = split(path)

    assert faults == [(3, "", "quoting")]
    assert len(kept) == 9_998  # rows 1 and 3 to 9,999


def test_text_behind_a_closing_quote_is_a_fault_of_its_row(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id,name\n1,"Acme "Best" Ltd"\n2,b\n')

    assert split(path) == ([3], [(2, "", "quoting")])


def test_a_nul_and_a_broken_byte_cost_their_rows(tmp_path: Path) -> None:
    good = "".join(f"{i},Müller\n" for i in range(10)).encode()
    path = written(tmp_path, "a.csv", b"id,name\n" + good + b"x,a\0b\ny,caf\xe9\nz,c\n")

    kept, faults = split(path)

    assert faults == [(12, "name", "nul_character"), (13, "name", "encoding")]
    assert kept == [*range(2, 12), 14]


def test_the_line_that_names_the_delimiter_is_understood(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "a.csv", "sep=;\nid;name\n1;a,b,c\n")) == [(3, {"id": "1", "name": "a,b,c"})]


def test_one_column_no_rows_and_unnamed_columns_are_fine(tmp_path: Path) -> None:
    assert rows_of(written(tmp_path, "one.csv", "id\n1\n2")) == [(2, {"id": "1"}), (3, {"id": "2"})]
    assert rows_of(written(tmp_path, "none.csv", "id,name\n")) == []
    assert rows_of(written(tmp_path, "gap.csv", "id,,name,\n1,x,a,\n")) == [
        (2, {"id": "1", "column_2": "x", "name": "a"})
    ]


def test_leading_zeros_and_long_digits_are_text_in_csv(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id,number\n007,123456789012345678901234567890\n")

    assert rows_of(path) == [(2, {"id": "007", "number": "123456789012345678901234567890"})]


def test_an_exported_formula_text_comes_back_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "id,name\n1,'-Zero AG\n2,'@Home\n3,''=x\n4,'tHooft\n")

    assert [row["name"] for _, row in rows_of(path)] == ["-Zero AG", "@Home", "'=x", "'tHooft"]


def test_a_line_beyond_the_bound_costs_itself_only(tmp_path: Path) -> None:
    long = "x" * (9 << 20)
    content = f'id,name\n1,a\n2,{long}\n3,b\n4,"c\n{long}\n5,d\n'

    kept, faults = split(written(tmp_path, "a.csv", content))

    assert kept == [2, 4, 7]
    assert faults == [(3, "", "line_too_long"), (5, "", "quoting"), (6, "", "line_too_long")]


def test_a_cell_beyond_the_bound_is_told_from_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    rows = "".join(f"{number};{'y' * 900}\n" for number in range(10, 200))
    path = written(tmp_path, "a.csv", f'id;name\n1;a\n2;{"x" * 200_000}\n3;"b\n{rows}')

    faults = [found for _, found in read_file(path) if isinstance(found, FileFault)]

    assert [(found.row, found.code) for found in faults] == [(3, "cell_too_long"), (4, "quoting")]
    assert "more than 131,072 characters" in faults[0].message
    assert "one is never closed" in faults[1].message
    assert len(split(path)[0]) == 191
