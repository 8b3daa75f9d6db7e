"""Which source systems and instances declarations name: in survivorship, in code lists, and where reviews go."""

from collections.abc import Iterable, Iterator

from mdm.entities.model import EntityType


def sources_named(entity_types: Iterable[EntityType]) -> frozenset[str]:
    """Collect the names of sources in declarations, lower case: systems, instances, or what their ids begin with."""
    return frozenset(name.lower() for entity_type in entity_types for name in _named(entity_type))


def _named(entity_type: EntityType) -> Iterator[str]:
    for attribute in entity_type.attributes.values():
        yield from attribute.survivorship.sources
        yield from (name for name in attribute.survivorship.options.get("trust") or () if name != "default")
    for code_list in entity_type.code_lists.values():
        yield from code_list.by_source
    for route in entity_type.reviews.routes:
        yield from route.sources
