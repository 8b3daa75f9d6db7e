"""The population of records that are never all in one place: counted part by part, added up, and the same as bulk's.

A part gives rows of (what, feature, value, other, count); the backend adds the counts of equal rows up, `summary` turns
sums into what a population holds, the backend adds up once more, and `population_of` reads the rows that are left.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matching.distinct import distinct_in_order
from matching.model import MatchModel, Population
from matching.population import NAME_FORMS, NAMES_SHARING_MAX, SHARED_FORMS
from matching.records import Column, Forms
from matching.term_frequency import HOLDERS_FREE, SHARE_COMMON, TOKEN_HOLDERS_FREE, above, counted
from matching.texts import texts_of, words_of

COUNT_ROWS: Final = pa.schema(
    [("what", pa.string()), ("feature", pa.string()), ("value", pa.string()), ("other", pa.string()), ("n", pa.int64())]
)
"""What a part tells: "value": records that hold a value; "name": that a holder of the value has this first name."""

SUMMARY_ROWS: Final = pa.schema(
    [("what", pa.string()), ("feature", pa.string()), ("value", pa.string()), ("n", pa.int64())]
)
"""What is added up from sums: "value"; "token": records that hold a word; "words": values of several words; "name"."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Name the features that a population is asked about, as `population.learn` does."""

    compared: tuple[str, ...]
    weighed: frozenset[str]
    worded: tuple[str, ...]
    shared: tuple[str, ...]
    name: str | None


def part_counts(forms: Forms, model: MatchModel) -> pa.Table:
    """Count the values of some records, and which first names their holders have: COUNT_ROWS."""
    asked = _asked(model)
    parts = [
        _rows("value", feature, counted(forms.features[feature], 0))
        for feature in sorted({*asked.compared, *asked.worded})
    ]
    if asked.name is not None:
        parts += [
            _holders_names(feature, forms.features[feature], forms.features[asked.name]) for feature in asked.shared
        ]
    return pa.concat_tables([COUNT_ROWS.empty_table(), *parts])


def summary(sums: pa.Table, model: MatchModel) -> pa.Table:
    """Turn summed COUNT_ROWS, each distinct one once in some table, into SUMMARY_ROWS to add up."""
    worded = _asked(model).worded
    found = [SUMMARY_ROWS.empty_table()]
    is_name = pc.equal(sums["what"], "name")
    named = sums.filter(is_name).group_by(["what", "feature", "value"]).aggregate([([], "count_all")])
    found.append(named.rename_columns(SUMMARY_ROWS.names))
    values = sums.filter(pc.invert(is_name)).select(SUMMARY_ROWS.names)
    found.append(values)
    for feature in worded:
        of_feature = values.filter(pc.equal(values["feature"], feature))
        found += _words(feature, of_feature["value"].to_pylist(), of_feature["n"].to_numpy())
    return pa.concat_tables(found)


def least_counts(model: MatchModel, records_count: int) -> Mapping[str, Mapping[str, int]]:
    """Return what → feature → the least sum that `population_of` reads, so that a backend need not hand on the rest."""
    asked, share = _asked(model), max(HOLDERS_FREE, records_count // SHARE_COMMON)
    return {
        "value": {name: (HOLDERS_FREE if name in asked.weighed else share) + 1 for name in asked.compared},
        "token": dict.fromkeys(asked.worded, TOKEN_HOLDERS_FREE + 1),
        "words": dict.fromkeys(asked.worded, 1),
        "name": {name: (HOLDERS_FREE if name in asked.weighed else NAMES_SHARING_MAX) + 1 for name in asked.shared},
    }


def population_of(totals: pa.Table, records_count: int, model: MatchModel) -> Population:
    """Build the population from SUMMARY_ROWS that are added up; without stop keys, which need it to be found."""
    asked, least = _asked(model), least_counts(model, records_count)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for what, feature, value, count in _read(totals):
        if count >= least[what].get(feature, count + 1):
            found.setdefault((what, feature), {})[value] = count
    frequency = {name: found.get(("value", name), {}) for name in asked.compared}
    frequency |= {f"{name} tokens": found.get(("token", name), {}) for name in asked.worded if ("words", name) in found}
    shared = {name: found.get(("name", name), {}) for name in asked.shared} if asked.name is not None else {}
    frequency |= {name: counts for name, counts in shared.items() if name in asked.weighed}
    generic = {name: frozenset(above(counts, NAMES_SHARING_MAX)) for name, counts in shared.items()}
    return Population(
        records_count, frequency, frozenset(), {name: values for name, values in generic.items() if values}
    )


def with_stop_keys(model: MatchModel, stops: NDArray[np.int64]) -> MatchModel:
    """Return the model with other stop keys in its population."""
    return replace(model, population=replace(model.population, stop_keys=frozenset(stops.tolist())))


def _asked(model: MatchModel) -> _Asked:
    form_by_feature = {feature.name: feature.form for feature in model.features}
    compared = {comparison.feature for comparison in model.comparisons}
    return _Asked(
        compared=tuple(sorted(compared)),
        weighed=frozenset(comparison.feature for comparison in model.comparisons if comparison.term_frequency),
        worded=tuple(sorted(compared | {part.feature for rule in model.blocking for part in rule.parts})),
        shared=tuple(name for name, form in form_by_feature.items() if form in SHARED_FORMS),
        name=next((name for name, form in form_by_feature.items() if form in NAME_FORMS), None),
    )


def _holders_names(feature: str, column: Column, names: Column) -> pa.Table:
    """List each (value, first name of a holder) once."""
    first = names.first_codes()[column.owners]
    named = first >= 0
    width = max(1, len(names.values))
    pairs = distinct_in_order(column.codes[named].astype(np.int64) * width + first[named]).tolist()
    values = pa.array([column.values[pair // width] for pair in pairs], pa.string())
    others = pa.array([names.values[pair % width] for pair in pairs], pa.string())
    return _rows_of(COUNT_ROWS, "name", feature, values, others, pa.array(np.ones(len(pairs), np.int64)))


def _words(feature: str, values: Sequence[str], counts: NDArray[np.int64]) -> list[pa.Table]:
    """Count the records that hold each word, as `term_frequency.counted_tokens` does, and the values of several."""
    several = sum(" " in value for value in values)
    if not values:
        return []
    words = words_of(texts_of(values))
    width = max(1, len(words.distinct))
    held = distinct_in_order(words.owners * width + words.codes)
    holders = np.bincount(held % width, weights=counts[held // width], minlength=width).astype(np.int64)
    told = [_summary("token", feature, words.distinct, holders[: len(words.distinct)])]
    return [*told, _summary("words", feature, [""], np.array([several]))] if several else told


def _summary(what: str, feature: str, values: Sequence[str], counts: NDArray[np.int64]) -> pa.Table:
    return _rows_of(SUMMARY_ROWS, what, feature, pa.array(values, pa.string()), pa.array(counts, pa.int64()))


def _rows(what: str, feature: str, counts: Mapping[str, int]) -> pa.Table:
    others = pa.repeat("", len(counts))
    return _rows_of(
        COUNT_ROWS, what, feature, pa.array(list(counts), pa.string()), others, pa.array(counts.values(), pa.int64())
    )


def _rows_of(schema: pa.Schema, what: str, feature: str, *columns: pa.Array) -> pa.Table:
    count = len(columns[0])
    return pa.table([pa.repeat(what, count), pa.repeat(feature, count), *columns], schema=schema)


def _read(table: pa.Table) -> Iterator[tuple[str, str, str, int]]:
    columns = (table[name].to_pylist() for name in ("what", "feature", "value", "n"))
    return zip(*columns, strict=True)
