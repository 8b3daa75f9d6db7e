"""Routes of deals: tell of one that was won, see where it stands, approve, try again, cancel."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from starlette.background import BackgroundTask

from api.dependencies import Asker, Caller, TheHub, Unsafe
from api.pagination import PAGE_SIZE, After, Limit, page, read_cursor
from api.route import HubRoute
from api.schemas.deals import DealAsked, DealTold, DealWholeTold, StepTold, TurnTold
from api.schemas.shape import Fault, Page
from mdm import clock
from mdm.access.model import Verb
from mdm.activation import service
from mdm.activation.model import Deal, DealFilter, Recipe
from mdm.activation.steps import advance
from mdm.activation.words import in_words, steps_shown
from mdm.db.transaction import reading
from mdm.errors import DealUnknown
from mdm.hub import Hub
from mdm.sources.model import SourceKey

router = APIRouter(route_class=HubRoute, tags=["Deals"])

State = Annotated[
    Literal["sold", "activated", "approved", "ready_to_bill", "cancelled"] | None,
    Query(description="Only these; all but the cancelled when left out."),
]


def _filter(
    *,
    state: State = None,
    older_than_hours: Annotated[
        float | None, Query(ge=0, le=1_000_000, description="In their state for at least this long.")
    ] = None,
    held_up: Annotated[
        bool, Query(description="Only those that are incomplete, fail, failed, or wait for what a person has to mend.")
    ] = False,
) -> DealFilter:
    older = None if older_than_hours is None else timedelta(hours=older_than_hours)
    return DealFilter(state, older, held_up)


@router.post("/v1/deals", operation_id="take_up_deal", response_model=DealTold)
def take_up_deal(asked: DealAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Tell of an opportunity that was won. An incomplete deal waits among the exceptions with every reason.

    Telling of it again changes nothing; an incomplete one is looked at anew. Its steps are done by the worker.
    """
    opportunity = SourceKey.parse(asked.source_key)
    asker.require("write", entity_type="contract", source=opportunity.instance)
    recipe = service.recipe_of(hub)
    sold = service.Sold(opportunity, asked.fields)
    return once.around(
        lambda bracket: service.take_up(hub, sold, who=asker.name, bracket=bracket), lambda deal: _told(recipe, deal)
    )


@router.get("/v1/deals", operation_id="list_deals", response_model_exclude_none=True)
def read_deals(
    hub: TheHub,
    asker: Asker,
    asked: Annotated[DealFilter, Depends(_filter)],
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[DealTold]:
    """List deals in the order in which they came in."""
    asker.require("read", entity_type="contract")
    recipe = service.recipe_of(hub)
    of = f"deals?{asked}"
    position = read_cursor(after, of=of)
    with reading(hub.engine) as connection:
        seen = str(position[0]) if position else ""
        found = service.list_deals(connection, asked, after=seen, limit=limit + 1)
    return page([_told(recipe, one) for one in found], limit, of, lambda last: (last.id,))


@router.get("/v1/deals/{deal_id}", operation_id="read_deal", response_model_exclude_none=True)
def read_deal(deal_id: str, hub: TheHub, asker: Asker) -> DealWholeTold:
    """Read one deal: its steps with their times, what it waits for, what holds it up."""
    _require(hub, deal_id, asker, "read")
    recipe = service.recipe_of(hub)
    with reading(hub.engine) as connection:
        found = service.show_deal(connection, deal_id)
    return DealWholeTold(
        **_plain(recipe, found.deal),
        steps=[
            StepTold(name=one.name, does=one.does, mark=one.mark, reaches=one.reaches, at=one.at, who=one.who or None)
            for one in steps_shown(recipe, found.deal, found.turns)
        ],
        turns=[
            TurnTold(step=one.step, turn=one.turn, because=one.because or None, at=one.recorded_at, who=one.who)
            for one in found.turns
        ],
        reasons=[Fault.of(reason) for reason in found.reasons],
    )


@router.post("/v1/deals/{deal_id}:approve", operation_id="approve_deal", response_model=DealTold)
def approve_deal(deal_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Approve the contract of a deal that is activated."""
    _require(hub, deal_id, asker, "steward")
    recipe = service.recipe_of(hub)
    return _going_on(
        once.around(
            lambda bracket: service.approve(hub, deal_id, who=asker.name, bracket=bracket),
            lambda deal: _told(recipe, deal),
        ),
        hub,
        deal_id,
    )


@router.post("/v1/deals/{deal_id}:retry", operation_id="retry_deal", response_model=DealTold)
def retry_deal(deal_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Try the step at hand at once, or take a deal up again that failed for good."""
    _require(hub, deal_id, asker, "write")
    recipe = service.recipe_of(hub)
    return _going_on(
        once.around(
            lambda bracket: service.retry(hub, deal_id, who=asker.name, bracket=bracket),
            lambda deal: _told(recipe, deal),
        ),
        hub,
        deal_id,
    )


@router.post("/v1/deals/{deal_id}:cancel", operation_id="cancel_deal", response_model=DealTold)
def cancel_deal(deal_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Cancel a deal: what its steps made is taken back, the last first."""
    _require(hub, deal_id, asker, "steward")
    recipe = service.recipe_of(hub)
    return _going_on(
        once.around(
            lambda bracket: service.cancel(hub, deal_id, who=asker.name, bracket=bracket),
            lambda deal: _told(recipe, deal),
        ),
        hub,
        deal_id,
    )


def _going_on(response: Response, hub: Hub, deal_id: str) -> Response:
    """Do the steps that are due once the answer is sent; what fails here, or is cut off, the worker does."""
    response.background = BackgroundTask(advance, hub, deal_id)
    return response


def _require(hub: Hub, deal_id: str, asker: Caller, *verbs: Verb) -> None:
    """Refuse whoever has none of the verbs; a deal beyond the key's scope is as unknown as one that never was."""
    with reading(hub.engine) as connection:
        source = service.require_deal(connection, deal_id).opportunity.instance
    if any(asker.principal.may(verb, entity_type="contract", source=source) for verb in verbs):
        return
    if not asker.principal.may("read", entity_type="contract", source=source):
        raise DealUnknown(deal_id)
    asker.require(verbs[0], entity_type="contract", source=source)


def _told(recipe: Recipe, deal: Deal) -> DealTold:
    return DealTold(**_plain(recipe, deal))


def _plain(recipe: Recipe, deal: Deal) -> dict[str, Any]:
    at = clock.now()
    progress = deal.progress
    return {
        "id": deal.id,
        "recipe": deal.recipe,
        "source_key": str(deal.opportunity),
        "state": progress.state,
        "standing": progress.standing,
        "told": in_words(deal),
        "step": progress.step,
        "because": progress.because or None,
        "attempts": progress.attempts,
        "since": dict(deal.since),
        "age_s": max(0, int(deal.age(at).total_seconds())),
        "is_late": deal.is_late(recipe, at),
        "next_at": deal.next_at,
        "billing": deal.billing,
        "customer_id": deal.ids.customer_id,
        "reservation_id": deal.ids.reservation_id,
        "contract_key": str(deal.contract_key),
        "exception_id": deal.exception_id if progress.standing == "incomplete" else None,
        "approved_by": deal.approved_by,
        "recorded_at": deal.recorded_at,
        "who": deal.who,
        "ended_by": deal.ended_by,
    }
