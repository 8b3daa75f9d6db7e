"""Instants in questions: `as_of` is recorded time, `valid_at` the world's; a bare date ends with that day in UTC."""

from datetime import date, datetime

from api.errors import HttpRefusal
from mdm.clock import parse_as_of


def read_as_of(text: str) -> datetime:
    """Read an `as_of` parameter; raises HttpRefusal 422 that shows the forms."""
    return _read(text, "as_of")


def read_valid_at(text: str) -> date:
    """Read a `valid_at` parameter as a day of the world, in UTC; raises HttpRefusal 422 that shows the forms."""
    return _read(text, "valid_at").date()


def _read(text: str, name: str) -> datetime:
    try:
        return parse_as_of(text)
    except ValueError as error:
        raise HttpRefusal(
            422,
            "request_invalid",
            f"{text[:50]!r} is no instant",
            remedy="write 2026-06-30T12:00:00Z, or 2026-06-30 for the end of that day in UTC",
            place=f"query {name}",
        ) from error
