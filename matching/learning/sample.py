"""Which records a lesson is taken from: drawn by their keys, so that wherever they lie the same ones are drawn.

What is learnt from are pairs, and a pair is drawn when both its records are. So the share of records falls with the
square root of their number: the pairs of a file of any size are about as many as those of LESSON_RECORDS.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.records import Forms
from matching.texts import hashes_of, texts_of

LESSON_RECORDS: Final = 10_000
"""Records up to which all are learnt from; of more, as many as have about that many pairs (November 2026, pairwise F1
on 100,000 generated records: .9517 with 10,000, .9514 with 30,000)."""


def drawn(keys: Sequence[str], records_count: int) -> NDArray[np.int64]:
    """Return the places of the records to learn from, of some of `records_count`, in the order of their keys."""
    places = np.arange(len(keys))
    if records_count > LESSON_RECORDS:
        share = (LESSON_RECORDS / records_count) ** 0.5
        places = np.flatnonzero(hashes_of(texts_of(keys)) < np.uint64(share * 2.0**64))
    return np.array(sorted(places.tolist(), key=lambda place: keys[place]), dtype=np.int64)


def lesson_of(forms: Forms, records_count: int) -> Forms:
    """Return the records to learn from, of all or of what is left of them after a first drawing."""
    return forms.take(drawn(forms.keys, records_count))
