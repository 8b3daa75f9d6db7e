"""Run two acts step by step, in every order of their steps, and ask whether some serial order explains the outcome.

Like PostgreSQL's isolationtester: each act runs in a thread on a connection of its own and stops at named failpoints.
The stepper lets one act go on at a time; one that waits for a lock is seen by `pg_blocking_pids` and left waiting until
another lets it go. An act that is repeated after a deadlock stops no second time for steps it has taken.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

import psycopg
from sqlalchemy import Engine, event

from mdm.db.engine import conninfo, open_engine
from mdm.errors import Refused
from mdm.failpoints import armed
from mdm.hub import Hub

STEP_S_MAX = 20.0  # a step that takes longer is stuck, and the test says so
LOOK_S = 0.002  # chosen: a step takes a few milliseconds

Act = Callable[[Hub], object]
State = Literal["ready", "running", "stopped", "done"]


@dataclass
class Session:
    """One act on its way: the points where it still has to stop, and what it came to."""

    act: Act
    engine: Engine
    stops: Counter[str]
    state: State = "ready"
    outcome: str = ""
    failure: BaseException | None = None
    pids: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Run:
    """What one order of steps came to.

    outcomes  of each act: "done", or the name of the refusal
    waits     how often an act had to wait for the other's lock
    """

    order: str
    outcomes: tuple[str, ...]
    waits: int


class Stepper:
    """Two sessions or more on one database; `run` takes their acts through one order of steps."""

    def __init__(self, hub: Hub, url: str, sessions_count: int = 2) -> None:
        """Open an engine of one connection for each session, and one to look at who waits."""
        self._hub = hub
        self._engines = [open_engine(url, 1) for _ in range(sessions_count)]
        self._watch = psycopg.connect(conninfo(url), autocommit=True)
        self._door = threading.Condition()
        self._sessions: list[Session] = []
        self._by_thread: dict[int, Session] = {}
        self._is_free = False

    def close(self) -> None:
        """Close all connections."""
        self._watch.close()
        for engine in self._engines:
            engine.dispose()

    def run(self, acts: Sequence[Act], points: Sequence[str], order: str) -> Run:
        """Take acts through an order such as "ABBA": at each letter that act goes on to its next stop or to its end.

        points  where each act stops, once each; the first letter of an act starts it
        """
        self._sessions = [
            Session(act, engine, Counter(points)) for act, engine in zip(acts, self._engines, strict=True)
        ]
        self._is_free, waits = False, 0
        threads = [threading.Thread(target=self._carry, args=(session,)) for session in self._sessions]
        with self._listening(), armed({point: self._stop_at(point) for point in set(points)}):
            for letter in order:
                session = self._sessions[ord(letter) - ord("A")]
                if session.state == "ready":
                    session.state = "running"
                    threads[ord(letter) - ord("A")].start()
                elif session.state == "stopped":
                    self._let_go(session)
                waits += self._settle()
            self._release()
            for thread in threads:
                thread.join(STEP_S_MAX)
                assert not thread.is_alive(), f"an act hangs after the order {order}"
        for session in self._sessions:
            if session.failure is not None:
                raise session.failure
        return Run(order, tuple(session.outcome for session in self._sessions), waits)

    def _carry(self, session: Session) -> None:
        self._by_thread[threading.get_ident()] = session
        try:
            session.act(replace(self._hub, engine=session.engine))
            session.outcome = "done"
        except Refused as refusal:
            session.outcome = type(refusal).__name__
        except BaseException as failure:  # noqa: BLE001 -- raised again by the thread that asked
            session.failure = failure
        finally:
            with self._door:
                session.state = "done"
                self._door.notify_all()

    def _stop_at(self, point: str) -> Callable[[], None]:
        def stop() -> None:
            session = self._by_thread.get(threading.get_ident())
            with self._door:
                if session is None or self._is_free or not session.stops[point]:
                    return
                session.stops[point] -= 1
                session.state = "stopped"
                self._door.notify_all()
                assert self._door.wait_for(lambda: session.state == "running", timeout=STEP_S_MAX), "nobody went on"

        return stop

    def _let_go(self, session: Session) -> None:
        with self._door:
            session.state = "running"
            self._door.notify_all()

    def _release(self) -> None:
        with self._door:
            self._is_free = True
            for session in self._sessions:
                assert session.state != "ready", "the order starts every act"
                if session.state == "stopped":
                    session.state = "running"
            self._door.notify_all()

    def _settle(self) -> int:
        """Wait until every act has stopped, ended, or waits for one that has stopped; count those that wait."""
        deadline = time.monotonic() + STEP_S_MAX
        while True:
            with self._door:
                self._door.wait_for(lambda: not self._running(), timeout=LOOK_S)
                running = self._running()
            if not running:
                return 0
            # All that run wait, and for one that will not go on by itself: two who wait for each other are set free.
            waiting = [session for session in running if self._blockers(session) & self._standing()]
            if len(waiting) == len(running) == len(self._running()):
                return len(waiting)
            assert time.monotonic() < deadline, f"a step takes too long: {self._sessions}"

    def _running(self) -> list[Session]:
        return [session for session in self._sessions if session.state == "running"]

    def _standing(self) -> set[int]:
        return set().union(*(session.pids for session in self._sessions if session.state == "stopped"))

    def _blockers(self, session: Session) -> set[int]:
        rows = self._watch.execute(
            "SELECT unnest(pg_blocking_pids(pid)) FROM unnest(%s::int[]) AS pid", [[*session.pids]]
        )
        return {pid for (pid,) in rows}

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Note the backend of each session."""
        removals = []
        for session in self._sessions:

            def note(connection: Any, *_: object, session: Session = session) -> None:
                session.pids.add(connection.info.backend_pid)

            event.listen(session.engine, "checkout", note)
            removals.append((session.engine, note))
        try:
            yield
        finally:
            for engine, note in removals:
                event.remove(engine, "checkout", note)


def orders(first_count: int, second_count: int) -> Iterator[str]:
    """Give every order of two acts with these numbers of steps, as texts of A and B."""
    length = first_count + second_count
    for places in combinations(range(length), first_count):
        yield "".join("A" if place in places else "B" for place in range(length))


@dataclass(frozen=True, slots=True)
class Scenario:
    """Two acts that meet, and the world they meet in, made anew for each order.

    set_up  makes the world under a name of its own, and gives the two acts
    look    tells what a world has come to, in words free of its name and of ids minted meanwhile
    """

    name: str
    points: tuple[str, ...]
    set_up: Callable[[Hub, str], tuple[Act, Act]]
    look: Callable[[Hub, str], Mapping[str, object]]


def interleave(hub: Hub, url: str, scenario: Scenario) -> list[Run]:
    """Take a scenario through every order of its steps; each must come to what some serial order comes to.

    Where an act was refused, what the other comes to alone is right too: the refusal told its caller to ask again.
    """
    stepper = Stepper(hub, url)
    try:
        right = _serial_outcomes(hub, scenario)
        runs = []
        steps = len(scenario.points) + 1
        for number, order in enumerate(orders(steps, steps)):
            world = f"{scenario.name}n{number}"
            run = stepper.run(scenario.set_up(hub, world), scenario.points, order)
            found = scenario.look(hub, world)
            expected = [state for outcomes, state in right if _explains(outcomes, run.outcomes)]
            assert found in expected, f"{scenario.name}, order {order}: {run.outcomes}\n{found}\nis none of {right}"
            runs.append(run)
        return runs
    finally:
        stepper.close()


def _explains(serial: tuple[str | None, ...], found: tuple[str, ...]) -> bool:
    """Tell whether a serial order may explain outcomes; None there is an act that was left out, and refused here."""
    return all(theirs != "done" if mine is None else theirs == mine for mine, theirs in zip(serial, found, strict=True))


def _serial_outcomes(hub: Hub, scenario: Scenario) -> list[tuple[tuple[str | None, ...], Mapping[str, object]]]:
    """Run the acts one after the other, both ways, and each alone."""
    found: list[tuple[tuple[str | None, ...], Mapping[str, object]]] = []
    for turns in ((0, 1), (1, 0), (0,), (1,)):
        world = f"{scenario.name}s{''.join(map(str, turns))}"
        acts = scenario.set_up(hub, world)
        outcomes: list[str | None] = [None, None]
        for turn in turns:
            try:
                acts[turn](hub)
                outcomes[turn] = "done"
            except Refused as refusal:
                outcomes[turn] = type(refusal).__name__
        found.append((tuple(outcomes), scenario.look(hub, world)))
    return found
