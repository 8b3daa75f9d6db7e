"""The active queue: which pairs to ask a steward next, so that each answer teaches most.

A pattern is worth asking about when the model is unsure of it and many pairs show it, and less with each answer it has.
Spread over patterns, a few hundred answers teach what thousands drawn at random do. The same forms, model and answers
give the same questions.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.learning.calibration import probability
from matching.learning.model import Labels, Pairs
from matching.learning.pool import Pool, candidates, pool_of, scattered, scores, with_population
from matching.model import MatchModel
from matching.records import Forms
from matching.term_frequency import know

_ROOT: Final = 0.5
"""Power to which the count of a pattern's pairs is taken (November 2026: .5 and 1 taught alike after 500 answers)."""

_SEED: Final = 0
"""Seed of the draw among more candidates than a pool holds."""


def choose_pairs(forms: Forms, model: MatchModel, count: int, asked: Labels) -> Pairs:
    """Choose the pairs to ask next, most useful first; none that was asked already."""
    knowing = with_population(forms, model)
    known = know(forms, knowing)
    pool = pool_of(known, *candidates(forms, knowing, seed=_SEED), knowing)
    return choose_from(pool, knowing, count, asked)


def choose_from(pool: Pool, model: MatchModel, count: int, asked: Labels) -> Pairs:
    """Choose as `choose_pairs` does from a pool that is there already."""
    bits = scores(pool.levels, pool.frequency_bits, model)
    is_asked = _is_among(pool, asked)
    answers = np.bincount(pool.pattern[is_asked], minlength=len(bits))
    useful = pool.counts**_ROOT * probability(-np.abs(bits))
    chosen = _spread(useful, answers, pool.counts - answers, count)
    rows = _first_of_each(pool, ~is_asked, chosen)
    return Pairs(pool.left[rows], pool.right[rows], bits[pool.pattern[rows]] + model.match_bits)


def _is_among(pool: Pool, asked: Labels) -> NDArray[np.bool_]:
    pairs = (pool.left.astype(np.int64) << 32) | pool.right
    low, high = np.minimum(asked.left, asked.right), np.maximum(asked.left, asked.right)
    return np.isin(pairs, (low.astype(np.int64) << 32) | high)


def _spread(
    useful: NDArray[np.float64], answers: NDArray[np.int64], left: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Return the pattern of each question in order: always the most useful one.

    A pattern's n-th question is worth useful / (n + 1), so all questions of all patterns are ranked at once.
    """
    most = np.minimum(left, count)
    pattern = np.repeat(np.arange(len(useful)), most)
    nth = np.arange(len(pattern)) - np.repeat(np.cumsum(most) - most, most) + answers[pattern]
    worth = useful[pattern] / (1 + nth)
    order = np.lexsort((nth, pattern, -np.round(worth, 9)))
    return pattern[order[:count]]


def _first_of_each(pool: Pool, is_open: NDArray[np.bool_], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of a pair for each chosen pattern: its open pairs one after the other, in the order of a hash.

    The hash is of the pair's place, so that pairs of one large cluster, which stand together, do not come first.
    """
    wanted = np.unique(chosen)
    rows = np.flatnonzero(is_open & np.isin(pool.pattern, wanted))
    order = np.lexsort((scattered(pool.left[rows], pool.right[rows], _SEED), pool.pattern[rows]))
    rows = rows[order]
    starts = np.searchsorted(pool.pattern[rows], wanted)
    next_by_pattern = dict(zip(wanted.tolist(), starts.tolist(), strict=True))
    found = []
    for pattern in chosen.tolist():
        found.append(rows[next_by_pattern[pattern]])
        next_by_pattern[pattern] += 1
    return np.array(found, dtype=np.int64)
