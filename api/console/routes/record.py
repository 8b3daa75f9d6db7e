"""The page of one golden record: now or as of an instant, also by a forwarded or retired id, or by any source key."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from api.console.page import PageRoute
from api.console.render import page, redirect
from api.console.views import record as view
from api.console.views.words import words
from api.console.visit import TheVisit, Visit
from api.errors import HttpRefusal
from api.instant import read_as_of
from mdm import clock
from mdm.access.limits import Limits
from mdm.db.transaction import snapshot
from mdm.delivery.overview import knowledge_of
from mdm.delivery.overview_model import Knowledge
from mdm.errors import Forbidden, GoldenRecordUnknown, NotFound, SourceKeyInvalid, SourceRecordUnknown
from mdm.identity.model import GoldenRecord
from mdm.identity.service import golden_record, identity_event, named_golden, resolve_golden
from mdm.ids import EventId, GoldenId
from mdm.sources.model import SourceKey
from mdm.stewardship.graph import Graph, graph_of
from mdm.stewardship.record import see_payload, see_record
from mdm.stewardship.record_history import history_of
from mdm.stewardship.record_kin import all_pointing_at, family_of, pointing_at, related_to
from mdm.stewardship.record_model import RecordSeen
from mdm.stewardship.taking_back import UNDOABLE

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

POINTING_FIRST: Final = 6  # chosen: projects and contracts that are named before anybody asks for more
POINTING_MORE: Final = 25
HISTORY_FIRST: Final = 12  # chosen: events that are told before anybody asks for more
HISTORY_MORE: Final = 50
GRAPH_EDGES_MAX: Final = 400  # chosen: more are neither drawn nor read here; the API tells them all
DONE_FOR: Final = timedelta(minutes=10)  # chosen: so long an undo is offered at once

Text = Annotated[str, Query(max_length=600)]


@router.get("/records/by-key")
def by_key(visit: TheVisit, key: Text) -> Response:
    """Lead from a source key, or any golden id, to the page of what it belongs to."""
    with snapshot(visit.hub.engine) as connection:
        try:
            golden = named_golden(connection, key.strip())
        except SourceRecordUnknown:
            if visit.person.principal.may("read"):
                raise
            raise SourceRecordUnknown(key.strip()) from None  # what became of it is not for everybody
    if not _reaches(visit, golden, key.strip()):
        require_read(visit, golden)
    return redirect(visit, f"/records/{quote(golden.id)}?key={quote(key.strip(), safe='')}")


@router.get("/records/{golden_id}")
def record(
    visit: TheVisit, golden_id: str, version: Text = "", as_of: Text = "", done: Text = "", key: Text = ""
) -> Response:
    """Show a golden record now, at one of its versions, or as of a day."""
    with snapshot(visit.hub.engine) as connection:
        asked = golden_record(connection, GoldenId(golden_id))
        if few := _few_sources(visit, asked):
            return _show_part(visit, connection, asked, few)
        require_read(visit, asked)
        at = _instant(visit, connection, asked, version, as_of)
        context = _context(visit, connection, asked, at)
        context |= {
            "done": _done(visit, connection, done),
            "asked_key": key,
            "own_history": _own_history(visit, connection, asked),
        }
    if visit.is_part:
        return page(visit, "record_then.html", **context)
    return page(visit, "record.html", **context)


@router.get("/records/{golden_id}/payload")
def payload(visit: TheVisit, golden_id: str, key: Text) -> Response:
    """Show what a source delivered of one record last."""
    with snapshot(visit.hub.engine) as connection:
        golden_record(connection, GoldenId(golden_id))
        found = see_payload(connection, SourceKey.parse(key))
    if not visit.may("read", entity_type=found.entity_type, source=SourceKey.parse(key).instance):
        raise Forbidden("your role does not let you see this record", remedy="ask an administrator of the hub")
    declared = visit.hub.declared.get(found.entity_type)
    titles = {name: one.title for name, one in declared.attributes.items()} if declared is not None else {}
    return page(visit, "record_payload.html", payload=found, titles=titles)


@router.get("/records/{golden_id}/pointing/{entity_type}")
def pointing(visit: TheVisit, golden_id: str, entity_type: str, before: Text = "") -> Response:
    """Show more of what points at a golden record: projects, contracts."""
    visit.require("read", entity_type=entity_type)
    declared = visit.hub.entity_type(entity_type)
    with snapshot(visit.hub.engine) as connection:
        golden = resolve_golden(connection, GoldenId(golden_id))
        require_read(visit, golden)
        found = pointing_at(visit.hub, connection, golden.id, declared, before=before, limit=POINTING_MORE)
    if found is None:
        raise HttpRefusal(404, "route_unknown", f"no {entity_type} points at a {golden.entity_type}", remedy="go back")
    return page(visit, "record_pointing_rows.html", pointing=found, golden=golden)


@router.get("/records/{golden_id}/history")
def more_history(visit: TheVisit, golden_id: str, start: Annotated[int, Query(ge=0, le=10_000)] = 0) -> Response:
    """Show earlier events of a golden record."""
    with snapshot(visit.hub.engine) as connection:
        golden = golden_record(connection, GoldenId(golden_id))
        require_read(visit, golden)
        history = history_of(visit.hub, connection, golden.id)
    return page(
        visit,
        "record_history_rows.html",
        golden=golden,
        history=history,
        happened=history.happened[start : start + HISTORY_MORE],
        following=start + HISTORY_MORE if len(history.happened) > start + HISTORY_MORE else 0,
        may_act=may_act(visit, golden) and golden.state == "active",
        now=clock.now(),
    )


def require_read(visit: Visit, golden: GoldenRecord) -> None:
    """Refuse a golden record beyond the limits of the person's role; raises Forbidden."""
    visit.require("read", entity_type=golden.entity_type)


def _few_sources(visit: Visit, golden: GoldenRecord) -> frozenset[str]:
    """Name the sources to which the person's role is limited for this golden record; none where it is not, or all."""
    limits = Limits.of(visit.person.principal, "read", visit.hub.declared)
    return limits.few_sources.get(golden.entity_type, frozenset())


def _reaches(visit: Visit, golden: GoldenRecord, key: str) -> bool:
    """Tell whether a key is one of a source that the person's role reaches, though not the whole golden record."""
    try:
        return SourceKey.parse(key).instance in _few_sources(visit, golden)
    except SourceKeyInvalid:
        return False


def _show_part(visit: Visit, connection: Connection, asked: GoldenRecord, few: frozenset[str]) -> Response:
    """Show the records of a person's own systems: what they make together says what other systems say, too."""
    seen = see_record(visit.hub, connection, asked.id)
    own = [member for member in seen.members if member.source in few]
    if not own:
        require_read(visit, asked)
    return page(
        visit,
        "record_limited.html",
        seen=seen,
        golden=seen.golden,
        systems=view.systems_of(own),
        others=seen.members_count - len(own),
        name=next((member.name for member in own if member.name), ""),
        asked_key="",
        now=clock.now(),
    )


def may_act(visit: Visit, golden: GoldenRecord) -> bool:
    """Tell whether the person may change golden records of this type."""
    return visit.may("steward", entity_type=golden.entity_type)


def _instant(visit: Visit, connection: Connection, asked: GoldenRecord, version: str, as_of: str) -> datetime | None:
    """Read which time is asked for, by a version of the id itself or as an instant; None means now."""
    if version.isdecimal() and len(version) < 10 and int(version) < asked.version:
        at = view.instant_of(history_of(visit.hub, connection, asked.id), int(version))
        if at is None:
            raise GoldenRecordUnknown(asked.id, remedy=f"it has no version {int(version)}")
        return at
    if as_of:
        at = read_as_of(as_of)
        return at if at < clock.now() else None
    return None


def _context(visit: Visit, connection: Connection, asked: GoldenRecord, at: datetime | None) -> dict[str, Any]:
    """Gather what the page shows; what is only known of the present is left out of another time."""
    hub, said, now = visit.hub, words(visit.language, visit.text), clock.now()
    seen = see_record(hub, connection, asked.id, as_of=at)
    golden, entity_type = seen.golden, hub.entity_type(seen.entity_type)
    history = history_of(hub, connection, golden.id)
    is_now = at is None
    found = graph_of(connection, hub.declared, golden.id, edges_max=GRAPH_EDGES_MAX) if is_now else None
    family = family_of(hub, connection, golden.id, entity_type) if is_now else ()
    return {
        "seen": seen,
        "golden": golden,
        "now": now,
        "history": history,
        "happened": history.happened[:HISTORY_FIRST],
        "following": HISTORY_FIRST if len(history.happened) > HISTORY_FIRST else 0,
        "steps": view.steps_together(history),
        "systems": view.systems_of(seen.members),
        "filled": [field for field in seen.fields if view.has_something(field)],
        "empty": [field for field in seen.fields if not view.has_something(field)],
        "ring_of": view.completeness_ring(seen),
        "graph": _graph(found, visit, seen),
        "graph_is_whole": found.is_complete if found is not None else True,
        "time": view.draw_time(history, at, now, said),
        "stops": view.stops_of(history, golden.version, said),
        "family": view.draw_family(family, golden.id, lambda by: _by_words(visit, seen, by)) if family else None,
        "related": related_to(hub, connection, golden.id) if is_now else (),
        "known": _known(visit, connection, golden.id) if is_now else (),
        "pointing": _pointing(visit, connection, seen) if is_now else (),
        "may_act": may_act(visit, golden) and is_now and seen.state == "active",
        "may_restore": may_act(visit, golden) and is_now and seen.can_restore,
        "share_of": view.share_of,
    }


def _known(visit: Visit, connection: Connection, golden_id: GoldenId) -> list[Knowledge]:
    """Say which targets were told of it, those aside that the person may not see."""
    found = knowledge_of(connection, golden_id)
    return [known for known, types in found if all(visit.may("read", entity_type=name) for name in types)]


def _graph(found: Graph | None, visit: Visit, seen: RecordSeen) -> view.DrawnGraph | None:
    if found is None or seen.members_count < 2:
        return None
    return view.draw_graph(found, words(visit.language, visit.text))


def _by_words(visit: Visit, seen: RecordSeen, by: str) -> str:
    declared = visit.hub.entity_type(seen.entity_type).attributes.get(by)
    return declared.title if declared is not None else by


def _pointing(visit: Visit, connection: Connection, seen: RecordSeen) -> list[Any]:
    pages = all_pointing_at(visit.hub, connection, seen.golden.id, seen.entity_type, limit=POINTING_FIRST)
    return [each for each in pages if visit.may("read", entity_type=each.entity_type)]


def _own_history(visit: Visit, connection: Connection, asked: GoldenRecord) -> Any:
    """Find what became of an id that another one absorbed: the event that forwarded it."""
    if asked.forward_to is None:
        return None
    history = history_of(visit.hub, connection, asked.id)
    return next((one for one in history.happened if one.state == "forwarded"), None)


def _done(visit: Visit, connection: Connection, event_id: str) -> dict[str, Any] | None:
    """Say what the person has just done, and whether one key takes it back."""
    if not event_id:
        return None
    try:
        event = identity_event(connection, EventId(event_id))
    except NotFound:
        return None
    is_own = event.who == visit.who and clock.now() - event.recorded_at < DONE_FOR
    if not is_own or not visit.may("steward", entity_type=event.plan.entity_type):
        return None
    return {"id": event.id, "kind": event.cause.kind, "can_undo": event.cause.kind in UNDOABLE}
