"""Comparison vectors: for each pair and comparison, the level that holds.

Equal codes are settled as integers; strings meet only once for each distinct pair of values, however many record pairs
hold it. Records with several values are as like as their likest two.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching import kernels
from matching.comparators import COMPARATORS, EQUAL_IS_ONE
from matching.distinct import distinct_codes
from matching.model import MISSING, Comparison, MatchModel
from matching.records import Column, Forms
from matching.term_frequency import informative, token_rarity
from matching.vocabulary import Vocabulary

_TOLERANCE: Final = 1e-9
_FEW: Final = 8
"""Pairs whose levels are found one by one (November 2026: as quick up to here)."""


def compare(forms: Forms, left: NDArray[np.integer], right: NDArray[np.integer], model: MatchModel) -> NDArray[np.int8]:
    """Return int8 [pairs, comparisons]: the index of the level that holds, -1 where a record has no value."""
    return compare_known(informative(forms, model.population), left, right, model)


def compare_known(
    forms: Forms, left: NDArray[np.integer], right: NDArray[np.integer], model: MatchModel
) -> NDArray[np.int8]:
    """Compare as `compare` does forms whose values all tell something (`term_frequency.informative`)."""
    vectors = np.full((len(left), len(model.comparisons)), MISSING, dtype=np.int8)
    words = vocabularies(forms, model)
    for position, comparison in enumerate(model.comparisons):
        column = forms.features[comparison.feature]
        vectors[:, position] = compare_feature(column, left, right, comparison, words[comparison.feature])
    return vectors


def vocabularies(forms: Forms, model: MatchModel) -> dict[str, Vocabulary]:
    """Give the vocabulary of every feature that is compared."""
    return {
        name: Vocabulary(forms.features[name].values, token_rarity(model.population, name))
        for name in dict.fromkeys(comparison.feature for comparison in model.comparisons)
    }


def compare_feature(
    column: Column, left: NDArray[np.integer], right: NDArray[np.integer], comparison: Comparison, words: Vocabulary
) -> NDArray[np.int8]:
    """Return the level index of one comparison: int8 [pairs]."""
    return levels_of(likeness(column, left, right, comparison.comparator, words), comparison)


def levels_of(alike: NDArray[np.float64], comparison: Comparison) -> NDArray[np.int8]:
    """Return the level index of each likeness, -1 for a missing one: int8 [pairs]."""
    if len(alike) <= _FEW:
        return np.array([_level_of(one, comparison) for one in alike.tolist()], dtype=np.int8)
    is_missing = alike < 0
    if is_missing.all():
        return np.full(len(alike), MISSING, dtype=np.int8)
    levels = np.zeros(len(alike), dtype=np.int8)
    for level in comparison.levels[:-1]:
        levels += alike < level.at_least - _TOLERANCE
    levels[is_missing] = MISSING
    return levels


def _level_of(alike: float, comparison: Comparison) -> int:
    if alike < 0:
        return MISSING
    return next(place for place, level in enumerate(comparison.levels) if alike >= level.at_least - _TOLERANCE)


def likeness(
    column: Column, left: NDArray[np.integer], right: NDArray[np.integer], comparator: str, words: Vocabulary
) -> NDArray[np.float64]:
    """Return how like the likest values of both records are: float64 [pairs], -1 where one has none."""
    if kernels.IS_COMPILED and comparator in EQUAL_IS_ONE:
        return _compiled_likeness(column, left, right, comparator, words)
    return likeness_by_columns(column, left, right, comparator, words)


def _compiled_likeness(
    column: Column, left: NDArray[np.integer], right: NDArray[np.integer], comparator: str, words: Vocabulary
) -> NDArray[np.float64]:
    alike = np.empty(len(left), dtype=np.float64)
    open_count = kernels.settled(left, right, column.offsets, column.codes, alike)
    if comparator == "exact" or open_count == 0:
        return alike
    owners, crossed = np.empty(open_count, dtype=np.int32), np.empty(open_count, dtype=np.int64)
    kernels.crossed(left, right, (column.offsets, column.codes), alike, owners, crossed)
    distinct, positions = distinct_codes(crossed)
    found = COMPARATORS[comparator](words, distinct >> 32, distinct & 0xFFFFFFFF)
    kernels.raised(owners, positions, found, alike)
    return alike


def likeness_by_columns(
    column: Column, left: NDArray[np.integer], right: NDArray[np.integer], comparator: str, words: Vocabulary
) -> NDArray[np.float64]:
    """Return what `likeness` does, column by column: where nothing is compiled."""
    alike = np.full(len(left), -1.0)
    if len(column.codes) == 0:
        return alike
    counts_left, counts_right = column.counts[left], column.counts[right]
    asked = np.flatnonzero((counts_left > 0) & (counts_right > 0))
    if len(asked) == 0:
        return alike
    if counts_left[asked].max() == 1 and counts_right[asked].max() == 1:
        codes_left = column.codes[column.offsets[left[asked]]]
        codes_right = column.codes[column.offsets[right[asked]]]
        alike[asked] = _likeness(words, codes_left, codes_right, comparator)
        return alike
    owners, codes_left, codes_right = _crossed(column, left[asked], right[asked])
    found = _likeness(words, codes_left, codes_right, comparator)
    starts = np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1])))
    alike[asked] = np.maximum.reduceat(found, starts)
    return alike


def _crossed(
    column: Column,
    left: NDArray[np.integer],
    right: NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Pair every value of the left record with every one of the right: (position of pair, left code, right code)."""
    counts_left, counts_right = column.counts[left], column.counts[right]
    counts = counts_left * counts_right
    owners = np.repeat(np.arange(len(left)), counts)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = counts_right[owners]
    codes_left = column.codes[column.offsets[left][owners] + within // width]
    codes_right = column.codes[column.offsets[right][owners] + within % width]
    return owners, codes_left, codes_right


def _likeness(
    words: Vocabulary, left: NDArray[np.int32], right: NDArray[np.int32], comparator: str
) -> NDArray[np.float64]:
    """Compare each distinct unordered pair of values once and spread the result: float64 [value pairs]."""
    likeness = np.ones(len(left), dtype=np.float64)
    undecided = np.flatnonzero(left != right) if comparator in EQUAL_IS_ONE else np.arange(len(left))
    if comparator == "exact":
        likeness[undecided] = 0.0
        return likeness
    if len(undecided) == 0:
        return likeness
    low, high = np.minimum(left, right)[undecided].astype(np.int64), np.maximum(left, right)[undecided].astype(np.int64)
    distinct, inverse = distinct_codes((low << 32) | high)
    likeness[undecided] = COMPARATORS[comparator](words, distinct >> 32, distinct & 0xFFFFFFFF)[inverse]
    return likeness
