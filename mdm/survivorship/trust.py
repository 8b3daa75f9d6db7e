"""How far a value is trusted, given its source and its age, and when that next changes an order.

A value is trusted at `maximum` while fresh, at `minimum` once `period_days` have passed; the curve says how it falls.
Everything is worked out in whole microseconds and exact fractions, so that two machines never disagree about a winner.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import floor
from typing import Any, Final

from mdm.entities.model import Origin

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY_US: Final = 86_400_000_000
_LAST_US: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

# Share of the fall that has happened after the share f of the period. The shapes are those the field knows as linear,
# rapid initially then slow, and slow initially then rapid; the exponent is chosen.
CURVES: Final[Mapping[str, Callable[[Fraction], Fraction]]] = {
    "linear": lambda f: f,
    "rapid_first": lambda f: 1 - (1 - f) ** 2,
    "slow_first": lambda f: f**2,
}


@dataclass(frozen=True, slots=True)
class Decay:
    """How trust in one source's value falls; maximum = minimum means that age does not count.

    kept            share of the trust that a value keeps when it fails a validation
    is_min_reserved a failing value never falls below `minimum`; otherwise one that keeps nothing leaves the contest
    """

    maximum: Fraction
    minimum: Fraction
    period_us: int
    curve: str
    kept: Fraction = Fraction(1, 2)
    is_min_reserved: bool = True


@dataclass(frozen=True, slots=True)
class Trusted:
    """One value's trust over time; since None = of unknown age, trusted at its minimum."""

    decay: Decay
    since: datetime | None
    is_invalid: bool

    def at(self, instant_us: int) -> Fraction | None:
        """Work out the trust at an instant; None = out of the contest."""
        decay = self.decay
        trust = decay.maximum - (decay.maximum - decay.minimum) * CURVES[decay.curve](self._elapsed(instant_us))
        if not self.is_invalid:
            return trust
        if decay.is_min_reserved:
            return max(decay.minimum, trust * decay.kept)
        return trust * decay.kept if decay.kept else None

    def bends(self) -> tuple[int, ...]:
        """Name the instants between which trust follows one curve of second degree."""
        if self.since is None:
            return ()
        start = to_us(self.since)
        end = start + self.decay.period_us
        if not (self.is_invalid and self.decay.is_min_reserved):
            return start, end
        reached = _first(start, end, lambda instant: self.at(instant) == self.decay.minimum)
        return (start, end) if reached is None else (start, reached - 1, reached, end)

    def _elapsed(self, instant_us: int) -> Fraction:
        if self.since is None or not self.decay.period_us:
            return Fraction(1)
        age_us = instant_us - to_us(self.since)
        return Fraction(min(max(age_us, 0), self.decay.period_us), self.decay.period_us)


def decay_of(options: Mapping[str, Any], origin: Origin) -> Decay:
    """Read the decay of a source instance from a rule's options.

    options  `trust`: by source (the closest name that means the instance, else `default`) maximum and minimum, 0 to
             100, period_days, curve; `failing_validation`: lowers_percent and reserve_minimum. What is left out is
             maximum 50, minimum 0, 365 days, linear, 50 percent, reserved (chosen).
    """
    trust = options.get("trust") or {}
    closest = next(iter(origin.closest(trust)), "default")
    named = trust.get(closest) or {}
    failing = options.get("failing_validation") or {}
    return Decay(
        maximum=_exact(str(named.get("maximum", 50))),
        minimum=_exact(str(named.get("minimum", 0))),
        period_us=int(_exact(str(named.get("period_days", 365))) * _DAY_US),
        curve=named.get("curve", "linear"),
        kept=1 - _exact(str(failing.get("lowers_percent", 50))) / 100,
        is_min_reserved=bool(failing.get("reserve_minimum", True)),
    )


def first_overtaking(winner: Trusted, rival: Trusted, *, after: datetime, wins_ties: bool) -> datetime | None:
    """Find the first later instant at which the rival beats the winner by trust, None for never.

    wins_ties  the rival is the better of the two when both are trusted alike
    """

    def lead(instant_us: int) -> Fraction | None:
        ours, theirs = winner.at(instant_us), rival.at(instant_us)
        return None if ours is None or theirs is None else theirs - ours

    def is_ahead(instant_us: int) -> bool:
        ahead = lead(instant_us)
        return ahead is not None and (ahead > 0 or (ahead == 0 and wins_ties))

    begin = to_us(after) + 1
    for first, last in _monotone_spans(begin, (*winner.bends(), *rival.bends()), lead):
        found = _first(first, last, is_ahead)
        if found is not None:
            return None if found > _LAST_US else _EPOCH + found * _MICROSECOND
    return None


def to_us(instant: datetime) -> int:
    """Count the microseconds since 1970, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def _monotone_spans(
    begin: int, bends: tuple[int, ...], lead: Callable[[int], Fraction | None]
) -> Iterator[tuple[int, int]]:
    """Cut the time from `begin` to the last bend into spans, ends included, in which the lead only rises or falls."""
    cuts = sorted({begin, *(bend for bend in bends if bend > begin)})
    if len(cuts) == 1:
        yield begin, begin
    for first, last in pairwise(cuts):
        turn = _turn(first, last, lead)
        if turn is None:
            yield first, last
        else:
            yield first, turn
            yield min(turn + 1, last), last


def _turn(first: int, last: int, lead: Callable[[int], Fraction | None]) -> int | None:
    """Find where a curve of second degree, known by three of its points, turns inside a span."""
    middle = (first + last) // 2
    points = [(x, lead(x)) for x in (first, middle, last)]
    if middle in (first, last) or any(y is None for _, y in points):
        return None
    (x0, y0), (x1, y1), (x2, y2) = ((x, y) for x, y in points if y is not None)
    rise, later_rise = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    bow = (later_rise - rise) / (x2 - x0)
    if not bow:
        return None
    turn = ((x0 + x1) - rise / bow) / 2
    return floor(turn) if first < turn < last else None


def _first(first: int, last: int, holds: Callable[[int], bool]) -> int | None:
    """Find the first number of a span at which something holds that holds at once, or from some number on."""
    if holds(first):
        return first
    if not holds(last):
        return None
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (first, middle) if holds(middle) else (middle, last)
    return last


@lru_cache(maxsize=1024)
def _exact(number: str) -> Fraction:
    return Fraction(number)
