"""Every text in a cell is a text, whatever it looks like, and worksheets have names that a program takes."""

import io

import pytest
from python_calamine import CalamineWorkbook

from mdm.jobs.review_sheet_look import add_page, opened, write_text
from mdm.jobs.review_sheet_model import visible


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
