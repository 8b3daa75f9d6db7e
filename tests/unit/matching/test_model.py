"""A match model is named by what it holds and refuses what it does not have."""

from dataclasses import replace

import pytest

from matching.model import BlockingRule, KeyPart, Level, Population, Rule, Veto, plain
from tests.unit.matching.models import NAME, company_model


def test_equal_models_have_one_version_and_any_change_gives_another() -> None:
    learnt = Population(3, {"name": {"b": 2, "a": 3}}, frozenset({7, -1}), {"phone": frozenset({"1", "2"})})
    same = Population(3, {"name": {"a": 3, "b": 2}}, frozenset({-1, 7}), {"phone": frozenset({"2", "1"})})

    assert company_model(population=learnt).version == company_model(population=same).version
    assert (
        len({company_model().version, company_model(prior_bits=-7.0).version, company_model(population=learnt).version})
        == 3
    )


def test_what_a_field_of_later_days_leaves_at_its_default_changes_no_version() -> None:
    written = plain(Veto("tax_id", "tax_id"))

    assert written == {"name": "tax_id", "feature": "tax_id"}
    assert plain(Veto("land", "city", "chain")) == {"name": "land", "feature": "city", "reach": "chain"}
    assert company_model(vetoes=(Veto("tax_id", "tax_id", "chain"),)).version != company_model().version


def test_a_model_names_every_fault_at_once() -> None:
    with pytest.raises(ValueError, match="company") as refused:
        company_model(
            blocking=(BlockingRule("wrong", (KeyPart("colour"),)),),
            comparisons=(replace(NAME, levels=(Level("same", 1.0, 1.0),)),),
            rules=(Rule("odd", "match", (("name", "twin"),)),),
            review_bits=5.0,
        )

    message = str(refused.value)
    assert "unknown feature colour" in message
    assert "comparison name needs levels" in message
    assert "unknown level name: twin" in message
    assert "review_bits lies above match_bits" in message
