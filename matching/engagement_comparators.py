"""Comparators of undertakings and agreements: days of a term, and numbers of documents.

Two terms of one agreement are alike in all but their dates, a year apart to the day: what looks like a slip of the pen
in a date of birth is a renewal here. An amendment bears the number of its contract and a suffix.
"""

import re
from collections.abc import Sequence
from datetime import date as calendar_date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.vocabulary import Vocabulary

_PIECES = re.compile(r"[a-z]+|[0-9]+")
_YEAR = re.compile(r"^(?:19|20|21)[0-9]{2}$")
_SUFFIX_PIECES_MAX: Final = 2
_SUFFIX_DIGITS_MAX: Final = 2
_SUFFIX_LETTERS_MAX: Final = 4
"""A suffix that tells a part of a document: "A1", "-02", "/R1", "AMD 3"; chosen."""

OTHER_PART: Final = 0.0
SAME_SCHEME: Final = 0.3
OTHER_SCHEME: Final = 0.5


def days(values: Vocabulary, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.float64]:
    """Compare ISO days by their distance: 0.9 three days or day and month swapped, 0.8 31, 0.7 92, 0.5 183 days."""
    ordinals, swapped = values.derived(_ordinals)
    apart = np.abs(ordinals[left] - ordinals[right])
    found = np.select(
        [apart == 0, apart <= 3, apart <= 31, apart <= 92, apart <= 183], [1.0, 0.9, 0.8, 0.7, 0.5], default=0.0
    )
    is_day = (ordinals[left] > 0) & (ordinals[right] > 0)
    found[(ordinals[left] == swapped[right]) & is_day & (apart > 0)] = 0.9
    found[~is_day] = 0.0
    found[left == right] = 1.0
    return np.asarray(found, dtype=np.float64)


def document_number(values: Vocabulary, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.float64]:
    """Compare numbers of documents: 0.5 of two schemes, 0.3 two numbers of one scheme, 0 two parts of one document.

    "C-100" and "7389151" say nothing of each other, "C-100" and "C-205" name two documents of one system, "C-100" and
    "C-100-A1", as "PR7-01" and "PR7-02", a document and its amendment or two parts.
    """
    squashed, stems, schemes = values.derived(_numbers)
    found = np.where(schemes[left] == schemes[right], SAME_SCHEME, OTHER_SCHEME)
    found = np.where(stems[left] == stems[right], OTHER_PART, found)
    return np.asarray(np.where(squashed[left] == squashed[right], 1.0, found), dtype=np.float64)


def _ordinals(values: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the days up to each ISO day, and up to it with day and month swapped; 0 for what is none."""
    swapped = [value[:5] + value[8:10] + value[4:5] + value[5:7] for value in values]
    return (
        np.array([_ordinal(value) for value in values], dtype=np.int64),
        np.array([_ordinal(value) for value in swapped], dtype=np.int64),
    )


def _numbers(values: Sequence[str]) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Give each number without blanks, its stem and its scheme; one that has none shares it with no other."""
    pieces = [_PIECES.findall(value) for value in values]
    return (
        np.array(["".join(each) for each in pieces], dtype=object),
        np.array([_stem(each) or f"#{place}" for place, each in enumerate(pieces)], dtype=object),
        np.array([_scheme(each) or f"#{place}" for place, each in enumerate(pieces)], dtype=object),
    )


def _ordinal(value: str) -> int:
    """Count the days up to an ISO day, 0 for what is none."""
    try:
        return calendar_date.fromisoformat(value).toordinal()
    except ValueError:
        return 0


def _stem(pieces: list[str]) -> str:
    """Give a number up to its first digits that are no year, without the suffix that tells a part; else ""."""
    for place, piece in enumerate(pieces):
        if piece.isdigit() and not _YEAR.match(piece):
            suffix = pieces[place + 1 :]
            is_short = len(suffix) <= _SUFFIX_PIECES_MAX and all(
                len(part) <= (_SUFFIX_DIGITS_MAX if part.isdigit() else _SUFFIX_LETTERS_MAX) for part in suffix
            )
            return " ".join(pieces[: place + 1]) if is_short else ""
    return ""


def _scheme(pieces: list[str]) -> str:
    """Give the pattern of a number; "" for digits alone, which any system may count."""
    return " ".join("#" if piece.isdigit() else piece for piece in pieces) if len(pieces) > 1 else ""
