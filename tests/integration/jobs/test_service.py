"""Deliveries are answered one by one in their order, whatever becomes of their neighbours."""

from typing import Any

import pytest

from mdm.hub import Hub
from mdm.jobs.model import LoadReport
from mdm.jobs.service import deliver
from mdm.telemetry import REGISTRY
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on, partition_of

pytestmark = pytest.mark.db


def account(number: int, entity_type: str = "widget_hold", **fields: Any) -> Any:
    return delivery(f"crm-east/Account:{number}", entity_type, **fields)


def test_outcomes_stand_in_the_order_of_the_deliveries(hub: Hub) -> None:
    outcomes = deliver(
        hub,
        [
            account(1, codes=["x1"]),
            delivery("crm-north/Account:1", "widget_hold", name="red"),
            account(2, "gizmo", name="cog", grade="a"),
            account(3, "gizmo", grade="a"),
            account(4, codes=["x1"]),
            account(1, codes=["x1"]),
        ],
        who="test",
    )

    assert [(one.key.native_id, one.status) for one in outcomes] == [
        ("1", "created"),
        ("1", "rejected"),
        ("2", "created"),
        ("3", "rejected"),
        ("4", "created"),
        ("1", "unchanged"),
    ]
    assert [one.golden_id is None for one in outcomes] == [False, True, False, True, False, False]
    assert_sound(hub)


def test_an_outcome_tells_what_became_of_the_identity(hub: Hub) -> None:
    def outcome(one: Any) -> tuple[str, str]:
        (found,) = deliver(hub, [one], who="test")
        return found.status, found.outcome

    assert outcome(account(1, codes=["x1"])) == ("created", "created")
    assert outcome(account(2, codes=["x1"])) == ("created", "attached")
    assert outcome(account(2, codes=["x1"], note="more")) == ("updated", "kept")
    assert outcome(account(2, codes=["x2"])) == ("updated", "moved")
    assert outcome(account(2, deleted=True)) == ("updated", "none")
    assert outcome(account(2, codes=["x2"])) == ("updated", "kept")


def test_nothing_delivered_is_nothing_told(hub: Hub) -> None:
    assert deliver(hub, [], who="test") == ()


@pytest.mark.parametrize("size", [1, 2, 3, 40])
def test_the_size_of_chunks_changes_no_partition(hub: Hub, size: int) -> None:
    small = hub_on(hub.engine, chunk_records=size)
    codes = [["a"], ["b"], ["a", "b"], ["c"], ["d", "c"], ["e"], ["e", "a"]]

    deliver(small, [account(number, codes=given) for number, given in enumerate(codes)], who="test")

    members = {frozenset(int(key.rpartition(":")[2]) for key in group) for group in partition_of(hub)}
    assert members == {frozenset({0, 1, 2, 5, 6}), frozenset({3, 4})}
    assert_sound(hub)


def test_a_chunk_that_fails_leaves_those_before_it_stored(hub: Hub) -> None:
    # A rejected record waits in the queue, an accepted one is stored: no chunk takes another one back.
    small = hub_on(hub.engine, chunk_records=1)

    deliver(small, [account(1, name="red"), account(2, "gizmo"), account(3, name="blue")], who="test")

    assert golden_by_key(hub).keys() == {"crm-east/Account:1", "crm-east/Account:3"}


def test_a_report_counts_what_it_was_told(hub: Hub) -> None:
    report = LoadReport()
    batch = [account(1, name="red"), account(2, name="red"), account(3, "gizmo", grade="a"), account(1, name="red")]

    report.add(deliver(hub, batch, who="test"))

    assert report.records_count == 4
    assert report.statuses == {"created": 2, "rejected": 1, "unchanged": 1}
    assert report.outcomes == {"created": 2, "none": 1, "kept": 1}
    assert report.reasons == {("name", "name_missing"): 1}


def test_what_became_of_deliveries_is_counted_for_the_metrics(hub: Hub) -> None:
    def counted(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(f"mdm_{name}_total", labels) or 0.0

    def figures() -> tuple[float, ...]:
        return (
            counted("source_records", entity_type="gizmo", status="created"),
            counted("source_records", entity_type="gizmo", status="rejected"),
            counted("source_records", entity_type="unknown", status="rejected"),
            counted("exceptions", entity_type="gizmo", code="name_missing"),
        )

    before = figures()
    good, nameless = delivery("crm-west/Gizmo:1", "gizmo", name="cog", grade="a"), delivery("crm-west/Gizmo:2", "gizmo")
    deliver(hub, [good, nameless, delivery("crm-west/Gizmo:3", "nothing of ours", name="cog")], who="test")

    assert [now - was for now, was in zip(figures(), before, strict=True)] == [1, 1, 1, 1]
