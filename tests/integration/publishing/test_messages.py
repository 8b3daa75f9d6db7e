"""One message a golden version and subscribed target, lanes that end at the newest, and versions that are held back."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.publishing import store
from mdm.publishing.file_target import add_target
from mdm.survivorship.service import golden_version
from tests.hubs import assert_sound, delivery, golden_by_key

pytestmark = pytest.mark.db


def send(hub: Hub, key: str, entity_type: str = "widget_hold", **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(key, entity_type, **fields)], who="test")
    assert outcome.status in {"created", "updated"}


def subscribe(hub: Hub, target_id: str, folder: Path, *entity_types: str) -> None:
    run(hub.engine, lambda c: add_target(c, target_id, folder, entity_types, who="test"))


def messages(hub: Hub) -> list[tuple[str, int]]:
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT target_id, version FROM outbox_message ORDER BY golden_id, target_id, version")
        )
        return [(row.target_id, row.version) for row in rows]


def waiting(hub: Hub, target_id: str) -> list[tuple[int, int]]:
    """Give head and acknowledged version of each lane that has something to tell."""
    lanes = run(hub.engine, lambda c: store.select_waiting_lanes(c, target_id, after="", limit=100))
    return [(lane.head, lane.acknowledged) for lane in lanes]


def test_each_version_is_one_message_for_each_target_of_its_type(hub: Hub, tmp_path: Path) -> None:
    subscribe(hub, "all", tmp_path, "widget_hold", "gizmo")
    subscribe(hub, "gizmos", tmp_path, "gizmo")

    send(hub, "crm-east/Widget:1", name="red")
    send(hub, "crm-east/Widget:1", name="blue")

    assert messages(hub) == [("all", 1), ("all", 2)]
    assert waiting(hub, "all") == [(2, 0)]
    assert waiting(hub, "gizmos") == []
    assert_sound(hub)


def test_a_new_target_is_told_the_present_version_of_all_it_subscribes_to_once(hub: Hub, tmp_path: Path) -> None:
    send(hub, "crm-east/Widget:1", name="red")
    send(hub, "crm-east/Widget:1", name="blue")

    subscribe(hub, "late", tmp_path, "widget_hold")
    subscribe(hub, "late", tmp_path, "widget_hold")

    assert messages(hub) == [("late", 2)]
    assert waiting(hub, "late") == [(2, 0)]
    assert_sound(hub)


def test_a_forwarded_golden_record_is_told_too(hub: Hub, tmp_path: Path) -> None:
    subscribe(hub, "all", tmp_path, "widget_hold")
    send(hub, "crm-east/Widget:1", codes=["x1"])
    send(hub, "crm-east/Widget:2", codes=["x2"])

    send(hub, "crm-east/Widget:2", codes=["x1", "x2"])

    assert messages(hub) == [("all", 1), ("all", 2), ("all", 1), ("all", 2)]
    assert_sound(hub)


def test_acknowledging_ends_a_lane_where_it_was_read_and_never_goes_back(hub: Hub, tmp_path: Path) -> None:
    subscribe(hub, "all", tmp_path, "widget_hold")
    send(hub, "crm-east/Widget:1", name="red")
    (old,) = run(hub.engine, lambda c: store.select_waiting_lanes(c, "all", after="", limit=1))
    send(hub, "crm-east/Widget:1", name="blue")
    (new,) = run(hub.engine, lambda c: store.select_waiting_lanes(c, "all", after="", limit=1))

    run(hub.engine, lambda c: store.acknowledge(c, [old]))
    assert waiting(hub, "all") == [(2, 1)]

    run(hub.engine, lambda c: store.acknowledge(c, [new]))
    run(hub.engine, lambda c: store.acknowledge(c, [old]))
    assert waiting(hub, "all") == []


def test_a_version_with_a_hold_waits_until_the_source_puts_it_right(hub: Hub, tmp_path: Path) -> None:
    subscribe(hub, "all", tmp_path, "gizmo")

    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog")

    golden_id = GoldenId(golden_by_key(hub)["crm-east/Gizmo:1"])
    held = run(hub.engine, lambda c: golden_version(c, golden_id))
    assert held is not None
    assert held.held == ("crm-east/Gizmo:1 grade_missing",)
    assert messages(hub) == [("all", 1)]
    assert waiting(hub, "all") == []

    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a")
    assert waiting(hub, "all") == [(2, 0)]
    assert_sound(hub)


def test_a_file_shows_the_last_version_that_was_not_held(hub: Hub, tmp_path: Path) -> None:
    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a")
    send(hub, "crm-east/Gizmo:1", "gizmo", name="axle")
    send(hub, "crm-east/Gizmo:2", "gizmo", name="bolt")

    rows = run(hub.engine, lambda c: store.select_snapshot(c, "crm-east", "gizmo"))

    assert [(row.native_id, row.version, row.values["name"]) for row in rows] == [("1", 1, "cog")]
