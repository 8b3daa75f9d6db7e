"""Use cases of deals: take one up, mend it, approve, try again, cancel, list. What its steps do stands in steps.py.

A deal is known by the key of its opportunity, so telling of it twice changes nothing. One that is incomplete waits
among the exceptions with every reason, and goes on when it was mended there or is told of again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from mdm import clock
from mdm.activation import progress as turns
from mdm.activation import store
from mdm.activation.checks import Checked, check_deal
from mdm.activation.model import DEAL, STATES, Deal, DealFilter, DealName, Ids, Progress, Recipe, StateCount, StepTurn
from mdm.activation.obstacles import obstacles_of
from mdm.activation.recipe import recipe_of as read_recipe
from mdm.activation.records import put_record
from mdm.db.actor import name_actor
from mdm.db.locks import key_hash, lock_keys
from mdm.db.transaction import run
from mdm.entities.mapping import map_record
from mdm.entities.model import EntityType, Origin, Reason
from mdm.errors import DealConflict, DealUnknown
from mdm.failpoints import failpoint
from mdm.gauges import StateReading, StepReading
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry
from mdm.ids import DealId, ExceptionId, new_deal_id
from mdm.sources import exceptions, exceptions_store
from mdm.sources.model import Delivery, DeliveryException, Rejected, SourceKey
from mdm.sources.service import systems


@dataclass(frozen=True, slots=True)
class Sold:
    """What is told of a deal: the key of its opportunity, and its facts under the names that the recipe knows."""

    opportunity: SourceKey
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DealShown:
    """A deal with what happened to its steps, and with the reasons that hold it up.

    reasons  why it is incomplete, from its exception, or what a person has to mend before it goes on
    """

    deal: Deal
    turns: tuple[StepTurn, ...]
    reasons: tuple[Reason, ...] = ()


def recipe_of(hub: Hub) -> Recipe:
    """Give the recipe of this installation; raises RecipeInvalid with every fault."""
    return read_recipe(hub.settings.recipe, hub.settings.entities)


def mendable_types(hub: Hub) -> Mapping[str, EntityType]:
    """Give what exceptions are about: the entity types, and the facts of deals as one of them."""
    return {**hub.declared, DEAL: recipe_of(hub).facts}


def take_up(hub: Hub, sold: Sold, *, who: str, bracket: Bracket[Deal] = UNBRACKETED) -> Deal:
    """Take up a deal that was won, or give the one back that its opportunity has; an incomplete one is looked at anew.

    Raises DealConflict when the deal is on its way with other facts.
    """
    recipe = recipe_of(hub)

    def act(work: Work) -> Deal:
        name_actor(work.connection, who)
        lock_keys(work.connection, [key_hash(DEAL, str(sold.opportunity))])
        found = store.select_by_opportunity(work.connection, sold.opportunity)
        if found is not None and found.progress.standing != "incomplete":
            return _unless_other(work, recipe, found, sold)
        if found is not None and found.exception_id is not None:
            _close_exception(work.connection, found.exception_id, state="superseded", who=who)
        return _take_up(work, recipe, sold, found)

    return carry(hub, act, who=who, bracket=bracket)


def take_up_mended(
    hub: Hub, exception: DeliveryException, *, who: str, bracket: Bracket[tuple[Reason, ...]] = UNBRACKETED
) -> tuple[Reason, ...]:
    """Look at an incomplete deal again as it was mended; returns the reasons that are left, none when it goes on."""
    recipe = recipe_of(hub)

    def act(work: Work) -> tuple[Reason, ...]:
        name_actor(work.connection, who)
        found = require_deal(work.connection, _deal_id(exception))
        sold = Sold(found.opportunity, exception.fields)
        lock_keys(work.connection, [key_hash(DEAL, str(sold.opportunity))])
        exceptions.require_open(exceptions.require(work.connection, exception.id))
        found = require_deal(work.connection, found.id)
        checked = check_deal(work.connection, recipe, work.declared, sold.opportunity, sold.fields)
        if checked.reasons:
            exceptions.keep(work.connection, exception, checked.reasons)
            return checked.reasons
        if found.progress.standing == "incomplete":
            _take_up(work, recipe, sold, found)
        exceptions_store.close_exception(work.connection, exception.id, state="replayed", who=who)
        return ()

    return carry(hub, act, who=who, bracket=bracket)


def look_at(hub: Hub, exception: DeliveryException) -> tuple[Reason, ...]:
    """Say which reasons would be left of an incomplete deal; nothing is written."""
    recipe = recipe_of(hub)

    def act(connection: Connection) -> tuple[Reason, ...]:
        opportunity = require_deal(connection, _deal_id(exception)).opportunity
        return check_deal(connection, recipe, hub.declared, opportunity, exception.fields).reasons

    return run(hub.engine, act)


def approve(hub: Hub, deal_id: str, *, who: str, bracket: Bracket[Deal] = UNBRACKETED) -> Deal:
    """Approve the contract of a deal; approving it again changes nothing. Raises DealUnknown, DealConflict."""
    recipe = recipe_of(hub)

    def change(deal: Deal, at: datetime) -> Deal:
        if deal.approved_by is not None and deal.progress.standing != "cancelled":
            return deal
        step = recipe.step(deal.progress.step) if deal.progress.step is not None else None
        if step is None or step.does != "approval" or deal.progress.standing not in {"going", "waiting"}:
            raise DealConflict(
                f"deal {deal.id} is {deal.progress.state} and not at its approval",
                remedy="approve it once its contract is made; `mdm deals show` tells what it waits for",
            )
        return replace(deal, approved_by=who, next_at=at)

    return _change(hub, deal_id, change, who, bracket)


def retry(hub: Hub, deal_id: str, *, who: str, bracket: Bracket[Deal] = UNBRACKETED) -> Deal:
    """Try the step at hand at once, or take up a deal again that failed. Raises DealUnknown, DealConflict."""
    recipe = recipe_of(hub)

    def change(deal: Deal, at: datetime) -> Deal:
        standing = deal.progress.standing
        if standing == "incomplete":
            raise DealConflict(
                f"deal {deal.id} is incomplete", remedy=f"mend exception {deal.exception_id}, or tell of the deal again"
            )
        if standing in {"done", "cancelled"}:
            raise DealConflict(f"deal {deal.id} is {deal.progress.state}", remedy="there is nothing left to try")
        progress = turns.retried(recipe, deal.progress) if standing == "failed" else deal.progress
        return replace(deal, progress=progress, next_at=at)

    return _change(hub, deal_id, change, who, bracket)


def cancel(hub: Hub, deal_id: str, *, who: str, bracket: Bracket[Deal] = UNBRACKETED) -> Deal:
    """Cancel a deal: what its steps made is taken back, the last first. Raises DealUnknown, DealConflict."""

    def change(deal: Deal, at: datetime) -> Deal:
        if deal.progress.state == "ready_to_bill":
            raise DealConflict(
                f"deal {deal.id} is ready to bill", remedy="end its contract in the system that bills it"
            )
        if deal.progress.standing == "cancelled" or deal.progress.is_ending:
            return deal
        return replace(deal, progress=turns.cancelling(deal.progress), next_at=at, ended_by=who)

    return _change(hub, deal_id, change, who, bracket)


def require_deal(connection: Connection, deal_id: str) -> Deal:
    """Return one deal; raises DealUnknown."""
    found = store.select_deal(connection, deal_id)
    if found is None:
        raise DealUnknown(deal_id)
    return found


def show_deal(connection: Connection, deal_id: str) -> DealShown:
    """Return one deal with all that happened to it; raises DealUnknown."""
    deal = require_deal(connection, deal_id)
    reasons = obstacles_of(connection, deal)
    if deal.exception_id is not None and deal.progress.standing == "incomplete":
        reasons = exceptions.require(connection, deal.exception_id).reasons
    return DealShown(deal, store.select_turns(connection, deal.id), reasons)


def list_deals(connection: Connection, asked: DealFilter, *, after: str = "", limit: int = 100) -> tuple[Deal, ...]:
    """List deals in the order in which they came in; cancelled ones only when they are asked for."""
    return store.select_deals(connection, asked, at=clock.now(), after=after, limit=limit)


def names_of(connection: Connection, recipe: Recipe, deals: Sequence[Deal]) -> dict[DealId, DealName]:
    """Give what people call these deals: by their golden records, incomplete ones by what was told of them."""
    named = store.select_names(connection, deals)
    told = exceptions.fields_of(connection, [one.exception_id for one in deals if one.exception_id is not None])
    known = systems(connection) if told else {}
    for deal in deals:
        if deal.progress.standing == "incomplete" and deal.exception_id in told:
            origin = Origin(deal.opportunity.instance, known.get(deal.opportunity.instance, ""))
            facts = map_record(recipe.facts, told[deal.exception_id], origin=origin).values
            named[deal.id] = DealName(
                *(str(facts.get(name, "")) for name in ("contract_name", "billing_name", "amount", "currency"))
            )
    return named


def oldest_deals(connection: Connection, *, limit: int) -> dict[str, tuple[Deal, ...]]:
    """List some deals of each state: those that are held up, then those that are in it the longest."""
    return {state: store.select_oldest(connection, state, limit=limit) for state in STATES}


def count_deals(connection: Connection) -> tuple[StateCount, ...]:
    """Count the deals of each state, in the order of states."""
    return store.count_deals(connection)


def readings_of_deals(
    connection: Connection, recipe: Recipe | None
) -> tuple[tuple[StateReading, ...], tuple[StepReading, ...]]:
    """Give what a scrape tells of deals; without a recipe nothing is known of late ones."""
    late = None if recipe is None else count_late(connection, recipe)
    at = clock.now()
    states = tuple(
        StateReading(
            one.state,
            one.count - one.held_up,
            one.held_up,
            0.0 if one.oldest_at is None else (at - one.oldest_at).total_seconds(),
            None if late is None else late.get(one.state, 0),
        )
        for one in store.count_deals(connection)
    )
    steps = (StepReading(one.state, one.step, one.standing, one.count) for one in store.count_steps(connection))
    return states, tuple(steps)


def count_late(connection: Connection, recipe: Recipe) -> dict[str, int]:
    """Count the deals that stay in a state for longer than the recipe allows."""
    at = clock.now()
    return {
        state: store.count_older(connection, state, than=allowed, at=at)
        for state, allowed in recipe.time_allowed.items()
    }


def _take_up(work: Work, recipe: Recipe, sold: Sold, found: Deal | None) -> Deal:
    """Check a deal; make its contract record, or let it wait among the exceptions."""
    connection = work.connection
    checked = check_deal(connection, recipe, work.declared, sold.opportunity, sold.fields)
    at = clock.recording_instant(connection)
    start = turns.begun(recipe)
    if found is None:
        found = Deal(new_deal_id(), recipe.name, sold.opportunity, start, Ids(), None, at, work.who, {start.state: at})
        store.insert_deal(connection, found)
    if checked.reasons:
        exception_id = _queue(connection, found, sold, checked)
        deal = replace(found, progress=turns.incomplete(start), exception_id=exception_id, next_at=None)
    else:
        assert checked.billing is not None, "a deal that nobody bills has a reason against it"
        put_record(work, "contract", found.contract_key, contract_fields(recipe, checked.facts))
        progress = turns.done(recipe, start)
        deal = replace(found, progress=progress, billing=checked.billing.instance, next_at=at)
        turn = StepTurn(recipe.steps[0].name, "done", at, work.who)
        store.insert_turns(connection, found.id, [turn])
    store.update_deal(connection, deal)
    failpoint("deal.taken_up")
    return require_deal(connection, deal.id)


def contract_fields(recipe: Recipe, facts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Give the fields of the contract record that holds a deal: its own, and all facts of the deal beside them."""
    return {**recipe.fields_of("contract", facts), "status": "in_approval", "deal": dict(facts), **more}


def _unless_other(work: Work, recipe: Recipe, found: Deal, sold: Sold) -> Deal:
    checked = check_deal(work.connection, recipe, work.declared, sold.opportunity, sold.fields)
    if dict(checked.facts) != store.select_facts(work.connection, found.contract_key):
        raise DealConflict(
            f"{sold.opportunity} is deal {found.id} already, and {found.progress.state} with other facts",
            remedy="cancel that deal before you tell of this one",
        )
    return found


def _queue(connection: Connection, deal: Deal, sold: Sold, checked: Checked) -> ExceptionId:
    """Let the facts wait among the exceptions, under the key of the deal: the opportunity may have some of its own."""
    delivery = Delivery(deal.contract_key, DEAL, sold.fields)
    exceptions.queue_rejected(connection, [Rejected(delivery, checked.reasons)], column_map={}, who=deal.who)
    return exceptions.newest_open(connection, deal.contract_key)


def _change(hub: Hub, deal_id: str, change: Callable[[Deal, datetime], Deal], who: str, bracket: Bracket[Deal]) -> Deal:
    """Change a deal under its lock; whoever works on it is fenced off."""

    def act(connection: Connection) -> Deal:
        name_actor(connection, who)
        found = store.select_deal(connection, deal_id, for_update=True)
        if found is None:
            raise DealUnknown(deal_id)
        changed = change(found, clock.recording_instant(connection))
        if changed is not found:
            store.fence(connection, found.id)
            store.update_deal(connection, changed)
        return require_deal(connection, found.id)

    return run(hub.engine, lambda connection: bracket.around(connection, partial(act, connection)))


def _deal_id(exception: DeliveryException) -> str:
    return SourceKey.parse(exception.source_key).native_id


def _close_exception(connection: Connection, exception_id: ExceptionId, *, state: str, who: str) -> None:
    if exceptions.require(connection, exception_id).state == "open":
        exceptions_store.close_exception(connection, exception_id, state=state, who=who)


def with_progress(deal: Deal, progress: Progress, at: datetime) -> Deal:
    """Give a deal with new progress; a state that it reaches now is dated."""
    since = deal.since if progress.state == deal.progress.state else {**deal.since, progress.state: at}
    return replace(deal, progress=progress, since=since)
