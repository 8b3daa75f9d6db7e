"""SQL of how targets stand and how their last calls went."""

from datetime import datetime

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.delivery.model import Stance, Standing

_STANDING = (
    "SELECT s.target_id, s.state, s.reason, s.since, s.who, s.state_after, s.reason_after,"
    " coalesce(p.failures, 0) AS failures, p.failing_since, p.opens_at, p.succeeded_at,"
    " coalesce(p.tokens, 0) AS tokens, p.tokens_at,"
    " coalesce(p.failure_kind, '') AS failure_kind, coalesce(p.failure_reason, '') AS failure_reason"
    " FROM target_standing s LEFT JOIN target_pulse p USING (target_id)"
)


def select_standings(connection: Connection) -> dict[str, Standing]:
    """Give the standing of every target that has one: those of kind file have none."""
    return {row.target_id: _standing(row) for row in connection.execute(text(_STANDING))}


def select_standing(connection: Connection, target_id: str) -> Standing | None:
    """Give the standing of one target."""
    row = connection.execute(text(f"{_STANDING} WHERE s.target_id = :target"), {"target": target_id}).one_or_none()
    return _standing(row) if row is not None else None


def upsert_standing(connection: Connection, standing: Standing, *, burst: float) -> None:
    """Let a target stand so from now on; a new one may be asked for a burst at once."""
    values = {
        "target": standing.target_id,
        "state": standing.state,
        "reason": standing.reason,
        "since": standing.since,
        "who": standing.who,
        "state_after": standing.after.state if standing.after is not None else None,
        "reason_after": standing.after.reason if standing.after is not None else None,
        "burst": burst,
    }
    connection.execute(
        text(
            "INSERT INTO target_standing (target_id, state, reason, since, who, state_after, reason_after)"
            " VALUES (:target, :state, :reason, :since, :who, :state_after, :reason_after)"
            " ON CONFLICT (target_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,"
            " since = excluded.since, who = excluded.who, state_after = excluded.state_after,"
            " reason_after = excluded.reason_after"
        ),
        values,
    )
    connection.execute(
        text(
            "INSERT INTO target_pulse (target_id, failures, tokens, tokens_at) VALUES (:target, 0, :burst, :since)"
            " ON CONFLICT (target_id) DO UPDATE SET failures = 0, failing_since = NULL, opens_at = NULL,"
            " failure_kind = NULL, failure_reason = NULL"
        ),
        values,
    )


def lock_pulse(connection: Connection, target_id: str) -> None:
    """Let no other process settle what it told a target, or lease lanes of it, until this transaction ends."""
    connection.execute(
        text("SELECT FROM target_pulse WHERE target_id = :target FOR NO KEY UPDATE"), {"target": target_id}
    )


def note_success(connection: Connection, target_id: str, *, now: datetime) -> None:
    """Note that a target answered: the circuit closes."""
    connection.execute(
        text(
            "UPDATE target_pulse SET failures = 0, failing_since = NULL, opens_at = NULL, succeeded_at = :now,"
            " failure_kind = NULL, failure_reason = NULL WHERE target_id = :target"
        ),
        {"target": target_id, "now": now},
    )


def note_opened(connection: Connection, target_id: str) -> None:
    """Note that the connector of a target was made: if that is what it failed by, it fails no longer."""
    connection.execute(
        text(
            "UPDATE target_pulse SET failures = 0, failing_since = NULL, opens_at = NULL, failure_kind = NULL,"
            " failure_reason = NULL WHERE target_id = :target AND failure_kind = 'unopened'"
        ),
        {"target": target_id},
    )


def note_failure(connection: Connection, standing: Standing, *, opens_at: datetime | None, now: datetime) -> None:
    """Note that a target did not answer, as its standing says, and until when it is let rest."""
    connection.execute(
        text(
            "UPDATE target_pulse SET failures = :failures, failing_since = coalesce(failing_since, :now),"
            " opens_at = :opens_at, failure_kind = :kind, failure_reason = :reason WHERE target_id = :target"
        ),
        {
            "target": standing.target_id,
            "failures": standing.failures,
            "kind": standing.failure_kind,
            "reason": standing.failure_reason,
            "opens_at": opens_at,
            "now": now,
        },
    )


def _standing(row: Row[tuple[str, str, str, datetime, str]]) -> Standing:
    return Standing(
        row.target_id,
        row.state,
        row.reason,
        row.since,
        row.who,
        row.failures,
        row.failing_since,
        row.opens_at,
        row.succeeded_at,
        row.tokens,
        row.tokens_at,
        row.failure_kind,
        row.failure_reason,
        Stance(row.state_after, row.reason_after) if row.state == "backfill" and row.state_after else None,
    )
