"""What learning takes and gives: labels, pairs to ask, the learnt model with its report. All plain data."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from matching.model import MatchModel

Way = Literal["declared", "cold_start", "weak_labels", "labels"]
"""How a model came about: as declared, from agreement in the records alone, from identifiers, from decided pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Hold decided pairs of records (positions in the forms).

    left, right  int32 [labels]; is_same bool [labels]; weight float64 [labels], 1 for a plain decision
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    is_same: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the labels."""
        return len(self.left)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Hold pairs to ask about, the most useful first: left < right int32 [pairs], bits float64 [pairs]."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    bits: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LevelWeight:
    """Tell what one level of a comparison (or an interaction, level "") is worth, and on what that stands.

    declared_bits, learnt_bits  log2 of odds; pairs, labels  how many candidates and labels reach the level
    """

    comparison: str
    level: str
    declared_bits: float
    learnt_bits: float
    pairs: int
    labels: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Compare what the model says with what the labels say, for pairs of like score.

    predicted, observed  mean probability and share of matches, weighted; low, high bound the share (Wilson, 95 %)
    """

    predicted: float
    observed: float
    low: float
    high: float
    labels: int


@dataclass(frozen=True, slots=True)
class HistogramBar:
    """Count the candidate pairs from `from_bits` up to the next bar."""

    from_bits: float
    pairs: float


@dataclass(frozen=True, slots=True)
class LinePoint:
    """Tell precision and recall among labelled pairs when the match line stands at `bits`, with 95 % bounds."""

    bits: float
    precision: float
    precision_low: float
    precision_high: float
    recall: float
    recall_low: float
    recall_high: float


@dataclass(frozen=True, slots=True)
class LearningReport:
    """Hold how a model was learnt and how good it is, as plain figures; see `drawings` for the pictures.

    calibration_error  expected calibration error, 0..1, None without held-out labels
    """

    way: Way
    declared_version: str
    learnt_version: str
    settings: tuple[tuple[str, float], ...]
    records: int
    candidates: int
    labels_same: float
    labels_different: float
    prior_bits_declared: float
    prior_bits_learnt: float
    weights: tuple[LevelWeight, ...]
    calibration: tuple[CalibrationBin, ...]
    calibration_error: float | None
    histogram: tuple[HistogramBar, ...]
    lines: tuple[LinePoint, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learnt:
    """Hold a learnt model, its population frozen in it, and the report of how it was learnt."""

    model: MatchModel
    report: LearningReport


@dataclass(frozen=True, slots=True)
class RunFigures:
    """Hold what the sanity gate compares of one run of matching.

    histogram  candidate pairs by score: below the review line first, then bars of 2 bits from it on
    """

    model_version: str
    records: int
    clusters: int
    largest_cluster: int
    candidates: int
    matches: int
    possible_matches: int
    refused: int
    histogram: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Say in a sentence why a model should not be activated: what was found and what is allowed."""

    code: Literal["largest_cluster", "refused_joins", "drift", "match_rate"]
    sentence: str
    found: float
    allowed: float


@dataclass(frozen=True, slots=True)
class GateReport:
    """Hold what changed between two runs, and why the newer model is refused, if it is.

    drift  population stability index of the two score histograms: below .1 alike, above .25 another population
    """

    old: RunFigures
    new: RunFigures
    drift: float
    refusals: tuple[Refusal, ...]

    @property
    def is_passed(self) -> bool:
        """Tell whether the newer model may be activated."""
        return not self.refusals
