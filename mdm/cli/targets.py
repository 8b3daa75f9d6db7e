"""`mdm targets`: who is told of golden records, declared in files or as folders, and how each stands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mdm.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from mdm.delivery.changes import Applied
    from mdm.delivery.model import Standing, StandingState
    from mdm.delivery.orders_model import TargetLine
    from mdm.publishing.model import Target

Id = Annotated[str, typer.Argument(help="Id of the target.", metavar="ID")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands with the target.")]

app = typer.Typer()
add_app = typer.Typer(help="Add a target.", no_args_is_help=True)
app.add_typer(add_app, name="add")


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(help="YAML declaration of a target.", metavar="FILE")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add or change a target by its declaration; `mdm schema target` describes the file."""
    from mdm.cli.output import print_json, tell
    from mdm.cli.session import session, who
    from mdm.db.transaction import reading, run
    from mdm.delivery.targets import apply_declaration, preview_declaration, read_target

    with session() as hub:
        declaration, content = read_target(hub, file)
        if dry_run:
            with reading(hub.engine) as connection:
                applied = preview_declaration(connection, declaration, content)
        else:
            applied = run(hub.engine, lambda c: apply_declaration(c, declaration, content, who=who()))
    if as_json:
        print_json({"dry_run": dry_run, "applied": applied})
        return
    _tell_applied(applied, is_dry=dry_run)
    for warning in applied.warnings:
        tell(f"Warning: {warning}")


@add_app.callback()
def add() -> None:
    """Add a target."""


@add_app.command("file")
def add_file(
    target: Annotated[str, typer.Argument(help="Id of the target, as erp-files.", metavar="ID")],
    folder: Annotated[Path, typer.Argument(help="Folder for one CSV per source instance and entity type.")],
    entity: Annotated[
        list[str] | None,
        typer.Option("--entity", "-e", help="Only this entity type; repeat it. Left out: all, also later ones."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a folder that gets each system's own keys with golden ids, resolved references and golden values."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.publishing.file_target import add_target, targets

    with session() as hub:
        types = [hub.entity_type(name).name for name in entity or sorted(hub.declared)]

        def act(connection: "Connection") -> "tuple[Target | None, Target]":
            known = {one.id: one for one in targets(connection)}.get(target)
            return known, add_target(connection, target, folder, types, who=who(), follows_new_types=not entity)

        known, added = run(hub.engine, act)
    if as_json:
        print_json(added)
    elif known == added:
        print_text(f"{added.id} exists already; nothing changed")
    else:
        if known is not None and known.configuration["folder"] != added.configuration["folder"]:
            print_text(f"{added.id} leaves {known.configuration['folder']}; the files there stay as they are")
        print_text(f"{added.id} gets {', '.join(added.entity_types)} in {added.configuration['folder']}")
        print_text("`mdm sync` writes the files.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the targets: how each stands, and how many golden records it has yet to be told of."""
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import reading
    from mdm.delivery.orders import target_lines

    with session() as hub, reading(hub.engine) as connection:
        found = target_lines(connection)
    if as_json:
        print_lines(found)
        return
    rows = [
        (
            line.id,
            line.kind,
            _listed_state(line),
            f"{line.depth.waits:,}",
            f"{line.depth.dead:,}",
            _seconds(line.oldest_s),
            ", ".join(line.entity_types),
        )
        for line in found
    ]
    print_list(["id", "kind", "state", "waits", "dead", "late by", "entity types"], rows, of="targets")


@app.command("show")
def show(target: Id, as_json: AsJson = False) -> None:
    """Show one target: its declaration, how it stands, and what waits for it."""
    from mdm.cli.output import print_json
    from mdm.cli.session import session
    from mdm.db.transaction import reading
    from mdm.delivery.orders import target_line

    with session() as hub, reading(hub.engine) as connection:
        found = target_line(connection, target)
    if as_json:
        print_json(found)
    else:
        _print_target(found)


@app.command("pause")
def pause(target: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Tell a target nothing until it is resumed; what changes meanwhile waits."""
    _let_stand(target, "paused", reason, as_json=as_json)


@app.command("resume")
def resume(target: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Tell a target again that was paused, stopped or disabled, or that rests: it is asked at once."""
    _let_stand(target, "running", reason, as_json=as_json)


@app.command("drain")
def drain(target: Id, reason: Reason, as_json: AsJson = False) -> None:
    """Tell a target what waits now, then pause it."""
    _let_stand(target, "draining", reason, as_json=as_json)


@app.command("remove")
def remove(
    target: Id,
    yes: Annotated[
        bool, typer.Option("--yes", help="Forget also what a declared target holds and was told of.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a target and what waits for it; its records stay, and so do files that were written."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.delivery.orders import target_line
    from mdm.publishing.file_target import remove_target

    with session() as hub:
        kind = run(hub.engine, lambda connection: target_line(connection, target)).kind
        if kind != "file" and not yes:
            raise typer.BadParameter(
                f"{target} is declared; what it holds and was told of would be forgotten too. `mdm targets pause`"
                " keeps it; --yes removes it",
                param_hint="--yes",
            )
        run(hub.engine, lambda connection: remove_target(connection, target, who=who()))
    if as_json:
        print_json({"id": target, "state": "removed"})
    else:
        print_text(f"{target} is removed; its {'files' if kind == 'file' else 'records'} stay")


def _let_stand(target: str, state: "StandingState", reason: str, *, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.delivery.targets import let_stand

    with session() as hub:
        standing = run(hub.engine, lambda c: let_stand(c, target, state, reason=reason, who=who()))
    if as_json:
        print_json(standing)
    else:
        print_text(_stands(standing))


def _stands(standing: "Standing") -> str:
    if standing.state != "backfill":
        return f"{standing.target_id} is {standing.state}"
    then = standing.after.state if standing.after is not None else "running"
    return f"{standing.target_id} waits for its backfill, and is {then} after it"


def _tell_applied(applied: "Applied", *, is_dry: bool) -> None:
    from mdm.cli.output import as_json, print_text

    would = "would be " if is_dry else "is "
    print_text(f"{applied.target_id} {would}{applied.change}")
    for one in applied.differences:
        print_text(f"  {one.place}: {_written(as_json, one.before)} -> {_written(as_json, one.after)}")
    if applied.queued:
        print_text(f"{applied.queued:,} golden records {'would wait' if is_dry else 'wait'} to be told")
    if applied.state != "running" or not is_dry:
        print_text(_next_step(applied))
    if applied.change == "changed" and any(one.place.startswith("records.") for one in applied.differences):
        print_text(
            "What was told before stays as it was told until its golden record changes; to bring all in line:"
            f" mdm targets drift {applied.target_id} --repair republish"
        )


def _next_step(applied: "Applied") -> str:
    """Say who tells the target now, or why nobody does, and what ends that."""
    target, resume = applied.target_id, f"mdm targets resume {applied.target_id} --reason …"
    match applied.state:
        case "running":
            return "`mdm worker`, or `mdm serve`, tells it."
        case "backfill":
            records = f"its records of {', '.join(applied.new_types)}" if applied.needs_backfill else "its records"
            then = f"; then it is {applied.after.state}" if applied.after is not None else ""
            return f"Nothing is written until {records} are matched{then}: mdm targets backfill {target}"
        case "draining":
            return f"It is draining: what waits is told, then it is paused. To let it run: {resume}"
        case "paused":
            return f"It is paused, and told nothing until it is resumed: {resume}"
        case state:
            return f"It is {state}, and told nothing; `mdm targets show {target}` says why. Once it is mended: {resume}"


def _written(as_json: "Any", value: "Any") -> str:
    return "(not there)" if value is None else as_json(value)


def _print_target(line: "TargetLine") -> None:
    from mdm.cli.output import print_facts, print_text

    standing, depth = line.standing, line.depth
    print_facts(
        {
            "target": line.id,
            "title": line.title if line.title != line.id else None,
            "kind": line.kind,
            "entity types": ", ".join(line.entity_types),
            "state": _state(line) if standing is not None else None,
            "because": standing.reason or None if standing is not None else None,
            "after backfill": f"{standing.after.state}: {standing.after.reason}"
            if standing is not None and standing.after is not None
            else None,
            "since": f"{standing.since:%Y-%m-%d %H:%M} UTC by {standing.who}" if standing is not None else None,
            "told again": f"from {line.told_again_at:%Y-%m-%d %H:%M} UTC" if line.told_again_at is not None else None,
            "does not answer": _failures(line),
            "answered last": f"{standing.succeeded_at:%Y-%m-%d %H:%M:%S} UTC"
            if standing is not None and standing.succeeded_at
            else None,
            "ready": f"{depth.ready:,}" + (f", {depth.failing:,} of them after a failure" if depth.failing else ""),
            "waiting": f"{depth.waiting:,} for another record or version" if depth.waiting else None,
            "dead": f"{depth.dead:,}: mdm deliveries list --target {line.id} --state dead" if depth.dead else None,
            "late by": _seconds(line.oldest_s) or None,
        }
    )
    print_text("")
    _print_content(line.configuration)


def _state(line: "TargetLine") -> str:
    if line.standing is None:
        return "files"
    return f"{line.standing.state}, failing" if line.standing.is_failing else line.standing.state


def _listed_state(line: "TargetLine") -> str:
    again = f", told again from {line.told_again_at:%Y-%m-%d %H:%M} UTC" if line.told_again_at is not None else ""
    return f"{_state(line)}{again}"


def _failures(line: "TargetLine") -> str | None:
    standing = line.standing
    if standing is None or not standing.failures:
        return None
    until = f", rests until {standing.opens_at:%H:%M:%S} UTC" if standing.opens_at else ""
    reason = f": {standing.failure_reason}" if standing.failure_reason else ""
    plural = "" if standing.failures == 1 else "s"
    what = f"attempt{plural} to open it" if standing.failure_kind == "unopened" else f"call{plural}"
    return f"{standing.failures} {what} in a row{until}{reason}"


def _print_content(content: "Mapping[str, Any]", depth: int = 0) -> None:
    """Print a declaration as it would stand in a file."""
    from mdm.cli.output import as_json, print_text

    for name, part in content.items():
        margin = "  " * depth
        if isinstance(part, dict) and part:
            print_text(f"{margin}{name}:")
            _print_content(part, depth + 1)
        else:
            print_text(f"{margin}{name}: {part if isinstance(part, str) else as_json(part)}")


def _seconds(seconds: float | None) -> str:
    """Say a duration in its two largest units."""
    if seconds is None:
        return ""
    minutes, hours, days = int(seconds // 60), int(seconds // 3_600), int(seconds // 86_400)
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {int(seconds) % 60} s" if minutes else f"{seconds:.1f} s"
