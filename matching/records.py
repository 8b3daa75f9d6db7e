"""Records as columns: every attribute dictionary-coded once, so that later stages compare integers before strings.

A column holds zero to many values a record. Raw records (`Records`) go into `standardise`, compare forms (`Forms`) come
out; blocking and comparing see only forms.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Hold the values of one attribute or feature.

    offsets  int64 [records + 1], record i owns codes[offsets[i] : offsets[i + 1]]
    codes    int32 [values held], positions in `values`
    values   distinct, never ""
    """

    offsets: NDArray[np.int64]
    codes: NDArray[np.int32]
    values: tuple[str, ...]

    def __len__(self) -> int:
        """Count the records."""
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Count the values of each record: int64 [records]."""
        return self.offsets[1:] - self.offsets[:-1]

    @property
    def is_single(self) -> bool:
        """Tell whether no record holds more than one value."""
        return len(self.codes) == 0 or int(self.counts.max()) <= 1

    @property
    def owners(self) -> NDArray[np.int32]:
        """Name the record that holds each value: int32 [values held]."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.counts)

    def of(self, record: int) -> tuple[str, ...]:
        """Return the values of one record, in their order."""
        return tuple(self.values[code] for code in self.codes[self.offsets[record] : self.offsets[record + 1]])

    def first_codes(self) -> NDArray[np.int32]:
        """Return the code of each record's first value, -1 where it has none: int32 [records]."""
        first = np.full(len(self), -1, dtype=np.int32)
        held = self.counts > 0
        first[held] = self.codes[self.offsets[:-1][held]]
        return first

    def take(self, records: NDArray[np.integer]) -> "Column":
        """Return the column of some records, in the order asked for; the dictionary is shared."""
        counts = self.counts[records]
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
        return Column(offsets, self.codes[np.repeat(self.offsets[:-1][records], counts) + within], self.values)

    def compact(self) -> "Column":
        """Return the column with the values that some record holds, in their order."""
        used = np.flatnonzero(np.bincount(self.codes, minlength=len(self.values)))
        code_of = np.zeros(len(self.values), dtype=np.int32)
        code_of[used] = np.arange(len(used), dtype=np.int32)
        return Column(self.offsets, code_of[self.codes], tuple(self.values[code] for code in used.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Hold raw records of one entity type.

    keys      printed source keys, unique; every tie in matching ends here
    sources   source instance of each record
    contexts  parent's golden id of each record, "" = unknown and so standing alone; None = the entity has no parent
    """

    keys: tuple[str, ...]
    sources: tuple[str, ...]
    attributes: Mapping[str, Column]
    contexts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """Hold the compare forms of records: one column a feature of the match model, rows as in `Records`."""

    keys: tuple[str, ...]
    sources: tuple[str, ...]
    contexts: tuple[str, ...] | None
    features: Mapping[str, Column]

    def take(self, records: NDArray[np.integer]) -> "Forms":
        """Return the forms of some records, in the order asked for, with the values that they hold."""
        places = records.tolist()
        return Forms(
            tuple(self.keys[place] for place in places),
            tuple(self.sources[place] for place in places),
            None if self.contexts is None else tuple(self.contexts[place] for place in places),
            {name: column.take(records).compact() for name, column in self.features.items()},
        )


def column_from_lists(lists: Sequence[Sequence[str]]) -> Column:
    """Code a column from each record's values; "" counts as no value, codes follow first appearance."""
    offsets = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum(
        np.fromiter((sum(map(bool, values)) for values in lists), dtype=np.int64, count=len(lists)), out=offsets[1:]
    )
    code_by_value: dict[str, int] = {}
    held = filter(None, chain.from_iterable(lists))
    codes = np.fromiter((code_by_value.setdefault(value, len(code_by_value)) for value in held), dtype=np.int32)
    return Column(offsets, codes, tuple(code_by_value))


def column_without_values(records_count: int) -> Column:
    """Give the column of records that hold nothing."""
    return Column(np.zeros(records_count + 1, dtype=np.int64), np.empty(0, dtype=np.int32), ())


def column_from_arrow(array: pa.Array | pa.ChunkedArray) -> Column:
    """Code a column from Arrow strings or lists of strings; null and "" count as no value."""
    flat = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_list(flat.type) or pa.types.is_large_list(flat.type):
        lengths = pc.fill_null(pc.list_value_length(flat), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        strings = flat.flatten()
    else:
        lengths = np.ones(len(flat), dtype=np.int64)
        strings = flat
    encoded = strings if pa.types.is_dictionary(strings.type) else strings.dictionary_encode()
    words = tuple("" if word is None else word for word in encoded.dictionary.to_pylist())
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)
    is_empty = np.array([word == "" for word in words] + [True], dtype=bool)  # the last stands for code -1
    kept = ~is_empty[codes]
    owners = np.repeat(np.arange(len(lengths)), lengths)[kept]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(lengths))))).astype(np.int64)
    renumbered = (np.cumsum(~is_empty) - 1).astype(np.int32)
    return Column(offsets, renumbered[codes[kept]], tuple(filter(None, words)))


def records_from_rows(
    keys: Sequence[str],
    sources: Sequence[str],
    rows: Sequence[Mapping[str, Sequence[str]]],
    contexts: Sequence[str] | None = None,
) -> Records:
    """Build records from rows of attribute → values: the way in for a call that brings a few."""
    names = sorted(_names(rows))
    attributes = {name: column_from_lists([row.get(name, ()) for row in rows]) for name in names}
    return Records(tuple(keys), tuple(sources), attributes, None if contexts is None else tuple(contexts))


def _names(rows: Iterable[Mapping[str, Sequence[str]]]) -> set[str]:
    return set(chain.from_iterable(rows))
