"""Writers who meet: between search and insert they are made to wait for each other, and nothing may come apart."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.db.engine import open_engine
from mdm.decisions.model import Verdict
from mdm.demo.firm import build_firm, sample
from mdm.failpoints import armed
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship.service import decide, revoke
from tests.databases import cloned_database
from tests.firms import deliveries_of, differences, register_systems, standing_of
from tests.hubs import assert_sound, declared, delivery, golden_by_key, hub_on, partition_of, register_instances

WRITERS = 8
MEETING_S_MAX = 0.02  # long enough that another writer gets to the same point, short enough for hundreds of them


class Meeting:
    """A barrier for whoever is around: wait until another thread comes by, but not for long."""

    def __init__(self) -> None:
        self._door = threading.Condition()
        self._came = 0
        self.met = 0

    def __call__(self) -> None:
        with self._door:
            self._came += 1
            mine = self._came
            self._door.notify_all()
            self.met += self._door.wait_for(lambda: self._came > mine, timeout=MEETING_S_MAX)


@contextmanager
def meeting(*points: str) -> Iterator[Meeting]:
    """Let threads wait for each other at these points."""
    meeting = Meeting()
    with armed(dict.fromkeys(points, meeting)):
        yield meeting


def together(works: Sequence[Callable[[], None]]) -> None:
    """Run works at the same time; the first error of any of them is raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for running in [pool.submit(work) for work in works]:
            running.result()


def in_batches(deliveries: Sequence[Delivery], rnd: random.Random) -> Iterator[list[Delivery]]:
    """Cut into batches of random sizes, as calls of different systems are."""
    rest = iter(deliveries)
    while batch := list(islice(rest, rnd.choice([1, 2, 5, 10, 40]))):
        yield batch


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize(
    ("records_count", "identities_count", "chunk_records"),
    [(250, 200, 20), pytest.param(10_000, 1_000, 5, marks=pytest.mark.soak)],
)
@pytest.mark.parametrize("policy", ["merge", "hold"])
def test_no_identity_is_split_when_writers_meet(
    fresh_engine: Engine, seed: int, records_count: int, identities_count: int, chunk_records: int, policy: str
) -> None:
    """Each record has one code of its identity, and a name that it shares with the next one: writers meet at both.

    Golden records of eighty members keep a chunk for a second; small ones let more than one writer in at a time.
    """
    hub = hub_on(fresh_engine, chunk_records=chunk_records)
    register_instances(hub, *(f"crm-{writer}" for writer in range(WRITERS)))

    def write(writer: int) -> None:
        rnd = random.Random(seed * WRITERS + writer)
        news = []
        for number in range(records_count):
            identity = rnd.randrange(identities_count)
            key = f"crm-{writer}/Account:{identity}.{number}"
            news.append(
                delivery(key, f"widget_{policy}", at=1, codes=[f"id{identity:05d}"], name=f"name {identity // 2}")
            )
        again = [delivery(str(one.key), one.entity_type, at=2, **{**one.fields, "note": "x"}) for one in news[::5]]
        for batch in in_batches([*news, *again], rnd):
            outcomes = deliver(hub, batch, who=f"writer {writer}")
            assert {outcome.status for outcome in outcomes} <= {"created", "updated"}

    with meeting("compare.searched") as met:
        together([partial(write, writer) for writer in range(WRITERS)])

    golden_by_identity: dict[str, set[str]] = {}
    for key, golden_id in golden_by_key(hub).items():
        golden_by_identity.setdefault(identity_of(key), set()).add(golden_id)
    assert met.met > 0
    assert {len(ids) for ids in golden_by_identity.values()} == {1}
    assert len(partition_of(hub)) == len(golden_by_identity)
    assert_sound(hub)


def identity_of(key: str) -> str:
    """Read the true identity from a source key."""
    return key.partition(":")[2].partition(".")[0]


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("records_count", [120, pytest.param(1_000, marks=pytest.mark.soak)])
def test_writers_who_all_deliver_the_same_firm_come_to_what_one_comes_to(
    fresh_engine: Engine, engine_alone: Engine, seed: int, records_count: int
) -> None:
    """Four writers send every record, each in another order: parents race with children, merges with both, a steward
    decides and takes it back all the while. What is left must be what one writer alone comes to.
    """
    firm = sample(build_firm(), records_count, seed=seed)
    deliveries = deliveries_of(firm.records)
    merging = {name: replace(one, policy="merge") for name, one in declared().items()}
    hub = replace(hub_on(fresh_engine), declared=merging)
    register_systems(hub, firm)
    writing = threading.Event()

    def write(writer: int) -> None:
        rnd = random.Random(seed * WRITERS + writer)
        for batch in in_batches(rnd.sample(deliveries, len(deliveries)), rnd):
            deliver(hub, batch, who=f"writer {writer}")

    def ponder() -> None:
        rnd = random.Random(seed)
        while writing.is_set():
            decide_and_revoke(hub, rnd)

    writing.set()
    with ThreadPoolExecutor(1) as steward, meeting("compare.searched", "merge.locked") as met:
        pondering = steward.submit(ponder)
        try:
            together([partial(write, writer) for writer in range(4)])
        finally:
            writing.clear()
        pondering.result()

    assert met.met > 0
    assert_sound(hub)
    hub_alone = replace(hub, engine=engine_alone)
    register_systems(hub_alone, firm)
    deliver(hub_alone, deliveries, who="test")
    assert not differences(standing_of(hub_alone), standing_of(hub))


def decide_and_revoke(hub: Hub, rnd: random.Random) -> None:
    """Part a golden record or join two of one type, then take it back."""
    golden_by = golden_by_key(hub)
    if len(golden_by) < 2:
        return
    left = rnd.choice(sorted(golden_by))
    prefix = golden_by[left].partition("_")[0]
    alike = [key for key in sorted(golden_by) if golden_by[key].startswith(prefix) and key != left]
    if not alike:
        return
    right = rnd.choice([key for key in alike if golden_by[key] == golden_by[left]] or alike)
    verdict = Verdict("different" if golden_by[left] == golden_by[right] else "same", "to see what happens")
    made = decide(hub, SourceKey.parse(left), SourceKey.parse(right), verdict, who="steward")
    revoke(hub, made.id, who="steward")


def test_a_reference_follows_what_moved_while_its_record_was_on_its_way(fresh_engine: Engine) -> None:
    """A project is stored with the id of its manager at the moment when that manager is merged into another.

    The one who merges cannot see the project yet, so it is for the project's writer to hold the manager.
    """
    hub = hub_on(fresh_engine)
    register_instances(hub, "kantata-emea", "d365-emea")
    send(hub, "kantata-emea/users:1", "resource", at=1, full_name="Ada King", email="ada.king@firm.example")
    send(hub, "d365-emea/worker:2", "resource", at=1, full_name="Ada King", email="a.king@firm.example")
    older, younger = sorted(golden_by_key(hub).values())
    project_stored, merging = threading.Event(), threading.Event()

    def deliver_project() -> None:
        send(hub, "d365-emea/project:9", "project", at=1, name="Harbour survey", code="HS-9", manager="2")

    def merge_leads() -> None:
        project_stored.wait(timeout=5)
        merging.set()
        send(hub, "kantata-emea/users:1", "resource", at=2, full_name="Ada King", email="a.king@firm.example")

    def pause() -> None:
        """Stop the project's writer after its values are stored, for as long as the merge may take."""
        if not project_stored.is_set():
            project_stored.set()
            merging.wait(timeout=5)
            time.sleep(0.3)

    with armed({"survive.stored": pause}):
        together([deliver_project, merge_leads])

    golden_by = golden_by_key(hub)
    assert golden_by["d365-emea/worker:2"] == golden_by["kantata-emea/users:1"] == older != younger
    assert lead_of(hub, golden_by["d365-emea/project:9"]) == older
    assert_sound(hub)


def send(hub: Hub, key: str, entity_type: str, *, at: int, **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(key, entity_type, at=at, **fields)], who="test")
    assert outcome.status in {"created", "updated"}, outcome


def lead_of(hub: Hub, golden_id: str) -> str:
    """Read which manager a golden project shows."""
    query = text("SELECT values ->> 'manager' FROM golden_version WHERE golden_id = :id AND recorded_to IS NULL")
    with hub.engine.connect() as connection:
        return str(connection.execute(query, {"id": golden_id}).scalar_one())


def test_a_customer_with_more_children_than_a_transaction_has_locks_is_merged(fresh_engine: Engine) -> None:
    """Sixty projects stand under some hundreds of blocking keys; their customer's lock covers them all."""
    hub = hub_on(fresh_engine, locks_max=50)
    register_instances(hub, "crm-east", "crm-west")
    client = {"legal_name": "Harbour Survey Ltd", "tax_ids": "GB 980 7806 84"}
    send(hub, "crm-east/Account:1", "customer", at=1, **client)
    send(hub, "crm-west/Account:2", "customer", at=1, legal_name="Quite Another Ltd")
    projects = [
        delivery(f"crm-west/project:{number}", "project", at=1, name=f"Survey of pier {number}", customer="2")
        for number in range(60)
    ]
    deliver(hub, projects, who="test")

    send(hub, "crm-west/Account:2", "customer", at=2, **client)

    golden_by = golden_by_key(hub)
    assert golden_by["crm-west/Account:2"] == golden_by["crm-east/Account:1"]
    assert_sound(hub)


@pytest.fixture
def fresh_engine(fresh_database: str) -> Iterator[Engine]:
    engine = open_engine(fresh_database, 2 * WRITERS)
    yield engine
    engine.dispose()


@pytest.fixture
def engine_alone(template_url: str) -> Iterator[Engine]:
    with cloned_database(template_url) as url:
        engine = open_engine(url, 2)
        yield engine
        engine.dispose()
