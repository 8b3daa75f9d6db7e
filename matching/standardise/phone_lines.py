"""Telephone numbers, many at once: what `contact.phone` gives to each.

How digits are dialled is told by the first few, their number and the country, and asked once for all numbers alike.
Numbers with letters or an extension, and what may be a filler, are read alone.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching import texts
from matching.standardise import contact
from matching.standardise.given import Given, given_together
from matching.standardise.written import Written
from matching.texts import Texts

_DIGITS: Final = (np.arange(256) >= ord("0")) & (np.arange(256) <= ord("9"))
_LETTERS: Final = np.array([(chr(code).isascii() and chr(code).isalpha()) or code == ord("#") for code in range(256)])
_PLAIN_START: Final = 4
"""First digits that tell how a number without exit code is dialled."""

_TAIL: Final = 6
"""Last digits that tell what may be a filler."""


def phone_lines(values: Sequence[str], countries: Sequence[str], written: Written) -> Given:
    """Read telephone numbers, each in its country (lower-case ISO-2 or "")."""
    rows, plain = written.ascii()
    is_plain = _is_plain(plain) & (np.diff(written.offsets)[rows] <= contact.PHONE_LENGTH_MAX)
    rows, plain = rows[is_plain], texts.taken(plain, np.flatnonzero(is_plain))
    digits = texts.kept(plain, _is_dialled(plain))
    is_number = (digits.lengths >= contact.DIGITS_MIN) & (digits.lengths <= contact.DIALLED_DIGITS_MAX)
    numbers = np.flatnonzero(is_number)
    digits, is_abroad = texts.taken(digits, numbers), _with_plus(plain)[numbers]
    heads, cuts, is_told = _dialled(digits, is_abroad, [countries[row] for row in rows[numbers].tolist()])
    is_told &= ~_is_doubtful(digits) & (digits.lengths - cuts >= _TAIL)
    lines = np.setdiff1d(np.arange(len(values)), rows, assume_unique=True)
    alone = np.concatenate((lines, rows[numbers[~is_told]])).tolist()
    told = np.flatnonzero(is_told)
    national = texts.kept(digits, texts.places_of(digits) >= np.repeat(cuts, digits.lengths))
    found = texts.side_by_side(texts.taken(heads, told), texts.taken(national, told))
    is_found = (found.lengths >= contact.DIGITS_MIN) & (found.lengths <= contact.DIGITS_MAX)
    return given_together(
        len(values),
        rows[numbers[told[is_found]]],
        texts.taken(found, np.flatnonzero(is_found)),
        {row: contact.phone(values[row], countries[row]) for row in alone},
    )


def _is_plain(plain: Texts) -> NDArray[np.bool_]:
    """Tell which lines have neither letters nor an extension, and begin with something: bool [lines]."""
    opens = np.zeros(len(plain), dtype=bool)
    has_any = plain.lengths > 0
    opens[has_any] = plain.letters[plain.offsets[:-1][has_any]] != ord(" ")
    return np.asarray(opens & (texts.sums(_LETTERS[plain.letters].astype(np.uint64), plain.offsets) == 0))


def _is_dialled(plain: Texts) -> NDArray[np.bool_]:
    """Tell which letters are digits to be dialled, an optional trunk "(0)" not: bool [letters]."""
    letters = plain.letters
    found = _DIGITS[letters]
    zeros = np.flatnonzero(letters[1:-1] == ord("0")) + 1
    zeros = zeros[(letters[zeros - 1] == ord("(")) & (letters[zeros + 1] == ord(")"))]
    owners = np.searchsorted(plain.offsets, zeros, side="right") - 1
    is_inside = (zeros > plain.offsets[owners]) & (zeros + 1 < plain.offsets[owners + 1])
    found[zeros[is_inside]] = False
    return found


def _with_plus(plain: Texts) -> NDArray[np.bool_]:
    is_early = texts.places_of(plain) < contact.PLUS_AMONG
    return texts.sums(((plain.letters == ord("+")) & is_early).astype(np.uint64), plain.offsets) > 0


def _dialled(
    digits: Texts, is_abroad: NDArray[np.bool_], countries: Sequence[str]
) -> tuple[Texts, NDArray[np.int64], NDArray[np.bool_]]:
    """Return what is put before each number, how many digits are cut off, and whether that is all there is to do."""
    figures = digits.letters.astype(np.int64) - ord("0")
    starts = digits.offsets[:-1, np.newaxis] + np.arange(contact.DIGITS_MIN)
    first = figures[starts] @ 10 ** np.arange(contact.DIGITS_MIN)[::-1]  # six digits, each has as many
    is_exit = ~is_abroad & ((first < 10_000) | (first // 1_000 == 11))
    seventh = figures[np.minimum(digits.offsets[:-1] + contact.DIGITS_MIN, len(figures) - 1)]
    start = np.where(is_exit, first * 10 + seventh, first // 10 ** (contact.DIGITS_MIN - _PLAIN_START))
    number_by_country = {country: number for number, country in enumerate(dict.fromkeys(countries))}
    where = np.fromiter(map(number_by_country.__getitem__, countries), np.int64, len(countries))
    keys = (((where * 32 + digits.lengths) * 2 + is_abroad) * 2 + is_exit) * 10**contact.DIALLED_MAX + start
    _, firsts, shapes = np.unique(keys, return_index=True, return_inverse=True)
    written = texts.strings_of(texts.first(texts.taken(digits, firsts), contact.DIALLED_MAX))
    told = [
        contact.dialled(number if is_long else number[:_PLAIN_START], length, countries[line], is_abroad=plus)
        for number, is_long, length, line, plus in zip(
            written,
            is_exit[firsts].tolist(),
            digits.lengths[firsts].tolist(),
            firsts.tolist(),
            is_abroad[firsts].tolist(),
            strict=True,
        )
    ]
    heads = texts.taken(texts.texts_of([one.head for one in told]), shapes)
    cuts = np.array([one.cut for one in told], dtype=np.int64)[shapes]
    return heads, cuts, np.array([not one.region for one in told], dtype=bool)[shapes]


def _is_doubtful(digits: Texts) -> NDArray[np.bool_]:
    """Tell which numbers end as fillers do: a digit repeated, digits in order, or hardly any but zeros."""
    tail = digits.letters[digits.offsets[1:, np.newaxis] + np.arange(-_TAIL, 0)].astype(np.int64) - ord("0")
    steps = np.diff(tail[:, -4:], axis=1) % 10
    return np.asarray((steps == steps[:, :1]).all(axis=1) | ~tail[:, :3].any(axis=1))
