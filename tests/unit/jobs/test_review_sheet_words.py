"""Texts in cells are texts, what cannot be seen is marked, and versions read back as they were written."""

import io

import pytest
from python_calamine import CalamineWorkbook

from mdm.decisions.model import Verdict
from mdm.ids import ReviewId
from mdm.jobs.review_sheet_carrying import chunks
from mdm.jobs.review_sheet_look import add_page, opened, write_text
from mdm.jobs.review_sheet_model import RowAnswer, SheetRow, read_versions, versions_text, visible


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("\t=1+1", "⟨U+0009⟩=1+1"),
        ("\r\n@SUM(A1)", "⟨U+000D⟩⟨U+000A⟩@SUM(A1)"),
        ("a\0b\x7f\x85", "a⟨U+0000⟩b⟨U+007F⟩⟨U+0085⟩"),
        ("\u202egnp.exe\u2066", "⟨U+202E⟩gnp.exe⟨U+2066⟩"),
        ("zero\u200bwidth\ufeff\U000e0041", "zero⟨U+200B⟩width⟨U+FEFF⟩⟨U+E0041⟩"),
        ("half \ud800", "half ⟨U+D800⟩"),
        ("Ünïcode 🦩 ﷽ 株式会社", "Ünïcode 🦩 ﷽ 株式会社"),
        ("y" * 1001, "y" * 1000 + "…"),
    ],
)
def test_what_cannot_be_seen_is_marked(words: str, shown: str) -> None:
    assert visible(words) == shown


@pytest.mark.parametrize(
    "words", ["=1+1", "+1", "-1", "@A1", "\t=1+1", "\r=1+1", "_x0041_", "https://a.example", "007"]
)
def test_every_text_is_written_as_a_text(words: str) -> None:
    out = io.BytesIO()
    with opened(out) as look:
        page = add_page(look, "Words", ["Heading"], frozen=0)
        write_text(page, look, (1, 0), words)

    out.seek(0)
    assert CalamineWorkbook.from_filelike(out).get_sheet_by_index(0).to_python()[1] == [visible(words)]


def test_names_of_worksheets_are_made_valid_and_told_apart() -> None:
    out = io.BytesIO()
    with opened(out) as look:
        for title in ("A/B: [x]*?" + "y" * 40, "About", "same", "SAME", "'", "\u202e"):
            add_page(look, title, ["Heading"], frozen=0)

    out.seek(0)
    names = CalamineWorkbook.from_filelike(out).sheet_names
    assert names == ["A B   x   yyyyyyyyyyyyyyyyyyyyy"[:31], "About 2", "same", "SAME 2", "Reviews", "Reviews 2"]


def test_versions_read_back_as_they_were_written() -> None:
    versions = {"cus_b": 2, "cus_a": 41}

    assert versions_text(versions) == "cus_a=41 cus_b=2"
    assert read_versions(versions_text(versions)) == versions
    assert [read_versions(words) for words in ("", "cus_a", "cus_a=", "=1", "cus_a=-1", "cus_a=1.5", "a=1 b")] == [
        None
    ] * 7


def row_answer(number: int, *golden_ids: str) -> RowAnswer:
    row = SheetRow("Sheet", number, f"rev_{number}", "", "Merge", "", "", ())
    return RowAnswer(row, ReviewId(row.review_id), dict.fromkeys(golden_ids, 1), Verdict("same", "seen"))


def test_rows_that_share_golden_records_are_in_one_chunk() -> None:
    asked = [row_answer(1, "a", "b"), row_answer(2, "c", "d"), row_answer(3, "e", "f"), row_answer(4, "b", "e")]

    # 1, 3 and 4 hang together through b and e; 2 fits neither beside them nor before.
    assert [[one.row.number for one in chunk] for chunk in chunks(asked, 3, most=10)] == [[1, 3, 4], [2]]
    assert [[one.row.number for one in chunk] for chunk in chunks(asked, 4, most=10)] == [[1, 3, 4, 2]]
    assert [[one.row.number for one in chunk] for chunk in chunks(asked, 1, most=2)] == [[1, 3], [4], [2]]
