"""How overrides fare: anchored on their record, ended by their term, superseded by later ones, listed with all that."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm import clock
from mdm.decisions.model import Lasting
from mdm.entities.model import SurvivorshipRule
from mdm.hub import Hub
from mdm.jobs.service import deliver, refresh_due
from mdm.stewardship import overrides
from mdm.stewardship import service as stewardship
from mdm.stewardship.override_lists import list_overrides, overrides_of
from tests.hubs import assert_sound, delivery, hub_on
from tests.integration.stewardship.overriding import (
    A,
    B,
    C,
    golden,
    join,
    put,
    rows,
    send,
    states,
    values,
)

pytestmark = pytest.mark.db


def test_the_anchor_is_the_record_whose_value_is_masked_else_the_oldest_member(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, codes=["x1"], note="spare")

    masking = put(hub, A, "note", "kept")
    fresh = put(hub, A, "batch", "150483782")

    assert [masking.made[0].record_key, fresh.made[0].record_key] == [B, A]
    assert masking.made[0].masked is not None
    assert fresh.made[0].masked is None


def test_an_override_follows_its_record_and_the_later_of_two_that_meet_rules(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    put(hub, B, "name", "navy")
    put(hub, A, "name", "crimson")

    decision = join(hub, A, B)
    assert values(hub, A)["name"] == "crimson"
    assert states(hub, A) == [("crimson", "in_force"), ("navy", "superseded")]

    stewardship.revoke(hub, decision.id, who="ann")
    assert (values(hub, A)["name"], values(hub, B)["name"]) == ("crimson", "navy")
    assert (states(hub, A), states(hub, B)) == ([("crimson", "in_force")], [("navy", "in_force")])
    assert_sound(hub)


def test_clearing_ends_also_the_one_that_was_superseded(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    put(hub, A, "name", "crimson")
    put(hub, B, "name", "navy")
    join(hub, A, B)

    change = overrides.clear_override(hub, golden(hub, A), "name", who="ann")

    assert len(change.ended) == 2
    assert values(hub, A)["name"] in {"red", "blue"}


def test_one_on_a_deleted_record_rests_and_is_listed_so(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="red", codes=["x1"])
    anchor = put(hub, A, "name", "crimson").made[0].record_key
    other = ({A, B} - {anchor}).pop()

    deliver(hub, [delivery(anchor, "widget_hold", deleted=True)], who="test")

    assert values(hub, other)["name"] == "red"
    assert states(hub, other) == [("crimson", "at_rest")]
    assert_sound(hub)


def test_one_until_the_source_changes_lapses_when_its_record_is_delivered_otherwise(hub: Hub) -> None:
    send(hub, A, name="red", note="spare")
    made = put(hub, A, "name", "crimson", Lasting("until_source_changes")).made[0]
    send(hub, A, name="red", note="another")
    assert values(hub, A) == {"name": "crimson", "note": "another"}

    send(hub, A, name="ruby")

    assert values(hub, A)["name"] == "ruby"
    (listed,) = overrides_of(hub, golden(hub, A))
    assert (listed.state, listed.override.ended_by) == ("ended", "hub")
    with hub.engine.connect() as connection:
        query = text("SELECT kind FROM identity_event WHERE id = :id")
        assert connection.execute(query, {"id": listed.override.ended_event_id}).scalar_one() == "ingest"
    send(hub, A, name="red", note="spare")
    assert values(hub, A)["name"] == "red"
    assert made.masked is not None
    assert_sound(hub)


def test_one_until_an_instant_is_ended_by_the_worker_then(hub: Hub) -> None:
    send(hub, A, name="red")
    until = clock.now() + timedelta(seconds=1.5)
    put(hub, A, "name", "crimson", Lasting("until", until))
    assert refresh_due(hub) == 0
    assert values(hub, A)["name"] == "crimson"

    time.sleep(max(0.0, (until - clock.now()).total_seconds()) + 0.05)

    assert refresh_due(hub) == 1
    assert values(hub, A)["name"] == "red"
    (row,) = rows(hub)
    assert (row.ended_by, row.ended_at >= until) == ("hub", True)
    assert refresh_due(hub) == 0
    assert_sound(hub)


def test_decay_changes_the_winner_with_no_new_delivery(hub: Hub, engine: Engine) -> None:
    # East falls from 80 to 0 within 10 days, west is trusted at 40 for ever: after 5 days west is trusted as much.
    trust = {
        "crm-east": {"maximum": 80, "minimum": 0, "period_days": 10},
        "crm-west": {"maximum": 40, "minimum": 40},
    }
    plain = hub.declared["widget_hold"]
    rule = SurvivorshipRule("trust", options={"trust": trust})
    decaying = replace(plain.attributes["note"], survivorship=rule)
    kind = replace(plain, attributes={**plain.attributes, "note": decaying}, version="decaying")
    trusting = replace(hub_on(engine), declared={**hub.declared, "widget_hold": kind})
    east, west = (delivery(key, "widget_hold", codes=["x1"], note=key[-1]) for key in (A, B))
    deliver(trusting, [east, west], who="test")  # of unknown age: east is trusted at its minimum
    assert values(trusting, A)["note"] == "b"
    crossing = clock.now() + timedelta(seconds=1.5)
    deliver(trusting, [replace(east, source_time=crossing - timedelta(days=5))], who="test")
    assert values(trusting, A)["note"] == "a"

    time.sleep(max(0.0, (crossing - clock.now()).total_seconds()) + 0.05)

    assert refresh_due(trusting) == 1
    assert values(trusting, A)["note"] == "b"
    assert refresh_due(trusting) == 0
    assert_sound(trusting)


def test_newer_evidence_is_listed_over_the_hub_until_the_override_is_set_again(hub: Hub) -> None:
    for key in (A, B, C):
        send(hub, key, name=f"name of {key[-1]}", at=1)
        put(hub, key, "name", f"own {key[-1]}")
    send(hub, B, name="renamed", at=2)

    def masking() -> list[tuple[Any, tuple[str, ...]]]:
        found, following = list_overrides(hub, state="masks_newer", entity_types=None, after="", limit=10)
        assert following is None
        return [(one.override.value, one.newer_record_keys) for one in found]

    assert masking() == [("own b", (B,))]
    assert values(hub, B)["name"] == "own b"

    change = put(hub, B, "name", "own b")

    assert change.is_changed
    assert masking() == []
    everywhere, _ = list_overrides(hub, state=None, entity_types=frozenset({"widget_hold"}), after="", limit=10)
    assert sorted(one.override.value for one in everywhere) == ["own a", "own b", "own c"]
    assert list_overrides(hub, state=None, entity_types=frozenset({"gizmo"}), after="", limit=10) == ((), None)


def test_pages_over_the_hub_show_each_override_once(hub: Hub) -> None:
    for key in (A, B, C):
        send(hub, key, name=f"name of {key[-1]}")
        put(hub, key, "name", f"own {key[-1]}")

    seen, after = [], ""
    for _ in range(3):
        (one,), following = list_overrides(hub, state="in_force", entity_types=None, after=after, limit=1)
        seen.append(one.override.value)
        after = following or ""

    assert seen == ["own a", "own b", "own c"]
    assert list_overrides(hub, state="in_force", entity_types=None, after=after, limit=1) == ((), None)
