"""How far somebody may look: entity types, and of each the source instances. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from mdm.access.model import Principal, Verb


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be shown: of each entity type all sources (None) or some; an entity type that is left out is not."""

    sources_by_type: Mapping[str, frozenset[str] | None]

    @classmethod
    def none(cls, entity_types: Iterable[str]) -> Self:
        """Set no limit: everything of these entity types."""
        return cls(MappingProxyType(dict.fromkeys(entity_types)))

    @classmethod
    def of(cls, principal: Principal, verb: Verb, entity_types: Iterable[str]) -> Self:
        """Set the limits that the scopes of a principal set to a verb."""
        sources = {name: principal.sources(verb, name) for name in entity_types}
        return cls(MappingProxyType({name: few for name, few in sources.items() if few is None or few}))

    @property
    def entity_types(self) -> tuple[str, ...]:
        """Name the entity types of which anything may be shown."""
        return tuple(sorted(self.sources_by_type))

    @property
    def few_sources(self) -> dict[str, frozenset[str]]:
        """Give the sources of those entity types that are limited to some."""
        return {name: few for name, few in self.sources_by_type.items() if few is not None}

    @property
    def whole_types(self) -> tuple[str, ...]:
        """Name the entity types of which every source may be shown."""
        return tuple(sorted(name for name, few in self.sources_by_type.items() if few is None))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Name (entity type, source) of those entity types that are limited to some sources."""
        return tuple(sorted((name, source) for name, few in self.few_sources.items() for source in few))

    def reaches(self, source: str) -> bool:
        """Tell whether anything of a source may be shown."""
        return any(few is None or source in few for few in self.sources_by_type.values())

    def to_type(self, entity_type: str | None) -> "Limits":
        """Look at one entity type only; None means at all of these."""
        if entity_type is None:
            return self
        return Limits({name: few for name, few in self.sources_by_type.items() if name == entity_type})

    def shows(self, entity_type: str, source: str) -> bool:
        """Tell whether a record of this entity type and source may be shown."""
        if entity_type not in self.sources_by_type:
            return False
        few = self.sources_by_type[entity_type]
        return few is None or source in few
