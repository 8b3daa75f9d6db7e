"""What stewards did is told as they did it: lives, stories, events, why, and members at a time, of real operations."""

import time
from datetime import timedelta

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.stewardship.model import Confirm, Merge, Restore, Retire, Split, Undo, Unmerge
from mdm.stewardship.past import EventTold, life_of, story_of, tell_event
from mdm.stewardship.then import Moment, members_of
from mdm.stewardship.why import why
from mdm.stewardship.why_model import Why
from tests.hubs import EPOCH
from tests.integration.stewardship.acts import A, B, C, alone, do, ids, key, send

pytestmark = pytest.mark.db


def steps(hub: Hub, golden_id: GoldenId) -> list[tuple[str, str, tuple[str, ...]]]:
    """Give kind of event, what it did to the id, and with which others."""
    life = run(hub.engine, lambda c: life_of(c, golden_id))
    return [(line.event.kind, line.step.kind, line.step.others) for line in life.lines]


def chapters(hub: Hub, golden_id: GoldenId) -> list[tuple[str, str, int]]:
    story = run(hub.engine, lambda c: story_of(c, golden_id))
    return [(one.kind, "".join(name[-1] for name in one.record_keys), one.members_count) for one in story.chapters]


def event(hub: Hub, event_id: EventId) -> EventTold:
    return run(hub.engine, lambda c: tell_event(c, event_id))


def ask(hub: Hub, left: str, right: str) -> Why:
    return run(hub.engine, lambda c: why(hub, c, left, right))


def test_a_merge_and_its_unmerge_are_told_of_both_ids(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    joined = ask(hub, A, B)
    undone = do(hub, Unmerge(merged.event_id))

    assert steps(hub, golden[A]) == [
        ("ingest", "minted", ()),
        ("merge", "survived", (golden[B],)),
        ("unmerge", "split", (golden[B],)),
    ]
    assert steps(hub, golden[B]) == [
        ("ingest", "minted", ()),
        ("merge", "forwarded", (golden[A],)),
        ("unmerge", "restored", (golden[A],)),
    ]
    assert chapters(hub, golden[A]) == [("created", "a", 1), ("created", "b", 1), ("merged", "b", 2), ("split", "b", 1)]
    told, back = event(hub, merged.event_id), event(hub, undone.event_id)
    assert (told.undone_by, back.event.undoes_id) == ((undone.event_id,), merged.event_id)
    assert [one.id for one in told.made] == [one.id for one in back.revoked] == [one.id for one in merged.made]
    assert [one.id for one in back.made] == [one.id for one in undone.made]
    assert joined.way[0].decision_id == merged.made[0].id
    apart = ask(hub, A, B)
    assert apart.kind == "decided_apart"
    assert undone.made[0].id in apart.sentence


def test_a_confirmation_and_its_undoing_are_part_of_the_life(hub: Hub) -> None:
    """They change no value and write no version, and are found all the same."""
    golden = alone(hub, A)
    confirmed = do(hub, Confirm(golden[A]))
    do(hub, Undo(confirmed.event_id))

    assert steps(hub, golden[A]) == [
        ("ingest", "minted", ()),
        ("confirm", "confirmed", ()),
        ("undo", "unconfirmed", ()),
    ]
    assert chapters(hub, golden[A]) == [("created", "a", 1), ("confirmed", "", 1), ("unconfirmed", "", 1)]


def test_what_a_steward_retired_left_and_returned(hub: Hub) -> None:
    golden = alone(hub, A, B)
    do(hub, Retire(golden[A]))
    gone = ask(hub, A, B)
    do(hub, Restore(golden[A]))

    assert steps(hub, golden[A]) == [
        ("ingest", "minted", ()),
        ("retire", "retired", ()),
        ("restore", "restored", ()),
    ]
    assert chapters(hub, golden[A])[1:] == [
        ("left", "a", 0),
        ("retired", "", 0),
        ("returned", "a", 1),
        ("restored", "", 1),
    ]
    assert gone.kind == "not_a_member"
    assert f"{A} was withdrawn by a steward" in gone.sentence


def test_a_split_names_the_new_id_and_why_names_its_decision(hub: Hub) -> None:
    for name in (A, B, C):
        send(hub, name, codes=["x1"])
    first = GoldenId(ids(hub, A)[0])
    split = do(hub, Split(first, (frozenset({key(C)}),)))

    second = GoldenId(ids(hub, C)[0])
    assert steps(hub, first)[-1] == ("split", "split", (second,))
    assert steps(hub, second) == [("split", "minted", (first,))]
    assert chapters(hub, first) == [("created", "a", 1), ("attached", "b", 2), ("attached", "c", 3), ("split", "c", 2)]
    assert {one.verdict.judgement for one in event(hub, split.event_id).made} == {"different", "same"}
    assert ask(hub, A, C).kind == "decided_apart"


def test_a_withdrawn_record_belongs_to_nothing_at_any_time_of_the_world(hub: Hub) -> None:
    send(hub, A, at=10, name="red")
    golden_id = GoldenId(ids(hub, A)[0])
    valid_at = EPOCH + timedelta(hours=20)
    before = run(hub.engine, clock.horizon)
    time.sleep(0.001)
    do(hub, Retire(golden_id))

    def members(moment: Moment) -> list[str]:
        return [one.source_key for one in run(hub.engine, lambda c: members_of(c, golden_id, moment)).members]

    assert members(Moment(valid_at=valid_at)) == []
    assert members(Moment(before, valid_at)) == [A]
