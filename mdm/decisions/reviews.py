"""The queue of questions: opened, weighed, routed and closed in the transaction of their cause.

A review stands as long as its question does. `settle` compares what is asked now with what stands open around the
records that changed, and writes the difference only: where nothing changed, nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from mdm.decisions import reviews_store
from mdm.decisions.review_model import (
    OpenReview,
    Question,
    QuestionKey,
    Review,
    ReviewChange,
    Weight,
    stake,
)
from mdm.entities.model import EntityType, ReviewDue, ReviewRoute
from mdm.errors import ReviewUnknown
from mdm.ids import ReviewId, new_review_id
from mdm.sources import store as sources_store
from mdm.sources.model import SourceRecord

CAUSE_GONE: Final = "its cause is gone"
STALE_AFTER: Final = timedelta(hours=1)  # chosen: projects and contracts keep arriving after their client
STALE_MAX: Final = 500  # reviews that one round weighs again


@dataclass(frozen=True, slots=True)
class Asked:
    """What the touched part raises now, beside the reviews that stand open around it."""

    questions: tuple[Question, ...]
    opened: Mapping[QuestionKey, OpenReview]


def settle(
    connection: Connection, entity_type: EntityType, asked: Asked, *, at: datetime, who: str
) -> tuple[ReviewChange, ...]:
    """Open a review for each question that has none, update what changed, close those that nothing asks any more."""
    wanted = {question.key: question for question in asked.questions}
    gone = [review.id for key, review in asked.opened.items() if key not in wanted]
    changes = list(close(connection, gone, because=CAUSE_GONE, at=at, who=who)) if gone else []
    news = [question for key, question in wanted.items() if _is_news(question, asked.opened.get(key))]
    if news:
        changes += _open(connection, entity_type, news, at=at, who=who)
    return tuple(changes)


def is_settled(asked: Asked) -> bool:
    """Tell whether the open reviews say already all that is asked, and nothing else."""
    wanted = {question.key: question for question in asked.questions}
    return wanted.keys() == asked.opened.keys() and not any(
        _is_news(question, asked.opened[key]) for key, question in wanted.items()
    )


def close(
    connection: Connection, review_ids: Sequence[ReviewId], *, because: str, at: datetime, who: str
) -> tuple[ReviewChange, ...]:
    """Close reviews; what waited for a second person lapses."""
    closed = reviews_store.close_reviews(connection, review_ids, because=because, at=at, who=who)
    return tuple(
        ReviewChange("review.closed", one.id, one.entity_type, {"kind": one.kind, "because": one.because})
        for one in closed
    )


def require(connection: Connection, review_id: ReviewId) -> Review:
    """Return one review; raises ReviewUnknown."""
    found = reviews_store.select_reviews_by_id(connection, [review_id])
    if review_id not in found:
        raise ReviewUnknown(review_id)
    return found[review_id]


def weigh(connection: Connection, review: Review) -> Weight:
    """Weigh what hangs on the golden records of a review now."""
    return reviews_store.select_weights(connection, [review.pair])[0][0]


def weigh_stale(connection: Connection, *, at: datetime) -> int:
    """Work out again what is at stake in reviews that were not looked at for a while; return how many there were."""
    stale = reviews_store.select_stale_reviews(connection, before=at - STALE_AFTER, limit=STALE_MAX)
    if stale:
        weights = reviews_store.select_weights(connection, [pair for _, _, _, pair in stale])
        stakes = {
            id_: stake(kind, bits, weight) for (id_, kind, bits, _), (weight, _) in zip(stale, weights, strict=True)
        }
        reviews_store.update_stakes(connection, stakes, at=at)
    return len(stale)


def _is_news(question: Question, opened: OpenReview | None) -> bool:
    return opened is None or (opened.bits, opened.subject) != (question.bits, question.subject)


def _open(
    connection: Connection, entity_type: EntityType, questions: Sequence[Question], *, at: datetime, who: str
) -> list[ReviewChange]:
    pairs = [(question.left_id, question.right_id) for question in questions]
    weights = reviews_store.select_weights(connection, pairs)
    policy = entity_type.reviews
    records = {}
    if policy.routes:
        found = sources_store.select_records(connection, {id_ for pair in pairs for id_ in pair})
        records = {record.id: record for record in found}
    rows, details = [], {}
    for question, (weight, golden_ids) in zip(questions, weights, strict=True):
        at_stake = stake(question.kind, question.bits, weight)
        due = next((rule for rule in policy.due if _is_due(rule, question, at_stake)), None)
        sides = [records[id_] for id_ in (question.left_id, question.right_id) if id_ in records]
        route = next((rule for rule in policy.routes if _leads(rule, question, sides)), None)
        kind, left_id, right_id = question.key
        row: dict[str, Any] = {
            "id": new_review_id(),
            "kind": kind,
            "left_id": left_id,
            "right_id": right_id,
            "bits": question.bits,
            "stake": at_stake,
            "subject": question.subject,
            "assignee": route.to if route else None,
            "due_at": at + timedelta(days=due.days) if due else None,
        }
        rows.append(row)
        details[row["id"]] = {"kind": kind, "golden_ids": sorted(golden_ids)}
    new = reviews_store.open_reviews(connection, entity_type.name, rows, at=at, who=who)
    return [
        ReviewChange("review.opened", ReviewId(id_), entity_type.name, told)
        for id_, told in details.items()
        if id_ in new
    ]


def _is_due(rule: ReviewDue, question: Question, at_stake: float) -> bool:
    return (not rule.kinds or question.kind in rule.kinds) and at_stake >= rule.stake_min


def _leads(rule: ReviewRoute, question: Question, sides: Sequence[SourceRecord]) -> bool:
    if rule.kinds and question.kind not in rule.kinds:
        return False
    return (not rule.sources and rule.when is None) or any(_is_of(rule, record) for record in sides)


def _is_of(rule: ReviewRoute, record: SourceRecord) -> bool:
    if rule.sources and not any(map(record.origin.is_of, rule.sources)):
        return False
    if rule.when is None:
        return True
    value = record.values.get(rule.when.attribute)
    values = set(value) if isinstance(value, list) else {value}
    return bool(value) and (not rule.when.values or not values.isdisjoint(rule.when.values))
