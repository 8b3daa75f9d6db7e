"""Merges and other operations are taken back exactly, or refused with the name of what is in the way."""

import pytest

from mdm.decisions.model import Verdict
from mdm.errors import EventUnknown, InputInvalid, OperationBlocked
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.stewardship import service
from mdm.stewardship.model import (
    Merge,
    MergeAll,
    Move,
    Restore,
    Retire,
    Undo,
    Unmerge,
)
from mdm.stewardship.overrides import Wish, set_override
from tests.hubs import assert_sound, delivery, hub_state, row_marks
from tests.integration.stewardship.acts import A, B, C, D, E, again, alone, delete, do, groups, ids, key, send

pytestmark = pytest.mark.db


def test_an_unmerge_gives_back_the_exact_state_and_is_sticky(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"], note="a")
    send(hub, B, name="red", codes=["x1"], note="b")
    send(hub, C, name="blue", codes=["x2"], note="c")
    send(hub, D, name="blue", codes=["x2"], note="d")
    before = hub_state(hub)
    effect = do(hub, Merge(GoldenId(ids(hub, A)[0]), GoldenId(ids(hub, C)[0])))
    assert groups(hub) == {"abcd"}

    do(hub, Unmerge(effect.event_id))

    assert hub_state(hub) == before
    send(hub, E, name="red", codes=["x1", "x2"])
    assert {"ab", "cd"} == {group.replace("e", "") for group in groups(hub)} - {""}
    assert_sound(hub)


@pytest.mark.parametrize("back", [Undo, Unmerge])
def test_what_a_later_merge_leans_on_stays_together_when_the_earlier_one_is_taken_back(
    hub: Hub, back: type[Undo | Unmerge]
) -> None:
    """A later merge names one record for all that an earlier one tied; a veto would part the others from it."""
    send(hub, A, name="a", codes=["x1"])
    send(hub, B, name="b", codes=["x1"], batch="150483782")
    golden = alone(hub, C, D)
    send(hub, D, name="d", batch="804735132")
    before = hub_state(hub)
    earlier = do(hub, Merge(GoldenId(ids(hub, A)[0]), golden[C]))
    later = do(hub, Merge(golden[D], GoldenId(ids(hub, A)[0])))
    assert groups(hub) == {"abcd"}

    do(hub, back(earlier.event_id))
    assert groups(hub) == {"abd", "c"}
    do(hub, back(later.event_id))

    assert hub_state(hub) == before
    assert_sound(hub)


def test_a_merge_that_matching_made_can_be_unmerged(hub: Hub) -> None:
    golden = alone(hub, A, B)
    send(hub, A, name=A, codes=["x1"])
    send(hub, B, name=B, codes=["x1"])
    assert groups(hub) == {"ab"}
    history = [event for event in service.events_of(hub, golden[B]) if event.cause.kind == "ingest"]

    do(hub, Unmerge(history[-1].id))

    assert ids(hub, A, B) == [golden[A], golden[B]]
    send(hub, B, name=B, codes=["x1", "x2"])
    assert groups(hub) == {"a", "b"}


def test_a_record_that_arrived_since_stays_with_the_side_of_its_evidence(hub: Hub) -> None:
    golden = alone(hub, A, B)
    send(hub, A, name=A, codes=["x1"])
    send(hub, B, name=B, codes=["x2"])
    merged = do(hub, Merge(golden[A], golden[B]))
    send(hub, C, name="c", codes=["x2"])
    send(hub, D, name="d", codes=["x1"])
    assert groups(hub) == {"abcd"}

    do(hub, Unmerge(merged.event_id))

    assert groups(hub) == {"ad", "bc"}
    assert ids(hub, A, B) == [golden[A], golden[B]]


@pytest.mark.parametrize("back", [Undo, Unmerge])
@pytest.mark.parametrize("is_newcomer", [True, False])
def test_who_was_merged_in_since_stays_where_a_merge_is_taken_back(
    hub: Hub, back: type[Undo | Unmerge], *, is_newcomer: bool
) -> None:
    golden = alone(hub, *([A, B] if is_newcomer else [A, B, C]))
    earlier = do(hub, Merge(golden[A], golden[B], golden[B]))
    golden[C] = alone(hub, C)[C]
    later = do(hub, Merge(golden[B], golden[C]))

    do(hub, back(earlier.event_id))

    assert ids(hub, A, B, C) == [golden[A], golden[B], golden[B]]
    do(hub, back(later.event_id))
    assert ids(hub, A, B, C) == [golden[A], golden[B], golden[C]]
    assert_sound(hub)


def test_an_unmerge_is_blocked_by_a_later_move_and_names_it(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    merged = do(hub, Merge(golden[A], golden[B]))
    moved = do(hub, Move(key(B), golden[C]))
    before = row_marks(hub)

    with pytest.raises(OperationBlocked) as refused:
        do(hub, Unmerge(merged.event_id))

    assert refused.value.blocking == (moved.event_id,)
    assert row_marks(hub) == before
    do(hub, Undo(moved.event_id))
    do(hub, Unmerge(merged.event_id))
    assert ids(hub, A, B, C) == [golden[A], golden[B], golden[C]]


def test_an_unmerge_is_blocked_by_a_decision_somebody_made_in_person(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    decided = service.list_decisions(hub)
    assert len(decided) == 1
    service.revoke(hub, decided[0].id, who="ann")
    assert groups(hub) == {"a", "b"}
    personal = service.decide(hub, key(A), key(B), Verdict("same", "sure"), who="bob")

    with pytest.raises(OperationBlocked) as refused:
        do(hub, Unmerge(merged.event_id))

    assert personal.id in refused.value.blocking[0]


def test_an_unmerge_does_not_pull_a_record_out_of_another_golden_record(hub: Hub) -> None:
    """Somebody tied a newcomer to who returns, by a record that is gone; it was merged with who stayed, elsewhere."""
    alone(hub, D)
    send(hub, A, name="a", codes=["x1"], batch="150483782")
    send(hub, C, name="c", codes=["x1", "x2"])
    send(hub, B, name="b", codes=["x2"], batch="804735132")
    assert groups(hub) == {"ac", "b", "d"}
    (survivor,) = set(ids(hub, A, C))
    delete(hub, A)
    assert (groups(hub), ids(hub, B)) == ({"bc", "d"}, [survivor])
    merged = service.events_of(hub, GoldenId(survivor))[-1]
    for gone in (C, D):
        delete(hub, gone)
    golden = alone(hub, A, E)
    assert (groups(hub), ids(hub, B)) == ({"a", "b", "e"}, [survivor])
    do(hub, Merge(golden[A], golden[E]))
    for record in (B, E):
        service.decide(hub, key(D), key(record), Verdict("same", "sure"), who="bob")
    before = row_marks(hub)

    with pytest.raises(OperationBlocked) as refused:
        do(hub, Unmerge(merged.id))

    assert any(D in one for one in refused.value.blocking)
    assert row_marks(hub) == before
    assert groups(hub) == {"ae", "b"}
    assert_sound(hub)


def test_an_event_is_taken_back_once(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    unmerged = do(hub, Unmerge(merged.event_id))

    with pytest.raises(OperationBlocked, match="is active since") as refused:
        do(hub, Unmerge(merged.event_id))

    assert refused.value.blocking == (unmerged.event_id,)


def test_an_unmerge_after_the_survivors_own_records_are_gone_leaves_no_empty_golden_record(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    deliver(hub, [delivery(A, "widget_hold", deleted=True)], who="test")

    do(hub, Unmerge(merged.event_id))

    assert ids(hub, B) == [golden[B]]
    assert_sound(hub)
    send(hub, A, name=A)
    assert ids(hub, A, B) == [golden[A], golden[B]]
    assert_sound(hub)


def test_an_unmerge_of_records_that_are_gone_is_refused(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    deliver(hub, [delivery(B, "widget_hold", deleted=True)], who="test")

    with pytest.raises(OperationBlocked, match="none of the records"):
        do(hub, Unmerge(merged.event_id))


def test_an_unmerge_of_records_that_were_retired_names_the_retirement_and_how_to_restore_them(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    retired = do(hub, Retire(golden[A]))

    with pytest.raises(OperationBlocked, match="none of the records") as refused:
        do(hub, Unmerge(merged.event_id))

    assert refused.value.blocking == (retired.event_id,)
    assert refused.value.remedy.endswith(f"bring them back with `mdm golden restore {golden[A]}`")
    do(hub, Restore(golden[A]))
    do(hub, Unmerge(merged.event_id))
    assert ids(hub, A, B) == [golden[A], golden[B]]


def test_an_event_that_never_was_is_unknown(hub: Hub) -> None:
    with pytest.raises(EventUnknown, match="evt_none"):
        do(hub, Undo(EventId("evt_none")))


def test_values_edited_by_hand_at_a_merge_are_shown_and_leave_with_it(hub: Hub) -> None:
    golden = alone(hub, A, B)
    before = hub_state(hub)
    merged = do(hub, Merge(golden[A], golden[B], values={"note": "by hand", "name": "Both"}))
    shown = next(one.after for one in merged.goldens if one.after.golden_id == golden[A])
    assert (shown.values["note"], shown.values["name"]) == ("by hand", "Both")
    assert shown.lineage["note"]["rule"] == "override"

    do(hub, Unmerge(merged.event_id))

    assert hub_state(hub) == before
    assert_sound(hub)


def test_an_override_follows_its_record_through_a_merge_and_home_again(hub: Hub) -> None:
    golden = alone(hub, A, B)
    set_override(hub, golden[B], Wish("note", "kept", "seen"), who="ann")
    before = hub_state(hub)
    merged = do(hub, Merge(golden[A], golden[B]))
    assert merged.goldens[0].after.values["note"] == "kept"

    do(hub, Unmerge(merged.event_id))

    assert hub_state(hub) == before


def test_what_matching_did_is_not_undone_but_unmerged(hub: Hub) -> None:
    golden = alone(hub, A)
    (event,) = service.events_of(hub, golden[A])

    with pytest.raises(InputInvalid, match="is no operation: ingest"):
        do(hub, Undo(event.id))


def test_many_merges_in_one_operation_are_taken_back_together_or_one_by_one(hub: Hub) -> None:
    golden = alone(hub, A, B, C, D)
    before = hub_state(hub)
    merged = do(hub, MergeAll(((golden[A], golden[B]), (golden[C], golden[D]))))
    assert groups(hub) == {"ab", "cd"}

    do(hub, Unmerge(merged.event_id, golden[D]))
    assert groups(hub) == {"ab", "c", "d"}
    do(hub, Unmerge(merged.event_id, golden[B]))
    assert hub_state(hub) == before
    again(hub, (A, B, C, D))
    assert groups(hub) == {"a", "b", "c", "d"}
    assert_sound(hub)


def test_many_unmerges_at_once_part_each_pair_and_nothing_else(hub: Hub) -> None:
    golden = alone(hub, A, B, C, D)
    before = hub_state(hub)
    merged = do(hub, MergeAll(((golden[A], golden[B]), (golden[C], golden[D]))))

    done = do(hub, Unmerge(merged.event_id))

    assert hub_state(hub) == before
    parted = sorted(one.left_key[-1] + one.right_key[-1] for one in done.made)
    assert parted == ["ab", "cd"]
    do(hub, Merge(golden[A], golden[C]))
    assert groups(hub) == {"ac", "b", "d"}


def test_a_chain_of_pairs_is_one_golden_record_whose_parts_come_home_to_their_own_ids(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    before = hub_state(hub)
    merged = do(hub, MergeAll(((golden[C], golden[B]), (golden[B], golden[A]))))
    assert ids(hub, A, B, C) == [golden[A]] * 3

    done = do(hub, Unmerge(merged.event_id))

    assert hub_state(hub) == before
    assert sorted(one.left_key[-1] + one.right_key[-1] for one in done.made) == ["ab", "ac", "bc"]
