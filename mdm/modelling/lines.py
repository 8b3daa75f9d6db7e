"""What each position of the two lines costs: pairs matched alone, asked about, left; hours; wrong joins. Pure.

Scored pairs are kept as a histogram: one bar a bit, parted by what rules and vetoes allow, so that a position is
counted in microseconds. How often a pair of some bits is one and the same is fitted to the decisions of the team, from
the model's own claim on: with few decisions the claim speaks, with many the decisions.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.model import MATCH, NON_MATCH, POSSIBLE_MATCH
from mdm.modelling.scoring import Scored

STEP_BITS: Final = 0.5
"""Width of a bar, and the step of a line."""
BITS_MIN, BITS_MAX = (
    -16.0,
    24.0,
)  # chosen: one in 65,000 and all but one in 16 million; what is beyond stands at the ends
DRAWS: Final = 400  # chosen: the bounds of 95 % move by less than they are wide
_SEED: Final = 1
# Chosen: before any decision the model's claim holds, give or take 1.4 bits at even odds and a fifth of its slope.
_PRIOR_MEAN: Final = np.array([0.0, 1.0])
_PRIOR_SD: Final = np.array([1.0, 0.2])
_NEWTON_STEPS: Final = 50


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Scored pairs by bits: float64 [kinds, bars], weighted to the whole hub.

    floors, caps, vetoed  what rules and vetoes allow the pairs of each kind: int8, int8, bool [kinds]
    bits                  mean bits of each bar's pairs, since what lies beyond the ends stands in the outermost bars
    pairs                 pairs that were scored
    """

    floors: NDArray[np.int8]
    caps: NDArray[np.int8]
    vetoed: NDArray[np.bool_]
    counts: NDArray[np.float64]
    bits: NDArray[np.float64]
    pairs: int

    @property
    def bars(self) -> NDArray[np.float64]:
        """Give all pairs of each bar: float64 [bars]."""
        total: NDArray[np.float64] = self.counts.sum(axis=0)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How likely pairs of given bits are one and the same: offset and slope, float64 [draws, 2], the best first.

    decisions  pairs it stands on
    """

    draws: NDArray[np.float64]
    decisions: int
    same: int

    def probability(self, bits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the share of pairs that are the same, by each draw: float64 [draws, bits]."""
        logits = self.draws[:, :1] + self.draws[:, 1:] * bits * math.log(2)
        found: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
        return found


@dataclass(frozen=True, slots=True)
class Expected:
    """An expected count with the bounds of 95 %."""

    count: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Position:
    """What the two lines at these bits cost, in pairs of the whole hub.

    hours   of a steward's time for what would be asked, at the team's pace; None while nobody's time is known
    wrong   pairs among those matched alone that are not the same
    missed  pairs among those left apart that are
    """

    review_bits: float
    match_bits: float
    matched: int
    asked: int
    left: int
    hours: float | None
    wrong: Expected
    missed: Expected


def histogram(scored: Scored, weights: NDArray[np.float64] | None = None) -> Histogram:
    """Count pairs by bits and by what is allowed of them; a weight says for how many pairs one stands."""
    bars = round((BITS_MAX - BITS_MIN) / STEP_BITS)
    place = np.clip(((scored.bits - BITS_MIN) // STEP_BITS).astype(np.int64), 0, bars - 1)
    kinds, inverse = np.unique(
        scored.floors.astype(np.int64) * 8 + scored.caps.astype(np.int64) * 2 + scored.vetoed, return_inverse=True
    )
    counts = np.zeros((len(kinds), bars), dtype=np.float64)
    np.add.at(counts, (inverse.ravel(), place), np.ones(len(place)) if weights is None else weights)
    held = np.bincount(place, minlength=bars)
    bits = np.where(held > 0, np.bincount(place, scored.bits, minlength=bars) / np.maximum(held, 1), middles())
    return Histogram(
        (kinds // 8).astype(np.int8),
        (kinds % 8 // 2).astype(np.int8),
        (kinds % 2).astype(bool),
        counts,
        bits,
        len(scored.bits),
    )


def weights_of(is_drawn: NDArray[np.bool_], scored: Scored, share: float) -> NDArray[np.float64]:
    """Say for how many pairs of the hub each pair stands: one over the chance that it is met at all.

    A pair with no record that was drawn stands for nothing; one is met when either of its records is drawn.
    """
    met = is_drawn[scored.left] | is_drawn[scored.right]
    chance = 1 - (1 - min(1.0, share)) ** 2
    return np.where(met, 1 / chance if chance else 0.0, 0.0)


def calibrate(bits: NDArray[np.float64], is_same: NDArray[np.bool_]) -> Calibration:
    """Fit how likely pairs are the same to decided ones, and draw from what remains open.

    source  Bayesian logistic regression by Laplace's method: MacKay, Neural Computation 4(5), 1992
    """
    columns = np.stack([np.ones(len(bits)), np.clip(bits, -40, 40) * math.log(2)], axis=1)
    precision = np.diag(1 / _PRIOR_SD**2)
    found = _PRIOR_MEAN.copy()
    curvature = precision
    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(columns @ found, -60, 60)))
        gradient = columns.T @ (is_same - chance) - precision @ (found - _PRIOR_MEAN)
        curvature = (columns.T * (chance * (1 - chance))) @ columns + precision
        step = np.linalg.solve(curvature, gradient)
        found = found + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    spread = np.linalg.cholesky(np.linalg.inv(curvature))
    drawn = found + np.random.default_rng(_SEED).standard_normal((DRAWS - 1, 2)) @ spread.T
    drawn[:, 1] = np.maximum(drawn[:, 1], 0.3)  # more agreement never makes two records less alike
    return Calibration(np.vstack([found, drawn]), len(bits), int(is_same.sum()))


def middles() -> NDArray[np.float64]:
    """Give the bits in the middle of each bar."""
    bars = round((BITS_MAX - BITS_MIN) / STEP_BITS)
    found: NDArray[np.float64] = BITS_MIN + STEP_BITS * (np.arange(bars, dtype=np.float64) + 0.5)
    return found


def position(
    found: Histogram, calibration: Calibration, lines: tuple[float, float], seconds_a_pair: float | None
) -> Position:
    """Count what the review line and the match line at these bits would cost."""
    review_bits, match_bits = lines
    bits = middles()
    by_line = np.full(len(bits), NON_MATCH, dtype=np.int8)
    by_line[bits > review_bits] = POSSIBLE_MATCH
    by_line[bits > match_bits] = MATCH
    verdicts = np.minimum(found.caps[:, None], np.maximum(found.floors[:, None], by_line[None, :]))
    verdicts[found.vetoed] = NON_MATCH
    matched = np.where(verdicts == MATCH, found.counts, 0).sum(axis=0)
    asked = np.where(verdicts == POSSIBLE_MATCH, found.counts, 0).sum(axis=0)
    # What a veto keeps apart is no match missed: it contradicts an identifier.
    left = np.where((verdicts == NON_MATCH) & ~found.vetoed[:, None], found.counts, 0).sum(axis=0)
    kept_apart = found.counts[found.vetoed].sum()
    chances = calibration.probability(found.bits)
    return Position(
        review_bits=review_bits,
        match_bits=match_bits,
        matched=round(matched.sum()),
        asked=round(asked.sum()),
        left=round(left.sum() + kept_apart),
        hours=None if seconds_a_pair is None else float(asked.sum()) * seconds_a_pair / 3600,
        wrong=_expected(matched @ (1 - chances).T),
        missed=_expected(left @ chances.T),
    )


def snapped(bits: float) -> float:
    """Give the nearest position that a line can stand at."""
    return min(BITS_MAX, max(BITS_MIN, round(bits / STEP_BITS) * STEP_BITS))


def _expected(counts: NDArray[np.float64]) -> Expected:
    """Add what chance does to what is not known: a count around each draw's expectation."""
    rolled = np.random.default_rng(_SEED).poisson(np.clip(counts, 0, 1e9))
    low, high = np.percentile(rolled, [2.5, 97.5]).tolist() if len(rolled) else (0.0, 0.0)
    return Expected(float(counts[0]), float(low), float(high))
