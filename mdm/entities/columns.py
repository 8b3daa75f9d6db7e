"""Which attribute a source's column fills.

Names are folded (case, blanks and punctuation do not count), so "Account Name", account_name and AccountName are
one column. Columns that tell whose record a row is (id, source, object, scope, source_time), and whether it is still
there (deleted, merged_into), belong to the record, not to its attributes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, TypeAlias

from mdm.entities.code_lists import fold
from mdm.entities.model import EntityType

RecordColumn: TypeAlias = Literal["id", "source", "object", "scope", "source_time", "deleted", "merged_into"]

_RECORD_COLUMNS: Mapping[RecordColumn, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("id", "record id", "native id", "source key", "internal id", "key"),
        "source": ("source", "source system", "source instance", "instance", "system"),
        "object": ("object", "source object"),
        "scope": ("scope", "dataAreaId", "data area"),
        "source_time": (
            "source time",
            "updated at",
            "modified at",
            "last modified",
            "last modified date",
            "LastModifiedDate",
            "SystemModstamp",
            "modified date",
            "last updated",
        ),
        "deleted": ("IsDeleted",),
        # Salesforce, Xero, Dataverse, our own; filled on the loser of a merge alone.
        "merged_into": ("MasterRecordId", "MergedToContactID", "_masterid_value", "merged into"),
    }
)
_MAPPED_BY_HAND = -1


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """State that a column fills an attribute: the lower, the sooner. `prefix` counts the prefixes of its group."""

    prefix: int
    position: int
    attribute: str


@lru_cache(maxsize=8192)
def column_key(column: str) -> str:
    """Fold a column's name; rows repeat their columns, so the answer is remembered."""
    return fold(column)


def record_column(column: str) -> RecordColumn | None:
    """Tell which part of the source key or time a column holds, None for all others."""
    return _record_columns().get(column_key(column))


def claim(entity_type: EntityType, column: str, column_map: Mapping[str, str]) -> Claim | None:
    """Find the attribute that a column fills; a column mapped by hand to "" fills none."""
    if column in column_map:
        name = column_map[column]
        return Claim(_MAPPED_BY_HAND, 0, name) if name in entity_type.attributes else None
    return _claims(entity_type).get(column_key(column))


def columns_by_attribute(
    entity_type: EntityType, columns: Iterable[str], column_map: Mapping[str, str] = MappingProxyType({})
) -> dict[str, tuple[str, ...]]:
    """Assign the columns of a whole file: attribute → its columns, preferred first; a group from one prefix."""
    claimed = [(found, column) for column in columns if (found := claim(entity_type, column, column_map)) is not None]
    chosen: dict[str, list[tuple[Claim, str]]] = {}
    for found, column in sorted(claimed):
        chosen.setdefault(found.attribute, []).append((found, column))
    for names in entity_type.groups.values():
        prefix = min((chosen[name][0][0].prefix for name in names if name in chosen), default=None)
        for name in names:
            kept = [pair for pair in chosen.get(name, ()) if pair[0].prefix == prefix]
            if kept:
                chosen[name] = kept
    return {name: tuple(column for _, column in chosen[name]) for name in entity_type.attributes if name in chosen}


def closest_types(declared: Mapping[str, EntityType], columns: Iterable[str], given: str) -> tuple[str, ...]:
    """Name the entity types that have most attributes for these columns, where that is more than the given one has."""
    names = tuple(columns)
    counts = {name: len(columns_by_attribute(one, names)) for name, one in sorted(declared.items())}
    most = max(counts.values())
    return tuple(name for name, count in counts.items() if count == most) if most > counts.get(given, 0) else ()


@lru_cache(maxsize=1)
def _record_columns() -> Mapping[str, RecordColumn]:
    return {fold(name): part for part, names in _RECORD_COLUMNS.items() for name in names}


@lru_cache(maxsize=64)
def _claims(entity_type: EntityType) -> Mapping[str, Claim]:
    """Give the best claim on each folded column name; an attribute's own name comes before its other columns."""
    claims: dict[str, Claim] = {}
    for attribute in entity_type.attributes.values():
        prefixes = entity_type.prefixes[attribute.group] if attribute.group else ("",)
        for rank, prefix in enumerate(prefixes):
            for position, column in enumerate((attribute.name, *attribute.columns)):
                found = Claim(rank, position, attribute.name)
                key = fold(prefix + column)
                claims[key] = min(claims.get(key, found), found)
    return claims
