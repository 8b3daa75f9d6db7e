"""SQL of overrides, one function a question: they are added and ended, never changed."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.decisions.model import Lasting, Signature, StoredOverride
from mdm.ids import AnswerId, EventId, GoldenId, OverrideId, RecordId

BY_THE_HUB: Final = "hub"
"""Who ends an override whose term is over; what ended so is not reinstated with the operation it ended in."""

_OVERRIDE = """
SELECT o.id, o.record_id, o.attribute, o.value, o.term, o.until, o.masked_hash, o.reason, o.recorded_at, o.who,
       o.event_id, o.ended_at, o.ended_by, o.ended_event_id, r.entity_type, r.golden_id, r.state <> 'active' AS at_rest,
       r.instance_id || '/' || r.object || CASE WHEN r.scope = '' THEN '' ELSE '/' || r.scope END || ':' || r.native_id
       AS record_key
  FROM value_override o JOIN source_record r ON r.id = o.record_id
"""


def insert_overrides(connection: Connection, overrides: Sequence[StoredOverride]) -> None:
    """Append overrides."""
    rows = [
        {
            "id": one.id,
            "record_id": one.record_id,
            "attribute": one.attribute,
            "value": one.value,
            "term": one.lasting.term,
            "until": one.lasting.until,
            "masked_hash": one.masked,
            "reason": one.reason,
            "recorded_at": one.recorded_at,
            "who": one.who,
            "event_id": one.event_id,
        }
        for one in overrides
    ]
    # A record set reads JSON null as SQL NULL, also for jsonb; the value of a blank is JSON null.
    connection.execute(
        text(
            "INSERT INTO value_override (id, record_id, attribute, value, term, until, masked_hash, reason,"
            " recorded_at, who, event_id) SELECT id, record_id, attribute, coalesce(value, 'null'::jsonb), term, until,"
            " masked_hash, reason, recorded_at, who, event_id FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r ("
            "id text, record_id text, attribute text, value jsonb, term text, until timestamptz, masked_hash text,"
            " reason text, recorded_at timestamptz, who text, event_id text)"
        ),
        {"rows": as_json(rows)},
    )


def end_overrides(connection: Connection, override_ids: Iterable[str], *, signed: Signature) -> tuple[OverrideId, ...]:
    """End overrides; those that ended before are left alone. Returns the ids of those that ended now."""
    return _end(connection, "id = ANY(:ids)", {"ids": list(map(str, override_ids))}, signed)


def end_overrides_on(
    connection: Connection, record_id: RecordId, attributes: Iterable[str], *, signed: Signature
) -> tuple[OverrideId, ...]:
    """End what is overridden on a record for these attributes."""
    chosen = {"record_id": record_id, "attributes": list(attributes)}
    return _end(connection, "record_id = :record_id AND attribute = ANY(:attributes)", chosen, signed)


def end_overrides_of(connection: Connection, event_id: EventId, *, signed: Signature) -> tuple[OverrideId, ...]:
    """End the overrides that an operation made, as far as they still stand."""
    return _end(connection, "event_id = :made_by", {"made_by": event_id}, signed)


def select_ended_by(connection: Connection, event_id: EventId) -> tuple[StoredOverride, ...]:
    """List the overrides that an operation ended; one whose own term was over then is none of them."""
    rows = connection.execute(
        text(f"{_OVERRIDE} WHERE o.ended_event_id = :event_id AND o.ended_by <> :hub ORDER BY o.recorded_at, o.id"),
        {"event_id": event_id, "hub": BY_THE_HUB},
    )
    return tuple(map(_override, rows))


def select_kept_with(connection: Connection, answer_id: AnswerId) -> dict[str, Any]:
    """Return by attribute the values that are kept with an answer until a second person approves it."""
    rows = connection.execute(
        text("SELECT attribute, value FROM value_override WHERE ended_by = :id AND event_id IS NULL ORDER BY id"),
        {"id": answer_id},
    )
    return {row.attribute: row.value for row in rows}


def select_overrides_of(connection: Connection, golden_id: GoldenId, *, limit: int) -> tuple[StoredOverride, ...]:
    """List the overrides anchored on the records of a golden record, ended ones too, the latest first."""
    rows = connection.execute(
        text(
            f"{_OVERRIDE} WHERE r.golden_id = :golden_id ORDER BY o.ended_at IS NOT NULL, o.recorded_at DESC, o.id DESC"
            " LIMIT :limit"
        ),
        {"golden_id": golden_id, "limit": limit},
    )
    return tuple(map(_override, rows))


def select_overrides(
    connection: Connection, *, entity_types: frozenset[str] | None, is_ended: bool, after: str, limit: int
) -> tuple[StoredOverride, ...]:
    """List the overrides of some entity types or all, those that stand or those that ended, in the order of ids."""
    rows = connection.execute(
        text(
            f"{_OVERRIDE} WHERE (o.ended_at IS NOT NULL) = :is_ended AND o.id > :after"
            " AND (CAST(:types AS text[]) IS NULL OR r.entity_type = ANY(:types)) ORDER BY o.id LIMIT :limit"
        ),
        {
            "types": None if entity_types is None else sorted(entity_types),
            "is_ended": is_ended,
            "after": after,
            "limit": limit,
        },
    )
    return tuple(map(_override, rows))


def _end(connection: Connection, condition: str, chosen: dict[str, Any], signed: Signature) -> tuple[OverrideId, ...]:
    rows = connection.execute(
        text(
            "UPDATE value_override SET ended_at = :at, ended_by = :who, ended_event_id = :by_event"
            f" WHERE ended_at IS NULL AND {condition} RETURNING id"
        ),
        {**chosen, "at": signed.at, "who": signed.who, "by_event": signed.event_id},
    )
    return tuple(sorted(OverrideId(row.id) for row in rows))


def _override(row: Row[Any]) -> StoredOverride:
    return StoredOverride(
        id=OverrideId(row.id),
        record_id=RecordId(row.record_id),
        attribute=row.attribute,
        value=row.value,
        lasting=Lasting(row.term, row.until),
        masked=row.masked_hash,
        reason=row.reason,
        recorded_at=row.recorded_at,
        who=row.who,
        event_id=EventId(row.event_id) if row.event_id else None,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        ended_event_id=EventId(row.ended_event_id) if row.ended_event_id else None,
        record_key=row.record_key,
        entity_type=row.entity_type,
        golden_id=GoldenId(row.golden_id) if row.golden_id else None,
        is_at_rest=row.at_rest,
    )
