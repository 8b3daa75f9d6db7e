"""SQL of what sources do to their own records, one function a question."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.ids import EventId, RecordId, SourceEventId
from mdm.source_events.model import Ending, SourceEvent
from mdm.sources.model import SourceKey

_EVENT = (
    "SELECT e.id, e.kind, e.entity_type, e.instance_id, e.source_key, e.other_key, e.happened_at, e.details,"
    " e.recorded_at, e.who, e.event_id, e.ended_at, e.ended_because FROM source_event e"
)


def insert_events(connection: Connection, events: Sequence[SourceEvent]) -> None:
    """Append events, those that never held too."""
    rows = [
        {
            "id": event.id,
            "kind": event.kind,
            "entity_type": event.entity_type,
            "instance_id": event.instance,
            "source_key": event.source_key,
            "other_key": event.other_key,
            "happened_at": event.happened_at,
            "details": event.details,
            "recorded_at": event.recorded_at,
            "who": event.who,
            "ended_at": event.ended_at,
            "ended_because": event.ended_because,
        }
        for event in events
    ]
    connection.execute(
        text(
            "INSERT INTO source_event (id, kind, entity_type, instance_id, source_key, other_key, happened_at, details,"
            " recorded_at, who, ended_at, ended_by, ended_because)"
            " SELECT id, kind, entity_type, instance_id, source_key, other_key, happened_at, details, recorded_at,"
            " who, ended_at, CASE WHEN ended_at IS NOT NULL THEN who END, ended_because"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id text, kind text, entity_type text,"
            " instance_id text, source_key text, other_key text, happened_at timestamptz, details jsonb,"
            " recorded_at timestamptz, who text, ended_at timestamptz, ended_because text)"
        ),
        {"rows": as_json(rows)},
    )


def select_event(connection: Connection, event_id: SourceEventId) -> SourceEvent | None:
    """Find one event."""
    row = connection.execute(text(f"{_EVENT} WHERE e.id = :id"), {"id": event_id}).one_or_none()
    return _event(row) if row is not None else None


def select_about(connection: Connection, source_keys: Iterable[str]) -> tuple[SourceEvent, ...]:
    """List every event about these keys in the order they were recorded, those that hold no more too."""
    rows = connection.execute(
        text(f"{_EVENT} WHERE e.source_key = ANY(:keys) ORDER BY e.id"), {"keys": sorted(source_keys)}
    )
    return tuple(_event(row) for row in rows)


def select_forwards(connection: Connection, source_keys: Iterable[str]) -> tuple[SourceEvent, ...]:
    """List the events that hold and give up one of these keys, or any key that waits for one of these."""
    rows = connection.execute(
        text(
            "WITH named AS (SELECT unnest(CAST(:keys AS text[])) AS key UNION SELECT source_key FROM source_event"
            "  WHERE other_key = ANY(:keys) AND event_id IS NULL AND ended_at IS NULL)"
            f" {_EVENT} JOIN named ON named.key = e.source_key WHERE e.other_key IS NOT NULL AND e.ended_at IS NULL"
            " ORDER BY e.id"
        ),
        {"keys": sorted(source_keys)},
    )
    return tuple(_event(row) for row in rows)


def select_named(connection: Connection, source_keys: Iterable[str]) -> set[str]:
    """Return those of these keys that an event which holds gives up, or gives as the new key of a record."""
    rows = connection.execute(
        text(
            "SELECT source_key FROM source_event WHERE source_key = ANY(:keys) AND other_key IS NOT NULL"
            " AND ended_at IS NULL UNION SELECT other_key FROM source_event WHERE other_key = ANY(:keys)"
            " AND kind <> 'merged' AND ended_at IS NULL"
        ),
        {"keys": sorted(source_keys)},
    )
    return set(rows.scalars())


def select_touching(connection: Connection, source_key: str, instance_id: str) -> tuple[SourceEvent, ...]:
    """List the events that name a key on either side, and those of its whole instance."""
    rows = connection.execute(
        text(
            f"{_EVENT} WHERE e.source_key = :key OR e.other_key = :key"
            " OR (e.instance_id = :instance AND e.source_key IS NULL) ORDER BY e.id"
        ),
        {"key": source_key, "instance": instance_id},
    )
    return tuple(_event(row) for row in rows)


def select_of_instance(connection: Connection, instance_id: str) -> tuple[SourceEvent, ...]:
    """List what happened to an instance as a whole."""
    rows = connection.execute(
        text(f"{_EVENT} WHERE e.instance_id = :instance AND e.source_key IS NULL ORDER BY e.id"),
        {"instance": instance_id},
    )
    return tuple(_event(row) for row in rows)


def select_events(
    connection: Connection,
    *,
    instance_id: str | None,
    source_key: str | None,
    kind: str | None,
    after: str,
    limit: int,
) -> tuple[SourceEvent, ...]:
    """List events in the order they were recorded, of one instance, one key (either side) or one kind, or all."""
    rows = connection.execute(
        text(
            f"{_EVENT} WHERE (CAST(:instance AS text) IS NULL OR e.instance_id = :instance)"
            " AND (CAST(:key AS text) IS NULL OR e.source_key = :key OR e.other_key = :key)"
            " AND (CAST(:kind AS text) IS NULL OR e.kind = :kind) AND e.id > :after ORDER BY e.id LIMIT :limit"
        ),
        {"instance": instance_id, "key": source_key, "kind": kind, "after": after, "limit": limit},
    )
    return tuple(_event(row) for row in rows)


def update_carried_out(connection: Connection, ids: Sequence[SourceEventId], event_id: EventId) -> None:
    """Note the change of identity by which events took effect."""
    connection.execute(
        text("UPDATE source_event SET event_id = :event_id WHERE id = ANY(:ids) AND event_id IS NULL"),
        {"ids": list(map(str, ids)), "event_id": event_id},
    )


def end_events(connection: Connection, ids: Sequence[SourceEventId], *, because: str, at: datetime, who: str) -> None:
    """End events that hold; their rows stay."""
    connection.execute(
        text(
            "UPDATE source_event SET ended_at = :at, ended_by = :who, ended_because = :because"
            " WHERE id = ANY(:ids) AND ended_at IS NULL"
        ),
        {"ids": list(map(str, ids)), "because": because, "at": at, "who": who},
    )


def update_endings(connection: Connection, endings: Sequence[Ending], *, at: datetime, who: str) -> None:
    """Let records be ended from now on as given, or live again; what they were before ends at the same instant."""
    parameters = {
        "rows": as_json(
            [
                {"id": one.record_id, "because": one.because, "successor_id": one.successor_id}
                for one in sorted(endings, key=lambda one: one.record_id)
            ]
        ),
        "at": at,
        "who": who,
    }
    rows = "jsonb_to_recordset(CAST(:rows AS jsonb)) AS w (id text, because text, successor_id text)"
    connection.execute(
        text(
            "UPDATE source_record r SET ended_because = w.because, successor_id = w.successor_id"
            f" FROM {rows} WHERE r.id = w.id AND (r.ended_because, r.successor_id) IS DISTINCT FROM (w.because,"
            " w.successor_id)"
        ),
        parameters,
    )
    connection.execute(
        text(
            f"UPDATE source_ending e SET recorded_to = :at FROM {rows} WHERE e.record_id = w.id"
            " AND e.recorded_to IS NULL AND (e.because, e.successor_id) IS DISTINCT FROM (w.because, w.successor_id)"
        ),
        parameters,
    )
    connection.execute(
        text(
            "INSERT INTO source_ending (record_id, recorded_from, because, successor_id, who)"
            f" SELECT w.id, :at, w.because, w.successor_id, :who FROM {rows} WHERE w.because IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM source_ending e WHERE e.record_id = w.id AND e.recorded_to IS NULL)"
        ),
        parameters,
    )


def update_unseen(connection: Connection, because_by_record: Mapping[RecordId, str | None]) -> None:
    """Mark records that their source does not show, or clear the mark."""
    rows = [{"id": id_, "because": because} for id_, because in because_by_record.items()]
    connection.execute(
        text(
            "UPDATE source_record r SET unseen_because = w.because"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w (id text, because text)"
            " WHERE r.id = w.id AND r.state <> 'deleted' AND r.unseen_because IS DISTINCT FROM w.because"
        ),
        {"rows": as_json(rows)},
    )


def select_last_payload(connection: Connection, record_id: RecordId) -> Row[Any] | None:
    """Return fields, values, undeclared, warnings and source_time of the last version that was no deletion."""
    return connection.execute(
        text(
            "SELECT fields, values AS said, undeclared, warnings, source_time FROM source_record_version"
            " WHERE record_id = :id AND state <> 'deleted' ORDER BY version DESC LIMIT 1"
        ),
        {"id": record_id},
    ).one_or_none()


def copy_references(connection: Connection, record_id: RecordId, *, to: RecordId) -> None:
    """Let one record point at what another one points at."""
    connection.execute(
        text(
            "INSERT INTO source_reference (record_id, attribute, position, entity_type, instance_id, scope, native_id)"
            " SELECT :to, attribute, position, entity_type, instance_id, scope, native_id FROM source_reference"
            " WHERE record_id = :id"
        ),
        {"id": record_id, "to": to},
    )


def lock_instance(connection: Connection, instance_id: str) -> None:
    """Hold an instance against deliveries until the transaction ends; those that run are waited for."""
    connection.execute(text("SELECT FROM source_instance WHERE id = :id FOR UPDATE"), {"id": instance_id})


def update_retired(connection: Connection, instance_id: str, retired_at: datetime | None, *, who: str) -> None:
    """Retire an instance, or let it live again; its records have to follow."""
    connection.execute(
        text("UPDATE source_instance SET retired_at = :at, is_settled = false, who = :who WHERE id = :id"),
        {"id": instance_id, "at": retired_at, "who": who},
    )


def select_unsettled(connection: Connection) -> tuple[str, ...]:
    """List the instances whose records still have to follow a retirement or return."""
    return tuple(connection.execute(text("SELECT id FROM source_instance WHERE NOT is_settled ORDER BY id")).scalars())


def select_following(
    connection: Connection, instance_id: str, entity_types: Sequence[str], *, limit: int
) -> tuple[tuple[SourceKey, str], ...]:
    """List (source key, entity type) of records that do not stand as their instance does."""
    rows = connection.execute(
        text(
            "SELECT r.instance_id, r.object, r.scope, r.native_id, r.entity_type FROM source_instance i"
            " JOIN source_record r ON r.instance_id = i.id WHERE i.id = :id AND r.entity_type = ANY(:types)"
            " AND CASE WHEN i.retired_at IS NULL THEN r.ended_because = 'instance_retired'"
            "  ELSE r.ended_because IS NULL AND r.state <> 'deleted' END"
            " ORDER BY r.entity_type, r.id LIMIT :limit"
        ),
        {"id": instance_id, "types": list(entity_types), "limit": limit},
    )
    return tuple((SourceKey(row.instance_id, row.object, row.scope, row.native_id), row.entity_type) for row in rows)


def update_settled(connection: Connection, instance_id: str) -> None:
    """Note that all records of an instance stand as it does."""
    connection.execute(text("UPDATE source_instance SET is_settled = true WHERE id = :id"), {"id": instance_id})


def select_versions(connection: Connection, record_id: RecordId) -> list[Row[Any]]:
    """List (version, state, source_time, is_delivered, recorded_at, who) of every version of a record."""
    rows = connection.execute(
        text(
            "SELECT version, state, source_time, content_hash <> '' AS is_delivered, recorded_at, who"
            " FROM source_record_version WHERE record_id = :id ORDER BY version"
        ),
        {"id": record_id},
    )
    return list(rows)


def select_memberships(connection: Connection, record_id: RecordId) -> list[Row[Any]]:
    """List every membership of a record: its golden id, from and until when, the event and its kind, and by whom."""
    rows = connection.execute(
        text(
            "SELECT m.golden_id, m.recorded_from, m.recorded_to, m.event_id, m.who, i.kind,"
            " lead(m.who) OVER (ORDER BY m.recorded_from) AS left_who FROM membership m"
            " JOIN identity_event i ON i.id = m.event_id WHERE m.record_id = :id ORDER BY m.recorded_from"
        ),
        {"id": record_id},
    )
    return list(rows)


def select_endings(connection: Connection, record_id: RecordId) -> list[Row[Any]]:
    """List (because, successor_key, recorded_from, recorded_to, who) of every time a record was ended."""
    rows = connection.execute(
        text(
            "SELECT e.because, e.recorded_from, e.recorded_to, e.who, s.instance_id || '/' || s.object || CASE WHEN"
            " s.scope = '' THEN '' ELSE '/' || s.scope END || ':' || s.native_id AS successor_key FROM source_ending e"
            " LEFT JOIN source_record s ON s.id = e.successor_id WHERE e.record_id = :id ORDER BY e.recorded_from"
        ),
        {"id": record_id},
    )
    return list(rows)


def select_decisions(connection: Connection, record_id: RecordId) -> list[Row[Any]]:
    """List every decision about a record, revoked ones too, with the key of the other record."""
    rows = connection.execute(
        text(
            "SELECT d.id, d.judgement, d.relation, d.basis, d.recorded_at, d.who, d.revoked_at, d.revoked_by,"
            " o.instance_id || '/' || o.object || CASE WHEN o.scope = '' THEN '' ELSE '/' || o.scope END || ':' ||"
            " o.native_id AS other_key FROM decision d"
            " JOIN source_record o ON o.id = CASE WHEN d.left_id = :id THEN d.right_id ELSE d.left_id END"
            " WHERE d.left_id = :id OR d.right_id = :id ORDER BY d.id"
        ),
        {"id": record_id},
    )
    return list(rows)


def _event(row: Row[Any]) -> SourceEvent:
    return SourceEvent(
        id=SourceEventId(row.id),
        kind=row.kind,
        entity_type=row.entity_type,
        instance=row.instance_id,
        source_key=row.source_key,
        other_key=row.other_key,
        happened_at=row.happened_at,
        details=row.details,
        recorded_at=row.recorded_at,
        who=row.who,
        event_id=EventId(row.event_id) if row.event_id else None,
        ended_at=row.ended_at,
        ended_because=row.ended_because,
    )
