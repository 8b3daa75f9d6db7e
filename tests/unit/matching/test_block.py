"""Blocking keys depend on their record and the model alone; records that share one are a candidate pair, once."""

from dataclasses import replace

import numpy as np

from matching.block import candidate_pairs
from matching.key_parts import KEYS_PER_PART_MAX, text_hash
from matching.keys import blocking_keys, learn_stop_keys
from matching.model import EMPTY_POPULATION, BlockingRule, KeyPart
from tests.unit.matching.models import company_model, forms_of

ROWS = [
    {"name": ["acme plastics"], "phone": ["1"]},
    {"name": ["acme tools"], "phone": ["2", "3"]},
    {"name": ["bolt"], "phone": ["3"]},
    {"city": ["rome"]},
]


def pairs(rows: list[dict[str, list[str]]], **changes: object) -> list[tuple[int, int]]:
    model = company_model(**changes)
    found = candidate_pairs(blocking_keys(forms_of(rows), model), model)
    return list(zip(found.left.tolist(), found.right.tolist(), strict=True))


def test_records_that_share_a_key_are_paired_once() -> None:
    by_word = (BlockingRule("word", (KeyPart("name", "tokens"),)), BlockingRule("phone", (KeyPart("phone"),)))

    assert pairs(ROWS, blocking=by_word) == [(0, 1), (1, 2)]


def test_a_record_has_each_key_once_and_not_more_than_a_bound() -> None:
    by_word = company_model(blocking=(BlockingRule("word", (KeyPart("name", "tokens"),)),))
    several = {"name": ["acme tools", "tools acme bolt"]}
    long = {"name": [" ".join(f"w{number}" for number in range(KEYS_PER_PART_MAX + 4))]}
    both = {"name": [*long["name"], "acme tools"]}

    keys = blocking_keys(forms_of([several, long, both]), by_word)

    assert np.bincount(keys.records).tolist() == [3, KEYS_PER_PART_MAX, KEYS_PER_PART_MAX]
    assert len(set(zip(keys.records.tolist(), keys.keys.tolist(), strict=True))) == len(keys.keys)
    alone = blocking_keys(forms_of([both]), by_word)
    assert set(alone.keys.tolist()) == set(keys.keys[keys.records == 2].tolist())


def test_a_record_that_misses_a_part_has_no_key() -> None:
    both = (BlockingRule("both", (KeyPart("name", "tokens"), KeyPart("phone"))),)

    assert pairs([ROWS[0], {"name": ["acme plastics"]}], blocking=both) == []
    assert pairs([ROWS[0], ROWS[0]], blocking=both) == [(0, 1)]


def test_keys_of_a_record_are_the_same_alone_and_among_others() -> None:
    model = company_model()
    together = blocking_keys(forms_of(ROWS), model)

    alone = blocking_keys(forms_of(ROWS[1:2]), model)

    assert alone.keys.tolist() == together.keys[together.records == 1].tolist()


def test_keys_are_the_same_in_every_process() -> None:
    assert text_hash("acme") == 9_341_113_500_222_039_600
    assert blocking_keys(forms_of(ROWS[2:3]), company_model()).keys.dtype == np.int64


def test_records_meet_within_their_context_only_and_unknown_contexts_stand_alone() -> None:
    model = company_model()
    rows = [ROWS[0]] * 4

    found = candidate_pairs(blocking_keys(forms_of(rows, ["cus_1", "cus_2", "cus_1", ""]), model), model)

    assert list(zip(found.left, found.right, strict=True)) == [(0, 2)]


def test_a_block_that_is_too_large_is_split_by_the_parts_of_other_rules() -> None:
    """Six share the phone, three and three a name: with blocks of three at most, the phone pairs only within a name."""
    rows = [{"phone": ["1"], "name": [name]} for name in ("acme", "acme", "acme", "bolt", "bolt", "bolt")]
    forms, model = forms_of(rows), company_model(block_size_max=3)
    stops = learn_stop_keys(forms, model)
    frozen = replace(model, population=replace(EMPTY_POPULATION, stop_keys=stops))

    keys = blocking_keys(forms, frozen)
    found = candidate_pairs(keys, frozen)

    assert len(stops) == 1
    assert not stops & set(keys.keys.tolist())
    assert list(zip(found.left, found.right, strict=True)) == [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]
    assert found.oversize == ()


def test_a_key_too_common_that_no_other_rule_refines_pairs_nobody() -> None:
    model = company_model(blocking=(BlockingRule("name", (KeyPart("name"),)),), block_size_max=3)
    forms = forms_of([{"name": ["acme"]}] * 5 + [{"name": ["bolt"]}] * 2)
    frozen = replace(model, population=replace(EMPTY_POPULATION, stop_keys=learn_stop_keys(forms, model)))

    found = candidate_pairs(blocking_keys(forms, frozen), frozen)

    assert list(zip(found.left, found.right, strict=True)) == [(5, 6)]


def test_an_oversize_block_is_reported_and_left_out_only_beyond_the_emergency_bound() -> None:
    rows = [{"phone": ["1"]}] * 45
    model = company_model(block_size_max=2)

    small = candidate_pairs(blocking_keys(forms_of(rows[:3]), model), model)
    large = candidate_pairs(blocking_keys(forms_of(rows), model), model)

    assert (len(small.left), [(block.size, block.is_left_out) for block in small.oversize]) == (3, [(3, False)])
    assert (len(large.left), [(block.size, block.is_left_out) for block in large.oversize]) == (0, [(45, True)])
