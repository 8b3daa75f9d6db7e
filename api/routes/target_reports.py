"""Routes of what targets hold: match it before anything is written there, compare it, mend it.

Each reads a whole target while its caller waits; a backfill can be ordered instead, for a worker to do.
"""

from typing import Any, Final

import orjson
from fastapi import APIRouter, Response
from sqlalchemy import Connection

from api.dependencies import Asker, Caller, Once, TheHub, Unsafe
from api.route import HubRoute
from api.schemas.target_reports import BackfillAsked, ReconcileAsked, ReportTold
from mdm.db.transaction import reading
from mdm.delivery.connect import open_records
from mdm.delivery.model import Declaration
from mdm.errors import TargetReportUnknown, TargetUnknown
from mdm.hub import Hub
from mdm.jobs.backfill import Around, apply_backfill, plan_backfill
from mdm.jobs.reconcile import reconcile
from mdm.reconciliation import backfills
from mdm.reconciliation import service as reports
from mdm.reconciliation.model import Aim

router = APIRouter(route_class=HubRoute, tags=["Targets"])
_ORDERED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "model": ReportTold,
        "description": "It was ordered, or one is under way already",
        "headers": {"Location": {"description": "Where to read it.", "schema": {"type": "string"}}},
    }
}


@router.post(
    "/v1/targets/{target_id}:backfill",
    operation_id="backfill_target",
    response_model=ReportTold,
    responses=_ORDERED,
)
def backfill_target(target_id: str, asked: BackfillAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Match the records of a target with golden records; then it is told what it lacks.

    The plan comes first and is kept: without it, or after the declaration was changed, nothing is applied. With `wait`
    false it is ordered; while one is under way that one is given, whatever it is to come to.
    """
    declaration = _led(hub, target_id, asker)
    who = asker.name
    if not asked.wait:
        return _order(target_id, "planned" if asked.dry_run else "applied", asker, once)
    with open_records(hub, declaration) as system:
        if asked.dry_run:
            return once.around(
                lambda bracket: plan_backfill(hub, target_id, system, who=who, around=Around(bracket=bracket)),
                ReportTold.of,
            )
        with reading(hub.engine) as connection:
            planned = reports.require_plan(connection, declaration)
        return once.around(
            lambda bracket: apply_backfill(hub, target_id, system, who=who, around=Around(bracket=bracket))[1],
            lambda done: ReportTold.of(done, planned),
        )


@router.post("/v1/targets/{target_id}:cancel-backfill", operation_id="cancel_backfill", response_model=ReportTold)
def cancel_backfill(target_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Cancel the backfill of a target that waits for a worker or is read: it stops at the next page.

    What was applied by then stays, and may be applied again. Without one the newest is told as it stands.
    """
    _led(hub, target_id, asker)
    return once(lambda connection: ReportTold.of(backfills.cancel(connection, target_id, who=asker.name)))


@router.get("/v1/targets/{target_id}/backfill", operation_id="read_backfill", response_model_exclude_none=True)
def read_backfill(target_id: str, hub: TheHub, asker: Asker) -> ReportTold:
    """Read the newest backfill of a target, also one that waits for a worker, is read, failed or was cancelled."""
    _visible(hub, target_id, asker)
    with reading(hub.engine) as connection:
        return ReportTold.of(backfills.require_newest(connection, target_id))


@router.get(
    "/v1/targets/{target_id}/backfills/{report_id}", operation_id="read_one_backfill", response_model_exclude_none=True
)
def read_one_backfill(target_id: str, report_id: str, hub: TheHub, asker: Asker) -> ReportTold:
    """Read one backfill of a target: how far it is, or what it came to."""
    _visible(hub, target_id, asker)
    with reading(hub.engine) as connection:
        return ReportTold.of(backfills.one(connection, target_id, report_id))


@router.get("/v1/targets/{target_id}/drift", operation_id="read_drift", response_model_exclude_none=True)
def read_drift(target_id: str, hub: TheHub, asker: Asker) -> ReportTold:
    """Read the newest comparison of a target with what it should hold."""
    _visible(hub, target_id, asker)
    with reading(hub.engine) as connection:
        report = reports.newest(connection, target_id, "drift")
    if report is None:
        raise TargetReportUnknown(target_id)
    return ReportTold.of(report)


@router.post("/v1/targets/{target_id}:reconcile", operation_id="reconcile_target", response_model=ReportTold)
def reconcile_target(target_id: str, asked: ReconcileAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Compare a target with what it should hold now, and mend what differs as asked.

    republish writes what the hub is to have written again where it differs; ingest takes in what was changed there, and
    puts back what does not survive.
    """
    declaration = _led(hub, target_id, asker)
    with open_records(hub, declaration) as system:
        return once.around(
            lambda bracket: reconcile(
                hub, target_id, system, who=asker.name, repair=asked.repair, around=Around(bracket=bracket)
            ),
            ReportTold.of,
        )


def _order(target_id: str, aim: Aim, asker: Caller, once: Once) -> Response:
    def effect(connection: Connection) -> ReportTold:
        return ReportTold.of(backfills.order(connection, target_id, aim, who=asker.name))

    answer = once(effect, status=202)
    # From the body, which is kept for a repeat; headers are not.
    answer.headers["location"] = f"/v1/targets/{target_id}/backfills/{orjson.loads(answer.body)['id']}"
    return answer


def _visible(hub: Hub, target_id: str, asker: Caller) -> Declaration:
    """Find a target of records; one that is told of more than the caller may see is as unknown as none."""
    with reading(hub.engine) as connection:
        declaration = reports.require_records(connection, target_id)
    if not all(asker.principal.may("read", entity_type=name) for name in declaration.entity_types):
        raise TargetUnknown(target_id)
    return declaration


def _led(hub: Hub, target_id: str, asker: Caller) -> Declaration:
    declaration = _visible(hub, target_id, asker)
    for name in declaration.entity_types:
        asker.require("lead", entity_type=name, source=declaration.instance)
    return declaration
