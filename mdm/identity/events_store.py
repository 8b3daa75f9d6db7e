"""SQL of identity events: what was carried out, what followed from it, what took it back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.identity.model import Cause, IdentityEvent, IdentityPlan
from mdm.ids import EventId, GoldenId, RecordId

_EVENT = "SELECT e.id, e.kind, e.cause, e.root_id, e.undoes_id, e.plan, e.recorded_at, e.who FROM identity_event e"


def insert_event(
    connection: Connection, event_id: EventId, plan: IdentityPlan, *, cause: Cause, at: datetime, who: str
) -> None:
    """Append the plan that is being carried out."""
    connection.execute(
        text(
            "INSERT INTO identity_event (id, entity_type, kind, cause, root_id, undoes_id, plan, recorded_at, who)"
            " VALUES (:id, :entity_type, :kind, :cause, :root_id, :undoes_id, CAST(:plan AS jsonb), :at, :who)"
        ),
        {
            "id": event_id,
            "entity_type": plan.entity_type,
            "kind": cause.kind,
            "cause": cause.reason,
            "root_id": cause.root_id,
            "undoes_id": cause.undoes_id,
            "plan": as_json(plan.as_document()),
            "at": at,
            "who": who,
        },
    )


def select_event(connection: Connection, event_id: EventId) -> IdentityEvent | None:
    """Find one event."""
    row = connection.execute(text(f"{_EVENT} WHERE e.id = :id"), {"id": event_id}).one_or_none()
    return _event(row) if row is not None else None


def select_events_of(connection: Connection, golden_id: GoldenId) -> tuple[IdentityEvent, ...]:
    """List the events that gave a golden record a new version, oldest first."""
    rows = connection.execute(
        text(f"{_EVENT} JOIN golden_version v ON v.event_id = e.id WHERE v.golden_id = :id ORDER BY v.version"),
        {"id": golden_id},
    )
    return tuple(_event(row) for row in rows)


def select_following_events(connection: Connection, root_id: EventId) -> tuple[IdentityEvent, ...]:
    """List the events that followed from one, in their order."""
    rows = connection.execute(text(f"{_EVENT} WHERE e.root_id = :id ORDER BY e.id"), {"id": root_id})
    return tuple(_event(row) for row in rows)


def select_undoing_events(connection: Connection, event_id: EventId) -> tuple[EventId, ...]:
    """List the events that took one back."""
    rows = connection.execute(
        text("SELECT id FROM identity_event WHERE undoes_id = :id AND root_id IS NULL ORDER BY id"), {"id": event_id}
    )
    return tuple(map(EventId, rows.scalars()))


def select_last_merge(connection: Connection, golden_id: GoldenId) -> EventId | None:
    """Find the last event that forwarded another id to this one."""
    found = connection.execute(
        text(
            "SELECT v.event_id FROM golden_record g JOIN golden_version v ON v.golden_id = g.id AND v.version ="
            " g.version WHERE g.forward_to = :id ORDER BY v.recorded_from DESC, v.event_id DESC LIMIT 1"
        ),
        {"id": golden_id},
    ).scalar_one_or_none()
    return EventId(found) if found else None


def select_last_event(connection: Connection, golden_id: GoldenId) -> EventId | None:
    """Find the event that made the newest version of a golden record."""
    found = connection.execute(
        text("SELECT event_id FROM golden_version WHERE golden_id = :id ORDER BY version DESC LIMIT 1"),
        {"id": golden_id},
    ).scalar_one_or_none()
    return EventId(found) if found else None


def select_joining_events(
    connection: Connection, record_ids: Iterable[RecordId]
) -> dict[RecordId, tuple[EventId, str]]:
    """Find (event, kind) that brought records into the golden records they belong to now."""
    rows = connection.execute(
        text(
            "SELECT m.record_id, e.id, e.kind FROM membership m JOIN identity_event e ON e.id = m.event_id"
            " WHERE m.record_id = ANY(:ids) AND m.recorded_to IS NULL"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return {RecordId(row.record_id): (EventId(row.id), row.kind) for row in rows}


def _event(row: Row[Any]) -> IdentityEvent:
    root_id, undoes_id = (EventId(id_) if id_ else None for id_ in (row.root_id, row.undoes_id))
    cause = Cause(row.kind, row.cause, root_id=root_id, undoes_id=undoes_id)
    return IdentityEvent(EventId(row.id), cause, IdentityPlan.from_document(row.plan), row.recorded_at, row.who)
