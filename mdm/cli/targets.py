"""`mdm targets`: who is told of golden records."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mdm.publishing.model import Target

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


@app.command("remove")
def remove(
    target: Annotated[str, typer.Argument(help="Id of the target.", metavar="ID")], as_json: AsJson = False
) -> None:
    """Forget a target and what waits for it; files that were written stay."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.publishing.file_target import remove_target

    with session() as hub:
        run(hub.engine, lambda connection: remove_target(connection, target, who=who()))
    if as_json:
        print_json({"id": target, "state": "removed"})
    else:
        print_text(f"{target} is removed; its files stay")


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
