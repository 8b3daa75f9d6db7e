"""SQL of what people order about lanes, and of how many wait."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.delivery.orders_model import Asked

_WAITING = "l.target_id = :target AND l.acknowledged < l.head"
_TOLD = (
    "EXISTS (SELECT FROM delivery_outcome o WHERE o.target_id = l.target_id AND o.golden_id = l.golden_id"
    " AND o.outcome = 'delivered' AND o.recorded_at >= coalesce(:since, '-infinity')"
    " AND o.recorded_at <= coalesce(:until, 'infinity'))"
)


def revive_dead(connection: Connection, target_id: str, asked: Asked, *, now: datetime) -> int:
    """Let parked lanes be due now, with all their attempts before them; return how many."""
    return connection.execute(
        text(
            "UPDATE delivery_lane l SET state = 'ready', due_at = :now, attempts = 0, failing_since = NULL,"
            f" failure_kind = NULL, failure_reason = NULL WHERE {_WAITING} AND l.state = 'dead'"
            " AND l.golden_id = coalesce(:golden, l.golden_id)"
        ),
        {"target": target_id, "golden": asked.golden_id, "now": now},
    ).rowcount


def tell_again(connection: Connection, target_id: str, asked: Asked, *, is_coalesced: bool, now: datetime) -> int:
    """Take lanes back that were told within a range: to the newest version, or to the first one told in it.

    A lease that runs settles nothing any more. Returns how many lanes.
    """
    back_to = (
        "l.head - 1"
        if is_coalesced
        else "(SELECT min(m.version) - 1 FROM outbox_message m WHERE m.target_id = l.target_id AND m.golden_id ="
        " l.golden_id AND m.version > coalesce((SELECT max(o.version) FROM delivery_outcome o WHERE o.target_id ="
        " l.target_id AND o.golden_id = l.golden_id AND o.recorded_at < coalesce(:since, '-infinity')), 0))"
    )
    return connection.execute(
        text(
            f"UPDATE delivery_lane l SET acknowledged = greatest(0, least(l.acknowledged, {back_to})),"
            " is_forced = true, state = 'ready', due_at = :now, lease_token = NULL, attempts = 0, failing_since = NULL"
            f" WHERE l.target_id = :target AND l.golden_id = coalesce(:golden, l.golden_id) AND {_TOLD}"
        ),
        {
            "target": target_id,
            "golden": asked.golden_id,
            "since": asked.since,
            "until": asked.until,
            "now": now,
        },
    ).rowcount


def skip(connection: Connection, target_id: str, asked: Asked) -> tuple[Row[Any], ...]:
    """End parked and failing lanes as if they were told; return golden_id, head and recorded_at of each."""
    return tuple(
        connection.execute(
            text(
                "UPDATE delivery_lane l SET acknowledged = head, state = 'ready', lease_token = NULL, attempts = 0,"
                " failing_since = NULL, failure_kind = NULL, failure_reason = NULL, waits_for = NULL"
                f" WHERE {_WAITING} AND (l.state <> 'ready' OR l.failure_kind IS NOT NULL)"
                " AND l.golden_id = coalesce(:golden, l.golden_id) RETURNING l.golden_id, l.head, l.recorded_at"
            ),
            {"target": target_id, "golden": asked.golden_id},
        )
    )


def insert_order(connection: Connection, row: Mapping[str, Any]) -> None:
    """Keep what was ordered: id, target_id, kind, asked, lanes, reason, at, who."""
    connection.execute(
        text(
            "INSERT INTO delivery_order (id, target_id, kind, asked, lanes, reason, recorded_at, who) VALUES (:id,"
            " :target_id, :kind, CAST(:asked AS jsonb), :lanes, :reason, :at, :who)"
        ),
        {**row, "asked": as_json(row["asked"])},
    )


def select_depths(connection: Connection) -> tuple[Row[Any], ...]:
    """Count by target what waits: ready, waiting (for a parent or a version), dead, failing, oldest, undelivered."""
    return tuple(
        connection.execute(
            text(
                "SELECT t.id AS target_id, count(*) FILTER (WHERE l.state = 'ready') AS ready,"
                " count(*) FILTER (WHERE l.state = 'waiting') AS waiting,"
                " count(*) FILTER (WHERE l.state = 'dead') AS dead,"
                " count(*) FILTER (WHERE l.failure_kind IS NOT NULL AND l.state = 'ready') AS failing,"
                " min(l.recorded_at) FILTER (WHERE l.state = 'ready') AS oldest_at"
                " FROM target t LEFT JOIN delivery_lane l ON l.target_id = t.id AND l.acknowledged < l.head"
                " GROUP BY t.id ORDER BY t.id"
            )
        )
    )


def select_lanes(
    connection: Connection, *, target_id: str | None, state: str | None, golden_id: str | None, after: str, limit: int
) -> tuple[Row[Any], ...]:
    """List lanes that have something to tell, by golden id and target."""
    return tuple(
        connection.execute(
            text(
                "SELECT l.*, g.entity_type FROM delivery_lane l JOIN golden_record g ON g.id = l.golden_id"
                " WHERE l.acknowledged < l.head AND l.target_id = coalesce(:target, l.target_id)"
                " AND l.golden_id = coalesce(:golden, l.golden_id) AND l.golden_id || ' ' || l.target_id > :after"
                " AND CASE :state WHEN 'any' THEN true WHEN 'failing' THEN l.state = 'ready' AND l.failure_kind IS NOT"
                " NULL ELSE l.state = :state END ORDER BY l.golden_id || ' ' || l.target_id LIMIT :limit"
            ),
            {"target": target_id, "golden": golden_id, "state": state or "any", "after": after, "limit": limit},
        )
    )


def select_outcomes(
    connection: Connection, *, target_id: str | None, golden_id: str | None, before: int | None, limit: int
) -> tuple[Row[Any], ...]:
    """List what became of messages, newest first."""
    return tuple(
        connection.execute(
            text(
                "SELECT o.* FROM delivery_outcome o WHERE o.target_id = coalesce(:target, o.target_id)"
                " AND o.golden_id = coalesce(:golden, o.golden_id) AND o.id < coalesce(:before, 9223372036854775807)"
                " ORDER BY o.id DESC LIMIT :limit"
            ),
            {"target": target_id, "golden": golden_id, "before": before, "limit": limit},
        )
    )
