"""SQL of the identity room, one function a question."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.counting import estimated_counts
from mdm.db.locks import waiting
from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.identity.model import (
    GoldenRecord,
    Member,
    Move,
    Turn,
)
from mdm.ids import EventId, GoldenId, RecordId

_GOLDEN = (
    "SELECT g.id, g.entity_type, g.state, g.forward_to, g.version, g.is_confirmed, g.is_acknowledged"
    " FROM golden_record g"
)


def lock_goldens(connection: Connection, golden_ids: Sequence[GoldenId]) -> None:
    """Lock golden records until the transaction ends, in the order given; raises LocksBusy."""
    with waiting():
        connection.execute(
            text(
                "SELECT g.id FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS k (id, place)"
                " JOIN golden_record g ON g.id = k.id ORDER BY k.place FOR UPDATE OF g"
            ),
            {"ids": [str(id_) for id_ in golden_ids]},
        )


def lock_free_goldens(connection: Connection, golden_ids: Iterable[GoldenId]) -> frozenset[str]:
    """Lock those of golden records that nobody else holds, without waiting, until the transaction ends; name them."""
    found = connection.execute(
        text("SELECT g.id FROM golden_record g WHERE g.id = ANY(:ids) ORDER BY g.id FOR UPDATE SKIP LOCKED"),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return frozenset(found.scalars())


def select_goldens(connection: Connection, golden_ids: Iterable[GoldenId]) -> dict[GoldenId, GoldenRecord]:
    """Load golden records by id, in any state."""
    rows = connection.execute(
        text(f"{_GOLDEN} WHERE g.id = ANY(:ids) ORDER BY g.id"), {"ids": [str(id_) for id_ in golden_ids]}
    )
    return {golden.id: golden for golden in map(_golden, rows)}


def select_goldens_and_targets(connection: Connection, golden_ids: Iterable[GoldenId]) -> dict[GoldenId, GoldenRecord]:
    """Load golden records by id, in any state, and those that they forward to."""
    rows = connection.execute(
        text(
            f"{_GOLDEN} WHERE g.id = ANY(:ids) UNION SELECT t.* FROM golden_record f"
            # LIMIT: each by its id. As a join of two tables it was planned to read every golden record.
            f" CROSS JOIN LATERAL ({_GOLDEN} WHERE g.id = f.forward_to LIMIT 1) t"
            " WHERE f.id = ANY(:ids) AND f.forward_to IS NOT NULL ORDER BY id"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return {golden.id: golden for golden in map(_golden, rows)}


def select_goldens_around(connection: Connection, record_ids: Iterable[RecordId]) -> dict[GoldenId, GoldenRecord]:
    """Load the golden records that these records have, or had first, and all that forward to one of them."""
    rows = connection.execute(
        text(
            "WITH own AS (SELECT golden_id AS id FROM source_record WHERE id = ANY(:ids) AND golden_id IS NOT NULL"
            " UNION SELECT origin_golden_id FROM source_record WHERE id = ANY(:ids) AND origin_golden_id IS NOT NULL)"
            # Not one condition with OR: no index answers that, and every golden record was read.
            f" {_GOLDEN} WHERE g.id IN (SELECT id FROM own) UNION {_GOLDEN} WHERE g.forward_to IN (SELECT id FROM own)"
            " ORDER BY id"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return {golden.id: golden for golden in map(_golden, rows)}


def select_members(connection: Connection, record_ids: Iterable[RecordId]) -> dict[RecordId, Member]:
    """Load records as identity sees them."""
    rows = connection.execute(
        text(
            "SELECT r.id, m.golden_id, r.golden_id AS last_golden_id, r.origin_golden_id, m.published_at IS NOT NULL"
            " AS is_published"
            " FROM source_record r"
            " LEFT JOIN membership m ON m.record_id = r.id AND m.recorded_to IS NULL WHERE r.id = ANY(:ids) ORDER BY"
            " r.id"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return {RecordId(row.id): _member(row) for row in rows}


def select_member_ids(connection: Connection, golden_ids: Iterable[GoldenId]) -> dict[GoldenId, frozenset[RecordId]]:
    """List the members that golden records have now; those without any are left out."""
    rows = connection.execute(
        text(
            "SELECT golden_id, array_agg(id) AS ids FROM source_record WHERE golden_id = ANY(:ids) AND state = 'active'"
            " GROUP BY 1"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return {GoldenId(row.golden_id): frozenset(map(RecordId, row.ids)) for row in rows}


def select_member_ids_before(
    connection: Connection, golden_ids: Iterable[GoldenId], at: datetime
) -> dict[GoldenId, frozenset[RecordId]]:
    """List the members that golden records had just before an instant."""
    rows = connection.execute(
        text(
            "SELECT golden_id, array_agg(record_id) AS ids FROM membership WHERE golden_id = ANY(:ids)"
            " AND recorded_from < :at AND (recorded_to IS NULL OR recorded_to >= :at) GROUP BY 1"
        ),
        {"ids": [str(id_) for id_ in golden_ids], "at": at},
    )
    return {GoldenId(row.golden_id): frozenset(map(RecordId, row.ids)) for row in rows}


def select_first_seen_since(
    connection: Connection, record_ids: Iterable[RecordId], at: datetime
) -> frozenset[RecordId]:
    """Return those of these records that belonged to no golden record up to an instant."""
    rows = connection.execute(
        text(
            "SELECT id FROM unnest(CAST(:ids AS text[])) AS r (id) WHERE NOT EXISTS (SELECT FROM membership m"
            " WHERE m.record_id = r.id AND m.recorded_from <= :at)"
        ),
        {"ids": [str(id_) for id_ in record_ids], "at": at},
    )
    return frozenset(map(RecordId, rows.scalars()))


def select_published_since(connection: Connection, golden_ids: Iterable[GoldenId], at: datetime) -> frozenset[GoldenId]:
    """Return those of these golden records of which a target acknowledged a key after an instant."""
    rows = connection.execute(
        text("SELECT DISTINCT golden_id FROM membership WHERE golden_id = ANY(:ids) AND published_at > :at"),
        {"ids": [str(id_) for id_ in golden_ids], "at": at},
    )
    return frozenset(map(GoldenId, rows.scalars()))


def upsert_standings(
    connection: Connection, entity_type: str, turns: Sequence[Turn], *, at: datetime, who: str
) -> None:
    """Write the standing of golden ids; new ids start at version 0, their values follow."""
    # A foreign key on forward_to asks that survivors exist first: active ones are written before forwarded ones.
    for is_forward in (False, True):
        rows = [
            {"id": turn.golden_id, **asdict(turn.after)}
            for turn in turns
            if (turn.after.state == "forwarded") is is_forward
        ]
        if not rows:
            continue
        connection.execute(
            text(
                "INSERT INTO golden_record (id, entity_type, state, forward_to, is_confirmed, is_acknowledged, version,"
                " recorded_at, who)"
                " SELECT id, :entity_type, state, forward_to, is_confirmed, is_acknowledged, 0, :at, :who"
                " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id text, state text, forward_to text,"
                " is_confirmed boolean, is_acknowledged boolean)"
                " ON CONFLICT (id) DO UPDATE SET state = excluded.state, forward_to = excluded.forward_to,"
                " is_confirmed = excluded.is_confirmed, is_acknowledged = excluded.is_acknowledged"
            ),
            {"rows": as_json(rows), "entity_type": entity_type, "at": at, "who": who},
        )


def move_members(
    connection: Connection, moves: Sequence[Move], event_id: EventId, *, at: datetime, who: str
) -> dict[RecordId, GoldenId]:
    """End the open membership of each record and begin the one its move leads to; return what each record left.

    The record points at where it goes, the first one stays noted as its origin. A key that a target knew under this id
    before is known under it.
    """
    rows = [{"record_id": move.record_id, "golden_id": move.after} for move in moves if move.after is not None]
    left = connection.execute(
        text(
            # A record has one open membership, so all are ended (counted) before the first begins.
            "WITH r AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (record_id text,"
            " golden_id text)),"
            " pointed AS (UPDATE source_record s SET golden_id = r.golden_id, origin_golden_id ="
            " coalesce(s.origin_golden_id, r.golden_id) FROM r WHERE s.id = r.record_id),"
            " ended AS (UPDATE membership SET recorded_to = :at WHERE record_id = ANY(:ids) AND recorded_to IS NULL"
            " RETURNING record_id, golden_id),"
            " begun AS (INSERT INTO membership (record_id, recorded_from, golden_id, published_at, event_id, who)"
            "  SELECT record_id, :at, golden_id, (SELECT min(m.published_at) FROM membership m"
            "  WHERE m.record_id = r.record_id AND m.golden_id = r.golden_id), :event_id, :who"
            "  FROM r WHERE (SELECT count(*) FROM ended) >= 0)"
            " SELECT record_id, golden_id FROM ended"
        ),
        {
            "ids": [str(move.record_id) for move in moves],
            "rows": as_json(rows),
            "event_id": event_id,
            "at": at,
            "who": who,
        },
    )
    return {RecordId(row.record_id): GoldenId(row.golden_id) for row in left}


def give_back_last_golden(connection: Connection, record_ids: Iterable[RecordId], *, before: datetime) -> None:
    """Note for records without a golden record the one they had last before an instant: they come home to it."""
    connection.execute(
        text(
            "UPDATE source_record r SET golden_id = (SELECT m.golden_id FROM membership m WHERE m.record_id = r.id"
            " AND m.recorded_from < :before ORDER BY m.recorded_from DESC LIMIT 1)"
            " WHERE r.id = ANY(:ids) AND r.state <> 'active'"
        ),
        {"ids": [str(id_) for id_ in record_ids], "before": before},
    )


def select_unpublished(connection: Connection, golden_ids: Iterable[GoldenId]) -> frozenset[GoldenId]:
    """Find among active golden records those of which no target acknowledged the members they have now."""
    rows = connection.execute(
        text(
            "SELECT g.id FROM golden_record g WHERE g.id = ANY(:ids) AND g.state = 'active' AND (NOT g.is_acknowledged"
            " OR EXISTS (SELECT FROM membership m WHERE m.golden_id = g.id AND m.recorded_to IS NULL"
            " AND m.published_at IS NULL))"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return frozenset(GoldenId(row.id) for row in rows)


def mark_published(connection: Connection, golden_ids: Sequence[GoldenId], *, at: datetime) -> None:
    """Note that a target acknowledged these golden records with the members they have now."""
    parameters = {"ids": [str(id_) for id_ in golden_ids], "at": at}
    connection.execute(
        text("UPDATE golden_record SET is_acknowledged = true WHERE id = ANY(:ids) AND NOT is_acknowledged"), parameters
    )
    connection.execute(
        text(
            "UPDATE membership SET published_at = :at WHERE golden_id = ANY(:ids) AND recorded_to IS NULL AND"
            " published_at IS NULL"
        ),
        parameters,
    )


def count_goldens(connection: Connection) -> dict[str, int]:
    """Count the active golden records of each entity type."""
    rows = connection.execute(
        text("SELECT entity_type, count(*) AS n FROM golden_record WHERE state = 'active' GROUP BY 1 ORDER BY 1")
    )
    return {row.entity_type: row.n for row in rows}


def estimate_goldens(connection: Connection) -> tuple[dict[str, int], bool]:
    """Count the active golden records of each entity type; True where there are so many that it is an estimate."""
    estimated = estimated_counts(connection, "golden_record", "st_golden_record_state")
    if estimated is None:
        return count_goldens(connection), False
    return {entity_type: n for (entity_type, state), n in estimated.items() if state == "active"}, True


def _golden(row: Row[Any]) -> GoldenRecord:
    return GoldenRecord(
        id=GoldenId(row.id),
        entity_type=row.entity_type,
        state=row.state,
        forward_to=_maybe_golden(row.forward_to),
        version=row.version,
        is_confirmed=row.is_confirmed,
        is_acknowledged=row.is_acknowledged,
    )


def _member(row: Row[Any]) -> Member:
    own = frozenset(GoldenId(id_) for id_ in (row.origin_golden_id, row.last_golden_id) if id_ is not None)
    return Member(RecordId(row.id), _maybe_golden(row.golden_id), own, row.is_published)


def _maybe_golden(text_value: str | None) -> GoldenId | None:
    return GoldenId(text_value) if text_value is not None else None
