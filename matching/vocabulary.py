"""The distinct values of one feature, and what comparators make of them once for all pairs: words, letters, arrays."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from matching import texts
from matching.term_frequency import GENERIC_TOKENS, Rarity
from matching.tokens import TOKENS_MAX, Tokens

T = TypeVar("T")
Positions: TypeAlias = NDArray[np.integer]

_NONE: Final = -1

_FEW: Final = 64
"""Values that are parted one by one (chosen: to ask numpy costs as much as some dozens)."""


class Vocabulary:
    """Hold distinct values, how rare their words are, and what was derived from them."""

    def __init__(self, values: Sequence[str], rarity: Rarity) -> None:
        self.values = values
        self._rarity = rarity
        self._derived: dict[Callable[[Sequence[str]], Any], Any] = {}
        self._found: tuple[Positions, Positions, NDArray[np.float64]] | None = None

    def derived(self, make: Callable[[Sequence[str]], T]) -> T:
        """Give what a function makes of the values, made once."""
        if make not in self._derived:
            self._derived[make] = make(self.values)
        found: T = self._derived[make]
        return found

    def once(
        self,
        compare: "Callable[[Vocabulary, Positions, Positions], NDArray[np.float64]]",
        left: Positions,
        right: Positions,
    ) -> NDArray[np.float64]:
        """Compare pairs, unless they were compared last: two comparisons of a model may ask for the same likeness."""
        found = self._found
        if found is None or not (np.array_equal(found[0], left) and np.array_equal(found[1], right)):
            self._found = found = left, right, compare(self, left, right)
        return found[2]

    @cached_property
    def array(self) -> NDArray[np.object_]:
        """Give the values as an array: object [values]."""
        return _objects(self.values)

    @cached_property
    def tokens(self) -> Tokens:
        """Give the values in words, each value's distinct and at most TOKENS_MAX."""
        owners, codes, told = _words_of_few(self.values) if len(self.values) <= _FEW else _words_of(self.values)
        counts = np.bincount(owners, minlength=len(self.values))
        within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = within < TOKENS_MAX
        width = min(TOKENS_MAX, int(counts.max(initial=1)))
        table = np.full((len(self.values), max(1, width)), _NONE, dtype=np.int32)
        table[owners[kept], within[kept]] = codes[kept]
        distinct = [*told, ""]
        letters = texts.texts_of(distinct)
        return Tokens(
            table,
            _objects(distinct),
            weights=np.array([self._rarity(word) for word in told] + [0.0]),
            is_generic=np.array([word in GENERIC_TOKENS for word in distinct], dtype=bool),
            lengths=np.fromiter(map(len, distinct), dtype=np.int64, count=len(distinct)),
            has_digit=texts.with_digit(letters),
            letters=letters,
        )

    @cached_property
    def squashed(self) -> texts.Texts:
        """Give the values without blanks, as letters."""
        return texts.squashed(texts.texts_of(self.values))

    @cached_property
    def squashed_sets(self) -> NDArray[np.uint64]:
        """Give the sets of their letters: uint64 [values]."""
        return texts.letter_sets(self.squashed)

    @cached_property
    def squashed_array(self) -> NDArray[np.object_]:
        """Give the values without blanks: object [values]."""
        return _objects([value.replace(" ", "") for value in self.values])

    @cached_property
    def squashed_has_digit(self) -> NDArray[np.bool_]:
        """Tell which values hold a digit: bool [values]."""
        return texts.with_digit(self.squashed)

    @cached_property
    def shorthand(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Code the values without blanks, and their acronyms where they have one, else -1: int32 [values] each."""
        code_by_text: dict[str, int] = {}
        whole = [code_by_text.setdefault(text, len(code_by_text)) for text in self.squashed_array.tolist()]
        short = [code_by_text.get(acronym(value), _NONE) for value in self.values]
        return np.array(whole, dtype=np.int32), np.array(short, dtype=np.int32)


def acronym(name: str) -> str:
    """Return the initials of two to five telling words, "" for others."""
    words = name.split()
    if len(words) > 2:
        words = [word for word in words if word not in GENERIC_TOKENS]
    return "".join(word[0] for word in words) if 2 <= len(words) <= 5 else ""


def _words_of_few(values: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Part values into the words that each has once, one by one: owner and code of each, and the words."""
    code_by_word: dict[str, int] = {}
    held = [
        (place, code_by_word.setdefault(word, len(code_by_word)))
        for place, value in enumerate(values)
        for word in dict.fromkeys(value.split(" "))
        if word
    ]
    owners, codes = np.array(held, dtype=np.int64).reshape(-1, 2).T
    return owners, codes, list(code_by_word)


def _words_of(values: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Do the same with many values at once."""
    words = texts.words_of(texts.texts_of(values))
    return (*_first_of_each(words.owners, words.codes.astype(np.int64), len(words.distinct)), words.distinct)


def _first_of_each(
    owners: NDArray[np.int64], codes: NDArray[np.int64], codes_count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drop the words that a value has a second time."""
    keyed = owners * codes_count + codes
    ordered = np.sort(keyed)
    if not (ordered[1:] == ordered[:-1]).any():
        return owners, codes
    _, first = np.unique(keyed, return_index=True)
    first.sort()
    return owners[first], codes[first]


def _objects(values: Sequence[str]) -> NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
