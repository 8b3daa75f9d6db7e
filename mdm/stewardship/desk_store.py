"""SQL of a steward's desk, one function a question: names for a list, what the day brought, whose card it is."""

from collections.abc import Iterable, Mapping
from datetime import datetime
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


def count_answered(connection: Connection, who: str, *, since: datetime, limit: int) -> int:
    """Count the answers of somebody since an instant that were not taken back, up to a limit."""
    statement = text(
        "SELECT count(*) FROM (SELECT FROM review_answer WHERE who = :who AND recorded_at >= :since"
        " AND state IN ('carried_out', 'proposed') LIMIT :limit) AS a"
    )
    return int(connection.execute(statement, {"who": who, "since": since, "limit": limit}).scalar_one())


def count_open(connection: Connection, entity_types: Iterable[str] | None, *, limit: int) -> int:
    """Count open reviews of some entity types, None for all, up to a limit."""
    statement = text(
        "SELECT count(*) FROM (SELECT FROM review WHERE state = 'open'"
        " AND (CAST(:types AS text[]) IS NULL OR entity_type = ANY(:types)) LIMIT :limit) AS q"
    )
    types = None if entity_types is None else list(entity_types)
    return int(connection.execute(statement, {"types": types, "limit": limit}).scalar_one())


def take_claim(
    connection: Connection, review_id: ReviewId, leaving: Iterable[ReviewId], *, who: str, at: datetime, until: datetime
) -> bool:
    """Claim a review unless it is closed or somebody else's, and give up one's claims on others; tell whether it is.

    A claim of one's own keeps the instant at which it began.
    """
    done = connection.execute(
        text(
            "WITH given AS (UPDATE review SET claimed_by = NULL, claimed_at = NULL, claimed_until = NULL"
            "  WHERE id = ANY(:leaving) AND id <> :id AND claimed_by = :who)"
            " UPDATE review SET claimed_at = CASE WHEN claimed_by = :who AND claimed_until > :at THEN claimed_at ELSE"
            " CAST(:at AS timestamptz) END, claimed_by = :who, claimed_until = CAST(:until AS timestamptz)"
            " WHERE id = :id AND state = 'open' AND (claimed_by IS NULL OR claimed_by = :who OR claimed_until <= :at)"
        ),
        {"id": review_id, "leaving": [str(id_) for id_ in leaving], "who": who, "at": at, "until": until},
    )
    return done.rowcount == 1
