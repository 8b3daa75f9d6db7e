"""Events lie in order on the axis, none covers another, and ticks fall on round dates."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.drawings.timeline import GAP_MIN, ROWS_MAX, Happening, timeline

FEW = settings(max_examples=40)  # each is a second of all runs

NOW = datetime(2026, 11, 25, 9, 12, tzinfo=UTC)
DATES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- zoned by the other argument


@FEW
@given(st.lists(DATES, max_size=30), st.none() | DATES)
def test_everything_is_on_the_axis_and_nothing_is_covered(dates: list[datetime], as_of: datetime | None) -> None:
    line = timeline([Happening(at, "c1", "x") for at in dates], now=NOW, as_of=as_of)

    assert sum(len(dot.happenings) for dot in line.dots) == len(dates)
    assert all(0 <= place <= 100 for place in [dot.place for dot in line.dots] + [tick.place for tick in line.ticks])
    assert line.as_of is None or 0 <= line.as_of.place <= 100
    assert len(line.ticks) <= 9
    for row in range(ROWS_MAX):
        places = [dot.place for dot in line.dots if dot.row == row]
        assert all(second - first >= GAP_MIN - 0.01 for first, second in itertools.pairwise(places))


def test_ticks_of_a_year_fall_on_the_first_of_months() -> None:
    line = timeline([Happening(NOW - timedelta(days=365), "c1", "x")], now=NOW)

    assert [tick.at.date().isoformat() for tick in line.ticks] == [
        *("2026-01-01", "2026-03-01", "2026-05-01", "2026-07-01", "2026-09-01", "2026-11-01"),
    ]
    assert {tick.unit for tick in line.ticks} == {"month"}


def test_the_first_event_and_now_lie_at_the_margins_and_the_mark_between() -> None:
    line = timeline([Happening(NOW - timedelta(days=10), "c1", "x")], now=NOW, as_of=NOW - timedelta(days=5))

    assert line.dots[0].place == 3
    assert line.as_of is not None
    assert line.as_of.place == 50


def test_events_beyond_the_rows_are_counted_on_one_dot() -> None:
    line = timeline([Happening(NOW - timedelta(days=100), "c1", "x")] * 9, now=NOW)

    assert [(dot.row, len(dot.happenings)) for dot in line.dots] == [(0, 1), (1, 1), (2, 7)]
    assert line.rows == 3


def test_an_axis_without_events_ends_now() -> None:
    line = timeline([], now=NOW)

    assert (line.end, line.dots, line.as_of) == (NOW, (), None)
