"""Operations on one golden record: each is chosen, shown as it would be, and then done; or taken back in the same way.

A dry run is the act itself, rolled back. The form carries the versions that the preview saw, so that an act on what has
moved since is refused, with the new preview beside the refusal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response

from api.console.page import PageRoute
from api.console.render import page, redirect
from api.console.routes.record import require_read
from api.console.views import record as view
from api.console.views.record_operations import OFFERS, PARTS, Choices, Offer, goes_on_at, lanes_of, taking_back
from api.console.visit import TheVisit, Visit
from api.errors import HttpRefusal, status_of
from mdm import clock
from mdm.access.limits import Limits
from mdm.db.transaction import reading, snapshot
from mdm.errors import HubError, PlanOutdated
from mdm.identity.model import GoldenRecord
from mdm.identity.service import golden_record, identity_event
from mdm.ids import EventId, GoldenId
from mdm.stewardship.find import find
from mdm.stewardship.model import By, Operation
from mdm.stewardship.operations import perform, preview
from mdm.stewardship.record import name_all, see_record
from mdm.stewardship.record_effects import see_effect
from mdm.stewardship.record_model import EffectSeen, RecordSeen

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

HITS_MAX: Final = 12  # chosen: a choice that is seen at a glance; more words find fewer
_REASON_MAX: Final = 2_000
_LOOKING: Final = "looked at only"  # the reason of a dry run, which is taken back

Text = Annotated[str, Query(max_length=600)]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why something cannot be done, with the proof where there is one."""

    message: str
    remedy: str
    chain: tuple[str, ...]
    is_outdated: bool
    status: int = 409


_UNCHOSEN: Final = Refused("something is not chosen yet", "choose it on the left", (), is_outdated=False, status=422)


@router.get("/records/{golden_id}/do/{act}")
def choose(visit: TheVisit, golden_id: str, act: str, request: Request) -> Response:
    """Show what can be chosen for an operation, and what would happen by what is chosen already."""
    golden = _golden(visit, golden_id)
    return _show(visit, golden, _offer(act), _chosen(_from_address(request)))


@router.post("/records/{golden_id}/do/{act}")
def act(visit: TheVisit, golden_id: str, act: str) -> Response:
    """Do it, if nothing that the preview saw has moved since."""
    golden = _golden(visit, golden_id)
    offer, chosen = _offer(act), _chosen(visit.form.fields)
    operation = offer.make(golden.id, chosen)
    if operation is None:
        return _show(visit, golden, offer, chosen, refused=_UNCHOSEN)
    try:
        effect = perform(visit.hub, operation, By(visit.who, _reason(visit), _expected(visit)))
    except HubError as error:
        return _show(visit, golden, offer, chosen, refused=refusal(error))
    return redirect(visit, f"/records/{quote(goes_on_at(golden.id, effect))}?done={quote(effect.event_id)}")


@router.get("/records/{golden_id}/undo/{event_id}")
def look_back(visit: TheVisit, golden_id: str, event_id: str, how: Text = "undo", returning: Text = "") -> Response:
    """Show what taking an event back would do."""
    golden = _golden_of_event(visit, golden_id, event_id)
    return _show_back(visit, golden, event_id, how, returning)


@router.post("/records/{golden_id}/undo/{event_id}")
def take_back(visit: TheVisit, golden_id: str, event_id: str) -> Response:
    """Take an event back: an operation undone, a merge unmerged."""
    golden = _golden_of_event(visit, golden_id, event_id)
    how, returning = visit.form.one("how", "undo"), visit.form.one("returning")
    _, operation = taking_back(how, EventId(event_id), returning)
    try:
        effect = perform(visit.hub, operation, By(visit.who, _reason(visit), _expected(visit)))
    except HubError as error:
        return _show_back(visit, golden, event_id, how, returning, refused=refusal(error))
    return redirect(visit, f"/records/{quote(goes_on_at(golden.id, effect))}?done={quote(effect.event_id)}")


def refusal(error: HubError) -> Refused:
    """Tell why something cannot be done."""
    return Refused(
        error.message,
        error.remedy or "",
        tuple(getattr(error, "chain", ())),
        isinstance(error, PlanOutdated),
        status_of(type(error)),
    )


def search(visit: Visit, question: str, entity_type: str, *, without: GoldenId) -> list[Any]:
    """Find golden records of an entity type to choose from."""
    if not question.strip():
        return []
    limits = Limits.of(visit.person.principal, "read", visit.hub.declared)
    found = find(visit.hub, question, limits=limits, entity_type=entity_type, limit=HITS_MAX + 1)
    return [hit for hit in found.hits if hit.golden_id != without and hit.state == "active"][:HITS_MAX]


def _golden(visit: Visit, golden_id: str) -> GoldenRecord:
    with reading(visit.hub.engine) as connection:
        golden = golden_record(connection, GoldenId(golden_id))
    require_read(visit, golden)
    visit.require("steward", entity_type=golden.entity_type)
    return golden


def _golden_of_event(visit: Visit, golden_id: str, event_id: str) -> GoldenRecord:
    golden = _golden(visit, golden_id)
    with reading(visit.hub.engine) as connection:
        entity_type = identity_event(connection, EventId(event_id)).plan.entity_type
    visit.require("steward", entity_type=entity_type)
    return golden


def _offer(name: str) -> Offer:
    if name not in OFFERS:
        raise HttpRefusal(404, "route_unknown", f"there is no operation {name[:40]}", remedy="go back to the record")
    return OFFERS[name]


def _from_address(request: Request) -> Mapping[str, list[str]]:
    return {name: request.query_params.getlist(name) for name in request.query_params}


def _chosen(fields: Mapping[str, Any]) -> Choices:
    """Read what was chosen; each part stands in a field named after its record."""
    one = {name: str(values[0]) if values else "" for name, values in fields.items()}
    parts = {
        name.removeprefix("part:"): part for name, part in one.items() if name.startswith("part:") and part in PARTS
    }
    return Choices(one.get("with", "").strip(), one.get("survivor", ""), one.get("key", ""), parts, one.get("q", ""))


def _reason(visit: Visit) -> str:
    return visit.form.one("reason")[:_REASON_MAX]


def _expected(visit: Visit) -> dict[GoldenId, int]:
    """Read the versions that the preview saw."""
    seen = visit.form.starting("version:").items()
    return {GoldenId(id_): int(number) for id_, number in seen if number.isdecimal() and len(number) < 10}


def _show(
    visit: Visit,
    golden: GoldenRecord,
    offer: Offer,
    chosen: Choices,
    *,
    refused: Refused | None = None,
) -> Response:
    operation = offer.make(golden.id, chosen)
    seen, effect, why_not = _rehearsed(visit, golden, operation)
    keys = [member.source_key for member in seen.members]
    needs_other = "other" in offer.needs
    with reading(visit.hub.engine) as connection:
        other = name_all(visit.hub, connection, [chosen.other]).get(GoldenId(chosen.other)) if chosen.other else None
    return page(
        visit,
        "record_operation.html",
        status=refused.status if refused else 200,
        seen=seen,
        golden=golden,
        offer=offer,
        chosen=chosen,
        other=other,
        hits=search(visit, chosen.question, golden.entity_type, without=golden.id) if needs_other else [],
        lanes=lanes_of(keys, chosen.parts) if "parts" in offer.needs else {},
        members={member.source_key: member for member in seen.members},
        action=f"/records/{quote(golden.id)}/do/{offer.name}",
        hidden=_hidden(chosen),
        keep=urlencode({"key": chosen.key}) if chosen.key else "",
        effect=effect,
        refused=refused or why_not,
        now=clock.now(),
        event=None,
        typed_reason=visit.form.one("reason"),
        systems=view.systems_of(seen.members),
    )


def _show_back(
    visit: Visit, golden: GoldenRecord, event_id: str, how: str, returning: str, *, refused: Refused | None = None
) -> Response:
    offer, operation = taking_back(how, EventId(event_id), returning)
    seen, effect, why_not = _rehearsed(visit, golden, operation)
    with reading(visit.hub.engine) as connection:
        event = identity_event(connection, EventId(event_id))
    return page(
        visit,
        "record_operation.html",
        status=refused.status if refused else 200,
        seen=seen,
        golden=golden,
        offer=offer,
        chosen=Choices(),
        other=None,
        hits=[],
        lanes={},
        members={},
        action=f"/records/{quote(golden.id)}/undo/{quote(event_id)}",
        hidden={"how": how, "returning": returning},
        keep="",
        effect=effect,
        refused=refused or why_not,
        now=clock.now(),
        event=event,
        typed_reason=visit.form.one("reason"),
        systems=(),
    )


def _rehearsed(
    visit: Visit, golden: GoldenRecord, operation: Operation | None
) -> tuple[RecordSeen, EffectSeen | None, Refused | None]:
    """Look at the record, and at what the operation would do to it, or why it cannot be done."""
    with snapshot(visit.hub.engine) as connection:
        seen = see_record(visit.hub, connection, golden.id)
    if operation is None:
        return seen, None, None
    try:
        effect = preview(visit.hub, operation, By(visit.who, _LOOKING))
    except HubError as error:
        return seen, None, refusal(error)
    with reading(visit.hub.engine) as connection:
        return seen, see_effect(visit.hub, connection, effect), None


def _hidden(chosen: Choices) -> dict[str, str]:
    fields = {"with": chosen.other, "survivor": chosen.survivor, "key": chosen.key}
    return {name: value for name, value in fields.items() if value} | {
        f"part:{key}": part for key, part in chosen.parts.items()
    }
