"""Merges of clients taken back in any order leave a firm as it was, its projects and contracts too, byte for byte."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from mdm.demo.firm import build_firm, sample
from mdm.errors import DecisionContradicts, OperationBlocked
from mdm.hub import Hub
from mdm.ids import DecisionId, EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.stewardship import service
from mdm.stewardship.model import Effect, Merge, Undo, Unmerge
from tests.firms import deliveries_of, register_systems
from tests.hubs import assert_sound, hub_state
from tests.integration.stewardship.acts import do

pytestmark = pytest.mark.db


def load_firm(hub: Hub, *, records_count: int, seed: int) -> None:
    firm = sample(build_firm(scale=0.1, seed=seed), records_count, seed=seed)
    register_systems(hub, firm)
    deliver(hub, deliveries_of(firm.records), who="test")


def active(hub: Hub, entity_type: str) -> list[GoldenId]:
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT id FROM golden_record WHERE entity_type = :type AND state = 'active' ORDER BY id"),
            {"type": entity_type},
        )
        return [GoldenId(id_) for id_ in rows.scalars()]


def merge_some(hub: Hub, rnd: random.Random, count: int) -> list[Effect]:
    """Merge customers, and now and then projects or contracts; what decisions forbid is left out."""
    done: list[Effect] = []
    while len(done) < count:
        entity_type = rnd.choice(["customer", "customer", "customer", "project", "contract"])
        candidates = active(hub, entity_type)
        if len(candidates) < 2:
            continue
        first, second = rnd.sample(candidates, 2)
        try:
            done.append(do(hub, Merge(first, second, survivor=rnd.choice([None, first, second]))))
        except DecisionContradicts:
            continue
    return done


def take_back(hub: Hub, rnd: random.Random, merged: Sequence[Effect]) -> None:
    """Take merges back in random order, each by unmerging or undoing; one that a later one blocks waits for that."""
    waiting: list[EventId] = [effect.event_id for effect in merged]
    while waiting:
        event_id = rnd.choice(waiting)
        try:
            do(hub, Unmerge(event_id) if rnd.random() < 0.5 else Undo(event_id))
        except OperationBlocked as blocked:
            in_the_way, why = set(blocked.blocking), blocked.message
        else:
            waiting.remove(event_id)
            continue
        assert in_the_way & set(waiting), f"only what came later and still stands may be in the way: {why}"


def require_as_it_was(hub: Hub, before: Mapping[str, Any]) -> None:
    """Require all that was as it was, and nothing active besides."""
    now = hub_state(hub)
    assert {id_: now[id_] for id_ in before} == before
    assert all(row[0] != "active" for id_, row in now.items() if id_ not in before)


def forget(hub: Hub) -> None:
    """Revoke what taking back has left: unmerging says that two are different, and some day no two might be merged."""
    with hub.engine.connect() as connection:
        standing = connection.execute(text("SELECT id FROM decision WHERE revoked_at IS NULL ORDER BY id")).scalars()
        left = [DecisionId(id_) for id_ in standing]
    for decision_id in left:
        service.revoke(hub, decision_id, who="ann")


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize(
    ("rounds", "merges_count"), [(10, 5), pytest.param(100, 10, marks=pytest.mark.soak)], ids=["50", "1000"]
)
def test_a_firm_is_what_it_was_when_all_merges_are_taken_back(
    hub: Hub, seed: int, rounds: int, merges_count: int
) -> None:
    rnd = random.Random(seed)
    load_firm(hub, records_count=60, seed=seed)
    before = hub_state(hub)

    for _ in range(rounds):
        merged = merge_some(hub, rnd, merges_count)
        assert hub_state(hub) != before
        take_back(hub, rnd, merged)
        require_as_it_was(hub, before)
        forget(hub)
        require_as_it_was(hub, before)

    assert_sound(hub)


def test_projects_and_contracts_follow_their_clients_in_the_same_event_and_home_again(hub: Hub, seed: int) -> None:
    load_firm(hub, records_count=60, seed=seed)
    first, second = active(hub, "customer")[:2]

    effect = do(hub, Merge(first, second))

    touched = {one.after.entity_type for one in effect.goldens}
    assert {"customer", "project", "contract"} & touched == touched
    with hub.engine.connect() as connection:
        pointing = connection.execute(
            text(
                "SELECT count(*) FROM golden_version WHERE recorded_to IS NULL AND state = 'active'"
                " AND values ->> 'customer' = :id"
            ),
            {"id": second},
        ).scalar_one()
        roots = connection.execute(
            text("SELECT DISTINCT root_id FROM identity_event WHERE root_id IS NOT NULL AND kind = 'merge'")
        ).scalars()
        assert set(roots) <= {effect.event_id}
    assert pointing == 0, "no project or contract shows the absorbed id any more"
