"""Records that point at what moved: children are matched anew within their parent, others only show another id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from mdm.entities.model import EntityType
from mdm.identity.model import IdentityPlan
from mdm.identity.service import GoldenLocks
from mdm.ids import GoldenId, RecordId
from mdm.sources import references_store

Id = TypeVar("Id", bound=str)
Ids = TypeVar("Ids")


@dataclass(frozen=True, slots=True)
class Follower:
    """Records of one entity type that follow a plan.

    refreshing  the plan that looks at their golden values again and changes no identity
    """

    entity_type: EntityType
    record_ids: tuple[RecordId, ...]
    golden_ids: tuple[GoldenId, ...]
    is_matched_within: bool

    @property
    def refreshing(self) -> IdentityPlan:
        """Return the plan that changes no identity, only looks at the values again."""
        return IdentityPlan(self.entity_type.name, refreshed=self.golden_ids)


def followers_of(
    connection: Connection, declared: Mapping[str, EntityType], plan: IdentityPlan, locks: GoldenLocks
) -> tuple[Follower, ...]:
    """Find who points at the records that a plan moves; those that only show its id have their golden records locked.

    A plan that moves no record has no followers, which is what ends the recursion: values alone are not followed. Nor
    has one of an entity type that no declared attribute refers to.
    """
    if not plan.moves or not _may_be_pointed_at(declared, plan.entity_type):
        return ()
    matched, shown = _pointing(connection, declared, plan)
    while locks.hold(connection, {golden_id for pairs in shown.values() for _, golden_id in pairs}):
        matched, shown = _pointing(connection, declared, plan)
    return (
        *(
            Follower(declared[name], _distinct(ids), (), is_matched_within=True)
            for name, ids in _ordered(matched, declared)
        ),
        *(
            Follower(
                declared[name],
                _distinct(record_id for record_id, _ in pairs),
                _distinct(golden_id for _, golden_id in pairs),
                is_matched_within=False,
            )
            for name, pairs in _ordered(shown, declared)
        ),
    )


def _may_be_pointed_at(declared: Mapping[str, EntityType], name: str) -> bool:
    return any(
        attribute.reference is not None and attribute.reference.entity_type == name
        for entity_type in declared.values()
        for attribute in entity_type.attributes.values()
    )


def _pointing(
    connection: Connection, declared: Mapping[str, EntityType], plan: IdentityPlan
) -> tuple[dict[str, set[RecordId]], dict[str, set[tuple[RecordId, GoldenId]]]]:
    """Find by entity type the records matched within what moved, and those that show its id only, which have theirs."""
    matched: dict[str, set[RecordId]] = {}
    shown: dict[str, set[tuple[RecordId, GoldenId]]] = {}
    rows = references_store.select_followers(connection, [move.record_id for move in plan.moves])
    for record_id, type_name, attribute, golden_id in rows:
        if type_name in declared and declared[type_name].within == attribute:
            matched.setdefault(type_name, set()).add(record_id)
        elif type_name in declared and golden_id is not None:
            shown.setdefault(type_name, set()).add((record_id, golden_id))
    left = {
        name: {pair for pair in pairs if pair[0] not in matched.get(name, ())} for name, pairs in sorted(shown.items())
    }
    return matched, {name: pairs for name, pairs in left.items() if pairs}


def _ordered(found: Mapping[str, Ids], declared: Mapping[str, EntityType]) -> list[tuple[str, Ids]]:
    """Put what others point at first, the order in which golden records are locked."""
    return [(name, found[name]) for name in declared if name in found]


def _distinct(ids: Iterable[Id]) -> tuple[Id, ...]:
    return tuple(sorted(set(ids)))
