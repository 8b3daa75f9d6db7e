"""Deliveries that wait to be mended: by reason, one by one, and in groups."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.console.page import PageRoute
from api.console.render import page, redirect, words_of
from api.console.views import mending as shown
from api.console.views.systems import system_shown, titles_of
from api.console.visit import TheVisit, Visit
from api.errors import HttpRefusal
from mdm import clock
from mdm.access.limits import Limits
from mdm.activation.service import mendable_types
from mdm.db.transaction import reading
from mdm.errors import InputInvalid
from mdm.ids import ExceptionId
from mdm.jobs import mending
from mdm.jobs.mending import ExceptionCard, Tried, Worked
from mdm.sources import exceptions
from mdm.sources.exceptions_model import ExceptionFilter, ExceptionKind, ExceptionState
from mdm.sources.model import SourceKey
from mdm.sources.service import instances

PAGE_LENGTH: Final = 50
PIECE: Final = 20  # chosen: of a group in one request; a second of work, so that progress is seen

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)


class Wanted(BaseModel):
    """The filter in the address of the list; what is empty lets everything through."""

    entity_type: str = Field("", max_length=200)
    source: str = Field("", max_length=200)
    kind: Literal["", "rejected", "warning"] = ""
    code: str = Field("", max_length=200)
    field: str = Field("", max_length=200)
    state: ExceptionState = "open"
    after: str = Field("", max_length=200)


@router.get("/exceptions")
def overview(visit: TheVisit, wanted: Annotated[Wanted, Query()]) -> Response:
    """List exceptions, and while they are open the reasons they have in common."""
    hub, words, limits = visit.hub, words_of(visit), _limits(visit)
    asked = ExceptionFilter(
        state=wanted.state,
        kind=wanted.kind or None,
        source=wanted.source or None,
        entity_type=wanted.entity_type or None,
        code=wanted.code or None,
        field=wanted.field or None,
        limits=limits,
    )
    with reading(hub.engine) as connection:
        titles = titles_of(each for each in instances(connection) if limits is None or limits.reaches(each.id))
        groups = exceptions.grouped(connection, asked)
        found = exceptions.listed_by(connection, asked, after=wanted.after, limit=PAGE_LENGTH + 1)
        count = exceptions.count_by(connection, asked)
    return page(
        visit,
        "exceptions.html",
        asked=asked,
        groups=[shown.group_shown(each, mendable_types(hub), titles, words) for each in groups],
        lines=[shown.line_shown(each, titles, words) for each in found[:PAGE_LENGTH]],
        count=count,
        following=shown.address_of(asked, after=found[PAGE_LENGTH - 1].id) if len(found) > PAGE_LENGTH else "",
        is_first=not wanted.after,
        titles=titles,
        types=[name for name in mendable_types(hub) if limits is None or name in limits.entity_types],
        address=shown.address_of,
        names=shown.NAMES,
        now=clock.now(),
    )


@router.get("/exceptions/{exception_id}")
def one(visit: TheVisit, exception_id: str) -> Response:
    """Show one exception with the fields at fault, to be mended in place."""
    card = mending.exception_card(visit.hub, ExceptionId(exception_id), limits=_limits(visit))
    return _page(visit, card, card)


@router.post("/exceptions/{exception_id}/try")
def try_it(visit: TheVisit, exception_id: str) -> Response:
    """Say what delivering again would do, without writing anything."""
    card = mending.exception_card(visit.hub, ExceptionId(exception_id), limits=_limits(visit))
    try:
        changes = shown.changes_of(card.exception, visit.form.starting(shown.PREFIX))
        tried = mending.try_mend(visit.hub, card.exception.id, changes, who=visit.who, limits=_limits(visit))
    except InputInvalid as error:
        return _page(visit, card, card, refused=f"{error.message}. {error.remedy or ''}")
    return _page(visit, card, tried.card, tried=tried)


@router.post("/exceptions/{exception_id}/deliver")
def deliver_again(visit: TheVisit, exception_id: str) -> Response:
    """Put the mended fields in place and send the delivery along the path; refused again, it says why."""
    card = mending.exception_card(visit.hub, ExceptionId(exception_id), limits=_limits(visit))
    try:
        changes = shown.changes_of(card.exception, visit.form.starting(shown.PREFIX))
        outcome = mending.mend_and_replay(visit.hub, card.exception.id, changes, who=visit.who, limits=_limits(visit))
    except InputInvalid as error:
        return _page(visit, card, card, refused=f"{error.message}. {error.remedy or ''}")
    after = mending.exception_card(visit.hub, card.exception.id, limits=_limits(visit))
    if after.exception.state == "open":
        return _page(visit, after, after, tried=Tried(outcome, after))
    return redirect(visit, f"/exceptions/{card.exception.id}")


@router.post("/exceptions/{exception_id}/dismiss")
def dismiss(visit: TheVisit, exception_id: str) -> Response:
    """Close an exception without taking the delivery; the reason stays with it."""
    mending.dismiss(visit.hub, ExceptionId(exception_id), who=visit.who, note=_reason(visit), limits=_limits(visit))
    return redirect(visit, f"/exceptions/{exception_id}")


@router.post("/exceptions:group")
def work_off(visit: TheVisit) -> Response:
    """Work off a piece of a group; the part that is answered asks for the next piece by itself."""
    form = visit.form
    action = form.one("action")
    asked = ExceptionFilter(
        kind=_kind(form.one("kind")),
        source=form.one("source") or None,
        entity_type=form.one("entity_type") or None,
        code=form.one("code") or None,
        field=form.one("field") or None,
        after=ExceptionId(form.one("after")) if form.one("after") else None,
        limits=_limits(visit),
    )
    if action == "deliver":
        worked = mending.replay_group(visit.hub, asked, who=visit.who, limit=PIECE)
    elif action == "dismiss":
        worked = mending.dismiss_group(visit.hub, asked, who=visit.who, note=_reason(visit), limit=PIECE)
    else:
        raise HttpRefusal(422, "request_invalid", "a group is delivered again or dismissed", remedy="choose one")
    counts = {fate: _number(form.one(fate)) + worked.fates.get(fate, 0) for fate in _FATES}
    done = sum(counts.values())
    return page(
        visit,
        "exception_group.html",
        asked=asked,
        names=shown.NAMES,
        action=action,
        note=form.one("note"),
        counts=counts,
        done=done,
        total=max(_number(form.one("total")), done + worked.left),
        worked=worked,
        is_going_on=_goes_on(worked),
        address=shown.address_of(asked),
    )


_FATES: Final = ("taken", "rejected", "dismissed", "closed", "failed")


def _goes_on(worked: Worked) -> bool:
    return worked.left > 0 and worked.last_id is not None


def _page(
    visit: Visit, card: ExceptionCard, seen: ExceptionCard, *, tried: Tried | None = None, refused: str = ""
) -> Response:
    """Show an exception; `seen` has the values and faults of a try, `card` what is stored."""
    hub, words, limits = visit.hub, words_of(visit), _limits(visit)
    found = card.exception
    key = SourceKey.parse(found.source_key)
    first = found.reasons[0] if found.reasons else None
    alike = ExceptionFilter(code=first.code if first else None, field=first.field if first else None, limits=limits)
    with reading(hub.engine) as connection:
        titles = titles_of(instances(connection))
        following = exceptions.listed_by(connection, alike, after=found.id, limit=1)
    fields = shown.fields_of(seen)
    return page(
        visit,
        "exception_mend.html" if visit.is_part else "exception.html",
        status=422 if refused else 200,
        exception=found,
        key=key,
        system=system_shown(key.instance, titles),
        kind=words.word("entity", found.entity_type),
        fields=fields,
        faulty=sum(bool(each.faults) for each in fields),
        loose=seen.faults,
        tried=tried,
        refused=refused,
        following=following[0] if following else None,
        now=clock.now(),
    )


def _limits(visit: Visit) -> Limits | None:
    """Give what the steward may see; None for whoever may see all, also what is not declared any more."""
    return None if visit.may("steward") else Limits.of(visit.person.principal, "steward", visit.hub.declared)


def _kind(given: str) -> ExceptionKind | None:
    return "rejected" if given == "rejected" else "warning" if given == "warning" else None


def _reason(visit: Visit) -> str:
    note = visit.form.one("note").strip()
    if not note:
        raise HttpRefusal(422, "request_invalid", "a dismissal needs a reason", remedy="say it in a few words")
    return note


def _number(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 8 else 0
