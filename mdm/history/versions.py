"""The versions of a golden record, newest first: what it showed, from when until when, and what caused it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class PastVersion:
    """What a golden record showed from one instant until another (None: still)."""

    version: int
    status: str
    forwarded_to: str | None
    values: Mapping[str, Any]
    event_id: str
    recorded_from: datetime
    recorded_to: datetime | None
    who: str


def versions_of(connection: Connection, golden_id: str, *, before: int | None, limit: int) -> tuple[PastVersion, ...]:
    """List versions older than `before`, or from the newest on; none for an id that was never given out."""
    rows = connection.execute(
        text(
            'SELECT version, state, forward_to, "values", event_id, recorded_from, recorded_to, who FROM golden_version'
            " WHERE golden_id = :golden_id AND (CAST(:before AS int) IS NULL OR version < :before)"
            " ORDER BY version DESC LIMIT :limit"
        ),
        {"golden_id": golden_id, "before": before, "limit": limit},
    )
    return tuple(PastVersion(*row) for row in rows)
