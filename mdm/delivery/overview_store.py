"""SQL of what people look at of targets over time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.ids import GoldenId


def select_told_by_hour(
    connection: Connection, target_ids: Sequence[str], *, since: datetime, limit: int
) -> tuple[Row[Any], ...]:
    """Count the newest outcomes of each target by kind, hour, and hour in which they were queued.

    An hour is the number of whole hours since `since`, below 0 for what was queued before. Reads one index alone.
    """
    return tuple(
        connection.execute(
            text(
                "SELECT t.id AS target_id, o.outcome, CAST(floor(extract(epoch FROM o.recorded_at - :since) / 3600)"
                " AS integer) AS hour, CAST(floor(extract(epoch FROM o.queued_at - :since) / 3600) AS integer) AS"
                " queued_hour, count(*) AS n"
                " FROM unnest(CAST(:targets AS text[])) AS t (id) CROSS JOIN LATERAL (SELECT outcome, recorded_at,"
                "  queued_at FROM delivery_outcome WHERE target_id = t.id AND recorded_at >= :since"
                "  ORDER BY recorded_at DESC LIMIT :limit) AS o GROUP BY 1, 2, 3, 4"
            ),
            {"targets": list(target_ids), "since": since, "limit": limit},
        )
    )


def select_waiting_by_hour(
    connection: Connection, target_ids: Sequence[str], *, since: datetime
) -> tuple[Row[Any], ...]:
    """Count what waits by target and the hour in which it was queued, parked lanes aside; hours as above."""
    return tuple(
        connection.execute(
            text(
                "SELECT target_id, CAST(floor(extract(epoch FROM recorded_at - :since) / 3600) AS integer) AS"
                " queued_hour, count(*) AS n FROM delivery_lane WHERE acknowledged < head AND state <> 'dead'"
                " AND target_id = ANY(:targets) GROUP BY 1, 2"
            ),
            {"targets": list(target_ids), "since": since},
        )
    )


def select_record_states(connection: Connection, target_id: str) -> dict[str, int]:
    """Count the records that the hub knows of a target by their state."""
    rows = connection.execute(
        text("SELECT state, count(*) AS n FROM target_record WHERE target_id = :target GROUP BY 1"),
        {"target": target_id},
    )
    return {row.state: row.n for row in rows}


def count_frozen(connection: Connection, target_id: str) -> int:
    """Count the frozen attributes of golden records that a target is told of."""
    return int(
        connection.execute(
            text(
                "SELECT count(*) FROM attribute_freeze f JOIN delivery_lane l ON l.golden_id = f.golden_id"
                " AND l.target_id = :target WHERE f.ended_at IS NULL"
            ),
            {"target": target_id},
        ).scalar_one()
    )


def count_frozen_by_target(connection: Connection) -> dict[str, int]:
    """Count the frozen attributes that each system of records is not told of; targets without one are left out."""
    rows = connection.execute(
        text(
            "SELECT l.target_id, count(*) AS n FROM attribute_freeze f"
            " JOIN delivery_lane l ON l.golden_id = f.golden_id"
            " JOIN target t ON t.id = l.target_id AND t.kind = 'records' WHERE f.ended_at IS NULL GROUP BY 1"
        )
    )
    return {row.target_id: row.n for row in rows}


def select_knowledge(connection: Connection, golden_id: GoldenId) -> tuple[Row[Any], ...]:
    """List what each target was told of a golden record, with when it was told last."""
    return tuple(
        connection.execute(
            text(
                "SELECT t.id, t.kind, t.entity_types, t.configuration, l.head, l.acknowledged, l.state,"
                " l.failure_reason, (SELECT max(o.recorded_at) FROM delivery_outcome o WHERE o.golden_id = l.golden_id"
                " AND o.target_id = t.id AND o.outcome IN ('delivered', 'no_change')) AS told_at"
                " FROM target t JOIN delivery_lane l ON l.target_id = t.id AND l.golden_id = :golden ORDER BY t.id"
            ),
            {"golden": golden_id},
        )
    )
