"""Weak labels: what strong identifiers say of blocked pairs, with guards against identifiers that are wrong.

Two records that hold the same tax number are one; two with different valid ones of a kind are not. That labels enough
pairs to learn from where a file has such numbers, with no steward asked. The pairs are those that met for another
reason than their numbers: the rest would tell what two records look like that have nothing but a number in common.
Numbers themselves are hidden from the learner, and what decides whether two numbers can be compared (the country)
keeps its declared worth, as it differs in hardly any labelled pair.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.compare import compare_known
from matching.learning.learner import LabelledPatterns
from matching.learning.pool import Pool, candidates, pool_of
from matching.model import MISSING, BlockingRule, Comparison, MatchModel
from matching.online import conflict_signatures, conflicting
from matching.records import Forms
from matching.term_frequency import above, informative, know, spread, without

NAMES_SHARING_MAX: Final = 12
"""Different names that may share an identifier before it is no evidence: an accountant's number, a filler (chosen)."""

AT_LARGE_MAX: Final = 100_000
"""Pairs that stand for all in the report (chosen)."""

_SLIP: Final = 1
"""Place of the level below "same" in a comparison of identifiers: two numbers one slip apart may be one."""


@dataclass(frozen=True, slots=True, eq=False)
class WeakLabels:
    """Hold the pairs that identifiers label, and a part of all pairs.

    pool      the labelled pairs, of those that met for another reason than an identifier
    same, different  bool [pairs of the pool]
    at_large  a part of all pairs that met so, labelled or not
    hidden    comparisons that the learner must not see: the identifiers
    kept      comparisons whose declared worth stands: what makes identifiers comparable
    """

    pool: Pool
    same: NDArray[np.bool_]
    different: NDArray[np.bool_]
    at_large: Pool
    hidden: frozenset[str]
    kept: frozenset[str]

    @property
    def count(self) -> int:
        """Count the labels of the rarer kind: what learning is bounded by."""
        return int(min(self.same.sum(), self.different.sum()))

    def patterns(self, model: MatchModel) -> LabelledPatterns:
        """Return the labels by pattern, identifiers hidden."""
        levels = self.pool.levels.copy()
        for place, comparison in enumerate(model.comparisons):
            if comparison.name in self.hidden:
                levels[:, place] = MISSING
        size = len(levels)
        return LabelledPatterns(
            levels,
            self.pool.frequency_bits,
            np.bincount(self.pool.pattern[self.same], minlength=size).astype(np.float64),
            np.bincount(self.pool.pattern[self.different], minlength=size).astype(np.float64),
        )


def identifying(model: MatchModel) -> tuple[Comparison, ...]:
    """Return the comparisons of strong identifiers: compared as identifiers, and a veto when they differ."""
    vetoed = {veto.feature for veto in model.vetoes}
    return tuple(
        comparison
        for comparison in model.comparisons
        if comparison.comparator == "identifier" and comparison.feature in vetoed
    )


def weak_labels(forms: Forms, model: MatchModel, *, seed: int, at_large_max: int = AT_LARGE_MAX) -> WeakLabels:
    """Label the blocked pairs whose strong identifiers agree or conflict; `model` holds its population.

    Only what identifiers label is compared in full, so that a million candidates cost little.

    at_large_max  pairs that stand for all; 0 for a caller that makes no report
    """
    hidden = frozenset(part.name for part in model.comparisons if part.comparator == "identifier")
    known = know(_guarded(forms, model), model)
    left, right, count = candidates(forms, replace(model, blocking=_by_other_reasons(model)), seed=seed)
    agree, near = _agreeing(known.forms, model, left, right)
    conflict = _conflicts(known.forms, model, left, right)
    told = agree ^ (conflict & ~near)
    pool = pool_of(known, left[told], right[told], count, model)
    scoping = _scoping(model)
    others = [place for place, part in enumerate(model.comparisons) if part.name not in hidden]
    supported = (pool.levels[:, others] == 0).any(axis=1)[pool.pattern]
    part = slice(None, None, max(1, -(-len(left) // at_large_max))) if at_large_max else slice(0)
    return WeakLabels(
        pool,
        same=agree[told] & ~conflict[told] & supported,
        different=conflict[told] & ~agree[told],
        at_large=pool_of(known, left[part], right[part], count, model),
        hidden=hidden,
        kept=frozenset(part.name for part in model.comparisons if part.feature in scoping) - hidden,
    )


def _agreeing(
    forms: Forms, model: MatchModel, left: NDArray[np.int32], right: NDArray[np.int32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which pairs share a strong identifier, and which have two that are one slip apart: bool [pairs] each."""
    strong = identifying(model)
    levels = compare_known(forms, left, right, replace(model, comparisons=strong, rules=()))
    has_slip = np.array([len(part.levels) > _SLIP + 1 for part in strong], dtype=bool)
    return (levels == 0).any(axis=1), ((levels == _SLIP) & has_slip).any(axis=1)


def _guarded(forms: Forms, model: MatchModel) -> Forms:
    """Return the forms without identifiers that many different names share."""
    names = next((forms.features[spec.name] for spec in model.features if spec.form.endswith("_name")), None)
    if names is None:
        return forms
    strong = {part.feature for part in identifying(model)}
    kept = {
        name: without(column, frozenset(above(spread(column, names), NAMES_SHARING_MAX))) if name in strong else column
        for name, column in informative(forms, model.population).features.items()
    }
    return replace(forms, features=kept)


def _by_other_reasons(model: MatchModel) -> tuple[BlockingRule, ...]:
    numbers = {part.feature for part in model.comparisons if part.comparator == "identifier"}
    return tuple(rule for rule in model.blocking if not any(part.feature in numbers for part in rule.parts))


def _scoping(model: MatchModel) -> set[str]:
    """Return the features that read the attributes which say how an identifier is read: its country."""
    strong = {part.feature for part in identifying(model)}
    asked = {name for spec in model.features if spec.name in strong for name in spec.country_from}
    return {spec.name for spec in model.features if asked.intersection(spec.attributes)}


def _conflicts(forms: Forms, model: MatchModel, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.bool_]:
    features = {part.feature for part in identifying(model)}
    vetoes = tuple(veto for veto in model.vetoes if veto.feature in features)
    if not vetoes:
        return np.zeros(len(left), dtype=bool)
    return conflicting(conflict_signatures(forms, replace(model, vetoes=vetoes)), left, right)
