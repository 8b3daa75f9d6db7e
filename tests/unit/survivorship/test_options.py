"""A survivorship rule that could not be followed is refused when it is declared, with every fault."""

from typing import Any

import pytest

from mdm.entities.service import entity_types
from mdm.errors import EntityDeclarationInvalid
from mdm.survivorship.options import check_options
from tests.unit.survivorship.examples import attribute, entity_type, rule


@pytest.mark.parametrize(
    ("strategy", "options", "told"),
    [
        ("newest", {}, "there is no strategy 'newest'"),
        (
            "trust",
            {"trust": {"crm": {"maximum": 120}}},
            "options.trust.crm.maximum: Input should be less than or equal",
        ),
        ("trust", {"trust": {"crm": {"maximum": 10, "minimum": 20}}}, "minimum 20 is above maximum 10"),
        ("trust", {"trust": {"crm": {"curve": "steep"}}}, "there is no curve 'steep'; write linear, rapid_first"),
        ("trust", {"trust": {"crm": {"periode": 3}}}, "options.trust.crm.periode: Extra inputs are not permitted"),
        ("longest", {"wenn": {}}, "options.wenn: Extra inputs are not permitted"),
        ("longest", {"when": {"colour": "red"}}, "the attribute 'colour', which is not declared"),
        ("longest", {"when": {"name": {"above": 3}}}, "options.when.name"),
        ("verified_first", {"verified_by": "colour"}, "the attribute 'colour', which is not declared"),
        ("same_winner_as", {}, "same_winner_as needs options.attribute"),
        ("same_winner_as", {"attribute": "name"}, "same_winner_as leads back to name"),
    ],
)
def test_a_fault_is_told_with_its_place(strategy: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(EntityDeclarationInvalid, match="client: survivorship of name: ") as refused:
        check_options(entity_type(attribute("name", rule(strategy, **options))))

    assert told in refused.value.message


def test_all_faults_are_told_at_once() -> None:
    broken = entity_type(attribute("x", rule("newest")), attribute("y", rule("longest", fallback=("union",))))

    with pytest.raises(EntityDeclarationInvalid) as refused:
        check_options(broken)

    assert len(refused.value.faults) == 2


def test_sound_rules_pass() -> None:
    check_options(
        entity_type(
            attribute(
                "name", rule("trust", trust={"default": {"maximum": 80, "period_days": 30}}, when={"x": ["a", "b"]})
            ),
            attribute("x", rule("longest", when={"name": {"not": "?"}, "x": {"present": True}})),
            attribute("y", rule("same_winner_as", attribute="name")),
        )
    )


def test_the_rules_that_ship_are_sound() -> None:
    for shipped in entity_types().values():
        check_options(shipped)
