"""`mdm schema`: how an entity type is declared, and what the declared ones take."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson


def schema(
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="Show the attributes of this entity type.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schema of entity declarations for editors, or an entity type's attributes and their columns."""
    from mdm.cli.output import print_json, print_table, print_text
    from mdm.entities.declaration import entity_schema
    from mdm.entities.service import entity_type
    from mdm.settings import load_settings

    if entity is None:
        import json

        print_text(json.dumps(entity_schema(), indent=2, ensure_ascii=False))
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
