"""`mdm targets`: who is told of golden records."""

from pathlib import Path
from typing import Annotated

import typer

from mdm.cli.options import AsJson

app = typer.Typer(help="Targets: where golden records are written back to.", no_args_is_help=True)
add_app = typer.Typer(help="Add a target.", no_args_is_help=True)
app.add_typer(add_app, name="add")


@add_app.callback()
def add() -> None:
    """Add a target."""


@add_app.command("file")
def add_file(
    target: Annotated[str, typer.Argument(help="Id of the target, as erp-files.", metavar="ID")],
    folder: Annotated[Path, typer.Argument(help="Folder for one CSV per source instance and entity type.")],
    entity: Annotated[
        list[str] | None, typer.Option("--entity", "-e", help="Only this entity type; repeat it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a folder that gets each system's own keys with golden ids, resolved references and golden values."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.publishing.file_target import add_target

    with session() as hub:
        types = [hub.entity_type(name).name for name in entity or sorted(hub.declared)]
        added = run(hub.engine, lambda connection: add_target(connection, target, folder, types, who=who()))
    if as_json:
        print_json(added)
    else:
        print_text(f"{added.id} gets {', '.join(added.entity_types)} in {added.configuration['folder']}")
        print_text("`mdm sync` writes the files.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the targets."""
    from mdm.cli.output import print_lines, print_table
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.publishing.file_target import targets

    with session() as hub:
        found = run(hub.engine, targets)
    if as_json:
        print_lines(found)
    else:
        rows = ((each.id, each.kind, ", ".join(each.entity_types), each.configuration.get("folder")) for each in found)
        print_table(["id", "kind", "entity types", "folder"], rows)
