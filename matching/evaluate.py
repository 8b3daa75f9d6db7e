"""How well a partition agrees with the truth, by pairs and by records."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Hold the figures of one evaluation over the records that are in both partitions.

    Pairwise figures count pairs of records in one cluster; B-cubed ones average, over records, the share of the
    record's own cluster that is right (Bagga & Baldwin 1998), and look at all pairs also when the pairwise ones look
    between sources only.
    """

    records_count: int
    true_pairs_count: int
    predicted_pairs_count: int
    common_pairs_count: int
    precision: float
    recall: float
    f1: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    clusters_count: int
    largest_cluster: int
    largest_true_cluster: int


def evaluate(
    predicted: Mapping[str, Hashable],
    truth: Mapping[str, Hashable],
    *,
    sources: Mapping[str, str] | None = None,
) -> Evaluation:
    """Compare a predicted partition with the true one, both record id → cluster.

    sources  record id → source: count only pairs of different sources, as for the linkage of two catalogues
    """
    ids = sorted(predicted.keys() & truth.keys())
    return evaluate_labels(
        _codes(predicted[record] for record in ids),
        _codes(truth[record] for record in ids),
        sources=None if sources is None else _codes(sources[record] for record in ids),
    )


def evaluate_labels(
    predicted: NDArray[np.integer],
    truth: NDArray[np.integer],
    *,
    sources: NDArray[np.integer] | None = None,
) -> Evaluation:
    """Compare partitions given as labels of the same records, for sets too large for a mapping.

    predicted, truth, sources  integers [records], from 0 on without large gaps
    """
    overlap = _crossed(predicted, truth)
    predicted_pairs = _pairs(predicted, sources)
    true_pairs = _pairs(truth, sources)
    common_pairs = _pairs(overlap, sources)
    sizes, true_sizes = np.bincount(predicted), np.bincount(truth)
    bcubed_precision = _share(float((np.bincount(overlap)[overlap] / sizes[predicted]).sum()), len(predicted))
    bcubed_recall = _share(float((np.bincount(overlap)[overlap] / true_sizes[truth]).sum()), len(predicted))
    precision, recall = _share(common_pairs, predicted_pairs), _share(common_pairs, true_pairs)
    return Evaluation(
        records_count=len(predicted),
        true_pairs_count=true_pairs,
        predicted_pairs_count=predicted_pairs,
        common_pairs_count=common_pairs,
        precision=precision,
        recall=recall,
        f1=_harmonic(precision, recall),
        bcubed_precision=bcubed_precision,
        bcubed_recall=bcubed_recall,
        bcubed_f1=_harmonic(bcubed_precision, bcubed_recall),
        clusters_count=int(np.count_nonzero(sizes)),
        largest_cluster=int(sizes.max(initial=0)),
        largest_true_cluster=int(true_sizes.max(initial=0)),
    )


def _codes(labels: Iterable[Hashable]) -> NDArray[np.int64]:
    """Give labels numbers in the order of their first appearance."""
    code_by_label: dict[Hashable, int] = {}
    return np.fromiter((code_by_label.setdefault(label, len(code_by_label)) for label in labels), dtype=np.int64)


def _crossed(first: NDArray[np.integer], second: NDArray[np.integer]) -> NDArray[np.int64]:
    """Give each combination of two labels a number."""
    together = first.astype(np.int64) * (int(second.max(initial=0)) + 1) + second
    return np.unique(together, return_inverse=True)[1].astype(np.int64)


def _pairs(labels: NDArray[np.integer], sources: NDArray[np.integer] | None) -> int:
    """Count the pairs within clusters; with sources, less those within one source."""
    count = _chosen(np.bincount(labels))
    return count if sources is None else count - _chosen(np.bincount(_crossed(labels, sources)))


def _chosen(sizes: NDArray[np.int64]) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _share(part: float, whole: float) -> float:
    """Return part of whole; 1.0 of nothing, since nothing was missed."""
    return part / whole if whole else 1.0


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first + second else 0.0
