"""Routes of questions to stewards."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.dependencies import Asker, TheHub
from api.pagination import PAGE_SIZE, After, EntityTypeName, Limit, page, read_cursor
from api.route import HubRoute
from api.schemas.reviews import ReviewTold
from api.schemas.shape import Page
from mdm.decisions.model import Review
from mdm.errors import ReviewUnknown
from mdm.ids import ReviewId
from mdm.stewardship.service import get_review, list_reviews

router = APIRouter(route_class=HubRoute, tags=["Reviews"])

State = Annotated[Literal["open", "closed"], Query(description="Which reviews to list.")]


@router.get("/v1/reviews", operation_id="list_reviews", response_model_exclude_none=True)
def read_reviews(
    hub: TheHub,
    asker: Asker,
    entity_type: EntityTypeName = None,
    state: State = "open",
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[ReviewTold]:
    """List reviews, the likeliest match first."""
    asker.require("steward", entity_type=entity_type)
    of = f"reviews?entity_type={entity_type}&state={state}"
    position = read_cursor(after, of=of)
    seen = (float(position[0]), str(position[1])) if position else None
    found = list_reviews(hub, entity_type=entity_type, state=state, after=seen, limit=limit + 1)
    return page([_told(one) for one in found], limit, of, lambda last: (last.bits, last.id))


@router.get("/v1/reviews/{review_id}", operation_id="read_review", response_model_exclude_none=True)
def read_review(review_id: str, hub: TheHub, asker: Asker) -> ReviewTold:
    """Read one review."""
    review = get_review(hub, ReviewId(review_id))
    if not asker.principal.may("steward", entity_type=review.entity_type):
        raise ReviewUnknown(review_id)
    return _told(review)


def _told(review: Review) -> ReviewTold:
    return ReviewTold(
        id=review.id,
        entity_type=review.entity_type,
        kind=review.kind,
        state=review.state,
        left=review.left_key,
        right=review.right_key,
        left_golden_id=review.left_golden_id,
        right_golden_id=review.right_golden_id,
        bits=review.bits,
        subject=dict(review.subject),
        recorded_at=review.recorded_at,
        closed_at=review.closed_at,
        closed_because=review.closed_because,
    )
