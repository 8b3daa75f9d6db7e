"""The active queue: asks about what is uncertain and frequent, spread over patterns, and never twice."""

from itertools import combinations

import numpy as np

from matching.learning.model import Labels
from matching.learning.pool import with_population
from matching.learning.queue import choose_pairs
from matching.learning.train import learn_supervised
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


def test_chosen_pairs_teach_more_than_the_first_ones_that_come() -> None:
    """Pairs of one family after the other are mostly alike; chosen ones show each pattern."""
    companies = firms(60)
    chosen = _asked(companies, 20)
    first = [pair for pair in combinations(range(60), 2) if pair[1] - pair[0] < 3][:20]

    def error(pairs: list[tuple[int, int]]) -> float:
        model = learn_supervised(companies.forms, MODEL, companies.labels(pairs), seed=0).model
        all_pairs = _asked(companies, 10_000)
        labels: Labels = companies.labels(all_pairs)
        bits = judge(companies.forms, labels.left, labels.right, model).bits - model.match_bits
        return float(np.mean((bits >= 0) != labels.is_same))

    assert error(chosen) <= error(first)
