"""`mdm targets backfill` and `mdm targets drift`: match what a target holds, compare it with what it should hold."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson
from mdm.cli.targets import app

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from mdm.reconciliation.model import Aim, Report

_FINDINGS = {
    "known": "records whose key the hub knows",
    "linked": "records linked by their external id",
    "match_key": "records linked by the key to match on",
    "matched": "records matched by the path",
    "possible_match": "records that a steward is asked about",
    "ambiguous": "records with the same key as several golden records",
    "unknown": "records that the hub does not know",
    "rejected": "records that cannot be taken",
    "left_alone": "records left alone",
    "created": "records to be made",
    "filled": "records with fields to be filled",
    "updated": "records with fields to be written",
    "named": "records to be given their golden id as external id",
    "deactivated": "records to be taken out of use",
    "merged": "records to be merged away",
    "reactivated": "records to be taken into use again",
    "released": "records that let go of the id of another golden record",
    "waits_for_review": "golden records that wait for a review",
    "waits_for_parent": "golden records that wait for what they point at",
    "waits_for_id": "golden records whose id is borne by the record of another one",
    "reserved": "golden records that somebody else is about to make there",
    "not_told": "golden records it is not told of",
    "as_it_is": "golden records that stand there as they should",
    "compared": "records compared",
    "missed": "not told there",
    "edited": "edited there",
    "lost": "not there, or out of use",
    "lost_too_many": "lost, too many to end them unasked",
    "forwarded": "bear the id of another golden record",
    "unnamed": "bear no external id",
    "waiting": "on their way",
    "left_out": "left out by an order",
    "ordered": "golden records told again",
}
_EXAMPLES_SHOWN = 5
Id = Annotated[str, typer.Argument(help="Id of the target.", metavar="ID")]


@app.command("backfill")
def backfill(
    target: Id,
    apply: Annotated[bool, typer.Option("--apply", help="Do what the plan said, and let the target run.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Order it, for a worker to do.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Show the newest: how far it is, or what it came to.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel what was ordered; it ends at a page.")] = False,
    as_json: AsJson = False,
) -> None:
    """Match the records of a target with golden records before anything is written there; without --apply, plan it."""
    if sum((later, last, cancel)) > 1 or (apply and (last or cancel)):
        raise typer.BadParameter("--later, --last and --cancel go one at a time, and --apply only with --later")
    if later:
        _order(target, "applied" if apply else "planned", as_json=as_json)
    elif last:
        _show_last(target, as_json=as_json)
    elif cancel:
        _cancel(target, as_json=as_json)
    else:
        _backfill_now(target, apply=apply, as_json=as_json)


def _backfill_now(target: str, *, apply: bool, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_text, progress
    from mdm.cli.session import session, who
    from mdm.db.transaction import reading, run
    from mdm.delivery.connect import open_records
    from mdm.delivery.orders import target_line
    from mdm.jobs.backfill import Around, apply_backfill, plan_backfill
    from mdm.reconciliation.service import require_records

    plan = None
    with session() as hub:
        declaration = run(hub.engine, lambda connection: require_records(connection, target))
        with open_records(hub, declaration) as system, progress("reading") as shown:

            def on_page(entity_type: str, count: int) -> None:
                shown.update(shown.task_ids[0], description=f"{entity_type}: {count:,} records")

            if apply:
                plan, report = apply_backfill(hub, target, system, who=who(), around=Around(on_page))
            else:
                report = plan_backfill(hub, target, system, who=who(), around=Around(on_page))
        with reading(hub.engine) as connection:
            standing = target_line(connection, target).standing
    if as_json:
        print_json({"report": report, "plan": plan})
        return
    _print(report)
    if plan is None:
        print_text(f"\nNothing was written. `mdm targets backfill {target} --apply` does it.")
        return
    differing = list(_differences(plan, report))
    print_text("\nAs planned." if not differing else "\nOtherwise than planned:")
    for line in differing:
        print_text(f"  {line}")
    if standing is not None and standing.state == "draining":
        print_text(f"{target} is draining: what it lacks is written now, by `mdm worker`; then it is paused.")
        return
    if standing is not None and standing.state != "running":
        print_text(f"{target} is {standing.state}: what it lacks is written once it is resumed.")
        print_text(f"  mdm targets resume {target} --reason …")
        return
    print_text(f"{target} runs: what it lacks is written now, by `mdm worker`.")


def _order(target: str, aim: "Aim", *, as_json: bool) -> None:
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.reconciliation import backfills

    with session() as hub:
        report = run(hub.engine, lambda connection: backfills.order(connection, target, aim, who=who()))
    _tell(report, as_json=as_json)


def _show_last(target: str, *, as_json: bool) -> None:
    from mdm.cli.session import session
    from mdm.db.transaction import reading
    from mdm.reconciliation import backfills

    with session() as hub, reading(hub.engine) as connection:
        report = backfills.require_newest(connection, target)
    _tell(report, as_json=as_json)


def _cancel(target: str, *, as_json: bool) -> None:
    from mdm.cli.output import tell
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.reconciliation import backfills

    def act(connection: "Connection") -> "tuple[Report | None, Report]":
        return backfills.newest(connection, target), backfills.cancel(connection, target, who=who())

    with session() as hub:
        before, report = run(hub.engine, act)
    if before == report:
        tell(f"Nothing was cancelled: no backfill of {target} is under way. This is the newest:")
    _tell(report, as_json=as_json)


def _tell(report: "Report", *, as_json: bool) -> None:
    """Say how a backfill stands: what it found once it is done, else how far it is or why it ended."""
    from mdm.cli.output import print_json, print_text

    if as_json:
        print_json(report)
        return
    at, target = report.progress, report.target_id
    of = "its plan" if report.aim == "planned" else "what was planned, for good"
    if report.state == "ordered":
        print_text(f"{report.id} waits for `mdm worker`: {of}, ordered by {report.who}.")
        print_text(f"`mdm targets backfill {target} --last` shows how far it is, `--cancel` ends it.")
    elif report.state == "reading":
        print_text(f"{report.id} is read: {of}, ordered by {report.who}.")
        if at is not None:
            print_text(f"{at.entity_type}, {at.type_number} of {at.types_count}: {at.records_count:,} records so far.")
    elif report.state in {"planned", "applied"}:
        _print(report)
        print_text(f"\n{report.id} was {report.state}, asked for by {report.who}.")
    elif report.state == "cancelled":
        print_text(f"{report.id} was cancelled by {report.reason}.")
    else:
        print_text(f"{report.id} failed: {report.reason}.")


@app.command("drift")
def drift(
    target: Id,
    repair: Annotated[
        Literal["none", "republish", "ingest"] | None,
        typer.Option("--repair", help="Mend what differs; left out: only say it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare a target with what it should hold; exit code 4 when it differs and nothing was done about it."""
    from mdm.cli.output import print_json, print_text, progress
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.delivery.connect import open_records
    from mdm.jobs.backfill import Around
    from mdm.jobs.reconcile import reconcile
    from mdm.reconciliation.model import DRIFT
    from mdm.reconciliation.service import require_records

    with session() as hub:
        declaration = run(hub.engine, lambda connection: require_records(connection, target))
        with open_records(hub, declaration) as system, progress("reading") as shown:

            def on_page(entity_type: str, count: int) -> None:
                shown.update(shown.task_ids[0], description=f"{entity_type}: {count:,} records")

            report = reconcile(hub, target, system, who=who(), repair=repair or "none", around=Around(on_page))
    count = report.total(*DRIFT)
    if as_json:
        print_json(report)
    else:
        _print(report)
        if not count:
            print_text(f"\n{target} holds what it should.")
        elif report.state == "repaired":
            print_text("\nWhat was to be delivered is; the rest is written now, by `mdm worker`.")
        else:
            print_text(f"\n`mdm targets drift {target} --repair republish` or `ingest` mends it.")
    if count and report.state != "repaired":
        raise typer.Exit(ExitCode.FOUND)


def _print(report: "Report") -> None:
    from mdm.cli.output import print_table, print_text

    rows = [
        (name, _FINDINGS.get(finding, finding), f"{count:,}", _shown(report, name, finding))
        for name, found in sorted(report.counts.items())
        for finding, count in sorted(found.items(), key=lambda pair: list(_FINDINGS).index(pair[0]))
        if count
    ]
    if rows:
        print_table(["entity type", "what", "count", "as"], rows)
    else:
        print_text("There is nothing.")


def _shown(report: "Report", entity_type: str, finding: str) -> str:
    examples = report.examples.get(entity_type, {}).get(finding, ())
    shown = [str(one.get("record") or one.get("golden_id") or "") for one in examples[:_EXAMPLES_SHOWN]]
    return ", ".join(filter(None, shown))


def _differences(plan: "Report", done: "Report") -> "Iterable[str]":
    for name in sorted({*plan.counts, *done.counts}):
        before, after = plan.counts.get(name, {}), done.counts.get(name, {})
        for finding in sorted({*before, *after}):
            if before.get(finding, 0) != after.get(finding, 0):
                words = _FINDINGS.get(finding, finding)
                yield f"{name}, {words}: {before.get(finding, 0):,} planned, {after.get(finding, 0):,} found"
