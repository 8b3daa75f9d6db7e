"""Dropping pairs early changes nothing: what is left, and all that is said of it, is what judging every pair gives."""

import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from matching.compare import vocabularies
from matching.model import NON_MATCH, MatchModel
from matching.online import judge_known
from matching.population import learn_population
from matching.records import Forms, records_from_rows
from matching.sieve import sift
from matching.standardise import standardise
from matching.term_frequency import know
from mdm.entities.service import entity_types
from tests.unit.matching.models import company_model, forms_of

BRANDS = ("Acme", "Acmé", "Bolton", "Kestrel", "Castellane", "Müller", "Mueller")
WORDS = ("", " Plastics", " Logistics", " Group", " Holdings", " International Services")
FORMS = ("", " GmbH", " Ltd", " SARL", " Inc.")


def customers(seed: int, count: int) -> Forms:
    rnd = random.Random(seed)
    rows = [
        {
            "legal_name": [rnd.choice(BRANDS) + rnd.choice(WORDS) + rnd.choice(FORMS)],
            "trading_names": rnd.sample(BRANDS, rnd.choice((0, 0, 1, 2))),
            "tax_ids": rnd.sample(("DE136695976", "DE129273398", "GB123456782"), rnd.choice((0, 0, 1))),
            "phones": rnd.sample(("030 1234567", "030 1234568", "+44 20 7946 0958"), rnd.choice((0, 1, 2))),
            "website": rnd.sample(("acme.de", "kestrel.com"), rnd.choice((0, 1))),
            "street": rnd.sample(("Hauptstr. 5", "Hauptstraße 5", "High Street 12"), rnd.choice((0, 1))),
            "city": rnd.sample(("Berlin", "München", "Munich", "London"), rnd.choice((0, 1))),
            "country": rnd.sample(("DE", "GB"), rnd.choice((0, 1, 1))),
        }
        for _ in range(count)
    ]
    keys = [f"crm/{number:04d}" for number in range(count)]
    return standardise(records_from_rows(keys, ["crm"] * count, rows), entity_types()["customer"].model)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("is_learnt", [False, True])
def test_the_pairs_left_are_those_that_judging_all_would_leave(seed: int, *, is_learnt: bool) -> None:
    forms, model = customers(seed, 70), entity_types()["customer"].model
    if is_learnt:
        model = replace(model, population=learn_population(forms, model))

    assert_same(forms, model)


def test_a_rule_that_lifts_keeps_a_pair_that_bits_would_drop() -> None:
    forms = forms_of([{"name": ["acme"], "phone": ["1"]}, {"name": ["bolt"], "phone": ["1"]}])
    model = company_model(prior_bits=-30.0)
    lifted = replace(model, rules=(replace(entity_types()["customer"].model.rules[1], when=(("phone", "same"),)),))

    assert assert_same(forms, model) == 0
    assert assert_same(forms, lifted) == 1


def assert_same(forms: Forms, model: MatchModel) -> int:
    left, right = np.array(list(combinations(range(len(forms.keys)), 2)), dtype=np.int32).T
    known = know(forms, model)
    judged = judge_known(known, left, right, model)
    kept = judged.verdicts != NON_MATCH

    found = sift(known, vocabularies(known.forms, model), left, right, model)

    assert found.left.tolist() == left[kept].tolist()
    assert found.right.tolist() == right[kept].tolist()
    assert (found.judged.vectors == judged.vectors[kept]).all()
    assert found.judged.bits.tolist() == judged.bits[kept].tolist()
    assert found.judged.verdicts.tolist() == judged.verdicts[kept].tolist()
    return int(kept.sum())
