"""How reviews, answers and their effects are told over HTTP."""

from collections.abc import Iterable

from api.schemas.reviews import (
    AnswerTold,
    BandAsked,
    BulkTold,
    ChosenTold,
    CommentTold,
    GivenTold,
    LeftTold,
    ReviewTold,
    RiskTold,
    TallyTold,
)
from mdm.decisions.review_model import Answer, Comment, Review, ReviewFilter
from mdm.stewardship.answers import Given
from mdm.stewardship.bands import BulkGiven
from mdm.stewardship.card_consequences import Risk
from mdm.stewardship.tally import Tally


def review_told(review: Review) -> ReviewTold:
    """Tell a review as it stands in the queue."""
    return ReviewTold(
        id=review.id,
        entity_type=review.entity_type,
        kind=review.kind,
        state=review.state,
        left=review.left_key,
        right=review.right_key,
        left_golden_id=review.left_golden_id,
        right_golden_id=review.right_golden_id,
        expected=review.versions,
        bits=review.bits,
        stake=review.stake,
        subject=dict(review.subject),
        recorded_at=review.recorded_at,
        due_at=review.due_at,
        assignee=review.assignee,
        claimed_by=review.claimed_by,
        claimed_until=review.claimed_until,
        waiting_answer_id=review.answer_id,
        closed_at=review.closed_at,
        closed_because=review.closed_because,
    )


def answer_told(answer: Answer) -> AnswerTold:
    """Tell an answer and what became of it."""
    verdict = answer.verdict
    return AnswerTold(
        id=answer.id,
        review_id=answer.review_id,
        bulk_id=answer.bulk_id,
        judgement=verdict.judgement,
        relation=verdict.relation,
        reason=verdict.reason,
        valid_from=verdict.valid_from,
        valid_to=verdict.valid_to,
        state=answer.state,
        recorded_at=answer.recorded_at,
        who=answer.who,
        settled_at=answer.settled_at,
        settled_by=answer.settled_by,
        event_id=answer.event_id,
    )


def comment_told(said: Comment) -> CommentTold:
    """Tell a comment."""
    return CommentTold(id=said.id, comment=said.comment, recorded_at=said.recorded_at, who=said.who)


def risk_told(risk: Risk) -> RiskTold:
    """Tell a risk of a merge."""
    return RiskTold(
        mark=risk.mark,
        kind=risk.kind,
        attribute=risk.attribute or None,
        left=list(risk.left),
        right=list(risk.right),
        chain=list(risk.chain),
        count=risk.count,
    )


def given_told(given: Given, *, dry_run: bool = False) -> GivenTold:
    """Tell an answer with what came of it."""
    return GivenTold(
        answer=answer_told(given.answer),
        review=review_told(given.review),
        effects=effects_told(given.effects),
        waits_because=given.waits_because or None,
        dry_run=dry_run,
    )


def bulk_told(given: BulkGiven, *, dry_run: bool) -> BulkTold:
    """Tell what many answers did."""
    return BulkTold(
        dry_run=dry_run,
        bulk_id=given.bulk_id,
        count=len(given.chosen),
        chosen=[ChosenTold(id=one.review_id, expected=dict(one.expected)) for one in given.chosen],
        answered=list(given.answered),
        left=[LeftTold(id=one.review_id, code=one.code, message=one.message) for one in given.left],
        sample=[review_told(one) for one in given.sample],
        effects=effects_told(given.effects),
        waits_because=given.waits_because or None,
    )


def effects_told(effects: Iterable[Tally]) -> list[TallyTold]:
    """Tell what becomes of golden records, by entity type."""
    return [
        TallyTold(
            entity_type=one.entity_type,
            records=one.records,
            created=one.created,
            forwarded=one.forwarded,
            restored=one.restored,
            retired=one.retired,
            golden_ids=list(one.golden_ids),
        )
        for one in effects
    ]


def filter_of(band: BandAsked) -> ReviewFilter:
    """Read which open reviews are answered together."""
    return ReviewFilter(
        entity_types=(band.entity_type,),
        kinds=tuple(band.kinds),
        assignee=band.assignee,
        source=band.source,
        bits=(band.bits_min, band.bits_max),
        stake=(band.stake_min, band.stake_max),
    )
