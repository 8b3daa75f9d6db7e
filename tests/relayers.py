"""Processes that run the relays of a hub until they are killed, and a crew of them that is killed one by one.

Each process stands still for a moment at random at the points of a delivery, so that several meet; the pauses are far
shorter than a lease, so that a lease that runs out tells of a death.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from typing import Final

from mdm.db.engine import open_engine
from mdm.delivery.relays import keep_relays
from mdm.failpoints import arm_from_text, armed
from mdm.hub import Hub
from mdm.settings import Settings
from tests.hubs import declared

POINTS: Final = ("delivery.leased", "delivery.intended", "delivery.sent", "delivery.bound", "delivery.settled")
PAUSES: Final = 0.1  # share of the passages of a point at which a process stands still (chosen)
PAUSE_S_MAX: Final = 0.2
# A fork server has no threads and no connections to inherit, and imports only once.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.relayers"])


@dataclass(frozen=True)
class Relaying:
    """Where the relays work, and at which failpoint, at which hit, the process kills itself; "" for none.

    secrets  what the environment holds of the targets' secrets: a fork server has that of the day it was started
    seed     of the pauses
    """

    url: str
    lease_s: float
    secrets: Mapping[str, str]
    point: str = ""
    hit: int = 1
    seed: int = 0


def relay_for_ever(one: Relaying) -> None:
    """Run the relays; ends by a signal only."""
    os.environ.update(one.secrets)
    settings = Settings(delivery_lease_s=one.lease_s, outgoing_networks="127.0.0.0/8")
    engine = open_engine(one.url, 8)
    with armed(pauses(one)):
        if one.point:
            arm_from_text(f"{one.point}=kill:{one.hit}")
        keep_relays(Hub(engine, declared(), settings), threading.Event())


def pauses(one: Relaying) -> Mapping[str, Callable[[], None]]:
    """Give what a process does at the points of a delivery: now and then, nothing for a while."""
    rnd = random.Random(one.seed)

    def pause() -> None:
        if rnd.random() < PAUSES:
            time.sleep(rnd.uniform(0, PAUSE_S_MAX))

    return dict.fromkeys(POINTS, pause)


class Crew:
    """Processes that relay; one that was killed is replaced by another.

    kills_max  how many die at most: who comes after that many deaths lives on
    """

    def __init__(self, url: str, count: int, rnd: random.Random, *, lease_s: float, kills_max: int) -> None:
        self._url = url
        self._rnd = rnd
        self._lease_s = lease_s
        self._kills_max = kills_max
        self.kills = 0
        self.running = [self._start(count) for _ in range(count)]

    @property
    def is_done(self) -> bool:
        """Tell whether all have died that shall."""
        return self.kills >= self._kills_max

    def _start(self, alive: int) -> ForkServerProcess:
        # Whoever is armed may die at any time: never more are than may yet be killed.
        may_die = self.kills + alive <= self._kills_max
        point = self._rnd.choice([*POINTS, "", ""]) if may_die else ""
        secrets = {name: value for name, value in os.environ.items() if name.startswith("MDM_SECRET_")}
        hit, seed = self._rnd.randint(1, 6), self._rnd.randrange(1 << 32)
        child = PROCESSES.Process(
            target=relay_for_ever, args=(Relaying(self._url, self._lease_s, secrets, point, hit, seed),)
        )
        child.start()
        return child

    def kill_one(self) -> None:
        """Count those who killed themselves, or kill one, and put others in their place."""
        if not self.replace_dead() and not self.is_done:
            unlucky = self._rnd.choice(self.running)
            assert unlucky.pid is not None
            os.kill(unlucky.pid, signal.SIGKILL)
            unlucky.join()
            self.replace_dead()

    def replace_dead(self) -> int:
        """Put others in the place of those who died; return how many."""
        dead = [one for one in self.running if not one.is_alive()]
        for one in dead:
            one.join()
            assert one.exitcode == -signal.SIGKILL, f"a relay ended by itself: {one.exitcode}"
            self.kills += 1
            self.running[self.running.index(one)] = self._start(len(self.running))
        return len(dead)


@contextmanager
def crew(url: str, count: int, rnd: random.Random, *, lease_s: float, kills_max: int) -> Iterator[Crew]:
    """Run relays for the length of a `with` block."""
    one = Crew(url, count, rnd, lease_s=lease_s, kills_max=kills_max)
    try:
        yield one
    finally:
        for child in one.running:
            child.kill()
            child.join()
