"""What a request may write where an instant is asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from api.schemas.shape import Instant

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-06-30T12:00:00Z", datetime(2026, 6, 30, 12, tzinfo=UTC)),
        ("2026-06-30t14:00:00.5+02:00", datetime(2026, 6, 30, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_an_instant_with_its_offset_is_told_in_utc(text: str, instant: datetime) -> None:
    read = INSTANT.validate_python(text)

    assert (read, read.utcoffset()) == (instant, timedelta(0))


@pytest.mark.parametrize("given", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_an_instant_that_leaves_the_calendar_in_utc_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match=f"{given[:19]}.* lies outside of the years 1 to 9999 in UTC"):
        INSTANT.validate_python(given)


@pytest.mark.parametrize("given", [1e12, 1_735_689_600, True, "1735689600", "1e12", "-1.5", "", "yesterday"])
def test_what_is_not_written_as_an_instant_is_refused(given: Any) -> None:
    """A number was taken for seconds or milliseconds since 1970, by its size."""
    with pytest.raises(ValidationError, match="an instant is written as a text like 2026-06-30T12:00:00Z"):
        INSTANT.validate_python(given)


@pytest.mark.parametrize("given", ["2026-06-30T12:00:00", "2026-06-30"])
def test_an_instant_without_its_offset_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="an instant needs its offset"):
        INSTANT.validate_python(given)
