"""Facts and records in any order, and at the same time, come to the same end."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mdm.hub import Hub
from tests.hubs import assert_sound
from tests.integration.source_events.facts import TYPE, fact, golden, rows, send, tell

pytestmark = pytest.mark.db

ORDERS = 8

Step = Callable[[Hub], Any]


def record(name: str, at: int, **said: Any) -> Step:
    return lambda hub: send(hub, name, at=at, codes=[f"{name * 2}{at}"], note=f"{name}{at}", **said)


def told(kind: str, name: str, other: str | None = None, *, at: int) -> Step:
    return lambda hub: tell(hub, fact(kind, name, other, at=at, entity_type=TYPE))


# a was merged into b, which was merged into d; c has the new key d; e was merged into f and lived on; g was merged into
# h, which nobody ever delivers.
STEPS: tuple[Step, ...] = (
    record("a", 1),
    record("b", 1),
    record("b", 2),
    record("c", 1),
    record("e", 1),
    record("e", 9),
    record("f", 1),
    record("g", 1),
    told("merged", "a", "b", at=5),
    told("merged", "b", "d", at=6),
    told("re_keyed", "c", "d", at=7),
    told("merged", "e", "f", at=5),
    told("merged", "g", "h", at=5),
)


def standing(hub: Hub) -> Any:
    """Say who is together, who is ended by what, and what the golden records show."""
    ended = rows(
        hub,
        "SELECT r.native_id, r.ended_because, s.native_id FROM source_record r"
        " LEFT JOIN source_record s ON s.id = r.successor_id WHERE r.state = 'active' ORDER BY 1",
    )
    shown = {
        name: rows(
            hub,
            f"SELECT values::text FROM golden_version WHERE recorded_to IS NULL AND golden_id = '{golden(hub, name)}'",
        )
        for name in "abcdefg"
    }
    groups: dict[str, str] = {}
    for name in "abcdefg":
        groups[golden(hub, name)] = groups.get(golden(hub, name), "") + name
    return sorted(groups.values()), ended, shown


EXPECTED = (
    ["abcd", "e", "f", "g"],
    [
        ("a", "merged", "b"),
        ("b", "merged", "d"),
        ("c", "re_keyed", "d"),
        ("d", None, None),
        ("e", None, None),
        ("f", None, None),
        ("g", "merged", None),
    ],
)


@pytest.mark.parametrize("order", range(ORDERS))
def test_any_order_of_facts_and_records_comes_to_the_same_end(hub: Hub, order: int, seed: int) -> None:
    steps = list(STEPS)
    random.Random(seed + order).shuffle(steps)

    for step in steps:
        step(hub)

    groups, ended, shown = standing(hub)
    assert (groups, ended) == EXPECTED
    assert "c1" in str(shown["d"]), "the new key takes over what the old one said"
    assert "e9" in str(shown["e"])
    assert_sound(hub)


def test_writers_of_facts_and_records_who_meet_come_to_the_same_end(hub: Hub, seed: int) -> None:
    steps = list(STEPS)
    random.Random(seed).shuffle(steps)

    with ThreadPoolExecutor(6) as pool:
        for running in [pool.submit(step, hub) for step in steps]:
            running.result()

    groups, ended, _ = standing(hub)
    assert (groups, ended) == EXPECTED
    assert_sound(hub)
