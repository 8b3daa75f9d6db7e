"""Another time: what the hub held at an instant, and what existed at an instant of the world.

`at` counts the hours of the sources' own clock from EPOCH; the hub records everything on the day the test runs.
"""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import AsOfBeyondHorizon, GoldenRecordUnknown, InputInvalid, SourceRecordUnknown
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service
from mdm.stewardship.then import Moment, members_of, names_of, record_at, standing_of
from tests.hubs import EPOCH, delivery, golden_by_key

pytestmark = pytest.mark.db

A, B = "crm-east/Account:a", "crm-west/Account:b"


def send(hub: Hub, key: str, *, at: int | None = None, **fields: Any) -> None:
    deliver(hub, [delivery(key, "widget_hold", at=at, **fields)], who="test")


def delete(hub: Hub, key: str, *, at: int | None = None) -> None:
    deliver(hub, [delivery(key, "widget_hold", at=at, deleted=True)], who="test")


def same(hub: Hub, left: str, right: str) -> Any:
    return service.decide(hub, SourceKey.parse(left), SourceKey.parse(right), Verdict("same", "seen"), who="ann")


def settled(hub: Hub) -> datetime:
    instant = run(hub.engine, clock.horizon)
    time.sleep(0.001)
    return instant


def hour(count: float) -> datetime:
    return EPOCH + timedelta(hours=count)


def members(hub: Hub, golden_id: str, **moment: datetime) -> tuple[str, list[str], list[str]]:
    """Give the id that the answer stands for, its members' letters, and those of which nothing can be said."""
    found = run(hub.engine, lambda c: members_of(c, GoldenId(golden_id), Moment(**moment)))
    keys = [one.source_key[-1] for one in found.members]
    return found.standing.golden_id, keys, [key[-1] for key in found.undated]


def test_members_as_of_an_instant_follow_the_forward_of_that_time(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    golden, apart = golden_by_key(hub), settled(hub)
    decision = same(hub, A, B)
    together = settled(hub)
    service.revoke(hub, decision.id, who="ann")

    assert members(hub, golden[B], as_of=apart) == (golden[B], ["b"], [])
    assert members(hub, golden[B], as_of=together) == (golden[A], ["a", "b"], [])
    assert members(hub, golden[B]) == (golden[B], ["b"], [])


def test_an_id_is_unknown_before_it_was_given_out(hub: Hub) -> None:
    before = settled(hub)
    send(hub, A, name="red")
    golden_id = GoldenId(golden_by_key(hub)[A])

    for ask in (members_of, standing_of):
        with pytest.raises(GoldenRecordUnknown, match=golden_id) as refused:
            run(hub.engine, lambda c, ask=ask: ask(c, golden_id, Moment(before)))  # type: ignore[misc]
        assert before.isoformat() in refused.value.remedy


def test_beyond_the_safe_horizon_nothing_is_answered(hub: Hub) -> None:
    send(hub, A, name="red")
    golden_id = GoldenId(golden_by_key(hub)[A])
    with hub.engine.connect() as writer:
        began = clock.recording_instant(writer)

        for moment in (Moment(clock.now()), Moment(clock.now(), hour(0))):
            for ask in (members_of, standing_of):
                with pytest.raises(AsOfBeyondHorizon) as refused:
                    run(hub.engine, lambda c, ask=ask, moment=moment: ask(c, golden_id, moment))  # type: ignore[misc]
                assert refused.value.horizon <= began
        writer.rollback()


def test_at_an_instant_of_the_world_count_those_that_existed_in_their_source(hub: Hub) -> None:
    """a exists from hour 10 on, b from 20 to 30; the hub hears all of it today and knows them as one."""
    send(hub, A, at=10, name="red")
    send(hub, B, at=20, name="blue")
    same(hub, A, B)
    delete(hub, B, at=30)
    golden_id = golden_by_key(hub)[A]

    found = {at: members(hub, golden_id, valid_at=hour(at))[1] for at in (9, 10, 19, 20, 29, 30, 99)}

    assert found == {9: [], 10: ["a"], 19: ["a"], 20: ["a", "b"], 29: ["a", "b"], 30: ["a"], 99: ["a"]}


def test_memberships_are_those_known_now_or_as_of_the_instant_asked_for_too(hub: Hub) -> None:
    send(hub, A, at=10, name="red")
    send(hub, B, at=10, name="blue")
    golden, apart = golden_by_key(hub), settled(hub)
    same(hub, A, B)
    heard = settled(hub)
    delete(hub, B, at=20)

    assert members(hub, golden[A], valid_at=hour(15)) == (golden[A], ["a", "b"], [])
    assert members(hub, golden[B], valid_at=hour(15)) == (golden[A], ["a", "b"], [])
    assert members(hub, golden[A], valid_at=hour(15), as_of=apart) == (golden[A], ["a"], [])
    assert members(hub, golden[B], valid_at=hour(25)) == (golden[A], ["a"], [])
    assert members(hub, golden[B], valid_at=hour(25), as_of=heard) == (golden[A], ["a", "b"], [])


def test_a_record_that_left_by_a_decision_is_no_member_of_the_past_of_the_world(hub: Hub) -> None:
    send(hub, A, at=10, name="red")
    send(hub, B, at=10, name="blue")
    decision = same(hub, A, B)
    service.revoke(hub, decision.id, who="ann")
    golden = golden_by_key(hub)

    assert members(hub, golden[A], valid_at=hour(15)) == (golden[A], ["a"], [])


def test_a_deleted_record_counts_where_what_it_last_belonged_to_leads(hub: Hub) -> None:
    """b is deleted while alone; later its retired id comes back with it, and until then it stands for b alone."""
    send(hub, A, at=10, name="red")
    send(hub, B, at=10, name="blue")
    golden = golden_by_key(hub)
    delete(hub, B, at=20)

    assert members(hub, golden[B], valid_at=hour(15)) == (golden[B], ["b"], [])
    assert members(hub, golden[B], valid_at=hour(25)) == (golden[B], [], [])


def test_of_a_source_without_times_nothing_is_said(hub: Hub) -> None:
    send(hub, A, at=10, name="red")
    send(hub, B, name="blue")
    same(hub, A, B)
    golden_id = golden_by_key(hub)[A]

    assert members(hub, golden_id, valid_at=hour(15)) == (golden_id, ["a"], ["b"])
    with pytest.raises(InputInvalid, match="gives no times for crm-west/Account:b"):
        run(hub.engine, lambda c: record_at(c, SourceKey.parse(B), hour(15), as_of=None))


def test_a_key_at_an_instant_of_the_world(hub: Hub) -> None:
    send(hub, A, at=10, name="red")
    send(hub, B, at=10, name="blue")
    golden = golden_by_key(hub)
    same(hub, A, B)
    delete(hub, B, at=20)
    key = SourceKey.parse(B)

    def ask(at: int) -> str:
        return run(hub.engine, lambda c: record_at(c, key, hour(at), as_of=None)).golden_id

    assert ask(15) == golden[A]
    for at, told in ((5, "was not there yet"), (25, "had been deleted")):
        with pytest.raises(SourceRecordUnknown) as refused:
            ask(at)
        assert told in refused.value.remedy
    with pytest.raises(SourceRecordUnknown):
        run(hub.engine, lambda c: record_at(c, SourceKey.parse("crm-east/Account:z"), hour(15), as_of=None))


def test_the_future_of_the_world_means_nothing(hub: Hub) -> None:
    send(hub, A, at=10, name="red")
    golden_id = GoldenId(golden_by_key(hub)[A])

    with pytest.raises(InputInvalid, match="lies in the future"):
        run(hub.engine, lambda c: members_of(c, golden_id, Moment(valid_at=clock.now() + timedelta(days=1))))


def names(hub: Hub, key: str, **moment: datetime) -> list[tuple[str, str, datetime | None, datetime | None]]:
    golden_id = GoldenId(golden_by_key(hub)[key])
    found = run(hub.engine, lambda c: names_of(c, hub.declared["widget_hold"], golden_id, Moment(**moment)))
    assert found.is_complete
    return [(one.value, one.source_key[-1], one.said_from, one.said_to) for one in found.names]


def test_former_names_are_told_with_when_each_source_said_them(hub: Hub) -> None:
    send(hub, A, at=10, name="red")
    send(hub, A, at=20, name="crimson")
    send(hub, A, at=30, name="crimson", note="x")
    send(hub, B, at=15, name="scarlet")
    same(hub, A, B)
    delete(hub, B, at=40)

    assert names(hub, A) == [
        ("red", "a", hour(10), hour(20)),
        ("crimson", "a", hour(20), None),
        ("scarlet", "b", hour(15), hour(40)),
    ]
    assert [name for name, *_ in names(hub, A, valid_at=hour(16))] == ["red", "scarlet"]
    assert [name for name, *_ in names(hub, A, valid_at=hour(20))] == ["crimson", "scarlet"]
    assert [name for name, *_ in names(hub, A, valid_at=hour(50))] == ["crimson"]
    assert names(hub, A, valid_at=hour(9)) == []


def test_names_as_of_an_instant_are_those_heard_until_then(hub: Hub) -> None:
    send(hub, A, at=10, name="red")
    heard = settled(hub)
    send(hub, A, at=20, name="crimson")

    assert names(hub, A, as_of=heard) == [("red", "a", hour(10), None)]
    assert names(hub, A, as_of=heard, valid_at=hour(25)) == [("red", "a", hour(10), None)]


def test_a_name_without_times_is_told_and_valid_at_no_instant(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, A, name="crimson")

    assert names(hub, A) == [("red", "a", None, None), ("crimson", "a", None, None)]
    assert names(hub, A, valid_at=hour(1)) == []


def test_a_name_counts_from_the_first_time_that_its_source_gives(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, A, at=20, name="red")
    send(hub, A, at=30, name="red", note="x")

    assert names(hub, A) == [("red", "a", hour(20), None)]
    assert [name for name, *_ in names(hub, A, valid_at=hour(25))] == ["red"]
    assert names(hub, A, valid_at=hour(10)) == []
