"""C1–C8: writers who meet come to what one writer alone comes to, and those who have nothing in common do not wait.

Locks on keys and golden records are what the tables call claims; they end with their transaction, so none is left
behind to grow old.
"""

import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from mdm.errors import TouchedSetGrew
from mdm.failpoints import FailpointHit, armed
from mdm.hub import Hub, Work, carry
from mdm.identity.model import Cause
from mdm.ids import RecordId
from mdm.pipeline import reevaluate, resolve
from mdm.sources.model import Accepted
from mdm.sources.service import judge
from tests.hubs import assert_sound, delivery, golden_by_key, partition_of
from tests.integration.pipeline.test_identity_race import meeting, together
from tests.integration.scenarios.board import HOLD, golden, groups, printed, send, values

pytestmark = pytest.mark.db

SEARCHED = "compare.searched"  # candidates are found, nothing is written that others could see
APART_S = 5.0  # as long as a writer waits at a barrier for one that is not blocked


def at_once(hub: Hub, names: Iterable[str], **fields: Any) -> None:
    """Deliver widgets, each from a thread of its own, which wait for each other where they have searched."""
    with meeting(SEARCHED):
        together([partial(_send, hub, name, fields) for name in names])


def _send(hub: Hub, name: str, fields: dict[str, Any]) -> None:
    send(hub, name, **fields)


def counts(hub: Hub) -> dict[str, int]:
    """Count golden records, memberships that stand, versions of records, and events."""
    queries = {
        "goldens": "SELECT count(*) FROM golden_record",
        "members": "SELECT count(*) FROM membership WHERE recorded_to IS NULL",
        "versions": "SELECT count(*) FROM source_record_version",
        "events": "SELECT count(*) FROM identity_event",
    }
    with hub.engine.connect() as connection:
        return {name: connection.execute(text(query)).scalar_one() for name, query in queries.items()}


def test_c1_two_alike_records_at_the_same_instant_are_one_golden_record(hub: Hub) -> None:
    at_once(hub, "ab", name="red", codes=["x1"])

    assert groups(hub) == {"ab"}
    assert counts(hub)["goldens"] == 1
    assert_sound(hub)


def test_c2_two_unlike_records_that_share_an_external_id_are_one_golden_record(hub: Hub) -> None:
    with meeting(SEARCHED):
        together(
            [
                partial(_send, hub, "a", {"name": "red", "codes": ["e1", "x1"]}),
                partial(_send, hub, "b", {"name": "blue", "codes": ["e1", "x2"]}),
            ]
        )

    assert groups(hub) == {"ab"}
    assert counts(hub)["goldens"] == 1
    assert_sound(hub)


def test_c3_a_record_joins_by_an_external_id_that_another_one_brings_in_the_same_instant(hub: Hub) -> None:
    send(hub, "a", codes=["x1"])
    first = golden(hub, "a")

    with meeting(SEARCHED):
        together(
            [
                partial(_send, hub, "b", {"name": "brings it", "codes": ["x1", "e9"]}),
                partial(_send, hub, "c", {"name": "has nothing else", "codes": ["e9"]}),
            ]
        )

    assert groups(hub) == {"abc"}
    assert golden(hub, "c") == first
    assert_sound(hub)


def test_c4_two_unlike_records_do_not_wait_for_each_other(hub: Hub) -> None:
    """Each stops when all is written, all its locks held, until the other has come that far: nobody blocks anybody."""
    both, met = threading.Barrier(2), []

    with armed({"publish.queued": lambda: met.append(both.wait(timeout=APART_S))}):
        together(
            [
                partial(_send, hub, "a", {"name": "red", "codes": ["x1"]}),
                partial(_send, hub, "b", {"name": "blue", "codes": ["x2"]}),
            ]
        )

    assert sorted(met) == [0, 1]
    assert groups(hub) == {"a", "b"}
    assert_sound(hub)


def test_c5_eight_alike_records_on_eight_threads_are_one_golden_record_time_after_time(hub: Hub) -> None:
    for number in range(3):
        at_once(hub, (f"{number}{letter}" for letter in "abcdefgh"), name=f"name {number}", codes=[f"x{number}"])

    assert sorted(map(len, partition_of(hub))) == [8, 8, 8]
    assert {frozenset(key.partition(":")[2][0] for key in group) for group in partition_of(hub)} == {
        frozenset("0"),
        frozenset("1"),
        frozenset("2"),
    }
    assert_sound(hub)


def test_c6_a_conflict_midway_is_repeated_and_nothing_is_doubled(hub: Hub) -> None:
    """PostgreSQL itself says that the transaction cannot be serialised, after all of it was written."""
    send(hub, "a", codes=["x1"])
    before = counts(hub)
    hits: list[int] = []

    def collide() -> None:
        hits.append(threading.get_ident())
        if len(hits) == 1:
            with hub.engine.connect() as connection:
                connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'in the way' USING ERRCODE = '40001'; END $$"))

    with armed({"publish.queued": collide}):
        outcome = send(hub, "b", codes=["x1"])

    assert len(hits) == 2
    assert (outcome.status, outcome.outcome, outcome.golden_id) == ("created", "attached", golden(hub, "a"))
    after = counts(hub)
    assert {name: after[name] - before[name] for name in after} == {
        "goldens": 0,
        "members": 1,
        "versions": 1,
        "events": 1,
    }
    assert_sound(hub)


def test_c6_a_touched_set_that_grew_is_repeated_too(hub: Hub) -> None:
    hits: list[int] = []

    def grow() -> None:
        hits.append(threading.get_ident())
        if len(hits) == 1:
            raise TouchedSetGrew(frozenset())

    with armed({"publish.queued": grow}):
        send(hub, "a", codes=["x1"])

    assert len(hits) == 2
    assert counts(hub) == {"goldens": 1, "members": 1, "versions": 1, "events": 1}
    assert_sound(hub)


def test_c7_a_record_evaluated_again_at_once_finds_no_lock_of_its_own_in_the_way(hub: Hub) -> None:
    """An attempt that broke off leaves no claim, and one transaction may evaluate a record as often as it likes."""
    send(hub, "a", codes=["x1"])
    with armed({"publish.queued": _break_off}), pytest.raises(FailpointHit):
        send(hub, "b", codes=["x1"])
    assert groups(hub) == {"a"}

    send(hub, "b", codes=["x1"])
    before, goldens = golden_by_key(hub), counts(hub)["goldens"]
    carry(hub, _evaluate_all_twice, who="test")

    assert golden_by_key(hub) == before
    assert (counts(hub)["goldens"], counts(hub)["members"]) == (goldens, 2)
    assert_sound(hub)


def _break_off() -> None:
    raise FailpointHit


def _evaluate_all_twice(work: Work) -> None:
    ids = [RecordId(id_) for id_ in work.connection.execute(text("SELECT id FROM source_record")).scalars()]
    for _ in range(2):
        reevaluate(work, work.declared[HOLD], ids, cause=Cause("deferred"))


def test_c8_what_a_caller_does_in_one_transaction_sees_itself_and_is_one_golden_record(hub: Hub) -> None:
    """A caller's transaction is `carry`: two arrivals in it, the second alike the first, commit or fail together."""

    def both(work: Work) -> None:
        for name in "ab":
            resolve(work, work.declared[HOLD], [accepted(hub, name, name="red", codes=["x1"], note=name)])

    with armed({"transaction.committing": _break_off}), pytest.raises(FailpointHit):
        carry(hub, both, who="test")
    assert groups(hub) == set()

    carry(hub, both, who="test")

    assert groups(hub) == {"ab"}
    assert counts(hub)["goldens"] == 1
    assert values(hub, "a")["codes"] == ["x1"]
    assert_sound(hub)


def accepted(hub: Hub, name: str, /, **fields: Any) -> Accepted:
    known = {"crm-east": "crm"}
    taken = judge(hub.declared[HOLD], delivery(printed(name), HOLD, **fields), known_instances=known, column_map={})
    assert isinstance(taken, Accepted)
    return taken
