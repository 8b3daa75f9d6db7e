"""Answers to reviews: refused when outdated, undone step by step, given in bands, approved by a second person."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review, ReviewFilter
from mdm.entities.model import ReviewApproval, ReviewPolicy
from mdm.errors import (
    ApprovalNeedsAnother,
    ApprovalPending,
    InputInvalid,
    ReviewClaimed,
    ReviewClosed,
    ReviewNotAnswered,
    ReviewOutdated,
    ReviewUnknown,
)
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.stewardship import answers, reviews, service
from mdm.stewardship.answers import Given
from tests.hubs import assert_sound, golden_by_key, partition_of, row_marks
from tests.integration.stewardship.widgets import (
    A,
    B,
    C,
    acknowledge,
    asked,
    decide,
    delete,
    feed,
    possible_matches,
    send,
    the_review,
    with_policy,
)

pytestmark = pytest.mark.db

SAME, DIFFERENT, UNSURE = (Verdict(word, "looked at it") for word in ("same", "different", "unsure"))
WIDGETS = ReviewFilter(entity_types=("widget_hold",))


def give(hub: Hub, review: Review, verdict: Verdict = SAME, *, who: str = "ann", **more: Any) -> Given:
    return answers.answer_review(hub, review.id, verdict, expected=review.versions, who=who, **more)


def open_ids(hub: Hub) -> set[str]:
    return {str(one.id) for one in reviews.list_reviews(hub)}


@pytest.fixture
def asking(hub: Hub) -> Hub:
    """Give one question: are A and B the same?"""
    send(hub, A, name="red")
    send(hub, B, name="red")
    return hub


@pytest.mark.parametrize(
    ("verdict", "groups", "left"),
    [
        (SAME, 1, []),
        (DIFFERENT, 2, []),
        (Verdict("related", "a sister", "sister_of"), 2, []),
        (UNSURE, 2, [("unsure", "ab")]),
    ],
)
def test_an_answer_is_carried_out_and_closes_its_review(
    asking: Hub, verdict: Verdict, groups: int, left: list[tuple[str, str]]
) -> None:
    review = the_review(asking)

    given = give(asking, review, verdict)

    assert (len(partition_of(asking)), asked(asking)) == (groups, left)
    assert given.answer.state == "carried_out"
    assert given.review.closed_because == f"answered {verdict.relation or verdict.judgement}"
    assert [one.verdict for one in service.list_decisions(asking)] == [verdict]
    assert_sound(asking)


def test_an_answer_binds_whole_golden_records(hub: Hub) -> None:
    for key, name, code in ((A, "red", "x1"), (B, "blue", "x1"), (C, "red", "x2")):
        send(hub, key, name=name, codes=[code])
    give(hub, the_review(hub), DIFFERENT)

    # B alone would match C now, but for the answer about the golden record of A and B.
    delete(hub, A)
    send(hub, C, name="red", codes=["x1"])

    assert len(partition_of(hub)) == 2


def test_an_answer_to_what_changed_since_is_refused_with_what_changed(asking: Hub) -> None:
    review = the_review(asking)
    send(asking, B, name="red", note="news")
    changed = golden_by_key(asking)[B]

    with pytest.raises(ReviewOutdated, match=f"{changed} is at version 2, you read 1"):
        give(asking, review)
    assert (len(partition_of(asking)), asked(asking)) == (2, [("possible_match", "ab")])


def test_an_answer_to_a_record_that_belongs_elsewhere_by_now_is_refused(asking: Hub) -> None:
    review = the_review(asking)
    send(asking, C, name="green")
    decide(asking, B, C, "same")

    with pytest.raises(ReviewOutdated, match=r"is at version \d, you read 1"):
        give(asking, review)


def test_a_closed_review_is_not_answered_twice(asking: Hub) -> None:
    review = the_review(asking)
    give(asking, review)

    with pytest.raises(ReviewClosed, match="answered same"):
        give(asking, review, DIFFERENT, who="bob")


def test_of_two_stewards_who_answer_at_once_one_is_heard(asking: Hub) -> None:
    review = the_review(asking)

    def attempt(steward: tuple[str, Verdict]) -> str:
        try:
            return give(asking, review, steward[1], who=steward[0]).answer.who
        except (ReviewClosed, ReviewOutdated) as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        heard = list(pool.map(attempt, [("ann", SAME), ("bob", DIFFERENT)]))

    assert len({"ann", "bob"} & set(heard)) == 1
    assert {"review_closed", "review_outdated"} & set(heard)
    (decision,) = service.list_decisions(asking)
    assert decision.who in heard
    assert_sound(asking)


def test_a_claimed_review_is_answered_by_its_steward_alone(asking: Hub) -> None:
    review = the_review(asking)
    with asking.engine.begin() as connection:
        reviews.claim(connection, review.id, minutes=30, who="bob")

    with pytest.raises(ReviewClaimed, match="bob"):
        give(asking, review)
    assert give(asking, review, who="bob").answer.state == "carried_out"
    assert reviews.pace(asking, who="bob").timed == 1
    assert reviews.pace(asking, who="ann").answers == 0


def test_unsure_is_no_answer_to_a_review_that_is_open_because_somebody_was(asking: Hub) -> None:
    give(asking, the_review(asking), UNSURE)

    with pytest.raises(InputInvalid, match="somebody was unsure"):
        give(asking, the_review(asking, "unsure"), UNSURE)


@pytest.mark.parametrize(
    "verdict", [Verdict("related", "x"), Verdict("same", "x", "sister_of"), Verdict("same", " ")], ids=str
)
def test_a_malformed_answer_is_refused_also_where_it_would_wait(risky: Hub, verdict: Verdict) -> None:
    with pytest.raises(InputInvalid):
        give(risky, the_review(risky), verdict)
    with pytest.raises(InputInvalid):
        give(approving(risky), the_review(risky), verdict)


def test_a_review_that_never_was_cannot_be_answered(hub: Hub) -> None:
    with pytest.raises(ReviewUnknown, match="rev_none"):
        answers.answer_review(hub, ReviewId("rev_none"), SAME, who="ann")


def test_a_dry_run_tells_the_same_and_writes_nothing(asking: Hub) -> None:
    review, before = the_review(asking), row_marks(asking)

    rehearsed = answers.rehearse_answer(asking, review.id, SAME, expected=review.versions, who="ann")
    assert row_marks(asking) == before

    given = give(asking, review)
    assert rehearsed.effects == given.effects
    assert [(one.records, one.forwarded, one.created) for one in given.effects] == [(1, 1, 0)]


def test_three_answers_are_undone_in_order(hub: Hub) -> None:
    found = possible_matches(hub, ["red", "green", "blue"])
    before = golden_by_key(hub)
    for review in found:
        give(hub, review)
    assert len(partition_of(hub)) == 3

    undone = [answers.undo(hub, who="ann").review.id for _ in found]

    assert undone == [review.id for review in reversed(found)]
    assert golden_by_key(hub) == before
    assert open_ids(hub) == {review.id for review in found}
    with pytest.raises(ReviewNotAnswered, match="no answer left"):
        answers.undo(hub, who="ann")
    assert_sound(hub)


def test_three_answers_are_undone_out_of_order(hub: Hub) -> None:
    found = possible_matches(hub, ["red", "green", "blue"])
    before = golden_by_key(hub)
    for review, verdict in zip(found, (SAME, DIFFERENT, UNSURE), strict=True):
        give(hub, review, verdict)

    for place in (1, 0, 2):
        answers.undo(hub, review_id=found[place].id, who="ann")
        assert found[place].id in open_ids(hub)

    assert golden_by_key(hub) == before
    assert asked(hub) == [("possible_match", "00"), ("possible_match", "11"), ("possible_match", "22")]
    assert all(one.revoked_at for one in service.list_decisions(hub))
    assert_sound(hub)


def test_an_answer_that_was_undone_can_be_given_again(asking: Hub) -> None:
    review = the_review(asking)
    for _ in range(2):
        give(asking, the_review(asking))
        assert answers.undo(asking, who="ann").review.id == review.id

    _, given = reviews.what_was_said(asking, review.id)
    assert [one.state for one in given] == ["undone", "undone"]


def test_an_undone_answer_lets_stand_again_what_it_had_ended(asking: Hub) -> None:
    decide(asking, A, B, "unsure")
    give(asking, the_review(asking, "unsure"))

    answers.undo(asking, who="ann")

    assert asked(asking) == [("unsure", "ab")]
    active = [one.verdict.judgement for one in service.list_decisions(asking) if one.revoked_at is None]
    assert active == ["unsure"]


def test_an_undone_answer_whose_question_is_gone_stays_closed(asking: Hub) -> None:
    review = the_review(asking)
    give(asking, review, DIFFERENT)
    send(asking, B, name="blue")

    assert answers.undo(asking, who="ann").review.state == "closed"
    assert asked(asking) == []
    assert_sound(asking)


def test_undo_takes_back_ones_own_answers_only(hub: Hub) -> None:
    first, second = possible_matches(hub, ["red", "green"])
    give(hub, first)
    give(hub, second, who="bob")

    with pytest.raises(ReviewNotAnswered, match="bob answered"):
        answers.undo(hub, review_id=second.id, who="ann")
    assert answers.undo(hub, who="ann").review.id == first.id


def approving(hub: Hub, **approval: Any) -> Hub:
    return with_policy(hub, ReviewPolicy(approval=ReviewApproval(**approval)))


@pytest.fixture
def risky(asking: Hub) -> Hub:
    """Give a question about two established golden records, which two people have to join."""
    acknowledge(asking, A, B)
    return approving(asking, established=True)


def test_a_risky_answer_waits_for_another_person(risky: Hub) -> None:
    review = the_review(risky)

    given = give(risky, review)
    assert (given.answer.state, given.waits_because) == ("proposed", "it joins two established golden records")
    assert len(partition_of(risky)) == 2
    assert reviews.count_reviews(risky, ReviewFilter(is_waiting=True)) == 1

    with pytest.raises(ApprovalPending):
        give(risky, review, who="bob")
    with pytest.raises(ApprovalNeedsAnother, match="ann gave the answer"):
        answers.approve(risky, review.id, who="ann")

    approved = answers.approve(risky, review.id, who="bob")
    assert (approved.answer.state, approved.answer.settled_by) == ("carried_out", "bob")
    assert (len(partition_of(risky)), asked(risky)) == (1, [])
    assert [one.details.get("state") for one in feed(risky) if one.kind == "review.decided"] == [
        "proposed",
        "carried_out",
    ]
    assert_sound(risky)


def test_a_rejected_answer_leaves_the_review_open_for_another(risky: Hub) -> None:
    review = the_review(risky)
    give(risky, review)
    with pytest.raises(ApprovalNeedsAnother):
        answers.reject(risky, review.id, who="ann")

    assert answers.reject(risky, review.id, who="bob").answer.state == "rejected"

    assert the_review(risky).answer_id is None
    assert give(risky, the_review(risky), DIFFERENT).answer.state == "carried_out"
    with pytest.raises(ReviewClosed):
        answers.approve(risky, review.id, who="bob")


def test_an_answer_that_waits_is_withdrawn_by_its_author(risky: Hub) -> None:
    review = the_review(risky)
    give(risky, review)

    assert answers.undo(risky, review_id=review.id, who="ann").answer.state == "undone"
    with pytest.raises(ReviewNotAnswered):
        answers.approve(risky, review.id, who="bob")


def test_an_answer_that_waited_while_its_records_changed_is_not_approved(risky: Hub) -> None:
    review = the_review(risky)
    give(risky, review)
    send(risky, A, name="red", note="news")

    with pytest.raises(ReviewOutdated, match="is at version 2"):
        answers.approve(risky, review.id, who="bob")


def test_an_answer_that_waits_lapses_with_its_question(risky: Hub) -> None:
    review = the_review(risky)
    give(risky, review)

    send(risky, B, name="blue")

    _, (answer,) = reviews.what_was_said(risky, review.id)
    assert (answer.state, asked(risky)) == ("lapsed", [])


def test_what_is_published_widely_needs_two_people_whatever_the_answer(asking: Hub) -> None:
    acknowledge(asking, A, B)
    hub = approving(asking, published_keys=2)

    assert give(hub, the_review(hub), DIFFERENT).waits_because == "it is about 2 published keys, 2 or more"


def test_the_feed_says_at_every_step_whether_a_review_is_open(asking: Hub) -> None:
    review = the_review(asking)
    give(asking, review)
    answers.undo(asking, who="ann")

    told: Mapping[str, list[str]] = {review.id: [one.kind for one in feed(asking) if one.review_id == review.id]}

    assert told[review.id] == [
        *("review.opened", "review.decided", "review.closed"),
        *("review.opened", "review.decided"),
    ]
    assert_sound(asking)
