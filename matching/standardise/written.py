"""Many values as they were written, letters end to end: brought to ASCII at once, and sifted for placeholders.

A letter that stands for itself whatever stands beside it is looked up in a table. A value that needs more than that
(another script, control characters, more letters than are read) is left out, and read alone by whoever asks.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from anyascii import anyascii
from numpy.typing import NDArray

from matching import texts
from matching.standardise.text import MARKS, VALUE_LENGTH_MAX
from matching.texts import Texts

_LATIN_END: Final = 0x250
"""Letters up to here stand for themselves whatever stands beside them; so does the punctuation of `_TYPED`."""

_TYPED: Final = "‐‑‒–—―‘’‚“”„†•…‹›€™№"
_KNOWN_END: Final = 0x2140
"""Above every letter that is looked up, and above the last that is ASCII in lower case (the Kelvin sign, U+212A)."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """Hold values as Unicode: value i is codes[offsets[i] : offsets[i + 1]]; uint8 [letters] if all is ASCII."""

    codes: NDArray[np.uint8] | NDArray[np.uint32]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, values: Sequence[str]) -> "Written":
        """Lay values end to end."""
        joined = "".join(values)
        offsets = np.zeros(len(values) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, values), dtype=np.int64, count=len(values)), out=offsets[1:])
        if joined.isascii():
            return cls(np.frombuffer(joined.encode("ascii"), dtype=np.uint8), offsets)
        return cls(np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32), offsets)

    @property
    def is_ascii(self) -> NDArray[np.bool_]:
        """Tell which values are ASCII as they stand: bool [values]."""
        found = np.ones(len(self.offsets) - 1, dtype=bool)
        if self.codes.dtype != np.uint8:
            found[np.searchsorted(self.offsets, np.flatnonzero(self.codes > 127), side="right") - 1] = False
        return found

    def worths(self) -> NDArray[np.uint64]:
        """Give each value the sum of its letters' worth, case and signs aside: uint64 [values].

        Two values that differ in signs, blanks and case only are worth the same, so that what could stand for nothing
        is found without looking at each.
        """
        return texts.sums(_tables().worth[self._known()], self.offsets)

    def ascii(self) -> tuple[NDArray[np.int64], Texts]:
        """Give the places of the values that can be read together, int64 ascending, and each in ASCII, case kept."""
        tables, codes = _tables(), self._known()
        letters, offsets = tables.first[codes], self.offsets
        is_read = np.diff(offsets) <= VALUE_LENGTH_MAX
        if not letters.all():
            is_read[np.searchsorted(offsets, np.flatnonzero(letters == 0), side="right") - 1] = False
        if self.codes.dtype != np.uint8:
            letters, offsets = _spelled(letters, codes, offsets)
            is_read &= np.diff(offsets) <= VALUE_LENGTH_MAX
        rows = np.flatnonzero(is_read)
        found = Texts(letters, offsets)
        return rows, found if len(rows) == len(is_read) else texts.taken(found, rows)

    def _known(self) -> NDArray[np.integer]:
        """Give the letters as places in the tables."""
        return self.codes if self.codes.dtype == np.uint8 else np.minimum(self.codes, _KNOWN_END)


class _Tables(NamedTuple):
    """Hold what each letter is read as, by code; the last entry stands for every letter above.

    first  its first letter in ASCII, 0 for what is not read together
    more   how many further letters it has
    worth  what it adds to `Written.worths`
    """

    first: NDArray[np.uint8]
    more: NDArray[np.int8]
    worth: NDArray[np.uint64]


@cache
def _tables() -> _Tables:
    first = np.zeros(_KNOWN_END + 1, dtype=np.uint8)
    more = np.zeros(_KNOWN_END + 1, dtype=np.int8)
    for code, meant in simple_letters().items():
        first[code], more[code] = ord(meant[0]), len(meant) - 1
    worths = texts.mix(np.arange(1, 129, dtype=np.uint64), np.uint64(0xD1B54A32D192ED03))
    worth = np.zeros(_KNOWN_END + 1, dtype=np.uint64)
    for code in range(_KNOWN_END):
        small = [ord(letter) for letter in chr(code).lower() if letter.isascii() and letter.isalnum()]
        worth[code] = worths[small].sum()
    return _Tables(first, more, worth)


@cache
def simple_letters() -> dict[int, str]:
    """Give what each letter that stands for itself is read as, ASCII as it is."""
    others = [*map(chr, range(0x7F, _LATIN_END)), *_TYPED]
    simple = {
        ord(letter): anyascii(unicodedata.normalize("NFKC", letter.translate(MARKS)))
        for letter in others
        if letter.isprintable()
    }
    return {code: chr(code) for code in range(0x20, 0x7F)} | simple


def _spelled(
    letters: NDArray[np.uint8], codes: NDArray[np.integer], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Write out letters that are read as several: ß is ss."""
    more = _tables().more[codes]
    places = np.flatnonzero(more)
    if len(places) == 0:
        return letters, offsets
    counts = np.ones(len(codes), dtype=np.int64)
    counts[places] += more[places]
    before = np.zeros(len(codes) + 1, dtype=np.int64)
    np.cumsum(counts, out=before[1:])
    written = np.repeat(letters, counts)
    simple = simple_letters()
    for code in np.unique(codes[places]).tolist():
        starts = before[places[codes[places] == code]]
        for further, letter in enumerate(simple[code][1:], 1):
            written[starts + further] = ord(letter)
    return written, before[offsets]
