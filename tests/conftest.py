"""What every test may ask for: a real database, a fixed seed, a home that PostgreSQL can reach.

database_url    this worker's database; the rows a test wrote are deleted after it
engine          a pool on it
connection      one connection on it, rolled back
fresh_database  a database of its own, for tests of concurrency, crashes and migrations
"""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from sqlalchemy import Connection, Engine

from mdm.db.engine import open_engine
from tests.databases import Sweeper, cloned_database, postgres_binaries, reachable_folder, template_database
from tests.oldest import StoreCalls, mark_for_oldest

SEED = int(os.environ.get("MDM_TEST_SEED", "20261101"))  # `make soak` draws one and prints it
POOL_SIZE = 16  # enough for the eight writers of a race and those who watch them

# Hypothesis tries constants that it finds in the modules loaded by then, so that the same test met other examples in
# another order of tests: a fixed seed has to mean the same examples everywhere.
providers._get_local_constants = Constants
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=2_000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("MDM_TEST_PROFILE", "ci"))

# Set for the run on the oldest PostgreSQL.
STORE_CALLS = StoreCalls() if "MDM_TEST_STORE_CALLS" in os.environ else None

HELD = pytest.StashKey[ExitStack]()
TEMPLATE = pytest.StashKey[str]()


def pytest_report_header() -> str:
    return f"seed: {SEED} (MDM_TEST_SEED), PostgreSQL: {postgres_binaries() or 'embedded'}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for test in items:
        if {"template_url", "reachable_home"} & set(getattr(test, "fixturenames", ())):
            test.add_marker(pytest.mark.db)
    mark_for_oldest(items)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start the server in the controller of pytest-xdist, which outlives all workers."""
    node.workerinput["template"] = _template(node.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist saw being called."""
    if STORE_CALLS is not None:
        STORE_CALLS.called.update(getattr(node, "workeroutput", {}).get("store_calls", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a whole run on the oldest PostgreSQL that left the SQL of a store out."""
    if STORE_CALLS is None:
        return
    if hasattr(session.config, "workerinput"):
        session.config.workeroutput["store_calls"] = sorted(STORE_CALLS.called)  # type: ignore[attr-defined]
        return
    calls = f"{len(STORE_CALLS.called)} of {len(STORE_CALLS.known)} functions of the stores"
    sys.stdout.write(f"\nCalled on this PostgreSQL: {calls}.\n")
    sys.stdout.write("".join(f"No test chosen by tests/oldest.py calls {name}.\n" for name in STORE_CALLS.missed))
    if STORE_CALLS.missed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    if held := config.stash.get(HELD, None):
        held.close()


def _template(config: pytest.Config) -> str:
    """Start the server when it is first needed; in a worker, take the controller's."""
    if worker := getattr(config, "workerinput", None):
        return str(worker["template"])
    if TEMPLATE not in config.stash:
        config.stash[HELD] = ExitStack()
        config.stash[TEMPLATE] = config.stash[HELD].enter_context(template_database())
    return config.stash[TEMPLATE]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    random.seed(SEED)


@pytest.fixture
def seed() -> int:
    """Give the seed of this run, for generators of one's own."""
    return SEED


@pytest.fixture(scope="session")
def template_url(pytestconfig: pytest.Config) -> str:
    """Give the database to clone; connecting to it would block everybody's clones."""
    return _template(pytestconfig)


@pytest.fixture(scope="session")
def worker_database(template_url: str) -> Iterator[tuple[str, Sweeper]]:
    with cloned_database(template_url) as url:
        sweeper = Sweeper(url)
        yield url, sweeper
        sweeper.close()


@pytest.fixture(scope="session")
def worker_engine(worker_database: tuple[str, Sweeper]) -> Iterator[Engine]:
    engine = open_engine(worker_database[0], POOL_SIZE)
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(worker_database: tuple[str, Sweeper]) -> Iterator[str]:
    """Give this worker's database."""
    url, sweeper = worker_database
    yield url
    sweeper.sweep()


@pytest.fixture
def engine(database_url: str, worker_engine: Engine) -> Engine:
    """Give a pool on this worker's database; what is committed is deleted after the test."""
    return worker_engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Give one connection whose work is rolled back."""
    with engine.connect() as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def fresh_database(template_url: str) -> Iterator[str]:
    """Give a database of the test's own, dropped after it."""
    with cloned_database(template_url) as url:
        yield url


@pytest.fixture
def reachable_home() -> Iterator[Path]:
    """Give a home for an embedded server of the test's own."""
    with reachable_folder() as folder:
        yield folder
