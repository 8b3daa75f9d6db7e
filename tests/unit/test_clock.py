"""What an instant in a question means."""

from datetime import UTC, date, datetime, timedelta

import pytest

from mdm.clock import end_of_day, now, parse_as_of

LAST_OF_JUNE_30 = datetime(2026, 6, 30, 23, 59, 59, 999999, UTC)


def test_a_bare_date_is_the_end_of_that_day_in_utc() -> None:
    assert parse_as_of("2026-06-30") == LAST_OF_JUNE_30
    assert parse_as_of("20260630") == LAST_OF_JUNE_30


@pytest.mark.parametrize(
    "text",
    ["2026-06-30T12:00:00Z", "2026-06-30T12:00:00", "2026-06-30T14:00:00+02:00", "2026-06-30 12:00", "20260630T12"],
)
def test_an_instant_is_told_in_utc_and_without_an_offset_meant_so(text: str) -> None:
    parsed = parse_as_of(text)

    assert parsed == datetime(2026, 6, 30, 12, tzinfo=UTC)
    assert parsed.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-6-30", "2026-02-30", "30.06.2026", "2026-06-30T25:00", "x" * 10, "0001-01-01T00:00:00+14:00"],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_as_of(text)


def test_the_last_day_of_all_has_an_end() -> None:
    assert end_of_day(date.max) == datetime.max.replace(tzinfo=UTC)


def test_now_is_aware() -> None:
    assert now().utcoffset() == timedelta(0)
