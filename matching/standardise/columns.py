"""Applies forms to whole columns: each form runs once per distinct value and country, the rest is integers.

All forms that read one attribute run over a chunk of its values before the next, so that what they share (a name's
parts, a street's) is found once; chunks go to several processes where a set is large enough to pay for them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise, repeat
from multiprocessing import get_context
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.model import FeatureSpec, MatchModel
from matching.records import Column, Forms, Records, column_without_values
from matching.standardise.batch import Batch
from matching.standardise.given import Given, coded, packed
from matching.standardise.places import country_code

VALUES_MIN: Final = 200_000
"""Values from which other processes pay for their second of start (chosen: a value takes 2 to 10 microseconds)."""

_MARKED_MAX: Final = 50_000_000
"""Pairs of a value and a country that may be marked rather than sorted (chosen: five bytes each)."""

_FEW: Final = 64
"""Values held whose forms are coded one by one (November 2026: two records in .50 instead of .64 ms)."""

AT_ONCE: Final = 20_000
"""Values in a chunk (chosen: some ten megabytes at work)."""


def standardise(records: Records, model: MatchModel, processes: int = 1) -> Forms:
    """Give the compare forms of every record, one column a feature of the model, rows as in the records.

    Forms of several values and attributes stand in the order of the attributes, each once a record. They are the same
    whatever the number of processes.
    """
    countries = {named: _countries(records, named) for named in {spec.country_from for spec in model.features}}
    readings = [
        reading
        for reading in _readings(model)
        if reading.attribute in records.attributes and len(records.attributes[reading.attribute].codes)
    ]
    values_count = sum(len(records.attributes[reading.attribute].values) for reading in readings)
    columns: dict[tuple[str, tuple[str, ...], str], Column] = {}
    with _mapping(processes if values_count >= VALUES_MIN else 1) as run:
        # All is begun before anything is coded, so that other processes never wait for this one.
        begun = [
            _begun(records.attributes[reading.attribute], reading.forms, *countries[reading.country_from], run)
            for reading in readings
        ]
        for reading, one in zip(readings, begun, strict=True):
            for form, made in zip(reading.forms, one.columns(), strict=True):
                columns[reading.attribute, reading.country_from, form] = made
    features = {spec.name: _feature(columns, spec, len(records.keys)) for spec in model.features}
    return Forms(records.keys, records.sources, records.contexts, features)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Name the forms that read one attribute, in the countries that the same attributes tell."""

    attribute: str
    country_from: tuple[str, ...]
    forms: tuple[str, ...]


def _readings(model: MatchModel) -> list[_Reading]:
    forms: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for spec in model.features:
        for attribute in spec.attributes:
            forms.setdefault((attribute, spec.country_from), {})[spec.form] = None
    return [_Reading(attribute, named, tuple(of)) for (attribute, named), of in forms.items()]


def _feature(
    columns: Mapping[tuple[str, tuple[str, ...], str], Column], spec: FeatureSpec, records_count: int
) -> Column:
    named = [(attribute, spec.country_from, spec.form) for attribute in spec.attributes]
    parts = [columns[name] for name in named if name in columns]
    if not parts:
        return column_without_values(records_count)
    return parts[0] if len(parts) == 1 else _together(parts)


def _countries(records: Records, attributes: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Give the distinct countries, "" first, and the position of each record's: int32 [records]."""
    positions = {"": 0}
    country_of = np.zeros(len(records.keys), dtype=np.int32)
    for column in (records.attributes[name] for name in attributes if name in records.attributes):
        codes = [positions.setdefault(country_code(value), len(positions)) for value in column.values]
        found = np.array([*codes, 0], dtype=np.int32)[column.first_codes()]  # the last stands for code -1
        country_of = np.where(country_of > 0, country_of, found)
    return tuple(positions), country_of


_Chunk: TypeAlias = tuple[list[str], list[str]]
_Run: TypeAlias = Callable[[tuple[str, ...], Iterable[_Chunk]], Iterator[list[Given]]]


@contextmanager
def _mapping(processes: int) -> Iterator[_Run]:
    """Run forms over chunks, here or in other processes."""
    if processes <= 1:
        yield lambda forms, chunks: map(give, repeat(forms), chunks)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield lambda forms, chunks: pool.map(give, repeat(forms), chunks)


def give(forms: tuple[str, ...], chunk: _Chunk) -> list[Given]:
    """Run forms over the values of a chunk, each in its country."""
    batch = Batch(*chunk)
    return [packed(batch.give(form)) for form in forms]


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """Hold what is being given to the distinct (value, country) pairs of a column, batch by batch.

    pair_of  int64 [values held], the pair of each
    """

    column: Column
    pair_of: NDArray[np.integer]
    given: Iterator[list[Given]]

    def columns(self) -> list[Column]:
        """Code what the forms gave, as it comes: a column for each form."""
        by_form = zip(*self.given, strict=True)
        return [_coded(given, self.pair_of, self.column) for given in by_form]


def _begun(
    column: Column, forms: tuple[str, ...], countries: tuple[str, ...], country_of: NDArray[np.int32], run: _Run
) -> _Begun:
    """Begin to run forms over a column that has values; country_of int32 [records], positions in `countries`."""
    pairs = column.codes.astype(np.int64) * len(countries) + country_of[column.owners]
    distinct, pair_of = _distinct(pairs, len(column.values) * len(countries))
    return _Begun(column, pair_of, run(forms, _chunks(column, distinct, countries)))


def _distinct(pairs: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the distinct numbers below a count, ascending, and the place of each among them."""
    if count > _MARKED_MAX:
        distinct, place_of = np.unique(pairs, return_inverse=True)
        return distinct, place_of
    # Marking which are there takes half of sorting them (November 2026, a million pairs in 12 countries).
    is_there = np.zeros(count, dtype=bool)
    is_there[pairs] = True
    distinct = np.flatnonzero(is_there)
    places = np.empty(count, dtype=np.int32)
    places[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, places[pairs].astype(np.int64)


def _chunks(column: Column, distinct: NDArray[np.int64], countries: tuple[str, ...]) -> Iterator[_Chunk]:
    for start in range(0, len(distinct), AT_ONCE):
        values, where = np.divmod(distinct[start : start + AT_ONCE], len(countries))
        yield [column.values[code] for code in values.tolist()], [countries[code] for code in where.tolist()]


def _coded(given: Sequence[Given], pair_of: NDArray[np.integer], column: Column) -> Column:
    """Code what a form gave to each distinct pair, and spread it to the records that hold the pair."""
    if len(pair_of) <= _FEW and isinstance(given[0].forms, list):
        return _coded_few(given[0].counts.tolist(), given[0].forms, pair_of.tolist(), column)
    counts = np.concatenate([np.empty(0, dtype=np.int64), *(part.counts for part in given)])
    codes, values = coded(given)
    if bool((counts == 1).all()) and column.is_single:
        return Column(column.offsets, codes[pair_of].astype(np.int32), values)
    starts = np.concatenate(([0], np.cumsum(counts)))[:-1]
    held = counts[pair_of]
    within = np.arange(held.sum()) - np.repeat(np.cumsum(held) - held, held)
    owners = np.repeat(column.owners, held)
    return _column(owners, codes[np.repeat(starts[pair_of], held) + within], values, len(column))


def _coded_few(counts: Sequence[int], forms: Sequence[str], pair_of: Sequence[int], column: Column) -> Column:
    """Do the same with what a form gave to few, one by one."""
    code_by_form: dict[str, int] = {}
    coded_forms = [code_by_form.setdefault(form, len(code_by_form)) for form in forms]
    ends = list(accumulate(counts, initial=0))
    codes: list[int] = []
    offsets = [0]
    for start, end in pairwise(column.offsets.tolist()):
        held = (code for pair in pair_of[start:end] for code in coded_forms[ends[pair] : ends[pair + 1]])
        codes += dict.fromkeys(held)
        offsets.append(len(codes))
    return Column(np.array(offsets, dtype=np.int64), np.array(codes, dtype=np.int32), tuple(code_by_form))


def _together(parts: Sequence[Column]) -> Column:
    """Set the columns of several attributes side by side, on one dictionary."""
    code_by_form: dict[str, int] = {}
    codes = []
    for part in parts:
        further = [each for each in part.values if each not in code_by_form]
        code_by_form.update(zip(further, range(len(code_by_form), len(code_by_form) + len(further)), strict=True))
        renumbered = np.fromiter(map(code_by_form.__getitem__, part.values), np.int32, len(part.values))
        codes.append(renumbered[part.codes] if len(part.values) else part.codes)
    owners = np.concatenate([part.owners for part in parts])
    order = np.argsort(owners, kind="stable")
    return _column(owners[order], np.concatenate(codes)[order], tuple(code_by_form), len(parts[0]))


def _column(owners: NDArray[np.int32], codes: NDArray[np.int32], values: tuple[str, ...], records_count: int) -> Column:
    """Build a column of forms, each once a record: owners int32 [held], ascending; codes int32 [held]."""
    if len(owners) and bool((owners[1:] == owners[:-1]).any()):
        _, first = np.unique(owners.astype(np.int64) * len(values) + codes, return_index=True)
        first.sort()
        owners, codes = owners[first], codes[first]
    offsets = np.zeros(records_count + 1, dtype=np.int64)
    np.cumsum(np.bincount(owners, minlength=records_count), out=offsets[1:])
    return Column(offsets, codes.astype(np.int32), values)
