"""What stewards do to golden records: foreseen exactly, true through all that arrives, or refused with the reason."""

import pytest

from mdm.decisions.model import Verdict
from mdm.errors import (
    DecisionContradicts,
    GoldenRecordRetired,
    InputInvalid,
    PlanOutdated,
)
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.stewardship import reviews, service
from mdm.stewardship.model import (
    By,
    Confirm,
    Dissolve,
    Judge,
    Merge,
    Move,
    Operation,
    Restore,
    Retire,
    Split,
    Undo,
    UnmergeRecord,
)
from mdm.stewardship.operations import perform, preview
from tests.hubs import assert_sound, delivery, golden_by_key, hub_state, row_marks
from tests.integration.stewardship.acts import A, B, C, E, again, alone, do, groups, ids, key, send, told

pytestmark = pytest.mark.db


def test_a_merge_joins_under_the_older_id_and_forwards_the_other(hub: Hub) -> None:
    golden = alone(hub, A, B)

    effect = do(hub, Merge(golden[B], golden[A]))

    assert ids(hub, A, B) == [golden[A], golden[A]]
    assert [(move.source_key, move.before, move.after) for move in effect.moved] == [(B, golden[B], golden[A])]
    assert [(one.verdict.judgement, one.left_key, one.right_key) for one in effect.made] == [("same", A, B)]
    assert_sound(hub)


def test_a_steward_may_choose_the_younger_id_to_survive(hub: Hub) -> None:
    golden = alone(hub, A, B)

    do(hub, Merge(golden[A], golden[B], survivor=golden[B]))

    assert ids(hub, A, B) == [golden[B], golden[B]]


def test_what_a_merge_joined_stays_joined_whatever_arrives(hub: Hub) -> None:
    golden = alone(hub, A, B)
    do(hub, Merge(golden[A], golden[B]))

    again(hub, (A, B))

    assert groups(hub) == {"ab"}


def test_a_merge_across_a_decision_is_refused_with_the_proof_and_changes_nothing(hub: Hub) -> None:
    golden = alone(hub, A, B)
    service.decide(hub, key(A), key(B), Verdict("different", "seen"), who="bob")
    before = row_marks(hub)

    with pytest.raises(DecisionContradicts, match="is different from"):
        do(hub, Merge(golden[A], golden[B]))

    assert row_marks(hub) == before


def test_a_merge_answers_what_somebody_was_unsure_of(hub: Hub) -> None:
    golden = alone(hub, A, B)
    service.decide(hub, key(A), key(B), Verdict("unsure", "seen"), who="bob")

    effect = do(hub, Merge(golden[A], golden[B]))

    assert [one.verdict.judgement for one in effect.ended] == ["unsure"]
    assert groups(hub) == {"ab"}
    assert reviews.list_reviews(hub) == ()


def test_one_golden_record_is_not_merged_with_itself(hub: Hub) -> None:
    golden = alone(hub, A, B)
    do(hub, Merge(golden[A], golden[B]))

    with pytest.raises(InputInvalid, match="one golden record already"):
        do(hub, Merge(golden[A], golden[B]))


def test_a_split_part_that_came_from_elsewhere_gets_its_own_id_back(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Merge(golden[A], golden[C]))

    # Two records against one; yet both came from elsewhere, and A's own id is A.
    do(hub, Split(golden[A], (frozenset({key(B), key(C)}),)))

    assert ids(hub, A, B, C) == [golden[A], golden[B], golden[B]]


@pytest.mark.parametrize(
    "parts", [({A, B},), ({A}, {A, B}), ({A}, set()), ({E},)], ids=["all", "twice", "empty", "no member"]
)
def test_parts_that_do_not_divide_are_refused(hub: Hub, parts: tuple[set[str], ...]) -> None:
    golden = alone(hub, A, B, E)
    do(hub, Merge(golden[A], golden[B]))

    with pytest.raises(InputInvalid) as refused:
        do(hub, Split(golden[A], tuple(frozenset(map(key, part)) for part in parts)))

    assert refused.value.field == "parts"


def test_a_moved_record_leaves_one_and_joins_the_other(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))

    do(hub, Move(key(B), golden[C]))

    assert ids(hub, A, B, C) == [golden[A], golden[C], golden[C]]
    again(hub, (A, B, C))
    assert groups(hub) == {"a", "bc"}
    assert_sound(hub)


def test_moving_the_only_record_forwards_the_golden_record_it_leaves(hub: Hub) -> None:
    golden = alone(hub, A, B)

    do(hub, Move(key(A), golden[B]))

    assert ids(hub, A, B) == [golden[B], golden[B]]
    assert_sound(hub)


def test_a_confirmed_golden_record_keeps_its_members_and_its_id_survives(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="blue", codes=["x2"])
    send(hub, C, name="blue", codes=["x2"])
    older, younger = ids(hub, A, B)

    do(hub, Confirm(GoldenId(younger)))
    send(hub, C, name="other", codes=["x3"])
    assert groups(hub) == {"a", "bc"}

    do(hub, Merge(GoldenId(older), GoldenId(younger)))
    assert ids(hub, A, B, C) == [younger] * 3


def test_a_retired_golden_record_stays_retired_whatever_its_source_says(hub: Hub) -> None:
    golden = alone(hub, A, B)
    before = hub_state(hub)

    do(hub, Retire(golden[A]))
    assert golden_by_key(hub) == {B: golden[B]}
    again(hub, (A,))
    assert golden_by_key(hub) == {B: golden[B]}
    assert_sound(hub)
    with pytest.raises(GoldenRecordRetired):
        do(hub, Merge(golden[A], golden[B]))

    send(hub, A, name=A, note="a")
    do(hub, Restore(golden[A]))
    assert hub_state(hub) == before
    assert_sound(hub)


def test_a_judgement_on_two_golden_records_binds_all_their_members(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="red", codes=["x1"])
    send(hub, C, name="blue", codes=["x2"])
    first, second = (GoldenId(id_) for id_ in ids(hub, A, C))

    effect = do(hub, Judge(first, second, Verdict("related", "holding", "parent_of")))

    assert sorted((one.verdict.judgement, one.left_key[-1] + one.right_key[-1]) for one in effect.made) == [
        ("different", "bc"),
        ("related", "ac"),
    ]
    with pytest.raises(DecisionContradicts):
        service.decide(hub, key(B), key(C), Verdict("same", "seen"), who="bob")


def test_decisions_that_stand_again_are_told_with_their_keys(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    unmerged = do(hub, UnmergeRecord(key(B)))

    undone = do(hub, Undo(unmerged.event_id))

    (again,) = undone.made
    assert (again.verdict.judgement, again.left_key, again.right_key) == ("same", A, B)
    assert [(one.left_key, one.right_key) for one in merged.made] == [(A, B)]


@pytest.mark.parametrize("kind", ["merge", "split", "move", "dissolve", "confirm", "retire", "judge"])
def test_a_preview_changes_nothing_and_equals_what_is_then_done(hub: Hub, kind: str) -> None:
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))
    operations: dict[str, Operation] = {
        "merge": Merge(golden[A], golden[C]),
        "split": Split(golden[A], (frozenset({key(A)}),)),
        "move": Move(key(B), golden[C]),
        "dissolve": Dissolve(golden[A]),
        "confirm": Confirm(golden[A]),
        "retire": Retire(golden[A]),
        "judge": Judge(golden[A], golden[C], Verdict("different", "seen")),
    }
    operation = operations[kind]
    before = row_marks(hub)

    foreseen = preview(hub, operation, By("ann", "seen"))
    assert row_marks(hub) == before
    done = perform(hub, operation, By("ann", "seen"))

    assert told(foreseen) == told(done)


def test_an_operation_decided_on_another_version_is_refused(hub: Hub) -> None:
    golden = alone(hub, A, B)
    again(hub, (A,))

    with pytest.raises(PlanOutdated, match="version"):
        do(hub, Merge(golden[A], golden[B]), expected={golden[A]: 1, golden[B]: 1})

    do(hub, Merge(golden[A], golden[B]), expected={golden[A]: 2, golden[B]: 1})


def test_an_operation_on_what_was_merged_meanwhile_is_refused(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))

    with pytest.raises(PlanOutdated):
        do(hub, Merge(golden[B], golden[C]), expected={golden[B]: 1})


def test_an_operation_needs_a_reason(hub: Hub) -> None:
    golden = alone(hub, A)

    with pytest.raises(InputInvalid, match="reason"):
        perform(hub, Confirm(golden[A]), By("ann", " "))


def test_a_merge_joins_what_was_joined_by_way_of_a_record_that_is_gone(hub: Hub) -> None:
    """Each had been decided to be the same as a record that its source deleted since, which joins nothing any more."""
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Merge(golden[A], golden[C]))
    deliver(hub, [delivery(A, "widget_hold", deleted=True)], who="test")
    assert groups(hub) == {"b", "c"}

    left, right = map(GoldenId, ids(hub, B, C))
    do(hub, Merge(left, right))

    assert groups(hub) == {"bc"}
    send(hub, A, name=A)
    assert groups(hub) == {"abc"}
    assert_sound(hub)
