"""Routes of the queue of questions to stewards: list, count, read, claim, release, assign, comment."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection

from api.dependencies import Asker, Caller, TheHub, Unsafe
from api.pagination import PAGE_SIZE, After, EntityTypeName, Limit, read_cursor, write_cursor
from api.route import HubRoute
from api.routes.review_words import answer_told, comment_told, review_told, risk_told
from api.schemas.reviews import (
    AssigneeAsked,
    CommentAsked,
    CommentTold,
    CountsTold,
    PaceTold,
    ReviewCountTold,
    ReviewInFull,
    ReviewTold,
    WeightTold,
)
from api.schemas.shape import Instant, Page, SourceId
from mdm.db.transaction import reading
from mdm.decisions.review_model import Place, Ranking, Review, ReviewFilter
from mdm.decisions.reviews import require
from mdm.entities.model import ReviewKind
from mdm.errors import ReviewUnknown
from mdm.ids import ReviewId
from mdm.stewardship import reviews
from mdm.stewardship.risk_guard import risks_of_review

router = APIRouter(route_class=HubRoute, tags=["Reviews"])

Person = Annotated[str | None, Query(max_length=120)]
Bound = Annotated[float | None, Query(allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class _Which:
    entity_type: str | None
    kind: ReviewKind | None
    state: Literal["open", "closed"]
    source: str | None


def _which(
    entity_type: EntityTypeName = None,
    kind: Annotated[ReviewKind | None, Query(description="Kind of question; all when left out.")] = None,
    state: Annotated[Literal["open", "closed"], Query(description="Which reviews to list.")] = "open",
    source: Annotated[SourceId | None, Query(description="Source instance of either record.")] = None,
) -> _Which:
    return _Which(entity_type, kind, state, source)


@dataclass(frozen=True, slots=True)
class _Whose:
    assignee: str | None
    claimed_by: str | None
    due_before: datetime | None
    is_waiting: bool | None


def _whose(
    assignee: Annotated[Person, Query(description="A person, or group:NAME.")] = None,
    claimed_by: Annotated[Person, Query(description="Who has claimed it.")] = None,
    due_before: Annotated[Instant | None, Query(description="Due at this instant or earlier.")] = None,
    waiting: Annotated[bool | None, Query(description="true: an answer waits for a second person.")] = None,
) -> _Whose:
    return _Whose(assignee, claimed_by, due_before, waiting)


def _filter(
    which: Annotated[_Which, Depends(_which)],
    whose: Annotated[_Whose, Depends(_whose)],
    bits_min: Bound = None,
    bits_max: Bound = None,
    stake_min: Bound = None,
    stake_max: Bound = None,
) -> ReviewFilter:
    return ReviewFilter(
        entity_types=(which.entity_type,) if which.entity_type is not None else (),
        kinds=(which.kind,) if which.kind is not None else (),
        state=which.state,
        assignee=whose.assignee,
        claimed_by=whose.claimed_by,
        source=which.source,
        due_before=whose.due_before,
        bits=(bits_min, bits_max),
        stake=(stake_min, stake_max),
        is_waiting=whose.is_waiting,
    )


Filter = Annotated[ReviewFilter, Depends(_filter)]


@router.get("/v1/reviews", operation_id="list_reviews", response_model_exclude_none=True)
def read_reviews(
    hub: TheHub,
    asker: Asker,
    asked: Filter,
    ranking: Annotated[
        Ranking,
        Query(description="riskiest: what is most at stake first; useful: where an answer teaches most; oldest."),
    ] = "riskiest",
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[ReviewTold]:
    """List reviews in an order, what is most at stake first unless asked otherwise."""
    asker.require("steward", entity_type=next(iter(asked.entity_types), None))
    of = f"reviews?{asked}" if ranking == "riskiest" else f"reviews?{asked} {ranking}"
    found = reviews.list_reviews(hub, asked, ranking=ranking, after=read_place(after, of, ranking), limit=limit + 1)
    return ranked(found, limit, of, ranking)


@router.get("/v1/reviews:counts", operation_id="count_reviews", response_model_exclude_none=True)
def count_reviews(hub: TheHub, asker: Asker, asked: Filter) -> CountsTold:
    """Count reviews by kind and age, and tell how fast the asker answers."""
    asker.require("steward", entity_type=next(iter(asked.entity_types), None))
    pace = reviews.pace(hub, who=asker.name)
    return CountsTold(
        counts=[ReviewCountTold(**asdict(one)) for one in reviews.count_by_kind(hub, asked)],
        pace=PaceTold(**asdict(pace)),
    )


@router.get("/v1/reviews/{review_id}", operation_id="read_review", response_model_exclude_none=True)
def read_review(review_id: str, hub: TheHub, asker: Asker) -> ReviewInFull:
    """Read one review with what hangs on it and all that was said."""
    with reading(hub.engine) as connection:
        review = visible(connection, review_id, asker)
    comments, answers = reviews.what_was_said(hub, review.id)
    weight = reviews.weigh_review(hub, review)
    risks = risks_of_review(hub, review)
    return ReviewInFull(
        **dict(review_told(review)),
        weight=WeightTold(**asdict(weight)),
        risks=[risk_told(one) for one in risks],
        comments=[comment_told(one) for one in comments],
        answers=[answer_told(one) for one in answers],
    )


@router.post("/v1/reviews/{review_id}:claim", operation_id="claim_review", response_model=ReviewTold)
def claim_review(review_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Keep a review from other stewards for a while; claiming one's own again prolongs it."""

    def effect(connection: Connection) -> ReviewTold:
        review = visible(connection, review_id, asker)
        minutes = hub.settings.review_claim_minutes
        return review_told(reviews.claim(connection, review.id, minutes=minutes, who=asker.name))

    return once(effect)


@router.post("/v1/reviews/{review_id}:release", operation_id="release_review", response_model=ReviewTold)
def release_review(review_id: str, asker: Asker, once: Unsafe) -> Response:
    """Give a claimed review back to the queue."""

    def effect(connection: Connection) -> ReviewTold:
        review = visible(connection, review_id, asker)
        return review_told(reviews.release(connection, review.id, who=asker.name))

    return once(effect)


@router.post("/v1/reviews/{review_id}:assign", operation_id="assign_review", response_model=ReviewTold)
def assign_review(review_id: str, asked: AssigneeAsked, asker: Asker, once: Unsafe) -> Response:
    """Make a review the work of a person or a group, or of nobody."""

    def effect(connection: Connection) -> ReviewTold:
        review = visible(connection, review_id, asker)
        return review_told(reviews.assign(connection, review.id, asked.assignee))

    return once(effect)


@router.post("/v1/reviews/{review_id}/comments", operation_id="comment_on_review", response_model=CommentTold)
def comment_on_review(review_id: str, asked: CommentAsked, asker: Asker, once: Unsafe) -> Response:
    """Say something about a review; it stays as it is."""

    def effect(connection: Connection) -> CommentTold:
        review = visible(connection, review_id, asker)
        return comment_told(reviews.comment(connection, review.id, asked.comment, who=asker.name))

    return once(effect)


def read_place(after: str | None, of: str, ranking: Ranking) -> Place | None:
    """Read where the page before ended."""
    position = read_cursor(after, of=of)
    if position is None:
        return None
    rank, review_id = position
    return datetime.fromisoformat(str(rank)) if ranking == "oldest" else float(rank), str(review_id)


def ranked(found: Sequence[Review], limit: int, of: str, ranking: Ranking) -> Page[ReviewTold]:
    """Tell a page of reviews in their order; one more than `limit` says that another page follows."""
    shown = found[:limit]
    following = None
    if len(found) > limit:
        rank, review_id = shown[-1].place_in(ranking)
        following = write_cursor((rank.isoformat() if isinstance(rank, datetime) else rank, review_id), of=of)
    return Page(rows=[review_told(one) for one in shown], next=following)


def visible(connection: Connection, review_id: str, asker: Caller) -> Review:
    """Find a review; one beyond the key's scope is as unknown as one that never was."""
    review = require(connection, ReviewId(review_id))
    if not asker.principal.may("steward", entity_type=review.entity_type):
        raise ReviewUnknown(review_id)
    return review
