"""The hours of a target: when it may be told, by the clocks of one time zone. Pure.

Hours are the same on each of their days. Those that pass midnight belong to the day on which they begin. Where clocks
are put back, a time that they show twice is the first of the two; where they are put forward, a time that they skip is
the instant at which they do. So hours that lie in what is skipped have no length, and nothing is told outside of them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

EVERY_DAY: Final = tuple(range(7))
MIDNIGHT: Final = time()
# Hours of one day a week that fall into what clocks skip are there again a week later: a fortnight holds some.
_DAYS_MAX: Final = 15


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a target may be told; as it is made, always.

    begins, ends  by the clocks of the zone; where the end is not after the beginning it is of the next day
    days          on which hours begin, 0 is Monday
    zone          a name of the IANA time zone database
    """

    begins: time = MIDNIGHT
    ends: time = MIDNIGHT
    days: tuple[int, ...] = EVERY_DAY
    zone: str = "UTC"

    @property
    def is_always(self) -> bool:
        """Tell whether hours follow upon hours without an end."""
        return self.begins == self.ends and set(self.days) == set(EVERY_DAY)

    def is_open_at(self, at: datetime) -> bool:
        """Tell whether a target may be told at an instant."""
        return self.is_always or any(begun <= at < ended for begun, ended in self._hours(at, range(-1, 2)))

    def opens_next(self, at: datetime) -> datetime:
        """Give the first instant from this one on at which a target may be told."""
        if self.is_open_at(at):
            return at
        return next(begun for begun, _ in self._hours(at, range(-1, _DAYS_MAX)) if begun > at)

    def opened_at(self, at: datetime) -> datetime | None:
        """Give the instant since which a target may be told or, outside of its hours, since which it last might.

        Days that follow upon each other whole are one. None: always.
        """
        if self.is_always:
            return None
        opened: datetime | None = None
        for begun, ended in self._hours(at, range(1, -_DAYS_MAX, -1)):
            if begun > at:
                continue
            if opened is not None and ended < opened:
                break
            opened = begun
        return opened

    def tellable_since(self, queued_at: datetime, at: datetime) -> datetime:
        """Say since when a message that waits could have been told in the hours that an instant lies in, or after."""
        opened = self.opened_at(at)
        return queued_at if opened is None else max(queued_at, opened)

    def _hours(self, at: datetime, away: Iterable[int]) -> Iterator[tuple[datetime, datetime]]:
        """Yield the beginning and the end of hours that begin so many days away, leaving out those without length."""
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        lasting = timedelta(days=1 if self.ends <= self.begins else 0)
        for day in (today + timedelta(days=days) for days in away):
            if day.weekday() in self.days:
                begun, ended = _instant(day, self.begins, zone), _instant(day + lasting, self.ends, zone)
                if begun < ended:
                    yield begun, ended


ALWAYS: Final = Schedule()


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Give the first instant of a day at which its clocks show a time, or go past it without showing it."""
    shown = datetime.combine(day, at)
    first = shown.replace(tzinfo=zone).astimezone(UTC)
    second = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    # Read by the rule from before the change, a time that is skipped lies after it, and before it by the rule of after.
    skipped_s = int((first - second).total_seconds())
    if skipped_s <= 0:
        return first
    passed_s = bisect_left(range(skipped_s), shown, key=lambda s: _shown(second + timedelta(seconds=s), zone))
    return second + timedelta(seconds=passed_s)


def _shown(at: datetime, zone: ZoneInfo) -> datetime:
    """Give what clocks show at an instant."""
    return at.astimezone(zone).replace(tzinfo=None)
