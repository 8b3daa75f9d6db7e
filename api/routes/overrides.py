"""Routes of overrides: a steward's own values."""

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Response

from api.dependencies import Asker, TheHub, Unsafe, json_response
from api.etag import IfMatch, read_if_match, write_etag
from api.pagination import PAGE_SIZE, After, EntityTypeName, Limit, read_cursor, write_cursor
from api.route import HubRoute
from api.schemas.overrides import (
    OverrideAsked,
    OverrideChangeTold,
    OverridePreviewTold,
    OverrideState,
    OverridesTold,
    OverrideTold,
)
from api.schemas.shape import Fault, Page
from mdm.db.transaction import reading
from mdm.decisions.model import Lasting
from mdm.errors import GoldenRecordUnknown, VersionOutdated
from mdm.identity.service import golden_record, resolve_golden
from mdm.ids import GoldenId
from mdm.stewardship.override_lists import ListedOverride, list_overrides, overrides_of
from mdm.stewardship.overrides import (
    OverrideChange,
    Wish,
    clear_override,
    preview_clearing,
    preview_override,
    set_override,
)

router = APIRouter(route_class=HubRoute, tags=["Overrides"])

DryRun = Annotated[bool, Query(description="Say what would happen, and change nothing.")]


@dataclass(frozen=True, slots=True)
class Meant:
    """The golden record that a caller may change, the version that it expects of it, and in whose name it asks."""

    golden_id: GoldenId
    expected_version: int | None
    who: str


def _meant(golden_id: str, hub: TheHub, asker: Asker, if_match: IfMatch = None) -> Meant:
    with reading(hub.engine) as connection:
        golden = golden_record(connection, GoldenId(golden_id))
        asker.require("steward", entity_type=golden.entity_type)
        survivor = resolve_golden(connection, golden.id)
    expected = read_if_match(if_match)
    if expected is None:
        return Meant(golden.id, None, asker.name)
    if expected[0] != survivor.id:
        found = f"forwarded to {survivor.id}" if golden.forward_to else "another golden record than the tag names"
        raise VersionOutdated(golden.id, expected=expected[1], found=found)
    return Meant(*expected, asker.name)


TheMeant = Annotated[Meant, Depends(_meant)]


@router.put(
    "/v1/golden-records/{golden_id}/overrides/{attribute}",  # noqa: FAST003 -- `Meant` takes the golden id
    operation_id="set_override",
    response_model=OverrideChangeTold,
)
def put_override(
    attribute: str,
    asked: OverrideAsked,
    meant: TheMeant,
    hub: TheHub,
    once: Unsafe,
    dry_run: DryRun = False,  # noqa: FBT002 -- a query parameter
) -> Response:
    """Set a steward's own value on an attribute; one that stands so already is left alone.

    It follows the record whose value it masks, and ends what was overridden there before. Attributes that move
    together, as those of an address, are overridden together.
    """
    wish = Wish(attribute, asked.value, asked.reason, Lasting(asked.term, asked.until))
    if dry_run:
        return _previewed(
            preview_override(hub, meant.golden_id, wish, who=meant.who, expected_version=meant.expected_version)
        )
    return _tagged(
        once.around(
            lambda bracket: set_override(
                hub, meant.golden_id, wish, who=meant.who, expected_version=meant.expected_version, bracket=bracket
            ),
            lambda change: OverrideChangeTold(**_facts(change)),
        )
    )


@router.delete(
    "/v1/golden-records/{golden_id}/overrides/{attribute}",  # noqa: FAST003 -- `Meant` takes the golden id
    operation_id="clear_override",
    response_model=OverrideChangeTold,
)
def delete_override(
    attribute: str,
    meant: TheMeant,
    hub: TheHub,
    once: Unsafe,
    dry_run: DryRun = False,  # noqa: FBT002 -- a query parameter
) -> Response:
    """End every override on an attribute, so that its sources decide again; where there is none, nothing happens."""
    if dry_run:
        return _previewed(
            preview_clearing(hub, meant.golden_id, attribute, who=meant.who, expected_version=meant.expected_version)
        )
    return _tagged(
        once.around(
            lambda bracket: clear_override(
                hub, meant.golden_id, attribute, who=meant.who, expected_version=meant.expected_version, bracket=bracket
            ),
            lambda change: OverrideChangeTold(**_facts(change)),
        )
    )


@router.get(
    "/v1/golden-records/{golden_id}/overrides",
    operation_id="list_overrides_of_golden_record",
    response_model_exclude_none=True,
)
def read_overrides_of(golden_id: str, hub: TheHub, asker: Asker) -> OverridesTold:
    """List the overrides of a golden record and how each fares, those that ended too."""
    with reading(hub.engine) as connection:
        golden = resolve_golden(connection, GoldenId(golden_id))
    if not asker.principal.may("read", entity_type=golden.entity_type):
        raise GoldenRecordUnknown(golden_id)
    return OverridesTold(golden_id=golden.id, rows=[_told(one) for one in overrides_of(hub, golden.id)])


@router.get("/v1/overrides", operation_id="list_overrides", response_model_exclude_none=True)
def read_overrides(
    hub: TheHub,
    asker: Asker,
    state: OverrideState | None = None,
    entity_type: EntityTypeName = None,
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[OverrideTold]:
    """List overrides all over the hub in the order they were made: all that stand, or those of one state.

    `masks_newer` is what a steward works through. A page may hold fewer rows than asked for and yet have a next one.
    """
    visible = asker.principal.entity_types("read")
    if entity_type is not None:
        asker.require("read", entity_type=hub.entity_type(entity_type).name)
        visible = frozenset({entity_type})
    of = f"overrides?state={state}&entity_type={entity_type}"
    position = read_cursor(after, of=of)
    seen = str(position[0]) if position else ""
    found, following = list_overrides(hub, state=state, entity_types=visible, after=seen, limit=limit)
    return Page(rows=[_told(one) for one in found], next=write_cursor([following], of=of) if following else None)


def _previewed(change: OverrideChange) -> Response:
    before, after = dict(change.before or {}), dict(change.after or {})
    told = OverridePreviewTold(**_facts(change), before=before, after=after)
    return json_response(told.model_dump(mode="json"))


def _tagged(response: Response) -> Response:
    """Name the version that stands afterwards, also when the reply is repeated."""
    told = orjson.loads(response.body)
    response.headers["etag"] = write_etag(told["golden_id"], told["version"])
    return response


def _facts(change: OverrideChange) -> dict[str, Any]:
    """Tell what changed without any value: replies are kept for repeats, and values are kept in two places only."""
    return {
        "golden_id": change.golden_id,
        "entity_type": change.entity_type,
        "version": change.version,
        "is_changed": change.is_changed,
        "made": [one.id for one in change.made],
        "ended": list(change.ended),
        "changed": sorted(change.after or ()),
        "warnings": [Fault.of(warning) for warning in change.warnings],
    }


def _told(listed: ListedOverride) -> OverrideTold:
    one = listed.override
    return OverrideTold(
        id=one.id,
        golden_id=one.golden_id,
        entity_type=one.entity_type,
        attribute=one.attribute,
        value=one.value,
        record_key=one.record_key,
        state=listed.state,
        newer_record_keys=list(listed.newer_record_keys) or None,
        term=one.lasting.term,
        until=one.lasting.until,
        reason=one.reason,
        who=one.who,
        recorded_at=one.recorded_at,
        event_id=one.event_id,
        ended_at=one.ended_at,
        ended_by=one.ended_by,
        ended_event_id=one.ended_event_id,
    )
