"""Kill -9 at random moments of a load: nothing is ever half done, and the finished load is like an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine

from mdm.db import migrate
from mdm.db.embedded import embedded_server
from mdm.db.engine import open_engine
from mdm.demo.service import load_demo
from mdm.failpoints import POINTS
from mdm.hub import Hub
from tests.databases import cloned_database
from tests.firms import Standing, differences, standing_of
from tests.hubs import assert_sound, hub_on

SCALE = 0.04  # about 160 records, six seconds of one core with the start of the process
LOAD_S_MAX = 120
OF_LOADS = frozenset(
    point for point in POINTS if not point.startswith(("operation.", "decision.", "delivery.", "reservation.", "deal."))
)
LOAD = (sys.executable, "-c", "from mdm.cli.main import app; app()", "demo", "--no-serve", "--scale", str(SCALE))


@dataclass
class World:
    """A home and a database, in which a child process loads the demo firm until somebody kills it.

    url  a server that outlives the child; None lets the child own an embedded one, which dies with it
    """

    home: Path
    url: str | None
    killed_at: Counter[str] = field(default_factory=Counter)

    def load(self, failpoints: str = "", *, seconds: float | None = None) -> bool:
        """Load in a child that a failpoint, or this process after some seconds, may kill; tell whether it finished."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MDM_")}
        environment |= {"MDM_HOME": str(self.home), "MDM_FAILPOINTS": failpoints, "MDM_LOG_LEVEL": "error"}
        if self.url is not None:
            environment["MDM_DATABASE_URL"] = self.url
        child = subprocess.Popen(LOAD, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            said, _ = child.communicate(timeout=LOAD_S_MAX if seconds is None else seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            said, _ = child.communicate()
        assert child.returncode in {0, -signal.SIGKILL}, said
        return child.returncode == 0

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        """Open what the child left behind."""
        with ExitStack() as opened:
            # The child finds its server programs as users' processes do; the files are theirs.
            url = self.url or opened.enter_context(embedded_server(self.home))
            migrate.upgrade(url)  # a kill may come before there is a schema, or in the middle of it
            engine = open_engine(url, 2)
            opened.callback(engine.dispose)
            yield hub_on(engine, home=self.home)


@pytest.fixture
def undisturbed(engine: Engine, tmp_path: Path) -> Standing:
    """What a load comes to when nobody kills it."""
    hub = hub_on(engine, home=tmp_path)
    load_demo(hub, scale=SCALE)
    return standing_of(hub)


@pytest.fixture
def worlds(template_url: str, reachable_home: Path) -> Iterator[Iterator[World]]:
    """Give worlds without end, every other one with a server that dies with its child."""

    def made(opened: ExitStack) -> Iterator[World]:
        number = 0
        while True:
            number += 2
            yield World(reachable_home / str(number), opened.enter_context(cloned_database(template_url)))
            yield World(reachable_home / str(number + 1), None)

    with ExitStack() as opened:
        yield made(opened)


@pytest.mark.timeout(7_200)
@pytest.mark.parametrize("kills_count", [5, pytest.param(200, marks=pytest.mark.soak)])
def test_a_load_that_is_killed_again_and_again_ends_like_an_undisturbed_one(
    worlds: Iterator[World], undisturbed: Standing, seed: int, kills_count: int
) -> None:
    rnd = random.Random(seed)
    killed_at: Counter[str] = Counter()
    alive = [next(worlds), next(worlds)]

    while killed_at.total() < kills_count:
        place = killed_at.total() % len(alive)
        world = alive[place]
        point = rnd.choice([*sorted(OF_LOADS), *["any moment"] * 3])
        if point == "any moment":
            is_finished = world.load(seconds=rnd.uniform(0.5, 6.0))
        else:
            is_finished = world.load(f"{point}=kill:{rnd.choice([1, 1, 2, 3, 5, 8])}")
        if is_finished:
            require_equal(world, undisturbed)
            alive[place] = next(worlds if world.url else after_next(worlds))
        else:
            killed_at[point] += 1
            require_sound(world)

    never = OF_LOADS - killed_at.keys()
    sys.stdout.write(f"killed at {dict(killed_at)}, never at {sorted(never)}\n")
    assert kills_count < 10 * len(OF_LOADS) or not never
    for world in alive:
        assert world.load()
        require_equal(world, undisturbed)


def after_next(worlds: Iterator[World]) -> Iterator[World]:
    """Pass over one world, so that the kind stays the same."""
    next(worlds)
    return worlds


def require_sound(world: World) -> None:
    """Ask for every invariant, as an operator would after a crash."""
    with world.hub() as hub:
        assert_sound(hub)


def require_equal(world: World, undisturbed: Standing) -> None:
    with world.hub() as hub:
        assert_sound(hub)
        assert not differences(undisturbed, standing_of(hub))
