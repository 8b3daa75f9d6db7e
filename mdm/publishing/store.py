"""SQL of the publishing room, one function a question."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.decisions.review_model import ReviewChange
from mdm.ids import GoldenId, ReviewId
from mdm.publishing.model import Event, Lane, SnapshotRow, Target


def insert_review_events(connection: Connection, changes: Sequence[ReviewChange], *, at: datetime, who: str) -> None:
    """Append the turns of reviews, each not before the turn of the same review that came last."""
    rows = [
        {"kind": one.kind, "entity_type": one.entity_type, "review_id": one.review_id, "details": one.details}
        for one in changes
    ]
    connection.execute(
        text(
            "INSERT INTO event (xid, kind, entity_type, review_id, details, recorded_at, who)"
            " SELECT greatest(pg_current_xact_id(), (SELECT max(e.xid) FROM event e WHERE e.review_id = r.review_id)),"
            " kind, entity_type, review_id, details, :at, :who"
            " FROM ROWS FROM (jsonb_to_recordset(CAST(:rows AS jsonb)) AS (kind text, entity_type text, review_id text,"
            " details jsonb)) WITH ORDINALITY AS r (kind, entity_type, review_id, details, place) ORDER BY place"
        ),
        {"rows": as_json(rows), "at": at, "who": who},
    )


def insert_news(connection: Connection, rows: Sequence[Mapping[str, Any]], *, at: datetime, who: str) -> dict[str, int]:
    """Append an event per golden version, queue a message for every target of its type, raise the head of its lane.

    rows  kind, entity_type, golden_id, version, details, is_regrouped: news of those that are waits for the target's
          undo window

    An event stands at its transaction's place in the feed, or at that of the version before where this one is later: a
    transaction may have begun to write before another one, and reached the golden record after it. A target that is
    being changed or removed is waited for, so that neither side misses the other. Returns how many messages each
    target gets.
    """
    queued = connection.execute(
        text(
            "WITH r AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (kind text,"
            "  entity_type text, golden_id text, version int, details jsonb, is_regrouped boolean)),"
            " event AS (INSERT INTO event (xid, kind, entity_type, golden_id, version, details, recorded_at, who)"
            "  SELECT greatest(pg_current_xact_id(), (SELECT e.xid FROM event e WHERE e.golden_id = r.golden_id"
            "   ORDER BY e.version DESC LIMIT 1)), kind, entity_type, golden_id, version, details, :at, :who FROM r),"
            " told AS MATERIALIZED (SELECT t.id AS target_id, r.golden_id, r.version, CASE WHEN r.is_regrouped"
            "   THEN CAST(:at AS timestamptz) + make_interval(secs => CAST(t.configuration ->> 'undo_window_s' AS"
            "   double precision)) END AS not_before"
            "  FROM r JOIN target t ON t.entity_types @> jsonb_build_array(r.entity_type) FOR SHARE OF t),"
            " message AS (INSERT INTO outbox_message (target_id, golden_id, version, recorded_at, who)"
            "  SELECT target_id, golden_id, version, :at, :who FROM told),"
            " lane AS (INSERT INTO delivery_lane AS l (target_id, golden_id, head, recorded_at, who, due_at, not_before"
            "  ) SELECT target_id, golden_id, version, :at, :who, coalesce(not_before, :at), not_before FROM told"
            "  ON CONFLICT (target_id, golden_id) DO UPDATE SET head = excluded.head,"
            "  recorded_at = CASE WHEN l.acknowledged = l.head THEN excluded.recorded_at ELSE l.recorded_at END,"
            "  not_before = greatest(l.not_before, excluded.not_before),"
            "  due_at = CASE WHEN l.acknowledged < l.head AND (l.state <> 'waiting' OR l.lease_token IS NOT NULL)"
            "   THEN greatest(l.due_at, excluded.not_before) ELSE excluded.due_at END)"
            " SELECT target_id, count(*) AS messages FROM told GROUP BY 1"
        ),
        {"rows": as_json(rows), "at": at, "who": who},
    )
    return {row.target_id: row.messages for row in queued}


def select_events(connection: Connection, *, after: tuple[int, int], limit: int) -> tuple[Event, ...]:
    """List settled events after a position, the versions of each golden record in their order.

    A transaction that still runs may yet write events with a lower position, so nothing at or above the oldest running
    transaction is shown.
    """
    rows = connection.execute(
        text(
            "SELECT kind, entity_type, golden_id, version, details, recorded_at, who, review_id,"
            " CAST(CAST(xid AS text) AS bigint) AS xid, id"
            " FROM event WHERE (xid, id) > (CAST(CAST(:xid AS text) AS xid8), :id)"
            " AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY event.xid, event.id LIMIT :limit"
        ),
        {"xid": str(after[0]), "id": after[1], "limit": limit},
    )
    return tuple(
        Event(
            row.kind,
            row.entity_type,
            GoldenId(row.golden_id) if row.golden_id else None,
            row.version,
            row.details,
            row.recorded_at,
            row.who,
            (row.xid, row.id),
            ReviewId(row.review_id) if row.review_id else None,
        )
        for row in rows
    )


def select_event_mark(connection: Connection, position: tuple[int, int]) -> int | None:
    """Return when the event at a position of the feed was recorded, in microseconds; None where there is none."""
    return connection.execute(
        text(
            "SELECT CAST(extract(epoch FROM recorded_at) * 1000000 AS bigint) FROM event"
            " WHERE xid = CAST(CAST(:xid AS text) AS xid8) AND id = :id"
        ),
        {"xid": str(position[0]), "id": position[1]},
    ).scalar_one_or_none()


def select_system(connection: Connection) -> str:
    """Name the history that this database belongs to: another after a restore or a failover with loss."""
    row = connection.execute(
        text("SELECT s.system_identifier, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c")
    ).one()
    return f"{row.system_identifier}.{row.timeline_id}"


def insert_target(connection: Connection, target: Target, *, who: str) -> None:
    """Add a target, or change what it subscribes to."""
    connection.execute(
        text(
            "INSERT INTO target (id, kind, configuration, entity_types, who)"
            " VALUES (:id, :kind, CAST(:configuration AS jsonb), CAST(:entity_types AS jsonb), :who)"
            " ON CONFLICT (id) DO UPDATE SET configuration = excluded.configuration, entity_types ="
            " excluded.entity_types"
            " WHERE (target.configuration, target.entity_types) IS DISTINCT FROM (excluded.configuration,"
            " excluded.entity_types)"
        ),
        {
            "id": target.id,
            "kind": target.kind,
            "configuration": as_json(target.configuration),
            "entity_types": as_json(target.entity_types),
            "who": who,
        },
    )


def insert_backlog(connection: Connection, target_id: str, *, at: datetime, who: str) -> int:
    """Queue the present version of all that a target subscribes to and was never told of; return how many."""
    return connection.execute(
        text(
            "WITH told AS (INSERT INTO outbox_message (target_id, golden_id, version, recorded_at, who)"
            " SELECT t.id, g.id, g.version, :at, :who FROM target t JOIN golden_record g ON t.entity_types @>"
            " jsonb_build_array(g.entity_type)"
            "  AND g.version > 0 WHERE t.id = :target AND NOT EXISTS (SELECT FROM delivery_lane l WHERE l.target_id ="
            " t.id AND l.golden_id = g.id)"
            " RETURNING target_id, golden_id, version)"
            " INSERT INTO delivery_lane (target_id, golden_id, head, recorded_at, who) SELECT target_id, golden_id,"
            " version, :at, :who FROM told"
        ),
        {"target": target_id, "at": at, "who": who},
    ).rowcount


def count_backlog(connection: Connection, target_id: str, entity_types: Sequence[str]) -> int:
    """Count the golden records of these types that a target was never told of."""
    return int(
        connection.execute(
            text(
                "SELECT count(*) FROM golden_record g WHERE g.entity_type = ANY(:types) AND g.version > 0"
                " AND NOT EXISTS (SELECT FROM delivery_lane l WHERE l.target_id = :target AND l.golden_id = g.id)"
            ),
            {"target": target_id, "types": list(entity_types)},
        ).scalar_one()
    )


def forget_acknowledged(connection: Connection, target_id: str) -> None:
    """Let everything that a target was told wait again, as for an empty place."""
    connection.execute(
        text("UPDATE delivery_lane SET acknowledged = 0 WHERE target_id = :target"), {"target": target_id}
    )


def delete_target(connection: Connection, target_id: str) -> bool:
    """Delete a target with its lanes and messages; False when there is none."""
    target = {"target": target_id}
    if connection.execute(text("SELECT FROM target WHERE id = :target FOR UPDATE"), target).one_or_none() is None:
        return False
    for statement in (
        "DELETE FROM delivery_lane WHERE target_id = :target",
        "DELETE FROM outbox_message WHERE target_id = :target",
        "DELETE FROM target WHERE id = :target",
    ):
        connection.execute(text(statement), target)
    return True


def select_targets(connection: Connection) -> tuple[Target, ...]:
    """List the targets by id."""
    rows = connection.execute(text("SELECT id, kind, entity_types, configuration FROM target ORDER BY id"))
    return tuple(Target(row.id, row.kind, tuple(row.entity_types), row.configuration) for row in rows)


def select_target(connection: Connection, target_id: str) -> Target | None:
    """Give one target."""
    row = connection.execute(
        text("SELECT id, kind, entity_types, configuration FROM target WHERE id = :target"), {"target": target_id}
    ).one_or_none()
    return Target(row.id, row.kind, tuple(row.entity_types), row.configuration) if row is not None else None


def select_record_targets(connection: Connection, instances: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """Give the configurations of the targets whose records are those of source instances."""
    rows = connection.execute(
        text(
            "SELECT configuration FROM target WHERE kind = 'records' AND configuration ->> 'instance' = ANY(:instances)"
            " ORDER BY id"
        ),
        {"instances": list(instances)},
    )
    return tuple(row.configuration for row in rows)


def begin_snapshot(connection: Connection) -> None:
    """Let all reads of this transaction see one state; it has to be the first thing in it."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


def select_origins(connection: Connection, entity_types: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """List (instance, entity type) of every record there ever was, deleted ones too."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT instance_id, entity_type FROM source_record WHERE entity_type = ANY(:types) ORDER BY 1, 2"
        ),
        {"types": list(entity_types)},
    )
    return tuple((row.instance_id, row.entity_type) for row in rows)


def select_snapshot(connection: Connection, instance_id: str, entity_type: str) -> tuple[SnapshotRow, ...]:
    """List the living records of an instance with the newest version of their golden record that is not held."""
    rows = connection.execute(
        text(
            "SELECT r.object, r.scope, r.native_id, r.golden_id, v.version, v.values AS shown"
            " FROM source_record r CROSS JOIN LATERAL (SELECT version, values FROM golden_version g"
            "  WHERE g.golden_id = r.golden_id AND g.state = 'active' AND g.held = '[]'"
            "  ORDER BY version DESC LIMIT 1) AS v"
            " WHERE r.instance_id = :instance AND r.entity_type = :type AND r.state = 'active'"
            " AND r.ended_because IS NULL"
            " ORDER BY r.object, r.scope, r.native_id"
        ),
        {"instance": instance_id, "type": entity_type},
    )
    return tuple(
        SnapshotRow(row.object, row.scope, row.native_id, GoldenId(row.golden_id), row.version, row.shown)
        for row in rows
    )


def select_own_keys(connection: Connection, instance_id: str) -> tuple[tuple[GoldenId, str, str], ...]:
    """List (golden id, scope, native id) of the living records of an instance, in the order of their keys."""
    rows = connection.execute(
        text(
            "SELECT golden_id, scope, native_id FROM source_record WHERE instance_id = :instance AND state = 'active'"
            " AND ended_because IS NULL ORDER BY object, scope, native_id"
        ),
        {"instance": instance_id},
    )
    return tuple((GoldenId(row.golden_id), row.scope, row.native_id) for row in rows)


def select_waiting_lanes(connection: Connection, target_id: str, *, after: str, limit: int) -> tuple[Lane, ...]:
    """List the lanes of a target that have something to tell, by golden id; a version that is held has to wait."""
    rows = connection.execute(
        text(
            "SELECT target_id, golden_id, head, acknowledged FROM delivery_lane WHERE target_id = :target AND"
            " acknowledged < head"
            " AND golden_id > :after AND NOT EXISTS (SELECT FROM golden_version v"
            " WHERE v.golden_id = delivery_lane.golden_id AND v.version = delivery_lane.head"
            " AND v.held <> '[]') ORDER BY golden_id LIMIT :limit"
        ),
        {"target": target_id, "after": after, "limit": limit},
    )
    return tuple(Lane(row.target_id, GoldenId(row.golden_id), row.head, row.acknowledged) for row in rows)


def count_waiting(connection: Connection, *, up_to: int) -> dict[str, int]:
    """Count by target the golden records of which it does not have the newest version, held ones too, up to a bound."""
    rows = connection.execute(
        text(
            "SELECT t.id, n.n FROM target t CROSS JOIN LATERAL (SELECT count(*) AS n FROM (SELECT FROM delivery_lane l"
            " WHERE l.target_id = t.id AND l.acknowledged < l.head LIMIT :up_to) AS w) AS n ORDER BY t.id"
        ),
        {"up_to": up_to},
    )
    return {row.id: row.n for row in rows}


def acknowledge(connection: Connection, lanes: Sequence[Lane]) -> None:
    """Note that a target has the head of each lane as it was read; a head that rose meanwhile stays waiting."""
    rows = [{"target_id": lane.target_id, "golden_id": lane.golden_id, "version": lane.head} for lane in lanes]
    connection.execute(
        text(
            "UPDATE delivery_lane l SET acknowledged = r.version"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (target_id text, golden_id text, version int)"
            " WHERE l.target_id = r.target_id AND l.golden_id = r.golden_id AND l.acknowledged < r.version"
        ),
        {"rows": as_json(rows)},
    )
