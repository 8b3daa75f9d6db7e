"""What a compare form gives to blocking keys: as texts, to be shown, and as hashes of the same texts, for many at once.

`texts` says in plain words what a transform does; `hashes` does it to a whole column. A test holds the two together:
the hashes are those of the texts, in any order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching import texts
from matching.term_frequency import GENERIC_TOKENS, GENERIC_WEIGHT, Rarity

RARE_SHARE: Final = 0.6
"""Part of the rarest word's weight that another rare word must have (chosen)."""

RARE_COUNT: Final = 2
PAIRED_COUNT: Final = 5
ACRONYM_LETTERS: Final = (2, 5)

KeyTexts: TypeAlias = Callable[[str, int, Rarity], Sequence[str]]
KeyHashes: TypeAlias = Callable[["Values", int], tuple[NDArray[np.int64], NDArray[np.uint64]]]


@dataclass(frozen=True, slots=True)
class Transform:
    """Turn a value into key texts; a number after a colon is a size: `first:4`, `rare_tokens:1`.

    texts   (value, size, rarity) → its key texts
    hashes  (values, size) → the value of each key text, int64 [texts], ascending, and its hash, uint64 [texts]
    """

    texts: KeyTexts
    hashes: KeyHashes


class Values:
    """Hold distinct values for all transforms that look at them: as letters, and parted into words when asked."""

    def __init__(self, values: Sequence[str], rarity: Rarity) -> None:
        self.texts = texts.texts_of(values)
        self._rarity = rarity

    @cached_property
    def squashed(self) -> texts.Texts:
        """Give the values without blanks."""
        return texts.squashed(self.texts)

    @cached_property
    def words(self) -> texts.Words:
        """Give the words of the values."""
        return texts.words_of(self.texts)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """Give how much each distinct word tells: float64 [distinct words]."""
        words = self.words.distinct
        return np.fromiter(map(self._rarity, words), dtype=np.float64, count=len(words))

    @cached_property
    def ranked(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give each value's distinct words from the rarest on: (value, word), int64 [words] each."""
        words = self.words
        heavy = self.weights.tolist()
        order = sorted(
            range(len(heavy)), key=lambda place: (-heavy[place], -len(words.distinct[place]), words.distinct[place])
        )
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        keyed = np.sort(words.owners * len(order) + rank[words.codes])
        keyed = keyed[np.concatenate(([True], keyed[1:] != keyed[:-1]))] if len(keyed) else keyed
        owners, places = np.divmod(keyed, max(1, len(order)))
        return owners, np.array(order, dtype=np.int64)[places]

    def rarest(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give each value's rarest words, but none far more common than the rarest: (value, word)."""
        owners, words = self.ranked
        weights, starts = self.weights[words], np.searchsorted(owners, owners)
        is_kept = (weights >= RARE_SHARE * weights[starts]) & (np.arange(len(owners)) - starts < count)
        return owners[is_kept], words[is_kept]


def _of_texts(made: texts.Texts) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    return np.arange(len(made)), texts.hashes_of(made)


def _whole_hashes(values: Values, _size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    return _of_texts(values.texts)


def _first_hashes(values: Values, size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    return _of_texts(texts.first(values.squashed, size))


def _last_hashes(values: Values, size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    return _of_texts(texts.last(values.squashed, size))


def _squashed_hashes(values: Values, _size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    return _of_texts(values.squashed)


def _consonant_hashes(values: Values, size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    sounding = texts.consonants(values.squashed)
    return _of_texts(texts.first(sounding, size) if size else sounding)


def _token_hashes(values: Values, _size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    owners, words = values.ranked
    return owners, values.words.hashes[words]


def _telling_hashes(values: Values, _size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    owners, words = values.ranked
    is_telling = values.weights[words] > GENERIC_WEIGHT
    has_telling = np.bincount(owners[is_telling], minlength=len(values.texts)) > 0
    kept = is_telling | ~has_telling[owners]
    return owners[kept], values.words.hashes[words[kept]]


def _rare_hashes(values: Values, size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    owners, words = values.rarest(size or RARE_COUNT)
    return owners, values.words.hashes[words]


def _pair_hashes(values: Values, _size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    owners, words = values.rarest(PAIRED_COUNT)
    starts = np.searchsorted(owners, np.arange(len(values.texts) + 1))
    counts, hashes = np.diff(starts), values.words.hashes[words]
    found = []
    for one, other in combinations(range(PAIRED_COUNT), 2):
        holding = np.flatnonzero(counts > other)
        found.append((holding, hashes[starts[holding] + one] + hashes[starts[holding] + other]))
    together = np.concatenate([rows for rows, _ in found])
    order = np.argsort(together, kind="stable")
    return together[order], np.concatenate([made for _, made in found])[order]


def _acronym_hashes(values: Values, _size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    words = values.words
    is_generic = np.fromiter((word in GENERIC_TOKENS for word in words.distinct), dtype=bool, count=len(words.distinct))
    told = np.concatenate(([0], np.cumsum(~is_generic[words.codes])))[words.offsets]
    owners = words.owners
    is_taken = ~is_generic[words.codes] | (np.diff(told) == 0)[owners]
    owners, codes = owners[is_taken], words.codes[is_taken]
    counts = np.bincount(owners, minlength=len(values.texts))
    lengths = np.fromiter(map(len, words.distinct), dtype=np.int64, count=len(words.distinct))
    least, most = ACRONYM_LETTERS
    by_initials = (counts >= max(2, least)) & (counts <= most)
    initials = np.array([ord(word[0]) & 255 for word in words.distinct], dtype=np.uint8)[codes[by_initials[owners]]]
    offsets = np.concatenate(([0], np.cumsum(counts[by_initials])))
    is_short = (counts[owners] == 1) & (lengths[codes] >= least) & (lengths[codes] <= most)
    rows = np.concatenate((np.flatnonzero(by_initials), owners[is_short]))
    hashes = np.concatenate((texts.hashes_of(texts.Texts(initials, offsets)), words.hashes[codes[is_short]]))
    order = np.argsort(rows, kind="stable")
    return rows[order], hashes[order]


def _rare_tokens(value: str, count: int, rarity: Rarity) -> Sequence[str]:
    weight_by_token = {token: rarity(token) for token in value.split()}
    most = max(weight_by_token.values(), default=0.0)
    telling = [token for token, weight in weight_by_token.items() if weight >= RARE_SHARE * most]
    ranked = sorted(telling, key=lambda token: (-weight_by_token[token], -len(token), token))
    return ranked[: count or RARE_COUNT]


def _token_pairs(value: str, _size: int, rarity: Rarity) -> Sequence[str]:
    return [" ".join(pair) for pair in combinations(sorted(_rare_tokens(value, PAIRED_COUNT, rarity)), 2)]


def _telling_tokens(value: str, _size: int, rarity: Rarity) -> Sequence[str]:
    tokens = sorted(set(value.split()))
    return [token for token in tokens if rarity(token) > GENERIC_WEIGHT] or tokens


def _acronym(value: str, _size: int, _rarity: Rarity) -> Sequence[str]:
    tokens = [token for token in value.split() if token not in GENERIC_TOKENS] or value.split()
    letters = "".join(token[0] for token in tokens) if len(tokens) > 1 else tokens[0]
    return [letters] if ACRONYM_LETTERS[0] <= len(letters) <= ACRONYM_LETTERS[1] else []


def _consonants(value: str, size: int, _rarity: Rarity) -> Sequence[str]:
    """Keep the first letter and the consonants of the rest, doubled ones once: slips mostly leave them alone."""
    squashed = value.replace(" ", "")
    kept = [squashed[0]]
    for letter in squashed[1:]:
        if letter not in "aeiouyhw" and letter != kept[-1]:
            kept.append(letter)
    return ["".join(kept)[: size or None]]


TRANSFORMS: Final[Mapping[str, Transform]] = {
    "whole": Transform(lambda value, _size, _rarity: [value], _whole_hashes),
    "first": Transform(lambda value, size, _rarity: [value.replace(" ", "")[:size]], _first_hashes),
    "last": Transform(lambda value, size, _rarity: [value.replace(" ", "")[-size:]], _last_hashes),
    "tokens": Transform(lambda value, _size, _rarity: sorted(set(value.split())), _token_hashes),
    "telling_tokens": Transform(_telling_tokens, _telling_hashes),
    "rare_tokens": Transform(_rare_tokens, _rare_hashes),
    "token_pairs": Transform(_token_pairs, _pair_hashes),
    "sorted_tokens": Transform(lambda value, _size, _rarity: [" ".join(sorted(value.split()))], _whole_hashes),
    "squashed": Transform(lambda value, _size, _rarity: [value.replace(" ", "")], _squashed_hashes),
    "acronym": Transform(_acronym, _acronym_hashes),
    "consonants": Transform(_consonants, _consonant_hashes),
}
"""How a compare form becomes key texts."""


def key_hashes(key_texts: Sequence[str]) -> NDArray[np.uint64]:
    """Hash key texts as `Transform.hashes` does: uint64 [texts]."""
    return texts.hashes_of(texts.texts_of(key_texts))
