"""Events on an axis of time, with the mark of the instant that the page shows.

Places are percentages of the width. Events that would cover each other go to rows of their own; where the rows run
out, they are counted together on one dot. Ticks fall on the starts of days, months or years, as the span asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from api.console.drawings.described import placed

Unit = Literal["hour", "day", "month", "year"]

GAP_MIN: Final = 2.4  # chosen: the width of a dot, in percent of 640 pixels
ROWS_MAX: Final = 3  # chosen: more make the axis taller than what it tells
TICKS_MAX: Final = 8  # chosen: as many labels stand beside each other at 390 pixels with every other left out
MARGIN: Final = 3.0  # percent on both sides, for the first and last label
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_STEPS: Final[tuple[tuple[Unit, int, timedelta], ...]] = (
    *(("hour", count, count * _HOUR) for count in (1, 3, 6, 12)),
    *(("day", count, count * _DAY) for count in (1, 2, 7, 14)),
    *(("month", count, count * 30.44 * _DAY) for count in (1, 2, 3, 6)),
    *(("year", count, count * 365.25 * _DAY) for count in (1, 2, 5, 10, 20, 50, 100, 500)),
)


@dataclass(frozen=True, slots=True)
class Happening:
    """Hold an event: when, what kind (a class name), what it is called, and the address or id that leads to it."""

    at: datetime
    tone: str
    label: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """Hold where events are drawn: one, or several that fall on one place."""

    place: float
    row: int
    happenings: tuple[Happening, ...]

    @property
    def tone(self) -> str:
        """Give the class of the last of them."""
        return self.happenings[-1].tone


@dataclass(frozen=True, slots=True)
class Tick:
    """Hold a mark on the axis: its place and the instant to be written there, to the unit."""

    place: float
    at: datetime
    unit: Unit


@dataclass(frozen=True, slots=True)
class Timeline:
    """Hold the axis from `start` to `end`, its dots and ticks, and the instant that is shown (None: now)."""

    start: datetime
    end: datetime
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    as_of: Tick | None

    @property
    def rows(self) -> int:
        """Give how many rows of dots there are."""
        return max((dot.row + 1 for dot in self.dots), default=1)


def timeline(happenings: Sequence[Happening], *, now: datetime, as_of: datetime | None = None) -> Timeline:
    """Lay out events from the first to now, oldest first; what lies past now lengthens the axis."""
    ordered = sorted(happenings, key=lambda each: each.at)
    instants = [now, *(each.at for each in ordered), *([as_of] if as_of else [])]
    start, end = min(instants), max(instants)
    if end - start < _HOUR:
        start = end - _HOUR
    axis = _Axis(start, end)
    return Timeline(
        start=start,
        end=end,
        dots=_dots(ordered, axis),
        ticks=tuple(Tick(axis.place(at), at, unit) for at, unit in _ticks(start, end)),
        as_of=Tick(axis.place(as_of), as_of, "hour" if end - start < 3 * _DAY else "day") if as_of else None,
    )


class _Axis:
    """Turns instants into percentages of the width."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self.start, self.span = start, end - start

    def place(self, at: datetime) -> float:
        """Give the place of an instant."""
        return placed(MARGIN + (100 - 2 * MARGIN) * ((at - self.start) / self.span))


def _dots(ordered: Sequence[Happening], axis: _Axis) -> tuple[Dot, ...]:
    """Give each event the lowest row that is free there; where none is, add it to the dot nearest before."""
    found: list[Dot] = []
    last: dict[int, int] = {}
    for happening in ordered:
        place = axis.place(happening.at)
        free = (row for row in range(ROWS_MAX) if row not in last or place - found[last[row]].place >= GAP_MIN)
        row = next(free, None)
        if row is None:
            nearest = max(last.values(), key=lambda index: (found[index].place, found[index].row))
            dot = found[nearest]
            found[nearest] = Dot(dot.place, dot.row, (*dot.happenings, happening))
        else:
            last[row] = len(found)
            found.append(Dot(place, row, (happening,)))
    return tuple(found)


def _ticks(start: datetime, end: datetime) -> list[tuple[datetime, Unit]]:
    """List the starts of round units between two instants, at most so many."""
    unit, count, _ = next((step for step in _STEPS if (end - start) / step[2] <= TICKS_MAX), _STEPS[-1])
    found = []
    at = _floor(start.astimezone(UTC), unit, count)
    while at <= end:
        if at >= start:
            found.append((at, unit))
        if at.year >= 9_000:
            break
        at = _after(at, unit, count)
    return found


def _floor(at: datetime, unit: Unit, count: int) -> datetime:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "hour":
        return day + (at.hour // count) * count * _HOUR
    if unit == "day":
        return day if count < 7 else day - day.weekday() * _DAY
    if unit == "month":
        return day.replace(day=1, month=(at.month - 1) // count * count + 1)
    return day.replace(day=1, month=1, year=max(at.year // count * count, 1))


def _after(at: datetime, unit: Unit, count: int) -> datetime:
    if unit in {"hour", "day"}:
        return at + count * (_HOUR if unit == "hour" else _DAY)
    months = at.month - 1 + (count if unit == "month" else 12 * count)
    return at.replace(year=at.year + months // 12, month=months % 12 + 1)
