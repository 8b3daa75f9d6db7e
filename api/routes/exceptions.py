"""Routes of deliveries that wait for somebody to mend them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection

from api.dependencies import Asker, Caller, TheHub, Unsafe
from api.pagination import PAGE_SIZE, After, EntityTypeName, Limit, page, read_cursor
from api.route import HubRoute
from api.routes.source_records import told as outcome_told
from api.schemas.exceptions import ExceptionTold, MendedAsked
from api.schemas.shape import Fault, Instant, Page, SourceId
from api.schemas.source_records import SourceRecordTold
from mdm.activation.service import mendable_types
from mdm.db.transaction import reading
from mdm.errors import ExceptionUnknown
from mdm.ids import ExceptionId
from mdm.jobs.service import replay
from mdm.sources import exceptions
from mdm.sources.exceptions_model import ExceptionFilter
from mdm.sources.model import DeliveryException, SourceKey

router = APIRouter(route_class=HubRoute, tags=["Exceptions"])

State = Annotated[Literal["open", "replayed", "dismissed", "superseded"], Query(description="Which ones to list.")]


def _filter(
    source: Annotated[SourceId | None, Query(description="Source instance; all when left out.")] = None,
    state: State = "open",
    entity_type: EntityTypeName = None,
    reason: Annotated[str | None, Query(max_length=100, description="Code of one of its reasons.")] = None,
    since: Annotated[Instant | None, Query(description="Queued at this instant or later.")] = None,
) -> ExceptionFilter:
    return ExceptionFilter(state=state, source=source, entity_type=entity_type, code=reason, since=since)


@router.get("/v1/exceptions", operation_id="list_exceptions")
def read_exceptions(
    hub: TheHub,
    asker: Asker,
    asked: Annotated[ExceptionFilter, Depends(_filter)],
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[ExceptionTold]:
    """List exceptions in the order they were queued."""
    asker.require("steward", source=asked.source, entity_type=asked.entity_type)
    of = f"exceptions?{asked}"
    position = read_cursor(after, of=of)
    with reading(hub.engine) as connection:
        seen = str(position[0]) if position else ""
        found = exceptions.listed_by(connection, asked, after=seen, limit=limit + 1)
    return page([_told(one) for one in found], limit, of, lambda last: (last.id,))


@router.get("/v1/exceptions/{exception_id}", operation_id="read_exception")
def read_exception(exception_id: str, hub: TheHub, asker: Asker) -> ExceptionTold:
    """Read one exception."""
    with reading(hub.engine) as connection:
        return _told(_visible(connection, exception_id, asker))


@router.patch("/v1/exceptions/{exception_id}", operation_id="mend_exception", response_model=ExceptionTold)
def mend_exception(exception_id: str, asked: MendedAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Put mended fields in place of those delivered; null removes a field. Replay it afterwards."""

    def effect(connection: Connection) -> ExceptionTold:
        _visible(connection, exception_id, asker)
        return _told(exceptions.mend(connection, mendable_types(hub), ExceptionId(exception_id), asked.fields))

    return once(effect)


@router.post("/v1/exceptions/{exception_id}:replay", operation_id="replay_exception", response_model=SourceRecordTold)
def replay_exception(exception_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Send the delivery along the path once more, as mended."""
    with reading(hub.engine) as connection:
        _visible(connection, exception_id, asker)
    return once.around(
        lambda bracket: replay(hub, ExceptionId(exception_id), who=asker.name, bracket=bracket), outcome_told
    )


@router.post("/v1/exceptions/{exception_id}:dismiss", operation_id="dismiss_exception", response_model=ExceptionTold)
def dismiss_exception(exception_id: str, asker: Asker, once: Unsafe) -> Response:
    """Close an exception without replaying it; what was delivered stays readable."""

    def effect(connection: Connection) -> ExceptionTold:
        _visible(connection, exception_id, asker)
        exceptions.close(connection, ExceptionId(exception_id), state="dismissed", who=asker.name)
        return _told(exceptions.require(connection, ExceptionId(exception_id)))

    return once(effect)


def _visible(connection: Connection, exception_id: str, asker: Caller) -> DeliveryException:
    """Find an exception; one beyond the key's scope is as unknown as one that never was."""
    found = exceptions.require(connection, ExceptionId(exception_id))
    source = SourceKey.parse(found.source_key).instance
    if not asker.principal.may("steward", entity_type=found.entity_type, source=source):
        raise ExceptionUnknown(exception_id)
    return found


def _told(found: DeliveryException) -> ExceptionTold:
    return ExceptionTold(
        id=found.id,
        kind=found.kind,
        entity_type=found.entity_type,
        source_key=found.source_key,
        fields=dict(found.fields),
        reasons=[Fault.of(reason) for reason in found.reasons],
        state=found.state,
        recorded_at=found.recorded_at,
    )
