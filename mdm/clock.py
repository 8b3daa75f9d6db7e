"""The one place that tells the time.

`now` is the process's clock, for log lines and for values that order nothing. Where order matters, `recording_instant`
asks the database. It makes the transaction visible as a writer first, so that the safe horizon (`horizon`) never passes
an instant that a running transaction may still use: an answer as of a settled instant is the same for ever.
"""

from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Final

from sqlalchemy import Connection, text

# The transaction id comes first, from a part that the planner may not move: then the instant is read.
_INSTANT: Final = text(
    "WITH writer AS MATERIALIZED (SELECT pg_current_xact_id() AS id)"
    " SELECT id, clock_timestamp() AS instant FROM writer"
)


def now() -> datetime:
    """Return the present instant, UTC, by this process's clock."""
    return datetime.now(UTC)


def recording_instant(connection: Connection) -> datetime:
    """Take the instant at which this transaction records its facts; call it once the locks are held."""
    instant: datetime = connection.execute(_INSTANT).one().instant
    return instant.astimezone(UTC)


def instant(connection: Connection) -> datetime:
    """Return the present instant by the database's clock, which all processes share; for leases and what is due."""
    found: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return found.astimezone(UTC)


def horizon(connection: Connection) -> datetime:
    """Return the latest instant about which every answer is settled: no running writer can record before it."""
    # Not the start of the statement: PostgreSQL looks at who is active once in a transaction, and a writer that began
    # since would be missed.
    instant: datetime = connection.execute(
        text(
            "SELECT least(now(), min(xact_start)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"  # whoever cleans up behind writers records nothing
        )
    ).scalar_one()
    return instant.astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """Return the last microsecond of a day in UTC: what a bare date means in a question."""
    return datetime.combine(day, time.max, UTC)


def in_utc(given: datetime) -> datetime:
    """Turn an instant into UTC, one without an offset being meant so; raises ValueError."""
    try:
        return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    except OverflowError as error:
        # PostgreSQL would take it, for the year 10000 or 1 BC, and no statement could read that row again.
        raise ValueError(f"{given.isoformat()} lies outside of the years 1 to 9999 in UTC") from error


def parse_as_of(text_value: str) -> datetime:
    """Read an instant, or a bare date as the end of that day UTC; raises ValueError."""
    with suppress(ValueError):
        return end_of_day(date.fromisoformat(text_value))
    return in_utc(datetime.fromisoformat(text_value))
