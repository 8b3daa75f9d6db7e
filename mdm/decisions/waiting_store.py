"""SQL of the queue in figures, one function a question: what waits, how long already, and for whom."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mdm.access.limits import Limits
from mdm.db.statement import text
from mdm.decisions.review_model import ReviewCount, Waiting

# A question of an entity type of which some sources only may be seen counts when either of its records is of those.
_OPEN = (
    " WHERE q.state = 'open' AND (q.entity_type = ANY(:types) OR (q.entity_type = ANY(:few_types) AND EXISTS"
    " (SELECT FROM source_record r WHERE r.id IN (q.left_id, q.right_id) AND (q.entity_type, r.instance_id) IN"
    " (SELECT * FROM unnest(CAST(:few_types AS text[]), CAST(:few_sources AS text[]))))))"
)
_WAITING = " LEFT JOIN review_answer w ON w.review_id = q.id AND w.state = 'proposed'"


def select_queue_counts(connection: Connection, limits: Limits, *, at: datetime) -> tuple[ReviewCount, ...]:
    """Count open reviews by entity type, kind and age."""
    rows = connection.execute(
        text(
            "SELECT q.entity_type, q.kind, CASE WHEN q.recorded_at > CAST(:at AS timestamptz) - interval '1 day' THEN"
            " 'day' WHEN q.recorded_at > CAST(:at AS timestamptz) - interval '7 days' THEN 'week' WHEN q.recorded_at >"
            " CAST(:at AS timestamptz) - interval '30 days' THEN 'month' ELSE 'older' END AS age, count(*) AS n,"
            " count(*) FILTER (WHERE q.due_at < :at) AS overdue, count(*) FILTER (WHERE q.claimed_until > :at) AS"
            f" claimed, count(w.id) AS waiting FROM review q{_WAITING}{_OPEN} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ),
        {**_limits(limits), "at": at},
    )
    return tuple(
        ReviewCount(row.entity_type, row.kind, row.age, row.n, row.overdue, row.claimed, row.waiting) for row in rows
    )


def select_waiting(
    connection: Connection, who: str, names: Sequence[str], limits: Limits, *, at: datetime, today_ends: datetime
) -> Waiting:
    """Count what waits for a person, alone or in groups.

    names  the person and their groups, as reviews are assigned
    """
    row = connection.execute(
        text(
            "SELECT count(*) FILTER (WHERE q.assignee = ANY(:names)) AS assigned,"
            " count(*) FILTER (WHERE q.claimed_by = :who AND q.claimed_until > :at) AS claimed,"
            " count(*) FILTER (WHERE q.due_at < :at AND (q.assignee = ANY(:names) OR q.claimed_by = :who)) AS overdue,"
            " count(*) FILTER (WHERE q.due_at >= :at AND q.due_at <= :today_ends"
            "   AND (q.assignee = ANY(:names) OR q.claimed_by = :who)) AS due_today,"
            " count(*) FILTER (WHERE w.id IS NOT NULL AND w.who <> :who) AS to_approve"
            f" FROM review q{_WAITING}{_OPEN}"
        ),
        {**_limits(limits), "who": who, "names": list(names), "at": at, "today_ends": today_ends},
    ).one()
    return Waiting(row.assigned, row.claimed, row.due_today, row.overdue, row.to_approve)


def _limits(limits: Limits) -> dict[str, Any]:
    return {
        "types": list(limits.whole_types),
        "few_types": [name for name, _ in limits.pairs],
        "few_sources": [source for _, source in limits.pairs],
    }
