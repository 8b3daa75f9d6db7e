"""Laws of a target's hours: what opens next is the first open instant, and all is open since what opened last."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from mdm.delivery.schedule import Schedule

# Clocks that change at night, at midnight, by half an hour, in ramadan, and never; one island left out a whole day.
ZONES = (
    "Europe/Berlin",
    "America/Havana",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Pacific/Apia",
)
TICK = timedelta(microseconds=1)
WHOLE_DAY = st.just((time(), time()))
TIMES = st.builds(time, st.integers(0, 23), st.integers(0, 59))
HOURS = st.tuples(TIMES, TIMES).filter(lambda span: span[0] != span[1])
DAYS = st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))
SCHEDULES = st.builds(
    lambda span, days, zone: Schedule(span[0], span[1], days, zone), HOURS | WHOLE_DAY, DAYS, st.sampled_from(ZONES)
)
INSTANTS = st.datetimes(datetime(2011, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis adds the zone
SHARES = st.floats(0, 1)


@given(SCHEDULES, INSTANTS, SHARES)
def test_what_opens_next_is_the_first_open_instant(schedule: Schedule, at: datetime, share: float) -> None:
    opens = schedule.opens_next(at)

    assert schedule.is_open_at(opens)
    if schedule.is_open_at(at):
        assert opens == at
    else:
        assert opens > at
        assert not schedule.is_open_at(opens - TICK)
        assert not schedule.is_open_at(at + (opens - at - TICK) * share)


@given(SCHEDULES, INSTANTS, SHARES)
def test_what_opened_last_is_open_until_now_or_until_its_end(schedule: Schedule, at: datetime, share: float) -> None:
    opened = schedule.opened_at(at)
    assume(opened is not None)
    assert opened is not None

    assert opened <= at
    assert schedule.is_open_at(opened)
    assert not schedule.is_open_at(opened - TICK)
    if schedule.is_open_at(at):
        assert schedule.is_open_at(opened + (at - opened) * share)


@given(SCHEDULES, INSTANTS)
def test_where_clocks_do_not_change_hours_are_what_they_show(schedule: Schedule, at: datetime) -> None:
    zone = ZoneInfo(schedule.zone)
    around = (at + timedelta(hours=hours) for hours in range(-50, 51))
    assume(len({instant.astimezone(zone).utcoffset() for instant in around}) == 1)
    shown = at.astimezone(zone)

    if schedule.begins < schedule.ends:
        expected = shown.weekday() in schedule.days and schedule.begins <= shown.time() < schedule.ends
    else:
        is_todays = shown.weekday() in schedule.days and shown.time() >= schedule.begins
        is_of_yesterday = (shown.weekday() - 1) % 7 in schedule.days and shown.time() < schedule.ends
        expected = is_todays or is_of_yesterday
    assert schedule.is_open_at(at) is expected
