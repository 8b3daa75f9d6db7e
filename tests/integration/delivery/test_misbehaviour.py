"""Whatever a target does wrong, its lane, its next attempt and the target's own standing are those of the table."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, text

from mdm import clock
from mdm.connectors.http import Timeouts
from mdm.db.transaction import run
from mdm.delivery.retry import JITTER
from mdm.demo.fakes.faults import MISBEHAVIOUR, Aim
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.erp import Books, books
from tests.hubs import assert_sound, delivery

pytestmark = pytest.mark.db

# fault -> state of the lane, failed attempts, seconds to the next one, standing of the target, whether it is let rest
TABLE = {
    "throttled": ("ready", 0, 5, "running", True),
    "throttled_for_7_s": ("ready", 0, 7, "running", True),
    "failing": ("ready", 1, 5, "running", False),
    "failing_done": ("ready", 1, 5, "running", False),
    "overloaded": ("ready", 1, 5, "running", False),
    "hang": ("ready", 1, 5, "running", False),
    "hang_done": ("ready", 1, 5, "running", False),
    "slow_body": ("ready", 1, 5, "running", False),
    "drop": ("ready", 1, 5, "running", False),
    "done_then_drop": ("ready", 1, 5, "running", False),
    "half_an_answer": ("ready", 1, 5, "running", False),
    "answer_twice": ("ready", 0, None, "running", False),
    "wrong_id": ("ready", 1, 5, "running", False),
    "misrouted": ("ready", 1, 5, "running", False),
    "schema_error": ("dead", 1, None, "running", False),
    "redirect": ("ready", 0, 5, "stopped", False),
    "gone": ("ready", 0, 5, "disabled", False),
    "long_page": ("ready", 1, 5, "running", False),
    "long_page_done": ("ready", 1, 5, "running", False),
}
HURRIED = Timeouts(connect_s=60, silence_s=1, total_s=2)


@pytest.fixture
def erp(hub: Hub, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Books]:
    name = request.node.callspec.params["name"] if hasattr(request.node, "callspec") else ""
    timeouts = HURRIED if name in {"hang", "hang_done", "slow_body"} else Timeouts(60, 60, 90)
    with books(hub, tmp_path, timeouts=timeouts) as one:
        yield one


def send(hub: Hub, number: int, **fields: Any) -> None:
    values = {"name": f"Firm {number}", "currency": "EUR", "city": f"Town {number}", **fields}
    (outcome,) = deliver(hub, [delivery(f"salesforce-us/Account:{number}", "customer", **values)], who="t")
    assert outcome.status in {"created", "updated"}, outcome


def lane(hub: Hub) -> Row[Any]:
    with hub.engine.connect() as connection:
        return connection.execute(
            text("SELECT * FROM delivery_lane WHERE target_id = 'netsuite' ORDER BY golden_id LIMIT 1")
        ).one()


def standing(hub: Hub) -> Row[Any]:
    with hub.engine.connect() as connection:
        return connection.execute(
            text("SELECT s.state, p.failures, p.opens_at FROM target_standing s JOIN target_pulse p USING (target_id)")
        ).one()


def test_the_table_holds_every_fault_there_is() -> None:
    assert set(TABLE) == set(MISBEHAVIOUR)


@pytest.mark.parametrize("name", TABLE)
def test_a_fault_leaves_the_lane_as_the_table_says_and_the_target_with_one_record(
    name: str, hub: Hub, erp: Books
) -> None:
    state, attempts, wait_s, stands, rests = TABLE[name]
    send(hub, 1)
    erp.fake.faults.plan(MISBEHAVIOUR[name], Aim(method="POST"), times=1)
    before: datetime = run(hub.engine, clock.instant)
    erp.relay.turn()
    after: datetime = run(hub.engine, clock.instant)

    found, stood = lane(hub), standing(hub)
    assert (found.state, found.attempts, stood.state) == (state, attempts, stands)
    assert (stood.opens_at is not None) is rests
    if wait_s is not None:
        jitter = JITTER if wait_s == 5 else 0
        assert (found.due_at - after).total_seconds() <= wait_s * (1 + jitter)
        assert (found.due_at - before).total_seconds() >= wait_s * (1 - jitter)
    if state != "dead" and stands == "running":
        erp.clock.forward(seconds=30)
        erp.relay.drain()
        assert [one.fields["companyName"] for one in erp.fake.records.all("customer")] == ["Firm 1"]
        assert (lane(hub).attempts, lane(hub).failure_kind) == (0, None)
        assert standing(hub).failures == 0
    assert_sound(hub)


def test_a_target_that_fails_again_and_again_is_let_rest_and_noticed_when_it_is_back(hub: Hub, erp: Books) -> None:
    for number in range(7):
        send(hub, number)
    erp.fake.faults.plan(MISBEHAVIOUR["failing"], Aim(method="POST"), times=200)
    for _ in range(6):
        erp.relay.turn()
        if standing(hub).opens_at is None:
            erp.clock.forward(seconds=20_000)
    asked = len(erp.fake.journal.entries())
    assert standing(hub).opens_at is not None
    assert erp.relay.turn() <= 1

    erp.fake.faults.clear()
    for _ in range(6):
        erp.clock.forward(seconds=50_000)
        erp.relay.drain()
    assert len(erp.fake.records.all("customer")) == 7
    assert standing(hub).failures == 0
    assert asked < 6 * 7 * 2


def test_a_poison_record_parks_its_lane_only(hub: Hub, erp: Books) -> None:
    send(hub, 1, currency="USD", name="x" * 200)  # longer than the ERP takes
    for number in range(2, 6):
        send(hub, number)
    erp.relay.drain()

    assert len(erp.fake.records.all("customer")) == 4
    with hub.engine.connect() as connection:
        states = connection.execute(
            text("SELECT state, count(*) FROM delivery_lane WHERE acknowledged < head GROUP BY 1")
        ).all()
    assert [tuple(row) for row in states] == [("dead", 1)]
