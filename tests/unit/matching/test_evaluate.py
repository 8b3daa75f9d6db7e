"""Figures of an evaluation, counted by hand."""

import numpy as np
import pytest

from matching.evaluate import evaluate, evaluate_labels

TRUTH = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2}
PREDICTED = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z", "unlabelled": "x"}


def test_pairs_and_records_are_counted() -> None:
    """True pairs: ab ac bc de. Predicted pairs: ab cd. In common: ab.

    B-cubed precision: a 1, b 1, c 1/2, d 1/2, e 1 = 4/5; recall: a 2/3, b 2/3, c 1/3, d 1/2, e 1/2 = 8/15.
    """
    found = evaluate(PREDICTED, TRUTH)

    assert (found.true_pairs_count, found.predicted_pairs_count, found.common_pairs_count) == (4, 2, 1)
    assert (found.precision, found.recall) == (0.5, 0.25)
    assert found.f1 == pytest.approx(1 / 3)
    assert found.bcubed_precision == pytest.approx(4 / 5)
    assert found.bcubed_recall == pytest.approx(8 / 15)
    assert (found.records_count, found.clusters_count, found.largest_cluster, found.largest_true_cluster) == (
        5,
        3,
        2,
        3,
    )


def test_between_sources_pairs_within_a_source_do_not_count() -> None:
    """With a and b in one source, true pairs are ac bc de and predicted ones cd; none in common."""
    found = evaluate(PREDICTED, TRUTH, sources={"a": "s", "b": "s", "c": "t", "d": "s", "e": "t", "unlabelled": "s"})

    assert (found.true_pairs_count, found.predicted_pairs_count, found.common_pairs_count) == (3, 1, 0)
    assert found.f1 == 0.0


def test_nothing_to_find_is_found_whole() -> None:
    found = evaluate({"a": 1, "b": 2}, {"a": 1, "b": 2})

    assert (found.precision, found.recall, found.f1, found.bcubed_f1) == (1.0, 1.0, 1.0, 1.0)


def test_labels_give_the_figures_of_a_mapping() -> None:
    """The partition of the first test as labels: the same pairs, the same shares of records."""
    found = evaluate_labels(np.array([0, 0, 1, 1, 2]), np.array([4, 4, 4, 2, 2]))

    assert (found.true_pairs_count, found.predicted_pairs_count, found.common_pairs_count) == (4, 2, 1)
    assert found == evaluate(PREDICTED, TRUTH)


def test_no_records_are_no_fault() -> None:
    found = evaluate({}, {"a": 1})

    assert (found.records_count, found.f1, found.largest_cluster, found.clusters_count) == (0, 1.0, 0, 0)
