"""Merges and unmerges a second of one writer on many golden records of full history, and look-ups meanwhile.

`--golden` says how many golden records, two source records each; `--beside` lets GoldenMatch and nomenklatura take
turns in the same run, in environments made as `peers/compare.py` makes them. On a machine that others use, only
processor time and the ratios are to be trusted. Merges and unmerges are committed with decisions, memberships, golden
versions, events and messages: one by one, each a transaction of its own, and in chunks of forty pairs, as a weekend's
merges go. GoldenMatch's merge keeps no history of values and has no undo;
nomenklatura keeps judgements only.
"""

import argparse
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from bench_look_up import server_us
from fill import SOURCES, fill, settled, settles
from harness import Line, cpu_s, hub_home, serving, show
from peers.environments import OTHERS, PLACE, python_of
from sqlalchemy import text

from mdm.db.provide import hub_database
from mdm.db.transaction import run
from mdm.hub import Hub, open_hub
from mdm.ids import EventId, GoldenId
from mdm.jobs.check import check
from mdm.memory import spare_what_stays
from mdm.settings import Settings
from mdm.stewardship.model import By, Merge, MergeAll, Unmerge
from mdm.stewardship.operations import MERGES_MAX, perform

STEWARD = By("bench", "measured")
RATE = 300.0  # merges, and unmerges, a second: what a weekend of merges needs
LOOK_UP_US = 250.0  # design decision 4
LOOK_UPS = 2_000
SEED = 7
RESULTS = Path(__file__).parent / "results"


def merge_chunk(hub: Hub, pairs: Sequence[tuple[GoldenId, GoldenId]]) -> EventId:
    """Merge pairs in one transaction; return the event."""
    return perform(hub, MergeAll(tuple(pairs)), STEWARD).event_id


def merge(hub: Hub, first: GoldenId, second: GoldenId) -> EventId:
    """Merge two golden records; return the event."""
    return perform(hub, Merge(first, second), STEWARD).event_id


def unmerge(hub: Hub, event_id: EventId) -> None:
    """Take a merge back."""
    perform(hub, Unmerge(event_id), STEWARD)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run of acts took: wall seconds, and processor seconds of the writer and of its database session."""

    count: int
    wall_s: float
    cpu_s: float
    database_cpu_s: float = 0.0

    @property
    def rate(self) -> float:
        """Return acts a second."""
        return self.count / self.wall_s

    @property
    def ms(self) -> float:
        """Return milliseconds of wall time for each act."""
        return self.wall_s / self.count * 1e3

    @property
    def cpu_ms(self) -> float:
        """Return milliseconds of processor time for each act, the database's included."""
        return (self.cpu_s + self.database_cpu_s) / self.count * 1e3


class Writer:
    """The one writer of our hub, with one connection, so that its database session can be watched."""

    def __init__(self, hub: Hub, made: Sequence[GoldenId]) -> None:
        """Take the golden records in random order, each for one merge."""
        self.hub = hub
        self.left = Random(SEED).sample(made, len(made))
        with hub.engine.connect() as connection:
            self.session_id = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()

    def round(self, merges: int) -> tuple[Taken, Taken]:
        """Merge fresh pairs, then take all those merges back."""
        assert len(self.left) >= 2 * merges, "all golden records are used: ask for fewer merges or more golden records"
        events: list[EventId] = []
        chosen = [(self.left.pop(), self.left.pop()) for _ in range(merges)]
        merged = self._taken(merges, lambda: events.extend(merge(self.hub, *pair) for pair in chosen))
        return merged, self._taken(merges, lambda: [unmerge(self.hub, event_id) for event_id in events])

    def chunked_round(self, merges: int) -> tuple[Taken, Taken]:
        """Do the same in chunks: a transaction merges forty pairs, another one takes them all back."""
        assert len(self.left) >= 2 * merges, "all golden records are used: ask for fewer merges or more golden records"
        chosen = [(self.left.pop(), self.left.pop()) for _ in range(merges)]
        chunks = [chosen[begin : begin + MERGES_MAX] for begin in range(0, merges, MERGES_MAX)]
        events: list[EventId] = []
        merged = self._taken(merges, lambda: events.extend(merge_chunk(self.hub, chunk) for chunk in chunks))
        return merged, self._taken(merges, lambda: [unmerge(self.hub, event_id) for event_id in events])

    def _taken(self, count: int, act: Callable[[], object]) -> Taken:
        database, processor, begun = cpu_s(self.session_id), time.thread_time(), time.perf_counter()
        act()
        wall = time.perf_counter() - begun
        return Taken(count, wall, time.thread_time() - processor, cpu_s(self.session_id) - database)


class Other:
    """Another system in a process of its own, loaded, which does as many acts as it is told."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        """Wait until it is loaded."""
        self.running = running
        assert self._answer() == "ready"

    def round(self, **counts: int) -> dict[str, Taken]:
        """Let it do so many acts of each kind."""
        assert self.running.stdin is not None
        self.running.stdin.write(" ".join(f"{kind} {count}" for kind, count in counts.items()) + "\n")
        self.running.stdin.flush()
        return {kind: Taken(**told) for kind, told in self._answer().items()}

    def _answer(self) -> Any:
        assert self.running.stdout is not None
        line = self.running.stdout.readline()
        if not line:
            raise SystemExit(f"{self.running.args} ended without an answer")
        return json.loads(line)


@contextmanager
def other(name: str, size: int, place: Path) -> Iterator[Other]:
    """Start another system and let it load as many entities."""
    folder = Path(__file__).parent / "peers"
    command = [python_of(name, place), folder / f"speed_{name}.py", str(size), str(SEED)]
    running = subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Other(running)
    finally:
        assert running.stdin is not None
        running.stdin.close()
        running.wait()


def look_ups(writer: Writer, server: tuple[int, str, str], merges: int) -> tuple[list[Taken], float, float]:
    """Measure look-ups on a served hub, alone and while the writer works; return its rounds and both costs in µs."""
    process_id, address, token = server
    (source, kind), (to, _) = SOURCES
    path = f"/v1/crosswalk?source={source}&object={kind}&source_key=7&to={to}"
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    alone = server_us(process_id, address, request, LOOK_UPS)
    taken: list[Taken] = []
    thread = threading.Thread(target=lambda: taken.extend(writer.round(merges)))
    thread.start()
    meanwhile = []
    while thread.is_alive() or not meanwhile:
        meanwhile.append(server_us(process_id, address, request, LOOK_UPS))
    thread.join()
    assert len(taken) == 2, "the writer failed"
    return taken, alone, median(meanwhile)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=int, default=100_000, help="golden records, two source records each")
    parser.add_argument("--merges", type=int, default=500, help="merges of one round, and unmerges")
    parser.add_argument("--undos", type=int, default=5, help="nomenklatura's undos, and dissolves, of one round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts")
    parser.add_argument("--beside", nargs="*", choices=OTHERS, help="other systems in the same run; none named: all")
    parser.add_argument("--environments", type=Path, default=PLACE, help="folder of the other systems' environments")
    parser.add_argument("--keep", action="store_true", help="write the figures to benchmarks/results/identity.json")
    options = parser.parse_args()
    options.beside = OTHERS if options.beside == [] else tuple(options.beside or ())
    return options


def main() -> None:
    """Fill, take turns, print."""
    options = parsed()
    if Settings().database_url:
        raise SystemExit("this would fill the database of MDM_DATABASE_URL with customers: unset it")
    with ExitStack() as stack:
        home = stack.enter_context(hub_home())
        server, address, token = stack.enter_context(serving(home))
        settings = Settings(home=home, pool_size=1)
        url = stack.enter_context(hub_database(settings))
        hub = stack.enter_context(open_hub(settings, url))
        begun = time.perf_counter()
        made = fill(hub, url, options.golden)
        filled = time.perf_counter() - begun
        settles(hub, 100, seed=SEED)
        others = {
            name: stack.enter_context(other(name, options.golden, options.environments)) for name in options.beside
        }
        spare_what_stays("a hub is open")  # as every process of the hub does
        writer = Writer(hub, made)
        writer.round(min(20, options.merges))  # plans and caches
        settled(hub)
        rounds: dict[str, list[Taken]] = {}
        for _ in range(options.rounds):
            merged, unmerged = writer.round(options.merges)
            rounds.setdefault("merge", []).append(merged)
            rounds.setdefault("unmerge", []).append(unmerged)
            merged, unmerged = writer.chunked_round(options.merges)
            rounds.setdefault("merge in chunks", []).append(merged)
            rounds.setdefault("unmerge in chunks", []).append(unmerged)
            for name, one in others.items():
                asked = {"undo": options.undos, "dissolve": options.undos} if name == "nomenklatura" else {}
                for kind, taken in one.round(merge=options.merges, **asked).items():
                    rounds.setdefault(f"{name} {kind}", []).append(taken)
        under_load, alone_us, meanwhile_us = look_ups(writer, (server.pid, address, token), options.merges)
        violations = run(hub.engine, lambda connection: check(connection, hub.declared))
        assert not violations, violations
    lines = [Line(f"filling in {options.golden:,} golden records", filled, "s"), *_own(rounds)]
    lines += _beside(rounds)
    lines += [
        Line("look-up of one key, alone", alone_us, "µs", LOOK_UP_US),
        Line("look-up of one key, while the writer works", meanwhile_us, "µs", LOOK_UP_US),
        Line("look-up, times alone", meanwhile_us / alone_us, "times"),
        Line("merge, while looked up", under_load[0].rate, "1/s"),
        Line("unmerge, while looked up", under_load[1].rate, "1/s"),
    ]
    show(f"Identity, one writer, {options.golden:,} golden records of two records each; `mdm check` is clean", lines)
    if options.keep:
        _keep(lines, options)


def _own(rounds: dict[str, list[Taken]]) -> Iterator[Line]:
    for kind in ("merge in chunks", "unmerge in chunks", "merge", "unmerge"):
        yield Line(f"{kind}", median(one.rate for one in rounds[kind]), "1/s", RATE, at_most=False)
        yield Line(f"{kind}, processor time with the database's", median(one.cpu_ms for one in rounds[kind]), "ms")
        database = median(one.database_cpu_s / one.count for one in rounds[kind]) * 1e3
        yield Line(f"{kind}, of it in the database", database, "ms")


def _beside(rounds: dict[str, list[Taken]]) -> Iterator[Line]:
    """Compare each act with ours of the same round: how many times theirs ours takes, below one is faster."""
    for name, taken in rounds.items():
        if " " in name and not name.endswith("chunks"):
            ours = rounds["merge" if name.endswith("merge") else "unmerge"]
            yield Line(name, median(one.rate for one in taken), "1/s")
            yield Line(f"{name}, processor time", median(one.cpu_ms for one in taken), "ms")
            together = list(zip(ours, taken, strict=True))
            yield Line(f"ours, times {name}", median(own.ms / one.ms for own, one in together), "times")
            cpu = median(own.cpu_ms / one.cpu_ms for own, one in together)
            yield Line(f"ours, times {name}, processor time", cpu, "times")


def _keep(lines: Sequence[Line], options: argparse.Namespace) -> None:
    asked = {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()}
    del asked["environments"]
    document = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}",
        "options": asked,
        "figures": [{"name": one.name, "value": round(one.value, 3), "unit": one.unit} for one in lines],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "identity.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
