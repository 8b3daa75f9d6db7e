"""An operation that is undone leaves everything as if it had not been done, or names what has leaned on it since."""

import pytest

from mdm.errors import OperationBlocked
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.stewardship import service
from mdm.stewardship.model import (
    Dissolve,
    Merge,
    Move,
    Split,
    Undo,
    Unmerge,
)
from mdm.stewardship.overrides import Wish, set_override
from tests.hubs import assert_sound, golden_by_key, hub_state, row_marks
from tests.integration.stewardship.acts import A, B, C, D, alone, delete, do, groups, ids, key, send

pytestmark = pytest.mark.db


def test_an_undone_merge_leaves_no_opinion(hub: Hub) -> None:
    golden = alone(hub, A, B)
    before = hub_state(hub)
    effect = do(hub, Merge(golden[A], golden[B]))

    do(hub, Undo(effect.event_id))

    assert hub_state(hub) == before
    assert [one.id for one in service.list_decisions(hub) if one.revoked_at is None] == []
    do(hub, Merge(golden[A], golden[B]))
    assert groups(hub) == {"ab"}


def test_what_ties_two_sides_to_a_record_that_is_gone_stands_when_a_merge_of_them_is_undone(hub: Hub) -> None:
    """They stood apart with it before the merge, and are together again once the record returns."""
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Merge(golden[A], golden[C]))
    delete(hub, A)
    before, said = hub_state(hub), standing(hub)
    left, right = map(GoldenId, ids(hub, B, C))
    effect = do(hub, Merge(left, right))

    do(hub, Undo(effect.event_id))

    assert (hub_state(hub), standing(hub)) == (before, said)
    assert said == {("a", "b"), ("a", "c")}
    send(hub, A, name=A)
    assert groups(hub) == {"abc"}
    assert_sound(hub)


@pytest.mark.parametrize("is_newcomer", [True, False])
def test_who_was_merged_in_since_stays_where_a_move_is_undone(hub: Hub, *, is_newcomer: bool) -> None:
    """Whenever it came; the merge tied it to the oldest record there, which is the one that was moved."""
    golden = alone(hub, *([A, B, C] if is_newcomer else [A, B, C, D]))
    do(hub, Merge(golden[A], golden[B]))
    moved = do(hub, Move(key(B), golden[C]))
    golden[D] = alone(hub, D)[D]
    merged = do(hub, Merge(golden[C], golden[D]))

    do(hub, Undo(moved.event_id))

    assert groups(hub) == {"ab", "cd"}
    assert ids(hub, A, C) == [golden[A], golden[C]]
    do(hub, Undo(merged.event_id))
    assert ids(hub, A, B, C, D) == [golden[A], golden[A], golden[C], golden[D]]
    assert_sound(hub)


@pytest.mark.parametrize("parting", ["split", "dissolve"])
@pytest.mark.parametrize("survivor", [B, C])
@pytest.mark.parametrize("is_newcomer", [True, False])
def test_an_undone_parting_is_blocked_by_a_later_merge_of_what_it_parted_and_names_it(
    hub: Hub, parting: str, survivor: str, *, is_newcomer: bool
) -> None:
    """Whether the parted golden record survived that merge or not, and whenever the other record came."""
    golden = alone(hub, *([A, B] if is_newcomer else [A, B, C]))
    do(hub, Merge(golden[A], golden[B]))
    parted = do(hub, Split(golden[A], (frozenset({key(B)}),)) if parting == "split" else Dissolve(golden[A]))
    golden[C] = alone(hub, C)[C]
    merged = do(hub, Merge(golden[B], golden[C], golden[survivor]))
    before = row_marks(hub)

    with pytest.raises(OperationBlocked) as refused:
        do(hub, Undo(parted.event_id))

    assert refused.value.blocking == (merged.event_id,)
    assert row_marks(hub) == before
    do(hub, Undo(merged.event_id))
    do(hub, Undo(parted.event_id))
    assert groups(hub) == {"ab", "c"}


def standing(hub: Hub) -> set[tuple[str, str]]:
    """Give the active decisions, each as the letters of its two records."""
    return {(one.left_key[-1], one.right_key[-1]) for one in service.list_decisions(hub) if one.revoked_at is None}


def test_an_undone_unmerge_is_the_merge_again(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    before = hub_state(hub)
    unmerged = do(hub, Unmerge(merged.event_id))

    do(hub, Undo(unmerged.event_id))

    assert hub_state(hub) == before
    do(hub, Unmerge(merged.event_id))
    assert ids(hub, A, B) == [golden[A], golden[B]]


def test_an_undone_split_is_one_golden_record_again(hub: Hub) -> None:
    for name in (A, B, C):
        send(hub, name, name="red", codes=["x1"])
    before = golden_by_key(hub)
    split = do(hub, Split(GoldenId(before[A]), (frozenset({key(C)}),)))

    do(hub, Undo(split.event_id))

    assert golden_by_key(hub) == before
    assert [one for one in service.list_decisions(hub) if one.revoked_at is None] == []
    assert_sound(hub)


def test_an_undone_split_does_not_name_what_was_done_before_it(hub: Hub) -> None:
    """A record that was deleted, and came home to its old tie since, was put there by nobody's later operation."""
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B], golden[B]))
    do(hub, Merge(golden[B], golden[C]))
    delete(hub, C)
    parted = do(hub, Split(golden[B], (frozenset({key(A)}),)))
    send(hub, C, name=C)
    assert groups(hub) == {"ac", "b"}

    do(hub, Undo(parted.event_id))

    assert ids(hub, A)[0] == ids(hub, B)[0]
    assert_sound(hub)


def test_an_override_is_undone_with_its_event(hub: Hub) -> None:
    golden = alone(hub, A)
    set_override(hub, golden[A], Wish("note", "first", "seen"), who="ann")
    before = hub_state(hub)
    set_override(hub, golden[A], Wish("note", "second", "seen"), who="ann")
    last = service.events_of(hub, golden[A])[-1]

    do(hub, Undo(last.id))

    assert {id_: row[:5] for id_, row in hub_state(hub).items()} == {id_: row[:5] for id_, row in before.items()}
