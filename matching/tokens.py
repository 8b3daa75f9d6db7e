"""Aligned tokens: for pairs of texts, how well each token of one side is found on the other.

Texts are coded into a matrix of token codes; equal codes align first, then what is left. A compiled loop does it pair
by pair; without it, the same is done by columns, what is left being compared as distinct token pairs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, Prefix
from rapidfuzz.process import cpdist

from matching import kernels
from matching.distinct import distinct_codes
from matching.texts import Texts, letter_sets

Codes: TypeAlias = NDArray[np.integer]
TokenMatch: TypeAlias = Callable[["Tokens", Codes, Codes], NDArray[np.float64]]

TOKENS_MAX: Final = 12
"""Tokens of a text that are aligned; the rest is left out (names beyond it are rarer than 1 in 1,000)."""

PAIRS_AT_ONCE: Final = 100_000
"""Pairs aligned at a time: bounds the [pairs, tokens, tokens] array to 15 MB (chosen)."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Hold what pairs of texts have in common and for themselves, one entry a pair; weight is a token's rarity.

    shared          weight of the tokens found on the other side, each by how well it is found; of both sides
    held            weight of all tokens of both sides
    extra           weight of the heaviest token that is not found on the other side; 0 when all are
    heaviest        weight of the heaviest token that is found, of both sides
    found           tokens that are found, of the side that has fewer
    own             tokens that are not found
    own_telling     tokens that are not found and do not stand in GENERIC_TOKENS, of both sides
    has_own_number  1 where any of them has a digit, else 0
    words           tokens of both sides
    """

    shared: NDArray[np.float64]
    held: NDArray[np.float64]
    extra_left: NDArray[np.float64]
    extra_right: NDArray[np.float64]
    heaviest: NDArray[np.float64]
    found: NDArray[np.float64]
    own_left: NDArray[np.float64]
    own_right: NDArray[np.float64]
    own_telling: NDArray[np.float64]
    has_own_number: NDArray[np.float64]
    words: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tokens:
    """Hold tokenised texts: codes int32 [texts, tokens], -1 for none, what is known of each word; the last is ""."""

    codes: NDArray[np.int32]
    words: NDArray[np.object_]
    weights: NDArray[np.float64]
    is_generic: NDArray[np.bool_]
    lengths: NDArray[np.int64]
    has_digit: NDArray[np.bool_]
    letters: Texts

    @cached_property
    def compiled(self) -> kernels.Words:
        """Give the same as compiled loops take it."""
        known = np.zeros(len(self.words), dtype=kernels.WORD)
        known["letters"], known["weight"] = letter_sets(self.letters), self.weights
        known["start"], known["size"], known["length"] = self.letters.offsets[:-1], self.letters.lengths, self.lengths
        known["has_digit"], known["is_generic"] = self.has_digit, self.is_generic
        return kernels.Words(self.codes, known, self.letters.letters)


def overlap(tokens: Tokens, left: Codes, right: Codes, match: TokenMatch) -> Overlap:
    """Compare the tokens of pairs of texts (positions in `tokens`)."""
    if kernels.IS_COMPILED:
        rows = np.empty((len(left), kernels.COLUMNS), dtype=np.float64)
        kernels.overlaps(_MODES[match], left, right, tokens.compiled, rows)
        return Overlap(*rows.T)
    parts = [_overlap(tokens, left[part], right[part], match) for part in _parts(len(left))]
    return Overlap(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Overlap)))


def _parts(pairs_count: int) -> list[slice]:
    return [slice(start, start + PAIRS_AT_ONCE) for start in range(0, max(1, pairs_count), PAIRS_AT_ONCE)]


def _overlap(tokens: Tokens, left: Codes, right: Codes, match: TokenMatch) -> Overlap:
    codes_left, codes_right = tokens.codes[left], tokens.codes[right]
    present_left, present_right = codes_left >= 0, codes_right >= 0
    equal = (codes_left[:, :, None] == codes_right[:, None, :]) & present_left[:, :, None]
    found_left, found_right = equal.any(axis=2).astype(np.float64), equal.any(axis=1).astype(np.float64)
    open_left = present_left & (found_left == 0)
    open_right = present_right & (found_right == 0)
    pair, row, column = np.nonzero(open_left[:, :, None] & open_right[:, None, :])
    if len(pair):
        asked, inverse = distinct_codes((codes_left[pair, row].astype(np.int64) << 32) | codes_right[pair, column])
        likeness = match(tokens, asked >> 32, asked & 0xFFFFFFFF)[inverse]
        np.maximum.at(found_left, (pair, row), likeness)
        np.maximum.at(found_right, (pair, column), likeness)
    weight_left, weight_right = tokens.weights[codes_left], tokens.weights[codes_right]
    own_left, own_right = present_left & (found_left == 0), present_right & (found_right == 0)
    own_codes = np.where(own_left, codes_left, -1), np.where(own_right, codes_right, -1)
    is_told = ~tokens.is_generic
    is_told[-1] = False
    return Overlap(
        shared=(found_left * weight_left).sum(axis=1) + (found_right * weight_right).sum(axis=1),
        held=weight_left.sum(axis=1) + weight_right.sum(axis=1),
        extra_left=np.where(own_left, weight_left, 0.0).max(axis=1),
        extra_right=np.where(own_right, weight_right, 0.0).max(axis=1),
        heaviest=np.maximum(
            np.where(found_left > 0, weight_left, 0.0).max(axis=1),
            np.where(found_right > 0, weight_right, 0.0).max(axis=1),
        ),
        found=np.minimum((found_left > 0).sum(axis=1), (found_right > 0).sum(axis=1)).astype(np.float64),
        own_left=own_left.sum(axis=1).astype(np.float64),
        own_right=own_right.sum(axis=1).astype(np.float64),
        own_telling=sum(is_told[codes].sum(axis=1) for codes in own_codes).astype(np.float64),
        has_own_number=np.maximum(*(tokens.has_digit[codes].max(axis=1) for codes in own_codes)).astype(np.float64),
        words=present_left.sum(axis=1).astype(np.float64) + present_right.sum(axis=1),
    )


def slips(tokens: Tokens, left: Codes, right: Codes) -> NDArray[np.float64]:
    """Match words a slip of the pen apart: one edit from 4 letters on, two from 8, none in a word with a digit."""
    length = np.minimum(tokens.lengths[left], tokens.lengths[right])
    allowed = np.where(length >= 8, 2, np.where(length >= 4, 1, 0))
    edits = cpdist(tokens.words[left], tokens.words[right], scorer=OSA.distance, score_cutoff=2, dtype=np.int32)
    has_digit = tokens.has_digit[left] | tokens.has_digit[right]
    return np.where((edits <= allowed) & ~has_digit, 1.0 - edits / np.maximum(length, 1), 0.0)


def abbreviations_or_slips(tokens: Tokens, left: Codes, right: Codes) -> NDArray[np.float64]:
    """Match words as `slips` does, or a beginning of three letters and more with a word of six and more (0.85)."""
    shorter = np.minimum(tokens.lengths[left], tokens.lengths[right])
    longer = np.maximum(tokens.lengths[left], tokens.lengths[right])
    found = slips(tokens, left, right)
    asked = np.flatnonzero((shorter > 2) & (longer > 5) & ~tokens.has_digit[left] & ~tokens.has_digit[right])
    begun = cpdist(tokens.words[left[asked]], tokens.words[right[asked]], scorer=Prefix.similarity, dtype=np.int32)
    found[asked] = np.maximum(found[asked], np.where(begun == shorter[asked], 0.85, 0.0))
    return found


def initials_or_slips(tokens: Tokens, left: Codes, right: Codes) -> NDArray[np.float64]:
    """Match words as `slips` does, or a single letter with a word that begins with it (0.7)."""
    found = slips(tokens, left, right)
    asked = np.flatnonzero(np.minimum(tokens.lengths[left], tokens.lengths[right]) == 1)
    begun = cpdist(tokens.words[left[asked]], tokens.words[right[asked]], scorer=Prefix.similarity, dtype=np.int32)
    found[asked] = np.maximum(found[asked], np.where(begun == 1, 0.7, 0.0))
    return found


_MODES: Final[Mapping[TokenMatch, int]] = {
    slips: kernels.SLIPS,
    abbreviations_or_slips: kernels.ABBREVIATIONS,
    initials_or_slips: kernels.INITIALS,
}
