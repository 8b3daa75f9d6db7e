"""Relays that are killed at random lose nothing: every receiver has every message in order, every system what it shall.

A receiver of messages and an ERP are told by several processes, each killed at a failpoint or anywhere. Both lose an
answer now and then and take their time, and so do the relays. First nobody dies, and nothing comes twice but what was
refused or whose answer was lost; then many die, and what comes twice besides has the id and the content it had before.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.connectors.signatures import make_secret
from mdm.db.engine import open_engine
from mdm.delivery.model import Declaration
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import DONE_THEN_DROP, DROP, Aim
from mdm.demo.fakes.wire import running
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on, register_instances
from tests.receivers import NO_ANSWER, Attempt, Receiver, receiver
from tests.relayers import Crew, crew
from tests.targets import declare
from tests.tellings import (
    Arrival,
    active_of,
    arrival,
    held_otherwise,
    in_two_meanings,
    lanes_of,
    leases_that_ran_out,
    note_leases,
    out_of_order,
    unexplained,
    versions_of,
)

pytestmark = [pytest.mark.db, pytest.mark.timeout(14_400)]

QUIET_LEASE_S = 300.0  # nobody dies: one that ran out would be a fault, not a machine that others use
PAUSE_S_MAX = 0.1
REFUSED = "crm-us/Account:0"  # the receiver never takes it once there was a death
MISFIT = "crm-us/Account:1"  # the ERP never takes it once there was a death
HOOK = """
    target: hook
    title: Hook
    kind: webhook
    connection: {{url: '{url}', secret: MDM_SECRET_HOOK}}
    rate: {{per_second: 100000}}
    events: {{entities: [widget_hold], payload: full}}
"""
BOOKS = """
    target: books
    title: Books
    kind: records
    connection: {{connector: record_api, url: '{url}', secret: MDM_SECRET_BOOKS}}
    instance: erp-us
    rate: {{per_second: 100000}}
    records:
      widget_hold:
        object: customer
        creates: true
        fields:
          name: {{field: companyName}}
          note: {{field: currency}}
"""


@dataclass(frozen=True)
class Size:
    """How much is told, by how many, of whom how many are killed.

    quiet    versions that are told before anybody dies
    lease_s  many times what a turn takes with its pauses, and what the test waits for what a dead relay had
    """

    records: int
    versions: int
    quiet: int
    relays: int
    kills: int
    lease_s: float


@dataclass
class Told:
    """The hub, the receiver and the ERP that it tells, and what they were told."""

    hub: Hub
    heard: Receiver
    fake: Fake
    books: Declaration
    faults: "Faults"

    def arrivals(self) -> list[Arrival]:
        """Give all that came at the receiver, in its order."""
        return [arrival(one) for one in self.heard.attempts]


@pytest.mark.parametrize(
    "size", [Size(500, 10, 2, 4, 5, 20.0), pytest.param(Size(5_000, 20, 4, 8, 25, 60.0), marks=pytest.mark.soak)]
)
def test_killed_relays_lose_nothing_and_put_nothing_out_of_order(
    fresh_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    seed: int,
    size: Size,
) -> None:
    rnd = random.Random(seed)
    engine = open_engine(fresh_database, 4)
    request.addfinalizer(engine.dispose)
    with firm(engine, tmp_path, monkeypatch, seed) as firm_told:
        hub = firm_told.hub
        with crew(fresh_database, size.relays, rnd, lease_s=QUIET_LEASE_S, kills_max=0) as unharmed:
            for version in range(size.quiet):
                write(hub, size.records, version)
            wait_until_told(hub, unharmed)
        assert_told(firm_told, kills=0)
        assert parked(hub) == {}

        with crew(fresh_database, size.relays, rnd, lease_s=size.lease_s, kills_max=size.kills) as dying:
            for version in range(size.quiet, size.versions):
                write(hub, size.records, version, poisoned=True)
                dying.kill_one()
            while not dying.is_done:
                time.sleep(0.5)
                dying.kill_one()
            wait_until_told(hub, dying)
        assert len(versions_of(hub)) >= size.records * size.versions
        assert_told(firm_told, kills=dying.kills)
        goldens = golden_by_key(hub)
        assert parked(hub) == {("hook", goldens[REFUSED]): "refused", ("books", goldens[MISFIT]): "refused"}
        assert_sound(hub)


@contextmanager
def firm(engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> Iterator[Told]:
    """Set a receiver and an ERP up that fail now and then, and the hub that tells them."""
    hub = hub_on(engine)
    register_instances(hub, "crm-us", "erp-us")
    note_leases(hub)
    monkeypatch.setenv("MDM_SECRET_HOOK", make_secret())
    with running(Fake(ERP, seed=seed)) as fake, receiver() as heard:
        monkeypatch.setenv("MDM_SECRET_BOOKS", fake.hub_key)
        declare(hub, folder, HOOK.format(url=heard.url))
        books = declare(hub, folder, BOOKS.format(url=fake.url))
        fake.latency_s = 0.002
        for method in ("POST", "PATCH"):
            for fault in (DONE_THEN_DROP, DROP):
                fake.faults.plan(fault, Aim(method=method), probability=0.005)
        faults = Faults(seed)
        heard.answer = faults.answer
        yield Told(hub, heard, fake, books, faults)


def assert_told(told: Told, *, kills: int) -> None:
    """Hold all that was told until now against the hub, the parked lanes apart."""
    hub, arrivals, lost = told.hub, told.arrivals(), parked(told.hub)
    versions = versions_of(hub)
    assert in_two_meanings(arrivals) == {}
    assert out_of_order(arrivals) == []
    assert [one for one in arrivals if one.values != versions[one.place]] == []
    missing = versions.keys() - {one.place for one in arrivals}
    assert {golden_id for golden_id, _ in missing} <= {golden_id for target, golden_id in lost if target == "hook"}

    # Who died had one turn under way for each target: only what it had leased may come again without a failure.
    ran_out, turns = leases_that_ran_out(hub, "hook")
    assert turns <= kills
    assert unexplained(arrivals, told.faults.failed, ran_out) == {}
    assert_books_told(told, kills=kills)

    for target in ("hook", "books"):
        expected = {
            golden_id: ("ready", version, version)
            for golden_id, (version, _) in active_of(hub).items()
            if (target, golden_id) not in lost
        }
        lanes = {golden_id: lane for golden_id, lane in lanes_of(hub, target).items() if golden_id in expected}
        assert lanes == expected
    misfits = {golden_id for target, golden_id in lost if target == "books"}
    assert held_otherwise(hub, told.books, "widget_hold", told.fake, but=misfits) == []


def assert_books_told(told: Told, *, kills: int) -> None:
    """Hold what the ERP was asked against what explains it: no id writes twice, and no record goes back."""
    entries = [one for one in told.fake.journal.entries() if one.is_write]
    ran_out, turns = leases_that_ran_out(told.hub, "books")
    assert turns <= kills
    wrote = Counter(one.key for one in entries if one.has_written)
    assert {key: count for key, count in wrote.items() if count > 1} == {}
    asked, spoilt = Counter(one.key for one in entries), Counter(one.key for one in entries if one.fault)
    surplus = {key: count - 1 - spoilt[key] - ran_out[key.partition(".")[0]] for key, count in asked.items()}
    assert {key: count for key, count in surplus.items() if count > 0} == {}
    named: dict[str, list[int]] = defaultdict(list)
    for one in entries:
        if one.has_written and "companyName" in one.changed:
            named[one.native_id].append(int(one.changed["companyName"].rpartition(" ")[2]))
    assert {native_id: order for native_id, order in named.items() if order != sorted(order)} == {}


def write(hub: Hub, records_count: int, version: int, *, poisoned: bool = False) -> None:
    """Write one version of every record, one value of which comes back; poison is what a target takes from nobody."""
    news = [
        delivery(
            (key := f"crm-us/Account:{number}"),
            "widget_hold",
            at=version,
            codes=[f"code{number}"],
            name=f"{'Poison' if poisoned and key == REFUSED else 'Firm'} {number} as of {version}",
            note="no currency" if poisoned and key == MISFIT else ("EUR", "GBP")[version % 2],
        )
        for number in range(records_count)
    ]
    for start in range(0, len(news), 200):
        outcomes = deliver(hub, news[start : start + 200], who="writer")
        assert {one.status for one in outcomes} <= {"created", "updated"}


@dataclass
class Faults:
    """Refuses one message in a hundred the first time it comes, loses as many answers, takes its time, and no poison.

    failed  by id, how often it was answered with a failure, or not at all
    """

    seed: int
    failed: Counter[str] = field(default_factory=Counter)

    def answer(self, attempt: Attempt) -> int:
        """Give the status of an answer."""
        rnd = random.Random(f"{self.seed}{attempt.id}{self.failed[attempt.id]}")
        if rnd.random() < 0.02:
            time.sleep(rnd.uniform(0, PAUSE_S_MAX))
        status = 422 if b"Poison" in attempt.body else rnd.choices((204, 503, NO_ANSWER), (98, 1, 1))[0]
        self.failed[attempt.id] += status != 204
        return status


def parked(hub: Hub) -> dict[tuple[str, str], str]:
    """Give the lanes that wait for a person, and why."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT target_id, golden_id, failure_kind FROM delivery_lane WHERE state = 'dead'")
        )
        return {(row.target_id, row.golden_id): row.failure_kind for row in rows}


def wait_until_told(hub: Hub, telling: Crew) -> None:
    """Wait until nothing waits but what is parked; failures are due at once, so that nobody waits for a backoff."""
    until = time.monotonic() + 3_600
    while True:
        with hub.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE delivery_lane SET due_at = now() WHERE failure_kind IS NOT NULL AND state <> 'dead'"
                    " AND lease_token IS NULL AND due_at > now()"
                )
            )
            connection.execute(text("UPDATE target_pulse SET opens_at = NULL WHERE opens_at IS NOT NULL"))
            waiting = connection.execute(
                text("SELECT count(*) FROM delivery_lane WHERE acknowledged < head AND state <> 'dead'")
            ).scalar_one()
        telling.replace_dead()
        if not waiting:
            return
        assert time.monotonic() < until, f"{waiting} lanes wait"
        time.sleep(0.2)
