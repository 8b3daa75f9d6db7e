"""Recipes in YAML: the one that ships is sound, and all faults of another are told at once, each with its line."""

from pathlib import Path

import pytest

from mdm.activation.recipe import BUILT_IN, recipe_of
from mdm.errors import RecipeInvalid

TEXT = BUILT_IN.read_text(encoding="utf-8")


def faults_of(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    """Change the recipe that ships, and give the faults as `line: what: remedy`."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = tmp_path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeInvalid) as refused:
        recipe_of(file)
    return [fault.removeprefix(f"{file}:") for fault in refused.value.faults]


def line_of(part: str) -> str:
    return str(TEXT[: TEXT.index(part)].count("\n") + 1)


def test_the_recipe_that_ships_is_sound() -> None:
    recipe = recipe_of(None)

    assert [step.name for step in recipe.steps] == [
        "validate",
        "billing_entity",
        "project",
        "contract",
        "approval",
        "customer_in_erp",
        "project_in_erp",
        "contract_in_erp",
    ]
    assert {one.instance for one in recipe.billing} == {"netsuite-us", "d365-emea"}
    assert recipe.fields_of("customer", {"billing_name": "Acme", "amount": "1", "country": "DE"}) == {
        "legal_name": "Acme",
        "country": "DE",
    }


def test_all_faults_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    faults = faults_of(
        tmp_path,
        ("fills: {customer: street}", "fills: {customer: sreet}"),
        ("code_list: billing_method", "code_list: billing_methods"),
        ("fills: {customer: city}", "fills: {invoice: city}"),
        ("{name: customer_in_erp, does: key, of: customer}", "{name: customer_in_erp, does: key}"),
    )

    expected = {
        "  street:": "facts.street.fills.customer: a customer has no attribute sreet; write street",
        "  city:": "facts.city.fills.invoice: a deal makes no invoice; choose customer, project or contract",
        "  billing_method:": "facts.billing_method.code_list: there is no code list billing_methods; write"
        " billing_method",
        "  - {name: customer_in_erp": "steps.5: `of` names whose key a step waits for; write of: customer, project or"
        " contract beside does: key, and nowhere else",
    }
    assert faults == [f"{line_of(part)}: {fault}" for part, fault in expected.items()]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("  - {name: project, does: make_project}\n", ""), "not complete and in order"),
        (("does: approval, reaches: approved}", "does: approval}"), "states are not reached one after the other"),
        (("{name: project, does", "{name: contract, does"), "stands there twice"),
        (("attempts_max: 8", "attempts_max: 0"), "attempts_max"),
        (("attempts_max: 8", "attemps_max: 8"), "attemps_max"),
        (("  tax_ids: {title", "  tax_numbers: {title"), "the fact tax_ids is missing"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    faults = faults_of(tmp_path, change)

    assert any(problem in fault for fault in faults), faults


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeInvalid, match="cannot be read"):
        recipe_of(tmp_path / "none.yaml")
