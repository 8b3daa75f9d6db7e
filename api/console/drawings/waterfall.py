"""The evidence on two records as a waterfall: from the prior, step by step, to the sum, on one axis for all rows.

Every position is a percentage of the width of the evidence column, so that each row of the comparison draws its own
step in place, and the connector from its end goes on at the top of the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite
from typing import Final, Literal

from api.console.drawings.described import placed

Sign = Literal["pos", "neg", "none"]
Name = Literal["zero", "review", "match"]

WIDTH_MIN: Final = 0.8  # chosen: one pixel of a column of 125 pixels; a step that is there is seen
MARGIN: Final = 0.03  # chosen: of the span, on both sides


@dataclass(frozen=True, slots=True)
class Bar:
    """Hold one row: the connector comes in at `start` and goes out at `end`; the bar lies between, at least so wide."""

    label: str
    bits: float
    start: float
    end: float
    left: float
    width: float
    sign: Sign


@dataclass(frozen=True, slots=True)
class Line:
    """Hold a line through all rows: "zero" (even odds), "review" or "match"."""

    name: Name
    bits: float
    place: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Hold a waterfall: where it starts, a bar for each comparison, and the sum as a bar from even odds."""

    prior: Bar
    steps: tuple[Bar, ...]
    total: Bar
    lines: tuple[Line, ...]


def waterfall(
    prior_bits: float,
    steps: Sequence[tuple[str, float]],
    *,
    review_bits: float | None = None,
    match_bits: float | None = None,
) -> Waterfall:
    """Lay out the prior, the steps (label and bits, in the order of the rows), their sum and the lines."""
    reached = list(accumulate((bits for _, bits in steps), initial=prior_bits))
    assert all(isfinite(bits) for bits in reached), "bits are finite"
    lines = _drawn(review_bits, match_bits)
    place = _Axis([*reached, *(bits for _, bits in lines)])
    bars = tuple(
        _bar(label, bits, place(before), place(after))
        for (label, bits), before, after in zip(steps, reached, reached[1:], strict=False)
    )
    start = place(prior_bits)
    return Waterfall(
        prior=Bar("", prior_bits, start, start, start, 0.0, _sign(prior_bits)),
        steps=bars,
        total=_bar("", reached[-1], place(0.0), place(reached[-1])),
        lines=tuple(Line(name, bits, place(bits)) for name, bits in lines),
    )


class _Axis:
    """Turns bits into percentages of the width."""

    def __init__(self, bits: Sequence[float]) -> None:
        low, high = min(bits), max(bits)
        margin = max(high - low, 1.0) * MARGIN
        self.low = low - margin
        self.span = high - low + 2 * margin

    def __call__(self, bits: float) -> float:
        """Give the place of so many bits."""
        return placed(100 * (bits - self.low) / self.span)


def _drawn(review_bits: float | None, match_bits: float | None) -> list[tuple[Name, float]]:
    found: list[tuple[Name, float]] = [("zero", 0.0)]
    if review_bits is not None:
        found.append(("review", review_bits))
    if match_bits is not None:
        found.append(("match", match_bits))
    return found


def _bar(label: str, bits: float, start: float, end: float) -> Bar:
    """Lay a bar between two places; a short one is widened away from where it starts, and stays on the axis."""
    if not bits:
        return Bar(label, bits, start, end, start, 0.0, "none")
    width = max(abs(end - start), WIDTH_MIN)
    left = start if bits > 0 else start - width
    left = min(max(left, 0.0), 100.0 - width)
    return Bar(label, bits, start, end, placed(left), placed(width), _sign(bits))


def _sign(bits: float) -> Sign:
    return "pos" if bits > 0 else "neg" if bits < 0 else "none"
