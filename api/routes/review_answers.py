"""Routes of answers to reviews: give, approve, reject, undo, one review at a time or a band of them."""

from fastapi import APIRouter, Response

from api.dependencies import Asker, Caller, TheHub, Unsafe, json_answer
from api.route import HubRoute
from api.routes.review_words import bulk_told, filter_of, given_told
from api.routes.reviews import visible
from api.schemas.reviews import AnswerAsked, BulkAsked, BulkTold, GivenTold
from mdm.db.transaction import reading
from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review
from mdm.errors import InputInvalid
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.stewardship import answers, bands
from mdm.stewardship.dealing import Deal, answer_card

router = APIRouter(route_class=HubRoute, tags=["Reviews"])


@router.post("/v1/reviews/{review_id}:decide", operation_id="answer_review", response_model=GivenTold)
def answer_review(review_id: str, asked: AnswerAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Answer a review; what follows is carried out at once, or waits for a second person.

    An answer to golden versions that moved on is refused with what changed; `same` with a risk that was not confirmed
    is refused with the risk.
    """
    review = _seen(hub, review_id, asker)
    verdict = _verdict(asked)
    if asked.dry_run:
        told = answers.rehearse_answer(
            hub, review.id, verdict, expected=asked.expected, seen=asked.risks_seen, who=asker.name
        )
        return json_answer(given_told(told, dry_run=True))
    deal = Deal(verdict, asked.expected, seen=frozenset(asked.risks_seen))
    return once.around(
        lambda bracket: answer_card(hub, review.id, deal, who=asker.name, bracket=bracket),
        given_told,
    )


@router.post("/v1/reviews/{review_id}:undo", operation_id="undo_answer", response_model=GivenTold)
def undo_answer(review_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Take one's answer back and open the review again; a proposal is withdrawn."""
    review = _seen(hub, review_id, asker)
    return once.around(
        lambda bracket: answers.undo(hub, review_id=review.id, who=asker.name, bracket=bracket), given_told
    )


@router.post("/v1/reviews/{review_id}:approve", operation_id="approve_answer", response_model=GivenTold)
def approve_answer(review_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Carry out the answer of somebody else that waits for a second person."""
    review = _seen(hub, review_id, asker)
    return once.around(lambda bracket: answers.approve(hub, review.id, who=asker.name, bracket=bracket), given_told)


@router.post("/v1/reviews/{review_id}:reject", operation_id="reject_answer", response_model=GivenTold)
def reject_answer(review_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Turn down the answer of somebody else that waits for a second person; the review stays open."""
    review = _seen(hub, review_id, asker)
    return once.around(lambda bracket: answers.reject(hub, review.id, who=asker.name, bracket=bracket), given_told)


@router.post("/v1/reviews:decide", operation_id="answer_reviews", response_model=BulkTold)
def answer_reviews(asked: BulkAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Answer many reviews alike: first a band as a dry run, then exactly the reviews that it chose.

    In the act, those that moved since are left and named; all others are answered in one transaction.
    """
    verdict = _verdict(asked)
    if asked.reviews is None:
        if asked.band is None or not asked.dry_run:
            raise InputInvalid(
                "a band is looked at with a dry run first",
                remedy="send dry_run: true with the band, then `chosen` of the answer as reviews",
                field="/reviews",
            )
        asker.require("steward", entity_type=asked.band.entity_type)
        hub.entity_type(asked.band.entity_type)
        told = bands.rehearse_bulk(hub, filter_of(asked.band), verdict, who=asker.name)
        return json_answer(bulk_told(told, dry_run=True))
    chosen = [bands.Chosen(ReviewId(one.id), one.expected, frozenset(one.risks_seen)) for one in asked.reviews]
    for one in chosen:
        _seen(hub, one.review_id, asker)
    if asked.dry_run:
        return json_answer(bulk_told(bands.rehearse_many(hub, chosen, verdict, who=asker.name), dry_run=True))
    return once.around(
        lambda bracket: bands.answer_many(hub, chosen, verdict, who=asker.name, bracket=bracket),
        lambda given: bulk_told(given, dry_run=False),
    )


def _seen(hub: Hub, review_id: str, asker: Caller) -> Review:
    with reading(hub.engine) as connection:
        return visible(connection, review_id, asker)


def _verdict(asked: AnswerAsked | BulkAsked) -> Verdict:
    return Verdict(asked.judgement, asked.reason, asked.relation, asked.valid_from, asked.valid_to)
