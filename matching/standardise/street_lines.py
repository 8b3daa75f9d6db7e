"""Streets, many at once: what `places.street` and `places.house_number` give to each.

Folding and parting into words is done for all together. A street with a unit, a floor, a range of numbers or a post box
is read alone, and so is a number without a street.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.standardise import places
from matching.standardise.given import Given, given_singly
from matching.standardise.lines import Lines, lines_of
from matching.standardise.written import Written

_SHORT: Final = 7
"""Letters and digits up to which a line may be a number alone, as "12345 b c" is."""

_GLUED: Final = re.compile(r"^[0-9]+[a-z]+$")
"""What may be a floor behind a comma: "3o", "3og", "2piso"."""


@dataclass(frozen=True, slots=True, eq=False)
class StreetLines:
    """Hold what is given to streets: their compare forms without numbers, and the house numbers."""

    streets: Given
    house_numbers: Given


def street_lines(values: Sequence[str], countries: Sequence[str], written: Written) -> StreetLines:
    """Read streets, each in its country (lower-case ISO-2 or "")."""
    lines = lines_of(written)
    plain = np.flatnonzero(_is_plain(lines))
    rows = lines.rows[plain].tolist()
    alone = np.setdiff1d(np.arange(len(values)), lines.rows[plain], assume_unique=True).tolist()
    streets: list[tuple[str, ...]] = [()] * len(values)
    numbers: list[tuple[str, ...]] = [()] * len(values)
    for row, words in zip(rows, lines.words.lists(plain), strict=True):
        left, number = places.numbered(words, countries[row])
        street = places.street_of(left)
        streets[row], numbers[row] = (street,) if street else (), (number,) if number else ()
    for row in alone:
        streets[row] = places.street(values[row], countries[row])
        numbers[row] = places.house_number(values[row], countries[row])
    return StreetLines(given_singly(streets), given_singly(numbers))


def _is_plain(lines: Lines) -> NDArray[np.bool_]:
    """Tell which lines are words and perhaps a number: bool [lines]."""
    words = lines.words
    is_special = np.fromiter((places.is_special((word,)) for word in words.distinct), bool, len(words.distinct))
    is_glued = np.fromiter((_GLUED.match(word) is not None for word in words.distinct), bool, len(words.distinct))
    has_comma = lines.count(",") > 0
    found = (lines.count("/") > 0) | (lines.count("#") > 0) | lines.has_pair("-+", "0123456789 ")
    found |= has_comma & ((lines.count("'") > 0) | (lines.count("`") > 0))
    found |= lines.letters_count <= _SHORT
    found[words.owners[is_special[words.codes]]] = True
    found[words.owners[is_glued[words.codes] & has_comma[words.owners]]] = True
    return ~found & (np.diff(words.offsets) > 0)
