"""Do the steps of deals: each in a transaction of its own, under a lease, resumed by whoever comes next.

A worker takes a deal by a lease that runs out. In the transaction of a step the deal is locked and the lease's token
compared, so that of two who believe they hold it one does the step. What a step makes and that it is done are one
transaction: killed anywhere, a deal stands before a step or behind it. A step that fails for good is followed by taking
back what the steps before made, the last first.

The client of a deal may become another golden record, or none, behind its back. So before each later step the client is
looked at: one that is gone is found or reserved again, and project and contract are pointed at it again.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from mdm import clock
from mdm.activation import progress as turns
from mdm.activation import reservations_store, store
from mdm.activation.checks import billing_of
from mdm.activation.clients import client_key, golden_of, is_gone, is_to_come, pointing_elsewhere
from mdm.activation.model import Deal, Does, Progress, Recipe, Step, StepTurn
from mdm.activation.obstacles import obstacle_to
from mdm.activation.records import end_record, keys_in, put_record
from mdm.activation.reservation_model import Resolved, Wanted
from mdm.activation.reservations import abandon_within, confirm, resolve_or_reserve
from mdm.activation.service import contract_fields, recipe_of, with_progress
from mdm.db.actor import name_actor
from mdm.db.transaction import reading, run
from mdm.delivery.lanes import tell_mended
from mdm.errors import HubError, LeaseLost, Refused
from mdm.failpoints import failpoint
from mdm.hub import Bracket, Hub, Work, carry
from mdm.sources import exceptions, exceptions_store
from mdm.telemetry import logger

LEASE: Final = timedelta(minutes=2)  # chosen: a step takes a second; after a kill its deal stands still for this long
TURNS_MAX: Final = 200  # chosen: steps that one turn of the worker does
PAUSE_S_MAX: Final = 600.0  # chosen: a step that failed is tried again after ten minutes at the latest
LOOK_S: Final = (2.0, 60.0)  # chosen: how often a waiting deal is looked at, from the first minute to the first days
CLIENT_S: Final = 600.0  # chosen: how often while only a person is waited for, since its client may be gone meanwhile


def advance_due(hub: Hub, *, who: str = "worker") -> int:
    """Do some steps of deals that are due; return how many turns that took."""
    done = 0
    while done < TURNS_MAX and _turn(hub, None, who):
        done += 1
    return done


def advance(hub: Hub, deal_id: str, *, who: str = "worker") -> None:
    """Do the steps of one deal until it waits, fails or is at its end."""
    for _ in range(TURNS_MAX):
        if not _turn(hub, deal_id, who):
            return


def _turn(hub: Hub, deal_id: str | None, who: str) -> bool:
    """Take a deal that is due and do what is next; False when none is."""
    at = clock.now()
    deal = run(hub.engine, lambda connection: store.lease(connection, at=at, until=at + LEASE, deal_id=deal_id))
    if deal is None:
        return False
    do_leased(hub, deal, who=who)
    return True


def do_leased(hub: Hub, deal: Deal, *, who: str) -> None:
    """Do what is next of a deal that was leased; nothing when somebody else holds it by now."""
    doer = _Doer(hub, recipe_of(hub), deal, who)
    try:
        if deal.progress.standing == "taking_back":
            doer.take_back()
        else:
            doer.do()
    except LeaseLost:
        return
    except Refused as error:
        with suppress(LeaseLost):
            doer.fail(error.code, is_final=True)
    except Exception as error:  # noqa: BLE001 -- the edge of a step: one that fails must not end the others
        code = error.code if isinstance(error, HubError) else "failed"
        logger(__name__).warning("step failed", deal=deal.id, step=deal.progress.step, code=code, exc_info=True)
        with suppress(LeaseLost):
            doer.fail(code, is_final=False)


class _Doer:
    """One deal under a lease, and what can be done with it."""

    def __init__(self, hub: Hub, recipe: Recipe, deal: Deal, who: str) -> None:
        """Take a deal as it was leased."""
        self.hub, self.recipe, self.deal, self.who = hub, recipe, deal, who

    def do(self) -> None:
        """Do the step at hand, or first those again whose client is not the deal's any more."""
        assert self.deal.progress.step is not None, "a deal at its end is never due"
        step = self.recipe.step(self.deal.progress.step)
        if self._follow_client(step):
            return
        acts: dict[str, Callable[[Step], None]] = {
            "reserve_customer": self._reserve_customer,
            "make_project": self._make_project,
            "make_contract": self._make_contract,
            "approval": self._await_approval,
            "key": self._await_key,
        }
        acts[step.does](step)

    def take_back(self) -> None:
        """Take back what the last step that is done made, or end when nothing is left."""
        step = turns.to_take_back(self.recipe, self.deal.progress)

        def act(work: Work) -> None:
            deal = self._held(work.connection)
            if step is None:
                self._end(work, deal)
                return
            deal = self._undone(work, deal, step)
            progress = turns.taken_back(self.recipe, deal.progress, step)
            self._save(work.connection, deal, progress, StepTurn(step.name, "taken_back", self._at, self.who))
            failpoint("deal.taken_back")

        carry(self.hub, act, who=self.who)

    def fail(self, because: str, *, is_final: bool) -> None:
        """Note that the step at hand failed; what follows is decided by the recipe."""

        def act(connection: Connection) -> None:
            deal = self._held(connection)
            if deal.progress.standing == "taking_back":
                progress = turns.taking_back_failed(deal.progress)
            else:
                progress = turns.failed(self.recipe, deal.progress, because, is_final=is_final)
            step = deal.progress.step or deal.progress.done[-1]
            self._save(connection, deal, progress, StepTurn(step, "failed", self._at, self.who, because))

        run(self.hub.engine, act)

    def _follow_client(self, step: Step) -> bool:
        """Do steps again whose client is gone or another one; False when the step at hand can be done."""
        if self.deal.ids.customer_id is None or step.does == "reserve_customer":
            return False
        with reading(self.hub.engine) as connection:
            has_none = is_gone(connection, self.deal)
            must_point = not has_none and bool(pointing_elsewhere(connection, self.deal))
        if has_none:
            self._find_client_again(step)
            return True
        return must_point and self._point_again()

    def _find_client_again(self, step: Step) -> None:
        """Find or reserve the client anew; nothing else may come of it, as when a decision keeps its key apart."""

        def after(connection: Connection, answer: Resolved) -> None:
            deal = self._with_customer(answer)
            if deal.ids == self.deal.ids:
                self._wait(connection, deal, step, "client_gone")
            else:
                self._done_again(connection, deal, "reserve_customer")

        self._ask_for_customer(after)

    def _point_again(self) -> bool:
        """Point project and contract at the client as it stands now, and tell the targets; False if they did so."""

        def act(work: Work) -> bool:
            deal = self._held(work.connection)
            made = pointing_elsewhere(work.connection, deal)
            if "project" in made:
                self._put_project(work, deal)
            if "contract" in made:
                is_approved = any(self.recipe.step(name).does == "approval" for name in deal.progress.done)
                self._put_contract(work, deal, **({"status": "active"} if is_approved else {}))
            left = pointing_elsewhere(work.connection, deal)
            if not made or left == made:
                return False  # a key means another record than it names; to go on is more than to try for ever
            golden_ids = [store.require_golden(work.connection, deal.key_of(one)) for one in made]
            # A target may have refused them while they pointed at nobody: that is mended, and a new version alone
            # would not take up again what is parked.
            tell_mended(work.connection, golden_ids)
            does: dict[str, Does] = {"project": "make_project", "contract": "make_contract"}
            self._done_again(work.connection, deal, *(does[one] for one in made))
            return True

        return carry(self.hub, act, who=self.who)

    def _reserve_customer(self, step: Step) -> None:
        def after(connection: Connection, answer: Resolved) -> None:
            deal = self._with_customer(answer)
            if answer.status == "review":
                self._wait(connection, deal, step, "review")
            else:
                self._done(connection, deal, step)

        self._ask_for_customer(after)

    def _ask_for_customer(self, after: Callable[[Connection, Resolved], None]) -> None:
        """Find the billed legal entity, or reserve it; a repeat gets the same reservation by its reference."""
        assert self.deal.billing is not None, "a deal that is complete has somebody who bills it"
        wanted = Wanted(
            "customer",
            self.deal.billing,
            self.recipe.fields_of("customer", self._facts()),
            reference=f"deal {self.deal.id}",
            minutes=self.recipe.reserved_days * 24 * 60,
            readable=frozenset(),
            is_published=True,
        )
        bracket: Bracket[Resolved] = Bracket(self._hold, after)
        resolve_or_reserve(self.hub, wanted, who=self.deal.who, bracket=bracket)

    def _with_customer(self, answer: Resolved) -> Deal:
        own = answer.reservation
        is_own = own is not None and own.is_held_by(self.deal.who, f"deal {self.deal.id}")
        reservation_id = own.id if own is not None and is_own else None
        ids = replace(self.deal.ids, customer_id=answer.golden_id, reservation_id=reservation_id)
        return replace(self.deal, ids=ids)

    def _make_project(self, step: Step) -> None:
        def act(work: Work) -> None:
            deal = self._held(work.connection)
            self._put_project(work, deal)
            self._done(work.connection, replace(deal, ids=replace(deal.ids, has_project=True)), step)

        carry(self.hub, act, who=self.who)

    def _put_project(self, work: Work, deal: Deal) -> None:
        fields = self.recipe.fields_of("project", self._facts())
        pointing = {"customer": client_key(work.connection, deal), "contract": str(deal.contract_key)}
        put_record(work, "project", deal.project_key, {**fields, **pointing})

    def _make_contract(self, step: Step) -> None:
        def act(work: Work) -> None:
            deal = self._held(work.connection)
            self._put_contract(work, deal)
            self._done(work.connection, replace(deal, ids=replace(deal.ids, has_contract=True)), step)

        carry(self.hub, act, who=self.who)

    def _put_contract(self, work: Work, deal: Deal, **more: Any) -> None:
        pointing = {"customer": client_key(work.connection, deal), "projects": [str(deal.project_key)]}
        put_record(work, "contract", deal.contract_key, contract_fields(self.recipe, self._facts(), **pointing, **more))

    def _await_approval(self, step: Step) -> None:
        def act(work: Work) -> None:
            deal = self._held(work.connection)
            if deal.approved_by is None:
                self._wait(work.connection, deal, step, "approval")
                return
            self._put_contract(work, deal, status="active")
            self._done(work.connection, deal, step, who=deal.approved_by)

        carry(self.hub, act, who=self.who)

    def _await_key(self, step: Step) -> None:
        """Wait until what was made has a key in the system that bills; a reservation that ended is made anew.

        Where waiting alone ends nothing, the deal is held up by what a person has to mend.
        """
        assert self.deal.billing is not None, "a deal that is complete has somebody who bills it"
        made = step.of
        assert made is not None, "a recipe says whose key a step waits for"
        if not self._is_kept(step):
            run(self.hub.engine, lambda connection: self._done(connection, self._held(connection), step))
            return
        with reading(self.hub.engine) as connection:
            golden_id = golden_of(connection, self.deal, made)
            keys = keys_in(connection, golden_id, self.deal.billing)
            is_held = made != "customer" or is_to_come(connection, self.deal)
        if keys and made == "customer":
            self._confirm(keys[0])
        if not keys and not is_held:
            self._find_client_again(step)
            return

        def act(connection: Connection) -> None:
            deal = self._held(connection)
            if keys:
                self._done(connection, deal, step)
                return
            obstacle = obstacle_to(connection, deal, made)
            self._wait(connection, deal, step, f"key_of_{made}" if obstacle is None else obstacle.code)

        run(self.hub.engine, act)

    def _is_kept(self, step: Step) -> bool:
        """Tell whether the system that bills has records of what a step waits for; one the recipe lost is asked all."""
        billing = billing_of(self.recipe, str(self._facts().get("legal_entity", "")))
        return billing is None or billing.instance != self.deal.billing or step.of in billing.keeps

    def _confirm(self, key: Any) -> None:
        """Confirm the deal's own reservation with the key that its golden record got meanwhile."""
        if self.deal.ids.reservation_id is None:
            return
        with reading(self.hub.engine) as connection:
            found = reservations_store.select_reservation(connection, self.deal.ids.reservation_id)
        if found is not None and found.state == "open":
            confirm(self.hub, found.id, key, who=self.who)

    def _undone(self, work: Work, deal: Deal, step: Step) -> Deal:
        """Take back what one step made."""
        if step.does == "make_contract":
            put_record(work, "contract", deal.contract_key, contract_fields(self.recipe, self._facts()))
            return replace(deal, ids=replace(deal.ids, has_contract=False), approved_by=None)
        if step.does == "make_project":
            end_record(work, "project", deal.project_key, reason="deal taken back")
            return replace(deal, ids=replace(deal.ids, has_project=False))
        if deal.ids.reservation_id is not None:
            found = reservations_store.select_reservation(work.connection, deal.ids.reservation_id)
            # What was created in the system that bills stays there: nobody takes a client out of an ERP.
            if found is not None and found.state == "open":
                abandon_within(work, found.id)
        return replace(deal, ids=replace(deal.ids, reservation_id=None, customer_id=None))

    def _end(self, work: Work, deal: Deal) -> None:
        """End taking back: a cancelled deal leaves no record either."""
        if deal.progress.is_ending:
            if store.select_facts(work.connection, deal.contract_key) is not None:
                end_record(work, "contract", deal.contract_key, reason="deal cancelled")
            if deal.exception_id is not None:
                found = exceptions.require(work.connection, deal.exception_id)
                if found.state == "open":
                    exceptions_store.close_exception(
                        work.connection, found.id, state="dismissed", who=self.who, note="the deal was cancelled"
                    )
        self._save(work.connection, deal, turns.ended(deal.progress), None)
        failpoint("deal.taken_back")

    def _facts(self) -> dict[str, Any]:
        with reading(self.hub.engine) as connection:
            found = store.select_facts(connection, self.deal.contract_key)
        assert found is not None, "a deal that is complete has a contract record with its facts"
        return found

    @property
    def _at(self) -> datetime:
        return clock.now()

    def _hold(self, connection: Connection) -> None:
        self._held(connection)

    def _held(self, connection: Connection) -> Deal:
        """Lock the deal for the rest of the transaction; raises LeaseLost when somebody else took it."""
        name_actor(connection, self.who)
        found = store.select_deal(connection, self.deal.id, for_update=True)
        if found is None or found.lease_token != self.deal.lease_token:
            raise LeaseLost(f"somebody else works on deal {self.deal.id} by now", remedy="nothing: they go on with it")
        return found

    def _done(self, connection: Connection, deal: Deal, step: Step, *, who: str | None = None) -> None:
        turn = StepTurn(step.name, "done", self._at, who or self.who)
        self._save(connection, deal, turns.done(self.recipe, deal.progress), turn)
        failpoint("deal.step_done")

    def _done_again(self, connection: Connection, deal: Deal, *does: Does) -> None:
        """Note which steps were done again; the step at hand is looked at next."""
        names = [step.name for step in self.recipe.steps if step.does in does]
        store.insert_turns(connection, deal.id, [StepTurn(name, "done", self._at, self.who) for name in names])
        self._save(connection, deal, turns.done_again(deal.progress), None)
        failpoint("deal.step_done")

    def _wait(self, connection: Connection, deal: Deal, step: Step, because: str) -> None:
        waited = turns.waiting(deal.progress, because)
        if waited == deal.progress and deal.ids == self.deal.ids:
            store.update_next(connection, deal.id, self._next(deal, waited))  # nothing new: no entry in the log
            return
        is_news = (deal.progress.standing, deal.progress.because) != ("waiting", because)
        turn = StepTurn(step.name, "waiting", self._at, self.who, because) if is_news else None
        self._save(connection, deal, waited, turn)

    def _save(self, connection: Connection, deal: Deal, progress: Progress, turn: StepTurn | None) -> None:
        at = clock.recording_instant(connection)
        changed = with_progress(deal, progress, at)
        store.update_deal(connection, replace(changed, next_at=self._next(changed, progress)))
        store.insert_turns(connection, deal.id, [] if turn is None else [replace(turn, recorded_at=at)])

    def _next(self, deal: Deal, progress: Progress) -> datetime | None:
        """Say when to look again; None when nothing happens until somebody acts."""
        at = clock.now()
        if progress.standing in {"done", "cancelled", "failed", "incomplete"}:
            return None
        if progress.standing == "waiting" and progress.because == "approval":
            return at + timedelta(seconds=CLIENT_S)
        if progress.standing == "waiting":
            shortest, longest = LOOK_S
            return at + timedelta(seconds=min(longest, max(shortest, deal.age(at).total_seconds() / 20)))
        if progress.attempts:
            return at + timedelta(seconds=min(PAUSE_S_MAX, 2.0**progress.attempts))
        return at
