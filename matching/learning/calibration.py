"""Whether a score means what it says: shares against probabilities, and what each line would give.

All shares carry bounds: Wilson's interval at 95 % (JASA 22(158), 1927), which holds for few labels and for shares near
0 and 1.
"""

import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.learning.model import CalibrationBin, LinePoint

Z: Final = 1.959964
"""Standard deviations that 95 % of a normal distribution lie within."""

BIN_BOUNDS: Final = (0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0)
"""Bounds of the calibration bins: finer at the ends, where most pairs are (chosen)."""

LINES: Final = tuple(float(bits) for bits in range(-8, 9))
"""Match lines that a report looks at: bits above the one in force."""


def probability(bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability that log odds in bits stand for."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(bits, -80.0, 80.0))))


def wilson(hits: float, count: float) -> tuple[float, float]:
    """Return the bounds of a share seen `hits` times of `count`; (0, 1) of nothing."""
    if count <= 0:
        return 0.0, 1.0
    share, square = hits / count, Z * Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z * np.sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    return float(min(share, max(0.0, middle - half))), float(max(share, min(1.0, middle + half)))


def calibration(
    bits: NDArray[np.float64], same: NDArray[np.float64], different: NDArray[np.float64]
) -> tuple[tuple[CalibrationBin, ...], float | None]:
    """Sort labelled patterns into bins by probability; return the bins and the expected calibration error.

    bits             float64 [patterns], log odds from a fit that has not seen these labels
    same, different  float64 [patterns], weight of labels
    """
    said, count = probability(bits), same + different
    bins, error = [], 0.0
    for low, high in itertools.pairwise(BIN_BOUNDS):
        inside = (said >= low) & ((said < high) | (high == 1.0)) & (count > 0)
        weight = float(count[inside].sum())
        if not weight:
            continue
        predicted = float((said[inside] * count[inside]).sum() / weight)
        observed = float(same[inside].sum() / weight)
        bins.append(CalibrationBin(predicted, observed, *wilson(observed * weight, weight), round(weight)))
        error += weight * abs(predicted - observed)
    return tuple(bins), error / float(count.sum()) if count.sum() else None


def lines(
    bits: NDArray[np.float64], same: NDArray[np.float64], different: NDArray[np.float64]
) -> tuple[LinePoint, ...]:
    """Tell precision and recall among labels for each of LINES."""
    points = []
    for line in LINES:
        above = bits >= line
        hits, found, true = float(same[above].sum()), float((same + different)[above].sum()), float(same.sum())
        precision, recall = hits / found if found else 1.0, hits / true if true else 1.0
        points.append(LinePoint(line, precision, *wilson(hits, found), recall, *wilson(hits, true)))
    return tuple(points)
