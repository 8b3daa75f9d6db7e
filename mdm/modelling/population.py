"""What is common among all of a hub's records: values, words, crowded blocks, switchboards, mailboxes for all.

It is learnt from every active record, not from those that a lesson is drawn from: in a part, a name of ten thousand
holders would look as rare as one of ten. The records come page by page and are kept as columns, each value once.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from matching.model import EMPTY_POPULATION, MatchModel
from matching.population import learn_population
from matching.records import Column, Forms, Records
from matching.standardise import standardise
from mdm.entities.mapping import match_row
from mdm.entities.model import EntityType
from mdm.modelling import store
from mdm.sources.model import SourceKey

_PAGE: Final = 5_000  # chosen: some ten megabytes of values

Tell = Callable[[str], None]


def read_forms(connection: Connection, entity_type: EntityType, *, processes: int = 1, tell: Tell) -> Forms:
    """Give the compare forms of all active records, read in the order of their ids; `tell` hears how far it is."""
    total = store.count_records(connection, entity_type.name)
    columns = _Columns()
    keys: list[str] = []
    sources: list[str] = []
    contexts: list[str] = []
    for rows in _pages(connection, entity_type.name):
        for row in rows:
            keys.append(str(SourceKey(row.instance_id, row.object, row.scope, row.native_id)))
            sources.append(row.instance_id)
            contexts.append(row.context)
            columns.add(match_row(entity_type, row.values))
        tell(f"read {len(keys):,} of {total:,} records")
    tell(f"standardising {len(keys):,} records")
    records = Records(
        tuple(keys), tuple(sources), columns.made(), tuple(contexts) if entity_type.within is not None else None
    )
    return standardise(records, entity_type.model, processes)


def with_present_population(forms: Forms, model: MatchModel, *, tell: Tell) -> MatchModel:
    """Give the model the population of these records, in the place of one that it had."""
    tell(f"learning what is common among {len(forms.keys):,} records")
    return replace(model, population=learn_population(forms, replace(model, population=EMPTY_POPULATION)))


def _pages(connection: Connection, entity_type: str) -> Iterator[Sequence[Any]]:
    after = ""
    while rows := store.select_values_after(connection, entity_type, after, limit=_PAGE):
        yield rows
        after = rows[-1].id


class _Columns:
    """Columns that grow record by record."""

    def __init__(self) -> None:
        self._records_count = 0
        self._codes: dict[str, dict[str, int]] = {}
        self._held: dict[str, tuple[array[int], array[int]]] = {}

    def add(self, row: Mapping[str, Sequence[str]]) -> None:
        """Take in the values of the next record."""
        for name, values in row.items():
            code_by_value = self._codes.setdefault(name, {})
            owners, codes = self._held.setdefault(name, (array("i"), array("i")))
            for value in values:
                owners.append(self._records_count)
                codes.append(code_by_value.setdefault(value, len(code_by_value)))
        self._records_count += 1

    def made(self) -> dict[str, Column]:
        """Give the columns, by name."""
        made = {}
        for name in sorted(self._held):
            owners, codes = (np.array(held, dtype=np.int32) for held in self._held[name])
            counts = np.bincount(owners, minlength=self._records_count)
            offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
            made[name] = Column(offsets, codes, tuple(self._codes[name]))
        return made
