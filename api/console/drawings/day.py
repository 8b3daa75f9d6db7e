"""The last day of a target: above the line what it was told hour by hour, below it what waited as each hour ended.

Each half has a scale of its own, since thousands may be told while three wait; the largest number stands beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from api.console.drawings.described import placed

STEP: Final = 10.0
BAR: Final = 7.0
UP: Final = 26.0
DOWN: Final = 18.0
LINE: Final = 28.0  # where the halves meet: the tallest bar, and two units of air
HEIGHT: Final = LINE + DOWN + 4
BAR_MIN: Final = 2.0  # chosen: one of many thousands is seen

Kind = Literal["told", "parked", "waiting"]


@dataclass(frozen=True, slots=True)
class Bar:
    """Hold one bar where it is drawn."""

    kind: Kind
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class DrawnDay:
    """Hold the bars, the size of the drawing, and the largest number of each half."""

    bars: tuple[Bar, ...]
    width: float
    told_most: int
    waiting_most: int
    bar: float = BAR
    height: float = HEIGHT
    line: float = LINE


def day(hours: Sequence[tuple[int, int, int]]) -> DrawnDay:
    """Lay out (told, parked, waiting) of each hour, the oldest first; parked ones stand on top of those told."""
    told_most = max((told + parked for told, parked, _ in hours), default=0)
    waiting_most = max((waiting for *_, waiting in hours), default=0)
    bars: list[Bar] = []
    for place, (told, parked, waiting) in enumerate(hours):
        x = placed(place * STEP + (STEP - BAR) / 2)
        up = _height(told, told_most, UP)
        if told:
            bars.append(Bar("told", x, placed(LINE - up), placed(up)))
        if parked:
            more = _height(parked, told_most, UP)
            bars.append(Bar("parked", x, placed(max(0.0, LINE - up - more)), placed(more)))
        if waiting:
            bars.append(Bar("waiting", x, placed(LINE + 2), placed(_height(waiting, waiting_most, DOWN))))
    return DrawnDay(tuple(bars), len(hours) * STEP, told_most, waiting_most)


def _height(count: int, most: int, room: float) -> float:
    return max(BAR_MIN, room * count / most) if count else 0.0
