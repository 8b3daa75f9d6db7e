"""Aligned tokens: for pairs of texts, how well each token of one side is found on the other, without a loop over pairs.

Texts are coded into a matrix of token codes; equal codes align first, what is left is compared as distinct token pairs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, Prefix
from rapidfuzz.process import cpdist

from matching.distinct import distinct_codes
from matching.term_frequency import GENERIC_TOKENS, Rarity

Codes: TypeAlias = NDArray[np.integer]
TokenMatch: TypeAlias = Callable[["Tokens", Codes, Codes], NDArray[np.float64]]

TOKENS_MAX: Final = 12
"""Tokens of a text that are aligned; the rest is left out (names beyond it are rarer than 1 in 1,000)."""

PAIRS_AT_ONCE: Final = 100_000
"""Pairs aligned at a time: bounds the [pairs, tokens, tokens] array to 15 MB (chosen)."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Hold both sides of aligned pairs.

    found       float64 [pairs, tokens], how well a token is found on the other side: 1 equal, 0 not at all
    weight      float64 [pairs, tokens], rarity of the token, 0 where there is none
    is_generic  bool [pairs, tokens], whether it stands in GENERIC_TOKENS
    has_digit   bool [pairs, tokens]
    """

    found_left: NDArray[np.float64]
    found_right: NDArray[np.float64]
    weight_left: NDArray[np.float64]
    weight_right: NDArray[np.float64]
    is_generic_left: NDArray[np.bool_]
    is_generic_right: NDArray[np.bool_]
    has_digit_left: NDArray[np.bool_]
    has_digit_right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Hold tokenised texts: codes int32 [texts, tokens], -1 for none, what is known of each word; the last is ""."""

    codes: NDArray[np.int32]
    words: NDArray[np.object_]
    weights: NDArray[np.float64]
    is_generic: NDArray[np.bool_]
    lengths: NDArray[np.int64]
    has_digit: NDArray[np.bool_]


def tokenise(texts: Sequence[str], rarity: Rarity) -> Tokens:
    """Split texts into words, each text's words distinct and at most TOKENS_MAX."""
    code_by_word: dict[str, int] = {}
    rows = [list(dict.fromkeys(text.split()))[:TOKENS_MAX] for text in texts]
    width = max((len(row) for row in rows), default=0) or 1
    codes = np.full((len(rows), width), -1, dtype=np.int32)
    for position, row in enumerate(rows):
        codes[position, : len(row)] = [code_by_word.setdefault(word, len(code_by_word)) for word in row]
    words = [*code_by_word, ""]
    return Tokens(
        codes,
        np.array(words, dtype=object),
        weights=np.array([rarity(word) for word in code_by_word] + [0.0]),
        is_generic=np.array([word in GENERIC_TOKENS for word in words], dtype=bool),
        lengths=np.array([len(word) for word in words]),
        has_digit=np.array([any(map(str.isdigit, word)) for word in words], dtype=bool),
    )


def align(tokens: Tokens, left: NDArray[np.integer], right: NDArray[np.integer], match: TokenMatch) -> Alignment:
    """Align the tokens of pairs of texts (positions in `tokens`)."""
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
    return Alignment(
        found_left,
        found_right,
        tokens.weights[codes_left],
        tokens.weights[codes_right],
        tokens.is_generic[codes_left],
        tokens.is_generic[codes_right],
        tokens.has_digit[codes_left],
        tokens.has_digit[codes_right],
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
