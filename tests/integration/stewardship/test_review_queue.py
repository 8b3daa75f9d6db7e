"""The queue: what is most at stake comes first, each review goes to whoever it is for, and one steward has it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.review_model import Review, ReviewFilter
from mdm.entities.model import Condition, ReviewDue, ReviewPolicy, ReviewRoute
from mdm.errors import InputInvalid, ReviewClaimed, ReviewClosed
from mdm.hub import Hub
from mdm.stewardship import reviews
from tests.integration.stewardship.widgets import (
    A,
    B,
    acknowledge,
    asked,
    decide,
    delete,
    possible_matches,
    send,
    the_review,
    with_policy,
)

pytestmark = pytest.mark.db


def claim(hub: Hub, review: Review, who: str, minutes: int = 30) -> Review:
    return run(hub.engine, lambda c: reviews.claim(c, review.id, minutes=minutes, who=who))


def release(hub: Hub, review: Review, who: str) -> Review:
    return run(hub.engine, lambda c: reviews.release(c, review.id, who=who))


def expire(hub: Hub) -> None:
    """Let an hour pass for every claim."""
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE review SET claimed_until = claimed_until - interval '1 hour'"))


def weigh_again(hub: Hub) -> int:
    """Let the worker weigh every review, as it does once an hour, and those of an older schema at once."""
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE review SET staked_at = NULL"))
    return reviews.weigh_stale_reviews(hub)


@pytest.fixture
def asking(hub: Hub) -> Hub:
    """Give one question: are A and B the same?"""
    send(hub, A, name="red")
    send(hub, B, name="red")
    return hub


def test_the_stake_is_what_hangs_on_it_times_the_odds(asking: Hub) -> None:
    # 4 bits are odds of 16 to 1. Two records and one system: 2 + 2·0 + 3·0 + 2·1 = 4; 4 · 16/17 = 3.765.
    assert the_review(asking).stake == 3.765

    # Two published keys count twice each: (2 + 2·2 + 2·1) · 16/17 = 7.529, once the review is weighed again.
    acknowledge(asking, A, B)
    assert weigh_again(asking) == 1
    assert the_review(asking).stake == 7.529
    assert reviews.weigh_stale_reviews(asking) == 0


def test_the_queue_is_ordered_and_paged_by_stake(hub: Hub) -> None:
    first, second, third = possible_matches(hub, ["red", "green", "blue"])
    send(hub, "crm-west/Account:more", name="green", codes=["x1"])
    send(hub, "crm-east/Account:1", name="green", codes=["x1"])  # one member more: it goes to the top
    assert weigh_again(hub) == 3

    seen, after = [], None
    for _ in range(4):
        for one in reviews.list_reviews(hub, after=after, limit=1):
            seen.append(one.id)
            after = one.stake, one.id

    assert seen[0] not in {first.id, third.id}
    assert seen[-2:] == [first.id, third.id]  # of the same stake: by id
    assert len(seen) == len(set(seen)) == reviews.count_reviews(hub) == 3
    assert second.id in seen


def test_one_steward_at_a_time_has_a_review(asking: Hub) -> None:
    review = claim(asking, the_review(asking), "ann")
    assert (review.claimed_by, review.claimed_until is not None) == ("ann", True)

    with pytest.raises(ReviewClaimed, match="claimed by ann until"):
        claim(asking, review, "bob")
    with pytest.raises(ReviewClaimed, match="ann"):
        release(asking, review, "bob")
    assert claim(asking, review, "ann", minutes=60).claimed_until > review.claimed_until  # type: ignore[operator]

    assert release(asking, review, "ann").claimed_by is None
    assert claim(asking, review, "bob").claimed_by == "bob"


def test_of_two_stewards_who_claim_at_once_one_gets_it(asking: Hub) -> None:
    review = the_review(asking)

    def attempt(who: str) -> str | None:
        try:
            return claim(asking, review, who).claimed_by
        except ReviewClaimed as refused:
            return None if refused.by != who else "nobody"

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(attempt, [f"steward{number}" for number in range(8)]))

    assert len([one for one in got if one is not None]) == 1


def test_a_claim_runs_out(asking: Hub) -> None:
    claim(asking, the_review(asking), "ann")
    expire(asking)

    assert the_review(asking).claimed_by is None
    assert claim(asking, the_review(asking), "bob").claimed_by == "bob"


def test_a_closed_review_is_neither_claimed_nor_assigned(asking: Hub) -> None:
    review = the_review(asking)
    delete(asking, B)

    with pytest.raises(ReviewClosed, match="its cause is gone"):
        claim(asking, review, "ann")
    with pytest.raises(ReviewClosed):
        run(asking.engine, lambda c: reviews.assign(c, review.id, "ann"))


def test_a_review_is_assigned_to_a_person_or_group(asking: Hub) -> None:
    review = the_review(asking)

    run(asking.engine, lambda c: reviews.assign(c, review.id, "group:emea"))
    assert [one.id for one in reviews.list_reviews(asking, ReviewFilter(assignee="group:emea"))] == [review.id]

    run(asking.engine, lambda c: reviews.assign(c, review.id, None))
    assert reviews.count_reviews(asking, ReviewFilter(assignee="group:emea")) == 0
    with pytest.raises(InputInvalid, match="1 to 120"):
        run(asking.engine, lambda c: reviews.assign(c, review.id, "x" * 121))


def test_comments_are_kept_in_order_also_on_closed_reviews(asking: Hub) -> None:
    review = the_review(asking)
    run(asking.engine, lambda c: reviews.comment(c, review.id, "ask <b>Kim</b>", who="ann"))
    delete(asking, B)
    run(asking.engine, lambda c: reviews.comment(c, review.id, "gone", who="bob"))

    said, answers = reviews.what_was_said(asking, review.id)

    assert [(one.who, one.comment) for one in said] == [("ann", "ask <b>Kim</b>"), ("bob", "gone")]
    assert answers == ()


@pytest.mark.parametrize("words", ["", "   ", "x" * 2001, "a\0b"])
def test_a_comment_is_a_paragraph_of_text(asking: Hub, words: str) -> None:
    review = the_review(asking)

    with pytest.raises(InputInvalid, match="1 to 2000"):
        run(asking.engine, lambda c: reviews.comment(c, review.id, words, who="ann"))


ROUTES = ReviewPolicy(
    routes=(
        ReviewRoute("group:blue", when=Condition("name", ("blue",))),
        ReviewRoute("group:unsure", kinds=("unsure",)),
        ReviewRoute("group:west", kinds=("possible_match",), sources=("crm-west",)),
        ReviewRoute("group:rest"),
    ),
    due=(ReviewDue(1, kinds=("unsure",)), ReviewDue(2, stake_min=100), ReviewDue(7)),
)


@pytest.mark.parametrize(
    ("keys", "name", "assignee"),
    [
        (("crm-east/Account:a", "crm-west/Account:a"), "red", "group:west"),
        (("crm-east/Account:a", "crm-east/Account:b"), "red", "group:rest"),
        (("crm-east/Account:a", "crm-west/Account:a"), "blue", "group:blue"),
    ],
)
def test_a_new_review_goes_to_the_first_route_that_fits(
    hub: Hub, keys: tuple[str, str], name: str, assignee: str
) -> None:
    hub = with_policy(hub, ROUTES)
    for key in keys:
        send(hub, key, name=name)

    assert the_review(hub).assignee == assignee


def test_a_new_review_is_due_by_the_first_rule_that_fits(asking: Hub) -> None:
    hub = with_policy(asking, ROUTES)
    decide(hub, A, B, "unsure")

    review = the_review(hub, "unsure")
    assert (review.assignee, review.due_at) == ("group:unsure", review.recorded_at + timedelta(days=1))
    assert reviews.count_reviews(hub, ReviewFilter(due_before=clock.now())) == 0
    assert reviews.count_reviews(hub, ReviewFilter(due_before=clock.now() + timedelta(days=2))) == 1


def test_without_a_policy_a_review_is_nobodys_and_never_due(asking: Hub) -> None:
    assert (the_review(asking).assignee, the_review(asking).due_at) == (None, None)


def test_the_queue_is_filtered_and_counted(hub: Hub) -> None:
    first, second = possible_matches(hub, ["red", "green"])
    send(hub, A, name="x")
    send(hub, B, name="y")
    decide(hub, A, B, "unsure")
    claim(hub, first, "ann")
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE review SET recorded_at = recorded_at - interval '8 days' WHERE kind = 'unsure'")
        )

    def ids(**filters: Any) -> set[str]:
        return {str(one.id) for one in reviews.list_reviews(hub, replace(ReviewFilter(), **filters))}

    assert ids(source="crm-west") == ids(kinds=("possible_match",)) == {first.id, second.id}
    assert ids(claimed_by="ann") == {first.id}
    assert ids(bits=(1, None)) == {first.id, second.id}
    assert ids(stake=(None, 1)) == set()
    assert ids(entity_types=("widget_merge",)) == set()
    counts = {(one.kind, one.age): (one.count, one.claimed) for one in reviews.count_by_kind(hub)}
    assert counts == {("possible_match", "day"): (2, 1), ("unsure", "month"): (1, 0)}


def test_a_review_that_nothing_changes_is_not_written_again(asking: Hub) -> None:
    def marks() -> list[Any]:
        with asking.engine.connect() as connection:
            return list(connection.execute(text("SELECT xmin::text, id FROM review")))

    before = marks()
    send(asking, A, name="red", note="news")

    assert (marks(), asked(asking)) == (before, [("possible_match", "ab")])
