"""Backfills that are ordered: each a job that one worker at a time has under a lease, with its progress.

A job stands in its report and nowhere else. Whoever works on it renews its lease with every page by the database's
clock, and names the attempt that it is; once the lease ran out or the job was cancelled nothing of that worker's is
taken any more. Another worker then begins anew: a plan is taken back as it goes, and applying may be repeated.
"""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.delivery.lanes import Clock
from mdm.delivery.model import Declaration
from mdm.errors import BackfillUnknown, LeaseLost
from mdm.gauges import BackfillReading
from mdm.ids import new_target_report_id
from mdm.reconciliation import service as reports
from mdm.reconciliation import store
from mdm.reconciliation.model import Aim, Progress, Report

LEASE: Final = timedelta(minutes=5)  # chosen: a page takes seconds; a call that runs out of its time two minutes
# Chosen: a long one may meet some restarts of its workers, but what ended five of them would end the sixth.
ATTEMPTS_MAX: Final = 5


def order(connection: Connection, target_id: str, aim: Aim, *, who: str) -> Report:
    """Order a backfill of a target; while one is under way it is given instead, whatever it is to come to.

    Raises TargetUnknown, and InputInvalid without a plan for what is declared now.
    """
    declaration = reports.require_records(connection, target_id)
    store.lock_target(connection, target_id)
    found = store.select_under_way(connection, target_id)
    if found is not None:
        return found
    if aim == "applied":
        reports.require_plan(connection, declaration)
    digest, at = reports.digest_of(declaration), clock.instant(connection)
    report = Report(new_target_report_id(), target_id, "backfill", "ordered", {}, {}, digest, at, who, aim=aim)
    store.insert_report(connection, report)
    return report


def cancel(connection: Connection, target_id: str, *, who: str) -> Report:
    """Cancel the backfill of a target that is under way; what was applied by then stays, and may be repeated.

    Without one the newest is given as it stands. Raises TargetUnknown, BackfillUnknown.
    """
    reports.require_records(connection, target_id)
    found = store.select_under_way(connection, target_id)
    if found is not None:
        store.cancel_job(connection, found.id, reason=who)
    return require_newest(connection, target_id)


def newest(connection: Connection, target_id: str) -> Report | None:
    """Give the newest backfill of a target, whatever became of it; raises TargetUnknown."""
    reports.require_records(connection, target_id)
    return store.select_newest_backfill(connection, target_id)


def require_newest(connection: Connection, target_id: str) -> Report:
    """Give the newest backfill of a target; raises TargetUnknown, BackfillUnknown when there was none."""
    found = newest(connection, target_id)
    if found is None:
        raise BackfillUnknown(target_id)
    return found


def one(connection: Connection, target_id: str, report_id: str) -> Report:
    """Give one backfill of a target; raises TargetUnknown, BackfillUnknown."""
    reports.require_records(connection, target_id)
    found = store.select_backfill(connection, target_id, report_id)
    if found is None:
        raise BackfillUnknown(report_id)
    return found


def take_up(connection: Connection, *, now: Clock = clock.instant) -> Report | None:
    """Take up the oldest job that nobody works on; one that was taken up too often is given up."""
    at = now(connection)
    reason = f"{ATTEMPTS_MAX} workers began it, and none came to its end"
    store.fail_worn_out(connection, at=at, attempts_max=ATTEMPTS_MAX, reason=reason)
    return store.lease_job(connection, at=at, until=at + LEASE)


def declaration_for(connection: Connection, report: Report) -> tuple[Declaration, Report]:
    """Give the declaration that a job works by, and the report made for it.

    Raises TargetUnknown, and InputInvalid when what was planned is declared otherwise by now.
    """
    declaration = reports.require_records(connection, report.target_id)
    if report.aim == "applied":
        reports.require_plan(connection, declaration)
    return declaration, replace(report, declared=reports.digest_of(declaration))


def hold(
    connection: Connection, report: Report, *, progress: Progress | None = None, now: Clock = clock.instant
) -> None:
    """Renew the lease on a job, and say how far it is; raises LeaseLost."""
    at = now(connection)
    told = asdict(progress) if progress is not None else None
    if not store.renew_job(connection, report, at=at, until=at + LEASE, progress=told):
        raise _lost(report)


def settle(connection: Connection, report: Report, *, now: Clock = clock.instant) -> Report:
    """Keep what came of a job, as this report tells it; raises LeaseLost."""
    if not store.settle_job(connection, report, at=now(connection)):
        raise _lost(report)
    return report


def readings_of_backfills(connection: Connection) -> tuple[BackfillReading, ...]:
    """Give what a scrape tells of the jobs that are under way."""
    now = clock.instant(connection)
    found = store.select_jobs(connection)
    return tuple(BackfillReading(one.target_id, one.state, (now - one.recorded_at).total_seconds()) for one in found)


def _lost(report: Report) -> LeaseLost:
    return LeaseLost(
        f"the backfill {report.id} was cancelled, or somebody else works on it by now",
        remedy="nothing: whoever has it goes on with it",
    )
