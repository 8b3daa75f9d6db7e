"""The report of a learnt model: what each level was and is worth, on how many pairs, and how true its scores are."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.learning.calibration import calibration, lines
from matching.learning.learner import LabelledPatterns
from matching.learning.model import HistogramBar, LearningReport, LevelWeight, Way
from matching.learning.pool import Pool, scores
from matching.model import MatchModel

BAR_BITS: Final = 2.0
BARS_FROM: Final = -30.0
BARS_TO: Final = 40.0
"""Bars of the score histogram: two bits wide; what lies beyond is in the first and the last (chosen)."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Hold what a model was learnt from.

    pool           candidates at large; labelled  the labels by pattern
    held_out_bits  float64 [patterns of labelled], log odds by fits that had not seen the labels they judge
    """

    way: Way
    pool: Pool
    labelled: LabelledPatterns
    held_out_bits: NDArray[np.float64]
    settings: tuple[tuple[str, float], ...]
    records: int
    notes: tuple[str, ...]


def report_of(declared: MatchModel, learnt: MatchModel, told: Told) -> LearningReport:
    """Write the report of a model that was learnt."""
    labelled = told.labelled
    bins, error = calibration(told.held_out_bits, labelled.same, labelled.different)
    return LearningReport(
        way=told.way,
        declared_version=declared.version,
        learnt_version=learnt.version,
        settings=told.settings,
        records=told.records,
        candidates=told.pool.pairs_count,
        labels_same=float(labelled.same.sum()),
        labels_different=float(labelled.different.sum()),
        prior_bits_declared=declared.prior_bits,
        prior_bits_learnt=learnt.prior_bits,
        weights=_weights(declared, learnt, told),
        calibration=bins,
        calibration_error=error,
        histogram=_histogram(scores(told.pool.levels, told.pool.frequency_bits, learnt), told.pool),
        lines=lines(told.held_out_bits, labelled.same, labelled.different) if labelled.same.sum() else (),
        notes=told.notes,
    )


def _weights(declared: MatchModel, learnt: MatchModel, told: Told) -> tuple[LevelWeight, ...]:
    pairs, labels = told.pool.counts, told.labelled.same + told.labelled.different
    factor = told.pool.pairs_count / max(1, len(told.pool.left))
    found = []
    for place, (before, after) in enumerate(zip(declared.comparisons, learnt.comparisons, strict=True)):
        for level, (old, new) in enumerate(zip(before.levels, after.levels, strict=True)):
            held = round(float(pairs[told.pool.levels[:, place] == level].sum()) * factor)
            said = round(float(labels[told.labelled.levels[:, place] == level].sum()))
            found.append(LevelWeight(before.name, old.label, old.bits, new.bits, held, said))
    return tuple(found)


def _histogram(bits: NDArray[np.float64], pool: Pool) -> tuple[HistogramBar, ...]:
    bounds = np.arange(BARS_FROM, BARS_TO, BAR_BITS)
    place = np.clip(np.floor((bits - BARS_FROM) / BAR_BITS), 0, len(bounds) - 1).astype(np.int64)
    held = np.bincount(place, weights=pool.counts, minlength=len(bounds))
    factor = pool.pairs_count / max(1, len(pool.left))
    return tuple(
        HistogramBar(bound, round(count * factor, 1))
        for bound, count in zip(bounds.tolist(), held.tolist(), strict=True)
    )
