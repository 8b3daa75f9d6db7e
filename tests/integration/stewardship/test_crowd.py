"""Eight writers merge and take back what overlaps, and read: nothing is lost, and a serial order explains it all."""

import random
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from mdm.db.engine import open_engine
from mdm.db.transaction import reading
from mdm.errors import Refused
from mdm.hub import Hub
from mdm.stewardship.model import By
from mdm.stewardship.operations import perform
from tests.histories import Read, Seen, Write, anomalies
from tests.hubs import assert_sound, golden_by_key, hub_on
from tests.stewards import GROUP, OPERATIONS, Steward, key_of, populate

pytestmark = [pytest.mark.db, pytest.mark.timeout(14_400)]

WRITERS = 8
READS_PART = 4  # one read for so many operations
LEGAL = {"input_invalid", "plan_outdated", "operation_blocked", "decision_contradicts"}


@dataclass
class History:
    """What everybody did and saw, and how requests were answered."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)


@pytest.mark.parametrize("operations_count", [1_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_overlapping_merges_then_mixed_operations_lose_nothing(hub: Hub, seed: int, operations_count: int) -> None:
    """Each group of six records is met by all eight writers at about the same time."""
    groups_count = operations_count // 10
    populate(hub, groups_count)
    keys = golden_by_key(hub).keys()
    assert len(keys) == groups_count * GROUP
    merging, mixing = History(), History()

    start = look(hub, range(groups_count))
    turns = operations_count // WRITERS
    crowd(hub, writers(hub, seed, groups_count, ("merge",), []), turns, merging)
    assert_sound(hub)
    require_flat(hub, keys)
    middle = look(hub, range(groups_count))
    events = [write.name for write in merging.writes]
    kinds = ("merge", "unmerge", "unmerge", "undo")
    crowd(hub, writers(hub, seed + 1, groups_count, kinds, events), turns, mixing)

    assert_sound(hub)
    require_flat(hub, keys)
    for history in (merging, mixing):
        assert history.answers["done"] > operations_count // 10
        assert history.answers.keys() <= {"done", *LEGAL}
    assert anomalies(merging.writes, merging.reads, start) == []
    assert anomalies(mixing.writes, mixing.reads, middle) == []
    sys.stdout.write(f"merges {dict(merging.answers)}, mixed {dict(mixing.answers)}, {deadlocks(hub)} deadlocks\n")


@pytest.mark.soak
@pytest.mark.parametrize("operations_count", [100_000])
def test_a_long_history_of_merges_unmerges_and_reads_has_a_serial_order(
    hub: Hub, seed: int, operations_count: int
) -> None:
    groups_count = operations_count // 40
    populate(hub, groups_count)
    start, history = look(hub, range(groups_count)), History()

    kinds = ("merge", "merge", "unmerge", "undo", "split", "take out", "move")
    crowd(hub, writers(hub, seed, groups_count, kinds, []), operations_count // WRITERS, history)

    assert anomalies(history.writes, history.reads, start) == []
    assert history.answers.keys() <= {"done", *LEGAL}
    assert_sound(hub)
    sys.stdout.write(f"{dict(history.answers)}, {len(history.reads)} reads, {deadlocks(hub)} deadlocks\n")


def crowd(hub: Hub, crew: Sequence[Steward], turns: int, history: History) -> None:
    """Let stewards ask for operations, side by side through all groups, each reading now and then."""

    def write(steward: Steward) -> None:
        for turn in range(turns):
            steward.near = turn * steward.groups_count // turns
            key = f"{steward.name}.{turn}"
            if steward.rnd.randrange(READS_PART) == 0:
                begun = time.monotonic()
                seen = look(hub, [steward.group()])
                history.reads.append(Read(f"read of {key}", begun, time.monotonic(), seen))
            answer = carry(steward, key, history)
            history.answers[answer] += 1

    with ThreadPoolExecutor(len(crew)) as pool:
        for running in [pool.submit(write, steward) for steward in crew]:
            running.result()


def writers(hub: Hub, seed: int, groups_count: int, kinds: Sequence[str], events: list[str]) -> list[Steward]:
    """Give eight stewards who take back each other's operations."""
    return [
        Steward(hub, f"writer {number}", random.Random(seed * WRITERS + number), groups_count, kinds, events)
        for number in range(WRITERS)
    ]


def carry(steward: Steward, key: str, history: History) -> str:
    """Carry one operation out, note what it told, and say how it was answered."""
    kind, *named = steward.choose()
    begun = time.monotonic()
    try:
        effect = perform(steward.hub, OPERATIONS[kind](*named), By(steward.name, key))
    except Refused as refusal:
        return refusal.code
    ended = time.monotonic()
    versions = {
        str(one.after.golden_id): (one.before.version if one.before else 0, one.after.version) for one in effect.goldens
    }
    moves = [(move.source_key, move.before, move.after) for move in effect.moved]
    history.writes.append(Write(effect.event_id, begun, ended, versions, moves))
    steward.events.append(effect.event_id)
    return "done"


def look(hub: Hub, groups: Sequence[int]) -> Seen:
    """Read, in one snapshot, version and members of every golden record that records of groups ever had."""
    keys = {key_of(group, place).partition(":")[2]: key_of(group, place) for group in groups for place in range(GROUP)}
    with reading(hub.engine) as connection:
        rows = connection.execute(
            text(
                "WITH ours AS (SELECT id FROM source_record WHERE native_id = ANY(:ids)),"
                " ids AS (SELECT DISTINCT golden_id AS id FROM membership JOIN ours ON ours.id = record_id)"
                " SELECT g.id, g.version, (SELECT array_agg(r.native_id) FROM source_record r"
                "  WHERE r.golden_id = g.id AND r.state = 'active') AS members FROM golden_record g JOIN ids USING (id)"
            ),
            {"ids": list(keys)},
        )
        return {row.id: (row.version, frozenset(keys[name] for name in row.members or ())) for row in rows}


def require_flat(hub: Hub, keys: Collection[str]) -> None:
    """Require every record in a golden record, and every forward to lead to an active one in one hop."""
    assert golden_by_key(hub).keys() == set(keys)
    with reading(hub.engine) as connection:
        astray = connection.execute(
            text(
                "SELECT count(*) FROM golden_record f LEFT JOIN golden_record t ON t.id = f.forward_to"
                " WHERE f.state = 'forwarded' AND t.state IS DISTINCT FROM 'active'"
            )
        ).scalar_one()
    assert astray == 0


def deadlocks(hub: Hub) -> int:
    with reading(hub.engine) as connection:
        return int(
            connection.execute(
                text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            ).scalar_one()
        )


@pytest.fixture
def hub(fresh_database: str) -> Iterator[Hub]:
    engine = open_engine(fresh_database, WRITERS)
    yield hub_on(engine)
    engine.dispose()
