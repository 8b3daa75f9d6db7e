"""What blocking finds of the true pairs, counted by hand and against the candidates themselves."""

import random
from dataclasses import replace

import numpy as np
import pytest

from matching import recall
from matching.block import candidate_pairs
from matching.keys import blocking_keys
from matching.model import BlockingRule, KeyPart
from matching.population import learn_population
from matching.recall import RuleRecall, blocking_recall
from tests.unit.matching.models import company_model, forms_of

BY_NAME_OR_PHONE = (BlockingRule("name", (KeyPart("name"),)), BlockingRule("phone", (KeyPart("phone"),)))


def test_each_rule_is_told_what_it_finds_and_what_it_alone_finds() -> None:
    """Of the true pairs (0, 1), (0, 2), (1, 2), (3, 4): the name finds the first, the phone the first and the third."""
    forms = forms_of(
        [
            {"name": ["acme"], "phone": ["1"]},
            {"name": ["acme"], "phone": ["1", "2"]},
            {"name": ["acme tools"], "phone": ["2"]},
            {"name": ["bolt"]},
            {"name": ["bolton"]},
            {"name": ["acme"]},
        ]
    )

    found = blocking_recall(forms, company_model(blocking=BY_NAME_OR_PHONE), np.array([7, 7, 7, 3, 3, 1]))

    assert (found.true_pairs_count, found.looked_at_count, found.found_count) == (4, 4, 2)
    assert found.recall == 0.5
    assert found.candidates_count == 4
    assert found.rules == (RuleRecall("name", 3, 1, 0), RuleRecall("phone", 2, 2, 1))


@pytest.mark.parametrize("size_max", [2, 100])
def test_what_is_found_are_the_true_pairs_among_the_candidates(size_max: int) -> None:
    rnd = random.Random(5)
    rows = [{"name": [rnd.choice("abcdef") + " tools"], "phone": [rnd.choice("123456789")]} for _ in range(60)]
    truth = np.array([rnd.randrange(25) for _ in rows])
    forms, model = forms_of(rows), company_model(blocking=BY_NAME_OR_PHONE, block_size_max=size_max)
    model = replace(model, population=learn_population(forms, model))

    found = blocking_recall(forms, model, truth)

    candidates = candidate_pairs(blocking_keys(forms, model), model)
    assert found.candidates_count == len(candidates.left)
    assert found.found_count == int((truth[candidates.left] == truth[candidates.right]).sum())
    sizes = np.bincount(truth)
    assert found.true_pairs_count == int((sizes * (sizes - 1) // 2).sum())


def test_of_many_true_pairs_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "PAIRS_MAX", 10)

    left, right, count = recall.true_pairs(np.array([0] * 8 + [1, 2, 2]))

    assert count == 29
    assert len(left) == len(set(zip(left.tolist(), right.tolist(), strict=True))) == 10
    assert (left != right).all()


def test_nobody_has_nothing_to_be_found() -> None:
    found = blocking_recall(forms_of([{"name": ["acme"]}]), company_model(blocking=BY_NAME_OR_PHONE), np.array([0]))

    assert (found.true_pairs_count, found.recall, found.candidates_count) == (0, 1.0, 0)
