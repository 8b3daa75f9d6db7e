"""Streets, many at once: what `places.street` and `places.house_number` give to each.

Which word is the house number is told by what kinds of words there are and by the country, so that each such shape is
parted once, by the code that parts one street. A street with a unit, a floor, a range of numbers or a post box is read
alone, and so is a number without a street.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching import texts
from matching.standardise import places
from matching.standardise.given import Given, given_together
from matching.standardise.lines import Lines, lines_of
from matching.standardise.written import Written
from matching.texts import Texts, Words

_SHORT: Final = 7
"""Letters and digits up to which a line may be a number alone, as "12345 b c" is."""

_GLUED: Final = re.compile(r"^[0-9]+[a-z]+$")
"""What may be a floor behind a comma: "3o", "3og", "2piso"."""

_SHAPES_KEPT: Final = 50_000
"""Shapes of streets that are kept from one batch to the next (chosen: some 20 MB)."""

_WORD_OF_KIND: Final = ("street", "1", "12", "123", "1234", "12345", "123456", "b", "n", "12b", "1st")
"""A word of each kind of `places.word_kind`."""

_STREET, _NUMBER = 0, 1
"""What a word of a street is part of."""

_STEP: Final = np.uint64(0xD1B54A32D192ED03)
"""Tells equal words at different places apart; any odd number does but the one that `texts.mix` multiplies by."""


@dataclass(frozen=True, slots=True, eq=False)
class StreetLines:
    """Hold what is given to streets: their compare forms without numbers, and the house numbers."""

    streets: Given
    house_numbers: Given


def street_lines(values: Sequence[str], countries: Sequence[str], written: Written) -> StreetLines:
    """Read streets, each in its country (lower-case ISO-2 or "")."""
    lines = lines_of(written)
    counts = np.diff(lines.words.offsets)
    where = [countries[row] for row in lines.rows.tolist()]
    is_plain, is_short = ~_is_special(lines) & (counts > 0), lines.letters_count <= _SHORT
    shapes, told = _shapes(lines, where)
    parted = [_parted(kinds, country) for kinds, country in told]
    is_told = np.array([one is not None for one in parted], dtype=bool)
    plain = np.flatnonzero(is_plain & ~is_short & is_told[shapes])
    roles = np.concatenate(
        [np.empty(0, dtype=np.int8), *(_roles(one, kinds) for one, (kinds, _) in zip(parted, told, strict=True))]
    )
    starts = np.cumsum([0, *(len(kinds) for kinds, _ in told)])
    within = np.arange(len(lines.words.codes)) - np.repeat(lines.words.offsets[:-1], counts)
    role = roles[np.repeat(starts[shapes], counts) + within]
    streets = texts.taken(_streets(lines, role == _STREET), plain)
    numbers = texts.taken(_numbers(lines, role == _NUMBER), plain)
    with_street, with_number = np.flatnonzero(streets.lengths > 0), np.flatnonzero(numbers.lengths > 0)
    alone = _alone(values, countries, lines, plain, is_short)
    return StreetLines(
        given_together(
            len(values),
            lines.rows[plain[with_street]],
            texts.taken(streets, with_street),
            {row: read.street for row, read in alone.items()},
        ),
        given_together(
            len(values),
            lines.rows[plain[with_number]],
            texts.taken(numbers, with_number),
            {row: read.house_number for row, read in alone.items()},
        ),
    )


def _alone(
    values: Sequence[str], countries: Sequence[str], lines: Lines, plain: NDArray[np.int64], is_short: NDArray[np.bool_]
) -> dict[int, places.StreetRead]:
    """Read what is not plain: as it was written where it may be a number alone, else as it is folded."""
    is_left = np.ones(len(lines.rows), dtype=bool)
    is_left[plain] = False
    longer = np.flatnonzero(is_left & ~is_short)
    folded = texts.strings_of(texts.taken(lines.folded, longer))
    found = {
        row: places.read_folded(line.strip(), countries[row])
        for row, line in zip(lines.rows[longer].tolist(), folded, strict=True)
    }
    known = np.concatenate((lines.rows[longer], lines.rows[plain]))
    for row in np.setdiff1d(np.arange(len(values)), known, assume_unique=True).tolist():
        value, country = values[row], countries[row]
        found[row] = places.StreetRead(places.street(value, country), places.house_number(value, country))
    return found


class _Placed(str):
    """Know the place of a word in its street."""

    __slots__ = ("place",)
    place: int


@lru_cache(_SHAPES_KEPT)
def _parted(kinds: tuple[int, ...], country: str) -> tuple[int, ...] | None:
    """Give the places of the words that are a street of such words, in a country; None where words are joined to it."""
    placed = []
    for place, kind in enumerate(kinds):
        placed.append(_Placed(_WORD_OF_KIND[kind]))
        placed[-1].place = place
    left, number = places.numbered(list(placed), country)
    held = [word.place for word in left if isinstance(word, _Placed)]
    others = "".join(word for word in placed if word.place not in held)
    return tuple(held) if len(held) == len(left) and others == number else None


def _roles(held: tuple[int, ...] | None, kinds: Sequence[int]) -> NDArray[np.int8]:
    found = np.full(len(kinds), _NUMBER, dtype=np.int8)
    found[list(held or ())] = _STREET
    return found


def _shapes(lines: Lines, countries: Sequence[str]) -> tuple[NDArray[np.int64], list[tuple[tuple[int, ...], str]]]:
    """Return the shape of each street, int64 [lines], and each shape's kinds of words and country."""
    words, offsets = lines.words, lines.words.offsets
    kinds = _kinds(words)[words.codes]
    spots = (np.arange(len(kinds)) - np.repeat(offsets[:-1], np.diff(offsets))).astype(np.uint64)
    hashes = texts.sums(texts.mix(kinds.astype(np.uint64) + np.uint64(1), spots * _STEP), offsets)
    number_by_country = {country: number for number, country in enumerate(dict.fromkeys(countries))}
    numbers = np.fromiter(map(number_by_country.__getitem__, countries), np.uint64, len(countries))
    _, firsts, shapes = np.unique(texts.mix(hashes, numbers), return_index=True, return_inverse=True)
    told = [(tuple(kinds[offsets[line] : offsets[line + 1]].tolist()), countries[line]) for line in firsts.tolist()]
    return shapes, told


def _kinds(words: Words) -> NDArray[np.int64]:
    """Give the kind of each distinct word; only a short one, or one that opens with a digit, is of any."""
    written = texts.texts_of(words.distinct)
    found = np.zeros(len(words.distinct), dtype=np.int64)
    opens = written.letters[written.offsets[:-1]] <= ord("9") if len(found) else found
    for place in np.flatnonzero((written.lengths == 1) | (opens > 0)).tolist():
        found[place] = places.word_kind(words.distinct[place])
    return found


def _streets(lines: Lines, is_street: NDArray[np.bool_]) -> Texts:
    """Write the words of each street as they are meant; some are written to the end of the word before them."""
    codes, owners = lines.words.codes[is_street], lines.words.owners[is_street]
    meant = [places.street_word(word) for word in lines.words.distinct]
    pieces = texts.texts_of([piece for word, suffix in meant for piece in (f" {word}", suffix)])
    is_suffix = np.fromiter((bool(suffix) for _, suffix in meant), bool, len(meant))
    is_first = np.ones(len(owners), dtype=bool)
    is_first[1:] = owners[1:] != owners[:-1]
    written = texts.taken(pieces, 2 * codes.astype(np.int64) + (is_suffix[codes] & ~is_first))
    is_kept = np.ones(len(written.letters), dtype=bool)
    is_kept[written.offsets[:-1][is_first]] = False
    written = texts.kept(written, is_kept)
    return Texts(written.letters, written.offsets[np.searchsorted(owners, np.arange(len(lines.rows) + 1))])


def _numbers(lines: Lines, is_number: NDArray[np.bool_]) -> Texts:
    """Write the house number of each street without zeros before it, unless it is all zeros."""
    owners = lines.words.owners[is_number]
    parts = texts.taken(texts.texts_of(lines.words.distinct), lines.words.codes[is_number])
    whole = Texts(parts.letters, parts.offsets[np.searchsorted(owners, np.arange(len(lines.rows) + 1))])
    is_telling = (whole.letters != ord("0")).astype(np.uint64)
    before = np.concatenate(([0], np.cumsum(is_telling)))
    told = before[whole.offsets]
    is_kept = before[1:] > np.repeat(told[:-1], whole.lengths)
    is_kept |= np.repeat(told[1:] == told[:-1], whole.lengths)
    return texts.kept(whole, is_kept)


def _is_special(lines: Lines) -> NDArray[np.bool_]:
    """Tell which lines are more than words and perhaps a number: bool [lines]."""
    words = lines.words
    is_special = np.isin(words.hashes, _special())
    written = texts.texts_of(words.distinct)
    is_numeric = (written.letters <= ord("9")) & (written.letters >= ord("0"))
    is_glued = np.zeros(len(words.distinct), dtype=bool)
    for place in np.flatnonzero(texts.sums(is_numeric.astype(np.uint64), written.offsets) > 0).tolist():
        is_glued[place] = _GLUED.match(words.distinct[place]) is not None
    has_comma = lines.count(",") > 0
    found = (lines.count("/") > 0) | (lines.count("#") > 0) | lines.has_pair("-+", "0123456789 ")
    found |= has_comma & ((lines.count("'") > 0) | (lines.count("`") > 0))
    found[words.owners[is_special[words.codes]]] = True
    found[words.owners[is_glued[words.codes] & has_comma[words.owners]]] = True
    return found


@cache
def _special() -> NDArray[np.uint64]:
    return texts.hashes_of(texts.texts_of(sorted(places.special_words())))
