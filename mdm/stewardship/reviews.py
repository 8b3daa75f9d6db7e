"""The queue of reviews as stewards work on it: read, count, claim, release, assign, comment.

A claim is a lease: it keeps others from answering until it is released or runs out, nothing more. An assignment says
whose work a review is; a group is written `group:NAME`, and who belongs to one is not the hub's to know.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from matching.explain import Explanation
from mdm import clock
from mdm.db.transaction import reading, run
from mdm.decisions import answers_store, reviews, reviews_store
from mdm.decisions.ageing import in_words
from mdm.decisions.review_model import (
    Answer,
    Comment,
    Pace,
    Place,
    Ranking,
    Review,
    ReviewCount,
    ReviewFilter,
    Weight,
)
from mdm.errors import InputInvalid, ReviewClaimed, ReviewClosed
from mdm.hub import Hub
from mdm.ids import ReviewId, new_comment_id
from mdm.resolution.search import explain_pair
from mdm.sources.model import SourceKey

COMMENT_LENGTH_MAX: Final = 2_000  # chosen: a paragraph; more belongs into the system it is about
ASSIGNEE_LENGTH_MAX: Final = 120  # the bound of a key's name
PACE_DAYS: Final = 30  # chosen: long enough for a median, short enough to be about now
ANY: Final = ReviewFilter()


def list_reviews(
    hub: Hub,
    asked: ReviewFilter = ANY,
    *,
    ranking: Ranking = "riskiest",
    after: Place | None = None,
    limit: int = 100,
) -> tuple[Review, ...]:
    """List reviews in an order, what is most at stake first if none is named.

    after  the place in that order (`Review.place_in`) of the last one seen
    """
    return run(
        hub.engine,
        lambda connection: reviews_store.select_reviews(connection, asked, ranking=ranking, after=after, limit=limit),
    )


def count_reviews(hub: Hub, asked: ReviewFilter = ANY) -> int:
    """Count the questions that wait for a steward, or those that a filter lets through."""
    return run(hub.engine, lambda connection: reviews_store.count_reviews(connection, asked))


def count_by_kind(hub: Hub, asked: ReviewFilter = ANY) -> tuple[ReviewCount, ...]:
    """Count reviews by entity type, kind and age."""
    at = clock.now()
    return in_words(run(hub.engine, lambda connection: reviews_store.count_by_age(connection, asked, at=at)))


def count_reviews_opened(hub: Hub, *, since: datetime, who: str) -> int:
    """Count the open questions that somebody's records or decisions raised since an instant."""
    return run(hub.engine, lambda connection: reviews_store.count_reviews_opened(connection, since=since, who=who))


def pace(hub: Hub, *, who: str) -> Pace:
    """Tell how fast a steward answers, single answers only, over the last thirty days."""
    at = clock.now()
    return run(hub.engine, lambda connection: answers_store.select_pace(connection, who, at=at, days=PACE_DAYS))


def get_review(hub: Hub, review_id: ReviewId) -> Review:
    """Return one review; raises ReviewUnknown."""
    with reading(hub.engine) as connection:
        return reviews.require(connection, review_id)


def weigh_review(hub: Hub, review: Review) -> Weight:
    """Count what hangs on the golden records of a review now."""
    return run(hub.engine, lambda connection: reviews.weigh(connection, review))


def explain_review(hub: Hub, review: Review) -> Explanation | None:
    """Compare the two records of a review as they are now, step by step; None when one of them is gone."""
    keys = SourceKey.parse(review.left_key), SourceKey.parse(review.right_key)
    entity_type = hub.entity_type(review.entity_type)
    return run(hub.engine, lambda connection: explain_pair(connection, entity_type, *keys))


def what_was_said(hub: Hub, review_id: ReviewId) -> tuple[tuple[Comment, ...], tuple[Answer, ...]]:
    """Return the comments on a review and the answers to it, oldest first."""
    return run(
        hub.engine,
        lambda connection: (
            answers_store.select_comments(connection, review_id),
            answers_store.select_answers(connection, review_id),
        ),
    )


def claim(connection: Connection, review_id: ReviewId, *, minutes: int, who: str) -> Review:
    """Keep a review from other stewards for a while; claiming one's own again prolongs it.

    Raises ReviewUnknown, ReviewClosed, ReviewClaimed with the name of who has it.
    """
    _held_open(connection, review_id, who=who)
    at = clock.recording_instant(connection)
    reviews_store.update_claim(connection, review_id, by=who, at=at, until=at + timedelta(minutes=minutes))
    return reviews.require(connection, review_id)


def release(connection: Connection, review_id: ReviewId, *, who: str) -> Review:
    """Give a claimed review back to the queue; raises ReviewClaimed when somebody else has it."""
    _held_open(connection, review_id, who=who)
    at = clock.recording_instant(connection)
    reviews_store.update_claim(connection, review_id, by=None, at=at, until=None)
    return reviews.require(connection, review_id)


def give_up(connection: Connection, review_id: ReviewId, *, who: str) -> None:
    """Give back a review that somebody holds; one that is closed or somebody else's stays as it is."""
    reviews_store.lock_reviews(connection, [review_id])
    if reviews.require(connection, review_id).claimed_by == who:
        at = clock.recording_instant(connection)
        reviews_store.update_claim(connection, review_id, by=None, at=at, until=None)


def assign(connection: Connection, review_id: ReviewId, assignee: str | None) -> Review:
    """Make a review the work of a person or a group (`group:NAME`), or of nobody; a claim on it stays."""
    if assignee is not None and not (assignee.isprintable() and 0 < len(assignee.strip()) <= ASSIGNEE_LENGTH_MAX):
        raise InputInvalid(
            f"an assignee has 1 to {ASSIGNEE_LENGTH_MAX} printable characters",
            remedy="name a person as the hub does, or write group:NAME",
            field="assignee",
        )
    reviews_store.lock_reviews(connection, [review_id])
    require_open(reviews.require(connection, review_id))
    reviews_store.update_assignee(connection, review_id, assignee)
    return reviews.require(connection, review_id)


def comment(connection: Connection, review_id: ReviewId, words: str, *, who: str) -> Comment:
    """Say something about a review, open or closed; it stays as it is."""
    if not 0 < len(words.strip()) <= len(words) <= COMMENT_LENGTH_MAX or "\0" in words:
        raise InputInvalid(
            f"a comment has 1 to {COMMENT_LENGTH_MAX} characters", remedy="say it in fewer words", field="comment"
        )
    reviews.require(connection, review_id)
    said = Comment(new_comment_id(), review_id, words, clock.recording_instant(connection), who)
    answers_store.insert_comment(connection, said)
    return said


def weigh_stale_reviews(hub: Hub) -> int:
    """Work out again what is at stake where that was not done for a while: a task of the worker."""
    return run(hub.engine, lambda connection: reviews.weigh_stale(connection, at=clock.recording_instant(connection)))


def require_open(review: Review) -> None:
    """Refuse a closed review; raises ReviewClosed with the reason why it is."""
    if review.state != "open":
        raise ReviewClosed(review.id, because=review.closed_because or review.state)


def require_unclaimed(review: Review, *, who: str) -> None:
    """Refuse a review that somebody else has claimed; raises ReviewClaimed."""
    if review.claimed_by not in (None, who) and review.claimed_until is not None:
        raise ReviewClaimed(review.id, by=str(review.claimed_by), until=review.claimed_until)


def _held_open(connection: Connection, review_id: ReviewId, *, who: str) -> Review:
    reviews_store.lock_reviews(connection, [review_id])
    review = reviews.require(connection, review_id)
    require_open(review)
    require_unclaimed(review, who=who)
    return review
