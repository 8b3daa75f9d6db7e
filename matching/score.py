"""Scores: the evidence of a comparison vector in bits. Patterns are scored, not pairs."""

import numpy as np
from numpy.typing import NDArray

from matching.distinct import distinct_codes
from matching.model import MISSING, MatchModel


def weights(model: MatchModel) -> NDArray[np.float64]:
    """Return the bits of each level: float64 [comparisons, levels + 1]; the last column, index -1, is 0 for missing."""
    width = max((len(comparison.levels) for comparison in model.comparisons), default=0)
    table = np.zeros((len(model.comparisons), width + 1), dtype=np.float64)
    for position, comparison in enumerate(model.comparisons):
        table[position, : len(comparison.levels)] = [level.bits for level in comparison.levels]
    return table


def patterns(vectors: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
    """Return the distinct vectors, int8 [patterns, comparisons], and the pattern of each pair, int32 [pairs]."""
    if len(vectors) == 1:
        return vectors, np.zeros(1, dtype=np.int32)
    codes = np.zeros(len(vectors), dtype=np.int64)
    for position in range(vectors.shape[1]):
        spread = int(vectors[:, position].max(initial=0)) + 2
        codes, _ = distinct_positions(codes * spread + vectors[:, position] - MISSING)
    distinct, inverse = distinct_codes(codes)
    first = np.empty(len(distinct), dtype=np.int64)
    first[inverse[::-1]] = np.arange(len(vectors))[::-1]
    return vectors[first], inverse


def distinct_positions(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replace codes by their position among the distinct ones, so that the next column cannot overflow."""
    distinct, inverse = distinct_codes(codes)
    return inverse.astype(np.int64), distinct


def score(
    vectors: NDArray[np.int8], model: MatchModel, frequency_bits: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Add up the evidence of each pair, from the prior on, comparison by comparison.

    vectors         int8 [pairs, comparisons], level index, -1 = missing (adds nothing)
    frequency_bits  float64 [pairs, comparisons], what the commonness of agreed values takes off
    returns         float64 [pairs], match weight in bits
    source          Fellegi & Sunter, JASA 64(328), 1969; Newcombe et al., Science 130, 1959 for the frequencies
    """
    distinct, inverse = patterns(vectors)
    table = weights(model)
    bits = np.full(len(distinct), model.prior_bits, dtype=np.float64)
    for position in range(len(model.comparisons)):
        bits += table[position, distinct[:, position]]
    spread = bits[inverse]
    return spread if frequency_bits is None else np.round(spread + frequency_bits.sum(axis=1), 6)
