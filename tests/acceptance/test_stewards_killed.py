"""Stewards who merge, split and take back while processes are killed and PostgreSQL crashes: nothing is half done.

After each strike the hub is sound, every golden id that anybody was shown leads somewhere, what was acknowledged is in
effect, and what was not is wholly there or wholly not; asked again under its key it has one effect.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count, product
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from mdm.db import migrate
from mdm.db.embedded import embedded_server
from mdm.db.engine import open_engine
from mdm.db.transaction import transaction
from mdm.failpoints import POINTS
from mdm.hub import Hub
from mdm.publishing.file_target import add_target
from tests.databases import ask, postgres_binaries
from tests.hubs import hub_on
from tests.stewards import Life, Strike, live, populate, require_kept

pytestmark = [pytest.mark.db, pytest.mark.timeout(14_400)]

OF_STEWARDS = frozenset(point for point in POINTS if not point.startswith(("delivery.", "reservation.", "deal.")))
GROUPS = 8
LIFE_S_MAX = 120.0
HITS = (2, 3, 5, 9, 14, 20, 30)
# A fork server has no threads and no connections to inherit, and imports only once.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.stewards"])


@pytest.mark.parametrize("kills_count", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_a_killed_process_leaves_every_request_done_or_not_done(
    fresh_database: str, tmp_path: Path, seed: int, kills_count: int
) -> None:
    rnd = random.Random(seed)
    every = [Strike(point, how, 1) for point, how in product(sorted(OF_STEWARDS), ("kill", "raise", "drop"))]
    waiting = iter(every if kills_count > len(OF_STEWARDS) else ())
    killed = answered = 0
    with opened(fresh_database, tmp_path) as hub:
        for number in count():
            strike = next(waiting, None) or random_strike(rnd)
            child = started(Life(fresh_database, tmp_path, number, seed, GROUPS, 20, strike))
            if strike.point == "":
                time.sleep(rnd.uniform(0.1, 1.0))
                child.kill()
            killed += ended(child) == -signal.SIGKILL
            answered = require_kept(hub, tmp_path)
            if killed >= kills_count:
                break
    report(tmp_path, f"{killed} kills, {answered} requests answered", every)


@pytest.mark.parametrize("crashes_count", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_a_crashed_database_leaves_every_request_done_or_not_done(
    reachable_home: Path, tmp_path: Path, seed: int, crashes_count: int
) -> None:
    rnd = random.Random(seed)
    points = sorted(OF_STEWARDS)
    every = [Strike(point, "crash", 1) for point in points]
    waiting = iter(every if crashes_count > len(OF_STEWARDS) else ())
    crashed = answered = 0
    server = Server(reachable_home)
    try:
        with opened(server.url, tmp_path) as hub:
            for number in count():
                strike = next(waiting, None) or Strike(rnd.choice(points), "crash", rnd.choice(HITS))
                strike = replace(strike, postmaster=server.postmaster)
                child = started(Life(server.url, tmp_path, number, seed, GROUPS, 5, strike))
                crashed += server.restart_when_dead(child)
                assert ended(child) == 0
                hub.engine.dispose()
                answered = require_kept(hub, tmp_path)
                if crashed >= crashes_count:
                    break
    finally:
        server.close()
    report(tmp_path, f"{crashed} crashes, {answered} requests answered", every)


class Server:
    """A PostgreSQL of the test's own with its files safe on disk, started again whenever it has crashed."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._held = ExitStack()
        self.url = ""
        self._start()
        migrate.upgrade(self.url)

    def _start(self) -> None:
        self.url = self._held.enter_context(embedded_server(self._home, bin_folder=postgres_binaries()))
        self.postmaster = int(str(ask(self.url, "SELECT pg_read_file('postmaster.pid')")).split("\n", 1)[0])

    def restart_when_dead(self, child: ForkServerProcess) -> bool:
        """Wait until the server is dead and start it, or until a process has ended; tell whether it was dead."""
        while child.is_alive():
            if self._is_dead():
                self.close()
                self._start()
                return True
            time.sleep(0.005)
        return False

    def _is_dead(self) -> bool:
        try:
            os.kill(
                self.postmaster, 0
            )  # the thread that started it takes note of its end at once, so no zombie answers
        except ProcessLookupError:
            return True
        return False

    def close(self) -> None:
        self._held.close()


@contextmanager
def opened(url: str, folder: Path) -> Iterator[Hub]:
    """Open a hub with its groups of records and a file target."""
    engine = open_engine(url, 2)
    hub = hub_on(engine)
    populate(hub, GROUPS)
    with transaction(engine) as connection:
        add_target(connection, "files", folder / "files", ["widget_hold"], who="test")
    yield hub
    engine.dispose()


def random_strike(rnd: random.Random) -> Strike:
    """Choose a failpoint and a hit of it, or no failpoint: any moment."""
    point = rnd.choice([*sorted(OF_STEWARDS), *[""] * 4])
    return Strike(point, "kill", rnd.choice(HITS))


def started(life: Life) -> ForkServerProcess:
    child = PROCESSES.Process(target=live, args=(life,))
    child.start()
    return child


def ended(child: ForkServerProcess) -> int | None:
    child.join(LIFE_S_MAX)
    assert child.exitcode in {0, -signal.SIGKILL}, "a steward was told something else than a refusal"
    return child.exitcode


def report(folder: Path, said: str, every: list[Strike]) -> None:
    """Say what was struck, and what never was."""
    struck = Counter(line.split(" ", 1)[1] for line in (folder / "struck").read_text().splitlines())
    never = sorted({f"{one.point} {one.how}" for one in every} - struck.keys())
    sys.stdout.write(f"{said}; struck {dict(sorted(struck.items()))}; never {never}\n")
