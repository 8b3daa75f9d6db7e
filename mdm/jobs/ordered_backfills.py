"""Carry out backfills that were ordered: a task of the worker, one job of one target at a time.

It comes to the same report as a call that waits. The worker asks with every page whether the job is still its own; if
not it stops there and leaves the report to whoever has it. A target that cannot be read fails the job, with the reason
in words: somebody orders it again once that is mended. A worker that dies, or that loses the database, says nothing:
its job is taken up again when the lease has run out.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial

from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.model import RecordSystem
from mdm.db.transaction import run
from mdm.delivery.connect import open_records
from mdm.delivery.lanes import Clock
from mdm.delivery.model import Declaration
from mdm.errors import DatabaseUnavailable, HubError, LeaseLost, reason_of
from mdm.hub import Hub
from mdm.jobs.backfill import Around, Run, end_run, match_all
from mdm.reconciliation import backfills
from mdm.reconciliation import service as reports
from mdm.reconciliation.model import Progress, Report, Tally
from mdm.reconciliation.remote_records import in_order
from mdm.telemetry import logger

Open = Callable[[Hub, Declaration], AbstractContextManager[RecordSystem]]


def carry_out_ordered(hub: Hub, *, opening: Open = open_records, now: Clock = clock.instant) -> int:
    """Carry out the backfill that was ordered first, of those that nobody works on; return how many that were."""
    report = run(hub.engine, partial(backfills.take_up, now=now))
    if report is None:
        return 0
    tally = Tally()
    try:
        _carry_out(hub, report, tally, opening, now)
    except LeaseLost as error:
        logger(__name__).info("backfill left", target=report.target_id, reason=error.message)
    except DatabaseUnavailable:
        raise
    except Exception as error:
        _fail(hub, report, tally, error, now)
        if not isinstance(error, HubError):
            raise  # a fault of the hub itself: the edge of the task logs it whole
    return 1


def _carry_out(hub: Hub, report: Report, tally: Tally, opening: Open, now: Clock) -> None:
    assert report.aim is not None, "only a job is taken up"
    aim = report.aim
    declaration, report = run(hub.engine, partial(backfills.declaration_for, report=report))
    going = Run(hub, declaration, report.who, tally)
    names = [one.entity_type for one in in_order(hub.declared, declaration)]

    def hold(progress: Progress | None = None) -> None:
        run(hub.engine, partial(backfills.hold, report=report, progress=progress, now=now))

    def on_page(name: str, count: int) -> None:
        hold(Progress(name, count, names.index(name) + 1, len(names)))

    with opening(hub, declaration) as system:
        match_all(going, system, aim, Around(on_page, hold))

    def end(connection: Connection) -> None:
        end_run(connection, going, aim)
        backfills.settle(connection, reports.as_found(report, aim, tally), now=now)

    run(hub.engine, end)


def _fail(hub: Hub, report: Report, tally: Tally, error: Exception, now: Clock) -> None:
    reason = reason_of(error)
    logger(__name__).warning("backfill failed", target=report.target_id, reason=reason)
    found = reports.as_found(report, "failed", tally, reason=reason)
    with suppress(LeaseLost):
        run(hub.engine, partial(backfills.settle, report=found, now=now))
