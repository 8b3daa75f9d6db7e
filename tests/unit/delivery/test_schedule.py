"""When a target may be told: hours that pass midnight, days, and clocks that are put forward and back."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from mdm.delivery.schedule import Schedule

WORKDAYS = (0, 1, 2, 3, 4)
NIGHTS = Schedule(time(20), time(6), WORKDAYS, "Europe/Berlin")
TICK = timedelta(microseconds=1)


def berlin(text: str, *, fold: int = 0) -> datetime:
    """Read what clocks in Berlin show; 2030-01-07 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold).astimezone(UTC)


def test_without_a_schedule_a_target_is_always_told() -> None:
    at = datetime(2030, 1, 7, 12, tzinfo=UTC)

    assert Schedule().is_open_at(at)
    assert Schedule().opens_next(at) == at
    assert Schedule().opened_at(at) is None
    assert Schedule().tellable_since(at - timedelta(days=9), at) == at - timedelta(days=9)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2030-01-07 05:00", False),  # Monday: this would be Sunday's night
        ("2030-01-07 19:59:59", False),
        ("2030-01-07 20:00", True),
        ("2030-01-08 00:00", True),
        ("2030-01-08 05:59:59", True),
        ("2030-01-08 06:00", False),
        ("2030-01-12 05:59", True),  # Saturday: Friday's night
        ("2030-01-12 20:00", False),
        ("2030-01-13 05:00", False),
    ],
)
def test_hours_that_pass_midnight_belong_to_the_day_they_begin_on(at: str, *, is_open: bool) -> None:
    assert NIGHTS.is_open_at(berlin(at)) is is_open


def test_the_next_hours_begin_after_the_days_between() -> None:
    assert NIGHTS.opens_next(berlin("2030-01-07 12:00")) == berlin("2030-01-07 20:00")
    assert NIGHTS.opens_next(berlin("2030-01-12 06:00")) == berlin("2030-01-14 20:00")
    assert NIGHTS.opens_next(berlin("2030-01-12 05:00")) == berlin("2030-01-12 05:00")


def test_hours_began_last_before_an_instant_inside_of_them_or_after() -> None:
    assert NIGHTS.opened_at(berlin("2030-01-08 05:00")) == berlin("2030-01-07 20:00")
    assert NIGHTS.opened_at(berlin("2030-01-13 12:00")) == berlin("2030-01-11 20:00")


def test_whole_days_that_follow_upon_each_other_are_one() -> None:
    workdays = Schedule(days=WORKDAYS, zone="Europe/Berlin")

    assert workdays.opened_at(berlin("2030-01-09 12:00")) == berlin("2030-01-07 00:00")
    assert workdays.opens_next(berlin("2030-01-12 00:00")) == berlin("2030-01-14 00:00")
    assert workdays.is_open_at(berlin("2030-01-11 23:59:59"))


def test_what_waited_before_the_hours_could_be_told_since_they_began() -> None:
    at = berlin("2030-01-08 01:00")

    assert NIGHTS.tellable_since(berlin("2030-01-07 09:00"), at) == berlin("2030-01-07 20:00")
    assert NIGHTS.tellable_since(berlin("2030-01-07 23:00"), at) == berlin("2030-01-07 23:00")


def test_a_night_in_which_clocks_are_put_forward_is_an_hour_shorter() -> None:
    every_night = Schedule(time(20), time(6), zone="Europe/Berlin")
    begun, ended = berlin("2030-03-30 20:00"), berlin("2030-03-31 06:00")

    # From 19:00 to 04:00 UTC.
    assert ended - begun == timedelta(hours=9)
    assert every_night.is_open_at(ended - TICK)
    assert not every_night.is_open_at(ended)


def test_a_time_that_clocks_skip_is_the_instant_at_which_they_do() -> None:
    """On 2030-03-31 they go from 02:00 to 03:00, at 01:00 UTC."""
    skips = datetime(2030, 3, 31, 1, tzinfo=UTC)
    until, since = (
        Schedule(time(20), time(2, 30), zone="Europe/Berlin"),
        Schedule(time(2, 30), time(5), zone="Europe/Berlin"),
    )
    inside = Schedule(time(2, 15), time(2, 45), zone="Europe/Berlin")

    assert until.is_open_at(skips - TICK)
    assert not until.is_open_at(skips)
    assert since.opens_next(skips - timedelta(hours=1)) == skips
    assert since.opened_at(skips + timedelta(hours=1)) == skips
    assert inside.opens_next(skips - timedelta(hours=1)) == berlin("2030-04-01 02:15")
    sundays = Schedule(time(2, 15), time(2, 45), (6,), "Europe/Berlin")
    assert sundays.opens_next(skips - timedelta(hours=1)) == berlin("2030-04-07 02:15")
    assert sundays.opened_at(skips + timedelta(hours=1)) == berlin("2030-03-24 02:15")


def test_a_time_that_clocks_show_twice_is_the_first_of_the_two() -> None:
    """On 2030-10-27 they go from 03:00 back to 02:00, at 01:00 UTC."""
    until, since = (
        Schedule(time(20), time(2, 30), zone="Europe/Berlin"),
        Schedule(time(2, 30), time(5), zone="Europe/Berlin"),
    )
    first, second = berlin("2030-10-27 02:30"), berlin("2030-10-27 02:30", fold=1)
    assert second - first == timedelta(hours=1)

    assert until.is_open_at(first - TICK)
    assert not any(until.is_open_at(at) for at in (first, second - TICK, second))
    assert since.opens_next(berlin("2030-10-27 02:00")) == first
    # From 00:30 to 04:00 UTC: three and a half hours for two and a half that clocks show.
    assert all(since.is_open_at(first + timedelta(minutes=30 * step)) for step in range(7))
    assert not since.is_open_at(first + timedelta(minutes=210))
