"""Deals on their way to be billed: a board of their states, and each with its steps."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.console.page import PageRoute
from api.console.render import page, redirect, words_of
from api.console.views import activation as shown
from api.console.views.systems import system_shown, titles_of
from api.console.visit import TheVisit, Visit
from mdm import clock
from mdm.activation import service
from mdm.activation.model import Deal, DealFilter
from mdm.activation.steps import advance
from mdm.db.transaction import reading
from mdm.errors import DealUnknown
from mdm.sources.service import instances

CARDS: Final = 12  # chosen: of one state on the board; a list has the rest
PAGE_LENGTH: Final = 50

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)


class Wanted(BaseModel):
    """Which deals to list; nothing draws the board."""

    state: Literal["", "sold", "activated", "approved", "ready_to_bill", "cancelled"] = ""
    after: str = Field("", max_length=200)


@router.get("/activation")
def board(visit: TheVisit, wanted: Annotated[Wanted, Query()]) -> Response:
    """Draw the board, or list the deals of one state."""
    visit.require("read", entity_type="contract")
    if wanted.state:
        return _list(visit, wanted)
    recipe = service.recipe_of(visit.hub)
    at = clock.now()
    with reading(visit.hub.engine) as connection:
        counts = service.count_deals(connection)
        late = service.count_late(connection, recipe)
        oldest = service.oldest_deals(connection, limit=CARDS)
        deals = [deal for of_state in oldest.values() for deal in of_state]
        names = service.names_of(connection, recipe, deals)
    cards = {deal.id: shown.deal_shown(recipe, deal, names.get(deal.id), at) for deal in deals}
    return page(
        visit,
        "activation.html",
        columns=shown.columns(counts, late, oldest, {str(id_): card for id_, card in cards.items()}),
        recipe=recipe,
        shows_clients=visit.may("read", entity_type="customer"),
        now=at,
    )


@router.get("/activation/{deal_id}")
def one(visit: TheVisit, deal_id: str) -> Response:
    """Show one deal with its steps drawn, what it waits for, and what happened to it."""
    visit.require("read", entity_type="contract")
    recipe = service.recipe_of(visit.hub)
    at = clock.now()
    with reading(visit.hub.engine) as connection:
        found = service.show_deal(connection, deal_id)
        name = service.names_of(connection, recipe, [found.deal]).get(found.deal.id)
        titles = titles_of(instances(connection))
    deal = found.deal
    progress = deal.progress
    is_at_approval = progress.step is not None and recipe.step(progress.step).does == "approval"
    return page(
        visit,
        "deal.html",
        shown=shown.deal_shown(recipe, deal, name, at),
        deal=deal,
        states=shown.STATES,
        steps=shown.step_lines(recipe, deal, found.turns),
        turns=shown.turn_lines(recipe, found.turns),
        reasons=found.reasons,
        source=system_shown(deal.opportunity.instance, titles),
        billing=system_shown(deal.billing, titles) if deal.billing else None,
        shows_clients=visit.may("read", entity_type="customer"),
        may_act=visit.may("steward", entity_type="contract"),
        may_approve=is_at_approval and progress.standing in {"going", "waiting"} and deal.approved_by is None,
        may_retry=progress.standing in {"waiting", "failing", "failed"} and not is_at_approval,
        may_cancel=progress.state not in {"ready_to_bill", "cancelled"} and not progress.is_ending,
        now=at,
    )


@router.post("/activation/{deal_id}/approve")
def approve(visit: TheVisit, deal_id: str) -> Response:
    """Approve the contract of a deal, and let it go on."""
    _require_steward(visit, deal_id)
    return _going_on(visit, service.approve(visit.hub, deal_id, who=visit.who))


@router.post("/activation/{deal_id}/retry")
def retry(visit: TheVisit, deal_id: str) -> Response:
    """Look at once whether a deal can go on."""
    _require_steward(visit, deal_id)
    return _going_on(visit, service.retry(visit.hub, deal_id, who=visit.who))


@router.post("/activation/{deal_id}/cancel")
def cancel(visit: TheVisit, deal_id: str) -> Response:
    """Cancel a deal, and take back what its steps made."""
    _require_steward(visit, deal_id)
    return _going_on(visit, service.cancel(visit.hub, deal_id, who=visit.who))


def _list(visit: Visit, wanted: Wanted) -> Response:
    recipe = service.recipe_of(visit.hub)
    at = clock.now()
    asked = DealFilter(state=wanted.state or None)
    with reading(visit.hub.engine) as connection:
        found = service.list_deals(connection, asked, after=wanted.after, limit=PAGE_LENGTH + 1)
        names = service.names_of(connection, recipe, found)
    deals = found[:PAGE_LENGTH]
    return page(
        visit,
        "deals.html",
        state=wanted.state,
        states=shown.STATES,
        lines=[shown.deal_shown(recipe, deal, names.get(deal.id), at) for deal in deals],
        following=deals[-1].id if len(found) > PAGE_LENGTH else "",
        is_first=not wanted.after,
        shows_clients=visit.may("read", entity_type="customer"),
        words=words_of(visit),
        now=at,
    )


def _require_steward(visit: Visit, deal_id: str) -> None:
    with reading(visit.hub.engine) as connection:
        service.require_deal(connection, deal_id)
    if not visit.may("read", entity_type="contract"):
        raise DealUnknown(deal_id)
    visit.require("steward", entity_type="contract")


def _going_on(visit: Visit, deal: Deal) -> Response:
    """Do what can be done at once, so that whoever asked sees what came of it."""
    advance(visit.hub, deal.id)
    return redirect(visit, f"/activation/{deal.id}")
