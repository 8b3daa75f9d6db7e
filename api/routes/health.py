"""Routes for those who watch the process: alive, ready, counters."""

from contextlib import suppress

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from api.dependencies import Everything
from api.route import HubRoute
from api.schemas.health import AliveTold, ReadyTold
from mdm.activation.model import Recipe
from mdm.activation.service import readings_of_deals, recipe_of
from mdm.db import migrate
from mdm.db.transaction import reading
from mdm.delivery.overview import readings_of
from mdm.errors import RecipeInvalid, Unavailable
from mdm.gauges import BACKFILLS, DEALS, DRIFTS, TARGETS
from mdm.hub import Hub
from mdm.reconciliation.backfills import readings_of_backfills
from mdm.reconciliation.service import readings_of_drift
from mdm.telemetry import render_metrics

router = APIRouter(route_class=HubRoute, tags=["Health"])


@router.get("/healthz", operation_id="is_alive")
async def is_alive() -> AliveTold:
    """Tell that the process answers; restart it when it does not."""
    return AliveTold()


@router.get("/readyz", operation_id="is_ready", responses={503: {"model": ReadyTold}})
def is_ready(opened: Everything, response: Response) -> ReadyTold:
    """Tell whether the database answers and has the schema of this release; send no work until then."""
    checks = {"database": "does not answer", "schema": "unknown"}
    with suppress(Unavailable):
        with reading(opened.hub.engine) as connection:
            connection.execute(text("SELECT 1"))
        checks["database"] = "ok"
        is_current = migrate.is_current(opened.url)
        checks["schema"] = "ok" if is_current else "older than this release: restart `mdm serve`, which brings it up"
    is_fit = set(checks.values()) == {"ok"}
    response.status_code = 200 if is_fit else 503
    return ReadyTold(status="ready" if is_fit else "not_ready", checks=checks)


@router.get("/metrics", operation_id="read_metrics", response_class=Response)
def read_metrics(opened: Everything) -> Response:
    """Give every counter, deals and targets as they stand now, in the text format of Prometheus."""
    targets = drifts = backfills = deals = None
    with suppress(Unavailable), reading(opened.hub.engine) as connection:
        deals = readings_of_deals(connection, _recipe_of(opened.hub))
        drifts = readings_of_drift(connection)
        backfills = readings_of_backfills(connection)
        targets = readings_of(connection, opened.targets.lines(connection))
    DEALS.tell(deals)
    DRIFTS.tell(drifts)
    BACKFILLS.tell(backfills)
    TARGETS.tell(targets)
    return Response(render_metrics(), media_type=CONTENT_TYPE_LATEST)


def _recipe_of(hub: Hub) -> Recipe | None:
    """Give the recipe, or None where its file has faults: whoever starts a deal is told of them, not the scraper."""
    try:
        return recipe_of(hub)
    except RecipeInvalid:
        return None
