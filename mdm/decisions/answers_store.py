"""SQL of what people say to reviews, one function a question: comments, and answers with what became of them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Answer, AnswerState, Comment, Pace
from mdm.ids import AnswerId, EventId, ReviewId

TEAM_ANSWERS_MAX: Final = 5_000  # chosen: the latest answers of a team; the median of more is no other
COMMENT = "SELECT id, review_id, comment, recorded_at, who FROM review_comment"
ANSWER = (
    "SELECT a.id, a.review_id, q.entity_type, a.bulk_id, a.judgement, a.reason, a.relation, a.valid_from, a.valid_to,"
    " a.expected, a.state, a.recorded_at, a.who, a.settled_at, a.settled_by, a.event_id"
    " FROM review_answer a JOIN review q ON q.id = a.review_id"
)


def insert_answer(connection: Connection, answer: Answer) -> None:
    """Append an answer; when its author took the review comes from the claim."""
    verdict = answer.verdict
    connection.execute(
        text(
            "INSERT INTO review_answer (id, review_id, bulk_id, judgement, relation, reason, valid_from, valid_to,"
            " expected, state, claimed_at, recorded_at, who, event_id)"
            " SELECT :id, q.id, :bulk_id, :judgement, :relation, :reason, :valid_from, :valid_to, CAST(:expected AS"
            " jsonb), :state, CASE WHEN q.claimed_by = :who THEN q.claimed_at END, :at, :who, :event_id"
            " FROM review q WHERE q.id = :review_id"
        ),
        {
            "id": answer.id,
            "review_id": answer.review_id,
            "bulk_id": answer.bulk_id,
            "judgement": verdict.judgement,
            "relation": verdict.relation,
            "reason": verdict.reason,
            "valid_from": verdict.valid_from,
            "valid_to": verdict.valid_to,
            "expected": as_json(answer.expected),
            "state": answer.state,
            "at": answer.recorded_at,
            "who": answer.who,
            "event_id": answer.event_id,
        },
    )


def settle_answer(
    connection: Connection,
    answer_id: AnswerId,
    *,
    state: AnswerState,
    event_id: EventId | None = None,
    at: datetime,
    who: str,
) -> None:
    """Say what became of an answer: approved and carried out by an operation, rejected, undone."""
    connection.execute(
        text(
            "UPDATE review_answer SET state = :state, settled_at = :at, settled_by = :who, event_id ="
            " coalesce(:event_id, event_id) WHERE id = :id"
        ),
        {"id": answer_id, "state": state, "event_id": event_id, "at": at, "who": who},
    )


def select_answers(connection: Connection, review_id: ReviewId) -> tuple[Answer, ...]:
    """List the answers to a review, oldest first."""
    rows = connection.execute(text(f"{ANSWER} WHERE a.review_id = :id ORDER BY a.id"), {"id": review_id})
    return tuple(answer_of(row) for row in rows)


def select_last_answers(connection: Connection, review_ids: Iterable[ReviewId]) -> dict[ReviewId, Answer]:
    """Find the last answer to each of these reviews that stands: carried out, or waiting for a second person."""
    rows = connection.execute(
        text(f"{ANSWER} WHERE a.review_id = ANY(:ids) AND a.state IN ('carried_out', 'proposed') ORDER BY a.id"),
        {"ids": [str(id_) for id_ in review_ids]},
    )
    return {ReviewId(row.review_id): answer_of(row) for row in rows}


def select_last_answer(connection: Connection, who: str) -> Answer | None:
    """Find the last answer of a steward that is carried out and not undone."""
    row = connection.execute(
        text(f"{ANSWER} WHERE a.who = :who AND a.state = 'carried_out' ORDER BY a.id DESC LIMIT 1"), {"who": who}
    ).one_or_none()
    return answer_of(row) if row is not None else None


def select_pace(connection: Connection, who: str, *, at: datetime, days: int) -> Pace:
    """Count the answers of a steward and take the median time from claim to answer."""
    row = connection.execute(
        text(
            "SELECT count(*) AS answers, count(claimed_at) AS timed, percentile_cont(0.5) WITHIN GROUP (ORDER BY"
            " EXTRACT(epoch FROM recorded_at - claimed_at)) FILTER (WHERE claimed_at IS NOT NULL) AS median"
            " FROM review_answer WHERE who = :who AND recorded_at > :since AND bulk_id IS NULL"
        ),
        {"who": who, "since": at - timedelta(days=days)},
    ).one()
    return Pace(row.answers, row.timed, None if row.median is None else float(row.median))


def select_team_pace(connection: Connection, *, at: datetime, days: int) -> Pace:
    """Count the answers of all stewards and take the median time from claim to answer, for the price of a queue."""
    row = connection.execute(
        text(
            "SELECT count(*) AS answers, count(claimed_at) AS timed, percentile_cont(0.5) WITHIN GROUP (ORDER BY"
            " EXTRACT(epoch FROM recorded_at - claimed_at)) FILTER (WHERE claimed_at IS NOT NULL) AS median"
            " FROM (SELECT recorded_at, claimed_at FROM review_answer WHERE recorded_at > :since AND bulk_id IS NULL"
            " ORDER BY id DESC LIMIT :limit) AS a"
        ),
        {"since": at - timedelta(days=days), "limit": TEAM_ANSWERS_MAX},
    ).one()
    return Pace(row.answers, row.timed, None if row.median is None else float(row.median))


def insert_comment(connection: Connection, comment: Comment) -> None:
    """Append a comment."""
    connection.execute(
        text(
            "INSERT INTO review_comment (id, review_id, comment, recorded_at, who)"
            " VALUES (:id, :review_id, :comment, :at, :who)"
        ),
        {
            "id": comment.id,
            "review_id": comment.review_id,
            "comment": comment.comment,
            "at": comment.recorded_at,
            "who": comment.who,
        },
    )


def select_comments(connection: Connection, review_id: ReviewId) -> tuple[Comment, ...]:
    """List what was said about a review, oldest first."""
    rows = connection.execute(
        text(f"{COMMENT} WHERE review_id = :id ORDER BY id"),
        {"id": review_id},
    )
    return tuple(comment_of(row) for row in rows)


def select_established(connection: Connection, golden_ids: Iterable[str]) -> frozenset[str]:
    """Name those of these golden records that a steward confirmed or a target acknowledged."""
    rows = connection.execute(
        text("SELECT id FROM golden_record WHERE id = ANY(:ids) AND (is_confirmed OR is_acknowledged)"),
        {"ids": list(golden_ids)},
    )
    return frozenset(rows.scalars())


def comment_of(row: Any) -> Comment:
    """Read a row of `COMMENT`."""
    return Comment(row.id, ReviewId(row.review_id), row.comment, row.recorded_at, row.who)


def answer_of(row: Any) -> Answer:
    """Read a row of `ANSWER`."""
    return Answer(
        id=AnswerId(row.id),
        review_id=ReviewId(row.review_id),
        entity_type=row.entity_type,
        bulk_id=row.bulk_id,
        verdict=Verdict(row.judgement, row.reason, row.relation, row.valid_from, row.valid_to),
        expected=row.expected,
        state=row.state,
        recorded_at=row.recorded_at,
        who=row.who,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
        event_id=EventId(row.event_id) if row.event_id else None,
    )
