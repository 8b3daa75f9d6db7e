"""What a person lets a target stand at: one that is drained is told what waits, and nothing that comes later."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from mdm.clock import instant
from mdm.connectors.model import Failure
from mdm.db.transaction import run, transaction
from mdm.delivery.lanes_store import has_due_before
from mdm.delivery.model import Standing
from mdm.delivery.standings_store import select_standing
from mdm.delivery.targets import let_stand
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import assert_sound, delivery
from tests.targets import Shelf, ready

pytestmark = pytest.mark.db


def stands(hub: Hub) -> Standing:
    found = run(hub.engine, lambda connection: select_standing(connection, "erp"))
    assert found is not None
    return found


def test_a_target_that_is_drained_gets_what_waits_and_then_nothing(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    run(hub.engine, lambda connection: let_stand(connection, "erp", "draining", reason="it moves", who="mara"))
    deliver(hub, [delivery("crm-us/Account:2", "widget_hold", codes=["c2"], name="Bolt")], who="t")

    relay.drain()

    assert {"title": "Acme"} in shelf.records.values()
    assert (stands(hub).state, stands(hub).reason) == ("paused", "drained; it moves")
    told = dict(shelf.records)
    deliver(hub, [delivery("crm-us/Account:3", "widget_hold", codes=["c3"], name="Cog")], who="t")
    assert relay.drain() == 0
    assert shelf.records == told

    run(hub.engine, lambda connection: let_stand(connection, "erp", "running", reason="it moved", who="mara"))
    relay.drain()
    assert sorted(str(one["title"]) for one in shelf.records.values()) == ["Acme", "Bolt", "Cog"]
    assert_sound(hub)


def test_a_drain_ends_though_something_waits_for_what_was_given_up(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    shelf.failing = [Failure("refused", "422 Unprocessable Content")]
    job = delivery("crm-us/Job:9", "gizmo", name="Phase 2", grade="a", widget="1")
    deliver(hub, [job], who="t")
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    run(hub.engine, lambda connection: let_stand(connection, "erp", "draining", reason="it moves", who="mara"))

    relay.drain()

    assert not shelf.records
    assert stands(hub).state == "paused"


def test_a_drain_tells_what_waits_for_what_is_told_in_it(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Job:9", "gizmo", name="Phase 2", grade="a", widget="1")], who="t")
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    run(hub.engine, lambda connection: let_stand(connection, "erp", "draining", reason="it moves", who="mara"))

    relay.drain()

    assert sorted(shelf.records.values(), key=len) == [{"title": "Acme"}, {"name": "Phase 2", "widget_id": "n1"}]
    assert stands(hub).state == "paused"


@pytest.mark.parametrize(
    ("last", "is_told"),
    [
        ("state = 'ready', recorded_at = now() + interval '1 day'", True),
        ("state = 'ready', failure_kind = 'unavailable', attempts = 1, due_at = now() + interval '1 hour'", True),
        ("state = 'dead'", False),
        ("state = 'waiting', due_at = now()", False),  # for a review
        ("acknowledged = head", False),  # it was never to be told of it
    ],
)
def test_a_drain_follows_what_waits_to_the_last_of_a_chain(
    hub: Hub, tmp_path: Path, shelf: Shelf, last: str, *, is_told: bool
) -> None:
    """Given a lane that waits for one that waits for a third."""
    ready(hub, tmp_path, shelf)
    sent = [delivery(f"crm-us/Account:{n}", "widget_hold", codes=[f"c{n}"], name=f"Acme {n}") for n in range(3)]
    deliver(hub, sent, who="t")
    with transaction(hub.engine) as connection:
        waiting = "UPDATE delivery_lane SET state = 'waiting', due_at = now() + interval '1 hour', waits_for ="
        first, second, third = connection.execute(text("SELECT golden_id FROM delivery_lane ORDER BY 1")).scalars()
        for one, other in ((first, second), (second, third)):
            connection.execute(text(f"{waiting} :other WHERE golden_id = :one"), {"one": one, "other": other})
        connection.execute(text(f"UPDATE delivery_lane SET {last} WHERE golden_id = :one"), {"one": third})

    assert is_open(hub) is is_told


@pytest.mark.parametrize("due", ["due_at = now()", "due_at = now() + interval '1 minute', lease_token = 'of another'"])
def test_a_drain_tells_what_was_woken_by_what_it_waited_for(hub: Hub, tmp_path: Path, shelf: Shelf, due: str) -> None:
    ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Job:9", "gizmo", name="Phase 2", grade="a", widget="1")], who="t")
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    with transaction(hub.engine) as connection:
        account, job = connection.execute(text("SELECT golden_id FROM delivery_lane ORDER BY golden_id DESC")).scalars()
        told = "UPDATE delivery_lane SET acknowledged = head WHERE golden_id = :account"
        connection.execute(text(told), {"account": account})
        waits = f"UPDATE delivery_lane SET state = 'waiting', waits_for = :account, {due} WHERE golden_id = :job"
        connection.execute(text(waits), {"account": account, "job": job})

    assert is_open(hub)


def is_open(hub: Hub) -> bool:
    def look(connection: Connection) -> bool:
        now = instant(connection)
        return has_due_before(connection, "erp", instant=now, now=now)

    return run(hub.engine, look)
