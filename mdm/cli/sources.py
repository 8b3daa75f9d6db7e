"""`mdm sources`: register and list source instances, and tell what they did to their own records."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mdm.cli import source_events
from mdm.cli.options import AsJson

if TYPE_CHECKING:
    from sqlalchemy import Connection

app = typer.Typer()


@app.command("add")
def add(
    source: Annotated[str, typer.Argument(help="Id of the instance, for ever: salesforce-us.", metavar="ID")],
    system: Annotated[
        str | None,
        typer.Option(help="Kind of system, as declarations name it: salesforce; left out: what the id begins with."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    rank: Annotated[
        int | None, typer.Option(min=1, help="Trust among the sources; 1 is trusted most, a new one has 100.")
    ] = None,
    duplicate_free: Annotated[bool | None, typer.Option(help="The source promises to hold each thing once.")] = None,
    as_json: AsJson = False,
) -> None:
    """Register a source instance, or change all of it but its id; what is not given stays."""
    from dataclasses import replace

    from mdm.cli.output import print_json, print_text, tell
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.jobs.registering import Registered, register_source
    from mdm.sources.model import SourceInstance
    from mdm.sources.service import instances
    from mdm.sources.vendors import system_of

    asked: dict[str, Any] = {"system": system, "title": title, "rank": rank, "duplicate_free": duplicate_free}
    given = {name: value for name, value in asked.items() if value is not None}

    def act(connection: "Connection") -> Registered:
        known = {one.id: one for one in instances(connection)}.get(source)
        instance = replace(known or SourceInstance(source, system_of(source), source), **given)
        return register_source(connection, hub.declared, instance, who=who())

    with session() as hub:
        done = run(hub.engine, act)
    known, instance = done.before, done.instance
    for warning in done.warnings:
        tell(f"{warning.message}; {warning.remedy}")
    if as_json:
        print_json(instance)
    elif known == instance:
        print_text(f"{instance.id} exists already; nothing changed")
    else:
        what = "is registered" if known is None else "has changed"
        print_text(f"{instance.id} {what}: {instance.title}, system {instance.system}, rank {instance.rank}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the registered source instances."""
    from mdm.cli.output import print_lines, print_table
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.sources.service import instances

    with session() as hub:
        found = run(hub.engine, instances)
    if as_json:
        print_lines(found)
    else:
        columns = ["id", "system", "title", "rank", "duplicate free", "retired"]
        rows = [
            (each.id, each.system, each.title, each.rank, "yes" if each.duplicate_free else "", each.retired_at)
            for each in found
        ]
        print_table(columns, rows)


app.command("merged")(source_events.merged)
app.command("rekeyed")(source_events.rekeyed)
app.command("migrate")(source_events.migrate)
app.command("lost")(source_events.lost)
app.command("regained")(source_events.regained)
app.command("deleted")(source_events.deleted)
app.command("retire")(source_events.retire)
app.command("reinstate")(source_events.reinstate)
app.command("events")(source_events.events)
app.command("revoke")(source_events.revoke)
app.command("life")(source_events.life)
