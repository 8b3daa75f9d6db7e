"""A review is open as long as its question stands: opened, updated and closed with its cause."""

from typing import Any

import pytest

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review, ReviewFilter, ReviewState
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.ids import GoldenId
from mdm.jobs.model import Outcome
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import reviews as queue
from mdm.stewardship import service
from tests.hubs import delivery, golden_by_key, partition_of

pytestmark = pytest.mark.db

A, B, C = (f"crm-east/Account:{letter}" for letter in "abc")


def send(hub: Hub, key: str, **fields: Any) -> Outcome:
    (outcome,) = deliver(hub, [delivery(key, "widget_hold", **fields)], who="test")
    return outcome


def decide(hub: Hub, left: str, right: str, judgement: Any, **said: Any) -> Any:
    verdict = Verdict(judgement, "seen", **said)
    return service.decide(hub, SourceKey.parse(left), SourceKey.parse(right), verdict, who="ann")


def acknowledge(hub: Hub, *keys: str) -> None:
    """Let a target acknowledge the golden records of these keys: they are established from now on."""
    golden = golden_by_key(hub)
    run(
        hub.engine,
        lambda c: identity_store.mark_published(c, [GoldenId(golden[key]) for key in keys], at=clock.now()),
    )


def reviews(hub: Hub, state: ReviewState = "open") -> list[tuple[str, str, float]]:
    """Give kind, the two letters and bits of each review, the likeliest first."""
    found = queue.list_reviews(hub, ReviewFilter(state=state))
    return [(one.kind, "".join(sorted(one.left_key[-1] + one.right_key[-1])), one.bits) for one in found]


def the_review(hub: Hub) -> Review:
    (found,) = queue.list_reviews(hub)
    return found


def test_a_possible_match_is_a_question(hub: Hub) -> None:
    send(hub, A, name="red")

    outcome = send(hub, B, name="red")

    assert outcome.in_review
    assert reviews(hub) == [("possible_match", "ab", 4.0)]
    golden = golden_by_key(hub)
    assert {the_review(hub).left_golden_id, the_review(hub).right_golden_id} == {golden[A], golden[B]}
    assert queue.count_reviews(hub) == 1


def test_two_golden_records_are_one_question_however_many_records_they_have(hub: Hub) -> None:
    for key, code in ((A, "x1"), (B, "x1"), (C, "x2")):
        send(hub, key, name="red", codes=[code])

    assert len(partition_of(hub)) == 2
    assert len(reviews(hub)) == 1


def test_a_question_is_closed_when_its_cause_goes(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="red")

    send(hub, B, name="blue")

    assert reviews(hub) == []
    (closed,) = queue.list_reviews(hub, ReviewFilter(state="closed"))
    assert closed.closed_because == "its cause is gone"
    assert closed.closed_at is not None


def test_a_question_that_comes_back_is_a_new_review(hub: Hub) -> None:
    for name in ("red", "blue", "red"):
        send(hub, A, name="red")
        send(hub, B, name=name)

    assert reviews(hub) == [("possible_match", "ab", 4.0)]
    assert reviews(hub, "closed") == [("possible_match", "ab", 4.0)]


def test_a_question_is_closed_when_one_of_its_records_is_deleted(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="red")

    deliver(hub, [delivery(B, "widget_hold", deleted=True)], who="test")

    assert reviews(hub) == []


def test_a_question_is_closed_when_both_of_its_records_are_deleted_at_once(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="red")

    deliver(hub, [delivery(key, "widget_hold", deleted=True) for key in (A, B)], who="test")

    assert reviews(hub) == []


@pytest.mark.parametrize(("judgement", "relation"), [("same", None), ("different", None), ("related", "sister_of")])
def test_a_question_is_closed_by_its_answer_and_opens_again_when_that_is_revoked(
    hub: Hub, judgement: str, relation: str | None
) -> None:
    send(hub, A, name="red")
    send(hub, B, name="red")

    decision = decide(hub, A, B, judgement, relation=relation)
    assert reviews(hub) == []

    service.revoke(hub, decision.id, who="ann")
    assert reviews(hub) == [("possible_match", "ab", 4.0)]


def test_unsure_is_a_question_of_its_own_until_it_is_answered(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="red", codes=["x1"])
    send(hub, C, name="blue")

    decide(hub, A, B, "unsure")
    assert reviews(hub) == [("unsure", "ab", 14.0)]

    decide(hub, A, B, "different")
    assert reviews(hub) == []


def test_unsure_about_records_that_nothing_connects_is_a_question_too(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")

    decision = decide(hub, A, B, "unsure")
    assert [(kind, pair) for kind, pair, _ in reviews(hub)] == [("unsure", "ab")]

    service.revoke(hub, decision.id, who="ann")
    assert reviews(hub) == []


def test_a_decision_on_a_deleted_record_answers_nothing_for_others(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="green", codes=["x1"])
    send(hub, C, name="red")
    assert reviews(hub) == [("possible_match", "ac", 4.0)]
    decide(hub, B, C, "different")
    assert reviews(hub) == []

    deliver(hub, [delivery(B, "widget_hold", deleted=True)], who="test")

    assert reviews(hub) == [("possible_match", "ac", 4.0)]


def test_established_golden_records_that_match_are_an_open_join_until_a_steward_accepts(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="blue")
    acknowledge(hub, A, B)

    send(hub, B, name="blue", codes=["x1"])
    send(hub, A, name="red", codes=["x1"])
    assert len(partition_of(hub)) == 2
    assert reviews(hub) == [("join", "ab", 10.0)]

    decide(hub, A, B, "same")
    assert len(partition_of(hub)) == 1
    assert reviews(hub) == []


def test_an_established_golden_record_that_falls_apart_is_an_open_split_until_a_steward_accepts(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="blue", codes=["x1"])
    acknowledge(hub, A)

    send(hub, B, name="blue", codes=["x2"])
    assert len(partition_of(hub)) == 1
    assert [(kind, pair) for kind, pair, _ in reviews(hub)] == [("split", "ab")]
    parts = the_review(hub).subject["parts"]
    assert [len(part) for part in parts] == [1, 1]

    decide(hub, A, B, "different")
    assert len(partition_of(hub)) == 2
    assert reviews(hub) == []


def test_a_question_takes_over_what_changed_without_a_new_review(hub: Hub) -> None:
    send(hub, A, name="red")
    send(hub, B, name="red")
    before = the_review(hub)
    acknowledge(hub, A, B)

    send(hub, C, name="other", codes=["x1"])
    send(hub, A, name="red", codes=["x1"])

    after = the_review(hub)
    assert (after.id, after.kind) == (before.id, "possible_match")


def test_vetoed_pairs_are_no_question(hub: Hub) -> None:
    send(hub, A, codes=["x1"], batch="150483782")

    outcome = send(hub, B, codes=["x1"], batch="804735132")

    assert not outcome.in_review
    assert reviews(hub) == []


def test_reviews_come_by_what_is_at_stake_page_by_page(hub: Hub) -> None:
    send(hub, A, name="red", codes=["x1"])
    send(hub, B, name="blue")
    acknowledge(hub, A, B)
    send(hub, B, name="blue", codes=["x1"])
    send(hub, C, name="blue")

    (first,) = queue.list_reviews(hub, limit=1)
    rest = queue.list_reviews(hub, after=(first.stake, first.id), limit=9)

    assert [first.bits, *(one.bits for one in rest)] == [10.0, 4.0]
    assert queue.get_review(hub, first.id) == first
    assert queue.list_reviews(hub, ReviewFilter(entity_types=("widget_merge",))) == ()
