"""Golden ids at rest, when an operation wakes them or lays them to rest again: their standing, where they lead."""

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import (
    OperationBlocked,
)
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.stewardship import service
from mdm.stewardship.model import (
    Confirm,
    Dissolve,
    Merge,
    Move,
    Restore,
    Retire,
    Split,
    Undo,
    Unmerge,
    UnmergeRecord,
)
from tests.hubs import assert_sound, delivery, golden_by_key, hub_state
from tests.integration.stewardship.acts import A, B, C, D, E, alone, do, groups, ids, key, send

pytestmark = pytest.mark.db


def acknowledge(hub: Hub, *golden_ids: GoldenId) -> None:
    """Let a target acknowledge golden records: they are established from now on."""
    run(hub.engine, lambda c: identity_store.mark_published(c, golden_ids, at=clock.now()))


def test_an_id_that_an_undone_unmerge_lays_to_rest_again_has_the_standing_it_rested_with(hub: Hub) -> None:
    """It woke as a part of what a target had acknowledged; that is undone too."""
    golden = alone(hub, A, B)
    do(hub, Merge(golden[A], golden[B]))
    acknowledge(hub, golden[A])
    before = hub_state(hub)
    taken_out = do(hub, UnmergeRecord(key(B)))

    do(hub, Undo(taken_out.event_id))

    assert hub_state(hub) == before


def test_an_id_that_an_undone_split_lays_to_rest_again_leads_where_it_led(hub: Hub) -> None:
    """The id of b leads to that of a, although b was moved on to c."""
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Move(key(B), golden[C]))
    before = hub_state(hub)
    split = do(hub, Split(golden[C], (frozenset({key(B)}),)))
    assert ids(hub, B) == [golden[B]]

    do(hub, Undo(split.event_id))

    assert hub_state(hub) == before


@pytest.mark.parametrize("how", ["undone", "restored"])
def test_an_established_golden_record_comes_back_from_retirement_with_its_records(hub: Hub, how: str) -> None:
    """Also where matching alone would put them into another one."""
    golden = alone(hub, A, B)
    acknowledge(hub, golden[A], golden[B])
    for name in (A, B):
        send(hub, name, name=name, codes=["x1"])
    before = hub_state(hub)
    retired = do(hub, Retire(golden[A]))

    do(hub, Undo(retired.event_id) if how == "undone" else Restore(golden[A]))

    assert hub_state(hub) == before
    assert_sound(hub)


def test_an_undone_move_lets_what_it_woke_and_what_it_absorbed_rest_and_return_as_they_were(hub: Hub) -> None:
    """A's own id goes along with A, B goes home: both forwards are given back, B's to the id that returns."""
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))
    before = hub_state(hub)
    moved = do(hub, Move(key(A), golden[C]))
    assert ids(hub, A, B, C) == [golden[C], golden[B], golden[C]]

    do(hub, Undo(moved.event_id))

    assert hub_state(hub) == before


def test_an_undone_split_of_an_established_golden_record_holds_together_what_matching_would_part(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="blue", codes=["x1"])
    acknowledge(hub, GoldenId(ids(hub, A)[0]))
    send(hub, B, name="blue", codes=["x2"])
    before = hub_state(hub)
    split = do(hub, Split(GoldenId(ids(hub, A)[0]), (frozenset({key(B)}),)))
    assert groups(hub) == {"a", "b"}

    do(hub, Undo(split.event_id))

    now = hub_state(hub)
    (minted,) = now.keys() - before.keys()
    assert now.pop(minted)[:2] == ("forwarded", ids(hub, A)[0])
    assert now == before


def test_a_record_that_comes_back_brings_no_standing_along(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))
    acknowledge(hub, golden[C])
    before = hub_state(hub)
    moved = do(hub, Move(key(B), golden[C]))

    do(hub, Undo(moved.event_id))

    assert hub_state(hub) == before


def test_a_restored_golden_record_has_the_id_by_which_it_was_retired(hub: Hub) -> None:
    golden = alone(hub, A, B)
    do(hub, Merge(golden[A], golden[B], golden[B]))
    do(hub, Retire(golden[B]))

    do(hub, Restore(golden[B]))

    assert ids(hub, A, B) == [golden[B], golden[B]]


def test_an_undone_restoration_lets_an_id_that_it_woke_lead_where_it_led(hub: Hub) -> None:
    golden = alone(hub, A, B)
    for name in (A, B):
        send(hub, name, name=name, codes=["x1"])
    assert ids(hub, A, B) == [golden[A], golden[A]]
    do(hub, Retire(golden[A]))
    send(hub, B, name=B, codes=["x2"])
    before = hub_state(hub)
    restored = do(hub, Restore(golden[A]))
    assert ids(hub, A, B) == [golden[A], golden[B]]

    do(hub, Undo(restored.event_id))

    assert hub_state(hub) == before


def test_what_an_operation_put_elsewhere_is_not_unmerged_from_what_absorbed_the_rest(hub: Hub) -> None:
    """D's golden record is dissolved: A goes home, D joins C by its code and takes the id along."""
    golden = alone(hub, C, A, D)
    service.decide(hub, key(C), key(A), Verdict("different", "seen"), who="ann")
    do(hub, Merge(golden[A], golden[D], golden[D]))
    for name in (C, D):
        send(hub, name, name=name, codes=["x2"])
    dissolved = do(hub, Dissolve(golden[D]))
    assert ids(hub, A, C, D) == [golden[A], golden[C], golden[C]]

    with pytest.raises(OperationBlocked) as refused:
        do(hub, Unmerge(dissolved.event_id))

    assert refused.value.blocking == (dissolved.event_id,)
    do(hub, Undo(dissolved.event_id))
    assert ids(hub, A, C, D) == [golden[D], golden[C], golden[D]]


def test_what_is_unmerged_does_not_take_the_id_of_an_established_golden_record_that_it_meets(hub: Hub) -> None:
    """C matches B as soon as B is parted from A; C is confirmed, so its id survives, also over the one that returns."""
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    send(hub, B, name=B, codes=["x2"])
    send(hub, C, name=C, codes=["x3"])
    service.decide(hub, key(C), key(A), Verdict("different", "seen"), who="ann")
    third = GoldenId(ids(hub, C)[0])
    do(hub, Confirm(third))
    send(hub, C, name=C, codes=["x2"])
    assert groups(hub) == {"ab", "c"}

    do(hub, Unmerge(merged.event_id))

    assert ids(hub, A, B, C) == [golden[A], third, third]
    assert hub_state(hub)[third][2] is True, "it is confirmed still"


def test_an_undone_merge_leaves_alone_what_was_led_elsewhere_since(hub: Hub) -> None:
    """A takes B, C takes A, D takes C; C returns with A and B, and then D's own merge of it is taken back too."""
    golden = alone(hub, A, B, C, D, E)
    first = do(hub, Merge(golden[A], golden[B], golden[A]))
    do(hub, Merge(golden[C], golden[A], golden[C]))
    third = do(hub, Merge(golden[D], golden[C], golden[D]))
    fourth = do(hub, Merge(golden[E], golden[D], golden[E]))
    do(hub, Unmerge(third.event_id))

    do(hub, Undo(fourth.event_id))

    assert hub_state(hub)[golden[A]][:2] == ("forwarded", golden[C])
    do(hub, Unmerge(first.event_id))
    assert ids(hub, A, B, C, D, E) == [golden[C], golden[B], golden[C], golden[D], golden[E]]


def test_a_record_whose_deletion_let_the_rest_be_absorbed_is_parted_too(hub: Hub) -> None:
    """B kept C from A; once B is deleted, C joins A and D. Parted again, B would not meet D either when it returns."""
    golden = alone(hub, A, B, C, D)
    service.decide(hub, key(A), key(B), Verdict("different", "seen"), who="ann")
    do(hub, Merge(golden[B], golden[C]))
    do(hub, Merge(golden[A], golden[D]))
    for name in (A, C):
        send(hub, name, name=name, codes=["x1"])
    assert groups(hub) == {"ad", "bc"}
    deliver(hub, [delivery(B, "widget_hold", deleted=True)], who="test")
    assert groups(hub) == {"acd"}
    absorbed = service.events_of(hub, golden[B])[-1]

    do(hub, Unmerge(absorbed.id, golden[B]))

    assert ids(hub, A, C, D) == [golden[A], golden[B], golden[A]]
    apart = {frozenset((one.left_key[-1], one.right_key[-1])) for one in service.list_decisions(hub) if not one.joins}
    assert {frozenset("bd"), frozenset("cd"), frozenset("ac")} <= apart


def test_an_undone_split_is_taken_apart_or_refused_also_once_the_id_that_it_led_to_was_absorbed(hub: Hub) -> None:
    """The undo laid the id of b to rest on that of a, which it did not touch itself, and d absorbed a since."""
    golden = alone(hub, A, B, C, D)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Move(key(B), golden[C]))
    split = do(hub, Split(golden[C], (frozenset({key(B)}),)))
    undone = do(hub, Undo(split.event_id))
    do(hub, Merge(golden[D], golden[A], golden[D]))
    before = hub_state(hub)

    with pytest.raises(OperationBlocked) as refused:
        do(hub, Unmerge(undone.event_id))

    assert f"none of the records of {golden[B]}" in refused.value.message
    assert hub_state(hub) == before


def test_who_takes_in_a_restored_record_is_established_as_that_was(hub: Hub) -> None:
    """Else the next look would merge what the restoration has just kept apart from other established ones."""
    golden = alone(hub, A, B)
    acknowledge(hub, golden[B])
    do(hub, Retire(golden[B]))
    for name in (A, B):
        send(hub, name, name="red", codes=["x1"])

    do(hub, Restore(golden[B]))

    assert ids(hub, A, B) == [golden[A], golden[A]]
    state = hub_state(hub)
    assert state[golden[B]][:2] == ("forwarded", golden[A])
    with hub.engine.connect() as connection:
        assert identity_store.select_goldens(connection, [golden[A]])[golden[A]].is_acknowledged
    assert_sound(hub)


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_restored_golden_record_survives_a_younger_one_that_was_minted_meanwhile(
    hub: Hub, *, is_confirmed: bool
) -> None:
    own, other = restored_beside_a_younger_one(hub, is_confirmed=is_confirmed)

    assert ids(hub, A, B) == [own, own]
    assert hub_state(hub)[other][:2] == ("forwarded", own)
    assert_sound(hub)


def test_an_undone_restoration_gives_back_what_it_absorbed_also_once_more_has_happened(hub: Hub) -> None:
    own, other = restored_beside_a_younger_one(hub)
    restored = service.events_of(hub, own)[-1]
    send(hub, C, name="red", codes=["x1"], note="c")
    assert groups(hub) == {"abc"}

    do(hub, Undo(restored.id))

    assert groups(hub) == {"bc"}
    assert ids(hub, B) == [other]
    assert hub_state(hub)[own][:2] == ("retired", None)
    assert_sound(hub)
    do(hub, Restore(own))
    assert ids(hub, A, B, C) == [own, own, own]


def test_an_undone_restoration_leaves_a_retired_golden_record_that_can_be_restored(hub: Hub) -> None:
    """Also where an older one had absorbed it, and was absorbed itself since."""
    golden = alone(hub, A, B, C)
    do(hub, Retire(golden[C]))
    for name in (B, C):
        send(hub, name, name="red", codes=["x1"])
    restored = do(hub, Restore(golden[C]))
    assert ids(hub, C) == [golden[B]]
    do(hub, Merge(golden[A], golden[B]))

    do(hub, Undo(restored.event_id))

    assert hub_state(hub)[golden[C]][:2] == ("retired", None)
    assert ids(hub, A, B) == [golden[A], golden[A]]
    assert_sound(hub)
    do(hub, Restore(golden[C]))
    assert ids(hub, A, B, C) == [golden[A]] * 3


def restored_beside_a_younger_one(hub: Hub, *, is_confirmed: bool = False) -> tuple[GoldenId, GoldenId]:
    """Retire the golden record of a, send b that is alike, and restore it: give its id, and that of b meanwhile."""
    send(hub, A, name="red", codes=["x1"], note="a")
    own = GoldenId(ids(hub, A)[0])
    if is_confirmed:
        do(hub, Confirm(own))
    do(hub, Retire(own))
    send(hub, B, name="red", codes=["x1"], note="b")
    (other,) = ids(hub, B)
    do(hub, Restore(own))
    return own, GoldenId(other)


@pytest.mark.parametrize("is_confirmed", [True, False])
def test_who_was_parted_comes_back_under_the_id_that_the_other_part_bears_by_now(hub: Hub, is_confirmed: bool) -> None:
    """The id that a dissolution gave back for a while rests again once it is undone, and survives nothing."""
    send(hub, A, name=A)
    send(hub, C, name=C)
    send(hub, B, name=B)
    golden = {name: GoldenId(id_) for name, id_ in golden_by_key(hub).items()}
    do(hub, Merge(golden[A], golden[B]))
    parted = do(hub, Dissolve(golden[A]))
    if is_confirmed:
        do(hub, Confirm(golden[C]))
    do(hub, Merge(golden[A], golden[C], golden[C]))

    do(hub, Undo(parted.event_id))

    assert golden_by_key(hub) == dict.fromkeys([A, B, C], golden[C])
    assert_sound(hub)
