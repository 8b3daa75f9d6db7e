"""SQL of frozen rules: which hold, and what a version holds, one function a question."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from mdm.db.locks import key_hash
from mdm.db.statement import text

GUARD: Final = key_hash("rules in force")
"""Whoever used rules holds it shared until the end of the transaction, whoever changes them holds it alone."""
ACTIVATING: Final = -1

Fetch = Callable[[str], Iterable[Any]]
"""Runs a statement without parameters: on a connection of the driver or of SQLAlchemy."""

NEWEST: Final = "SELECT coalesce(max(number), 0) FROM rule_activation"
_HOLDING: Final = (
    "SELECT DISTINCT ON (entity_type) entity_type, number, model_version, survivorship_version"
    " FROM rule_activation ORDER BY entity_type, number DESC"
)


@dataclass(frozen=True, slots=True)
class Holding:
    """Which rules of an entity type hold, by the number of their activation; None: as declared."""

    entity_type: str
    number: int
    model_version: str | None
    survivorship_version: str | None


def select_holding(fetch: Fetch) -> tuple[Holding, ...]:
    """List the rules that hold, of the entity types that have any other than declared ones."""
    return tuple(Holding(*row) for row in fetch(_HOLDING))


def select_definitions(fetch: Fetch, table: str, versions: Iterable[str]) -> dict[str, Any]:
    """Read what versions hold; `table` is match_model or survivorship_rules."""
    asked = sorted(version for version in versions if version.isalnum())
    if not asked:
        return {}
    listed = ", ".join(f"'{version}'" for version in asked)
    rows = fetch(f"SELECT version, definition FROM {table} WHERE version IN ({listed})")
    return dict(tuple(row) for row in rows)


def recording_instant(connection: Connection) -> tuple[datetime, int]:
    """Take the instant at which a transaction records, as `clock.recording_instant`, and ask which rules hold."""
    row = connection.execute(
        text(
            "WITH writer AS MATERIALIZED (SELECT pg_current_xact_id() AS id)"
            " SELECT id, rules_in_force(:guard) AS number, clock_timestamp() AS instant FROM writer"
        ),
        {"guard": GUARD},
    ).one()
    return row.instant.astimezone(UTC), row.number


def rules_in_force(connection: Connection) -> int:
    """Ask which rules hold and keep them until the transaction ends; ACTIVATING while somebody changes them."""
    found: int = connection.execute(text("SELECT rules_in_force(:guard)"), {"guard": GUARD}).scalar_one()
    return found


def hold_rules_alone(connection: Connection) -> None:
    """Wait until nobody uses the rules, and let nobody use them until the transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:guard)"), {"guard": GUARD})
