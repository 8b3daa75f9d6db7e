"""The schedule in the declaration of a target: its shape, the faults that a shape cannot say, and what it means."""

import re
from collections.abc import Iterator
from datetime import time
from typing import Final, Literal, get_args
from zoneinfo import available_timezones

from pydantic import Field

from mdm.delivery.schedule import ALWAYS, EVERY_DAY, MIDNIGHT, Schedule
from mdm.entities.declaration import Part, Text
from mdm.entities.document import Document, Fault, Place
from mdm.entities.shape import dig, suggest

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: Final[tuple[Day, ...]] = get_args(Day)
_TIME: Final = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_SPAN: Final = rf"{_TIME}-({_TIME}|24:00)"


class ScheduleDeclaration(Part):
    """When the target may be told."""

    hours: Text | None = Field(
        None,
        description="as 20:00-06:00; those that pass midnight belong to the day they begin on; left out: the whole day",
        json_schema_extra={"pattern": f"^{_SPAN}$"},
    )
    days: list[Day] | None = Field(None, min_length=1, description="on which hours begin; left out: every day")
    timezone: Text = Field(description="whose clocks show the hours, as Europe/Berlin")


def schedule_faults(document: Document) -> Iterator[Fault]:
    """Find hours that are none, days that are named twice, and time zones that nobody knows, where they are texts."""
    place: Place = ("schedule",)
    hours, days, zone = (dig(document.content, (*place, key)) for key in ("hours", "days", "timezone"))
    if isinstance(hours, str):
        spot = (*place, "hours")
        if re.fullmatch(_SPAN, hours) is None:
            yield document.fault(spot, f"{hours!r} is no span of hours", 'write it as "20:00-06:00"')
        elif _span(hours)[0] == _span(hours)[1]:
            remedy = "leave `hours` out for the whole day, or let them end at another time"
            yield document.fault(spot, f"{hours!r} ends as it begins", remedy)
    for index, day in enumerate(days if isinstance(days, list) else ()):
        if day in days[:index]:
            yield document.fault((*place, "days", index), f"{day!r} is named twice", "remove it, or name another day")
    known = available_timezones()
    if isinstance(zone, str) and zone not in known:
        remedy = suggest(zone, known, otherwise="write a name of the IANA list")
        yield document.fault((*place, "timezone"), f"{zone!r} is no time zone", remedy)


def schedule_of(part: ScheduleDeclaration | None) -> Schedule:
    """Give the hours that were declared; without a schedule a target may always be told."""
    if part is None:
        return ALWAYS
    begins, ends = _span(part.hours) if part.hours is not None else (MIDNIGHT, MIDNIGHT)
    days = tuple(sorted(map(_DAYS.index, part.days))) if part.days is not None else EVERY_DAY
    return Schedule(begins, ends, days, part.timezone)


def _span(hours: str) -> tuple[time, time]:
    begins, _, ends = hours.partition("-")
    return time.fromisoformat(begins), MIDNIGHT if ends == "24:00" else time.fromisoformat(ends)
