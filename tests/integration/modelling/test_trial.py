"""A trial says what activating and matching anew would end with: the same golden records joined and split."""

import random
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from mdm.decisions.model import Verdict
from mdm.hub import Hub
from mdm.jobs.rematch import rematch_some
from mdm.jobs.service import deliver
from mdm.modelling.desk import scores_of
from mdm.modelling.editing import with_lines
from mdm.modelling.evidence import gather
from mdm.modelling.model import Asked, Provenance
from mdm.modelling.service import activate, consequences, keep_model
from mdm.sources.model import SourceKey
from mdm.stewardship.model import By, Confirm
from mdm.stewardship.operations import perform
from mdm.stewardship.service import decide
from tests.hubs import WIDGETS, assert_sound, delivery, golden_by_key, hub_on, partition_of, register_instances

pytestmark = pytest.mark.db
TYPE = "widget_hold"


@pytest.fixture
def hub(engine: Engine) -> Hub:
    """Give sixty records of twelve names, ten codes and three batches, two decisions and a confirmed golden record."""
    opened = hub_on(engine, entities=(WIDGETS,))
    register_instances(opened, "crm-east", "crm-west")
    drawn = random.Random(5)
    rows = [
        delivery(
            f"{drawn.choice(('crm-east', 'crm-west'))}/Account:{number}",
            TYPE,
            name=f"n{drawn.randrange(12)}",
            codes=[f"c{drawn.randrange(30)}"],
            batch=f"12345678{drawn.randrange(3)}" if drawn.random() < 0.3 else "",
        )
        for number in range(60)
    ]
    deliver(opened, rows, who="test")
    golden = golden_by_key(opened)
    together = sorted(key for key in golden if list(golden.values()).count(golden[key]) > 1)
    apart = sorted(key for key in golden if list(golden.values()).count(golden[key]) == 1)
    decide(opened, SourceKey.parse(apart[0]), SourceKey.parse(apart[1]), Verdict("different", "seen"), who="ann")
    decide(opened, SourceKey.parse(apart[2]), SourceKey.parse(apart[3]), Verdict("same", "seen"), who="ann")
    perform(opened, Confirm(golden_by_key(opened)[together[0]]), By("ann", "seen"))  # type: ignore[arg-type]
    return opened


@pytest.mark.parametrize(("match_bits", "vetoes"), [(4.0, True), (12.0, True), (8.0, False)])
def test_a_trial_ends_as_the_act_does(hub: Hub, match_bits: float, vetoes: bool) -> None:
    before = golden_by_key(hub)
    made = with_lines(hub.entity_type(TYPE), 3, match_bits)
    if not vetoes:
        made = replace(made, model=replace(made.model, vetoes=()), version="no vetoes")
    _, seen, _ = consequences(hub, made)

    version = keep_model(hub, made, Provenance("edited", "x"), who="ann").version
    activate(hub, TYPE, Asked(model=version, reason="x", is_forced=True), who="ann")
    while rematch_some(hub):
        pass

    parts = partition_of(hub)
    joined = sum(len({before[key] for key in group}) - 1 for group in parts)
    split = sum(
        len({group for group in parts if any(before[key] == golden for key in group)}) > 1
        for golden in set(before.values())
    )
    assert (seen.figures.goldens, seen.joined, seen.split) == (len(parts), joined, split)
    assert seen.figures.largest == max(map(len, parts))
    assert joined + split > 0
    assert_sound(hub)
    held, _, _ = consequences(hub, hub.entity_type(TYPE))
    assert (held.joined, held.split) == (0, 0)


def test_of_a_large_hub_a_part_is_drawn_and_stands_for_all(hub: Hub) -> None:
    with hub.engine.connect() as connection:
        whole = gather(connection, hub.entity_type(TYPE))
        part = gather(connection, hub.entity_type(TYPE), limit=40)

    assert whole.is_whole
    assert (len(whole.records), whole.share) == (60, 1)
    assert not part.is_whole
    assert (part.total, int(part.is_drawn.sum()), part.share) == (60, 10, 10 / 60)
    assert len(part.records) > 10

    found, all_of_it = scores_of(hub, TYPE, limit=40), scores_of(hub, TYPE)
    assert found.is_estimate
    assert all_of_it.histogram.bars.sum() == all_of_it.histogram.pairs
    assert 0.3 < found.histogram.bars.sum() / all_of_it.histogram.pairs < 3


def test_decisions_of_the_team_are_what_figures_rest_on(hub: Hub) -> None:
    """Two pairs were decided; those that an operation wrote down are decisions too."""
    found = scores_of(hub, TYPE)

    assert found.calibration.decisions >= 2
    assert 0 < found.calibration.same < found.calibration.decisions
