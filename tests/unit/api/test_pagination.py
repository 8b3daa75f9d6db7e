"""Page cursors: they come back as they went out, or are refused."""

import pytest

from api.pagination import read_cursor, write_cursor
from mdm.errors import CursorInvalid


def test_a_cursor_gives_back_its_position() -> None:
    cursor = write_cursor(["cus_1", 42], of="golden-records?entity_type=customer")

    assert read_cursor(cursor, of="golden-records?entity_type=customer") == ("cus_1", 42)


def test_no_cursor_means_the_beginning() -> None:
    assert read_cursor(None, of="reviews") is None


def test_a_cursor_altered_at_any_place_is_refused() -> None:
    cursor = write_cursor(["cus_1", 42], of="reviews")

    for position, letter in enumerate(cursor):
        altered = cursor[:position] + ("A" if letter != "A" else "B") + cursor[position + 1 :]
        with pytest.raises(CursorInvalid):
            read_cursor(altered, of="reviews")


@pytest.mark.parametrize("cursor", ["", "x", "!!!!", "ümlaut", "AAAAAAAAAAAAAAAA", "a" * 2000])
def test_what_never_was_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(CursorInvalid):
        read_cursor(cursor, of="reviews")


def test_a_cursor_of_another_list_or_filter_is_refused() -> None:
    cursor = write_cursor(["rev_1"], of="reviews?state=open")

    with pytest.raises(CursorInvalid):
        read_cursor(cursor, of="reviews?state=closed")
