"""The picture of a day stays inside its box, each half on a scale of its own."""

from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.drawings.day import BAR_MIN, DOWN, HEIGHT, LINE, UP, day

COUNTS = st.integers(0, 10**7)
FEW = settings(max_examples=40)


def test_each_half_has_its_own_largest_number() -> None:
    drawn = day([(1000, 0, 0), (500, 500, 3), (0, 0, 0)])

    assert (drawn.told_most, drawn.waiting_most, drawn.width) == (1000, 3, 30.0)
    assert [(bar.kind, bar.x, bar.y, bar.height) for bar in drawn.bars] == [
        ("told", 1.5, LINE - UP, UP),
        ("told", 11.5, LINE - UP / 2, UP / 2),
        ("parked", 11.5, LINE - UP, UP / 2),
        ("waiting", 11.5, LINE + 2, DOWN),
    ]


def test_one_of_many_is_seen_and_nothing_is_not_drawn() -> None:
    drawn = day([(10**6, 1, 0), (0, 0, 0)])

    assert [(bar.kind, bar.height) for bar in drawn.bars] == [("told", UP), ("parked", BAR_MIN)]
    assert day([]).bars == ()


@FEW
@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS), max_size=24))
def test_bars_stay_inside(hours: list[tuple[int, int, int]]) -> None:
    for bar in day(hours).bars:
        assert bar.y >= 0
        assert bar.y + bar.height <= HEIGHT
        assert (bar.y >= LINE) == (bar.kind == "waiting")
