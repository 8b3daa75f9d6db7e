"""What is common is learnt from all records of a hub, holds with the model, and matches as a file is matched."""

from itertools import groupby

import pytest
from sqlalchemy import Engine

from matching.bulk import match_forms
from matching.model import EMPTY_POPULATION
from mdm.db.transaction import snapshot
from mdm.hub import Hub
from mdm.jobs.rematch import rematch_some
from mdm.jobs.service import deliver
from mdm.modelling.learner import Learner
from mdm.modelling.model import Asked, Pair
from mdm.modelling.population import read_forms
from mdm.modelling.service import activate, entity_type_under
from mdm.modelling.training import Lesson, train
from tests.hubs import WIDGETS, assert_sound, delivery, hub_on, partition_of, register_instances

pytestmark = pytest.mark.db
TYPE = "widget_merge"
CROWD = 130
"""Records of one name: more than the 100 that a block may have before its key tells nothing."""


@pytest.fixture
def hub(engine: Engine) -> Hub:
    """Give a crowd of one name, whose members two by two share a code, and a few records besides."""
    opened = hub_on(engine, entities=(WIDGETS,))
    register_instances(opened, "crm-east", "crm-west")
    crowd = [
        delivery(f"crm-east/Account:{n}", TYPE, name="alpha works", codes=[f"c{n // 2}"], note=f"n{n}")
        for n in range(CROWD)
    ]
    few = [delivery(f"crm-west/Account:{n}", TYPE, name=f"beta {n % 3}", codes=[f"d{n % 5}"]) for n in range(30)]
    deliver(opened, [*crowd, *few], who="test")
    return opened


def learnt(hub: Hub) -> str:
    """Learn from identifiers, of which there are too few to move a weight, and name the version."""
    return train(hub, Lesson(TYPE, "", "identifiers"), Learner(1), who="ann").version


def test_all_records_are_known_and_too_few_identifiers_leave_the_weights_as_declared(hub: Hub) -> None:
    declared = hub.entity_type(TYPE).model

    made = train(hub, Lesson(TYPE, "", "identifiers"), Learner(1), who="ann")

    model = entity_type_under(hub, TYPE, Pair(made.version, None)).model
    assert (made.origin, made.reason) == ("identifiers", f"learnt from the identifiers of {CROWD + 30} records")
    assert made.report is not None
    assert "weights stay as declared" in " ".join(made.report["notes"])
    assert (model.comparisons, model.prior_bits) == (declared.comparisons, declared.prior_bits)
    assert model.population.records_count == CROWD + 30
    assert model.population.frequency["name tokens"]["alpha"] == CROWD
    assert model.population.stop_keys


def test_a_hub_that_knows_what_is_common_matches_as_a_file_is_matched(hub: Hub) -> None:
    version = learnt(hub)
    before = partition_of(hub)

    activate(hub, TYPE, Asked(model=version, reason="all is known", is_forced=True), who="ann")
    while rematch_some(hub):
        pass

    with snapshot(hub.engine) as connection:
        forms = read_forms(connection, hub.entity_type(TYPE), tell=lambda _: None)
    found = match_forms(forms, hub.entity_type(TYPE).model)
    labelled = sorted(zip(found.labels.tolist(), forms.keys, strict=True))
    clusters = {frozenset(key for _, key in group) for _, group in groupby(labelled, key=lambda pair: pair[0])}
    assert partition_of(hub) == clusters
    assert hub.entity_type(TYPE).model.population != EMPTY_POPULATION
    assert len(partition_of(hub)) == len(before)  # a name alone joined nobody: its 4 bits lie below the line
    deliver(hub, [delivery("crm-west/Account:99", TYPE, name="alpha works", codes=["c7"])], who="test")
    assert any(len(members) == 3 for members in partition_of(hub))
    assert_sound(hub)


def test_a_lesson_anew_learns_anew_what_is_common(hub: Hub) -> None:
    activate(hub, TYPE, Asked(model=learnt(hub), reason="all is known", is_forced=True), who="ann")
    deliver(hub, [delivery(f"crm-west/Account:x{n}", TYPE, name=f"gamma {n}") for n in range(5)], who="test")

    made = train(hub, Lesson(TYPE, "", "identifiers"), Learner(1), who="ann")

    model = entity_type_under(hub, TYPE, Pair(made.version, None)).model
    assert model.population.records_count == CROWD + 35
    assert model.population.frequency["name tokens"]["gamma"] == 5
