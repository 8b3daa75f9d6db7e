"""Routes of what sources do to their own records, and of the life of a key."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.dependencies import Asker, TheHub, Unsafe
from api.pagination import PAGE_SIZE, After, Limit, page, read_cursor
from api.route import HubRoute
from api.schemas.shape import Fault, Page, SourceId
from api.schemas.source_events import (
    LifeTold,
    MomentTold,
    NotedAllTold,
    NotedTold,
    PrintedKey,
    SourceEventAsked,
    SourceEventsAsked,
    SourceEventTold,
)
from mdm.db.transaction import reading
from mdm.errors import InputInvalid
from mdm.ids import SourceEventId
from mdm.jobs.source_events import report, revoke
from mdm.source_events.life import life_of
from mdm.source_events.model import INSTANCE_WIDE, Noted, SourceEvent, SourceFact
from mdm.source_events.service import list_events
from mdm.sources.model import SourceKey

router = APIRouter(route_class=HubRoute, tags=["Source records"])

Key = Annotated[PrintedKey, Query(description="Source key as printed.", examples=["netsuite-us/customer:10482"])]


@router.post("/v1/source-events", operation_id="report_source_events", response_model=NotedAllTold)
def report_source_events(asked: SourceEventsAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Tell what sources did to their own records: merged, re-keyed, deleted, lost, vanished, retired, migrated.

    Telling the same again changes nothing, and it does not matter whether an event or its records come first.
    """
    facts = [_fact(number, event) for number, event in enumerate(asked.events)]
    for fact in facts:
        for source in dict.fromkeys([fact.instance, fact.other.instance if fact.other else fact.instance]):
            asker.require("write", entity_type=fact.entity_type, source=source)
    return once.around(lambda bracket: report(hub, facts, who=asker.name, bracket=bracket), _told_all)


@router.get("/v1/source-events", operation_id="list_source_events", response_model_exclude_none=True)
def read_source_events(
    hub: TheHub,
    asker: Asker,
    source: Annotated[SourceId | None, Query(description="Source instance; all when left out.")] = None,
    key: Annotated[PrintedKey | None, Query(description="Source key as printed, on either side.")] = None,
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[SourceEventTold]:
    """List what sources did to their own records, in the order the hub heard of it."""
    asker.require("read", source=source)
    of = f"source-events?source={source}&key={key}"
    position = read_cursor(after, of=of)
    with reading(hub.engine) as connection:
        found = list_events(
            connection,
            instance=source,
            source_key=key,
            after=str(position[0]) if position else "",
            limit=limit + 1,
        )
    return page([_told(one) for one in found], limit, of, lambda last: (last.id,))


@router.post("/v1/source-events/{event_id}:revoke", operation_id="revoke_source_event", response_model=SourceEventTold)
def revoke_source_event(event_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Take an event back that was told by mistake; what only followed from it is undone."""
    asker.require("steward")
    return once.around(lambda bracket: revoke(hub, SourceEventId(event_id), who=asker.name, bracket=bracket), _told)


@router.get("/v1/source-records/life", operation_id="read_life_of_key", response_model_exclude_none=True)
def read_life_of_key(key: Key, hub: TheHub, asker: Asker) -> LifeTold:
    """Tell the whole life of a source key, oldest first: deliveries, events, golden ids, decisions."""
    source_key = SourceKey.parse(key)
    asker.require("read", source=source_key.instance)
    with reading(hub.engine) as connection:
        moments = life_of(connection, source_key)
    return LifeTold(
        key=key,
        moments=[MomentTold(at=one.at, kind=one.kind, told=one.told, who=one.who, facts=one.facts) for one in moments],
    )


def _fact(number: int, asked: SourceEventAsked) -> SourceFact:
    if (asked.kind in INSTANCE_WIDE) is (asked.source is None) or (asked.source is None) is (asked.key is None):
        raise InputInvalid(
            f"event {number}: {asked.kind} names {'a source' if asked.kind in INSTANCE_WIDE else 'a key'} and no other",
            remedy="name a source for what happened to a whole instance, a key for all else",
            field=f"/events/{number}",
        )
    key = None if asked.key is None else SourceKey.parse(asked.key)
    other = None if asked.other_key is None else SourceKey.parse(asked.other_key)
    instance = asked.source or (key.instance if key else "")
    return SourceFact(asked.kind, instance, key, other, asked.entity_type, asked.happened_at, asked.reason)


def _told_all(noted: Sequence[Noted]) -> NotedAllTold:
    return NotedAllTold(
        results=[
            NotedTold(
                status=one.status,
                id=one.id,
                golden_id=one.golden_id,
                errors=[Fault.of(reason) for reason in one.reasons],
            )
            for one in noted
        ]
    )


def _told(event: SourceEvent) -> SourceEventTold:
    return SourceEventTold(
        id=event.id,
        kind=event.kind,
        source=event.instance,
        entity_type=event.entity_type,
        key=event.source_key,
        other_key=event.other_key,
        happened_at=event.happened_at,
        reason=event.details.get("reason"),
        recorded_at=event.recorded_at,
        who=event.who,
        event_id=event.event_id,
        is_waiting=event.is_waiting,
        ended_at=event.ended_at,
        ended_because=event.ended_because,
    )
