"""A small line for a row of numbers, such as decisions a day: no axis, the last value as a dot."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.console.drawings.described import placed

WIDTH: Final = 100.0
HEIGHT: Final = 24.0
MARGIN: Final = 2.5  # the radius of the dot, so that it is never cut
POINTS_MAX: Final = 120  # chosen: more are drawn as the mean of neighbours


@dataclass(frozen=True, slots=True)
class Spark:
    """Hold the points of the line as SVG takes them, the surface below it, and the place of its last point."""

    points: str
    surface: str
    x: float
    y: float


def spark(numbers: Sequence[float]) -> Spark | None:
    """Draw numbers from left to right between 0 (or the lowest) and the highest; None where there are none."""
    if not numbers:
        return None
    means = _thinned(numbers)
    low, high = min(0.0, *means), max(0.0, *means)
    span = (high - low) or 1.0
    step = (WIDTH - 2 * MARGIN) / max(len(means) - 1, 1)
    xs = [placed(MARGIN + place * step) for place in range(len(means))]
    ys = [placed(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (number - low) / span) for number in means]
    points = " ".join(f"{x},{y}" for x, y in zip(xs, ys, strict=True))
    return Spark(points, f"{xs[0]},{HEIGHT} {points} {xs[-1]},{HEIGHT}", xs[-1], ys[-1])


def _thinned(numbers: Sequence[float]) -> list[float]:
    if len(numbers) <= POINTS_MAX:
        return list(numbers)
    cuts = [round(place * len(numbers) / POINTS_MAX) for place in range(POINTS_MAX + 1)]
    return [sum(numbers[start:end]) / (end - start) for start, end in itertools.pairwise(cuts)]
