"""SQL of reviews, one function a question: the queue, and what closes or opens in it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.decisions import waiting_store
from mdm.decisions.ageing import AgedCount
from mdm.decisions.model import Pair
from mdm.decisions.review_model import (
    OpenReview,
    Place,
    QuestionKey,
    Ranking,
    Review,
    ReviewFilter,
    ReviewState,
    Weight,
)
from mdm.entities.model import ReviewKind
from mdm.ids import AnswerId, RecordId, ReviewId

_KEY = (
    "{0}.instance_id || '/' || {0}.object || CASE WHEN {0}.scope = '' THEN '' ELSE '/' || {0}.scope END"
    " || ':' || {0}.native_id"
)
_CLAIMED = "CASE WHEN q.claimed_until > now() THEN q.claimed_by END"

REVIEW = (
    "SELECT q.id, q.entity_type, q.kind, q.left_id, q.right_id, q.bits, q.stake, q.usefulness, q.state, q.subject,"
    f" q.recorded_at, q.due_at, q.assignee, {_CLAIMED} AS claimed_by, CASE WHEN q.claimed_until > now() THEN"
    f" q.claimed_until END AS claimed_until, q.closed_at, q.closed_because, {_KEY.format('l')} AS left_key,"
    f" {_KEY.format('r')} AS right_key, l.golden_id AS left_golden_id, r.golden_id AS right_golden_id, l.version AS"
    " left_version, r.version AS right_version, w.id AS answer_id"
)
# Each side is looked up by its id: LIMIT keeps the planner from walking all records beside a page of reviews, which it
# takes for cheap as ids are made in the order of time, and from weighing seven tables against each other.
_SIDE = (
    " CROSS JOIN LATERAL (SELECT s.instance_id, s.object, s.scope, s.native_id, s.golden_id, g.version"
    " FROM source_record s LEFT JOIN golden_record g ON g.id = s.golden_id WHERE s.id = q.{1}_id LIMIT 1) {0}"
)
REVIEW_JOINS = (
    f"{_SIDE.format('l', 'left')}{_SIDE.format('r', 'right')}"
    " LEFT JOIN LATERAL (SELECT a.id FROM review_answer a WHERE a.review_id = q.id AND a.state = 'proposed' LIMIT 1) w"
    " ON true"
)
# Partial indexes of the queue need the word itself, not a bound value.
_STATE: Mapping[ReviewState, str] = {"open": "q.state = 'open'", "closed": "q.state = 'closed'"}
_CONDITIONS: Mapping[str, str] = {
    "types": "q.entity_type = ANY(:types)",
    "kinds": "q.kind = ANY(:kinds)",
    "assignee": "q.assignee = :assignee",
    "claimed_by": f"{_CLAIMED} = :claimed_by",
    "free_for": f"coalesce({_CLAIMED}, :free_for) = :free_for",
    "source": (
        "EXISTS (SELECT FROM source_record s WHERE s.id IN (q.left_id, q.right_id) AND s.instance_id = :source)"
    ),
    "due_before": "q.due_at <= :due_before",
    "bits_min": "q.bits >= :bits_min",
    "bits_max": "q.bits <= :bits_max",
    "stake_min": "q.stake >= :stake_min",
    "stake_max": "q.stake <= :stake_max",
    # Two conditions, as the planner begins at the few answers that wait only where no value could ask for the others.
    "is_waiting": "EXISTS (SELECT FROM review_answer w WHERE w.review_id = q.id AND w.state = 'proposed')",
    "is_unanswered": "NOT EXISTS (SELECT FROM review_answer w WHERE w.review_id = q.id AND w.state = 'proposed')",
}
_RANKS: Mapping[Ranking, tuple[str, str]] = {
    "riskiest": ("q.stake", "DESC"),
    "useful": ("q.usefulness", "DESC"),
    "oldest": ("q.recorded_at", "ASC"),
}
# The indexes begin with the entity type: each type gives its first page, whatever types there are.
_TYPES_ASKED = "types AS (SELECT unnest(CAST(:types AS text[])) AS name)"
_TYPES_OPEN = (
    "types AS ((SELECT entity_type AS name FROM review WHERE state = 'open' ORDER BY entity_type LIMIT 1) UNION ALL"
    " SELECT (SELECT entity_type FROM review WHERE state = 'open' AND entity_type > t.name ORDER BY entity_type"
    " LIMIT 1) FROM types t WHERE t.name IS NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Closed:
    """A review that was closed just now."""

    id: ReviewId
    entity_type: str
    kind: str
    because: str


def close_reviews(
    connection: Connection, review_ids: Sequence[ReviewId], *, because: str, at: datetime, who: str
) -> tuple[Closed, ...]:
    """Close open reviews, and let answers that waited for a second person lapse; return those that were open."""
    rows = connection.execute(
        text(
            "WITH closed AS (UPDATE review SET state = 'closed', closed_at = :at, closed_because = :because,"
            "   claimed_by = NULL, claimed_at = NULL, claimed_until = NULL"
            "  WHERE id = ANY(:ids) AND state = 'open' RETURNING id, entity_type, kind),"
            " lapsed AS (UPDATE review_answer a SET state = 'lapsed', settled_at = :at, settled_by = :who FROM closed c"
            "  WHERE a.review_id = c.id AND a.state = 'proposed')"
            " SELECT id, entity_type, kind FROM closed ORDER BY id"
        ),
        {"ids": [str(id_) for id_ in review_ids], "because": because, "at": at, "who": who},
    )
    return tuple(Closed(ReviewId(row.id), row.entity_type, row.kind, because) for row in rows)


def reopen_review(connection: Connection, review_id: ReviewId) -> bool:
    """Open a closed review again, unless another one asks the same by now; tell whether it was done."""
    done = connection.execute(
        text(
            "UPDATE review q SET state = 'open', closed_at = NULL, closed_because = NULL WHERE q.id = :id AND q.state ="
            " 'closed' AND NOT EXISTS (SELECT FROM review o WHERE o.state = 'open' AND (o.left_id, o.right_id, o.kind)"
            " = (q.left_id, q.right_id, q.kind))"
        ),
        {"id": review_id},
    )
    return done.rowcount == 1


def open_reviews(
    connection: Connection, entity_type: str, rows: Sequence[Mapping[str, Any]], *, at: datetime, who: str
) -> frozenset[ReviewId]:
    """Open a review for each question that has none, an open one takes over what changed; return the new ones.

    rows  id, kind, left_id, right_id, bits, stake, subject, assignee, due_at
    """
    found = connection.execute(
        text(
            "INSERT INTO review (id, entity_type, kind, left_id, right_id, bits, stake, staked_at, subject, assignee,"
            " due_at, state, recorded_at, who)"
            " SELECT id, :entity_type, kind, left_id, right_id, bits, stake, :at, subject, assignee, due_at, 'open',"
            " :at, :who"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id text, kind text, left_id text, right_id text,"
            " bits float, stake float, subject jsonb, assignee text, due_at timestamptz)"
            " ON CONFLICT (left_id, right_id, kind) WHERE state = 'open' DO UPDATE SET bits = excluded.bits, subject ="
            " excluded.subject, stake = excluded.stake, staked_at = excluded.staked_at RETURNING id, recorded_at = :at"
            " AND (xmax = 0) AS is_new"
        ),
        {"rows": as_json(rows), "entity_type": entity_type, "at": at, "who": who},
    )
    return frozenset(ReviewId(row.id) for row in found if row.is_new)


def select_open_reviews(connection: Connection, record_ids: Iterable[RecordId]) -> dict[QuestionKey, OpenReview]:
    """Find the open reviews that any of these records stands for, by their question."""
    rows = connection.execute(
        text(
            "SELECT id, kind, left_id, right_id, bits, subject FROM review WHERE state = 'open' AND (left_id ="
            " ANY(:ids) OR right_id = ANY(:ids)) ORDER BY id"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return {
        (row.kind, RecordId(row.left_id), RecordId(row.right_id)): OpenReview(ReviewId(row.id), row.bits, row.subject)
        for row in rows
    }


def select_weights(
    connection: Connection, record_ids: Sequence[Sequence[RecordId]]
) -> tuple[tuple[Weight, frozenset[str]], ...]:
    """Weigh what hangs on the golden records of each question, given its records; and name those golden records."""
    rows = [
        {"place": place, "record_id": record_id} for place, ids in enumerate(record_ids) for record_id in sorted(ids)
    ]
    found = connection.execute(
        text(
            "WITH g AS (SELECT DISTINCT q.place, r.golden_id FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
            "   AS q (place int, record_id text) JOIN source_record r ON r.id = q.record_id)"
            " SELECT g.place, array_agg(DISTINCT g.golden_id) AS golden_ids, count(DISTINCT m.id) AS members,"
            "   count(DISTINCT s.record_id) AS published, count(DISTINCT c.golden_id) AS children,"
            "   count(DISTINCT m.instance_id) AS systems"
            " FROM g JOIN source_record m ON m.golden_id = g.golden_id AND m.state = 'active'"
            " LEFT JOIN membership s ON s.record_id = m.id AND s.recorded_to IS NULL AND s.published_at IS NOT NULL"
            " LEFT JOIN source_reference f ON f.instance_id = m.instance_id AND f.native_id = m.native_id"
            "   AND f.entity_type = m.entity_type AND m.scope IN (f.scope, '')"
            " LEFT JOIN source_record c ON c.id = f.record_id AND c.state = 'active' AND c.golden_id <> g.golden_id"
            " GROUP BY g.place"
        ),
        {"rows": as_json(rows)},
    )
    by_place = {
        row.place: (Weight(row.members, row.published, row.children, row.systems), frozenset(row.golden_ids))
        for row in found
    }
    return tuple(by_place.get(place, (Weight(), frozenset())) for place in range(len(record_ids)))


def select_size_answered(connection: Connection, record_ids: Iterable[RecordId]) -> int:
    """Return the largest size of a golden record of these records that a steward has found right."""
    found = connection.execute(
        text(
            "SELECT coalesce(max(CAST(q.subject ->> 'records' AS int)), 0) FROM review q JOIN review_answer a ON"
            " a.review_id = q.id AND a.state = 'carried_out' AND a.judgement = 'same'"
            " WHERE q.kind = 'large_cluster' AND q.left_id = ANY(:ids) AND q.right_id = ANY(:ids)"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return int(found.scalar_one())


def select_stale_reviews(
    connection: Connection, *, before: datetime, limit: int
) -> tuple[tuple[ReviewId, ReviewKind, float, Pair], ...]:
    """Take open reviews whose stake was worked out before an instant, or never: id, kind, bits, the two records."""
    rows = connection.execute(
        text(
            "SELECT id, kind, bits, left_id, right_id FROM review WHERE state = 'open' AND (staked_at IS NULL OR"
            " staked_at < :before) ORDER BY staked_at NULLS FIRST LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"before": before, "limit": limit},
    )
    return tuple((ReviewId(row.id), row.kind, row.bits, (RecordId(row[3]), RecordId(row[4]))) for row in rows)


def update_stakes(connection: Connection, stake_by_review: Mapping[ReviewId, float], *, at: datetime) -> None:
    """Write down what is at stake now."""
    rows = [{"id": id_, "stake": stake} for id_, stake in stake_by_review.items()]
    connection.execute(
        text(
            "UPDATE review q SET stake = r.stake, staked_at = :at FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r"
            " (id text, stake float) WHERE q.id = r.id"
        ),
        {"rows": as_json(rows), "at": at},
    )


def select_reviews(
    connection: Connection,
    asked: ReviewFilter,
    *,
    ranking: Ranking = "riskiest",
    after: Place | None = None,
    limit: int,
) -> tuple[Review, ...]:
    """List reviews in an order; `after` is the place of the last one seen in it."""
    column, way = _RANKS[ranking]
    named = _named(asked)
    seen = ""
    if after is not None:
        sign = "<" if way == "DESC" else ">"
        # The first condition is one that an index can begin at.
        seen = f" AND {column} {sign}= :seen AND ({column} {sign} :seen OR q.id > :seen_id)"
        named |= {"seen": after[0], "seen_id": after[1]}
    rank = f"SELECT q.id, {column} AS rank FROM review q"
    first = f"ORDER BY rank {way}, id LIMIT :limit"
    if asked.state == "open":
        types = _TYPES_ASKED if asked.entity_types else _TYPES_OPEN
        where = _where(named.keys() - {"types"}, asked.state)
        each = f"{rank} WHERE q.entity_type = t.name AND {where}{seen} {first}"
        page = f"{types}, page AS (SELECT p.* FROM types t CROSS JOIN LATERAL ({each}) p {first})"
    else:
        page = f"page AS ({rank} WHERE {_where(named, asked.state)}{seen} {first})"
    rows = connection.execute(
        text(
            f"WITH RECURSIVE {page} {REVIEW} FROM page p JOIN review q ON q.id = p.id{REVIEW_JOINS}"
            f" ORDER BY p.rank {way}, p.id"
        ),
        {**named, "limit": limit},
    )
    return tuple(review_of(row) for row in rows)


def count_reviews(connection: Connection, asked: ReviewFilter) -> int:
    """Count the reviews that a filter lets through."""
    named = _named(asked)
    counted = f"SELECT count(*) FROM review q WHERE {_where(named, asked.state)}"
    return int(connection.execute(text(counted), named).scalar_one())


def count_clear_and_hard(connection: Connection, asked: ReviewFilter, *, clear_bits: float) -> tuple[int, int]:
    """Count the reviews that a filter lets through: those whose odds are clear either way, and the others."""
    named = _named(asked)
    row = connection.execute(
        text(
            "SELECT count(*) FILTER (WHERE abs(q.bits) >= :clear) AS clear, count(*) FILTER (WHERE abs(q.bits) <"
            f" :clear) AS hard FROM review q WHERE {_where(named, asked.state)}"
        ),
        {**named, "clear": clear_bits},
    ).one()
    return row.clear, row.hard


def count_by_age(connection: Connection, asked: ReviewFilter, *, at: datetime) -> tuple[AgedCount, ...]:
    """Count the reviews of a filter by entity type, kind and age."""
    named = _named(asked)
    return waiting_store.count_by_age(connection, _where(named, asked.state), named, at=at)


def count_reviews_opened(connection: Connection, *, since: datetime, who: str) -> int:
    """Count the open questions of one caller since an instant."""
    statement = "SELECT count(*) FROM review WHERE state = 'open' AND recorded_at >= :since AND who = :who"
    return int(connection.execute(text(statement), {"since": since, "who": who}).scalar_one())


def select_reviews_by_id(connection: Connection, review_ids: Iterable[ReviewId]) -> dict[ReviewId, Review]:
    """Find reviews by id."""
    rows = connection.execute(
        text(f"{REVIEW} FROM review q{REVIEW_JOINS} WHERE q.id = ANY(:ids) ORDER BY q.id"),
        {"ids": [str(id_) for id_ in review_ids]},
    )
    return {ReviewId(row.id): review_of(row) for row in rows}


def lock_reviews(connection: Connection, review_ids: Iterable[ReviewId]) -> None:
    """Hold reviews until the transaction ends, in one order."""
    connection.execute(
        text("SELECT FROM review WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"),
        {"ids": [str(id_) for id_ in review_ids]},
    )


def update_claim(
    connection: Connection, review_id: ReviewId, *, by: str | None, at: datetime, until: datetime | None
) -> None:
    """Claim a review for somebody until an instant, keeping since when it was theirs; None releases it."""
    connection.execute(
        text(
            "UPDATE review SET claimed_at = CASE WHEN CAST(:by AS text) IS NULL THEN NULL WHEN claimed_by = :by AND"
            " claimed_until > :at THEN claimed_at ELSE CAST(:at AS timestamptz) END, claimed_by = :by, claimed_until ="
            " CAST(:until AS timestamptz) WHERE id = :id"
        ),
        {"id": review_id, "by": by, "at": at, "until": until},
    )


def update_assignee(connection: Connection, review_id: ReviewId, assignee: str | None) -> None:
    """Give a review to a person or group; None takes it from whoever had it."""
    connection.execute(
        text("UPDATE review SET assignee = :assignee WHERE id = :id"), {"id": review_id, "assignee": assignee}
    )


def _named(asked: ReviewFilter) -> dict[str, Any]:
    """Give the values of a filter that ask for anything, by the names of their conditions."""
    values = {
        "types": list(asked.entity_types) or None,
        "kinds": list(asked.kinds) or None,
        "assignee": asked.assignee,
        "claimed_by": asked.claimed_by,
        "free_for": asked.free_for,
        "source": asked.source,
        "due_before": asked.due_before,
        "bits_min": asked.bits[0],
        "bits_max": asked.bits[1],
        "stake_min": asked.stake[0],
        "stake_max": asked.stake[1],
        "is_waiting": asked.is_waiting or None,
        "is_unanswered": asked.is_waiting is False or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _where(named: Collection[str], state: ReviewState) -> str:
    return " AND ".join([_STATE[state], *(condition for name, condition in _CONDITIONS.items() if name in named)])


def review_of(row: Any) -> Review:
    """Read a row of `REVIEW`."""
    return Review(
        id=ReviewId(row.id),
        entity_type=row.entity_type,
        kind=row.kind,
        left_id=RecordId(row.left_id),
        right_id=RecordId(row.right_id),
        left_key=row.left_key,
        right_key=row.right_key,
        left_golden_id=row.left_golden_id,
        right_golden_id=row.right_golden_id,
        left_version=row.left_version,
        right_version=row.right_version,
        bits=row.bits,
        stake=row.stake,
        state=row.state,
        subject=row.subject,
        recorded_at=row.recorded_at,
        due_at=row.due_at,
        assignee=row.assignee,
        claimed_by=row.claimed_by,
        claimed_until=row.claimed_until,
        answer_id=AnswerId(row.answer_id) if row.answer_id else None,
        closed_at=row.closed_at,
        closed_because=row.closed_because,
        usefulness=row.usefulness,
    )
