"""An explanation adds up to the score it explains."""

import numpy as np
import pytest

from matching.explain import explain
from matching.model import Population, Rule
from matching.online import judge
from tests.unit.matching.models import company_model, forms_of

FORMS = forms_of(
    [
        {"name": ["acme plastics"], "phone": ["1"], "tax_id": ["de:1"]},
        {"name": ["plastics acme"], "phone": ["1"], "tax_id": ["de:2"]},
        {"name": ["bolt"]},
    ]
)


def test_a_waterfall_adds_up_to_the_score_of_the_pair() -> None:
    population = Population(4_096, {"name": {"acme plastics": 16}}, frozenset(), {})
    model = company_model(population=population)

    found = explain(FORMS, 0, 1, model)

    assert [(step.comparison, step.level, step.bits, step.frequency_bits) for step in found.steps] == [
        ("name", "same", 8.0, -2.0),
        ("phone", "same", 5.0, 0.0),
    ]
    assert found.bits == found.prior_bits + sum(step.bits + step.frequency_bits for step in found.steps) == 3.0
    assert found.bits == judge(FORMS, np.array([0]), np.array([1]), model).bits[0]
    assert found.verdict == "match"
    assert found.is_conflict


def test_missing_values_rules_and_both_sides_are_named() -> None:
    rule = Rule("other_names", "non_match", (("name", "other"),), bound="at_most")

    found = explain(FORMS, 0, 2, company_model(rules=(rule,)))

    assert [(step.level, step.left, step.right) for step in found.steps] == [
        ("other", ("acme plastics",), ("bolt",)),
        ("missing", ("1",), ()),
    ]
    assert (found.rules, found.verdict, found.is_conflict) == (("other_names",), "non_match", False)
    assert found.bits == pytest.approx(-12.0)
