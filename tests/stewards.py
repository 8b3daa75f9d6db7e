"""Stewards and sources who ask for random things at the same time, remember what they were told, and never give up.

Each request has a key of its own, and its reply is kept with its effect; who got no answer sends the same request again
under the same key, in the next life of the process if need be. Journals in a folder outlive every process. The records
stand in groups of a few, so that those who ask meet often and no golden record grows large.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import psycopg
from sqlalchemy import text

from mdm.access import replies
from mdm.access.model import Attempt, Reply
from mdm.db.engine import conninfo, open_engine
from mdm.db.transaction import reading
from mdm.errors import DatabaseUnavailable, IdempotencyInFlight, Refused
from mdm.failpoints import FailpointHit, armed
from mdm.hub import Bracket, Hub
from mdm.identity.service import resolve_golden
from mdm.ids import EventId, GoldenId
from mdm.jobs.model import Outcome
from mdm.jobs.service import deliver
from mdm.publishing.file_target import sync_all
from mdm.sources.model import SourceKey
from mdm.stewardship.model import By, Effect, Merge, Move, Operation, Split, Undo, Unmerge, UnmergeRecord
from mdm.stewardship.operations import perform
from tests.hubs import assert_sound, delivery, hub_on, register_instances

GROUP = 6  # records that may come together; small golden records keep operations quick
CODES = 2  # codes in a group: those who share one match
PATIENCE_S_MAX = 60.0  # a database that crashed is back within a second
PAUSE_S = 0.02

Result = TypeVar("Result")
Asked = Sequence[str]

OPERATIONS: Final[Mapping[str, Callable[..., Operation]]] = {
    "merge": lambda first, second: Merge(GoldenId(first), GoldenId(second)),
    "unmerge": lambda event_id: Unmerge(EventId(event_id)),
    "undo": lambda event_id: Undo(EventId(event_id)),
    "split": lambda golden_id, key: Split(GoldenId(golden_id), (frozenset({SourceKey.parse(key)}),)),
    "take out": lambda key: UnmergeRecord(SourceKey.parse(key)),
    "move": lambda key, golden_id: Move(SourceKey.parse(key), GoldenId(golden_id)),
}


def key_of(group: int, place: int) -> str:
    return f"crm-east/Account:{group}.{place}"


def populate(hub: Hub, groups_count: int) -> None:
    """Deliver groups of records that nothing joins."""
    register_instances(hub, "crm-east")
    keys = [key_of(group, place) for group in range(groups_count) for place in range(GROUP)]
    outcomes = deliver(hub, [delivery(key, "widget_hold", name=key) for key in keys], who="test")
    assert {outcome.status for outcome in outcomes} == {"created"}


@dataclass
class Steward:
    """Somebody who asks for random operations on random groups.

    events  what it may take back: merges and other operations it was told of
    kinds   what it asks for, the likelier the oftener it stands here
    near    where its groups are at the moment: those who are near each other meet
    """

    hub: Hub
    name: str
    rnd: random.Random
    groups_count: int
    kinds: Sequence[str]
    events: list[str] = field(default_factory=list)
    near: int | None = None

    def choose(self) -> Asked:
        """Choose the next request; what it names was looked up just now, and may be gone when it is carried out."""
        kind = self.rnd.choice(self.kinds)
        group = self.group()
        first, second = (key_of(group, place) for place in self.rnd.sample(range(GROUP), 2))
        if kind in {"unmerge", "undo"}:
            if not self.events:
                return ("merge", self._golden(first), self._golden(second))
            # What was done lately is in nobody's way, what was done long ago may be anywhere.
            lately = self.events[-40:] if self.rnd.randrange(2) else self.events
            return (kind, self.rnd.choice(lately))
        if kind == "merge":
            return ("merge", self._golden(first), self._golden(second))
        if kind == "split":
            return ("split", self._golden(first), first)
        if kind == "move":
            return ("move", first, self._golden(second))
        if kind == "tell":
            return ("tell", first, f"{group}{self.rnd.randrange(CODES)}")
        return (kind, first)

    def group(self) -> int:
        """Choose a group, one of three where this steward is."""
        if self.near is None:
            return self.rnd.randrange(self.groups_count)
        return (self.near + self.rnd.randrange(3)) % self.groups_count

    def carry(self, asked: Asked, key: str) -> Mapping[str, Any]:
        """Send a request under a key and return what was told: its event, and the golden versions it wrote."""
        kind, *named = asked
        if kind in {"send", "tell"}:
            # Codes that others of its group have too, or none any more: what matches changes.
            news = delivery(named[0], "widget_hold", name=named[0], codes=named[1:], note=key)
            return once(key, lambda bracket: deliver(self.hub, [news], who=key, bracket=bracket), _told_of_delivery)
        operation = OPERATIONS[kind](*named)
        told = once(
            key,
            lambda bracket: perform(self.hub, operation, By(self.name, key), bracket=bracket),
            _told_of_operation,
        )
        self.events.append(told["event"])
        return told

    def _golden(self, key: str) -> str:
        """Look up, in one snapshot, the golden id of a record, which must be active."""
        with reading(self.hub.engine) as connection:
            golden_id, state = connection.execute(
                text(
                    "SELECT g.id, g.state FROM source_record r JOIN golden_record g ON g.id = r.golden_id"
                    " WHERE r.instance_id = 'crm-east' AND r.native_id = :id"
                ),
                {"id": key.partition(":")[2]},
            ).one()
        assert state == "active", f"{key} belongs to {golden_id}, which is {state}"
        return str(golden_id)


def once(
    key: str, act: Callable[[Bracket[Result]], Result], tell: Callable[[Result], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Have an effect once under a key, as the API does, and return its reply, or the reply of the first time."""
    attempt = Attempt("steward", "test", key, sha256(key.encode()).digest())
    bracket: Bracket[Result] = Bracket(
        lambda connection: replies.begin(connection, attempt),
        lambda connection, result: replies.keep(connection, attempt, Reply(200, orjson.dumps(tell(result)))),
    )
    try:
        return tell(act(bracket))
    except replies.Answered as repeated:
        told: Mapping[str, Any] = orjson.loads(repeated.reply.body)
        return told


def _told_of_operation(effect: Effect) -> Mapping[str, Any]:
    return {
        "event": effect.event_id,
        "versions": [[one.after.golden_id, one.after.version] for one in effect.goldens],
        "made": [one.id for one in effect.made],
    }


def _told_of_delivery(outcomes: Sequence[Outcome]) -> Mapping[str, Any]:
    (outcome,) = outcomes
    return {"golden": outcome.golden_id, "status": outcome.status}


@dataclass(frozen=True, slots=True)
class Strike:
    """What goes wrong in a life: at which failpoint, how, at which hit of it.

    how  kill: this process; raise: the act at hand; drop: the connections of all; crash: PostgreSQL, by `postmaster`
    """

    point: str
    how: str
    at_hit: int
    postmaster: int = 0


@dataclass(frozen=True, slots=True)
class Life:
    """One process full of stewards, on journals that its predecessors left.

    requests_max  how many requests each steward sends when nothing kills it first
    """

    url: str
    folder: Path
    number: int
    seed: int
    groups_count: int
    requests_max: int
    strike: Strike | None = None
    stewards: tuple[str, ...] = ("ann", "bob", "cleo")
    kinds: tuple[str, ...] = (
        *("merge", "merge", "merge", "send", "tell", "tell", "unmerge", "undo", "split", "take out", "move"),
    )


def live(life: Life) -> None:
    """Let every steward send its requests and a relay write the targets; a failure other than a refusal is fatal."""
    engine = open_engine(life.url, len(life.stewards) + 1)
    hub = hub_on(engine)
    over = threading.Event()
    faults: list[BaseException] = []

    def watched(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as fault:  # noqa: BLE001 -- told by the process as it ends
                faults.append(fault)

        return run

    works = [watched(lambda name=name: _send_all(hub, life, name)) for name in life.stewards]  # type: ignore[misc]
    threads = [threading.Thread(target=work) for work in works]
    relay = threading.Thread(target=watched(lambda: _relay(hub, over)))
    with _striking(life):
        for thread in (*threads, relay):
            thread.start()
        for thread in threads:
            thread.join()
        over.set()
        relay.join()
    engine.dispose()
    if faults:
        raise faults[0]


def _send_all(hub: Hub, life: Life, name: str) -> None:
    journal = life.folder / f"{name}.jsonl"
    entries = read_journal(journal)
    rnd = random.Random(f"{life.seed} {name} {life.number}")
    steward = Steward(hub, name, rnd, life.groups_count, life.kinds)
    steward.events.extend(entry["told"]["event"] for entry in entries if "event" in entry.get("told", {}))
    number = len([entry for entry in entries if "asked" in entry])
    waiting = entries[-1] if entries and "asked" in entries[-1] else None
    with journal.open("ab", buffering=0) as file:
        for _ in range(life.requests_max):
            if waiting is None:
                entry: dict[str, Any] = {"key": f"{name}.{number}", "asked": _insist(steward.choose)}
                file.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
                number += 1
            else:
                entry, waiting = waiting, None
            answer = _ask(steward, entry["asked"], entry["key"])
            file.write(orjson.dumps({"key": entry["key"], **answer}, option=orjson.OPT_APPEND_NEWLINE))


def _ask(steward: Steward, asked: Asked, key: str) -> dict[str, Any]:
    try:
        return {"told": _insist(lambda: steward.carry(asked, key))}
    except Refused as refusal:
        return {"refused": refusal.code}


def _insist(ask: Callable[[], Result]) -> Result:
    """Ask again and again until there is an answer: the world failed, or the first request is still on its way."""
    deadline = time.monotonic() + PATIENCE_S_MAX
    while True:
        try:
            return ask()
        except (DatabaseUnavailable, FailpointHit, IdempotencyInFlight):
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_S)


def _relay(hub: Hub, over: threading.Event) -> None:
    while not over.wait(PAUSE_S):
        with suppress(DatabaseUnavailable, FailpointHit):
            sync_all(hub.engine, hub.declared)


@contextmanager
def _striking(life: Life) -> Iterator[None]:
    """Arm what goes wrong in a life; it is noted in the folder first, since a dead process tells nothing."""
    if life.strike is None or not life.strike.point:
        yield
        return
    strike, hits, lock = life.strike, [0], threading.Lock()

    def hit() -> None:
        with lock:
            hits[0] += 1
            if hits[0] != strike.at_hit:
                return
        with (life.folder / "struck").open("ab", buffering=0) as file:
            file.write(f"{life.number} {strike.point} {strike.how}\n".encode())
        _STRIKE[strike.how](life)

    with armed({strike.point: hit}):
        yield


def _drop(life: Life) -> None:
    with psycopg.connect(conninfo(life.url), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )


def _raise(life: Life) -> None:
    assert life.strike
    raise FailpointHit(life.strike.point)


def _crash(life: Life) -> None:
    assert life.strike
    os.kill(life.strike.postmaster, signal.SIGQUIT)


_STRIKE: Final[Mapping[str, Callable[[Life], None]]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "raise": _raise,
    "drop": _drop,
    "crash": _crash,
}


def read_journal(journal: Path) -> list[dict[str, Any]]:
    """Read the entries of a journal, in their order; a kill may have cut the last one short."""
    if not journal.exists():
        return []
    lines = journal.read_bytes().split(b"\n")
    assert lines[-1] == b"", "an entry is written in one piece"
    return [orjson.loads(line) for line in lines[:-1]]


def require_kept(hub: Hub, folder: Path) -> int:
    """Require that the hub is sound and holds what stewards were told, and nothing of what has no reply, or all of it.

    Returns how many requests were answered.
    """
    assert_sound(hub)
    entries = [entry for journal in sorted(folder.glob("*.jsonl")) for entry in read_journal(journal)]
    told = {entry["key"]: entry["told"] for entry in entries if "told" in entry}
    refused = {entry["key"] for entry in entries if "refused" in entry}
    asked = {entry["key"]: entry["asked"][0] for entry in entries if "asked" in entry}
    ids = {id_ for one in told.values() for id_, _ in one.get("versions", ())}
    ids |= {one["golden"] for one in told.values() if "golden" in one}
    ids |= {name for entry in entries for name in entry.get("asked", ()) if name.startswith("wht_")}
    with hub.engine.connect() as connection:
        for id_ in ids:
            assert resolve_golden(connection, GoldenId(id_)).state != "forwarded"
        replied = set(connection.execute(text("SELECT key FROM idempotency_record WHERE route = 'test'")).scalars())
        caused = connection.execute(
            text(
                "SELECT cause FROM identity_event WHERE root_id IS NULL AND kind <> 'ingest'"
                " UNION ALL SELECT who FROM source_record_version WHERE version > 1"
            )
        ).scalars()
        effects = sorted(caused)
        events = set(connection.execute(text("SELECT id FROM identity_event")).scalars())
        versions = {tuple(row) for row in connection.execute(text("SELECT golden_id, version FROM golden_version"))}
        made = set(connection.execute(text("SELECT id FROM decision")).scalars())
        signed = set(
            connection.execute(
                text(
                    "SELECT event_id FROM decision WHERE event_id IS NOT NULL UNION SELECT event_id FROM membership"
                    " UNION SELECT event_id FROM golden_version UNION SELECT revoked_event_id FROM decision"
                    " WHERE revoked_event_id IS NOT NULL"
                )
            ).scalars()
        )
    assert effects == sorted(replied), "each reply has its effect and each effect its reply, once"
    assert told.keys() <= replied <= asked.keys() - refused
    assert signed <= events
    assert {one["event"] for one in told.values() if "event" in one} <= events
    assert {tuple(version) for one in told.values() for version in one.get("versions", ())} <= versions
    assert {id_ for one in told.values() for id_ in one.get("made", ())} <= made
    return len(told) + len(refused)
