"""`mdm schema`: how entity types and targets are declared, what the declared ones take, and views for reports."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mdm.cli.options import AsJson

if TYPE_CHECKING:
    from mdm.entities.model import EntityType


def schema(
    what: Annotated[
        Literal["entity", "target", "views"],
        typer.Argument(help="entity or target: how to declare one, or an entity's attributes; views: for reports."),
    ] = "entity",
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="Show the attributes, or the view, of this entity type.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="YAML file with an entity declaration of your own, in place of --entity.")
    ] = None,
    is_matching: Annotated[
        bool,
        typer.Option(
            "--matching", help="Print its matching section as YAML, also where it is derived: to copy and edit."
        ),
    ] = False,
    is_applied: Annotated[
        bool, typer.Option("--apply", help="Make the views in the database; left out: print their SQL.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schema of declarations, an entity type's attributes or matching section, or views for reports."""
    if what == "views":
        _views(entity, is_applied=is_applied, as_json=as_json)
        return
    from mdm.cli.output import print_json, print_text
    from mdm.delivery.declaration import target_schema
    from mdm.entities.declaration import entity_schema
    from mdm.entities.matching_text import matching_section, matching_yaml
    from mdm.entities.service import entity_type, entity_type_of_file
    from mdm.settings import load_settings

    if is_matching and entity is None and model is None:
        raise typer.BadParameter("name an entity type, or a --model that declares one", param_hint="--matching")
    if entity is None and model is None:
        import json

        shape = target_schema() if what == "target" else entity_schema()
        print_text(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    folders = load_settings().entities
    found = entity_type_of_file(model, folders) if model else entity_type(entity or "", folders)
    if is_matching and as_json:
        print_json({"entity": found.name, "matching": matching_section(found.model)})
    elif is_matching:
        print_text(matching_yaml(found.model).rstrip())
    elif as_json:
        print_json({"entity": found.name, "title": found.title, "attributes": list(found.attributes.values())})
    else:
        _attributes(found)


def _attributes(found: "EntityType") -> None:
    """Print what one entity type takes."""
    from mdm.cli.output import print_table, print_text

    print_text(f"{found.title} ({found.name}), ids {found.id_prefix}_…\n")
    rows = (
        (
            each.name,
            each.semantic_type + (", list" if each.is_list else ""),
            each.code_list or "",
            ", ".join(each.columns),
        )
        for each in found.attributes.values()
    )
    print_table(["attribute", "type", "codes", "columns"], rows)


def _views(entity: str | None, *, is_applied: bool, as_json: bool) -> None:
    """Print the statements that make the views of entity types, or make those that are not as they should be."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session
    from mdm.cli.words import counted
    from mdm.db.transaction import run
    from mdm.entities.service import entity_type, entity_types
    from mdm.publishing.views import make_views, view_name, view_statement
    from mdm.settings import load_settings

    folders = load_settings().entities
    declared = {entity: entity_type(entity, folders)} if entity else entity_types(folders)
    if is_applied:
        with session() as hub:
            made = run(hub.engine, lambda connection: make_views(connection, declared))
        print_json({"made": made}) if as_json else print_text(
            f"{counted(len(made), 'view')} made in mdm_views" + "".join(f"\n  {name}" for name in made)
        )
    elif as_json:
        print_json({view_name(each): view_statement(each) for each in declared.values()})
    else:
        print_text("\n\n".join(f"{view_statement(each)};" for each in declared.values()))
