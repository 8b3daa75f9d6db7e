"""Whatever a target does wrong, its lane, its next attempt and the target's own standing are those of the table."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, text

from mdm import clock
from mdm.connectors.http import Timeouts
from mdm.db.transaction import run
from mdm.delivery.retry import JITTER
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import MISBEHAVIOUR, Aim
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.erp import Books, books
from tests.hubs import assert_sound, delivery

pytestmark = pytest.mark.db


@dataclass(frozen=True)
class Cell:
    """What one fault leaves behind.

    state, attempts, wait_s  of the lane: failed attempts, and seconds to the next one
    standing, rests          of the target: its state, and whether it is let rest
    kind, reason             of the failure, as people read it
    """

    state: str
    attempts: int
    wait_s: int | None
    standing: str
    rests: bool
    kind: str | None
    reason: str | None


TABLE = {
    "throttled": Cell("ready", 0, 5, "running", True, "throttled", "429 Too Many Requests (throttled)"),
    "throttled_for_7_s": Cell("ready", 0, 7, "running", True, "throttled", "429 Too Many Requests (throttled_for_7_s)"),
    "failing": Cell("ready", 1, 5, "running", False, "unavailable", "500 Internal Server Error (failing)"),
    "failing_done": Cell("ready", 1, 5, "running", False, "unavailable", "500 Internal Server Error (failing_done)"),
    "overloaded": Cell("ready", 1, 5, "running", False, "unavailable", "503 Service Unavailable (overloaded)"),
    "hang": Cell("ready", 1, 5, "running", False, "unclear", "no answer came in time"),
    "hang_done": Cell("ready", 1, 5, "running", False, "unclear", "no answer came in time"),
    "slow_body": Cell("ready", 1, 5, "running", False, "unclear", "201 Created, but the answer took too long"),
    "drop": Cell("ready", 1, 5, "running", False, "unclear", "the connection ended, or what came was no HTTP"),
    "done_then_drop": Cell(
        "ready", 1, 5, "running", False, "unclear", "the connection ended, or what came was no HTTP"
    ),
    "half_an_answer": Cell("ready", 1, 5, "running", False, "unclear", "201 Created, but the answer ended early"),
    "answer_twice": Cell("ready", 0, None, "running", False, None, None),
    "wrong_id": Cell("ready", 1, 5, "running", False, "unclear", "created, but the id that was answered is not its id"),
    "misrouted": Cell("ready", 1, 5, "running", False, "unclear", "the answer belongs to another request"),
    "schema_error": Cell(
        "dead", 1, None, "running", False, "refused", "422 Unprocessable Entity (schema_error): companyName schema"
    ),
    "redirect": Cell("ready", 0, 5, "stopped", False, "moved", "302 Found (redirect)"),
    "gone": Cell("ready", 0, 5, "disabled", False, "gone", "410 Gone (gone)"),
    "long_page": Cell("ready", 1, 5, "running", False, "unavailable", "500 Internal Server Error"),
    "long_page_done": Cell("ready", 1, 5, "running", False, "unavailable", "500 Internal Server Error"),
    "untrusted_certificate": Cell("ready", 1, 5, "running", False, "unavailable", "TLS: self-signed certificate"),
    "unknown_name": Cell("ready", 1, 5, "running", False, "unavailable", "nowhere.invalid does not resolve"),
}
# Where the hub believes the target to be; all other faults are those of a target that it reaches.
ADDRESSES: dict[str, Callable[[Fake], str]] = {
    "untrusted_certificate": lambda fake: fake.tls_url,
    "unknown_name": lambda _: "https://nowhere.invalid",
}
HURRIED = Timeouts(connect_s=60, silence_s=1, total_s=2)


@pytest.fixture
def erp(hub: Hub, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Books]:
    name = request.node.callspec.params.get("name", "") if hasattr(request.node, "callspec") else ""
    timeouts = HURRIED if name in {"hang", "hang_done", "slow_body"} else Timeouts(60, 60, 90)
    with books(hub, tmp_path, timeouts=timeouts, address=ADDRESSES.get(name, lambda fake: fake.url)) as one:
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


def mend(name: str, erp: Books) -> None:
    """Let the certificate be trusted, and the name be known."""
    if name == "untrusted_certificate":
        erp.relay = erp.call(erp.fake.tls_url, ssl.create_default_context(cafile=erp.fake.certificate))
    if name == "unknown_name":
        erp.relay = erp.call(erp.fake.url)


def test_the_table_holds_every_fault_there_is() -> None:
    assert set(TABLE) == MISBEHAVIOUR.keys() | ADDRESSES.keys()


@pytest.mark.parametrize("name", TABLE)
def test_a_fault_leaves_the_lane_as_the_table_says_and_the_target_with_one_record(
    name: str, hub: Hub, erp: Books
) -> None:
    cell = TABLE[name]
    send(hub, 1)
    if name in MISBEHAVIOUR:
        erp.fake.faults.plan(MISBEHAVIOUR[name], Aim(method="POST"), times=1)
    before: datetime = run(hub.engine, clock.instant)
    erp.relay.turn()
    after: datetime = run(hub.engine, clock.instant)

    found, stood = lane(hub), standing(hub)
    assert (found.state, found.attempts, stood.state) == (cell.state, cell.attempts, cell.standing)
    assert (found.failure_kind, found.failure_reason) == (cell.kind, cell.reason)
    assert (stood.opens_at is not None) is cell.rests
    if cell.wait_s is not None:
        jitter = JITTER if cell.wait_s == 5 else 0
        assert (found.due_at - after).total_seconds() <= cell.wait_s * (1 + jitter)
        assert (found.due_at - before).total_seconds() >= cell.wait_s * (1 - jitter)
    if name in ADDRESSES:
        assert erp.fake.journal.entries() == ()
    if cell.state != "dead" and cell.standing == "running":
        mend(name, erp)
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


@pytest.mark.parametrize("fault", ["done_then_drop", "drop"])
def test_a_value_that_comes_back_while_the_one_between_was_never_answered_stands_there_again(
    hub: Hub, erp: Books, fault: str
) -> None:
    send(hub, 1)
    erp.relay.drain()
    erp.fake.faults.plan(MISBEHAVIOUR[fault], Aim(method="PATCH"), times=1)
    send(hub, 1, city="York")
    erp.relay.drain()
    send(hub, 1)

    erp.clock.forward(seconds=30)
    erp.relay.drain()

    (record,) = erp.fake.records.all("customer")
    assert record.fields["city"] == "Town 1"
    assert (lane(hub).attempts, lane(hub).failure_kind) == (0, None)
    assert_sound(hub)


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
