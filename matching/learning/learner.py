"""The learner: what each level is worth, from labelled patterns, around what the model declares.

A logistic regression on the levels of the comparisons, in bits. Each weight is drawn towards its declared worth as if
some labels had said so already; with few labels the answer stays near the declaration, with many it follows the data.
A better level is never worth less than a worse one, but where the model declares it so. The fit is the minimum of a
convex function, found by Newton steps on the weights that are not at their bound (Bertsekas, SIAM J. Control Optim.
20(2), 1982), so that the same labels give the same weights in any order.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.model import MatchModel

LN2: Final = float(np.log(2.0))
PLACES: Final = 2
"""Decimals of a learnt weight: a hundredth of a bit is half a per cent of odds (chosen)."""

_STEPS_MAX: Final = 100
_SMALLEST: Final = 2.0**-20
_GAIN_MIN: Final = 1e-11


@dataclass(frozen=True, slots=True)
class Pull:
    """Say how strongly weights are drawn to the declared ones: half of it times the square of the bits apart is lost.

    weight_pull  for each step from one level to the next better one
    prior_pull   for the prior, which stands in for all that is not compared
    """

    weight_pull: float = 0.5
    prior_pull: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPatterns:
    """Hold what labels say of patterns.

    levels int8 [patterns, comparisons] · offset float64 [patterns], bits added to the score as they are
    same, different  float64 [patterns], weight of the labels of each kind
    """

    levels: NDArray[np.int8]
    offset: NDArray[np.float64]
    same: NDArray[np.float64]
    different: NDArray[np.float64]


def fit(
    model: MatchModel, labelled: LabelledPatterns, pull: Pull, *, frozen: frozenset[str] = frozenset()
) -> MatchModel:
    """Return the model with learnt bits: what a score has above the match line is the log odds of a match.

    frozen  names of comparisons that keep their declared bits
    """
    told = np.flatnonzero(labelled.same + labelled.different > 0)
    if not len(told):
        return model
    levels = labelled.levels[told]
    learnt = [place for place, comparison in enumerate(model.comparisons) if comparison.name not in frozen]
    kept = [place for place in range(len(model.comparisons)) if place not in learnt]
    design, declared, lowest = _design(model, levels, learnt)
    found = _minimum(
        np.column_stack((design, np.ones(len(design)))),
        (labelled.same[told], labelled.different[told], labelled.offset[told] + _worth(model, levels, kept)),
        np.append(declared, model.prior_bits - model.match_bits),
        np.append(np.full(len(declared), pull.weight_pull), pull.prior_pull),
        np.append(lowest, -np.inf),
    )
    return _rewritten(model, learnt, found)


def _design(
    model: MatchModel, levels: NDArray[np.int8], learnt: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the design float64 [patterns, steps], the declared steps, and the lowest each may become.

    A step is what a level is worth above the next worse one; the worst level's step is its own worth. A pattern has
    all steps from its level down.
    """
    columns, declared, lowest = [], [], []
    for place in learnt:
        bits = [level.bits for level in model.comparisons[place].levels]
        reached = levels[:, place]
        for level, (worth, worse) in enumerate(zip(bits, [*bits[1:], 0.0], strict=True)):
            columns.append(((reached >= 0) & (reached <= level)).astype(np.float64))
            declared.append(worth - worse)
            lowest.append(min(0.0, worth - worse) if level < len(bits) - 1 else -np.inf)
    design = np.array(columns).T if columns else np.zeros((len(levels), 0))
    return design, np.array(declared), np.array(lowest)


def _worth(model: MatchModel, levels: NDArray[np.int8], places: list[int]) -> NDArray[np.float64]:
    worth = np.zeros(len(levels))
    for place in places:
        worth += np.array([level.bits for level in model.comparisons[place].levels] + [0.0])[levels[:, place]]
    return worth


def _minimum(
    design: NDArray[np.float64],
    labels: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    declared: NDArray[np.float64],
    pulls: NDArray[np.float64],
    lowest: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Find the weights, in bits, that lose least: log loss of the labels plus the pull, within bounds."""
    same, different, offset = labels
    count = same + different

    def loss(weights: NDArray[np.float64]) -> float:
        odds = (design @ weights + offset) * LN2
        return float(
            (count * np.logaddexp(0.0, odds) - same * odds).sum() + (pulls * (weights - declared) ** 2).sum() / 2
        )

    weights, lost = declared.copy(), loss(declared)
    for _ in range(_STEPS_MAX):
        probability = 1.0 / (1.0 + np.exp2(-np.clip(design @ weights + offset, -80.0, 80.0)))
        slope = LN2 * (design.T @ (count * probability - same)) + pulls * (weights - declared)
        curved = count * probability * (1.0 - probability) * LN2**2
        curvature = design.T @ (design * curved[:, None]) + np.diag(pulls)
        free = np.flatnonzero((weights > lowest + 1e-9) | (slope < 0))
        step = np.zeros_like(weights)
        step[free] = -np.linalg.solve(curvature[np.ix_(free, free)], slope[free])
        size, gain = 1.0, 0.0
        while size > _SMALLEST:
            moved = np.maximum(weights + size * step, lowest)
            gain = lost - loss(moved)
            if gain > 0:
                break
            size /= 2
        if gain < _GAIN_MIN * max(1.0, abs(lost)):
            break
        weights, lost = moved, lost - gain
    return weights


def _rewritten(model: MatchModel, learnt: list[int], found: NDArray[np.float64]) -> MatchModel:
    comparisons, start = list(model.comparisons), 0
    for place in learnt:
        comparison = comparisons[place]
        steps = found[start : start + len(comparison.levels)]
        start += len(comparison.levels)
        bits = np.round(np.cumsum(steps[::-1])[::-1], PLACES) + 0.0
        levels = tuple(
            replace(level, bits=worth) for level, worth in zip(comparison.levels, bits.tolist(), strict=True)
        )
        comparisons[place] = replace(comparison, levels=levels)
    return replace(model, prior_bits=round(float(found[-1]) + model.match_bits, PLACES), comparisons=tuple(comparisons))
