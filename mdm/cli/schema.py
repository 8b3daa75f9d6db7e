"""`mdm schema`: how entity types and targets are declared, what the declared ones take, and views for reports."""

from typing import Annotated, Literal

import typer

from mdm.cli.options import AsJson


def schema(
    what: Annotated[
        Literal["entity", "target", "views"],
        typer.Argument(help="entity or target: how to declare one, or an entity's attributes; views: for reports."),
    ] = "entity",
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="Show the attributes, or the view, of this entity type.")
    ] = None,
    is_applied: Annotated[
        bool, typer.Option("--apply", help="Make the views in the database; left out: print their SQL.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schema of declarations, an entity type's attributes and columns, or views for reports."""
    if what == "views":
        _views(entity, is_applied=is_applied, as_json=as_json)
        return
    from mdm.cli.output import print_json, print_table, print_text
    from mdm.delivery.declaration import target_schema
    from mdm.entities.declaration import entity_schema
    from mdm.entities.service import entity_type
    from mdm.settings import load_settings

    if entity is None:
        import json

        shape = target_schema() if what == "target" else entity_schema()
        print_text(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    found = entity_type(entity, load_settings().entities)
    if as_json:
        print_json({"entity": found.name, "title": found.title, "attributes": list(found.attributes.values())})
        return
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
