"""Instants in questions: `as_of` is recorded time, `valid_at` the world's; a bare date is the end of that day, UTC."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import Query

from api.errors import HttpRefusal
from mdm.clock import parse_as_of

AS_OF: Final = "What the hub held at this instant; a bare date is the end of that day in UTC."
VALID_AT: Final = (
    "Of what existed at this instant by the times of its sources; memberships are those known now, or as of `as_of`."
    " A bare date is the end of that day in UTC."
)

AsOf = Annotated[str | None, Query(max_length=50, description=AS_OF, examples=["2026-06-30", "2026-06-30T12:00:00Z"])]
ValidAt = Annotated[str | None, Query(max_length=50, description=VALID_AT, examples=["2024-12-31"])]


def read_as_of(text: str) -> datetime:
    """Read an `as_of` parameter; raises HttpRefusal 422 that shows the forms."""
    return read_instant(text, name="as_of")


def read_instant(text: str, *, name: str) -> datetime:
    """Read the parameter of this name as an instant; raises HttpRefusal 422 that shows the forms."""
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


def maybe_instant(text: str | None, *, name: str) -> datetime | None:
    """Read the parameter of this name when it was given."""
    return None if text is None else read_instant(text, name=name)
