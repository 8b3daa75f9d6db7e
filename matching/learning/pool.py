"""The pool: blocked candidate pairs, brought to distinct patterns with counts.

Learning looks at patterns and never at pairs, so that it costs the same for ten thousand records as for ten million. A
pattern is a comparison vector together with what commonness takes off it, in whole bits.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.block import blocks_of, candidate_batches
from matching.compare import compare_known
from matching.keys import keys_by_rule
from matching.model import EMPTY_POPULATION, MatchModel
from matching.population import learn_population
from matching.records import Forms
from matching.score import patterns, weights
from matching.term_frequency import Known, frequency_bits

PAIRS_MAX: Final = 1_000_000
"""Candidates that learning looks at; of more, this many are drawn (chosen)."""

_PAIRS_AT_ONCE: Final = 250_000
"""Pairs compared at a time: bounds the memory of vectors (chosen)."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Hold pairs and their patterns.

    left, right     int32 [pairs], left < right; pattern int32 [pairs], the pattern of each
    levels          int8 [patterns, comparisons], level index, -1 = missing
    frequency_bits  float64 [patterns], what commonness takes off, whole bits
    pairs_count     candidates that there are, also those not drawn
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    pattern: NDArray[np.int32]
    levels: NDArray[np.int8]
    frequency_bits: NDArray[np.float64]
    pairs_count: int

    @property
    def counts(self) -> NDArray[np.int64]:
        """Count the pairs of each pattern: int64 [patterns]."""
        return np.bincount(self.pattern, minlength=len(self.levels))


def with_population(forms: Forms, model: MatchModel) -> MatchModel:
    """Return the model with a population: its own, or else the one that these records are."""
    if model.population != EMPTY_POPULATION:
        return model
    return replace(model, population=learn_population(forms, model))


def candidates(forms: Forms, model: MatchModel, *, seed: int) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Block, and draw about PAIRS_MAX of the candidates at most: left, right, and how many there are in all.

    Whether a pair is drawn depends on the pair and the seed alone, so that memory stays flat.
    """
    none = np.empty(0, dtype=np.int32)
    if not model.blocking:
        return none, none, 0
    blocks = blocks_of(keys_by_rule(forms, model), model)
    most = sum(int(of.following.sum(dtype=np.int64)) for of in blocks)
    lefts, rights, count = [none], [none], 0
    for left, right in candidate_batches(blocks):
        count += len(left)
        drawn = slice(None) if most <= PAIRS_MAX else scattered(left, right, seed) < PAIRS_MAX / most
        lefts.append(left[drawn])
        rights.append(right[drawn])
    return np.concatenate(lefts), np.concatenate(rights), count


def scattered(left: NDArray[np.int32], right: NDArray[np.int32], seed: int) -> NDArray[np.float64]:
    """Give each pair a number from 0 to 1 that looks drawn (the finaliser of splitmix64, Steele et al., 2014)."""
    mixed = ((left.astype(np.uint64) << np.uint64(32)) | right.astype(np.uint64)) + np.uint64(
        (seed + 1) * 0x9E3779B97F4A7C15 % 2**64
    )
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) / 2.0**64)


def pool_of(
    known: Known, left: NDArray[np.int32], right: NDArray[np.int32], pairs_count: int, model: MatchModel
) -> Pool:
    """Compare pairs, drawn from `pairs_count` of them, and bring them to patterns."""
    levels, bits, codes = [], [], []
    for start in range(0, max(1, len(left)), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        vectors = compare_known(known.forms, left[part], right[part], model)
        taken = np.round(frequency_bits(known, left[part], right[part], vectors, model).sum(axis=1))
        distinct, position = patterns(np.column_stack((vectors, (-taken).clip(0, 100).astype(np.int8))))
        levels.append(distinct[:, :-1])
        bits.append(-distinct[:, -1].astype(np.float64))
        codes.append((distinct, position))
    if len(codes) == 1:
        return Pool(left, right, codes[0][1], levels[0], bits[0], pairs_count)
    distinct, merged = patterns(np.concatenate([part for part, _ in codes]))
    starts = np.cumsum([0, *(len(part) for part, _ in codes)])
    pattern = np.concatenate([merged[start + position] for start, (_, position) in zip(starts, codes, strict=False)])
    return Pool(left, right, pattern, distinct[:, :-1], -distinct[:, -1].astype(np.float64), pairs_count)


def scores(levels: NDArray[np.int8], offset: NDArray[np.float64], model: MatchModel) -> NDArray[np.float64]:
    """Score patterns: float64 [patterns], bits above the match line, which is log odds once the model is learnt."""
    table = weights(model)
    bits = offset + (model.prior_bits - model.match_bits)
    for position in range(len(model.comparisons)):
        bits = bits + table[position, levels[:, position]]
    return bits
