"""Routes of golden records."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.dependencies import Asker, Caller, Opened, TheHub, caller_of, json_response, opened_by
from api.etag import write_etag
from api.instant import read_as_of
from api.pagination import PAGE_SIZE, After, EntityTypeName, Limit, page, read_cursor
from api.route import HubRoute
from api.schemas.golden_records import (
    GoldenRecordTold,
    GoldenVersionTold,
    LineageOfAttributeTold,
    LineageTold,
    LosingValueTold,
)
from api.schemas.shape import Page
from mdm import clock
from mdm.db.transaction import reading
from mdm.entities.model import EntityType
from mdm.errors import GoldenRecordUnknown
from mdm.history.hot_reads import golden_now
from mdm.history.past import EventBrief
from mdm.identity.model import GoldenRecord
from mdm.identity.service import golden_record, resolve_golden
from mdm.ids import EventId, GoldenId
from mdm.stewardship.past import causes_of
from mdm.survivorship.model import GoldenVersion
from mdm.survivorship.service import find_golden, golden_history, golden_version, losing_values

router = APIRouter(route_class=HubRoute, tags=["Golden records"])

Question = Annotated[
    str,
    Query(
        max_length=500,
        description="Words, each of which must appear: parts of three letters and more, else whole words. Or a golden"
        " id, also one that was merged, or a printed source key, which find exactly what they name.",
        examples=["mueller munchen", "netsuite-us/customer:10482"],
    ),
]


@router.get("/v1/golden-records", operation_id="find_golden_records", response_model_exclude_none=True)
def find_golden_records(
    hub: TheHub,
    asker: Asker,
    q: Question = "",
    entity_type: EntityTypeName = None,
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[GoldenRecordTold]:
    """Find active golden records by words of what they or their members say, in the order of their ids."""
    visible = asker.principal.entity_types("read")
    if entity_type is not None:
        asker.require("read", entity_type=hub.entity_type(entity_type).name)
        visible = frozenset({entity_type})
    of = f"golden-records?q={q}&entity_type={entity_type}"
    position = read_cursor(after, of=of)
    with reading(hub.engine) as connection:
        seen = str(position[0]) if position else ""
        found = find_golden(connection, q, entity_types=visible, after=seen, limit=limit + 1)
    return page([_golden_told(one) for one in found], limit, of, lambda last: (last.id,))


@router.get(
    "/v1/golden-records/{golden_id}",  # noqa: FAST003 -- a hot route takes the request alone
    operation_id="read_golden_record",
    response_model=GoldenRecordTold,
    openapi_extra={
        "parameters": [
            {"name": "golden_id", "in": "path", "required": True, "schema": {"type": "string"}},
            {
                "name": "as_of",
                "in": "query",
                "description": "What the hub held at this instant; a bare date is the end of that day in UTC.",
                "schema": {"type": "string", "examples": ["2026-06-30", "2026-06-30T12:00:00Z"]},
            },
        ]
    },
)
async def read_golden_record(request: Request) -> Response:
    """Read a golden record: the survivor of an id that was merged, status retired for one that was emptied."""
    opened, caller, golden_id = opened_by(request), caller_of(request), request.path_params["golden_id"]
    if request.scope["query_string"] and "as_of" in request.query_params:
        as_of = read_as_of(request.query_params["as_of"])
        return json_response(await run_in_threadpool(_golden_then, opened, caller, GoldenId(golden_id), as_of))
    golden = await opened.ask(lambda connection: golden_now(connection, golden_id))
    if golden is None or not caller.principal.may("read", entity_type=golden.entity_type):
        raise GoldenRecordUnknown(golden_id)
    told: dict[str, Any] = {
        "id": golden.id,
        "entity_type": golden.entity_type,
        "status": golden.status,
        "version": golden.version,
        "values": orjson.Fragment(golden.values_json),
        "completeness": golden.completeness,
        "recorded_at": golden.recorded_at,
        "forwarded_from": golden_id if golden_id != golden.id else None,
        "as_of": None,
    }
    response = json_response(told)
    response.headers["etag"] = write_etag(golden.id, golden.version)
    return response


@router.get("/v1/golden-records/{golden_id}/history", operation_id="read_history", response_model_exclude_none=True)
def read_history(
    golden_id: str, hub: TheHub, asker: Asker, after: After = None, limit: Limit = PAGE_SIZE
) -> Page[GoldenVersionTold]:
    """List the versions of exactly this id, newest first; a merge shows as its last version, forwarded."""
    of = f"history?golden_id={golden_id}"
    position = read_cursor(after, of=of)
    with reading(hub.engine) as connection:
        _visible(golden_record(connection, GoldenId(golden_id)), golden_id, asker)
        before = int(position[0]) if position else None
        versions = golden_history(connection, GoldenId(golden_id), before=before, limit=limit + 1)
        causes = causes_of(connection, {version.event_id for version in versions})
    told = [_version_told(one, causes[EventId(one.event_id)]) for one in versions]
    return page(told, limit, of, lambda last: (last.version,))


@router.get("/v1/golden-records/{golden_id}/lineage", operation_id="read_lineage", response_model_exclude_none=True)
def read_lineage(golden_id: str, hub: TheHub, asker: Asker) -> LineageTold:
    """Tell where every golden value comes from, by which rule it won, and which values lost."""
    with reading(hub.engine) as connection:
        golden = resolve_golden(connection, GoldenId(golden_id))
        _visible(golden, golden_id, asker)
        return _lineage_told(connection, hub.entity_type(golden.entity_type), golden.id)


def _golden_then(opened: Opened, caller: Caller, golden_id: GoldenId, as_of: datetime) -> dict[str, Any]:
    """Read a golden record as of a settled instant, following the forward of that time."""
    with reading(opened.hub.engine) as connection:
        version = golden_version(connection, golden_id, as_of=as_of)
        if version is not None and version.forward_to is not None:
            version = golden_version(connection, version.forward_to, as_of=as_of)
    if version is None or not caller.principal.may("read", entity_type=version.entity_type):
        raise GoldenRecordUnknown(golden_id, remedy=f"at {as_of.isoformat()} the hub had not given out this id")
    return {
        "id": version.golden_id,
        "entity_type": version.entity_type,
        "status": version.state,
        "version": version.version,
        "values": version.values,
        "completeness": version.completeness,
        "recorded_at": version.recorded_from,
        "forwarded_from": golden_id if golden_id != version.golden_id else None,
        "as_of": as_of,
    }


def _visible(golden: GoldenRecord, asked_id: str, asker: Caller) -> None:
    """Refuse a golden record beyond the key's scope as if it had never been."""
    if not asker.principal.may("read", entity_type=golden.entity_type):
        raise GoldenRecordUnknown(asked_id)


def _golden_told(version: GoldenVersion) -> GoldenRecordTold:
    return GoldenRecordTold(
        id=version.golden_id,
        entity_type=version.entity_type,
        status=version.state,
        version=version.version,
        values=dict(version.values),
        completeness=version.completeness,
        recorded_at=version.recorded_from,
    )


def _version_told(version: GoldenVersion, cause: EventBrief) -> GoldenVersionTold:
    return GoldenVersionTold(
        version=version.version,
        status=version.state,
        forwarded_to=version.forward_to,
        values=dict(version.values),
        event_id=version.event_id,
        cause=cause.kind,
        reason=cause.reason,
        root_id=cause.root_id,
        undoes_id=cause.undoes_id,
        recorded_from=version.recorded_from,
        recorded_to=version.recorded_to,
        who=version.who,
    )


def _lineage_told(connection: Connection, entity_type: EntityType, golden_id: GoldenId) -> LineageTold:
    version = golden_version(connection, golden_id)
    assert version is not None, "a golden record that exists has a version"
    losing = losing_values(connection, entity_type, golden_id, at=clock.now())
    attributes = {
        name: LineageOfAttributeTold(
            value=version.values.get(name),
            origin=dict(origin),
            losing=[
                LosingValueTold(value=one.value, record_key=one.record_key, why=one.why) for one in losing.get(name, ())
            ],
        )
        for name, origin in version.lineage.items()
    }
    return LineageTold(id=golden_id, entity_type=entity_type.name, version=version.version, attributes=attributes)
