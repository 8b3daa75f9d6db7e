"""A decision that cannot hold beside the others is refused with the chain of facts that proves it."""

from datetime import UTC, datetime

import pytest

from mdm.decisions.closure import parting_chain, require_consistent
from mdm.decisions.model import Decision, Judgement, Verdict
from mdm.errors import DecisionContradicts
from mdm.ids import DecisionId, RecordId

A, B, C, D, E = (RecordId(letter) for letter in "abcde")


def made(left: RecordId, judgement: Judgement, right: RecordId) -> Decision:
    verdict = Verdict(judgement, "because", "parent_of" if judgement == "related" else None)
    id_ = DecisionId(f"dec_{left}{right}")
    return Decision(id_, "customer", left, right, verdict, "ann", datetime(2026, 1, 1, tzinfo=UTC))


def chain_against(active: list[Decision], left: RecordId, judgement: Judgement, right: RecordId) -> tuple[str, ...]:
    with pytest.raises(DecisionContradicts) as refused:
        require_consistent(active, [(left, right)], made(left, judgement, right).verdict)
    for fact in refused.value.chain:
        assert fact in refused.value.message
    return refused.value.chain


@pytest.mark.parametrize("judgement", ["different", "related", "unsure"])
def test_records_that_a_chain_makes_the_same_cannot_be_parted(judgement: Judgement) -> None:
    active = [made(B, "same", C), made(A, "same", B)]

    assert chain_against(active, A, judgement, C) == (
        "a is the same as b (dec_ab, ann)",
        "b is the same as c (dec_bc, ann)",
    )


@pytest.mark.parametrize(
    ("judgement", "words"),
    [("different", "is different from"), ("related", "is parent_of"), ("unsure", "is perhaps the same as")],
)
def test_groups_that_a_decision_parts_cannot_be_joined(judgement: Judgement, words: str) -> None:
    active = [made(A, "same", B), made(B, judgement, C), made(C, "same", D)]

    assert chain_against(active, A, "same", D) == (
        "a is the same as b (dec_ab, ann)",
        f"b {words} c (dec_bc, ann)",
        "c is the same as d (dec_cd, ann)",
    )


def test_the_chain_runs_from_left_to_right_whichever_way_the_parting_decision_was_made() -> None:
    active = [made(A, "same", B), made(C, "different", B)]

    assert chain_against(active, A, "same", C) == (
        "a is the same as b (dec_ab, ann)",
        "c is different from b (dec_cb, ann)",
    )


def test_the_chain_is_the_shortest() -> None:
    active = [made(A, "same", B), made(B, "same", C), made(A, "same", C)]

    assert chain_against(active, A, "different", C) == ("a is the same as c (dec_ac, ann)",)


def test_one_decision_about_the_pair_itself_is_chain_enough() -> None:
    assert chain_against([made(A, "different", B)], A, "same", B) == ("a is different from b (dec_ab, ann)",)


@pytest.mark.parametrize("judgement", ["same", "different", "unsure"])
def test_the_first_decision_of_all_contradicts_nothing(judgement: Judgement) -> None:
    require_consistent([], [(A, B)], Verdict(judgement, "because"))


def test_joining_what_is_joined_already_contradicts_nothing() -> None:
    require_consistent([made(A, "same", B), made(B, "same", C)], [(A, C)], Verdict("same", "because"))


def test_parted_records_may_be_parted_again_for_another_reason() -> None:
    require_consistent([made(A, "different", B)], [(A, B)], Verdict("related", "because", "sister_of"))


def test_a_decision_between_other_groups_does_not_stand_in_the_way() -> None:
    # A-B and D-E are groups; A and C are parted, which says nothing of A and D.
    active = [made(A, "same", B), made(A, "different", C), made(D, "same", E)]

    require_consistent(active, [(B, D)], Verdict("same", "because"))


def test_the_chain_that_parts_two_sides_reads_from_one_to_the_other() -> None:
    active = [made(C, "different", B), made(A, "same", B), made(D, "same", C), made(D, "same", E)]

    assert [one.id for one in parting_chain(active, [A], [E])] == ["dec_ab", "dec_cb", "dec_dc", "dec_de"]
    assert [one.id for one in parting_chain(active, [E], [A])] == ["dec_de", "dec_dc", "dec_cb", "dec_ab"]
    assert [one.id for one in parting_chain(active, [A, B], [C, D])] == ["dec_cb"]


def test_sides_that_no_decision_parts_have_no_chain() -> None:
    active = [made(A, "same", B), made(C, "different", D)]

    assert parting_chain(active, [A], [B]) == ()
    assert parting_chain(active, [A], [C, D]) == ()
    assert parting_chain([], [A], [B]) == ()
