"""A few records go ways of their own, value by value: they come to what the same records come to among many."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from matching.keys import blocking_keys
from matching.model import MatchModel
from matching.online import judge
from matching.population import learn_population
from matching.records import Forms, Records, records_from_rows
from matching.standardise import standardise
from mdm.demo.firm import build_firm
from mdm.entities.mapping import map_record, match_row
from mdm.entities.model import EntityType, Origin
from mdm.entities.service import entity_types

LOTS = (1, 2, 7, 12)
RECORDS = 300


def records_of(entity_type: EntityType, start: int, count: int, rows: list[dict[str, list[str]]]) -> Records:
    keys = [f"crm/Account:{place:04d}" for place in range(start, start + count)]
    contexts = [f"cus_{place % 5}" for place in range(start, start + count)] if entity_type.within else None
    return records_from_rows(keys, ["crm"] * count, rows[start : start + count], contexts)


def model_of(forms: Forms, entity_type: EntityType, *, knows: bool) -> MatchModel:
    """Give the declared model, or one whose population finds every block of four too large."""
    if not knows:
        return entity_type.model
    small = replace(
        entity_type.model,
        block_size_max=3,
        blocking=tuple(replace(rule, size_max=None) for rule in entity_type.model.blocking),
    )
    return replace(small, population=learn_population(forms, small))


@pytest.fixture(scope="module", params=["customer", "project", "contract", "resource"])
def told(request: pytest.FixtureRequest) -> tuple[EntityType, list[dict[str, list[str]]]]:
    entity_type = entity_types(())[request.param]
    delivered = [record for record in build_firm().records if record.entity_type == entity_type.name][:RECORDS]
    values = [map_record(entity_type, one.fields, origin=Origin(one.instance)).values for one in delivered]
    return entity_type, [match_row(entity_type, one) for one in values]


def lots(count: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start < count:
        size = min(LOTS[start % len(LOTS)], count - start)
        yield start, size
        start += size


@pytest.mark.parametrize("knows", [False, True], ids=["as declared", "with a population"])
def test_forms_keys_and_scores_of_a_few_are_those_among_many(
    told: tuple[EntityType, list[dict[str, list[str]]]], *, knows: bool
) -> None:
    entity_type, rows = told
    whole = standardise(records_of(entity_type, 0, len(rows), rows), entity_type.model)
    model = model_of(whole, entity_type, knows=knows)
    assert bool(model.population.stop_keys) == knows
    keys = blocking_keys(whole, model)

    for start, size in lots(len(rows)):
        few = standardise(records_of(entity_type, start, size, rows), model)
        for name, column in whole.features.items():
            held = [few.features[name].of(place) for place in range(size)]
            assert held == [column.of(start + place) for place in range(size)], name
        found = blocking_keys(few, model)
        is_here = (keys.records >= start) & (keys.records < start + size)
        assert sorted(zip(found.records + start, found.rules, found.keys, strict=True)) == sorted(
            zip(keys.records[is_here], keys.rules[is_here], keys.keys[is_here], strict=True)
        )
        left, right = (places.astype(np.int32) for places in np.triu_indices(size, k=1))
        alone, among = judge(few, left, right, model), judge(whole, left + start, right + start, model)
        assert alone.vectors.tolist() == among.vectors.tolist()
        assert alone.bits.tolist() == pytest.approx(among.bits.tolist(), abs=1e-9)
