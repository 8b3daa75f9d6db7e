"""An independent oracle of candidates and levels: recordlinkage's Index and Compare on the same compare forms.

It lays every value and every key text out as a row of its own and lets recordlinkage pair the rows. Where recordlinkage
has no algorithm of a comparator, a plain one of our own is added to its Compare (`reference_likeness`). It is slow;
tests hold our own stages against it. It needs the extra `train`.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
import recordlinkage
from numpy.typing import NDArray

from matching.backends.reference_likeness import LIKENESS, Weigh, weigher
from matching.block import BLOCK_SIZE_EMERGENCY
from matching.key_parts import KEYS_PER_PART_MAX
from matching.model import MISSING, BlockingRule, Comparison, KeyPart, MatchModel
from matching.records import Forms
from matching.term_frequency import GENERIC_TOKENS

Pair = tuple[int, int]
_Texts = Sequence[frozenset[str]]
"""The key texts of each record."""

VOWELS: Final = frozenset("aeiouyhw")


def reference_pairs(forms: Forms, model: MatchModel) -> set[Pair]:
    """Return the candidate pairs (left < right) of all blocking rules.

    Blocks above size_max, the rule's or else the model's, are split where the model has a population: it must have been
    learnt from these records.
    """
    texts = {part: _key_texts(forms, model, part) for part in dict.fromkeys(p for r in model.blocking for p in r.parts)}
    return set[Pair]().union(*(_rule_pairs(rule, texts, forms, model) for rule in model.blocking))


def reference_levels(
    forms: Forms, pairs: tuple[NDArray[np.integer], NDArray[np.integer]], comparison: Comparison, model: MatchModel
) -> NDArray[np.int8]:
    """Return the level index of one comparison: int8 [pairs], -1 where a record has no value."""
    held = _values(forms, model, comparison.feature)
    rows = pd.DataFrame([(record, value) for record, values in enumerate(held) for value in values])
    levels = np.full(len(pairs[0]), MISSING, dtype=np.int8)
    if rows.empty:
        return levels
    rows.columns = ["record", "value"]
    rows_by_record = rows.groupby("record").indices
    asked = [
        (pair, first, second)
        for pair, (one, other) in enumerate(zip(*(side.tolist() for side in pairs), strict=True))
        for first in rows_by_record.get(one, ())
        for second in rows_by_record.get(other, ())
    ]
    if not asked:
        return levels
    owners, firsts, seconds = (np.array(column) for column in zip(*asked, strict=True))
    likeness = _compared(
        rows, pd.MultiIndex.from_arrays([firsts, seconds]), comparison, _weigh(model, comparison.feature)
    )
    best = pd.Series(likeness).groupby(owners).max()
    bounds = [level.at_least for level in comparison.levels[:-1]]
    for pair, likest in best.items():
        levels[pair] = sum(likest < bound - 1e-9 for bound in bounds)
    return levels


def _compared(rows: pd.DataFrame, pairs: pd.MultiIndex, comparison: Comparison, weigh: Weigh) -> NDArray[np.float64]:
    """Compare rows by recordlinkage: its own algorithm where it has one, else ours for one pair after the other."""
    compare = recordlinkage.Compare()
    if comparison.comparator == "exact":
        compare.exact("value", "value")
    elif comparison.comparator == "string":
        compare.string("value", "value", method="jarowinkler")
    else:
        likeness = LIKENESS[comparison.comparator]

        def each(left: "pd.Series[str]", right: "pd.Series[str]") -> "pd.Series[float]":
            return pd.Series([likeness(a, b, weigh) for a, b in zip(left, right, strict=True)], index=left.index)

        compare.compare_vectorized(each, "value", "value")
    found: NDArray[np.float64] = compare.compute(pairs, rows).iloc[:, 0].to_numpy(dtype=np.float64)
    return found


def _rule_pairs(rule: BlockingRule, texts: Mapping[KeyPart, _Texts], forms: Forms, model: MatchModel) -> set[Pair]:
    """Pair the records of one rule; the records of a block that is too large meet in finer ones instead."""
    rows = _rows(forms, [texts[part] for part in rule.parts])
    has_stops = model.population.records_count > 0
    size_max = rule.size_max or model.block_size_max
    is_stop = _sizes(rows) > size_max if has_stops else np.zeros(len(rows), dtype=bool)
    limit = size_max * BLOCK_SIZE_EMERGENCY
    found = _paired(rows[~is_stop], limit)
    for part, finer in texts.items():
        if part in rule.parts or not is_stop.any():
            continue
        split = rows[is_stop].assign(finer=[sorted(finer[record]) for record in rows["record"][is_stop]])
        split = split.explode("finer").dropna().reset_index(drop=True)
        found |= _paired(split[_sizes(split) <= size_max], limit)
    return found


def _rows(forms: Forms, texts: Sequence[_Texts]) -> pd.DataFrame:
    """Lay out a row for each combination of a record's key texts, and its context, where it has one of each."""
    columns: dict[str, object] = {"record": range(len(forms.keys))}
    columns |= {f"part {place}": [sorted(of_record) for of_record in part] for place, part in enumerate(texts)}
    if forms.contexts is not None:
        columns["context"] = [context or None for context in forms.contexts]
    rows = pd.DataFrame(columns)
    for place in range(len(texts)):
        rows = rows.explode(f"part {place}")
    return rows.dropna().reset_index(drop=True)


def _sizes(rows: pd.DataFrame) -> NDArray[np.int64]:
    """Return how many records share the key of each row."""
    keys = [name for name in rows.columns if name != "record"]
    sizes: NDArray[np.int64] = rows.groupby(keys)["record"].transform("count").to_numpy(dtype=np.int64)
    return sizes


def _paired(rows: pd.DataFrame, limit: int) -> set[Pair]:
    kept = rows[_sizes(rows) <= limit] if len(rows) else rows
    if len(kept) < 2:
        return set()
    keys = [name for name in kept.columns if name != "record"]
    pairs = recordlinkage.Index().block(keys).index(kept)
    first, second = (kept["record"].loc[pairs.get_level_values(side)].tolist() for side in (0, 1))
    return {(min(pair), max(pair)) for pair in zip(first, second, strict=True) if pair[0] != pair[1]}


def _key_texts(forms: Forms, model: MatchModel, part: KeyPart) -> _Texts:
    weigh = _weigh(model, part.feature)
    found = [
        frozenset(text for value in values for text in _texts(value, part.transform, weigh))
        for values in _values(forms, model, part.feature)
    ]
    assert all(len(texts) <= KEYS_PER_PART_MAX for texts in found), "which texts are kept has no reference"
    return found


def _texts(value: str, transform: str, weigh: Weigh) -> Sequence[str]:
    """Make key texts of a value."""
    name, _, told = transform.partition(":")
    return TEXTS[name](value.split(), int(told or 0), weigh)


def _rarest(words: Sequence[str], count: int, weigh: Weigh) -> Sequence[str]:
    telling = [word for word in set(words) if weigh(word) >= 0.6 * max(map(weigh, words))]
    return sorted(telling, key=lambda word: (-weigh(word), -len(word), word))[:count]


def _acronym(words: Sequence[str]) -> Sequence[str]:
    telling = [word for word in words if word not in GENERIC_TOKENS] or words
    letters = "".join(word[0] for word in telling) if len(telling) > 1 else telling[0]
    return [letters] if 2 <= len(letters) <= 5 else []


def _consonants(words: Sequence[str]) -> str:
    kept = words[0][0]
    for letter in "".join(words)[1:]:
        kept += "" if letter in VOWELS or letter == kept[-1] else letter
    return kept


TEXTS: Final[Mapping[str, Callable[[Sequence[str], int, Weigh], Sequence[str]]]] = {
    "whole": lambda words, _size, _weigh: [" ".join(words)],
    "squashed": lambda words, _size, _weigh: ["".join(words)],
    "first": lambda words, size, _weigh: ["".join(words)[:size]],
    "last": lambda words, size, _weigh: ["".join(words)[-size:]],
    "tokens": lambda words, _size, _weigh: words,
    "sorted_tokens": lambda words, _size, _weigh: [" ".join(sorted(words))],
    "telling_tokens": lambda words, _size, weigh: [word for word in words if weigh(word) > 0.2] or words,
    "rare_tokens": lambda words, size, weigh: _rarest(words, size or 2, weigh),
    "token_pairs": lambda words, _size, weigh: [
        " ".join(one) for one in combinations(sorted(_rarest(words, 5, weigh)), 2)
    ],
    "acronym": lambda words, _size, _weigh: _acronym(words),
    "consonants": lambda words, size, _weigh: [_consonants(words)[: size or None]],
}
"""Each transform of `matching.transforms`, told once more on the words of a value."""


def _weigh(model: MatchModel, feature: str) -> Weigh:
    return weigher(model.population.frequency.get(f"{feature} tokens", {}), model.population.records_count)


def _values(forms: Forms, model: MatchModel, feature: str) -> Sequence[Sequence[str]]:
    """Return the values of each record, without those that the population knows to tell nothing."""
    column, nothing = forms.features[feature], model.population.generic.get(feature, frozenset())
    return [[value for value in column.of(record) if value not in nothing] for record in range(len(column))]
