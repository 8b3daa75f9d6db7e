"""A simulated hour, or a day, of a firm where all that can be done is done, see `tests/chaos.py`.

Records are split, moved and merged at random, every fault strikes, quarrels come by chance, and after each step nothing
that the hub wrote has been told on as news. In the end each system holds what it shall. No hour repeats itself by its
seed, as ids are random: run a seed several times.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mdm.connectors.signatures import make_secret
from mdm.db.engine import open_engine
from mdm.delivery.hashes import hash_fields, new_salt
from mdm.delivery.model import DueLane, Held, OwnRecord
from mdm.delivery.sights import look
from mdm.delivery.wanted import plan_records
from mdm.reconciliation.survey import find_drift
from tests.chaos import PASSING, Firm
from tests.hubs import assert_sound
from tests.premises import firm
from tests.quarrels import frozen_of, quarrelled_over, returns_until
from tests.resting import come_to_rest
from tests.systems import System, both_systems, golden_of, members_of

pytestmark = [pytest.mark.db, pytest.mark.timeout(14_400)]

HOUR, DAY = 75, 1_800  # steps


@pytest.mark.parametrize("steps", [HOUR, pytest.param(DAY, marks=pytest.mark.soak)])
def test_systems_end_as_they_shall_echoes_are_no_news_and_every_quarrel_is_frozen(
    fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, steps: int
) -> None:
    monkeypatch.setenv("MDM_SECRET_HOOK", make_secret())
    engine = open_engine(fresh_database, 8)
    with firm(engine, tmp_path, seed) as world:
        for number in range(steps):
            world.step()
            if number == steps * 2 // 3:
                world.make_up()
        come_to_rest(world)
        # All of it happened: what never struck, or was never done, proves nothing.
        struck = sum((one.struck for one in world.systems), Counter())
        assert {name: struck[name] for name in PASSING if not struck[name]} == {}
        acts = ("Merge", "Unmerge", "Split", "Move", "Undo", "put back", "echo")
        assert [one for one in acts if not world.done[one]] == [], world.done

        assert {one.declaration.id: differing(world, one) for one in world.systems} == {"crm": {}, "erp": {}}
        for one in world.systems:
            drift = find_drift(world.hub, one.declaration, one.api, now=world.now)
            found = drift.tally.counts["customer"]
            assert (drift.findings, found["waiting"]) == ((), 0), (one.declaration.id, drift.tally)
            assert found["compared"] == len(one.fake.records.all(one.object)) > 0
        # Read from the beginning once more, all of it is known: what the hub wrote is no news.
        assert [one for system in world.systems for one in world.read(system, whole=True) if one != "unchanged"] == []
        assert_quarrels_frozen(world)
        quarrel(world)
        assert_quarrels_frozen(world)
        assert_sound(world.hub)
        told = [json.loads(one.body)["data"] for one in world.heard.attempts]
        assert {one["golden_id"] for one in told} >= set(members_of(world.hub))
    engine.dispose()


def assert_quarrels_frozen(world: Firm) -> None:
    """Hold what is frozen against the rule: every quarrel is, with a question to a steward, and nothing else."""
    returns_min = world.hub.settings.flip_flop_returns
    frozen = frozen_of(world.hub)
    assert quarrelled_over(world.hub, returns_min=returns_min) - frozen.keys() == set()
    assert {one.review for one in frozen.values()} <= {("flip_flop", "open")}
    assert [one for one in frozen.values() if returns_until(world.hub, one) < returns_min] == []


def quarrel(world: Firm) -> None:
    """Let a rule in each system put its own name back: it ends, frozen, with a question to a steward."""
    frozen = {golden_id for golden_id, _ in frozen_of(world.hub)}
    pairs = both_systems(world.hub)
    account, customer = next(one for one in pairs if golden_of(world.hub, world.crm.instance, one[0]) not in frozen)
    for _ in range(8):
        for system, native_id, name in ((world.erp, customer, "Blue Ltd"), (world.crm, account, "Red Ltd")):
            system.rename(native_id, name, by="rule")
            world.now.forward(30)
            world.read(system)
            for one in world.systems:
                one.tell(turns_max=10_000)
    golden_id = golden_of(world.hub, world.crm.instance, account)
    assert [one for one in frozen_of(world.hub) if one[0] == golden_id] == [(golden_id, "legal_name")]


def differing(world: Firm, system: System) -> Mapping[str, Sequence[str]]:
    """Compare what a system truly holds with what it shall: by golden id, the fields that would be written."""
    ids, now = list(members_of(world.hub)), world.now.now()
    lanes = [
        DueLane(system.declaration.id, id_, 1, 1, 0, None, now, is_forced=False, token="", leased_at=now) for id_ in ids
    ]
    sights, _ = look(world.hub.engine, system.declaration, world.hub.declared, ids)
    found = {}
    for lane in lanes:
        sight = sights[lane.golden_id]
        records = tuple(_as_it_is(system, one) for one in sight.records)
        plan = plan_records(
            system.declaration.records["customer"],
            world.hub.declared["customer"],
            replace(sight, records=records),
            lane,
        )
        if plan.intents:
            found[str(lane.golden_id)] = [f"{one.change.kind} {sorted(one.change.fields)}" for one in plan.intents]
    return found


def _as_it_is(system: System, known: OwnRecord) -> OwnRecord:
    """Give a record with what it truly holds in place of what the hub believes."""
    record = system.fake.record(system.object, known.native_id, known.scope)
    salt = new_salt()
    fields = {rule.target_field: None for rule in system.declaration.records["customer"].fields}
    held = Held(
        known.object,
        known.scope,
        known.native_id,
        "active" if record.is_active else "deactivated",
        salt,
        hash_fields(salt, {**fields, **record.fields}),
        external_id="" if record.merged_into else record.external_id,
    )
    return replace(known, held=held)
