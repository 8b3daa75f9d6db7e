"""A view for reports for each declared entity type, with a typed column for each attribute.

Entity types are declared at run time, so their views are made then: `mdm schema views --apply`. A view that is as the
declaration wants it is left alone, with the rights that were given on it.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from mdm.entities.model import Attribute, EntityType
from mdm.errors import Conflict
from mdm.publishing import views_store

SCHEMA: Final = "mdm_views"
FIXED: Final = frozenset({"golden_record_current", "crosswalk", "golden_history", "forwards", "reviews_open"})
"""Views that the migrations make; an entity type of such a name has another one."""
_CASTS: Final[Mapping[str, str]] = {"number": "as_number", "date": "as_day", "boolean": "as_truth"}


def view_name(entity_type: EntityType) -> str:
    """Name the view of an entity type."""
    return f"{entity_type.name}_values" if entity_type.name in FIXED else entity_type.name


def view_statement(entity_type: EntityType) -> str:
    """Write the statement that makes the view of an entity type."""
    columns = ["golden_id", "version AS golden_version", "since AS golden_since", "completeness AS golden_completeness"]
    columns += [f"{_expression(each)} AS {_quoted(each.name)}" for each in entity_type.attributes.values()]
    separator = ",\n       "
    return (
        f"CREATE VIEW {SCHEMA}.{_quoted(view_name(entity_type))} AS\n"
        f"SELECT {separator.join(columns)}\n"
        f"  FROM {SCHEMA}.golden_record_current\n"
        f" WHERE entity_type = {_literal(entity_type.name)}"
    )


def make_views(connection: Connection, declared: Mapping[str, EntityType]) -> tuple[str, ...]:
    """Make the view of every entity type that has none, or one of another declaration; return their names.

    Raises Conflict where somebody else's view is built upon one that has to change.
    """
    known = views_store.select_views(connection)
    made = []
    for entity_type in declared.values():
        name, statement = view_name(entity_type), view_statement(entity_type)
        comment = f"made from the declaration of {entity_type.name}, {hashlib.sha256(statement.encode()).hexdigest()}"
        if known.get(name, "") == comment:
            continue
        if (upon := views_store.select_built_upon(connection, name)) and name in known:
            raise Conflict(
                f"the view {SCHEMA}.{name} has to change, and {', '.join(upon)} is built upon it",
                remedy="drop what is built upon it, run this again, and make it anew",
            )
        views_store.replace_view(connection, _quoted(name), statement, _literal(comment))
        made.append(name)
    return tuple(made)


def _expression(attribute: Attribute) -> str:
    name = _literal(attribute.name)
    if attribute.is_list or attribute.semantic_type == "element":
        return f"values -> {name}"
    cast = _CASTS.get(attribute.semantic_type)
    return f"{SCHEMA}.{cast}(values ->> {name})" if cast else f"values ->> {name}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
