"""`mdm deliveries`: what waits for targets, what became of it, and what to do with what is parked."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from mdm.cli.options import AsJson, Limit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mdm.delivery.model import OutcomeKind
    from mdm.delivery.orders_model import Asked, LaneFilter, OrderKind, SkipFilter

app = typer.Typer()

MaybeTarget = Annotated[str | None, typer.Option("--target", "-t", help="Only of this target.")]
OneTarget = Annotated[str, typer.Option("--target", "-t", help="Id of the target.")]
MaybeGolden = Annotated[str | None, typer.Option("--golden", "-g", help="Only of this golden id.")]
Since = Annotated[str | None, typer.Option("--since", help="From this instant on; a bare date is its beginning, UTC.")]
Until = Annotated[str | None, typer.Option("--until", help="Up to this instant; a bare date is its end, UTC.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept with the order.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say how many golden records it reaches, and do nothing.")]

_LANES = ("any", "ready", "failing", "waiting", "dead")
_SKIPPED = ("dead", "failing", "waiting", "any")
_OUTCOMES = ("delivered", "no_change", "not_subscribed", "undone", "skipped", "dead")


@app.command("list")
def list_(
    target: MaybeTarget = None,
    state: Annotated[str, typer.Option(help="ready, failing, waiting, dead or any.")] = "any",
    golden: MaybeGolden = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List what targets have yet to be told: one line a golden record and target."""
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import reading
    from mdm.delivery.orders import lane_lines
    from mdm.ids import GoldenId

    _require(state, _LANES, "--state")
    golden_id = GoldenId(golden) if golden else None
    with session() as hub, reading(hub.engine) as connection:
        wanted = _targets(connection, target)
        found = lane_lines(connection, wanted, state=cast("LaneFilter", state), golden_id=golden_id, limit=limit)
    if as_json:
        print_lines(found)
        return
    rows = [
        (
            one.golden_id,
            one.target_id,
            "failing" if one.state == "ready" and one.failure_kind else one.state,
            f"{one.acknowledged} of {one.head}",
            one.attempts or "",
            f"{one.queued_at:%Y-%m-%d %H:%M:%S}",
            one.waits_for or one.failure_reason or "",
        )
        for one in found
    ]
    columns = ["golden id", "target", "state", "version told", "attempts", "waits since", "waits for, or why"]
    print_list(columns, rows, of="deliveries waiting")


@app.command("history")
def history(  # noqa: PLR0917 -- the signature of a command is its interface
    target: MaybeTarget = None,
    state: Annotated[
        str | None, typer.Option(help="delivered, no_change, not_subscribed, undone, skipped or dead.")
    ] = None,
    golden: MaybeGolden = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List what became of messages, newest first."""
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import reading
    from mdm.delivery.orders import outcome_lines
    from mdm.delivery.orders_model import Past
    from mdm.ids import GoldenId

    if state is not None:
        _require(state, _OUTCOMES, "--state")
    golden_id = GoldenId(golden) if golden else None
    first, last = _range(since, until)
    asked = Past(golden_id, cast("OutcomeKind | None", state), first, last)
    with session() as hub, reading(hub.engine) as connection:
        found = outcome_lines(connection, _targets(connection, target), asked, limit=limit)
    if as_json:
        print_lines(found)
        return
    rows = [
        (
            f"{one.recorded_at:%Y-%m-%d %H:%M:%S}",
            one.target_id,
            one.golden_id,
            one.version,
            one.outcome,
            one.attempts or "",
            one.reason,
        )
        for one in found
    ]
    print_list(["when", "target", "golden id", "version", "outcome", "attempts", "why"], rows, of="deliveries")


@app.command("replay")
def replay(  # noqa: PLR0917 -- the signature of a command is its interface
    target: OneTarget,
    reason: Reason,
    golden: MaybeGolden = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Tell a target again: all that is dead; or one golden record, or what it was told or gave up in a range."""
    from mdm.delivery.orders_model import Asked
    from mdm.ids import GoldenId

    first, last = _range(since, until)
    asked = Asked(GoldenId(golden) if golden else None, first, last)
    _order(target, "replay", asked, reason, is_dry=dry_run, as_json=as_json)


@app.command("skip")
def skip(
    target: OneTarget,
    reason: Reason,
    state: Annotated[str, typer.Option(help="What is left out: dead, failing, waiting, or any of these.")] = "dead",
    golden: MaybeGolden = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Leave out what a target was not told: it hears of these golden records when they change again."""
    from mdm.delivery.orders_model import Asked
    from mdm.ids import GoldenId

    _require(state, _SKIPPED, "--state")
    asked = Asked(GoldenId(golden) if golden else None, state=cast("SkipFilter", state))
    _order(target, "skip", asked, reason, is_dry=dry_run, as_json=as_json)


def _order(target: str, kind: "OrderKind", asked: "Asked", reason: str, *, is_dry: bool, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import reading, run
    from mdm.delivery import orders

    act = orders.replay if kind == "replay" else orders.skip
    with session() as hub:
        if is_dry:
            with reading(hub.engine) as connection:
                count = orders.reach(connection, target, kind, asked)
            told = {"dry_run": True, "target_id": target, "kind": kind, "lanes": count}
        else:
            order = run(hub.engine, lambda connection: act(connection, target, asked, reason=reason, who=who()))
            count, told = order.lanes, {"id": order.id, "target_id": target, "kind": kind, "lanes": order.lanes}
    if as_json:
        print_json(told)
        return
    verb = {"replay": "told again", "skip": "left out"}[kind]
    records = "golden record" if count == 1 else "golden records"
    if not count:
        print_text(f"nothing is {verb}: no golden record of {target} fits")
    else:
        print_text(f"{count:,} {records} {'would be' if is_dry else 'will be' if kind == 'replay' else 'are'} {verb}")


def _targets(connection: "Connection", target: str | None) -> "Sequence[str]":
    """Name the targets that are meant; raises TargetUnknown."""
    from mdm.errors import TargetUnknown
    from mdm.publishing.file_target import targets

    known = [one.id for one in targets(connection)]
    if target is not None and target not in known:
        raise TargetUnknown(target)
    return known if target is None else [target]


def _range(since: str | None, until: str | None) -> "tuple[datetime | None, datetime | None]":
    from mdm.cli.options import parse_instant

    is_day = since is not None and "T" not in since and " " not in since
    return parse_instant(f"{since}T00:00:00Z" if is_day else since, "--since"), parse_instant(until, "--until")


def _require(given: str, known: "Sequence[str]", option: str) -> None:
    if given not in known:
        raise typer.BadParameter(f"choose {', '.join(known[:-1])} or {known[-1]}", param_hint=option)
