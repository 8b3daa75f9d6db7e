"""A model as text and back: byte-equal, same version, and nothing else is taken for one."""

from dataclasses import replace

import pytest

from matching.model import MatchModel
from matching.model_json import read_model, write_model
from matching.population import learn_population
from mdm.entities.service import entity_types
from tests.unit.matching.learning.companies import MODEL, firms


def test_a_model_comes_back_as_it_was() -> None:
    model = replace(MODEL, population=learn_population(firms(20).forms, MODEL))

    text = write_model(model)
    back = read_model(text)

    assert back == model
    assert back.version == model.version
    assert write_model(back) == text


def test_every_declared_model_comes_back_as_it_was() -> None:
    models = [found.model for found in entity_types(()).values()]

    assert len(models) >= 4
    assert all(read_model(write_model(model)) == model for model in models)


def test_a_field_that_a_text_lacks_takes_its_default() -> None:
    text = write_model(replace(MODEL, vetoes=())).replace('"vetoes":[],', "").replace('"block_size_max":100,', "")

    assert read_model(text) == replace(MODEL, vetoes=())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"entity_type":"x"}', "null"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"match model|Expecting value"):
        read_model(text)


def test_a_model_that_names_what_it_lacks_is_refused_on_reading() -> None:
    text = write_model(MODEL).replace('"feature":"phone"', '"feature":"telephone"')

    with pytest.raises(ValueError, match="telephone"):
        read_model(text)


def test_two_models_have_two_texts() -> None:
    other: MatchModel = replace(MODEL, prior_bits=-9.0)

    assert write_model(other) != write_model(MODEL)
