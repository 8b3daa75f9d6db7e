"""Bars share one axis, never leave it, and show what is there however small."""

from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.drawings.bars import WIDTH_MIN, Part, bars

FEW = settings(max_examples=40)  # each is a second of all runs

COUNTS = st.lists(st.integers(0, 10**6), max_size=20)


@FEW
@given(st.lists(COUNTS, max_size=8))
def test_rows_stay_between_0_and_100(rows: list[list[int]]) -> None:
    drawn = bars([("row", [Part("part", count, "c1") for count in counts]) for counts in rows])

    assert [row.total for row in drawn] == [sum(counts) for counts in rows]
    for row, counts in zip(drawn, rows, strict=True):
        assert len(row.stretches) == sum(count > 0 for count in counts)
        assert 0 <= row.end <= 100.01
        for first, second in zip(row.stretches, row.stretches[1:], strict=False):
            assert abs(first.left + first.width - second.left) < 0.03
        assert all(stretch.width >= WIDTH_MIN - 0.01 for stretch in row.stretches)


def test_widths_are_shares_of_the_longest_row() -> None:
    first, second = bars([("a", [Part("x", 30, "c1"), Part("y", 10, "c2")]), ("b", [Part("x", 10, "c1")])])

    assert [(part.left, part.width) for part in first.stretches] == [(0, 75), (75, 25)]
    assert [(part.left, part.width) for part in second.stretches] == [(0, 25)]


def test_a_part_too_small_to_be_seen_is_widened_at_the_cost_of_the_others() -> None:
    (row,) = bars([("a", [Part("x", 9_999, "c1"), Part("y", 1, "c2")])])

    assert [part.width for part in row.stretches] == [100 - WIDTH_MIN, WIDTH_MIN]
