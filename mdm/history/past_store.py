"""SQL of questions about the past, one function a question; nothing here writes."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.history.past import STEWARDS_KINDS, EventBrief, PastEvent, PastMember, PastStanding, VersionSaid
from mdm.ids import EventId, GoldenId, RecordId

_EVENT = "SELECT e.id, e.entity_type, e.kind, e.cause, e.root_id, e.undoes_id, e.plan, e.recorded_at, e.who"
_BRIEF = "SELECT e.id, e.entity_type, e.kind, e.cause, e.root_id, e.undoes_id, e.recorded_at, e.who"
_KEY = (
    "r.instance_id || '/' || r.object || CASE WHEN r.scope = '' THEN '' ELSE '/' || r.scope END || ':' || r.native_id"
)


def select_event(connection: Connection, event_id: EventId) -> PastEvent | None:
    """Find one event."""
    row = connection.execute(text(f"{_EVENT} FROM identity_event e WHERE e.id = :id"), {"id": event_id}).one_or_none()
    return _event(row) if row is not None else None


def select_briefs(connection: Connection, event_ids: Iterable[EventId]) -> dict[EventId, EventBrief]:
    """Find events without their plans, by id."""
    rows = connection.execute(
        text(f"{_BRIEF} FROM identity_event e WHERE e.id = ANY(:ids)"), {"ids": [str(id_) for id_ in event_ids]}
    )
    return {brief.id: brief for brief in map(_brief, rows)}


def select_following(connection: Connection, event_id: EventId) -> tuple[tuple[EventBrief, ...], tuple[EventId, ...]]:
    """List the events that followed from one, and the ids of those that took it back, in their order."""
    rows = connection.execute(
        text(f"{_BRIEF} FROM identity_event e WHERE e.root_id = :id OR e.undoes_id = :id ORDER BY e.recorded_at, e.id"),
        {"id": event_id},
    ).all()
    undoing = tuple(EventId(row.id) for row in rows if row.undoes_id == event_id and row.root_id is None)
    return tuple(_brief(row) for row in rows if row.root_id == event_id), undoing


def select_events_of(connection: Connection, golden_ids: Iterable[GoldenId], *, limit: int) -> tuple[PastEvent, ...]:
    """List the events that gave these golden ids another member or standing, oldest first.

    Every change of members or state writes a version, so the versions lead to the events. Only what a steward says of a
    standing (confirmed) may leave none; such events are looked for among those of stewards since the first of these.
    """
    rows = connection.execute(
        text(
            "WITH versioned AS (SELECT DISTINCT event_id AS id FROM golden_version WHERE golden_id = ANY(:ids)),"
            " bare AS (SELECT e.id FROM identity_event e"
            "   WHERE e.id > (SELECT min(id) FROM versioned) AND e.kind = ANY(:kinds)"
            "    AND EXISTS (SELECT FROM jsonb_array_elements(e.plan -> 'turns') AS t"
            "     WHERE t ->> 'golden_id' = ANY(:ids)))"
            f" {_EVENT} FROM identity_event e WHERE e.id IN (SELECT id FROM versioned UNION SELECT id FROM bare)"
            " AND (e.plan -> 'moves' <> '[]' OR e.plan -> 'turns' <> '[]')"
            " ORDER BY e.recorded_at, e.id LIMIT :limit"
        ),
        {"ids": [str(id_) for id_ in golden_ids], "kinds": list(STEWARDS_KINDS), "limit": limit},
    )
    return tuple(map(_event, rows))


def select_forwarding(connection: Connection, golden_id: GoldenId) -> tuple[GoldenId, ...]:
    """List the golden ids that forward to this one now."""
    rows = connection.execute(
        text("SELECT id FROM golden_record WHERE forward_to = :id ORDER BY id"), {"id": golden_id}
    ).scalars()
    return tuple(map(GoldenId, rows))


def select_printed_keys(connection: Connection, record_ids: Iterable[RecordId]) -> dict[RecordId, str]:
    """Print the source key of each record."""
    rows = connection.execute(
        text(f"SELECT r.id, {_KEY} AS key FROM source_record r WHERE r.id = ANY(:ids)"),
        {"ids": sorted({str(id_) for id_ in record_ids})},
    )
    return {RecordId(row.id): row.key for row in rows}


def select_standing(connection: Connection, golden_id: GoldenId, *, as_of: datetime) -> PastStanding | None:
    """Say what a golden id stood for at an instant; None when it had not been given out."""
    row = connection.execute(
        text(
            "SELECT v.golden_id, g.entity_type, v.state, v.forward_to, v.version FROM golden_version v"
            " JOIN golden_record g ON g.id = v.golden_id WHERE v.golden_id = :id AND v.recorded_from <= :as_of"
            " AND (v.recorded_to IS NULL OR v.recorded_to > :as_of)"
        ),
        {"id": golden_id, "as_of": as_of},
    ).one_or_none()
    if row is None:
        return None
    forward_to = GoldenId(row.forward_to) if row.forward_to else None
    return PastStanding(GoldenId(row.golden_id), row.entity_type, row.state, forward_to, row.version)


def select_members_then(connection: Connection, golden_id: GoldenId, *, as_of: datetime) -> tuple[PastMember, ...]:
    """List the members that the hub held at an instant, by source key."""
    rows = connection.execute(
        text(
            f"SELECT r.instance_id, r.object, r.scope, r.native_id, {_KEY} AS key, m.golden_id, NULL AS said_at,"
            " e.because AS ended FROM membership m JOIN source_record r ON r.id = m.record_id"
            " LEFT JOIN source_ending e ON e.record_id = r.id AND e.recorded_from <= :as_of"
            "  AND (e.recorded_to IS NULL OR e.recorded_to > :as_of) WHERE m.golden_id = :id"
            " AND m.recorded_from <= :as_of AND (m.recorded_to IS NULL OR m.recorded_to > :as_of) ORDER BY 1, 2, 3, 4"
        ),
        {"id": golden_id, "as_of": as_of},
    )
    return tuple(map(_member, rows))


# Who was where at the instant T of recorded time: the last membership that had begun. One that ended counts where the
# source had deleted the record, and not where a steward withdrew it.
_LAST = """
SELECT DISTINCT ON (m.record_id) m.record_id, m.golden_id, m.recorded_to IS NULL OR m.recorded_to > :at AS is_open
  FROM membership m WHERE m.record_id IN (SELECT record_id FROM {asked}) AND m.recorded_from <= :at
 ORDER BY m.record_id, m.recorded_from DESC
"""
# What the source said at the instant W of the world, of what the hub knew at T; and whether T knew it as deleted.
_SAID = """
SELECT l.record_id, l.golden_id, l.is_open, w.state, w.source_time AS said_at, n.state AS newest,
       EXISTS (SELECT FROM source_record_version v WHERE v.record_id = l.record_id AND v.recorded_at <= :at
                AND v.source_time IS NOT NULL) AS is_dated
  FROM last l
  CROSS JOIN LATERAL (SELECT v.state FROM source_record_version v WHERE v.record_id = l.record_id
   AND v.recorded_at <= :at ORDER BY v.version DESC LIMIT 1) AS n
  LEFT JOIN LATERAL (SELECT v.state, v.source_time FROM source_record_version v WHERE v.record_id = l.record_id
   AND v.recorded_at <= :at AND v.source_time <= :valid_at ORDER BY v.version DESC LIMIT 1) AS w ON true
 WHERE l.is_open OR n.state = 'deleted'
"""


def select_family(connection: Connection, golden_id: GoldenId, *, at: datetime) -> tuple[GoldenId, ...]:
    """List a golden id and all that forwarded to it at an instant of recorded time.

    Whoever came to forward to it did so in an event that gave it another version, so its versions lead to them.
    """
    rows = connection.execute(
        text(
            "SELECT CAST(:id AS text) AS id UNION SELECT f.golden_id FROM golden_version v"
            " JOIN identity_event e ON e.id = v.event_id"
            " CROSS JOIN LATERAL jsonb_array_elements(e.plan -> 'turns') AS t"
            " JOIN golden_version f ON f.golden_id = t ->> 'golden_id' AND f.forward_to = :id"
            "  AND f.recorded_from <= :at AND (f.recorded_to IS NULL OR f.recorded_to > :at)"
            " WHERE v.golden_id = :id AND v.recorded_from <= :at AND t -> 'after' ->> 'forward_to' = :id ORDER BY 1"
        ),
        {"id": golden_id, "at": at},
    )
    return tuple(map(GoldenId, rows.scalars()))


def select_members_valid(
    connection: Connection, golden_ids: Sequence[GoldenId], *, at: datetime, valid_at: datetime
) -> tuple[tuple[PastMember, ...], tuple[str, ...]]:
    """List who belongs to these golden records by what the hub knew at `at`, if its source says that it existed then.

    It says so where the newest version that it dates at or before `valid_at` is no deletion. Returns the members by
    source key, and the keys of records whose source gives no time at all, of which nothing can be said.
    """
    asked = "asked AS (SELECT DISTINCT record_id FROM membership WHERE golden_id = ANY(:ids) AND recorded_from <= :at)"
    rows = connection.execute(
        text(
            f"WITH {asked}, last AS ({_LAST.format(asked='asked')}), said AS ({_SAID})"
            f" SELECT r.instance_id, r.object, r.scope, r.native_id, {_KEY} AS key, s.golden_id, s.said_at, s.state,"
            " s.is_dated, (SELECT e.kind FROM source_event e WHERE e.other_key IS NOT NULL AND e.recorded_at <= :at"
            f"  AND (e.ended_at IS NULL OR e.ended_at > :at) AND e.source_key = {_KEY}"
            "  AND coalesce(e.happened_at, e.recorded_at) <= :valid_at LIMIT 1) AS ended"
            " FROM said s JOIN source_record r ON r.id = s.record_id WHERE s.golden_id = ANY(:ids)"
            " ORDER BY 1, 2, 3, 4"
        ),
        {"ids": [str(id_) for id_ in golden_ids], "at": at, "valid_at": valid_at},
    ).all()
    members = tuple(_member(row) for row in rows if row.state == "active")
    return members, tuple(row.key for row in rows if not row.is_dated)


def select_record_valid(
    connection: Connection, key: Mapping[str, str], *, at: datetime, valid_at: datetime
) -> tuple[GoldenId, str, str | None, bool] | None:
    """Find (golden id, entity type, state at `valid_at`, whether its source gives times) of a source key, as above."""
    row = connection.execute(
        text(
            "WITH asked AS (SELECT id AS record_id FROM source_record WHERE (instance_id, object, scope, native_id) ="
            " (:instance_id, :object, :scope, :native_id)),"
            f" last AS ({_LAST.format(asked='asked')}), said AS ({_SAID})"
            " SELECT coalesce(v.forward_to, s.golden_id) AS golden_id, g.entity_type, s.state, s.is_dated FROM said s"
            " JOIN golden_record g ON g.id = s.golden_id LEFT JOIN golden_version v ON v.golden_id = s.golden_id"
            "  AND v.recorded_from <= :at AND (v.recorded_to IS NULL OR v.recorded_to > :at)"
        ),
        {**key, "at": at, "valid_at": valid_at},
    ).one_or_none()
    return None if row is None else (GoldenId(row.golden_id), row.entity_type, row.state, row.is_dated)


def select_versions_said(
    connection: Connection, record_ids: Iterable[RecordId], *, at: datetime, limit: int
) -> tuple[VersionSaid, ...]:
    """List what sources said of these records in all versions that the hub had at an instant, in their order."""
    rows = connection.execute(
        text(
            f"SELECT v.record_id, {_KEY} AS key, v.version, v.state, v.values, v.source_time, v.recorded_at"
            " FROM source_record_version v JOIN source_record r ON r.id = v.record_id"
            " WHERE v.record_id = ANY(:ids) AND v.recorded_at <= :at ORDER BY v.record_id, v.version LIMIT :limit"
        ),
        {"ids": [str(id_) for id_ in record_ids], "at": at, "limit": limit},
    )
    return tuple(
        VersionSaid(RecordId(row[0]), row.key, row.version, row.state, row.values, row.source_time, row.recorded_at)
        for row in rows
    )


def select_record_ids(connection: Connection, golden_ids: Sequence[GoldenId], *, at: datetime) -> tuple[RecordId, ...]:
    """List the records that belong to these golden records by what the hub knew at `at`, deleted ones too."""
    asked = "asked AS (SELECT DISTINCT record_id FROM membership WHERE golden_id = ANY(:ids) AND recorded_from <= :at)"
    rows = connection.execute(
        text(
            f"WITH {asked}, last AS ({_LAST.format(asked='asked')}), said AS ({_SAID})"
            " SELECT record_id FROM said WHERE golden_id = ANY(:ids) ORDER BY 1"
        ),
        {"ids": [str(id_) for id_ in golden_ids], "at": at, "valid_at": at},
    )
    return tuple(map(RecordId, rows.scalars()))


def _event(row: Row[Any]) -> PastEvent:
    return PastEvent(
        id=EventId(row.id),
        entity_type=row.entity_type,
        kind=row.kind,
        reason=row.cause,
        root_id=EventId(row.root_id) if row.root_id else None,
        undoes_id=EventId(row.undoes_id) if row.undoes_id else None,
        plan=row.plan,
        recorded_at=row.recorded_at,
        who=row.who,
    )


def _brief(row: Row[Any]) -> EventBrief:
    return EventBrief(
        id=EventId(row.id),
        entity_type=row.entity_type,
        kind=row.kind,
        reason=row.cause,
        root_id=EventId(row.root_id) if row.root_id else None,
        undoes_id=EventId(row.undoes_id) if row.undoes_id else None,
        recorded_at=row.recorded_at,
        who=row.who,
    )


def _member(row: Row[Any]) -> PastMember:
    return PastMember(
        row.instance_id, row.object, row.scope, row.native_id, row.key, GoldenId(row.golden_id), row.said_at, row.ended
    )
