"""SQL of what people order about lanes, and of how many wait."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.delivery.orders_model import Asked, Past
from mdm.ids import GoldenId

_OF_TARGET = "l.target_id = :target AND l.golden_id = coalesce(:golden, l.golden_id)"
_IN_RANGE = (
    "o.recorded_at >= coalesce(CAST(:since AS timestamptz), '-infinity')"
    " AND o.recorded_at <= coalesce(CAST(:until AS timestamptz), 'infinity')"
)
_OUTCOME = "EXISTS (SELECT FROM delivery_outcome o WHERE o.target_id = l.target_id AND o.golden_id = l.golden_id"
_TOLD = f"{_OF_TARGET} AND {_OUTCOME} AND o.outcome = 'delivered' AND {_IN_RANGE})"
_PARKED = (
    f"{_OF_TARGET} AND l.acknowledged < l.head AND l.state = 'dead' AND (CAST(:since AS timestamptz) IS NULL"
    f" AND CAST(:until AS timestamptz) IS NULL OR {_OUTCOME} AND o.outcome = 'dead' AND {_IN_RANGE}))"
)
# Of a lane, by what a filter asks for.
_STATES: Final[Mapping[str, str]] = {
    "any": "true",
    "ready": "l.state = 'ready'",
    "failing": "l.state = 'ready' AND l.failure_kind IS NOT NULL",
    "waiting": "l.state = 'waiting'",
    "dead": "l.state = 'dead'",
}
_LEFT_OUT = f"{_OF_TARGET} AND l.acknowledged < l.head AND (l.state <> 'ready' OR l.failure_kind IS NOT NULL)"


def revive_dead(connection: Connection, target_id: str, asked: Asked, *, now: datetime) -> int:
    """Let parked lanes be due now, with all their attempts before them; return how many. They wait since now."""
    return connection.execute(
        text(
            "UPDATE delivery_lane l SET state = 'ready', due_at = :now, recorded_at = :now, attempts = 0,"
            f" failing_since = NULL, failure_kind = NULL, failure_reason = NULL WHERE {_PARKED}"
        ),
        {**_parameters(target_id, asked), "now": now},
    ).rowcount


def tell_again(connection: Connection, target_id: str, asked: Asked, *, is_coalesced: bool, now: datetime) -> int:
    """Take lanes back that were told within a range: to the newest version, or to the first one told in it.

    A lease that runs settles nothing any more. What waited for nothing waits since now. Returns how many lanes.
    """
    back_to = (
        "l.head - 1"
        if is_coalesced
        else "(SELECT min(m.version) - 1 FROM outbox_message m WHERE m.target_id = l.target_id AND m.golden_id ="
        " l.golden_id AND m.version > coalesce((SELECT max(o.version) FROM delivery_outcome o WHERE o.target_id ="
        " l.target_id AND o.golden_id = l.golden_id AND o.recorded_at < coalesce(CAST(:since AS timestamptz),"
        " '-infinity')), 0))"
    )
    return connection.execute(
        text(
            f"UPDATE delivery_lane l SET acknowledged = greatest(0, least(l.acknowledged, {back_to})),"
            " is_forced = true, state = 'ready', due_at = :now, recorded_at = CASE WHEN l.acknowledged = l.head"
            " OR l.state = 'dead' THEN :now ELSE l.recorded_at END, lease_token = NULL, attempts = 0,"
            f" failing_since = NULL, failure_kind = NULL, failure_reason = NULL, waits_for = NULL WHERE {_TOLD}"
        ),
        {**_parameters(target_id, asked), "now": now},
    ).rowcount


def skip(connection: Connection, target_id: str, asked: Asked) -> tuple[Row[Any], ...]:
    """End lanes that are parked, wait or fail as if they were told; return golden_id, head and recorded_at of each."""
    return tuple(
        connection.execute(
            text(
                "UPDATE delivery_lane l SET acknowledged = head, state = 'ready', lease_token = NULL, attempts = 0,"
                " failing_since = NULL, failure_kind = NULL, failure_reason = NULL, waits_for = NULL"
                f" WHERE {_LEFT_OUT} AND {_STATES[asked.state]} RETURNING l.golden_id, l.head, l.recorded_at"
            ),
            _parameters(target_id, asked),
        )
    )


def tell_where_it_differs(connection: Connection, target_id: str, ids: Collection[GoldenId], *, now: datetime) -> int:
    """Take lanes back by one version and let them be due, as if the target had not been told of the newest.

    A lease that runs settles nothing any more. Returns how many lanes.
    """
    return connection.execute(
        text(
            "UPDATE delivery_lane l SET acknowledged = greatest(0, least(l.acknowledged, l.head - 1)),"
            " state = 'ready', due_at = greatest(CAST(:now AS timestamptz),"
            " l.not_before), lease_token = NULL, attempts = 0, failing_since = NULL, failure_kind = NULL,"
            " failure_reason = NULL, waits_for = NULL WHERE l.target_id = :target AND l.golden_id = ANY(:ids)"
        ),
        {"target": target_id, "ids": list(ids), "now": now},
    ).rowcount


def tell_settled_again(connection: Connection, target_id: str, ids: Collection[GoldenId], *, now: datetime) -> int:
    """Take lanes back by one version that have nothing to tell, and let them be due; return how many.

    A lane that has something to tell will be told in any case, or is parked: that is a person's.
    """
    return connection.execute(
        text(
            "UPDATE delivery_lane SET acknowledged = head - 1, state = 'ready', due_at = greatest(CAST(:now AS"
            " timestamptz), not_before), recorded_at = :now WHERE target_id = :target AND golden_id = ANY(:ids)"
            " AND acknowledged = head"
        ),
        {"target": target_id, "ids": list(ids), "now": now},
    ).rowcount


def count_replayed(connection: Connection, target_id: str, asked: Asked, *, with_told: bool) -> int:
    """Count the lanes that telling again would reach, with those that were told or the parked ones alone."""
    return _count(connection, target_id, asked, f"({_PARKED}) OR ({_TOLD})" if with_told else _PARKED)


def count_skipped(connection: Connection, target_id: str, asked: Asked) -> int:
    """Count the lanes that leaving out would reach."""
    return _count(connection, target_id, asked, f"{_LEFT_OUT} AND {_STATES[asked.state]}")


def _count(connection: Connection, target_id: str, asked: Asked, condition: str) -> int:
    statement = text(f"SELECT count(*) FROM delivery_lane l WHERE {condition}")
    return int(connection.execute(statement, _parameters(target_id, asked)).scalar_one())


def _parameters(target_id: str, asked: Asked) -> dict[str, Any]:
    return {"target": target_id, "golden": asked.golden_id, "since": asked.since, "until": asked.until}


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
    """Count what waits, by target and state of the lane: lanes, failing ones among them, and the oldest.

    oldest_at is of what could be told by now: what waits for an undo counts from the end of that. Both halves read
    their index alone; a million waiting lanes take 0.2 s of processor time (November 2026).
    """
    return tuple(
        connection.execute(
            text(
                "SELECT target_id, state, count(*) AS lanes, count(failure_kind) AS failing,"
                " min(greatest(recorded_at, not_before)) AS oldest_at"
                " FROM delivery_lane WHERE acknowledged < head AND state <> 'dead' GROUP BY 1, 2"
                " UNION ALL SELECT target_id, 'dead', count(*), 0, NULL FROM delivery_lane WHERE state = 'dead'"
                " GROUP BY 1"
            )
        )
    )


def select_lanes(
    connection: Connection,
    target_ids: Sequence[str],
    *,
    state: str,
    golden_id: str | None,
    after: tuple[str, str],
    limit: int,
) -> tuple[Row[Any], ...]:
    """List lanes that have something to tell, by target and golden id, after such a pair."""
    return tuple(
        connection.execute(
            text(
                "SELECT l.*, g.entity_type FROM delivery_lane l JOIN golden_record g ON g.id = l.golden_id"
                f" WHERE l.acknowledged < l.head AND {_STATES[state]} AND l.target_id = ANY(:targets)"
                " AND l.golden_id = coalesce(:golden, l.golden_id)"
                " AND (l.target_id, l.golden_id) > (:after_target, :after_golden)"
                " ORDER BY l.target_id, l.golden_id LIMIT :limit"
            ),
            {
                "targets": list(target_ids),
                "golden": golden_id,
                "after_target": after[0],
                "after_golden": after[1],
                "limit": limit,
            },
        )
    )


def select_outcomes(
    connection: Connection, target_ids: Sequence[str], asked: Past, *, limit: int
) -> tuple[Row[Any], ...]:
    """List what became of messages, newest first: from each target the newest, and of those the newest."""
    golden = " AND o.golden_id = :golden" if asked.golden_id is not None else ""
    outcome = " AND o.outcome = :outcome" if asked.outcome is not None else ""
    before = " AND (o.recorded_at, o.id) < (:before_at, :before_id)" if asked.before is not None else ""
    before_at, before_id = asked.before or (None, None)
    return tuple(
        connection.execute(
            text(
                "SELECT o.* FROM unnest(CAST(:targets AS text[])) AS t (id) CROSS JOIN LATERAL (SELECT o.*"
                f"  FROM delivery_outcome o WHERE o.target_id = t.id AND {_IN_RANGE}{golden}{outcome}{before}"
                "  ORDER BY o.recorded_at DESC, o.id DESC LIMIT :limit) AS o"
                " ORDER BY o.recorded_at DESC, o.id DESC LIMIT :limit"
            ),
            {
                "targets": list(target_ids),
                "since": asked.since,
                "until": asked.until,
                "golden": asked.golden_id,
                "outcome": asked.outcome,
                "before_at": before_at,
                "before_id": before_id,
                "limit": limit,
            },
        )
    )
