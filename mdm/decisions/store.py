"""SQL of the decisions room, one function a question."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.decisions.model import Decision, Pair, RelatedPair, Verdict
from mdm.ids import DecisionId, EventId, GoldenId, RecordId, ReviewId

_KEY = (
    "(SELECT s.instance_id || '/' || s.object || CASE WHEN s.scope = '' THEN '' ELSE '/' || s.scope END"
    " || ':' || s.native_id FROM source_record s WHERE s.id = {0})"
)

# What stands in other tables is asked for each decision found, not joined: as decisions are made by the thousand, the
# planner does not know yet how many there are, and may go through all source records in order instead (forty merges
# waited .1 s for it beside 200,000 records, November 2026).
DECISION = f"""
SELECT d.id, d.entity_type, d.left_id, d.right_id, d.judgement, d.reason, d.relation, d.valid_from, d.valid_to, d.who,
       d.recorded_at, d.revoked_at, d.basis, d.event_id,
       (SELECT e.kind FROM identity_event e WHERE e.id = d.event_id) AS operation,
       {_KEY.format("d.left_id")} AS left_key, {_KEY.format("d.right_id")} AS right_key
  FROM decision d
"""

_ACTIVE_GOLDEN = "(SELECT s.golden_id FROM source_record s WHERE s.id = {0} AND s.state = 'active')"
_RELATED = DECISION.replace(
    " AS right_key",
    f" AS right_key, {_ACTIVE_GOLDEN.format('d.left_id')} AS left_golden,"
    f" {_ACTIVE_GOLDEN.format('d.right_id')} AS right_golden",
)


def insert_decisions(connection: Connection, decisions: Sequence[Decision]) -> None:
    """Append decisions."""
    rows = [
        {
            "id": decision.id,
            "entity_type": decision.entity_type,
            "judgement": decision.verdict.judgement,
            "relation": decision.verdict.relation,
            "left_id": decision.left_id,
            "right_id": decision.right_id,
            "reason": decision.verdict.reason,
            "valid_from": decision.verdict.valid_from,
            "valid_to": decision.verdict.valid_to,
            "recorded_at": decision.recorded_at,
            "who": decision.who,
            "basis": decision.basis,
            "event_id": decision.event_id,
        }
        for decision in decisions
    ]
    connection.execute(
        text(
            "INSERT INTO decision (id, entity_type, judgement, relation, left_id, right_id, reason, valid_from,"
            " valid_to, recorded_at, who, basis, event_id)"
            " SELECT id, entity_type, judgement, relation, left_id, right_id, reason, valid_from, valid_to,"
            " recorded_at, who, basis, event_id FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id text,"
            " entity_type text, judgement text, relation text, left_id text, right_id text, reason text,"
            " valid_from date, valid_to date, recorded_at timestamptz, who text, basis text, event_id text)"
        ),
        {"rows": as_json(rows)},
    )


def revoke_decisions(
    connection: Connection, decision_ids: Iterable[DecisionId], *, event_id: EventId | None, at: datetime, who: str
) -> None:
    """End decisions; their rows stay, and name the operation that ended them."""
    connection.execute(
        text(
            "UPDATE decision SET revoked_at = :at, revoked_by = :who, revoked_event_id = :event_id"
            " WHERE id = ANY(:ids) AND revoked_at IS NULL"
        ),
        {"ids": [str(id_) for id_ in decision_ids], "event_id": event_id, "at": at, "who": who},
    )


def select_decisions_of(connection: Connection, event_id: EventId) -> tuple[Decision, ...]:
    """List the decisions that an operation made and that still stand, oldest first."""
    rows = connection.execute(
        text(f"{DECISION} WHERE d.event_id = :event_id AND d.revoked_at IS NULL ORDER BY d.id"),
        {"event_id": event_id},
    )
    return tuple(decision_of(row) for row in rows)


def select_decisions_by(connection: Connection, event_id: EventId) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """List the decisions that an operation made and that still stand, and those that it revoked, oldest first."""
    rows = connection.execute(
        text(
            f"{DECISION.replace('d.event_id,', 'd.event_id, d.revoked_event_id,')}"
            " WHERE d.event_id = :event_id OR d.revoked_event_id = :event_id ORDER BY d.id"
        ),
        {"event_id": event_id},
    ).all()
    made = tuple(decision_of(row) for row in rows if row.event_id == event_id and row.revoked_at is None)
    return made, tuple(decision_of(row) for row in rows if row.revoked_event_id == event_id)


def select_source_decisions(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[Decision, ...]:
    """List the active decisions by which sources bind these records, given up for others, to their successors."""
    rows = connection.execute(
        text(f"{DECISION} WHERE d.revoked_at IS NULL AND d.basis = 'source' AND d.left_id = ANY(:ids) ORDER BY d.id"),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple(decision_of(row) for row in rows)


def select_decision(connection: Connection, decision_id: DecisionId) -> Decision | None:
    """Find one decision."""
    row = connection.execute(text(f"{DECISION} WHERE d.id = :id"), {"id": decision_id}).one_or_none()
    return decision_of(row) if row is not None else None


def select_active_decisions(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[Decision, ...]:
    """List the active decisions that bind any of these records, oldest first."""
    rows = connection.execute(
        text(
            f"{DECISION} WHERE d.revoked_at IS NULL AND (d.left_id = ANY(:ids) OR d.right_id = ANY(:ids)) ORDER BY d.id"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple(decision_of(row) for row in rows)


def select_judged_pairs(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[tuple[Pair, str], ...]:
    """List the pairs among these records that an active decision binds, each with its judgement."""
    rows = connection.execute(
        text(
            "SELECT left_id, right_id, judgement FROM decision"
            " WHERE revoked_at IS NULL AND left_id = ANY(:ids) AND right_id = ANY(:ids)"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple(((RecordId(row.left_id), RecordId(row.right_id)), row.judgement) for row in rows)


def select_related(connection: Connection, golden_ids: Iterable[GoldenId]) -> tuple[RelatedPair, ...]:
    """List the active relations of golden records, oldest first; those of a record that is out of the hub rest."""
    own = "ARRAY(SELECT id FROM source_record WHERE golden_id = ANY(:ids) AND state = 'active')"
    rows = connection.execute(
        text(
            f"SELECT * FROM ({_RELATED} WHERE d.revoked_at IS NULL AND d.judgement = 'related'"
            f" AND (d.left_id = ANY({own}) OR d.right_id = ANY({own}))) AS found"
            " WHERE left_golden IS NOT NULL AND right_golden IS NOT NULL ORDER BY id"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return tuple(RelatedPair(decision_of(row), GoldenId(row.left_golden), GoldenId(row.right_golden)) for row in rows)


def select_golden_ids(connection: Connection, record_ids: Iterable[RecordId]) -> dict[RecordId, GoldenId]:
    """Find the golden records that active records belong to."""
    rows = connection.execute(
        text("SELECT id, golden_id FROM source_record WHERE id = ANY(:ids) AND state = 'active'"),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return {RecordId(row.id): GoldenId(row.golden_id) for row in rows}


def select_active_ids(connection: Connection, record_ids: Iterable[RecordId]) -> frozenset[RecordId]:
    """Return those of these records that are active."""
    rows = connection.execute(
        text("SELECT id FROM source_record WHERE id = ANY(:ids) AND state = 'active'"),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return frozenset(map(RecordId, rows.scalars()))


def select_decisions_of_event(
    connection: Connection, event_id: EventId
) -> tuple[tuple[Decision, ...], tuple[Decision, ...]]:
    """List the decisions that an event made, and those that it revoked, in their order."""
    made, revoked = (
        connection.execute(text(f"{DECISION} WHERE d.{column} = :id ORDER BY d.id"), {"id": event_id})
        for column in ("event_id", "revoked_event_id")
    )
    return tuple(map(decision_of, made)), tuple(map(decision_of, revoked))


def select_reviews_between(
    connection: Connection, first: GoldenId, second: GoldenId, *, limit: int
) -> tuple[tuple[ReviewId, str], ...]:
    """List (id, kind) of the open reviews between records of two golden records; the same id twice asks within one."""
    rows = connection.execute(
        text(
            "SELECT q.id, q.kind FROM review q JOIN source_record l ON l.id = q.left_id"
            " JOIN source_record r ON r.id = q.right_id WHERE q.state = 'open'"
            " AND (l.golden_id, r.golden_id) IN ((:first, :second), (:second, :first))"
            " ORDER BY q.bits DESC, q.id LIMIT :limit"
        ),
        {"first": first, "second": second, "limit": limit},
    )
    return tuple((ReviewId(row.id), row.kind) for row in rows)


def select_decisions(
    connection: Connection, *, entity_type: str | None, after: str, limit: int
) -> tuple[Decision, ...]:
    """List decisions, revoked ones too, in the order they were made."""
    rows = connection.execute(
        text(
            f"{DECISION} WHERE (CAST(:type AS text) IS NULL OR d.entity_type = :type) AND d.id > :after ORDER BY d.id"
            f" LIMIT :limit"
        ),
        {"type": entity_type, "after": after, "limit": limit},
    )
    return tuple(decision_of(row) for row in rows)


def decision_of(row: Any) -> Decision:
    """Read a row of `DECISION`."""
    return Decision(
        id=DecisionId(row.id),
        entity_type=row.entity_type,
        left_id=RecordId(row.left_id),
        right_id=RecordId(row.right_id),
        verdict=Verdict(row.judgement, row.reason, row.relation, row.valid_from, row.valid_to),
        who=row.who,
        recorded_at=row.recorded_at,
        revoked_at=row.revoked_at,
        left_key=row.left_key,
        right_key=row.right_key,
        basis=row.basis,
        event_id=EventId(row.event_id) if row.event_id else None,
        operation="" if row.operation in (None, "decision") else row.operation,
    )
