"""`mdm deals`: deals on their way from closed won to ready to bill."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mdm.cli.options import AsJson, Limit

if TYPE_CHECKING:
    from mdm.activation.model import Deal, DealState
    from mdm.hub import Hub

app = typer.Typer()

Id = Annotated[str, typer.Argument(help="Id of the deal.", metavar="ID")]


@app.command("add")
def add(
    opportunity: Annotated[str, typer.Argument(help="Source key of the opportunity that was won.", metavar="KEY")],
    facts: Annotated[list[str], typer.Argument(help="Facts as the recipe names them.", metavar="FACT=VALUE...")],
    as_json: AsJson = False,
) -> None:
    """Tell of a deal that was won, and do the steps that can be done; told of again, nothing changes."""
    from mdm.activation.service import Sold, take_up
    from mdm.cli.session import session, who
    from mdm.sources.model import SourceKey

    pairs = [each.partition("=") for each in facts]
    if wrong := [name for name, sign, _ in pairs if not (name and sign)]:
        raise typer.BadParameter(f"{wrong[0]!r} is not FACT=VALUE", param_hint="FACT=VALUE")
    sold = Sold(SourceKey.parse(opportunity), {name: value for name, _, value in pairs})
    with session() as hub:
        deal = take_up(hub, sold, who=who())
        _go_on_and_tell(hub, deal, as_json=as_json)


@app.command("list")
def list_(
    state: Annotated[
        str | None, typer.Option(help="sold, activated, approved, ready_to_bill or cancelled; all but those left out.")
    ] = None,
    older_than: Annotated[float | None, typer.Option(min=0, help="Hours in their state at least.")] = None,
    held_up: Annotated[
        bool,
        typer.Option("--held-up", help="Only those that are incomplete, fail, or wait for what a person has to mend."),
    ] = False,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List deals with what each waits for or what holds it up."""
    from mdm import clock
    from mdm.activation.model import DealFilter
    from mdm.activation.service import list_deals
    from mdm.activation.words import in_words
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import reading

    if state not in {None, "sold", "activated", "approved", "ready_to_bill", "cancelled"}:
        raise typer.BadParameter("choose sold, activated, approved, ready_to_bill or cancelled", param_hint="--state")
    older = None if older_than is None else timedelta(hours=older_than)
    asked = DealFilter(cast("DealState | None", state), older, held_up)
    with session() as hub, reading(hub.engine) as connection:
        found = list_deals(connection, asked, limit=limit)
    if as_json:
        print_lines(_told(one) for one in found)
        return
    at = clock.now()
    rows = [(one.id, one.progress.state, _hours(one.age(at)), one.opportunity, in_words(one)) for one in found]
    print_list(["id", "state", "for", "opportunity", "what now"], rows, of="deals")


@app.command("show")
def show(deal: Id, as_json: AsJson = False) -> None:
    """Show one deal: its steps with their times, what it waits for, what holds it up."""
    from mdm.activation.service import recipe_of, show_deal
    from mdm.activation.words import in_words, steps_shown
    from mdm.cli.output import print_facts, print_json, print_table, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import reading

    with session() as hub, reading(hub.engine) as connection:
        found = show_deal(connection, deal)
        steps = steps_shown(recipe_of(hub), found.deal, found.turns)
    if as_json:
        print_json(
            {**_told(found.deal), "steps": list(steps), "turns": list(found.turns), "reasons": list(found.reasons)}
        )
        return
    print_facts(
        {
            "deal": found.deal.id,
            "opportunity": str(found.deal.opportunity),
            "state": found.deal.progress.state,
            "what now": in_words(found.deal),
            "billed by": found.deal.billing,
            "client": found.deal.ids.customer_id,
            "reservation": found.deal.ids.reservation_id,
            "approved by": found.deal.approved_by,
        }
    )
    print_text("")
    print_table(["step", "", "at", "by"], [(one.name, one.mark.replace("_", " "), one.at, one.who) for one in steps])
    for reason in found.reasons:
        print_text(f"{reason.field}: {reason.message}; {reason.remedy}")


@app.command("approve")
def approve(deal: Id, as_json: AsJson = False) -> None:
    """Approve the contract of a deal that is activated."""
    from mdm.activation import service
    from mdm.cli.session import session, who

    with session() as hub:
        _go_on_and_tell(hub, service.approve(hub, deal, who=who()), as_json=as_json)


@app.command("retry")
def retry(deal: Id, as_json: AsJson = False) -> None:
    """Try the step at hand at once, or take a deal up again that failed for good."""
    from mdm.activation import service
    from mdm.cli.session import session, who

    with session() as hub:
        _go_on_and_tell(hub, service.retry(hub, deal, who=who()), as_json=as_json)


@app.command("cancel")
def cancel(deal: Id, as_json: AsJson = False) -> None:
    """Cancel a deal: what its steps made is taken back, the last first."""
    from mdm.activation import service
    from mdm.cli.session import session, who

    with session() as hub:
        _go_on_and_tell(hub, service.cancel(hub, deal, who=who()), as_json=as_json)


def _go_on_and_tell(hub: "Hub", deal: "Deal", *, as_json: bool) -> None:
    """Do the steps that can be done now, and say where the deal stands."""
    from mdm.activation.service import show_deal
    from mdm.activation.steps import advance
    from mdm.activation.words import in_words
    from mdm.cli.output import print_json, print_text
    from mdm.db.transaction import reading

    advance(hub, deal.id)
    with reading(hub.engine) as connection:
        found = show_deal(connection, deal.id)
    if as_json:
        print_json({**_told(found.deal), "reasons": list(found.reasons)})
        return
    print_text(f"{found.deal.id}  {found.deal.progress.state.replace('_', ' ')}: {in_words(found.deal)}")
    for reason in found.reasons:
        print_text(f"  {reason.field}: {reason.message}; {reason.remedy}")


def _told(deal: "Deal") -> dict[str, Any]:
    from mdm.activation.words import in_words

    return {
        "id": deal.id,
        "opportunity": str(deal.opportunity),
        "state": deal.progress.state,
        "standing": deal.progress.standing,
        "told": in_words(deal),
        "step": deal.progress.step,
        "because": deal.progress.because or None,
        "attempts": deal.progress.attempts,
        "since": dict(deal.since),
        "billing": deal.billing,
        "customer_id": deal.ids.customer_id,
        "reservation_id": deal.ids.reservation_id,
        "exception_id": deal.exception_id,
        "approved_by": deal.approved_by,
    }


def _hours(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h"
