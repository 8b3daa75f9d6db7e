"""`mdm sources`: register and list source instances."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson

app = typer.Typer(help="Source instances: the installations that records come from.", no_args_is_help=True)


@app.command("add")
def add(
    source: Annotated[str, typer.Argument(help="Id of the instance, for ever: salesforce-us.", metavar="ID")],
    system: Annotated[str | None, typer.Option(help="Kind of system; left out: what the id begins with.")] = None,
    title: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    rank: Annotated[int, typer.Option(min=1, help="Trust among the sources; 1 is trusted most.")] = 100,
    duplicate_free: Annotated[bool, typer.Option(help="The source promises to hold each thing once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register a source instance, or change its title, rank and promise."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.sources.model import SourceInstance
    from mdm.sources.service import register
    from mdm.sources.vendors import system_of

    instance = SourceInstance(source, system or system_of(source), title or source, rank, duplicate_free)
    with session() as hub:
        run(hub.engine, lambda connection: register(connection, instance, who=who()))
    if as_json:
        print_json(instance)
    else:
        print_text(f"{instance.id} is registered as a {instance.system}, rank {instance.rank}")


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
        columns = ["id", "system", "title", "rank", "duplicate free"]
        rows = [(each.id, each.system, each.title, each.rank, "yes" if each.duplicate_free else "") for each in found]
        print_table(columns, rows)
