"""SQL of a steward's desk, one function a question: names for a list, what the day brought, whose card it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.ids import GoldenId, ReviewId


def select_values(connection: Connection, golden_ids: Iterable[GoldenId]) -> dict[str, Mapping[str, Any]]:
    """Load what golden records show now, by id."""
    rows = connection.execute(
        text("SELECT golden_id, values FROM golden_version WHERE golden_id = ANY(:ids) AND recorded_to IS NULL"),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return {row.golden_id: row.values for row in rows}


@dataclass(frozen=True, slots=True)
class DaySoFar:
    """How much is open, how much somebody has answered since an instant, and whether any answer waits for approval."""

    opened: int
    answered: int
    is_any_waiting: bool


def select_day(
    connection: Connection, who: str, entity_types: Iterable[str] | None, *, since: datetime, limit: int
) -> DaySoFar:
    """Count open reviews of some entity types, None for all, and answers that were not taken back, up to a limit."""
    statement = text(
        "SELECT (SELECT count(*) FROM (SELECT FROM review WHERE state = 'open'"
        "   AND (CAST(:types AS text[]) IS NULL OR entity_type = ANY(:types)) LIMIT :limit) AS q) AS opened,"
        " (SELECT count(*) FROM (SELECT FROM review_answer WHERE who = :who AND recorded_at >= :since"
        "   AND state IN ('carried_out', 'proposed') LIMIT :limit) AS a) AS answered,"
        " EXISTS (SELECT FROM review_answer WHERE state = 'proposed') AS is_any_waiting"
    )
    types = None if entity_types is None else list(entity_types)
    row = connection.execute(statement, {"types": types, "who": who, "since": since, "limit": limit}).one()
    return DaySoFar(row.opened, row.answered, row.is_any_waiting)


def take_claim(
    connection: Connection, review_id: ReviewId, leaving: Iterable[ReviewId], *, who: str, period: timedelta
) -> bool:
    """Claim a review unless it is closed or somebody else's, and give up one's claims on others; tell whether it is.

    A claim of one's own keeps the instant at which it began. The transaction does not wait for the disk: a claim that a
    crash of the machine takes along is taken again with the next look at the card, and binds no answer.
    """
    done = connection.execute(
        text(
            "WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true), clock_timestamp() AS at),"
            " given AS (UPDATE review SET claimed_by = NULL, claimed_at = NULL, claimed_until = NULL"
            "  WHERE id = ANY(:leaving) AND id <> :id AND claimed_by = :who)"
            " UPDATE review SET claimed_at = CASE WHEN claimed_by = :who AND claimed_until > soon.at THEN claimed_at"
            " ELSE soon.at END, claimed_by = :who, claimed_until = soon.at + CAST(:period AS interval) FROM soon"
            " WHERE id = :id AND state = 'open'"
            "  AND (claimed_by IS NULL OR claimed_by = :who OR claimed_until <= soon.at)"
        ),
        {"id": review_id, "leaving": [str(id_) for id_ in leaving], "who": who, "period": period},
    )
    return done.rowcount == 1
