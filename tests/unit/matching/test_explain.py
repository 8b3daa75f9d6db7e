"""An explanation adds up to the score it explains."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from matching.explain import Clash, Explanation, chain_clashes, clashes, explain
from matching.model import Level, Population, Rule, Veto
from matching.online import judge
from tests.unit.matching.models import NAME, PHONE, company_model, forms_of

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


def decimals(found: Explanation) -> list[Decimal]:
    parts = [found.prior_bits, *(bits for step in found.steps for bits in (step.bits, step.frequency_bits))]
    return [Decimal(str(part)) for part in parts]


@pytest.mark.parametrize("holders", [3, 5, 7, 11, 13, 100])
def test_the_decimals_that_are_shown_add_up_exactly(holders: int) -> None:
    """Thirds and logarithms do not end; rounded one by one, they would miss the sum."""
    population = Population(4_096, {"name": {"acme plastics": holders}, "phone": {"1": holders}}, frozenset(), {})
    levels = (Level("same", 0.95, 8 / 3), Level("similar", 0.7, 1 / 3), Level("other", 0.0, -4 / 3))
    name, phone = replace(NAME, levels=levels), replace(PHONE, term_frequency=True)
    model = company_model(population=population, prior_bits=-22 / 7, comparisons=(name, phone))

    for right in (1, 2):
        found = explain(FORMS, 0, right, model)

        assert sum(decimals(found)) == Decimal(str(found.bits))
        assert found.bits == judge(FORMS, np.array([0]), np.array([right]), model).bits[0]
        assert max(-part.as_tuple().exponent for part in decimals(found)) <= 6  # type: ignore[operator]
    assert found.steps[1].bits == 0, "what is missing adds nothing"


def test_what_parts_chains_is_no_conflict_of_two_records_and_is_told_apart() -> None:
    forms = forms_of([{"city": ["de"], "tax_id": ["de:1"]}, {"city": ["fr"]}, {"city": ["fr"], "tax_id": ["de:2"]}])
    model = company_model(vetoes=(Veto("land", "city", "chain"), Veto("tax_id", "tax_id")))

    assert chain_clashes(forms, 0, 1, model) == (Clash("land", "", ("de",), ("fr",)),)
    assert (clashes(forms, 0, 1, model), explain(forms, 0, 1, model).is_conflict) == ((), False)
    assert clashes(forms, 0, 2, model) == (Clash("tax_id", "de", ("1",), ("2",)),)
    assert explain(forms, 0, 2, model).is_conflict


def test_a_veto_names_the_identifiers_that_have_nothing_in_common() -> None:
    forms = forms_of(
        [
            {"tax_id": ["de:1", "de:2", "fr:9", "weak:5"]},
            {"tax_id": ["de:3", "fr:9", "weak:6"]},
            {"tax_id": ["de:2", "weak:7"]},
        ]
    )

    assert clashes(forms, 0, 1, company_model()) == (Clash("tax_id", "de", ("1", "2"), ("3",)),)
    assert clashes(forms, 0, 2, company_model()) == ()
    assert clashes(forms, 1, 2, company_model()) == (Clash("tax_id", "de", ("3",), ("2",)),)
