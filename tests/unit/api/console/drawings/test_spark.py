"""A spark stays inside its box and ends at its dot."""

from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.drawings.spark import HEIGHT, MARGIN, POINTS_MAX, WIDTH, spark

FEW = settings(max_examples=40)  # each is a second of all runs


@FEW
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300))
def test_points_stay_inside(numbers: list[float]) -> None:
    drawn = spark(numbers)

    assert drawn
    points = [tuple(float(number) for number in point.split(",")) for point in drawn.points.split()]
    assert len(points) == min(len(numbers), POINTS_MAX)
    assert all(MARGIN <= x <= WIDTH - MARGIN + 0.01 and MARGIN <= y <= HEIGHT - MARGIN for x, y in points)
    assert points[-1] == (drawn.x, drawn.y)


def test_a_line_goes_from_nothing_to_the_highest() -> None:
    drawn = spark([0, 10, 5])

    assert drawn
    assert drawn.points == "2.5,21.5 50.0,2.5 97.5,12.0"
    assert spark([]) is None
