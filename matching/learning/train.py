"""Train a model: from identifiers without any label, or from decided pairs, by the same learner."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.decide import holds
from matching.learning.calibration import wilson
from matching.learning.cold import ANCHOR_MATCHES, WAY_GONE, blocked, estimated
from matching.learning.learner import PLACES, LabelledPatterns, Pull, fit
from matching.learning.model import Labels, Learnt, Way
from matching.learning.pool import Pool, pool_of, scores, with_population
from matching.learning.report import Told, report_of
from matching.learning.sample import lesson_of
from matching.learning.weak import weak_labels
from matching.model import MatchModel, Rule
from matching.records import Forms
from matching.term_frequency import know

WEAK_LABELS_MIN: Final = 200
"""Weak labels of each kind below which nothing is learnt from identifiers (chosen)."""

WEAK_PULL: Final = Pull(weight_pull=1.0, prior_pull=5.0)
"""How firmly the declaration is held against weak labels, which are many and a little wrong (November 2026: on 10,000
generated customers pairwise F1 .968 with a pull of 1, .965 with 2, below .93 with .2; on 100,000 .967 with each)."""

LABEL_PULL: Final = Pull(weight_pull=0.1, prior_pull=5.0)
"""How firmly it is held against decided pairs (November 2026: 500 answers of the active queue on chicago_ece gave
pairwise F1 .973 with these, .965 to .973 with .2 and with .05; drawn at random .94 to .97, .81 to .93 with 2)."""

CAUTION_BITS: Final = 1.0
"""What is taken from every score that identifiers taught: a wrong edge joins all records of two clusters, a missed one
is often made up for by others (November 2026, pairwise F1 without and with: generated sets of 100,000 records .968 and
.969, .941 and .946)."""

FOLDS: Final = 3
"""Parts of the labels that each is judged by a fit on the others (chosen)."""


def learn_unsupervised(forms: Forms, model: MatchModel, *, seed: int) -> Learnt:
    """Learn from the strong identifiers of the records themselves; too few of them leave the model as declared.

    The scores lie CAUTION_BITS below what the identifiers taught, which the report is about.
    """
    declared = with_population(forms, model)
    weak = weak_labels(lesson_of(forms, declared.population.records_count), declared, seed=seed)
    labelled = weak.patterns(declared)
    if weak.count < WEAK_LABELS_MIN:
        note = f"{weak.count} weak labels of the rarer kind, {WEAK_LABELS_MIN} are needed: the weights stay as declared"
        nothing = replace(labelled, same=np.zeros_like(labelled.same), different=np.zeros_like(labelled.different))
        return _learnt(declared, _Lesson("declared", weak.at_large, nothing, WEAK_PULL, notes=(note,)))
    lesson = _Lesson("weak_labels", weak.at_large, labelled, WEAK_PULL, weak.hidden | weak.kept, caution=CAUTION_BITS)
    return _learnt(declared, lesson)


def taught_by_identifiers(forms: Forms, model: MatchModel, *, seed: int = 0) -> MatchModel:
    """Give the model of `learn_unsupervised` without a report, which costs as many more fits as it has FOLDS.

    Of a model that has its population, the forms may be those alone that `sample.drawn` gives.
    """
    declared = with_population(forms, model)
    weak = weak_labels(lesson_of(forms, declared.population.records_count), declared, seed=seed, at_large_max=0)
    if weak.count < WEAK_LABELS_MIN:
        return declared
    lesson = _Lesson(
        "weak_labels", weak.at_large, weak.patterns(declared), WEAK_PULL, weak.hidden | weak.kept, caution=CAUTION_BITS
    )
    return _fitted(declared, lesson)[0]


def learn_cold(forms: Forms, model: MatchModel, *, seed: int) -> Learnt:
    """Go a part of the way to what agreement in the records suggests: for a file without identifiers, on trial."""
    declared = with_population(forms, model)
    pool = blocked(forms, declared, seed=seed)
    learnt = estimated(forms, declared, pool, seed=seed)
    nothing = LabelledPatterns(pool.levels, pool.frequency_bits, np.zeros(len(pool.levels)), np.zeros(len(pool.levels)))
    told = Told(
        way="cold_start",
        pool=pool,
        labelled=nothing,
        held_out_bits=scores(pool.levels, pool.frequency_bits, learnt),
        settings=(("way_gone", WAY_GONE), ("anchor_matches", ANCHOR_MATCHES)),
        records=declared.population.records_count,
        notes=(),
    )
    return Learnt(learnt, report_of(declared, learnt, told))


def learn_supervised(forms: Forms, model: MatchModel, labels: Labels, *, seed: int) -> Learnt:
    """Learn from decided pairs, in any order; without labels the model stays as declared."""
    declared = with_population(forms, model)
    pool = blocked(forms, declared, seed=seed)
    told = pool_of(know(forms, declared), labels.left, labels.right, len(labels), declared)
    labelled = _by_pattern(told, labels)
    return _learnt(declared, _Lesson("labels" if len(labels) else "declared", pool, labelled, LABEL_PULL))


def _by_pattern(pool: Pool, labels: Labels) -> LabelledPatterns:
    """Add up the labels of each pattern, in an order of their own so that none can change a sum."""
    order = np.lexsort((labels.weight, labels.is_same, pool.pattern))
    pattern, is_same, weight = pool.pattern[order], labels.is_same[order], labels.weight[order]
    size = len(pool.levels)
    same = np.bincount(pattern, weights=weight * is_same, minlength=size).astype(np.float64)
    different = np.bincount(pattern, weights=weight * ~is_same, minlength=size).astype(np.float64)
    by_pattern = np.lexsort((pool.frequency_bits, *pool.levels.T))
    return LabelledPatterns(
        pool.levels[by_pattern], pool.frequency_bits[by_pattern], same[by_pattern], different[by_pattern]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """Hold what a model is learnt from: candidates at large, labels by pattern, and how the declaration is held.

    frozen   comparisons whose declared bits stand
    caution  bits taken from every score
    """

    way: Way
    pool: Pool
    labelled: LabelledPatterns
    pull: Pull
    frozen: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    caution: float = 0.0


def _fitted(declared: MatchModel, lesson: _Lesson) -> tuple[MatchModel, tuple[Rule, ...]]:
    """Return the learnt model, and the rules that it leaves out."""
    fitted = fit(declared, lesson.labelled, lesson.pull, frozen=lesson.frozen)
    dropped = tuple(rule for rule in declared.rules if _is_contradicted(rule, lesson.labelled, fitted))
    kept = tuple(rule for rule in declared.rules if rule not in dropped)
    return replace(fitted, rules=kept, prior_bits=round(fitted.prior_bits - lesson.caution, PLACES)), dropped


def _learnt(declared: MatchModel, lesson: _Lesson) -> Learnt:
    learnt, dropped = _fitted(declared, lesson)
    pull = lesson.pull
    caution = (("caution_bits", lesson.caution),) if lesson.caution else ()
    told = Told(
        way=lesson.way,
        pool=lesson.pool,
        labelled=lesson.labelled,
        held_out_bits=_held_out(declared, lesson),
        settings=(
            ("weight_pull", pull.weight_pull),
            ("prior_pull", pull.prior_pull),
            ("folds", float(FOLDS)),
            *caution,
        ),
        records=declared.population.records_count,
        notes=(*lesson.notes, *(f"the rule {rule.name} is left out: the labels contradict it" for rule in dropped)),
    )
    return Learnt(learnt, report_of(declared, learnt, told))


def _is_contradicted(rule: Rule, labelled: LabelledPatterns, fitted: MatchModel) -> bool:
    """Tell whether a rule that only asks a steward holds down pairs that the labels say are the same.

    Looked at are the labelled patterns that the learnt weights would match and the rule would not.
    """
    if rule.bound != "at_most" or rule.verdict != "possible_match":
        return False
    bits = scores(labelled.levels, labelled.offset, fitted)
    held = holds(rule, labelled.levels, fitted) & (bits >= 0)
    same = float(labelled.same[held].sum())
    low, _ = wilson(same, same + float(labelled.different[held].sum()))
    return low > 0.5


def _held_out(declared: MatchModel, lesson: _Lesson) -> NDArray[np.float64]:
    """Score each pattern by a fit on the labels of other patterns: float64 [patterns]."""
    labelled = lesson.labelled
    bits = scores(labelled.levels, labelled.offset, declared)
    for fold, others in _folds(labelled):
        fitted = fit(declared, others, lesson.pull, frozen=lesson.frozen)
        bits[fold] = scores(labelled.levels[fold], labelled.offset[fold], fitted)
    return bits


def _folds(labelled: LabelledPatterns) -> Iterator[tuple[NDArray[np.int64], LabelledPatterns]]:
    told = np.flatnonzero(labelled.same + labelled.different > 0)
    for fold in range(min(FOLDS, len(told)) if len(told) > 1 else 0):
        inside = told[fold::FOLDS]
        same, different = labelled.same.copy(), labelled.different.copy()
        same[inside] = different[inside] = 0.0
        yield inside, replace(labelled, same=same, different=different)
