"""How well a partition agrees with the truth, by pairs and by records."""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass


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
    predicted_pairs = _pairs({record: predicted[record] for record in ids}, sources)
    true_pairs = _pairs({record: truth[record] for record in ids}, sources)
    common_pairs = _pairs({record: (predicted[record], truth[record]) for record in ids}, sources)
    sizes = Counter(predicted[record] for record in ids)
    true_sizes = Counter(truth[record] for record in ids)
    overlaps = Counter((predicted[record], truth[record]) for record in ids)
    bcubed_precision = _share(sum(n * n / sizes[cluster] for (cluster, _), n in overlaps.items()), len(ids))
    bcubed_recall = _share(sum(n * n / true_sizes[entity] for (_, entity), n in overlaps.items()), len(ids))
    precision, recall = _share(common_pairs, predicted_pairs), _share(common_pairs, true_pairs)
    return Evaluation(
        records_count=len(ids),
        true_pairs_count=true_pairs,
        predicted_pairs_count=predicted_pairs,
        common_pairs_count=common_pairs,
        precision=precision,
        recall=recall,
        f1=_harmonic(precision, recall),
        bcubed_precision=bcubed_precision,
        bcubed_recall=bcubed_recall,
        bcubed_f1=_harmonic(bcubed_precision, bcubed_recall),
        clusters_count=len(sizes),
        largest_cluster=max(sizes.values(), default=0),
        largest_true_cluster=max(true_sizes.values(), default=0),
    )


def _pairs(partition: Mapping[str, Hashable], sources: Mapping[str, str] | None) -> int:
    """Count the pairs within clusters; with sources, less those within one source."""
    count = sum(_choose(n) for n in Counter(partition.values()).values())
    if sources is not None:
        count -= sum(
            _choose(n) for n in Counter((cluster, sources[record]) for record, cluster in partition.items()).values()
        )
    return count


def _choose(n: int) -> int:
    return n * (n - 1) // 2


def _share(part: float, whole: float) -> float:
    """Return part of whole; 1.0 of nothing, since nothing was missed."""
    return part / whole if whole else 1.0


def _harmonic(first: float, second: float) -> float:
    return 2 * first * second / (first + second) if first + second else 0.0
