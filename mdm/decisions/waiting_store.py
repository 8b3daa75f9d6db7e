"""SQL of the queue in figures, one function a question: what waits, how long already, and for whom."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mdm.access.limits import Limits
from mdm.db.statement import text
from mdm.decisions.ageing import AGE_DAYS, AgedCount
from mdm.decisions.review_model import Waiting

# A question of an entity type of which some sources only may be seen counts when either of its records is of those.
_OPEN = (
    "q.state = 'open' AND (q.entity_type = ANY(:types) OR (q.entity_type = ANY(:few_types) AND EXISTS"
    " (SELECT FROM source_record r WHERE r.id IN (q.left_id, q.right_id) AND (q.entity_type, r.instance_id) IN"
    " (SELECT * FROM unnest(CAST(:few_types AS text[]), CAST(:few_sources AS text[]))))))"
)
_WAITING = " LEFT JOIN review_answer w ON w.review_id = q.id AND w.state = 'proposed'"


def count_by_age(
    connection: Connection, condition: str, named: Mapping[str, Any], *, at: datetime
) -> tuple[AgedCount, ...]:
    """Count the reviews `q` of a condition by entity type, kind and age.

    condition  SQL of a store, with the values that it names
    """
    rows = connection.execute(
        text(
            "SELECT q.entity_type, q.kind, width_bucket(EXTRACT(epoch FROM CAST(:at AS timestamptz) - q.recorded_at)"
            " / 86400, CAST(:days AS float[])) AS place, count(*) AS n, count(*) FILTER (WHERE q.due_at < :at) AS"
            " overdue, count(*) FILTER (WHERE q.claimed_until > :at) AS claimed, count(w.id) AS waiting"
            f" FROM review q{_WAITING} WHERE {condition} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ),
        {**named, "at": at, "days": list(map(float, AGE_DAYS))},
    )
    return tuple(
        AgedCount(row.entity_type, row.kind, row.place, row.n, row.overdue, row.claimed, row.waiting) for row in rows
    )


def count_open_by_age(connection: Connection, limits: Limits, *, at: datetime) -> tuple[AgedCount, ...]:
    """Count the open reviews that somebody may see by entity type, kind and age."""
    return count_by_age(connection, _OPEN, _limits(limits), at=at)


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
            f" FROM review q{_WAITING} WHERE {_OPEN}"
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
