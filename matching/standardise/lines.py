"""Many values folded and parted into words at once, letters end to end: what `text.fold` and `text.words` do to one.

Values that `Written` leaves out are left out here too. A test holds the two ways together.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching import texts
from matching.standardise.text import PUNCTUATION, join_dotted
from matching.standardise.written import Written
from matching.texts import Texts, Words

_NONE: Final = 0
_APART: Final = "\0"
"""Stands between lines of which none holds it: neither a letter nor a blank."""

_BLANK: Final = 32
_E, _S = ord("e"), ord("s")


_ROUND: Final = texts.among("aou")
_SOFTENING: Final = texts.among("aeiouq")
_CONSONANTS: Final = texts.among("bcdfghjklmnpqrstvwxz")
_LETTERS: Final = texts.among("abcdefghijklmnopqrstuvwxyz")
_WORDED: Final = _LETTERS | texts.among("0123456789")
_QUOTES: Final = texts.among("'`")
_POINT: Final = ord(".")
_LOWER: Final = np.array([ord(chr(code).lower()) if code < 128 else code for code in range(256)], dtype=np.uint8)
_PARTED: Final = np.array([_BLANK if code in PUNCTUATION else code for code in range(256)], dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Hold the values that could be read together.

    rows    int64 [lines], ascending: their places among all values
    folded  lower-case ASCII with ä, ae and a as one, punctuation kept
    words   their words
    """

    rows: NDArray[np.int64]
    folded: Texts
    words: Words

    @property
    def letters_count(self) -> NDArray[np.int64]:
        """Count the letters and digits of each line: int64 [lines]."""
        is_worded = _WORDED[self.folded.letters].astype(np.uint64)
        return texts.sums(is_worded, self.folded.offsets).astype(np.int64)

    def count(self, letter: str) -> NDArray[np.int64]:
        """Count a letter or sign in each line: int64 [lines]."""
        return texts.sums((self.folded.letters == ord(letter)).astype(np.uint64), self.folded.offsets).astype(np.int64)

    def ends_with(self, letters: str) -> NDArray[np.bool_]:
        """Tell which lines end with one of these letters, blanks aside: bool [lines]."""
        letters_of, offsets = self.folded.letters, self.folded.offsets
        is_letter = letters_of != _BLANK
        last = np.maximum.accumulate(np.where(is_letter, np.arange(len(letters_of)), -1)) if len(letters_of) else None
        found = np.zeros(len(self.rows), dtype=bool)
        if last is not None:
            has_any = offsets[1:] > offsets[:-1]
            place = last[offsets[1:][has_any] - 1]
            found[has_any] = (place >= offsets[:-1][has_any]) & texts.among(letters)[letters_of[place]]
        return found

    def has_pair(self, firsts: str, seconds: str) -> NDArray[np.bool_]:
        """Tell which lines hold one of some signs right before one of others: bool [lines]."""
        letters, offsets = self.folded.letters, self.folded.offsets
        is_pair = texts.among(firsts)[letters] & texts.among(seconds)[_after(letters, offsets)]
        return texts.sums(is_pair.astype(np.uint64), offsets) > 0


def lines_of(written: Written) -> Lines:
    """Read values together; those that need more than their letters are left out."""
    rows, plain = written.ascii()
    folded = _folded(plain)
    return Lines(rows, folded, texts.words_of(_worded(folded)))


def worded(plain: Texts) -> Texts:
    """Keep lower-case letters and digits only, as `text.alphanumeric` does to one value."""
    letters = _LOWER[plain.letters]
    return texts.kept(Texts(letters, plain.offsets), _WORDED[letters])


def _folded(plain: Texts) -> Texts:
    """Fold ASCII texts: lower case, and the e taken out of ae, oe and ue where it only softens."""
    letters = _LOWER[plain.letters]
    places = np.flatnonzero(letters == _E)
    if len(places) == 0:
        return Texts(letters, plain.offsets)
    before, further = _before(letters, plain, places, 1), _before(letters, plain, places, 2)
    after = _after(letters, plain.offsets)[places]
    dropped = places[_ROUND[before] & ~_SOFTENING[further] & _CONSONANTS[after]]
    is_kept = np.ones(len(letters), dtype=bool)
    is_kept[dropped] = False
    return texts.kept(Texts(letters, plain.offsets), is_kept)


def _worded(folded: Texts) -> Texts:
    """Put blanks where words part: "I.B.M." is one, a possessive keeps its s, all other punctuation parts."""
    joined = _without_apostrophes(folded)
    parted = Texts(_PARTED[joined.letters], joined.offsets)
    dotted = np.flatnonzero(_is_dotted(joined))
    if len(dotted) == 0:
        return parted
    written = join_dotted(_APART.join(texts.strings_of(texts.taken(joined, dotted))))
    put_right = texts.texts_of(written.split(_APART))
    order = np.arange(len(folded))
    order[dotted] = len(folded) + np.arange(len(dotted))
    both = Texts(
        np.concatenate((parted.letters, _PARTED[put_right.letters])),
        np.concatenate((parted.offsets, parted.offsets[-1] + put_right.offsets[1:])),
    )
    return texts.taken(both, order)


def _without_apostrophes(folded: Texts) -> Texts:
    letters, offsets = folded.letters, folded.offsets
    places = np.flatnonzero(_QUOTES[letters])
    if len(places) == 0:
        return folded
    before = _before(letters, folded, places, 1)
    after = _after(letters, offsets)[places]
    is_inside = _WORDED[before] & _LETTERS[after]
    is_possessive = (before == _S) & ((after == _BLANK) | (after == _NONE))
    is_kept = np.ones(len(letters), dtype=bool)
    is_kept[places[is_inside | is_possessive]] = False
    return texts.kept(folded, is_kept)


def _is_dotted(joined: Texts) -> NDArray[np.bool_]:
    """Tell which texts have a single letter before a point, as initials do: bool [texts]."""
    letters, offsets = joined.letters, joined.offsets
    points = np.flatnonzero(letters == _POINT)
    before, further = _before(letters, joined, points, 1), _before(letters, joined, points, 2)
    initials = points[_LETTERS[before] & ~_WORDED[further] & (further != ord("_"))]
    found = np.zeros(len(joined), dtype=bool)
    found[np.searchsorted(offsets, initials, side="right") - 1] = True
    return found


def _before(letters: NDArray[np.uint8], of: Texts, places: NDArray[np.int64], by: int) -> NDArray[np.uint8]:
    """Return the letter some places before each of some, 0 where its text begins later: uint8 [places]."""
    starts = of.offsets[np.searchsorted(of.offsets, places, side="right") - 1]
    found: NDArray[np.uint8] = letters[np.maximum(places - by, 0)]
    found[places - by < starts] = _NONE
    return found


def _after(letters: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the letter after each in its text, 0 after the last: uint8 [letters]."""
    after = np.zeros(len(letters), dtype=np.uint8)
    after[:-1] = letters[1:]
    after[offsets[1:][offsets[1:] > offsets[:-1]] - 1] = _NONE
    return after
