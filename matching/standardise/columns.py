"""Applies forms to whole columns: each form runs once per distinct value and country, the rest is integers."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from matching.model import FeatureSpec, MatchModel
from matching.records import Column, Forms, Records, column_from_lists
from matching.standardise.forms import FORMS
from matching.standardise.places import country_code


def standardise(records: Records, model: MatchModel) -> Forms:
    """Give the compare forms of every record, one column a feature of the model, rows as in the records.

    Forms of several values and attributes stand in the order of the attributes, each once a record.
    """
    countries = {named: _countries(records, named) for named in {spec.country_from for spec in model.features}}
    features = {spec.name: _feature(records, spec, *countries[spec.country_from]) for spec in model.features}
    return Forms(records.keys, records.sources, records.contexts, features)


def _feature(records: Records, spec: FeatureSpec, countries: tuple[str, ...], country_of: NDArray[np.int32]) -> Column:
    columns = [records.attributes[name] for name in spec.attributes if name in records.attributes]
    parts = [_recoded(column, spec.form, countries, country_of) for column in columns]
    if not parts:
        return column_from_lists([()] * len(records.keys))
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


def _recoded(column: Column, form: str, countries: tuple[str, ...], country_of: NDArray[np.int32]) -> Column:
    """Run a form over the distinct (value, country) pairs of a column and code what it gives.

    country_of  int32 [records], positions in `countries`
    """
    pairs = column.codes.astype(np.int64) * len(countries) + country_of[column.owners]
    distinct, pair_of = np.unique(pairs, return_inverse=True)
    given = FORMS[form](
        [column.values[code] for code in (distinct // len(countries)).tolist()],
        [countries[code] for code in (distinct % len(countries)).tolist()],
    )
    counts = np.fromiter(map(len, given), dtype=np.int64, count=len(given))
    starts = np.concatenate(([0], np.cumsum(counts)))[:-1]
    code_by_form: dict[str, int] = {}
    codes = np.fromiter(
        (code_by_form.setdefault(each, len(code_by_form)) for each in chain.from_iterable(given)), dtype=np.int32
    )
    held = counts[pair_of]
    within = np.arange(held.sum()) - np.repeat(np.cumsum(held) - held, held)
    owners = np.repeat(column.owners, held)
    return _column(owners, codes[np.repeat(starts[pair_of], held) + within], tuple(code_by_form), len(column))


def _together(parts: Sequence[Column]) -> Column:
    """Set the columns of several attributes side by side, on one dictionary."""
    code_by_form: dict[str, int] = {}
    codes = []
    for part in parts:
        renumbered = np.array(
            [code_by_form.setdefault(each, len(code_by_form)) for each in part.values], dtype=np.int32
        )
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
