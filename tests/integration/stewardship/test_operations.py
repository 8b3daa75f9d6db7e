"""What stewards do to golden records: exact, dry before it is done, taken back exactly, or refused with the reason."""

from collections.abc import Iterable
from typing import Any

import pytest

from mdm.decisions.model import Verdict
from mdm.errors import (
    DecisionContradicts,
    EventUnknown,
    GoldenRecordNotActive,
    InputInvalid,
    OperationBlocked,
    PlanOutdated,
)
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service
from mdm.stewardship.model import (
    By,
    Confirm,
    Dissolve,
    Effect,
    Judge,
    Merge,
    Move,
    Operation,
    Restore,
    Retire,
    Split,
    Undo,
    Unmerge,
    UnmergeBranch,
    UnmergeRecord,
)
from mdm.stewardship.operations import perform, preview
from tests.hubs import assert_sound, delivery, golden_by_key, hub_state, partition_of, row_marks

pytestmark = pytest.mark.db

A, B, C, D, E = (f"crm-east/Account:{letter}" for letter in "abcde")
ANN = By("ann", "seen")


def key(text: str) -> SourceKey:
    return SourceKey.parse(text)


def send(hub: Hub, record: str, **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(record, "widget_hold", **fields)], who="test")
    assert outcome.status != "rejected"


def alone(hub: Hub, *names: str) -> dict[str, GoldenId]:
    """Deliver records that nothing joins."""
    for name in names:
        send(hub, name, name=name, note=name[-1])
    return {name: GoldenId(id_) for name, id_ in golden_by_key(hub).items()}


def do(hub: Hub, operation: Operation, **said: Any) -> Effect:
    return perform(hub, operation, By(said.pop("who", "ann"), "seen", **said))


def groups(hub: Hub) -> set[str]:
    return {"".join(sorted(one[-1] for one in group)) for group in partition_of(hub)}


def ids(hub: Hub, *names: str) -> list[str]:
    golden = golden_by_key(hub)
    return [golden[name] for name in names]


def again(hub: Hub, names: Iterable[str]) -> None:
    """Deliver news that changes no name, so that everything is matched anew."""
    for name in names:
        send(hub, name, name=name, note="again")


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
    assert service.list_reviews(hub) == ()


def test_one_golden_record_is_not_merged_with_itself(hub: Hub) -> None:
    golden = alone(hub, A, B)
    do(hub, Merge(golden[A], golden[B]))

    with pytest.raises(InputInvalid, match="one golden record already"):
        do(hub, Merge(golden[A], golden[B]))


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


def test_an_undone_merge_leaves_no_opinion(hub: Hub) -> None:
    golden = alone(hub, A, B)
    before = hub_state(hub)
    effect = do(hub, Merge(golden[A], golden[B]))

    do(hub, Undo(effect.event_id))

    assert hub_state(hub) == before
    assert [one.id for one in service.list_decisions(hub) if one.revoked_at is None] == []
    do(hub, Merge(golden[A], golden[B]))
    assert groups(hub) == {"ab"}


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


def test_u1_a_linear_unmerge_takes_one_record_out_and_gives_it_its_own_id(hub: Hub) -> None:
    golden = alone(hub, A, B, C, D)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Merge(golden[C], golden[D]))
    do(hub, Merge(golden[A], golden[C]))
    assert groups(hub) == {"abcd"}

    do(hub, UnmergeRecord(key(C)))

    assert groups(hub) == {"abd", "c"}
    assert ids(hub, A, B, C, D) == [golden[A], golden[A], golden[C], golden[A]]
    again(hub, (A, B, C, D))
    assert groups(hub) == {"abd", "c"}
    assert_sound(hub)


def test_u2_a_branch_unmerge_takes_out_what_had_come_together_before(hub: Hub) -> None:
    golden = alone(hub, A, B, C, D)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Merge(golden[C], golden[D]))
    before = hub_state(hub)
    do(hub, Merge(golden[A], golden[C]))

    do(hub, UnmergeBranch(key(C)))

    assert groups(hub) == {"ab", "cd"}
    assert ids(hub, A, B, C, D) == [golden[A], golden[A], golden[C], golden[C]]
    assert hub_state(hub) == before
    assert_sound(hub)


def test_u3_each_merge_of_a_tree_is_unmerged_for_itself(hub: Hub) -> None:
    golden = alone(hub, A, B, C, D)
    first = do(hub, Merge(golden[A], golden[B]))
    do(hub, Merge(golden[C], golden[D]))
    do(hub, Merge(golden[A], golden[C]))

    do(hub, Unmerge(first.event_id))

    assert groups(hub) == {"acd", "b"}
    assert ids(hub, A, B, C, D) == [golden[A], golden[B], golden[A], golden[A]]
    assert_sound(hub)


def test_u3_a_merge_is_unmerged_although_its_survivor_was_merged_on(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    first = do(hub, Merge(golden[B], golden[C]))
    do(hub, Merge(golden[A], golden[B]))
    assert ids(hub, A, B, C) == [golden[A]] * 3

    do(hub, Unmerge(first.event_id))

    assert ids(hub, A, B, C) == [golden[A], golden[A], golden[C]]
    again(hub, (A, B, C))
    assert groups(hub) == {"ab", "c"}
    assert_sound(hub)


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


def test_an_event_is_taken_back_once(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    unmerged = do(hub, Unmerge(merged.event_id))

    with pytest.raises(OperationBlocked, match="took it back already") as refused:
        do(hub, Unmerge(merged.event_id))

    assert refused.value.blocking == (unmerged.event_id,)


def test_an_undone_unmerge_is_the_merge_again(hub: Hub) -> None:
    golden = alone(hub, A, B)
    merged = do(hub, Merge(golden[A], golden[B]))
    before = hub_state(hub)
    unmerged = do(hub, Unmerge(merged.event_id))

    do(hub, Undo(unmerged.event_id))

    assert hub_state(hub) == before
    do(hub, Unmerge(merged.event_id))
    assert ids(hub, A, B) == [golden[A], golden[B]]


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


def test_a_split_divides_anew_and_stays(hub: Hub) -> None:
    for name in (A, B, C):
        send(hub, name, name="red", codes=["x1"])
    (golden_id,) = set(golden_by_key(hub).values())

    do(hub, Split(GoldenId(golden_id), (frozenset({key(C)}),)))

    assert groups(hub) == {"ab", "c"}
    assert ids(hub, A, B) == [golden_id] * 2
    for name in (A, B, C):
        send(hub, name, name="red", codes=["x1"], note="again")
    assert groups(hub) == {"ab", "c"}
    assert_sound(hub)


def test_a_split_part_that_came_from_elsewhere_gets_its_own_id_back(hub: Hub) -> None:
    golden = alone(hub, A, B, C)
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Merge(golden[A], golden[C]))

    # Two records against one; yet both came from elsewhere, and A's own id is A.
    do(hub, Split(golden[A], (frozenset({key(B), key(C)}),)))

    assert ids(hub, A, B, C) == [golden[A], golden[B], golden[B]]


def test_an_undone_split_is_one_golden_record_again(hub: Hub) -> None:
    for name in (A, B, C):
        send(hub, name, name="red", codes=["x1"])
    before = golden_by_key(hub)
    split = do(hub, Split(GoldenId(before[A]), (frozenset({key(C)}),)))

    do(hub, Undo(split.event_id))

    assert golden_by_key(hub) == before
    assert [one for one in service.list_decisions(hub) if one.revoked_at is None] == []
    assert_sound(hub)


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


def test_dissolving_lets_every_record_stand_alone_and_keeps_what_was_parted(hub: Hub) -> None:
    golden = alone(hub, A, B, C, D)
    service.decide(hub, key(A), key(D), Verdict("different", "seen"), who="bob")
    do(hub, Merge(golden[A], golden[B]))
    do(hub, Merge(golden[A], golden[C]))

    do(hub, Dissolve(golden[A]))

    assert ids(hub, A, B, C, D) == [golden[A], golden[B], golden[C], golden[D]]
    with pytest.raises(DecisionContradicts):
        do(hub, Merge(golden[A], golden[D]))
    with pytest.raises(DecisionContradicts):
        do(hub, Merge(golden[A], golden[B]))
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
    with pytest.raises(GoldenRecordNotActive):
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

    foreseen = preview(hub, operation, ANN)
    assert row_marks(hub) == before
    done = perform(hub, operation, ANN)

    assert told(foreseen) == told(done)


def told(effect: Effect) -> Any:
    """Tell an effect but for what is made anew each time: ids of decisions and the event, instants."""
    return (
        effect.kind,
        effect.moved,
        [
            (one.before and one.before.values, one.after.golden_id, one.after.version, one.after.values)
            for one in effect.goldens
        ],
        sorted((one.verdict.judgement, one.left_key, one.right_key) for one in effect.made),
        sorted((one.verdict.judgement, one.left_key, one.right_key) for one in effect.ended),
        effect.targets,
    )


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


def test_an_event_that_never_was_is_unknown(hub: Hub) -> None:
    with pytest.raises(EventUnknown, match="evt_none"):
        do(hub, Undo(EventId("evt_none")))


def test_an_operation_needs_a_reason(hub: Hub) -> None:
    golden = alone(hub, A)

    with pytest.raises(InputInvalid, match="reason"):
        perform(hub, Confirm(golden[A]), By("ann", " "))
