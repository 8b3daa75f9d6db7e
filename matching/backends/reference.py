"""An independent oracle of blocking and comparison levels: recordlinkage's Index and Compare on the same compare forms.

It is slow, single-valued and knows neither stop keys nor frequencies; tests hold our own stages against it. It needs
the extra `train`.
"""

import numpy as np
import pandas as pd
import recordlinkage
from numpy.typing import NDArray

from matching.model import MISSING, BlockingRule, Comparison
from matching.records import Forms

METHOD_BY_COMPARATOR = {"string": "jarowinkler"}
"""recordlinkage's name of each string comparator that both have; `exact` is its own kind."""


def reference_pairs(forms: Forms, rules: tuple[BlockingRule, ...]) -> set[tuple[int, int]]:
    """Return the candidate pairs (left < right) of rules whose parts are whole, single-valued features."""
    frame = _frame(forms)
    found: set[tuple[int, int]] = set()
    for rule in rules:
        assert all(part.transform == "whole" for part in rule.parts), "only whole features have a reference"
        index = recordlinkage.Index()
        index.block([part.feature for part in rule.parts])
        held = frame.dropna(subset=[part.feature for part in rule.parts])
        found |= {(min(pair), max(pair)) for pair in index.index(held)}
    return found


def reference_levels(
    forms: Forms, left: NDArray[np.integer], right: NDArray[np.integer], comparison: Comparison
) -> NDArray[np.int8]:
    """Return the level index of one comparison: int8 [pairs], -1 where a record has no value."""
    compare = recordlinkage.Compare()
    if comparison.comparator == "exact":
        compare.exact(comparison.feature, comparison.feature, missing_value=np.nan)
    else:
        method = METHOD_BY_COMPARATOR[comparison.comparator]
        compare.string(comparison.feature, comparison.feature, method=method, missing_value=np.nan)
    pairs = pd.MultiIndex.from_arrays([left, right])
    likeness = compare.compute(pairs, _frame(forms)).iloc[:, 0].to_numpy(dtype=np.float64)
    bounds = np.array([level.at_least for level in comparison.levels[:-1]])
    levels = np.asarray((likeness[:, None] < bounds[None, :] - 1e-9).sum(axis=1), dtype=np.int8)
    levels[np.isnan(likeness)] = MISSING
    return levels


def _frame(forms: Forms) -> pd.DataFrame:
    """Lay single-valued features out as a table, one row a record, None for no value."""
    columns = {}
    for name, column in forms.features.items():
        assert column.is_single, f"feature {name} has several values a record"
        columns[name] = [next(iter(column.of(record)), None) for record in range(len(column))]
    return pd.DataFrame(columns)
