"""The sanity gate: two runs on the same records, and what of the newer one is nonsense, in words and figures.

It knows no truth. It knows what a broken model looks like: one cluster that swallows all, joins by the thousand that
identifiers refuse, scores that moved as a whole, twice or half the matches.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from matching.bulk import BulkMatch
from matching.learning.model import GateReport, Refusal, RunFigures
from matching.model import MATCH, POSSIBLE_MATCH

LARGEST_FACTOR: Final = 3.0
LARGEST_FREE: Final = 30
"""The largest cluster may grow threefold, and to 30 whatever it was (chosen: a client in every system has ten)."""

REFUSED_FACTOR: Final = 3.0
REFUSED_FREE: Final = 0.1
"""Of the matching pairs, a tenth may be refused by identifiers, and three times as many as before (chosen)."""

DRIFT_MAX: Final = 0.25
"""Population stability index above which two distributions are held to differ (a rule of credit scoring)."""

MATCHES_FACTOR: Final = 2.0
"""Matching pairs a record may double or halve (chosen)."""

BAND_BITS: Final = 4.0
BANDS: Final = 8
"""Bands above the review line that scores are counted in; one more holds all below it."""


def figures_of(found: BulkMatch) -> RunFigures:
    """Sum up a run of matching."""
    model = found.model
    labels, sizes = np.unique(found.labels, return_counts=True)
    candidates = next((stage.count for stage in found.stages if stage.name == "compare"), len(found.left))
    band = np.clip((found.bits - model.review_bits) // BAND_BITS, 0, BANDS - 1).astype(np.int64)
    held = np.bincount(band, minlength=BANDS)
    return RunFigures(
        model_version=model.version,
        records=len(found.labels),
        clusters=len(labels),
        largest_cluster=int(sizes.max(initial=0)),
        candidates=candidates,
        matches=int(np.count_nonzero(found.verdicts == MATCH)),
        possible_matches=int(np.count_nonzero(found.verdicts == POSSIBLE_MATCH)),
        refused=found.refused_count,
        histogram=(candidates - int(held.sum()), *held.tolist()),
    )


def gate(old: RunFigures, new: RunFigures) -> GateReport:
    """Compare the run of a model with that of the one in force, on the same records."""
    drift = stability(old.histogram, new.histogram)
    return GateReport(old, new, drift, tuple(_refusals(old, new, drift)))


def stability(old: tuple[int, ...], new: tuple[int, ...]) -> float:
    """Return the population stability index of two histograms: Σ (q − p) · ln(q / p), a half added to each count."""
    before, after = np.array(old) + 0.5, np.array(new) + 0.5
    p, q = before / before.sum(), after / after.sum()
    return float(((q - p) * np.log(q / p)).sum())


def _refusals(old: RunFigures, new: RunFigures, drift: float) -> Iterator[Refusal]:
    largest = max(LARGEST_FREE, math.ceil(old.largest_cluster * LARGEST_FACTOR))
    if new.largest_cluster > largest:
        yield Refusal(
            "largest_cluster",
            f"the largest cluster has {new.largest_cluster:,} records, {old.largest_cluster:,} before;"
            f" {largest:,} are allowed",
            float(new.largest_cluster),
            float(largest),
        )
    share, before = _share(new.refused, new.matches), _share(old.refused, old.matches)
    allowed = max(REFUSED_FREE, before * REFUSED_FACTOR)
    if share > allowed:
        yield Refusal(
            "refused_joins",
            f"{new.refused:,} of {new.matches:,} matching pairs ({share:.1%}) are refused by identifiers that differ,"
            f" {before:.1%} before; {allowed:.1%} are allowed",
            share,
            allowed,
        )
    if drift > DRIFT_MAX:
        yield Refusal(
            "drift",
            f"the scores of the {new.candidates:,} candidate pairs moved as a whole: a stability index of {drift:.2f},"
            f" {DRIFT_MAX:.2f} is allowed",
            drift,
            DRIFT_MAX,
        )
    rate, rate_before = _share(new.matches, new.records), _share(old.matches, old.records)
    if rate > rate_before * MATCHES_FACTOR or rate < rate_before / MATCHES_FACTOR:
        yield Refusal(
            "match_rate",
            f"{new.matches:,} pairs match, {old.matches:,} before: more than twice or less than half as many a record",
            rate,
            rate_before * (MATCHES_FACTOR if rate > rate_before else 1 / MATCHES_FACTOR),
        )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
