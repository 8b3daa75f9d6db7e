"""Many callers who are about to create one new client at once, with crashes: it is created once."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from mdm.db.engine import open_engine
from mdm.demo.fakes.erp import ERP as ERP_OF_VENDORS
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.wire import running
from mdm.hub import Hub
from tests.hubs import assert_sound, golden_by_key, hub_on, register_instances
from tests.reservers import ERP, Erp, rush

pytestmark = pytest.mark.db

PASSED_OFTEN = ("ingest.stored", "transaction.committing", "transaction.committed")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def erp() -> Iterator[Erp]:
    with running(Fake(ERP_OF_VENDORS)) as fake:
        yield Erp(fake.url)


def test_of_callers_who_crash_and_repeat_one_creates_the_client(firm: Hub, erp: Erp, seed: int) -> None:
    told = rush(firm, erp, range(12), seed=seed, crash_share=0.15)

    assert_created_once(firm, erp)
    assert len(set(told.keys.values())) == 1
    assert len(told.golden_ids) == 1
    assert told.repeats > 0  # crashes there were


@pytest.mark.timeout(600)
def test_of_two_hundred_callers_in_processes_that_are_killed_one_creates_the_client(
    fresh_database: str, erp: Erp, seed: int
) -> None:
    rnd = random.Random(seed)
    with closing_pool(fresh_database) as hub:
        register_instances(hub, "salesforce-emea", ERP, "d365-de")
        killed = 0
        waiting = dict.fromkeys(range(0, 200, 50), 0)
        while waiting:
            children = {first: start(fresh_database, erp, first, rnd, lives) for first, lives in waiting.items()}
            for first, child in children.items():
                said, _ = child.communicate()
                assert child.returncode in {0, -signal.SIGKILL}, said[-2000:]
                killed += child.returncode != 0
                if child.returncode == 0:
                    del waiting[first]
                else:
                    waiting[first] += 1
        told = rush(hub, erp, range(200, 230), seed=seed, crash_share=0.1)  # those who come last meet what is there

        assert killed >= 8
        assert_created_once(hub, erp)
        assert len(told.golden_ids) == 1


@contextmanager
def closing_pool(url: str) -> Iterator[Hub]:
    engine = open_engine(url, 4)
    try:
        yield hub_on(engine)
    finally:
        engine.dispose()


def start(url: str, erp: Erp, first: int, rnd: random.Random, lives: int) -> "subprocess.Popen[str]":
    """Start 50 callers; the first three lives of their process end at a random point."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MDM_")}
    if lives < 3:
        environment["MDM_TEST_FAILPOINTS"] = f"{rnd.choice(PASSED_OFTEN)}=kill:{rnd.randint(1, 3)}"
    return subprocess.Popen(
        [sys.executable, "-m", "tests.reservers", url, erp.url, str(first), "50"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_created_once(hub: Hub, erp: Erp) -> None:
    """One golden record, one reservation, one billing entity, whose key is the one that all were told."""
    standing = golden_by_key(hub)
    assert len(set(standing.values())) == 1
    with hub.engine.connect() as connection:
        ((reservation_id, state, source_key),) = connection.execute(
            text("SELECT id, state, source_key FROM reservation")
        ).all()
        goldens = connection.execute(text("SELECT count(*) FROM golden_record WHERE state = 'active'")).scalar_one()
    ((external_id, native_id),) = erp.entities().items()
    assert (external_id, state, source_key) == (reservation_id, "confirmed", f"{ERP}/customer:{native_id}")
    assert goldens == 1
    assert_sound(hub)


def test_the_count_would_see_a_second_billing_entity(erp: Erp) -> None:
    assert erp.create("rsv_1") == erp.create("rsv_1") != erp.create("rsv_2")

    assert sorted(erp.entities()) == ["rsv_1", "rsv_2"]
