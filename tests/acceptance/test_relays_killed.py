"""Relays that are killed at random lose nothing: every receiver has every message in order, every system what it shall.

A receiver of messages and an ERP are told by several processes, each killed at a failpoint or anywhere; a delay here
and there lets them meet. What comes twice has the same id, and comes twice because somebody was killed.
"""

import json
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
from sqlalchemy import text

from mdm.connectors.signatures import make_secret
from mdm.db.engine import open_engine
from mdm.delivery.relay import WEBHOOK_LANES_MAX
from mdm.delivery.tellings_store import VERSIONS_MAX
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.wire import running
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import assert_sound, delivery, hub_on, register_instances
from tests.receivers import Attempt, receiver
from tests.relayers import Relaying, relay_for_ever
from tests.targets import declare

pytestmark = [pytest.mark.db, pytest.mark.timeout(14_400)]

LEASE_S = 10.0
POINTS = ("delivery.leased", "delivery.intended", "delivery.sent", "delivery.bound", "delivery.settled")
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.relayers"])
HOOK = """
    target: hook
    title: Hook
    kind: webhook
    connection: {{url: '{url}', secret: MDM_SECRET_HOOK}}
    rate: {{per_second: 100000}}
    events: {{entities: [widget_hold]}}
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
    """How much is told, by how many, of whom how many are killed."""

    records: int
    versions: int
    relays: int
    kills: int


@pytest.mark.parametrize("size", [Size(500, 10, 4, 5), pytest.param(Size(5_000, 20, 8, 25), marks=pytest.mark.soak)])
def test_killed_relays_lose_nothing_and_put_nothing_out_of_order(
    fresh_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    seed: int,
    size: Size,
) -> None:
    rnd = random.Random(seed)
    monkeypatch.setenv("MDM_SECRET_HOOK", make_secret())
    engine = open_engine(fresh_database, 4)
    request.addfinalizer(engine.dispose)
    hub = hub_on(engine)
    register_instances(hub, "crm-us", "erp-us")
    with running(Fake(ERP)) as fake, receiver() as heard:
        monkeypatch.setenv("MDM_SECRET_BOOKS", fake.hub_key)
        declare(hub, tmp_path, HOOK.format(url=heard.url))
        declare(hub, tmp_path, BOOKS.format(url=fake.url))
        faults = Faults(seed)
        heard.answer = faults.answer
        written = size.records * size.versions
        with relays(fresh_database, size.relays, rnd) as crew:
            for version in range(size.versions):
                write(hub, size.records, version)
                if crew.kills < size.kills:
                    crew.kill_one()
            while crew.kills < size.kills:
                time.sleep(0.5)
                crew.kill_one()
            wait_until_told(hub)
    expected = versions_of(hub)
    assert sum(map(len, expected.values())) >= written
    first = first_attempts(heard.attempts)
    assert {golden: sorted(order) for golden, order in first.items()} == expected
    assert {golden: order for golden, order in first.items() if order != sorted(order)} == {}
    repeated = Counter(one.id for one in heard.attempts)
    repeated.subtract(repeated.keys())
    repeated.subtract(faults.refused)
    assert min(repeated.values()) >= 0
    # A killed relay had so many lanes, each with so many versions.
    assert repeated.total() <= size.kills * WEBHOOK_LANES_MAX * VERSIONS_MAX
    assert {row.fields["companyName"] for row in fake.records.all("customer")} == names(hub)
    assert len(fake.records.all("customer")) == size.records
    assert_sound(hub)


class Crew:
    """Processes that relay; one that was killed is replaced by another."""

    def __init__(self, url: str, count: int, rnd: random.Random) -> None:
        self._url = url
        self._rnd = rnd
        self.kills = 0
        self.running = [self._start() for _ in range(count)]

    def _start(self) -> ForkServerProcess:
        point, hit = self._rnd.choice([*POINTS, "", ""]), self._rnd.randint(1, 6)
        secrets = {name: value for name, value in os.environ.items() if name.startswith("MDM_SECRET_")}
        relaying = Relaying(self._url, LEASE_S, secrets, point, hit)
        child = PROCESSES.Process(target=relay_for_ever, args=(relaying,))
        child.start()
        return child

    def kill_one(self) -> None:
        """Count those who killed themselves, or kill one, and put others in their place."""
        dead = [one for one in self.running if not one.is_alive()]
        if not dead:
            dead = [self._rnd.choice(self.running)]
            assert dead[0].pid is not None
            os.kill(dead[0].pid, signal.SIGKILL)
        for one in dead:
            one.join()
            self.kills += 1
            self.running[self.running.index(one)] = self._start()


@contextmanager
def relays(url: str, count: int, rnd: random.Random) -> Iterator[Crew]:
    """Run relays for the length of a `with` block."""
    crew = Crew(url, count, rnd)
    try:
        yield crew
    finally:
        for one in crew.running:
            one.kill()
            one.join()


def write(hub: Hub, records_count: int, version: int) -> None:
    """Write one version of every record."""
    news = [
        delivery(
            f"crm-us/Account:{number}",
            "widget_hold",
            at=version,
            codes=[f"code{number}"],
            name=f"Firm {number} as of {version}",
            note="EUR",
        )
        for number in range(records_count)
    ]
    for start in range(0, len(news), 200):
        outcomes = deliver(hub, news[start : start + 200], who="writer")
        assert {one.status for one in outcomes} <= {"created", "updated"}


class Faults:
    """Refuses one message in a hundred the first time it comes."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.refused: set[str] = set()

    def answer(self, attempt: Attempt) -> int:
        """Give the status of an answer."""
        if attempt.id in self.refused or random.Random(f"{self._seed}{attempt.id}").random() < 0.99:
            return 204
        self.refused.add(attempt.id)
        return 503


def wait_until_told(hub: Hub) -> None:
    """Wait until nothing waits any more; failures are due at once here, so that nobody waits for a backoff."""
    until = time.monotonic() + 3_600
    while True:
        with hub.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE delivery_lane SET due_at = now() WHERE failure_kind IS NOT NULL"
                    " AND lease_token IS NULL AND due_at > now()"
                )
            )
            connection.execute(text("UPDATE target_pulse SET opens_at = NULL WHERE opens_at IS NOT NULL"))
            waiting = connection.execute(
                text("SELECT count(*) FROM delivery_lane WHERE acknowledged < head")
            ).scalar_one()
        if not waiting:
            return
        assert time.monotonic() < until, f"{waiting} lanes wait"
        time.sleep(0.2)


def versions_of(hub: Hub) -> dict[str, list[int]]:
    found = defaultdict(list)
    with hub.engine.connect() as connection:
        for row in connection.execute(text("SELECT golden_id, version FROM golden_version ORDER BY 1, 2")):
            found[row.golden_id].append(row.version)
    return dict(found)


def first_attempts(attempts: Sequence[Attempt]) -> Mapping[str, list[int]]:
    """Give of each golden record its versions in the order in which they first came."""
    found: dict[str, dict[int, None]] = defaultdict(dict)
    for one in attempts:
        told = json.loads(one.body)["data"]
        found[told["golden_id"]].setdefault(told["version"])
    return {golden: list(order) for golden, order in found.items()}


def names(hub: Hub) -> set[str]:
    with hub.engine.connect() as connection:
        return set(
            connection.execute(
                text(
                    "SELECT v.values ->> 'name' FROM golden_version v JOIN golden_record g ON g.id = v.golden_id"
                    " AND g.version = v.version WHERE g.state = 'active'"
                )
            ).scalars()
        )
