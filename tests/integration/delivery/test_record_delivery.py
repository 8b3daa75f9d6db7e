"""A system of records is told what changed, once, in its own keys; what it holds already is not told again."""

from pathlib import Path

import pytest
from sqlalchemy import text

from mdm.connectors.model import Failure
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.stewardship.model import By, Merge, Unmerge
from mdm.stewardship.operations import perform
from tests.hubs import assert_sound, delivery, golden_by_key
from tests.targets import ERP, Shelf, ready

pytestmark = pytest.mark.db


def test_a_record_that_the_target_lacks_is_made_once_and_its_key_is_known_at_once(
    hub: Hub, tmp_path: Path, shelf: Shelf
) -> None:
    relay = ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme", note="hot")], who="t")

    relay.drain()

    assert shelf.records == {"n1": {"title": "Acme", "remark": "hot"}}
    keys = golden_by_key(hub)
    assert keys["erp-us/Widget:n1"] == keys["crm-us/Account:1"]
    assert_sound(hub)
    assert relay.drain() == 0


def test_only_effective_changes_are_sent_and_a_child_waits_for_its_parent(
    hub: Hub, tmp_path: Path, shelf: Shelf
) -> None:
    relay = ready(hub, tmp_path, shelf)
    gizmo = delivery("crm-us/Job:9", "gizmo", name="Phase 2", grade="a", widget="1")
    deliver(hub, [gizmo], who="t")
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    relay.drain()
    relay.drain()
    assert shelf.records == {"n1": {"title": "Acme"}, "n2": {"name": "Phase 2", "widget_id": "n1"}}

    sent = len(shelf.changes)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=1, codes=["c1", "c2"], name="Acme")], who="t")
    relay.drain()
    assert len(shelf.changes) == sent  # codes are none of its fields

    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=2, codes=["c1"], name="Acme Ltd")], who="t")
    relay.drain()
    assert [one.fields for one in shelf.changes[sent:]] == [{"title": "Acme Ltd"}]


def test_a_failed_change_is_repeated_with_the_same_id(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    shelf.failing = [Failure("unclear", "the connection ended")]
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    relay.drain()
    assert lane(hub) == ("ready", 1, "unclear")
    later(hub)
    relay.drain()

    assert [one.request_id for one in shelf.changes[:2]] == [shelf.changes[0].request_id] * 2
    assert shelf.records == {"n1": {"title": "Acme"}}
    assert lane(hub) == ("ready", 0, None)


def test_what_was_not_asked_after_a_failure_is_not_in_doubt(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    shelf.records.update({number: {"title": "Acme"} for number in ("n1", "n2")})
    here = [delivery(f"erp-us/Widget:{number}", "widget_hold", codes=["c1"], title="Acme") for number in ("n1", "n2")]
    deliver(hub, [*here, delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Bolt")], who="t")
    shelf.failing = [Failure("unclear", "the connection ended")]

    relay.drain()

    assert [one.native_id for one in shelf.changes] == ["n1"]
    with hub.engine.connect() as connection:
        rows = connection.execute(text("SELECT native_id FROM target_record WHERE intended IS NOT NULL"))
        assert rows.scalars().all() == ["n1"]


def test_what_will_never_be_taken_parks_its_lane_only(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    shelf.failing = [Failure("refused", "422 Unprocessable Content")]
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    relay.drain()
    deliver(hub, [delivery("crm-us/Account:2", "widget_hold", codes=["c2"], name="Bolt")], who="t")
    relay.drain()

    assert list(shelf.records.values()) == [{"title": "Bolt"}]
    assert lane(hub) == ("dead", 1, "refused")
    assert outcomes(hub)[:2] == ["dead", "delivered"]


@pytest.mark.parametrize(("policy", "expected"), [("merge", "n1"), ("deactivate", "inactive"), ("leave", None)])
def test_a_merge_tells_the_target_which_record_stays(
    hub: Hub, tmp_path: Path, shelf: Shelf, policy: str, expected: str | None
) -> None:
    relay = ready(hub, tmp_path, shelf, ERP.replace("creates: true", f"creates: true\n        on_merge: {policy}", 1))
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    relay.drain()
    deliver(hub, [delivery("crm-us/Account:2", "widget_hold", codes=["c2"], name="Bolt")], who="t")
    relay.drain()
    keys = golden_by_key(hub)
    pair = (GoldenId(keys["crm-us/Account:1"]), GoldenId(keys["crm-us/Account:2"]))
    perform(hub, Merge(*pair), By("mara", "the same"))
    relay.drain()

    assert shelf.records["n2"].get("gone") == expected
    assert "gone" not in shelf.records["n1"]


def test_a_record_is_used_again_and_written_in_one_turn(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf, ERP.replace("creates: true", "creates: true\n        on_merge: deactivate", 1))
    for number, name in ((1, "Acme"), (2, "Bolt")):
        deliver(hub, [delivery(f"crm-us/Account:{number}", "widget_hold", codes=[f"c{number}"], name=name)], who="t")
        relay.drain()
    keys = golden_by_key(hub)
    pair = (GoldenId(keys["crm-us/Account:1"]), GoldenId(keys["crm-us/Account:2"]))
    merged = perform(hub, Merge(*pair), By("mara", "the same"))
    relay.drain()
    deliver(hub, [delivery("crm-us/Account:2", "widget_hold", at=1, codes=["c2"], name="Bolt Ltd")], who="t")
    perform(hub, Unmerge(merged.event_id), By("mara", "not the same"))
    sent = len(shelf.changes)

    relay.drain()

    told = [(one.kind, one.native_id) for one in shelf.changes[sent:] if one.native_id == "n2"]
    assert told == [("reactivate", "n2"), ("update", "n2")]
    assert shelf.records["n2"]["title"] == "Bolt Ltd"
    assert relay.drain() == 0


def lane(hub: Hub) -> tuple[object, ...]:
    with hub.engine.connect() as connection:
        row = connection.execute(
            text("SELECT state, attempts, failure_kind FROM delivery_lane ORDER BY golden_id LIMIT 1")
        ).one()
        return tuple(row)


def outcomes(hub: Hub) -> list[str]:
    with hub.engine.connect() as connection:
        return list(connection.execute(text("SELECT outcome FROM delivery_outcome ORDER BY id")).scalars())


def later(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET due_at = now()"))
        connection.execute(text("UPDATE target_pulse SET opens_at = NULL"))
