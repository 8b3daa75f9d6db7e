"""Load and compile what compares before somebody waits for it.

The first comparison of a process loads a compiler, and where nothing compiled is kept yet compiles for seconds. Within
a transaction that would hold locks meanwhile, and end it where the machine is busy.
"""

from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np

from matching.keys import blocking_keys
from matching.online import conflict_signatures, conflicting, judge
from matching.records import records_from_rows
from matching.standardise import standardise
from mdm.entities.mapping import paths_of
from mdm.entities.model import EntityType

_ALIKE: Final = ("Northwind Consulting Partners 12", "Northwnd Consultings Prtners 12 Holding")


def make_ready(entity_types: Iterable[EntityType]) -> None:
    """Block and compare two records of each entity type, once in a process."""
    for entity_type in entity_types:
        _compare_two(entity_type)


@cache
def _compare_two(entity_type: EntityType) -> None:
    model = entity_type.model
    rows = [dict.fromkeys(paths_of(model.features), words) for words in _ALIKE]
    forms = standardise(records_from_rows(["1", "2"], ["a", "b"], rows, ["", ""]), model)
    left, right = np.array([0], dtype=np.int32), np.array([1], dtype=np.int32)
    blocking_keys(forms, model)
    judge(forms, left, right, model)
    conflicting(conflict_signatures(forms, model), left, right)
