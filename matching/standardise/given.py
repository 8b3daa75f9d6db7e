"""What a form gives to many values: how many compare forms each has, and all of them in order, as Arrow texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matching.texts import Texts, arrow_of, arrow_places


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Hold compare forms: value i has counts[i] of them, one value's after the other's; int64 [values]."""

    counts: NDArray[np.int64]
    forms: pa.LargeStringArray

    def without(self, forms: frozenset[str], rows: Sequence[int]) -> "Given":
        """Drop forms that stand for nothing known, and all forms of some values."""
        is_kept = np.ones(len(self.forms), dtype=bool)
        if forms:
            told = pc.is_in(self.forms, value_set=pa.array(sorted(forms), pa.large_string()))
            is_kept = ~told.to_numpy(zero_copy_only=False)
        if len(rows):
            is_nothing = np.zeros(len(self.counts), dtype=bool)
            is_nothing[rows] = True
            is_kept &= ~np.repeat(is_nothing, self.counts)
        if is_kept.all():
            return self
        owners = np.repeat(np.arange(len(self.counts)), self.counts)
        counts = np.bincount(owners[is_kept], minlength=len(self.counts))
        return Given(counts, self.forms.take(arrow_places(np.flatnonzero(is_kept))))


def given_singly(found: Sequence[tuple[str, ...]]) -> Given:
    """Lay the forms of values end to end."""
    counts = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    return Given(counts, pa.array(chain.from_iterable(found), pa.large_string()))


def given_together(
    values_count: int, rows: NDArray[np.int64], made: Texts, singly: Mapping[int, tuple[str, ...]]
) -> Given:
    """Bring together what was made of many values at once, one form each, and of the others one by one.

    rows  int64 [made], the value of each text, ascending; a value may have several
    """
    alone = np.fromiter(singly, dtype=np.int64, count=len(singly))
    forms = given_singly(list(singly.values()))
    owners = np.concatenate((rows, np.repeat(alone, forms.counts)))
    order = np.argsort(owners, kind="stable")
    together = pa.concat_arrays([arrow_of(made), forms.forms])
    return Given(np.bincount(owners, minlength=values_count), together.take(arrow_places(order)))
