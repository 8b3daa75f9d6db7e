"""The pages of targets: how each stands, what waits and why, and what people do about it.

A target is seen by whoever may see every entity type that it is told of; to others it is unknown.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Connection

from api.console.page import PageRoute
from api.console.render import page, redirect, words_of
from api.console.views import targets as view
from api.console.visit import TheVisit, Visit
from api.errors import HttpRefusal
from api.instant import read_instant
from mdm import clock
from mdm.db.transaction import reading, run
from mdm.delivery import orders
from mdm.delivery.orders_model import Asked, LaneFilter, OrderKind, Past, SkipFilter, TargetLine
from mdm.delivery.overview import day_of, holding_of
from mdm.delivery.targets import let_stand
from mdm.errors import InputInvalid, TargetUnknown
from mdm.ids import GoldenId
from mdm.reconciliation import backfills
from mdm.reconciliation import service as reports
from mdm.stewardship.record import name_all
from mdm.telemetry import echoes_of

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

LANES_SHOWN: Final = 25
OUTCOMES_SHOWN: Final = 20


class Shown(BaseModel):
    """The filter in the address of a target's page."""

    lanes: Literal["dead", "failing", "waiting", "ready"] | None = None
    after: str = Field("", max_length=100)
    before: str = Field("", max_length=100)
    done: str = Field("", max_length=40)


class Wanted(BaseModel):
    """What an order shall reach; `what` chooses between the parked ones, one golden record, and a range."""

    kind: OrderKind
    what: Literal["dead", "failing", "waiting", "record", "range"] = "dead"
    golden_id: str = Field("", max_length=100)
    since: str = Field("", max_length=50)
    until: str = Field("", max_length=50)


@router.get("/targets")
def overview(visit: TheVisit) -> Response:
    """List targets: how each does, what waits, and how the last day went."""
    words, now = words_of(visit), clock.now()
    with reading(visit.hub.engine) as connection:
        lines = [line for line in visit.opened.targets.lines(connection) if _may(visit, "read", line)]
        days = day_of(connection, [line.id for line in lines], now=now)
    return page(
        visit,
        "targets.html",
        lines=[(line, view.health_of(line, now), view.picture_of(line.title, days[line.id], words)) for line in lines],
        now=now,
        **_words(),
    )


@router.get("/targets/{target_id}")
def one(visit: TheVisit, target_id: str, shown: Annotated[Shown, Query()]) -> Response:
    """Show one target."""
    return _page(visit, target_id, shown)


@router.post("/targets/{target_id}/stand")
def stand(visit: TheVisit, target_id: str) -> Response:
    """Let a target pause, drain or go on, for a reason."""
    act = view.ACTS.get(visit.form.one("act"))
    if act is None:
        raise HttpRefusal(422, "request_invalid", "a target is paused, drained or resumed", remedy="choose one")

    def work(connection: Connection) -> None:
        _require(visit, "lead", _visible(visit, connection, target_id))
        let_stand(connection, target_id, act.state, reason=visit.form.one("reason"), who=visit.who)

    try:
        run(visit.hub.engine, work)
    except InputInvalid as error:
        return _page(visit, target_id, Shown(), refused=f"{error.message}. {error.remedy or ''}")
    return redirect(visit, f"/targets/{target_id}")


@router.post("/targets/{target_id}/cancel-backfill")
def cancel_backfill(visit: TheVisit, target_id: str) -> Response:
    """Cancel the backfill that waits for a worker or is read."""

    def work(connection: Connection) -> None:
        _require(visit, "lead", _visible(visit, connection, target_id))
        backfills.cancel(connection, target_id, who=visit.who)

    run(visit.hub.engine, work)
    return redirect(visit, f"/targets/{target_id}")


@router.get("/targets/{target_id}/order")
def preview(visit: TheVisit, target_id: str, wanted: Annotated[Wanted, Query()]) -> Response:
    """Say how many golden records an order reaches, and ask for its reason."""
    return _order_page(visit, target_id, wanted)


@router.post("/targets/{target_id}/order")
def order(visit: TheVisit, target_id: str) -> Response:
    """Give an order: tell again, or leave out."""
    form = visit.form
    try:
        wanted = Wanted.model_validate({name: form.one(name) for name in Wanted.model_fields if form.one(name)})
    except ValidationError as error:
        raise HttpRefusal(422, "request_invalid", "this is no order of this page", remedy="load it again") from error
    act = orders.replay if wanted.kind == "replay" else orders.skip

    def work(connection: Connection) -> int:
        _require(visit, "steward", _visible(visit, connection, target_id))
        return act(connection, target_id, _asked(wanted), reason=form.one("reason"), who=visit.who).lanes

    try:
        done = run(visit.hub.engine, work)
    except InputInvalid as error:
        return _order_page(visit, target_id, wanted, refused=f"{error.message}. {error.remedy or ''}")
    return redirect(visit, f"/targets/{target_id}?done={wanted.kind}-{done}")


def _page(visit: Visit, target_id: str, shown: Shown, *, refused: str = "", status: int = 200) -> Response:
    words, now = words_of(visit), clock.now()
    with reading(visit.hub.engine) as connection:
        line = _visible(visit, connection, target_id)
        state: LaneFilter = shown.lanes or _worst(line)
        seen = (target_id, shown.after) if shown.after else ("", "")
        lanes = orders.lane_lines(connection, [target_id], state=state, after=seen, limit=LANES_SHOWN + 1)
        past = Past(before=_before(shown.before))
        outcomes = orders.outcome_lines(connection, [target_id], past, limit=OUTCOMES_SHOWN + 1)
        days = day_of(connection, [target_id], now=now)
        holding = holding_of(connection, target_id) if line.kind == "records" else None
        report = reports.newest(connection, target_id, "drift") if line.kind == "records" else None
        drift = view.drift_of(report) if report is not None else None
        backfill = backfills.newest(connection, target_id) if line.kind == "records" else None
        named = {lane.golden_id for lane in lanes} | {outcome.golden_id for outcome in outcomes}
        named |= {
            one["golden_id"] for row in (drift.rows if drift else ()) for one in row.examples if "golden_id" in one
        }
        names = name_all(visit.hub, connection, named | {lane.waits_for for lane in lanes if lane.waits_for})
    last = outcomes[OUTCOMES_SHOWN - 1] if len(outcomes) > OUTCOMES_SHOWN else None
    return page(
        visit,
        "target.html",
        status=422 if refused else status,
        line=line,
        health=view.health_of(line, now),
        picture=view.picture_of(line.title, days[target_id], words),
        state=state,
        lanes=lanes[:LANES_SHOWN],
        more_lanes=lanes[LANES_SHOWN - 1].golden_id if len(lanes) > LANES_SHOWN else "",
        outcomes=outcomes[:OUTCOMES_SHOWN],
        older=f"{last.recorded_at.isoformat()}~{last.id}" if last is not None else "",
        is_first=not shown.before,
        holding=holding,
        drift=drift,
        backfill=backfill,
        echoes=echoes_of(target_id) if line.kind == "records" else None,
        names=names,
        done=_done(shown.done),
        acts=view.acts_of(line) if _may(visit, "lead", line) else (),
        may_lead=_may(visit, "lead", line),
        may_order=_may(visit, "steward", line) and line.standing is not None,
        refused=refused,
        now=now,
        **_words(),
    )


def _order_page(visit: Visit, target_id: str, wanted: Wanted, *, refused: str = "") -> Response:
    with reading(visit.hub.engine) as connection:
        line = _visible(visit, connection, target_id)
        _require(visit, "steward", line)
        asked = _asked(wanted)
        count = orders.reach(connection, target_id, wanted.kind, asked)
        names = name_all(visit.hub, connection, [asked.golden_id] if asked.golden_id else [])
    return page(
        visit,
        "target_order_part.html" if visit.is_part else "target_order.html",
        status=422 if refused else 200,
        line=line,
        wanted=wanted,
        count=count,
        words_of_order=view.order_words(wanted.kind),
        name=names[asked.golden_id].name if asked.golden_id in names else asked.golden_id,
        refused=refused,
    )


def _asked(wanted: Wanted) -> Asked:
    """Read what an order means; raises HttpRefusal, InputInvalid."""
    if wanted.what == "record":
        if not wanted.golden_id:
            raise InputInvalid("no record is named", remedy="name its golden id", field="golden_id")
        return Asked(GoldenId(wanted.golden_id))
    if wanted.what == "range":
        if not wanted.since and not wanted.until:
            raise InputInvalid("the range has neither beginning nor end", remedy="name one of the two", field="since")
        return Asked(since=_instant(wanted.since, "since"), until=_instant(wanted.until, "until"))
    if wanted.kind == "replay" and wanted.what != "dead":
        raise InputInvalid("only what was given up or told can be told again", remedy="choose one", field="what")
    state: SkipFilter = wanted.what
    return Asked(state=state)


def _instant(text: str, name: str) -> datetime | None:
    return read_instant(text, name=name) if text else None


def _before(text: str) -> tuple[datetime, int] | None:
    """Read the place of the oldest outcome that was seen; one that is not ours is the beginning."""
    at, _, number = text.partition("~")
    try:
        return (datetime.fromisoformat(at), int(number)) if text else None
    except ValueError:
        return None


def _done(text: str) -> tuple[str, int] | None:
    """Read what an order has just done."""
    kind, _, number = text.partition("-")
    return (kind, int(number)) if kind in {"replay", "skip"} and number.isascii() and number.isdigit() else None


def _worst(line: TargetLine) -> LaneFilter:
    """Choose the lanes that somebody has to look at first."""
    if line.depth.dead:
        return "dead"
    return "failing" if line.depth.failing else "waiting" if line.depth.waiting else "ready"


def _visible(visit: Visit, connection: Connection, target_id: str) -> TargetLine:
    found = orders.target_line(connection, target_id)
    if not _may(visit, "read", found):
        raise TargetUnknown(target_id)
    return found


def _may(visit: Visit, verb: Literal["read", "steward", "lead"], line: TargetLine) -> bool:
    return all(visit.may(verb, entity_type=name) for name in line.entity_types)


def _require(visit: Visit, verb: Literal["steward", "lead"], line: TargetLine) -> None:
    for name in line.entity_types:
        visit.require(verb, entity_type=name)


def _words() -> dict[str, Any]:
    return {
        "AFTER_BACKFILL": view.AFTER_BACKFILL,
        "KINDS": view.KINDS,
        "LANES": view.LANES,
        "FAILURES": view.FAILURES,
        "OUTCOMES": view.OUTCOMES,
        "RECORD_STATES": view.RECORD_STATES,
        "duration": view.duration,
    }
