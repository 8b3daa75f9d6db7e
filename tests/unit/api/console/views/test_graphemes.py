"""A text is cut where a reader sees one letter end and the next begin."""

import pytest

from api.console.views.graphemes import LETTER_LENGTH_MAX, letters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", ("a", "b", "c")),
        ("e\u0301a", ("e\u0301", "a")),
        ("a\r\nb", ("a", "\r\n", "b")),
        ("👨\u200d👩\u200d👧!", ("👨\u200d👩\u200d👧", "!")),
        ("👍🏽👍", ("👍🏽", "👍")),
        ("🇩🇪🇫🇷🇬", ("🇩🇪", "🇫🇷", "🇬")),
        ("1\ufe0f\u20e31", ("1\ufe0f\u20e3", "1")),
        ("\u1112\u1161\u11ab\uae00", ("\u1112\u1161\u11ab", "\uae00")),
        ("a\u200db", ("a\u200d", "b")),
        ("", ()),
    ],
)
def test_letters_end_where_a_reader_sees_them_end(text: str, expected: tuple[str, ...]) -> None:
    assert letters(text) == expected


def test_a_heap_of_marks_is_cut_into_letters_of_bounded_length() -> None:
    found = letters("a" + "\u0301" * 1_000)

    assert max(map(len, found)) == LETTER_LENGTH_MAX
