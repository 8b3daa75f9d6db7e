"""The anchored cold start: Fellegi and Sunter's m and u where there is neither a label nor an identifier.

How often random records agree (u) is counted on pairs drawn at random. How often matches agree (m) is found by
expectation and maximisation on blocked pairs, with the declared weights as if so many matches had been seen already,
and with the prior held. Left to itself this degenerates on companies: sisters share telephones and addresses, count as
matches, and teach that sisters are matches. So the answer goes only a part of the way from the declaration.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.learning.calibration import probability
from matching.learning.pool import Pool, candidates, pool_of, scores
from matching.model import MatchModel
from matching.records import Forms
from matching.term_frequency import know

WAY_GONE: Final = 0.25
"""Share of the way from the declared to the estimated weights (November 2026: pairwise F1 with 0, .25, .5 and 1 on
publications .959, .969, .956, .903, on sister companies .947, .985, .985, .983)."""

ANCHOR_MATCHES: Final = 500.0
"""Matches that the declaration counts for (chosen; 20 gave less on three of four sets)."""

RANDOM_PAIRS: Final = 200_000
"""Pairs drawn to count how often random records agree (chosen: a share of one in 10,000 is known to a quarter)."""

_STEPS_MAX: Final = 50
_STILL_BITS: Final = 0.01
_WORTH_MAX: Final = 14.0


def estimated(forms: Forms, model: MatchModel, pool: Pool, *, seed: int) -> MatchModel:
    """Return the model a part of the way to the weights that its records suggest; `model` holds its population."""
    random = _at_random(forms, model, seed)
    chance = [_shares(random, place, len(part.levels)) for place, part in enumerate(model.comparisons)]
    worth = _maximised(model, pool, chance)
    return replace(
        model,
        comparisons=tuple(
            replace(
                part,
                levels=tuple(
                    replace(level, bits=round(level.bits + WAY_GONE * (found - level.bits), 2))
                    for level, found in zip(part.levels, bits.tolist(), strict=True)
                ),
            )
            for part, bits in zip(model.comparisons, worth, strict=True)
        ),
    )


def blocked(forms: Forms, model: MatchModel, *, seed: int) -> Pool:
    """Return the pool of blocked pairs; `model` holds its population."""
    return pool_of(know(forms, model), *candidates(forms, model, seed=seed), model)


def _at_random(forms: Forms, model: MatchModel, seed: int) -> Pool:
    draw = np.random.default_rng(seed)
    first, second = draw.integers(0, max(1, len(forms.keys)), (2, RANDOM_PAIRS)).astype(np.int32)
    apart = first != second
    return pool_of(know(forms, model), first[apart], second[apart], int(apart.sum()), model)


def _shares(pool: Pool, place: int, levels: int) -> NDArray[np.float64]:
    """Return the share of pairs at each level, among those that have both values, half a pair added to each."""
    held = _held(pool, pool.counts.astype(np.float64), place, levels) + 0.5
    return np.asarray(held / held.sum())


def _held(pool: Pool, weight: NDArray[np.float64], place: int, levels: int) -> NDArray[np.float64]:
    reached = pool.levels[:, place]
    return np.bincount(reached[reached >= 0], weights=weight[reached >= 0], minlength=levels).astype(np.float64)


def _maximised(model: MatchModel, pool: Pool, chance: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return the bits of each level: log2(m / u), m found by expectation and maximisation."""
    declared = [np.array([level.bits for level in part.levels]) for part in model.comparisons]
    anchors = [
        share * np.exp2(bits.clip(-_WORTH_MAX, _WORTH_MAX)) for share, bits in zip(chance, declared, strict=True)
    ]
    anchors = [ANCHOR_MATCHES * anchor / anchor.sum() for anchor in anchors]
    worth, counts, current = declared, pool.counts, model
    for _ in range(_STEPS_MAX):
        matches = counts * probability(scores(pool.levels, pool.frequency_bits, current))
        found = []
        for place, (anchor, share) in enumerate(zip(anchors, chance, strict=True)):
            held = _held(pool, matches, place, len(share)) + anchor
            found.append(np.log2(held / held.sum()) - np.log2(share))
        moved = max(float(np.abs(new - old).max()) for new, old in zip(found, worth, strict=True))
        worth, current = found, _with(model, found)
        if moved < _STILL_BITS:
            break
    return worth


def _with(model: MatchModel, worth: list[NDArray[np.float64]]) -> MatchModel:
    return replace(
        model,
        comparisons=tuple(
            replace(
                part,
                levels=tuple(replace(level, bits=bit) for level, bit in zip(part.levels, bits.tolist(), strict=True)),
            )
            for part, bits in zip(model.comparisons, worth, strict=True)
        ),
    )
