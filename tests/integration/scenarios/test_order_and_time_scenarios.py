"""R1 and T1: neither the order in which things come nor the time at which is asked may change an answer."""

import random
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from mdm import clock
from mdm.db.transaction import run
from mdm.errors import SourceRecordUnknown
from mdm.hub import Hub
from mdm.identity.service import golden_id_of
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.stewardship.model import Confirm, Unmerge
from mdm.stewardship.then import Moment, members_of, standing_of
from mdm.survivorship.service import golden_version
from tests.hubs import assert_sound, delivery, golden_by_key
from tests.integration.scenarios.board import (
    BATCHES,
    HOLD,
    alone,
    delete,
    golden,
    judge,
    key,
    merge,
    printed,
    send,
    values_of,
)
from tests.integration.stewardship.acts import do

pytestmark = pytest.mark.db

RECORDS = 24
ORDERS = 4


def landscape(rnd: random.Random) -> dict[str, dict[str, Any]]:
    """Make records that share codes, names and batch numbers often enough to join, to be asked about, to conflict."""
    return {
        f"{rnd.choice(['', 'west:'])}{number:02d}": {
            "name": rnd.choice(["red", "green", "blue", "white"]),
            "codes": [f"x{code}" for code in rnd.sample(range(12), rnd.randint(0, 2))],
            "batch": rnd.choice(["", "", *BATCHES]),
            "note": f"note {number}",
        }
        for number in range(RECORDS)
    }


def test_r1_any_order_and_batching_of_loads_gives_equal_clusters_and_values(hub: Hub, seed: int) -> None:
    """Each load is a world of its own: names and codes carry its number, which is cut off again to compare."""
    rnd = random.Random(seed)
    records = landscape(rnd)
    worlds = []

    for number in range(ORDERS):
        world = f"w{number}"
        deliveries = [
            delivery(
                printed(name) + world,
                HOLD,
                at=1,
                name=fields["name"] + world,
                codes=[code + world for code in fields["codes"]],
                batch=fields["batch"],
                note=fields["note"],
            )
            for name, fields in records.items()
        ]
        order = rnd.sample(deliveries, len(deliveries)) if number else deliveries
        while order:
            size = rnd.choice([1, 2, 5, 24])
            deliver(hub, order[:size], who="test")
            order = order[size:]
        worlds.append(what_stands(hub, world))

    assert all(world == worlds[0] for world in worlds)
    sizes = sorted(len(members) for members, _ in worlds[0])
    assert len(sizes) > 1
    assert sizes[-1] > 2
    assert_sound(hub)


def what_stands(hub: Hub, world: str) -> set[tuple[frozenset[str], str]]:
    """Give the members of each golden record of a world, with the values that it shows."""
    members: dict[str, set[str]] = {}
    for record, golden_id in golden_by_key(hub).items():
        if record.endswith(world):
            members.setdefault(golden_id, set()).add(record.removesuffix(world))
    found = set()
    for golden_id, names in members.items():
        shown = values_of(hub, GoldenId(golden_id))
        found.add((frozenset(names), repr(sorted(shown.items())).replace(world, "")))
    return found


def answers(hub: Hub, golden_ids: list[GoldenId], as_of: datetime | None) -> dict[str, Any]:
    """Ask for all that can be asked of keys and ids, now or as of an instant."""
    told: dict[str, Any] = {}
    for name in "abc":
        told[name] = run(hub.engine, partial(_belongs, name, as_of))
    for golden_id in golden_ids:
        told[golden_id] = run(hub.engine, partial(_stands, golden_id, as_of))
    return told


def _belongs(name: str, as_of: datetime | None, connection: Connection) -> Any:
    try:
        return golden_id_of(connection, key(name), as_of=as_of)
    except SourceRecordUnknown:  # that a key belongs to nothing is an answer as well
        return None


def _stands(golden_id: GoldenId, as_of: datetime | None, connection: Connection) -> tuple[Any, ...]:
    standing = standing_of(connection, golden_id, Moment(as_of))
    members = members_of(connection, golden_id, Moment(as_of)).members
    version = golden_version(connection, golden_id, as_of=as_of)
    assert version is not None
    return (
        (standing.golden_id, standing.state, standing.version),
        [one.source_key for one in members],
        (version.version, version.state, version.forward_to, version.values, version.lineage),
    )


def test_t1_an_answer_as_of_an_instant_is_the_one_that_was_given_then(hub: Hub) -> None:
    minted = list(alone(hub, "abc").values())
    merged: list[Any] = []
    steps: list[Callable[[], Any]] = [
        lambda: None,
        lambda: send(hub, "a", name="red", codes=["x1"]),
        lambda: merged.append(merge(hub, "b", "a")),
        lambda: send(hub, "b", name="blue", note="news"),
        lambda: send(hub, "c", name="green", codes=["x1"]),
        lambda: do(hub, Unmerge(merged[0].event_id)),
        lambda: do(hub, Confirm(golden(hub, "b"))),
        lambda: judge(hub, "a", "c", "different"),
        lambda: delete(hub, "c"),
        lambda: send(hub, "c", name="green"),
    ]
    told = []

    for step in steps:
        step()
        live = answers(hub, minted, None)
        told.append((run(hub.engine, clock.horizon), live))
        time.sleep(0.001)  # the next step has an instant of its own

    assert len({repr(live) for _, live in told}) == len(steps), "every step changes some answer"
    for instant, live in told:
        assert answers(hub, minted, instant) == live
    assert_sound(hub)
