"""SQL of lanes: lease what is due, settle what was told, and say what waits. Times are the caller's, see `lanes`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.delivery.model import DueLane
from mdm.ids import GoldenId

_PULSE = (
    "SELECT target_id, least(:burst, tokens + :rate * greatest(0, extract(epoch FROM CAST(:now AS timestamptz)"
    " - tokens_at))) AS there FROM target_pulse WHERE target_id = :target FOR UPDATE"
)


def lease(
    connection: Connection, target_id: str, *, token: str, now: datetime, until: datetime, limit: int
) -> tuple[DueLane, ...]:
    """Lease the lanes that are due longest, also those whose lease ran out; whoever settles names the token.

    A lane whose newest version is held back has nothing to tell before it; it comes back by the next version.
    """
    rows = connection.execute(
        text(
            "WITH due AS MATERIALIZED (SELECT target_id, golden_id, lease_token IS NOT NULL AS is_taken_over"
            "  FROM delivery_lane"
            "  WHERE target_id = :target AND acknowledged < head AND state <> 'dead' AND due_at <= :now"
            "  ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED)"
            " UPDATE delivery_lane l SET due_at = :until, lease_token = :token FROM due d"
            " WHERE l.target_id = d.target_id AND l.golden_id = d.golden_id"
            " RETURNING l.target_id, l.golden_id, l.head, l.acknowledged, l.attempts, l.failing_since, l.recorded_at,"
            " l.is_forced, l.series, d.is_taken_over"
        ),
        {"target": target_id, "token": token, "now": now, "until": until, "limit": limit},
    )
    return tuple(
        DueLane(
            row.target_id,
            GoldenId(row.golden_id),
            row.head,
            row.acknowledged,
            row.attempts,
            row.failing_since,
            row.recorded_at,
            row.is_forced,
            token,
            now,
            row.series,
            row.is_taken_over,
        )
        for row in rows
    )


def settle_done(connection: Connection, rows: Sequence[dict[str, Any]], *, now: datetime) -> frozenset[str]:
    """Raise the lanes of these rows (target_id, golden_id, token, version) and let what rose meanwhile be due at once.

    Returns the golden ids whose lease still held; what another one has taken over is left to that one.
    """
    if not rows:
        return frozenset()
    found = connection.execute(
        text(
            "UPDATE delivery_lane l SET acknowledged = greatest(l.acknowledged, r.version), state = 'ready',"
            " due_at = greatest(CAST(:now AS timestamptz), l.not_before), lease_token = NULL, attempts = 0,"
            " failure_kind = NULL, failure_reason = NULL,"
            " failing_since = NULL, waits_for = NULL, is_forced = l.is_forced AND r.version < l.head"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (target_id text, golden_id text, token text, version"
            " int)"
            " WHERE l.target_id = r.target_id AND l.golden_id = r.golden_id AND l.lease_token = r.token"
            " RETURNING l.golden_id"
        ),
        {"rows": as_json(rows), "now": now},
    )
    return frozenset(row.golden_id for row in found)


def settle_failed(connection: Connection, rows: Sequence[dict[str, Any]], *, now: datetime) -> frozenset[str]:
    """Note failures and waits; returns the golden ids whose lease still held.

    rows  target_id, golden_id, token, state, due_at, attempts, kind, reason, told, waits_for
    """
    if not rows:
        return frozenset()
    found = connection.execute(
        text(
            "UPDATE delivery_lane l SET acknowledged = greatest(l.acknowledged, coalesce(r.told, l.acknowledged)),"
            " state = r.state, due_at = coalesce(r.due_at, :now), lease_token = NULL, attempts = r.attempts,"
            " failure_kind = r.kind, failure_reason = r.reason,"
            " failing_since = CASE WHEN r.kind IS NULL THEN NULL ELSE coalesce(l.failing_since, :now) END,"
            " waits_for = r.waits_for"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (target_id text, golden_id text, token text, state"
            " text,"
            " due_at timestamptz, attempts int, kind text, reason text, told int, waits_for text)"
            " WHERE l.target_id = r.target_id AND l.golden_id = r.golden_id AND l.lease_token = r.token"
            " RETURNING l.golden_id"
        ),
        {"rows": as_json(rows), "now": now},
    )
    return frozenset(row.golden_id for row in found)


def wake_waiting(connection: Connection, target_id: str, parents: Sequence[GoldenId], *, now: datetime) -> None:
    """Let lanes that waited for these golden records be due now, unless somebody has them, or is taking them."""
    if not parents:
        return
    connection.execute(
        text(
            "WITH waiting AS MATERIALIZED (SELECT target_id, golden_id FROM delivery_lane WHERE target_id = :target"
            "  AND waits_for = ANY(:parents) AND lease_token IS NULL AND due_at > :now FOR NO KEY UPDATE SKIP LOCKED)"
            " UPDATE delivery_lane l SET due_at = :now FROM waiting w WHERE l.target_id = w.target_id"
            " AND l.golden_id = w.golden_id"
        ),
        {"target": target_id, "parents": list(parents), "now": now},
    )


def wake_overtaken(connection: Connection, rows: Sequence[dict[str, Any]], *, now: datetime) -> None:
    """Let lanes that were just settled be due now where the target was told since their lease of what they wait for.

    rows  target_id, golden_id, waits_for, leased_at
    """
    if not rows:
        return
    connection.execute(
        text(
            "UPDATE delivery_lane l SET due_at = least(l.due_at, :now)"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (target_id text, golden_id text, waits_for text,"
            " leased_at timestamptz)"
            " WHERE l.target_id = r.target_id AND l.golden_id = r.golden_id AND r.leased_at < (SELECT o.recorded_at"
            "  FROM delivery_outcome o WHERE o.target_id = r.target_id AND o.golden_id = r.waits_for"
            "  AND o.outcome = 'delivered' ORDER BY o.id DESC LIMIT 1)"
        ),
        {"rows": as_json(rows), "now": now},
    )


def revive(connection: Connection, golden_ids: Sequence[GoldenId], *, now: datetime) -> None:
    """Let what is parked of golden records be due at every target; a lease that runs could park it again, and ends."""
    connection.execute(
        text(
            "UPDATE delivery_lane l SET state = 'ready', due_at = greatest(CAST(:now AS timestamptz), l.not_before),"
            " recorded_at = CASE WHEN l.state = 'dead' THEN :now ELSE l.recorded_at END, lease_token = NULL,"
            " attempts = 0, failing_since = NULL, failure_kind = NULL, failure_reason = NULL FROM target t"
            " WHERE l.target_id = t.id AND l.golden_id = ANY(:ids) AND l.acknowledged < l.head"
            " AND (l.state = 'dead' OR l.lease_token IS NOT NULL)"
        ),
        {"ids": list(golden_ids), "now": now},
    )


def begin_series(connection: Connection, lane: DueLane) -> None:
    """Let what is asked for a leased lane from now on bear new request ids."""
    connection.execute(
        text(
            "UPDATE delivery_lane SET series = :series WHERE target_id = :target AND golden_id = :golden"
            " AND lease_token = :token"
        ),
        {"target": lane.target_id, "golden": lane.golden_id, "token": lane.token, "series": lane.series + 1},
    )


def begin_series_of(connection: Connection, target_id: str, golden_ids: Sequence[GoldenId]) -> None:
    """Let what is asked for lanes from the next look on bear new request ids, whoever has them leased."""
    connection.execute(
        text(
            "UPDATE delivery_lane SET series = series + 1 WHERE target_id = :target AND golden_id = ANY(:ids)"
            " AND acknowledged < head"
        ),
        {"target": target_id, "ids": list(golden_ids)},
    )


def give_back(connection: Connection, lanes: Sequence[DueLane], *, due_at: datetime) -> None:
    """End leases without a word on the lanes: they are due at an instant, as if nobody had looked."""
    rows = [{"target_id": one.target_id, "golden_id": one.golden_id, "token": one.token} for one in lanes]
    connection.execute(
        text(
            "UPDATE delivery_lane l SET due_at = :due_at, lease_token = NULL"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (target_id text, golden_id text, token text)"
            " WHERE l.target_id = r.target_id AND l.golden_id = r.golden_id AND l.lease_token = r.token"
        ),
        {"rows": as_json(rows), "due_at": due_at},
    )


def lock_leased(connection: Connection, lanes: Sequence[DueLane]) -> frozenset[GoldenId]:
    """Return whose lease still holds, and let nobody take these over before the end of the transaction."""
    rows = [{"target_id": one.target_id, "golden_id": one.golden_id, "token": one.token} for one in lanes]
    found = connection.execute(
        text(
            "SELECT l.golden_id FROM delivery_lane l"
            " JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (target_id text, golden_id text, token text)"
            " ON l.target_id = r.target_id AND l.golden_id = r.golden_id AND l.lease_token = r.token"
            " ORDER BY l.golden_id FOR SHARE OF l"
        ),
        {"rows": as_json(rows)},
    )
    return frozenset(map(GoldenId, found.scalars()))


def insert_outcomes(connection: Connection, rows: Sequence[dict[str, Any]], *, at: datetime, who: str) -> None:
    """Append what became of messages.

    rows  target_id, golden_id, version, outcome, attempts, kind, reason, details, queued_at
    """
    if rows:
        connection.execute(
            text(
                "INSERT INTO delivery_outcome (target_id, golden_id, version, outcome, attempts, failure_kind, reason,"
                " details, queued_at, recorded_at, who) SELECT target_id, golden_id, version, outcome, attempts, kind,"
                " reason, details, queued_at, :at, :who FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (target_id"
                " text, golden_id text, version int, outcome text, attempts int, kind text, reason text, details"
                " jsonb, queued_at timestamptz)"
            ),
            {"rows": as_json(rows), "at": at, "who": who},
        )


def has_due_before(connection: Connection, target_id: str, *, instant: datetime, now: datetime) -> bool:
    """Tell whether something that waited at an instant will be told without anybody's help.

    A lane that waits will be, where what it waits for is to be told itself, or was told and woke it; by way of others
    that wait as well. What was woken and is leased by now may have to be told later, and wakes others. One that waits
    for a review, a dead lane, or what the target is never told of is somebody's.
    """
    # The lanes are looked at one by one until one is found: the first one that is ready is the answer.
    return bool(
        connection.execute(
            text(
                "WITH RECURSIVE lane AS (SELECT golden_id, state, due_at, waits_for, lease_token FROM delivery_lane"
                "  WHERE target_id = :target AND acknowledged < head AND state <> 'dead' AND recorded_at <= :instant"
                "  AND (state = 'ready' OR waits_for IS NOT NULL)"
                " UNION SELECT p.golden_id, p.state, p.due_at, p.waits_for, p.lease_token FROM lane l"
                "  JOIN delivery_lane p ON p.target_id = :target AND p.golden_id = l.waits_for"
                "  WHERE l.state = 'waiting' AND p.acknowledged < p.head AND p.state <> 'dead')"
                " SELECT EXISTS (SELECT FROM lane l WHERE l.state = 'ready' OR l.lease_token IS NOT NULL"
                "  OR l.due_at <= :now AND EXISTS (SELECT FROM delivery_lane p WHERE p.target_id = :target"
                "   AND p.golden_id = l.waits_for AND p.acknowledged = p.head))"
            ),
            {"target": target_id, "instant": instant, "now": now},
        ).scalar_one()
    )


def take_tokens(
    connection: Connection, target_id: str, *, wanted: int, per_second: float, burst: float, now: datetime
) -> int:
    """Take calls out of a target's rate, as many as it allows up to a number; processes wait for each other here."""
    row = connection.execute(
        text(
            f"WITH pulse AS ({_PULSE})"
            " UPDATE target_pulse p SET tokens = there - greatest(0, least(:wanted, floor(there))),"
            " tokens_at = greatest(:now, tokens_at) FROM pulse WHERE p.target_id = pulse.target_id"
            " RETURNING greatest(0, least(:wanted, floor(there))) AS taken"
        ),
        {"target": target_id, "wanted": wanted, "rate": per_second, "burst": burst, "now": now},
    ).one_or_none()
    return int(row.taken) if row is not None else 0


def charge(
    connection: Connection, target_id: str, *, calls: int, per_second: float, burst: float, now: datetime
) -> float:
    """Take calls out of a target's rate that are made in any case; returns what it allows then, below 0 if it did not.

    A target that was removed meanwhile allows all.
    """
    row = connection.execute(
        text(
            f"WITH pulse AS ({_PULSE})"
            " UPDATE target_pulse p SET tokens = there - :calls, tokens_at = greatest(:now, tokens_at)"
            " FROM pulse WHERE p.target_id = pulse.target_id RETURNING p.tokens"
        ),
        {"target": target_id, "calls": calls, "rate": per_second, "burst": burst, "now": now},
    ).one_or_none()
    return float(row.tokens) if row is not None else 0.0
