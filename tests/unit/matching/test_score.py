"""Scores add up the bits of the levels; each distinct vector is added up once."""

import numpy as np

from matching.score import patterns, score
from tests.unit.matching.models import company_model


def test_a_score_is_the_prior_and_the_bits_of_every_level_and_missing_adds_nothing() -> None:
    vectors = np.array([[0, 0], [0, -1], [2, 1], [-1, -1]], dtype=np.int8)

    bits = score(vectors, company_model())

    assert bits.tolist() == [5.0, 0.0, -13.0, -8.0]  # -8 + 8 + 5, -8 + 8, -8 - 4 - 1, -8


def test_frequency_bits_are_taken_off() -> None:
    vectors = np.array([[0, 0]], dtype=np.int8)

    assert score(vectors, company_model(), np.array([[-3.0, -1.0]])).tolist() == [1.0]


def test_patterns_give_back_every_vector() -> None:
    vectors = np.random.default_rng(7).integers(-1, 4, size=(500, 30)).astype(np.int8)
    vectors = np.concatenate([vectors, vectors])

    distinct, inverse = patterns(vectors)

    assert len(distinct) == 500
    assert (distinct[inverse] == vectors).all()


def test_no_pairs_have_no_scores() -> None:
    assert score(np.empty((0, 2), dtype=np.int8), company_model()).tolist() == []
