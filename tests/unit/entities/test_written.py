"""Rules written as YAML and read again, stored as JSON and read again, compared."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from matching.model import Population
from matching.model_json import read_model
from mdm.db.types import as_json
from mdm.entities.frozen import misfits, model_definition, model_from, survivorship_from, survivorship_of, under
from mdm.entities.service import declaration_of, entity_type_uncached
from mdm.entities.written import to_yaml, with_rules
from mdm.modelling.difference import difference
from tests.hubs import WIDGETS, declared

ALL = sorted(declared())


@pytest.mark.parametrize("name", ALL)
def test_a_declaration_written_back_says_the_same(name: str, tmp_path: Path) -> None:
    entity_type = declared()[name]
    path = tmp_path / f"{name}.yaml"
    path.write_text(to_yaml(with_rules(declaration_of(name, (WIDGETS,)), entity_type)), encoding="utf-8")

    found = entity_type_uncached(name, (WIDGETS, path))

    assert found is not None
    assert found.model == entity_type.model
    assert survivorship_of(found) == survivorship_of(entity_type)
    assert (found.attributes.keys(), found.validations) == (entity_type.attributes.keys(), entity_type.validations)


@pytest.mark.parametrize("name", ALL)
def test_a_model_that_was_stored_is_the_same_model(name: str) -> None:
    population = Population(7, {"name": {"kestrel": 3}}, frozenset({-(2**62), 5}), {"phone": frozenset({"1", "2"})})
    model = replace(declared()[name].model, population=population)

    stored = orjson.loads(as_json(model_definition(model)))
    found = model_from(stored, model.version)

    assert read_model(orjson.dumps(stored).decode()).version == model.version
    assert found == model


def test_a_choice_of_values_that_was_stored_is_the_same_and_lies_over_the_declaration() -> None:
    customer = declared()["customer"]
    choice = survivorship_of(customer)

    found = survivorship_from("customer", orjson.loads(as_json(choice.definition())))

    assert found.version == choice.version
    assert under(customer, None, found).attributes == customer.attributes
    assert under(customer, None, found).version != customer.version
    assert under(customer, None, None) is customer


def test_a_model_of_attributes_that_are_declared_no_more_does_not_fit() -> None:
    customer = declared()["customer"]
    without = replace(customer, attributes={k: v for k, v in customer.attributes.items() if k != "website"})

    assert misfits(customer, customer.model) == ()
    assert misfits(without, customer.model) == ("it reads the attribute website, which is not declared",)
    assert misfits(declared()["project"], customer.model)[0] == "it is a model of customer, not of project"


def test_a_difference_names_lines_levels_and_parts() -> None:
    before = declared()["widget_hold"]
    first = before.model.comparisons[0]
    levels = (replace(first.levels[0], bits=9.0), *first.levels[1:])
    model = replace(
        before.model,
        match_bits=7.0,
        comparisons=(replace(first, levels=levels), *before.model.comparisons[1:]),
        vetoes=(),
    )

    found = difference(before, replace(before, model=model))

    assert found.lines == {"match_bits": (8, 7)}
    assert [(one.comparison, one.level, one.before, one.after) for one in found.levels] == [("code", "same", 10, 9)]
    assert found.parts == ("veto other_batch: gone",)
    assert difference(before, before).is_empty


def test_a_model_frozen_by_an_earlier_release_keeps_its_name() -> None:
    """What it held then lacks a field of today, whose default would name it otherwise."""
    model = declared()["customer"].model
    stored = orjson.loads(as_json(model_definition(model)))
    stored["blocking"] = [{k: v for k, v in rule.items() if k != "size_max"} for rule in stored["blocking"]]

    assert model_from(stored, "0123456789abcdef").version == "0123456789abcdef"
