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
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import product
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
HITS_EARLY = (1, 2, 3, 5, 9)  # a life that ends in a crash is short, so that the next one comes soon
TRIES_MAX = 10  # lives in which a strike may wait for its failpoint in vain
# A fork server has no threads and no connections to inherit, and imports only once.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.stewards"])


@pytest.mark.parametrize("kills_count", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_a_killed_process_leaves_every_request_done_or_not_done(
    fresh_database: str, tmp_path: Path, seed: int, kills_count: int
) -> None:
    rnd = random.Random(seed)
    every = [Strike(point, how, 1) for point, how in product(sorted(OF_STEWARDS), ("kill", "raise", "drop"))]
    wanted = every if kills_count > len(OF_STEWARDS) else []
    killed = answered = 0
    with opened(fresh_database, tmp_path) as hub:
        for number, strike in enumerate(strikes(tmp_path, wanted, lambda: random_strike(rnd))):
            child = started(Life(fresh_database, tmp_path, number, seed, GROUPS, 20, strike))
            if strike.point == "":
                time.sleep(rnd.uniform(0.1, 1.0))
                child.kill()
            killed += ended(child) == -signal.SIGKILL
            answered = require_kept(hub, tmp_path)
            if killed >= kills_count:
                break
    report(tmp_path, f"{killed} kills, {answered} requests answered", wanted)


@pytest.mark.parametrize("crashes_count", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_a_crashed_database_leaves_every_request_done_or_not_done(
    reachable_home: Path, tmp_path: Path, seed: int, crashes_count: int
) -> None:
    rnd = random.Random(seed)
    points = sorted(OF_STEWARDS)
    every = [Strike(point, "crash", 1) for point in points]
    wanted = every if crashes_count > len(OF_STEWARDS) else []
    crashed = answered = 0
    server = Server(reachable_home)
    try:
        with opened(server.url, tmp_path) as hub:
            anything = strikes(tmp_path, wanted, lambda: Strike(rnd.choice(points), "crash", rnd.choice(HITS_EARLY)))
            for number, strike in enumerate(anything):
                armed = replace(strike, postmaster=server.postmaster)
                child = started(Life(server.url, tmp_path, number, seed, GROUPS, 5, armed))
                crashed += server.restart_when_dead(child, partial(is_struck, tmp_path, number))
                assert ended(child) == 0
                hub.engine.dispose()
                answered = require_kept(hub, tmp_path)
                if crashed >= crashes_count:
                    break
    finally:
        server.close()
    report(tmp_path, f"{crashed} crashes, {answered} requests answered", wanted)


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

    def restart_when_dead(self, child: ForkServerProcess, is_struck: Callable[[], bool]) -> bool:
        """Wait until the server is dead and start it, or until a process has ended; tell whether it was dead.

        A process whose last act struck the server ends before that is dead.
        """
        while child.is_alive() or is_struck():
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


def strikes(folder: Path, wanted: Sequence[Strike], otherwise: Callable[[], Strike]) -> Iterator[Strike]:
    """Yield each wanted strike until it has struck, and other ones for ever."""
    for _ in range(TRIES_MAX):
        for strike in wanted:
            if f"{strike.point} {strike.how}" not in struck(folder):
                yield strike
    while True:
        yield otherwise()


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


def is_struck(folder: Path, number: int) -> bool:
    """Tell whether a life has struck."""
    noted = folder / "struck"
    return noted.exists() and any(line.startswith(f"{number} ") for line in noted.read_text().splitlines())


def struck(folder: Path) -> Counter[str]:
    """Count what was struck so far, and how."""
    noted = folder / "struck"
    return Counter(line.split(" ", 1)[1] for line in noted.read_text().splitlines()) if noted.exists() else Counter()


def report(folder: Path, said: str, wanted: Sequence[Strike]) -> None:
    """Say what was struck, and require that it was all that was wanted."""
    found = struck(folder)
    sys.stdout.write(f"{said}; struck {dict(sorted(found.items()))}\n")
    assert sorted({f"{one.point} {one.how}" for one in wanted} - found.keys()) == [], "never struck"
