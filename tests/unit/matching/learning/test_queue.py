"""The active queue: asks about what is uncertain and frequent, spread over patterns, and never twice."""

import numpy as np

from matching.learning.pool import with_population
from matching.learning.queue import choose_pairs
from matching.online import judge
from tests.unit.matching.learning.companies import MODEL, Firms, firms
from tests.unit.matching.learning.test_train import NO_LABELS


def _asked(companies: Firms, count: int) -> list[tuple[int, int]]:
    found = choose_pairs(companies.forms, MODEL, count, NO_LABELS)
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


def test_the_first_questions_are_the_uncertain_ones() -> None:
    companies = firms(60)
    known = with_population(companies.forms, MODEL)

    found = choose_pairs(companies.forms, MODEL, 3, NO_LABELS)

    bits = judge(companies.forms, found.left, found.right, known).bits
    assert np.abs(found.bits - bits).max() < 0.51  # a pattern holds what commonness takes off in whole bits
    assert (np.abs(bits - MODEL.match_bits) < 4).all()


def test_no_pair_is_asked_twice() -> None:
    companies = firms(30)
    first = _asked(companies, 20)

    second = choose_pairs(companies.forms, MODEL, 20, companies.labels([(b, a) for a, b in first]))

    assert len(set(first)) == 20
    assert not set(first) & set(zip(second.left.tolist(), second.right.tolist(), strict=True))


def test_questions_end_when_all_pairs_are_asked() -> None:
    companies = firms(4)
    everything = _asked(companies, 10_000)

    rest = choose_pairs(companies.forms, MODEL, 10, companies.labels(everything))

    assert len(set(everything)) == len(everything) < 10_000
    assert len(rest.left) == 0


def test_questions_are_the_same_each_time() -> None:
    companies = firms(30)

    assert _asked(companies, 25) == _asked(companies, 25)


def test_questions_are_spread_over_patterns() -> None:
    """Eight answers show several ways in which two records may agree, not eight times the most frequent one."""
    companies = firms(60)
    known = with_population(companies.forms, MODEL)

    pairs = np.array(_asked(companies, 8), dtype=np.int32)

    vectors = judge(companies.forms, pairs[:, 0], pairs[:, 1], known).vectors
    assert len(np.unique(vectors, axis=0)) >= 3
