"""Two relays tell one target: what one of them tells wakes what the other notes meanwhile as waiting for it."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from mdm.connectors.model import Failure
from mdm.db.transaction import run
from mdm.delivery.lanes import WAITING, lease, settle
from mdm.delivery.model import DueLane, Later, Settlement
from mdm.delivery.relay import Relay
from mdm.delivery.standings_store import select_standing
from mdm.delivery.targets import let_stand
from mdm.failpoints import armed
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from tests.hubs import assert_sound, delivery, golden_by_key
from tests.targets import Shelf, ready

pytestmark = pytest.mark.db

LONG_S = 20  # nobody waits for so long: who does fails the test


@dataclass
class Turn:
    """A turn in a thread of its own, which stands still before it settles, and before it commits that."""

    relay: Relay
    looked: threading.Event = field(default_factory=threading.Event)
    may_settle: threading.Event = field(default_factory=threading.Event)
    settled: threading.Event = field(default_factory=threading.Event)
    may_commit: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Begin, and come back once the target was looked at and told."""

        def tell(lanes: Sequence[DueLane], at: datetime) -> tuple[list[Settlement], list[Failure]]:
            told = self.relay.tell(lanes, at)
            self.looked.set()
            assert self.may_settle.wait(LONG_S)
            return told

        self._thread = threading.Thread(target=replace(self.relay, tell=tell).turn)
        self._thread.start()
        assert self.looked.wait(LONG_S)

    def stand_still(self) -> None:
        """Stand at the end of what is settled, if it is this turn that does."""
        if threading.current_thread() is self._thread:
            self.settled.set()
            assert self.may_commit.wait(LONG_S)

    def settle(self) -> None:
        """Settle, and come back before that is committed."""
        self.may_settle.set()
        assert self.settled.wait(LONG_S)

    def settle_beside(self) -> None:
        """Settle while another one has not committed: come back once this one waits for it, or is through."""
        self.may_commit.set()
        self.may_settle.set()
        until = time.monotonic() + LONG_S
        while self._thread.is_alive() and not self._is_stuck():
            assert time.monotonic() < until
            time.sleep(0.01)

    def end(self) -> None:
        """Let it go on to its end."""
        self.may_settle.set()
        self.may_commit.set()
        self._thread.join(LONG_S)
        assert not self._thread.is_alive()

    def _is_stuck(self) -> bool:
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        with self.relay.hub.engine.connect() as connection:
            return bool(connection.execute(text(f"SELECT EXISTS ({waiting})")).scalar_one())


@pytest.fixture
def relay(hub: Hub, tmp_path: Path, shelf: Shelf) -> Relay:
    """Give a relay that leases one lane a turn, of a target that is drained: a job first, then the client of it."""
    one = replace(ready(hub, tmp_path, shelf), lanes_max=1)
    deliver(hub, [delivery("crm-us/Job:9", "gizmo", name="Phase 2", grade="a", widget="1")], who="t")
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    run(hub.engine, lambda connection: let_stand(connection, "erp", "draining", reason="it moves", who="mara"))
    return one


@pytest.fixture
def job(relay: Relay) -> Iterator[Turn]:
    turn = Turn(relay)
    yield turn
    turn.end()


@pytest.fixture
def client(relay: Relay, job: Turn) -> Iterator[Turn]:
    turn = Turn(job.relay)
    yield turn
    turn.end()


def test_what_is_told_between_a_look_and_its_end_wakes_what_waits_for_it(
    relay: Relay, job: Turn, client: Turn, shelf: Shelf
) -> None:
    client.end()
    job.end()

    assert_drained(relay, shelf)


@pytest.mark.parametrize("first", ["job", "client"])
def test_what_is_told_while_a_wait_for_it_is_noted_wakes_it(
    relay: Relay, job: Turn, client: Turn, shelf: Shelf, first: str
) -> None:
    before, after = (job, client) if first == "job" else (client, job)

    def stand_still() -> None:
        job.stand_still()
        client.stand_still()

    with armed({"delivery.settled": stand_still}):
        before.settle()
        after.settle_beside()
        before.end()
        after.end()

    assert_drained(relay, shelf)


@pytest.mark.parametrize("is_killed", [True, False])
def test_what_was_told_without_being_noted_wakes_what_waits_for_it_once_that_is_seen(
    relay: Relay, job: Turn, shelf: Shelf, is_killed: bool
) -> None:
    """There is nothing left to tell of it then, which is no news to anybody else."""
    job.end()

    def tell(lanes: Sequence[DueLane], at: datetime) -> tuple[list[Settlement], list[Failure]]:
        relay.tell(lanes, at)
        raise ConnectionError("gone")

    hub = replace(relay.hub, settings=relay.hub.settings.model_copy(update={"delivery_lease_s": 0}))
    breaking = replace(relay, hub=hub, tell=tell)
    if is_killed:
        with pytest.raises(ConnectionError):
            breaking.turn()
    else:
        breaking.guarded_turn()
        retried = text("UPDATE delivery_lane SET due_at = now() WHERE attempts > 0")
        run(relay.hub.engine, lambda connection: connection.execute(retried))

    assert_drained(relay, shelf)


@pytest.mark.parametrize("waits_for", ["crm-us/Account:1", "wid_none"])
def test_what_waits_for_what_was_told_before_or_never_will_be_is_looked_at_ten_minutes_later(
    relay: Relay, job: Turn, client: Turn, waits_for: str
) -> None:
    """Else it would be looked at again and again, though nothing changes."""
    client.end()
    job.end()
    golden_ids = golden_by_key(relay.hub)
    parent = GoldenId(golden_ids.get(waits_for, waits_for))

    def note(connection: Connection) -> datetime:
        lanes = lease(connection, relay.declaration, limit=9, lasting=timedelta(minutes=1))
        (lane,) = (one for one in lanes if one.golden_id == golden_ids["crm-us/Job:9"])
        due_at = lane.leased_at + WAITING
        settle(connection, relay.declaration, [Later(lane, due_at, None, "not yet", waits_for=parent)])
        return due_at

    due_at = run(relay.hub.engine, note)

    with relay.hub.engine.connect() as connection:
        waiting = connection.execute(text("SELECT due_at, waits_for FROM delivery_lane WHERE state = 'waiting'"))
        assert [tuple(row) for row in waiting] == [(due_at, parent)]


def assert_drained(relay: Relay, shelf: Shelf) -> None:
    """Tell what is due, without any time that goes by, until the target is paused; then it has both."""
    relay.drain()
    standing = run(relay.hub.engine, lambda connection: select_standing(connection, "erp"))
    assert standing is not None
    assert standing.state == "paused"
    assert sorted(shelf.records.values(), key=len) == [{"title": "Acme"}, {"name": "Phase 2", "widget_id": "n1"}]
    assert_sound(relay.hub)
