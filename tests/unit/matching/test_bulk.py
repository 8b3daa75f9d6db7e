"""Matching a set gives the same edges and clusters as judging its pairs one by one, in any order and by any threads."""

import random
from dataclasses import replace

import numpy as np

from matching.block import candidate_pairs
from matching.bulk import match_forms
from matching.keys import blocking_keys
from matching.model import EMPTY_POPULATION, MATCH
from matching.online import judge
from matching.population import learn_population
from matching.records import Forms
from tests.unit.matching.models import company_model, forms_of

BRANDS = ("acme", "bolton", "castellane", "dumont", "elmhurst", "farnhaus")
TRADES = ("plastics", "foods", "logistics")


def firm(seed: int, size: int) -> list[dict[str, list[str]]]:
    rnd = random.Random(seed)
    return [
        {
            "name": [f"{rnd.choice(BRANDS)} {rnd.choice(TRADES)}"],
            "phone": [str(rnd.randint(1, 6))],
            "tax_id": [f"de:{rnd.randint(1, 9)}"] if rnd.random() < 0.3 else [],
        }
        for _ in range(size)
    ]


def partition(forms: Forms, labels: np.ndarray) -> dict[str, str]:
    return {forms.keys[record]: forms.keys[label] for record, label in enumerate(labels.tolist())}


def reordered(forms: Forms, order: list[int]) -> Forms:
    rows = np.array(order)
    features = {name: column.take(rows) for name, column in forms.features.items()}
    return Forms(tuple(forms.keys[record] for record in order), forms.sources, None, features)


def test_threads_and_the_order_of_records_change_nothing() -> None:
    forms, model = forms_of(firm(1, 120)), company_model()
    order = random.Random(2).sample(range(120), 120)

    found = match_forms(forms, model)
    threaded = match_forms(forms, model, threads=3)
    shuffled = match_forms(reordered(forms, order), model)

    assert (found.labels == threaded.labels).all()
    assert (found.bits == threaded.bits).all()
    assert partition(forms, found.labels) == partition(reordered(forms, order), shuffled.labels)
    assert found.model.version == shuffled.model.version


def test_the_edges_are_those_that_judging_pair_by_pair_finds() -> None:
    forms = forms_of(firm(3, 60))
    frozen = match_forms(forms, company_model()).model
    bulk = match_forms(forms, frozen)
    edges = {(int(a), int(b)) for a, b, v in zip(bulk.left, bulk.right, bulk.verdicts, strict=True) if v == MATCH}

    one_by_one = set()
    keys_by_record = [set(blocking_keys(reordered(forms, [record]), frozen).keys.tolist()) for record in range(60)]
    for right in range(60):
        for left in range(right):
            if keys_by_record[left] & keys_by_record[right]:
                pair = reordered(forms, [left, right])
                if judge(pair, np.array([0]), np.array([1]), frozen).verdicts[0] == MATCH:
                    one_by_one.add((left, right))

    assert edges == one_by_one
    assert len(edges) > 10


def test_a_steward_and_the_tax_ids_bind_the_clusters() -> None:
    rows = [{"name": ["acme plastics"], "phone": ["1"]}] * 3 + [{"name": ["bolton"]}]
    forms, model = forms_of(rows), company_model()

    free = match_forms(forms, model)
    bound = match_forms(forms, model, bound=([(2, 3)], [(0, 1), (0, 2)]))

    assert free.labels.tolist() == [0, 0, 0, 3]
    assert bound.labels.tolist() == [0, 1, 1, 1]
    assert bound.refused_count == 2


def test_what_is_common_is_learnt_and_what_strangers_share_is_generic() -> None:
    """Thirteen names share the phone 1, more than twelve; five records are named acme tools, four bolt works.

    Four holders of a value and two of a word are free, so of bolt works only the words are kept.
    """
    rows = [{"name": [f"firm{letter}"], "phone": ["1"]} for letter in "abcdefghijklm"]
    rows += [{"name": ["acme tools"], "phone": ["2"]}] * 5 + [{"name": ["bolt works"], "phone": ["3"]}] * 4
    rows += [{"name": ["pair"], "phone": ["4"]}] * 2
    forms = forms_of(rows)
    model = company_model(
        features=tuple(
            replace(spec, form={"name": "company_name"}.get(spec.name, spec.name)) for spec in company_model().features
        )
    )

    learnt = learn_population(forms, model)

    assert learnt.records_count == 24
    assert learnt.frequency["name"] == {"acme tools": 5}
    assert learnt.frequency["name tokens"] == {"acme": 5, "tools": 5, "bolt": 4, "works": 4}
    assert learnt.generic == {"phone": frozenset({"1"})}
    assert learnt.stop_keys == frozenset()


def test_no_records_make_no_clusters() -> None:
    found = match_forms(forms_of([]), company_model())

    assert found.labels.tolist() == []
    assert [stage.name for stage in found.stages] == ["learn", "block", "compare", "cluster"]


def test_blocks_learnt_too_large_are_not_expanded() -> None:
    rows = [{"name": ["acme"], "phone": [str(n)]} for n in range(300)]
    model = company_model(population=EMPTY_POPULATION, block_size_max=20)

    found = match_forms(forms_of(rows), model)

    assert len(found.model.population.stop_keys) == 1
    assert len(candidate_pairs(blocking_keys(forms_of(rows), found.model), found.model).left) == 0
