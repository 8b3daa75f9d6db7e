"""What a form gives to many values: how many compare forms each has, and all of them in order, as Arrow texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matching.texts import Texts, arrow_of, arrow_places

FEW: Final = 4_096
"""Compare forms up to which a dictionary of Python codes them quicker than Arrow does (November 2026: 60 in 15 µs)."""


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Hold compare forms: value i has counts[i] of them, one value's after the other's; int64 [values].

    forms  a list where they were given one by one
    """

    counts: NDArray[np.int64]
    forms: pa.LargeStringArray | list[str]

    def without(self, forms: frozenset[str], rows: Sequence[int]) -> "Given":
        """Drop forms that stand for nothing known, and all forms of some values."""
        held = arrow_forms(self)
        is_kept = np.ones(len(held), dtype=bool)
        if forms:
            told = pc.is_in(held, value_set=pa.array(sorted(forms), pa.large_string()))
            is_kept = ~told.to_numpy(zero_copy_only=False)
        if len(rows):
            is_nothing = np.zeros(len(self.counts), dtype=bool)
            is_nothing[rows] = True
            is_kept &= ~np.repeat(is_nothing, self.counts)
        if is_kept.all():
            return self
        owners = np.repeat(np.arange(len(self.counts)), self.counts)
        counts = np.bincount(owners[is_kept], minlength=len(self.counts))
        return Given(counts, held.take(arrow_places(np.flatnonzero(is_kept))))


def given_singly(found: Sequence[tuple[str, ...]]) -> Given:
    """Lay the forms of values end to end."""
    counts = np.fromiter(map(len, found), dtype=np.int64, count=len(found))
    return Given(counts, list(chain.from_iterable(found)))


def coded(given: Sequence[Given]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Code the forms of batches as they come: int32 [forms], positions among the distinct ones."""
    if sum(len(part.forms) for part in given) <= FEW and all(isinstance(part.forms, list) for part in given):
        code_by_form: dict[str, int] = {}
        held = [code_by_form.setdefault(form, len(code_by_form)) for part in given for form in part.forms]
        return np.array(held, dtype=np.int32), tuple(code_by_form)
    parts = [arrow_forms(part) for part in given]
    found = pa.chunked_array(parts, pa.large_string()).combine_chunks().dictionary_encode()
    return found.indices.to_numpy(), tuple(found.dictionary.to_pylist())


def packed(given: Given) -> Given:
    """Keep many forms as Arrow, which goes to another process at the cost of its letters."""
    return given if len(given.forms) <= FEW else Given(given.counts, arrow_forms(given))


def arrow_forms(given: Given) -> pa.LargeStringArray:
    """Give all compare forms as an Arrow array."""
    return pa.array(given.forms, pa.large_string()) if isinstance(given.forms, list) else given.forms


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
    together = pa.concat_arrays([arrow_of(made), arrow_forms(forms)])
    return Given(np.bincount(owners, minlength=values_count), together.take(arrow_places(order)))
