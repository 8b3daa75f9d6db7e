"""Comparison vectors hold the level that each comparison reaches, and -1 where a value is missing."""

import numpy as np

from matching.compare import compare
from matching.model import EMPTY_POPULATION, Population
from tests.unit.matching.models import company_model, forms_of


def test_levels_are_found_for_each_pair_and_missing_is_minus_one() -> None:
    forms = forms_of(
        [
            {"name": ["acme plastics"], "phone": ["1"]},
            {"name": ["acme"], "phone": ["2"]},
            {"name": ["plastics acme"]},
            {"name": ["bolt"], "phone": ["1"]},
        ]
    )

    vectors = compare(forms, np.array([0, 0, 0, 1]), np.array([1, 2, 3, 2]), company_model())

    assert vectors.tolist() == [[1, 1], [0, -1], [2, 0], [1, -1]]


def test_records_with_several_values_are_as_like_as_their_likest_two() -> None:
    forms = forms_of([{"name": ["bolt", "acme plastics"]}, {"name": ["nut", "washer", "plastics acme"]}])

    assert compare(forms, np.array([0]), np.array([1]), company_model()).tolist() == [[0, -1]]


def test_a_pair_compares_alike_alone_and_among_others_and_in_either_order() -> None:
    rows = [{"name": [f"{brand} {trade}"]} for brand in ("acme", "acmee", "bolt") for trade in ("tools", "foods")]
    forms, model = forms_of(rows), company_model()
    left, right = np.triu_indices(len(rows), k=1)

    together = compare(forms, left, right, model)

    assert (together == compare(forms, right, left, model)).all()
    for pair in range(len(left)):
        assert (compare(forms, left[pair : pair + 1], right[pair : pair + 1], model) == together[pair]).all()


def test_generic_values_count_as_missing() -> None:
    forms = forms_of([{"phone": ["1"]}, {"phone": ["1"]}])
    generic = Population(2, {}, frozenset(), {"phone": frozenset({"1"})})
    pair = (np.array([0]), np.array([1]))

    assert compare(forms, *pair, company_model(population=EMPTY_POPULATION)).tolist() == [[-1, 0]]
    assert compare(forms, *pair, company_model(population=generic)).tolist() == [[-1, -1]]
