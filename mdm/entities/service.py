"""The entity types of this installation: those that ship with the hub, and those of the user's folders."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matching.comparators import COMPARATORS
from matching.standardise import FORMS
from matching.transforms import TRANSFORMS
from mdm.entities.code_lists import read_code_lists
from mdm.entities.document import read_document
from mdm.entities.loader import declared_contents, load_entity_types
from mdm.entities.model import CodeList, EntityType
from mdm.errors import EntityDeclarationInvalid, EntityTypeUnknown

DEFINITIONS = Path(__file__).parent / "definitions"


def entity_types(folders: Sequence[Path] = ()) -> Mapping[str, EntityType]:
    """Give every entity type by name, the user's folders having the last word; read once a process.

    What others point at comes first: the order in which a change goes from type to type.

    raises  EntityDeclarationInvalid with every fault: file, line, what is wrong, what to write instead
    """
    return _loaded(tuple(Path(folder).absolute() for folder in folders))


def entity_type(name: str, folders: Sequence[Path] = ()) -> EntityType:
    """Give one entity type, or say that there is none of this name."""
    known = entity_types(folders)
    if name not in known:
        raise EntityTypeUnknown(name, remedy=f"use one of {', '.join(sorted(known))}, or declare it in a YAML file")
    return known[name]


def entity_type_of_file(path: Path, folders: Sequence[Path] = ()) -> EntityType:
    """Give the entity type that one YAML file declares, beside those of the folders, in whose place it comes."""
    document, faults = read_document(path)
    if document is None:
        raise EntityDeclarationInvalid([str(fault) for fault in faults])
    return entity_types((*folders, path))[str(document.content.get("entity"))]


def entity_type_uncached(name: str, folders: Sequence[Path]) -> EntityType | None:
    """Read one entity type anew, of folders or files that nobody will ask for again; None when there is none.

    raises  EntityDeclarationInvalid with every fault
    """
    return _load((DEFINITIONS, *folders)).get(name)


def declaration_of(name: str, folders: Sequence[Path] = ()) -> Mapping[str, Any]:
    """Give the declaration of an entity type as plain content, as it stands in the file that has the last word."""
    content: dict[str, Any] = declared_contents((DEFINITIONS, *folders))[name]
    return content


def code_lists(folders: Sequence[Path] = ()) -> Mapping[str, CodeList]:
    """Give every code list by name, the user's folders adding to those that ship with the hub."""
    found = read_code_lists((DEFINITIONS, *folders))
    if found.faults:
        raise EntityDeclarationInvalid([str(fault) for fault in found.faults])
    return found.lists


@lru_cache(maxsize=16)
def _loaded(folders: tuple[Path, ...]) -> Mapping[str, EntityType]:
    return MappingProxyType(_by_dependency(_load((DEFINITIONS, *folders))))


def _load(folders: Sequence[Path]) -> Mapping[str, EntityType]:
    return load_entity_types(
        folders,
        forms=frozenset(FORMS),
        comparators=frozenset(COMPARATORS),
        transforms=frozenset(TRANSFORMS),
    )


def _by_dependency(found: Mapping[str, EntityType]) -> Mapping[str, EntityType]:
    """Order entity types by name, each after those that it points at; a circle is cut at its first name."""
    waiting = dict(sorted(found.items()))
    ordered: dict[str, EntityType] = {}
    while waiting:
        names = [name for name, one in waiting.items() if not (one.points_at & waiting.keys()) - {name}]
        for name in names or [min(waiting)]:
            ordered[name] = waiting.pop(name)
    return ordered
