"""Common values and words tell less, by counts that are frozen in the model."""

from dataclasses import replace

import numpy as np
import pytest

from matching.model import EMPTY_POPULATION, Population
from matching.online import judge
from matching.population import learn_population
from matching.records import column_from_lists
from matching.term_frequency import counted, counted_tokens, frequency_bits, know, spread, token_rarity
from tests.unit.matching.models import company_model, forms_of


def test_a_rare_word_weighs_one_and_a_generic_one_at_most_a_fifth() -> None:
    rarity = token_rarity(Population(1_024, {"name tokens": {"tools": 64}}, frozenset(), {}), "name")

    assert rarity("quarrenden") == 1.0
    assert rarity("tools") == pytest.approx(0.5)  # 1 - log2(64 / 2) / log2(1024)
    assert rarity("group") == 0.2


def test_each_doubling_of_the_holders_beyond_four_takes_one_bit() -> None:
    """Names held by 4, 32 and 2^20 records: nothing, three bits, all eight bits and no more."""
    forms = forms_of([{"name": [name]} for name in ("rare", "rare", "common", "common", "everywhere", "everywhere")])
    counts = {"rare": 4, "common": 32, "everywhere": 2**20}
    model = company_model(population=Population(2**30, {"name": counts}, frozenset(), {}))
    left, right = np.array([0, 2, 4]), np.array([1, 3, 5])
    vectors = np.array([[0, -1]] * 3, dtype=np.int8)

    taken = frequency_bits(know(forms, model), left, right, vectors, model)

    assert taken[:, 0].tolist() == [0.0, -3.0, -8.0]
    assert not taken[:, 1].any()


def test_no_agreement_is_worth_more_than_the_share_of_its_holders_allows() -> None:
    """A phone held by a quarter of the records tells two bits, three of its five are taken."""
    forms = forms_of([{"phone": ["1"]}, {"phone": ["1"]}])
    model = company_model(population=Population(4_096, {"phone": {"1": 1_024}}, frozenset(), {}))
    vectors = np.array([[-1, 0]], dtype=np.int8)

    assert frequency_bits(know(forms, model), np.array([0]), np.array([1]), vectors, model).tolist() == [[0.0, -3.0]]


def test_an_empty_population_takes_nothing() -> None:
    forms, model = forms_of([{"name": ["a"]}, {"name": ["a"]}]), company_model(population=EMPTY_POPULATION)

    known = know(forms, model)

    assert not frequency_bits(known, np.array([0]), np.array([1]), np.array([[0, -1]], dtype=np.int8), model).any()


def test_values_tokens_and_spread_are_counted_by_record() -> None:
    names = column_from_lists([["acme tools"], ["acme"], ["acme tools"], ["bolt"], []])
    phones = column_from_lists([["1"], ["1"], ["1"], ["2"], ["1"]])

    assert counted(names) == {"acme tools": 2}
    assert counted_tokens(names) == {"acme": 3, "tools": 2}
    assert spread(phones, names) == {"1": 2}  # of "acme tools" and "acme"; the nameless holder does not count


def test_counts_that_are_free_take_nothing_off_and_need_not_be_kept() -> None:
    """Of names with one to nine holders, each agreement is worth the same by the whole counts and by those kept."""
    rows = [{"name": [f"name{'abcdefghi'[holders - 1]} tool"]} for holders in range(1, 10) for _ in range(holders)]
    forms = forms_of(rows)
    model = company_model(population=EMPTY_POPULATION)
    kept = replace(model, population=learn_population(forms, model))
    names = forms.features["name"]
    whole = {**kept.population.frequency, "name": counted(names), "name tokens": counted_tokens(names)}
    known = replace(model, population=replace(kept.population, frequency=whole))
    left, right = (places.astype(np.int32) for places in np.triu_indices(len(rows), k=1))

    by_kept, by_whole = judge(forms, left, right, kept), judge(forms, left, right, known)

    assert sorted(kept.population.frequency["name"].values()) == [5, 6, 7, 8, 9]
    assert by_kept.bits.tolist() == by_whole.bits.tolist()
