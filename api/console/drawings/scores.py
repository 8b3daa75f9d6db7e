"""Where to draw the line: scored pairs as bars by bits, in three regions parted by two lines that can be moved.

Bars grow with the logarithm of their count, since most pairs are far from any line. Positions are in percent of the
width, and the drawing names the bits at its ends, so that a pointer can be turned into bits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.console.drawings.described import placed

HEIGHT: Final = 200.0
TOP: Final = 34.0  # room for the words of the lines
GAP: Final = 0.16  # share of a bar's width left free
HEIGHT_MIN: Final = 2.0  # chosen: one pair is seen


@dataclass(frozen=True, slots=True)
class Bar:
    """Hold one bar: place and width in percent, top and height in units, its region and its count."""

    x: float
    width: float
    y: float
    height: float
    tone: str
    bits: float
    count: float


@dataclass(frozen=True, slots=True)
class Tick:
    """Hold a mark of the axis."""

    x: float
    bits: float
    anchor: str


@dataclass(frozen=True, slots=True)
class DrawnScores:
    """Hold the drawing: its bars, ticks, and where the two lines stand."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    review_x: float
    match_x: float
    bits_min: float
    bits_max: float
    height: float = HEIGHT
    top: float = TOP


def scores(counts: Sequence[float], first: float, step: float, lines: tuple[float, float]) -> DrawnScores:
    """Lay out bars of equal width from `first` on, and the review and the match line."""
    review_bits, match_bits = lines
    last = first + step * len(counts)
    most = math.log1p(max(counts, default=0) or 1)
    width = 100 / max(1, len(counts))
    bars = []
    for place, count in enumerate(counts):
        bits = first + step * place
        height = max(HEIGHT_MIN, (HEIGHT - TOP) * math.log1p(count) / most) if count >= 0.5 else 0.0
        tone = "match" if bits >= match_bits else "review" if bits >= review_bits else "apart"
        left = placed(width * (place + GAP / 2))
        bars.append(Bar(left, placed(width * (1 - GAP)), placed(HEIGHT - height), placed(height), tone, bits, count))
    return DrawnScores(
        tuple(bar for bar in bars if bar.height),
        tuple(_tick(bits, first, last) for bits in _round_bits(first, last)),
        _place(review_bits, first, last),
        _place(match_bits, first, last),
        first,
        last,
    )


def _place(bits: float, first: float, last: float) -> float:
    return placed(100 * (min(last, max(first, bits)) - first) / (last - first))


def _round_bits(first: float, last: float) -> list[float]:
    return [bits for bits in range(int(first), int(last) + 1) if bits % 4 == 0]


def _tick(bits: float, first: float, last: float) -> Tick:
    x = _place(bits, first, last)
    return Tick(x, bits, "start" if x < 2 else "end" if x > 98 else "middle")
