"""SQL of reports on targets, and of what a survey needs beside the ledger."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.ids import GoldenId
from mdm.reconciliation.model import Progress, Report, ReportKind

_UNDER_WAY: Final = "aim IS NOT NULL AND state IN ('ordered', 'reading')"
"""A job that waits for a worker, or that one has."""


def insert_report(connection: Connection, report: Report) -> None:
    """Keep a report that is begun."""
    connection.execute(
        text(
            "INSERT INTO target_report (id, target_id, kind, state, counts, examples, declared, recorded_at, who, aim)"
            " VALUES (:id, :target, :kind, :state, CAST(:counts AS jsonb), CAST(:examples AS jsonb), :declared,"
            " :at, :who, :aim)"
        ),
        {
            "id": report.id,
            "target": report.target_id,
            "kind": report.kind,
            "state": report.state,
            "counts": as_json(report.counts),
            "examples": as_json(report.examples),
            "declared": report.declared,
            "at": report.recorded_at,
            "who": report.who,
            "aim": report.aim,
        },
    )


def update_report(connection: Connection, report: Report) -> None:
    """Say what a report found, and what was done about it."""
    connection.execute(
        text(
            "UPDATE target_report SET state = :state, counts = CAST(:counts AS jsonb), examples ="
            " CAST(:examples AS jsonb), reason = :reason WHERE id = :id"
        ),
        _found(report),
    )


def select_reports(
    connection: Connection, target_id: str, kind: ReportKind, *, states: Collection[str], limit: int
) -> tuple[Report, ...]:
    """List the reports of a target, newest first."""
    rows = connection.execute(
        text(
            "SELECT * FROM target_report WHERE target_id = :target AND kind = :kind AND state = ANY(:states)"
            " ORDER BY recorded_at DESC, id DESC LIMIT :limit"
        ),
        {"target": target_id, "kind": kind, "states": list(states), "limit": limit},
    )
    return tuple(map(_report, rows))


def select_last_drifts(connection: Connection) -> tuple[Row[Any], ...]:
    """Give of each target the last comparison that came to its end, of those that began one.

    target_id, state, counts, recorded_at, the last three None where none came to its end, and begun_at of the first.
    """
    return tuple(
        connection.execute(
            text(
                "SELECT t.id AS target_id, r.state, r.counts, r.recorded_at, b.begun_at FROM target t"
                " CROSS JOIN LATERAL (SELECT recorded_at AS begun_at FROM target_report"
                "  WHERE target_id = t.id AND kind = 'drift' ORDER BY recorded_at LIMIT 1) AS b"
                " LEFT JOIN LATERAL (SELECT * FROM target_report"
                "  WHERE target_id = t.id AND kind = 'drift' AND state IN ('found', 'repaired')"
                "  ORDER BY recorded_at DESC, id DESC LIMIT 1) AS r ON true ORDER BY 1"
            )
        )
    )


def select_under_way(connection: Connection, target_id: str) -> Report | None:
    """Give the job of a target that waits for a worker or is being made; there is one at most."""
    row = connection.execute(
        text(f"SELECT * FROM target_report WHERE target_id = :target AND {_UNDER_WAY}"),
        {"target": target_id},
    ).one_or_none()
    return _report(row) if row is not None else None


def select_newest_backfill(connection: Connection, target_id: str) -> Report | None:
    """Give the newest backfill of a target, but for one whose caller waits: nobody knows whether it still does."""
    row = connection.execute(
        text(
            "SELECT * FROM target_report WHERE target_id = :target AND kind = 'backfill'"
            " AND (aim IS NOT NULL OR state <> 'reading') ORDER BY recorded_at DESC, id DESC LIMIT 1"
        ),
        {"target": target_id},
    ).one_or_none()
    return _report(row) if row is not None else None


def select_backfill(connection: Connection, target_id: str, report_id: str) -> Report | None:
    """Give one backfill of a target."""
    row = connection.execute(
        text("SELECT * FROM target_report WHERE id = :id AND target_id = :target AND kind = 'backfill'"),
        {"id": report_id, "target": target_id},
    ).one_or_none()
    return _report(row) if row is not None else None


def select_jobs(connection: Connection) -> tuple[Report, ...]:
    """List the jobs of all targets that wait for a worker or are being made."""
    rows = connection.execute(text(f"SELECT * FROM target_report WHERE {_UNDER_WAY} ORDER BY target_id"))
    return tuple(map(_report, rows))


def fail_worn_out(connection: Connection, *, at: datetime, attempts_max: int, reason: str) -> None:
    """Give up jobs whose last attempt ended without a word."""
    connection.execute(
        text(
            "UPDATE target_report SET state = 'failed', lease_until = NULL, reason = :reason WHERE aim IS NOT NULL"
            " AND state = 'reading' AND lease_until <= :at AND attempt >= :most"
        ),
        {"at": at, "most": attempts_max, "reason": reason},
    )


def lease_job(connection: Connection, *, at: datetime, until: datetime) -> Report | None:
    """Take up the oldest job that waits or whose lease ran out; the attempt fences off whoever had it before."""
    row = connection.execute(
        text(
            "UPDATE target_report r SET state = 'reading', attempt = r.attempt + 1, lease_until = :until,"
            " progress = NULL WHERE r.id = (SELECT id FROM target_report WHERE aim IS NOT NULL"
            " AND (state = 'ordered' OR (state = 'reading' AND lease_until <= :at))"
            " ORDER BY recorded_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING r.*"
        ),
        {"at": at, "until": until},
    ).one_or_none()
    return _report(row) if row is not None else None


def renew_job(
    connection: Connection, report: Report, *, at: datetime, until: datetime, progress: Mapping[str, Any] | None
) -> bool:
    """Hold on to a job and say how far it is; False when it was cancelled or the lease on it ran out."""
    renewed = connection.execute(
        text(
            "UPDATE target_report SET lease_until = :until, progress = coalesce(CAST(:progress AS jsonb), progress)"
            " WHERE id = :id AND state = 'reading' AND attempt = :attempt AND lease_until > :at"
        ),
        {
            "id": report.id,
            "attempt": report.attempt,
            "at": at,
            "until": until,
            "progress": as_json(progress) if progress is not None else None,
        },
    )
    return renewed.rowcount == 1


def settle_job(connection: Connection, report: Report, *, at: datetime) -> bool:
    """Say what came of a job; False when it was cancelled or the lease on it ran out."""
    settled = connection.execute(
        text(
            "UPDATE target_report SET state = :state, counts = CAST(:counts AS jsonb), examples ="
            " CAST(:examples AS jsonb), reason = :reason, declared = :declared, lease_until = NULL"
            " WHERE id = :id AND state = 'reading' AND attempt = :attempt AND lease_until > :at"
        ),
        {**_found(report), "declared": report.declared, "attempt": report.attempt, "at": at},
    )
    return settled.rowcount == 1


def cancel_job(connection: Connection, report_id: str, *, reason: str) -> bool:
    """Let a job end that waits or is being made; False when it came to its end meanwhile."""
    cancelled = connection.execute(
        text(
            "UPDATE target_report SET state = 'cancelled', lease_until = NULL, reason = :reason"
            f" WHERE id = :id AND {_UNDER_WAY}"
        ),
        {"id": report_id, "reason": reason},
    )
    return cancelled.rowcount == 1


def lock_target(connection: Connection, target_id: str) -> None:
    """Let whoever begins a report on this target wait for the others."""
    connection.execute(text("SELECT FROM target WHERE id = :target FOR UPDATE"), {"target": target_id})


def select_active_goldens(connection: Connection, entity_type: str, *, after: str, limit: int) -> tuple[GoldenId, ...]:
    """List active golden records of a type by id."""
    rows = connection.execute(
        text(
            "SELECT id FROM golden_record WHERE entity_type = :type AND state = 'active' AND version > 0"
            " AND id > :after ORDER BY id LIMIT :limit"
        ),
        {"type": entity_type, "after": after, "limit": limit},
    )
    return tuple(GoldenId(row.id) for row in rows)


def select_shown_values(
    connection: Connection, entity_type: str, names: Sequence[str], *, after: str, limit: int
) -> tuple[Row[Any], ...]:
    """Give golden id and some values of active golden records, by id."""
    return tuple(
        connection.execute(
            text(
                "SELECT g.id, ARRAY(SELECT v.values -> name FROM unnest(CAST(:names AS text[])) WITH ORDINALITY"
                " AS n (name, place) ORDER BY place) AS shown FROM golden_record g"
                " JOIN golden_version v ON v.golden_id = g.id AND v.version = g.version"
                " WHERE g.entity_type = :type AND g.state = 'active' AND g.id > :after ORDER BY g.id LIMIT :limit"
            ),
            {"type": entity_type, "names": list(names), "after": after, "limit": limit},
        )
    )


def select_goldens(connection: Connection, entity_type: str, ids: Collection[str]) -> dict[str, GoldenId]:
    """Resolve texts that are golden ids of a type: each to the active one that it names or forwards to."""
    rows = connection.execute(
        text(
            "SELECT g.id, a.id AS active_id FROM golden_record g JOIN golden_record a"
            " ON a.id = coalesce(g.forward_to, g.id) AND a.state = 'active'"
            " WHERE g.id = ANY(:ids) AND g.entity_type = :type"
        ),
        {"ids": list(ids), "type": entity_type},
    )
    return {row.id: GoldenId(row.active_id) for row in rows}


def select_lanes(connection: Connection, target_id: str, ids: Collection[GoldenId]) -> dict[GoldenId, Row[Any]]:
    """Give how the lane of each golden record stands: head, acknowledged, state, and whether its end was skipped."""
    rows = connection.execute(
        text(
            "SELECT l.golden_id, l.head, l.acknowledged, l.state, coalesce((SELECT o.outcome = 'skipped'"
            "  FROM delivery_outcome o WHERE o.target_id = l.target_id AND o.golden_id = l.golden_id"
            "  AND o.version = l.head ORDER BY o.id DESC LIMIT 1), false) AS is_left_out"
            " FROM delivery_lane l WHERE l.target_id = :target AND l.golden_id = ANY(:ids)"
        ),
        {"target": target_id, "ids": list(ids)},
    )
    return {GoldenId(row.golden_id): row for row in rows}


def select_touched(
    connection: Connection, target_id: str, ids: Collection[GoldenId], instance_id: str, *, since: datetime
) -> frozenset[GoldenId]:
    """Find the golden records of which a record of the target was written or seen since an instant."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT r.golden_id FROM source_record r JOIN target_record t ON t.target_id = :target"
            " AND t.object = r.object AND t.scope = r.scope AND t.native_id = r.native_id"
            " WHERE r.golden_id = ANY(:ids) AND r.instance_id = :instance"
            " AND greatest(t.written_at, t.seen_at) >= :since"
        ),
        {"target": target_id, "ids": list(ids), "instance": instance_id, "since": since},
    )
    return frozenset(GoldenId(row.golden_id) for row in rows)


def _found(report: Report) -> dict[str, Any]:
    return {
        "id": report.id,
        "state": report.state,
        "counts": as_json(report.counts),
        "examples": as_json(report.examples),
        "reason": report.reason,
    }


def _report(row: Row[Any]) -> Report:
    return Report(
        row.id,
        row.target_id,
        row.kind,
        row.state,
        row.counts,
        row.examples,
        row.declared,
        row.recorded_at,
        row.who,
        aim=row.aim,
        progress=Progress(**row.progress) if row.progress is not None else None,
        attempt=row.attempt,
        reason=row.reason,
    )
