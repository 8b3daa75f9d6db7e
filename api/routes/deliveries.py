"""Routes of deliveries: what waits for targets, what became of it, and what to do with what is parked."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection

from api.dependencies import Asker, Caller, Once, TheHub, Unsafe, json_answer
from api.pagination import PAGE_SIZE, After, Limit, page, read_cursor
from api.route import HubRoute
from api.routes.targets import DryRun, may_see, visible
from api.schemas.deliveries import DeliveryTold, OrderTold, OutcomeTold, ReplayAsked, SkipAsked
from api.schemas.shape import Instant, Page, SourceId
from mdm.db.transaction import reading
from mdm.delivery import orders
from mdm.delivery.model import OutcomeKind
from mdm.delivery.orders_model import Asked, LaneFilter, OrderKind, Past
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.publishing.file_target import targets

router = APIRouter(route_class=HubRoute, tags=["Deliveries"])

OfTarget = Annotated[SourceId | None, Query(description="Target; all that the key may see when left out.")]
OfGolden = Annotated[str | None, Query(max_length=100, description="Golden id; all when left out.")]
State = Annotated[
    LaneFilter, Query(description="Which ones to list; failing ones are ready and failed at their last attempt.")
]


def _which(state: State = "any", golden_id: OfGolden = None) -> tuple[LaneFilter, GoldenId | None]:
    return state, GoldenId(golden_id) if golden_id else None


@router.get("/v1/deliveries", operation_id="list_deliveries", response_model_exclude_none=True)
def list_deliveries(
    hub: TheHub,
    asker: Asker,
    which: Annotated[tuple[LaneFilter, GoldenId | None], Depends(_which)],
    target: OfTarget = None,
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[DeliveryTold]:
    """List golden records that targets have yet to be told of, by target and golden id."""
    state, golden_id = which
    of = f"deliveries?{target}&{state}&{golden_id}"
    position = read_cursor(after, of=of)
    seen = (str(position[0]), str(position[1])) if position else ("", "")
    with reading(hub.engine) as connection:
        wanted = _targets(connection, target, asker)
        found = orders.lane_lines(connection, wanted, state=state, golden_id=golden_id, after=seen, limit=limit + 1)
    return page([DeliveryTold.of(line) for line in found], limit, of, lambda last: (last.target, last.golden_id))


def _past(
    golden_id: OfGolden = None,
    outcome: Annotated[OutcomeKind | None, Query(description="Only with this outcome.")] = None,
    since: Annotated[Instant | None, Query(description="At this instant or later.")] = None,
    until: Annotated[Instant | None, Query(description="At this instant or earlier.")] = None,
) -> Past:
    return Past(GoldenId(golden_id) if golden_id else None, outcome, since, until)


@router.get("/v1/deliveries/history", operation_id="list_delivery_history", response_model_exclude_none=True)
def list_history(
    hub: TheHub,
    asker: Asker,
    asked: Annotated[Past, Depends(_past)],
    target: OfTarget = None,
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[OutcomeTold]:
    """List what became of messages to targets, newest first."""
    of = f"history?{target}&{asked}"
    position = read_cursor(after, of=of)
    if position:
        before = (datetime.fromisoformat(str(position[0])), int(position[1]))
        asked = Past(asked.golden_id, asked.outcome, asked.since, asked.until, before)
    with reading(hub.engine) as connection:
        found = orders.outcome_lines(connection, _targets(connection, target, asker), asked, limit=limit + 1)
    return page(
        [OutcomeTold.of(line) for line in found], limit, of, lambda last: (last.recorded_at.isoformat(), last.id)
    )


@router.post("/v1/deliveries:replay", operation_id="replay_deliveries", response_model=OrderTold)
def replay(
    asked: ReplayAsked,
    hub: TheHub,
    asker: Asker,
    once: Unsafe,
    dry_run: DryRun = False,  # noqa: FBT002 -- a query parameter
) -> Response:
    """Tell a target again; messages keep their ids. Without golden id and range: all that is dead."""
    what = Asked(GoldenId(asked.golden_id) if asked.golden_id else None, asked.since, asked.until)
    ordering = _Ordering(hub, asker, asked.target, what, asked.reason)
    return ordering.preview("replay") if dry_run else ordering.give("replay", once)


@router.post("/v1/deliveries:skip", operation_id="skip_deliveries", response_model=OrderTold)
def skip(
    asked: SkipAsked,
    hub: TheHub,
    asker: Asker,
    once: Unsafe,
    dry_run: DryRun = False,  # noqa: FBT002 -- a query parameter
) -> Response:
    """Leave out what a target was not told; it hears of these golden records when they change again."""
    what = Asked(GoldenId(asked.golden_id) if asked.golden_id else None, state=asked.state)
    ordering = _Ordering(hub, asker, asked.target, what, asked.reason)
    return ordering.preview("skip") if dry_run else ordering.give("skip", once)


class _Ordering:
    """An order that somebody gives: looked at, or carried out once."""

    def __init__(self, hub: Hub, asker: Caller, target_id: str, what: Asked, reason: str) -> None:
        self._hub = hub
        self._asker = asker
        self._target_id = target_id
        self._what = what
        self._reason = reason

    def preview(self, kind: OrderKind) -> Response:
        with reading(self._hub.engine) as connection:
            self._require(connection)
            count = orders.reach(connection, self._target_id, kind, self._what)
        return json_answer(OrderTold(dry_run=True, target=self._target_id, kind=kind, golden_records=count))

    def give(self, kind: OrderKind, once: Once) -> Response:
        act = orders.replay if kind == "replay" else orders.skip

        def effect(connection: Connection) -> OrderTold:
            self._require(connection)
            order = act(connection, self._target_id, self._what, reason=self._reason, who=self._asker.name)
            return OrderTold(id=order.id, target=order.target_id, kind=kind, golden_records=order.lanes)

        return once(effect)

    def _require(self, connection: Connection) -> None:
        for name in visible(connection, self._target_id, self._asker).entity_types:
            self._asker.require("steward", entity_type=name)


def _targets(connection: Connection, target: str | None, asker: Caller) -> list[str]:
    """Name the targets that are meant, as far as the caller may see them; raises TargetUnknown."""
    if target is not None:
        return [visible(connection, target, asker).id]
    return [one.id for one in targets(connection) if may_see(asker, one.entity_types)]
