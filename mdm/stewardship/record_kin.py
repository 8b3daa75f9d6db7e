"""What stands around one golden record: its hierarchy, what it is to others by decision, and what points at it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from mdm.entities.model import EntityType
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.stewardship import record_store
from mdm.stewardship.card_model import TEXT_LENGTH_MAX, Named
from mdm.stewardship.record import name_all, named
from mdm.stewardship.record_model import (
    FAMILY_MAX,
    GENERATIONS_MAX,
    RELATIONS_MAX,
    Kin,
    Pointing,
    PointingPage,
    Related,
)
from mdm.stewardship.relations import relations_of
from mdm.survivorship import store as survivorship_store


def pointing_at(
    hub: Hub, connection: Connection, golden_id: GoldenId, entity_type: EntityType, *, before: str = "", limit: int
) -> PointingPage | None:
    """List golden records of an entity type that point at this one, the newest first; None where none can.

    before  the golden id to go on after, "" from the start
    """
    owner = survivorship_store.select_versions(connection, [golden_id]).get(golden_id)
    attributes = _pointers(entity_type, owner.entity_type) if owner is not None else ()
    if not attributes:
        return None
    rows = record_store.select_pointing(
        connection, [golden_id], entity_type.name, attributes, before=before, limit=limit + 1
    )
    page = rows[:limit]
    return PointingPage(
        entity_type=entity_type.name,
        count=rows[0].count if rows else 0,
        open_count=rows[0].open_count if rows else 0,
        rows=tuple(_pointing(hub, entity_type, attributes, row) for row in page),
        next=page[-1].golden_id if len(rows) > limit else "",
    )


def all_pointing_at(
    hub: Hub, connection: Connection, golden_id: GoldenId, own_type: str, *, limit: int
) -> tuple[PointingPage, ...]:
    """List the first page of every other entity type that points at a golden record, those without any left out."""
    pages = [
        pointing_at(hub, connection, golden_id, declared, limit=limit)
        for declared in hub.declared.values()
        if declared.name != own_type and own_type in declared.points_at
    ]
    return tuple(page for page in pages if page is not None and page.count)


def family_of(hub: Hub, connection: Connection, golden_id: GoldenId, entity_type: EntityType) -> tuple[Kin, ...]:
    """Gather the hierarchy that a golden record stands in: what is above it, and all below the topmost, bounded.

    A parent is what an attribute that refers to the same entity type says, and what a decision says where none does.
    Empty where the record stands alone.
    """
    attributes = _pointers(entity_type, entity_type.name)
    family = _Family(hub, connection, entity_type, attributes)
    top = family.climb(golden_id)
    family.descend(top)
    return tuple(family.kin.values()) if len(family.kin) > 1 else ()


def related_to(hub: Hub, connection: Connection, golden_id: GoldenId) -> tuple[Related, ...]:
    """List what a golden record is to others by decision, the latest first."""
    found = relations_of(connection, golden_id)[:RELATIONS_MAX]
    names = name_all(hub, connection, [one.golden_id for one in found])
    return tuple(
        Related(
            one.relation,
            names.get(one.golden_id) or Named(one.golden_id, one.decision.entity_type, ""),
            one.state,
            one.decision.verdict.reason[:TEXT_LENGTH_MAX],
            one.decision.who,
            one.decision.recorded_at,
        )
        for one in sorted(found, key=lambda one: one.decision.recorded_at, reverse=True)
    )


@dataclass
class _Family:
    """The hierarchy as far as it was walked; `kin` by golden id, in the order met."""

    hub: Hub
    connection: Connection
    entity_type: EntityType
    attributes: tuple[str, ...]
    kin: dict[GoldenId, Kin] = field(default_factory=dict)

    def climb(self, golden_id: GoldenId) -> GoldenId:
        """Walk upwards and return the topmost; a circle ends the way."""
        way: list[GoldenId] = []
        at: GoldenId | None = golden_id
        while at is not None and at not in way and len(way) <= GENERATIONS_MAX:
            way.append(at)
            at = self._parent_of(at)
        for above, below in zip(reversed(way[1:]), reversed(way[:-1]), strict=True):
            self.kin.setdefault(above, Kin(self._named(above), "", ""))
            self.kin[below] = Kin(self._named(below), above, self._said_by(below, above))
        self.kin.setdefault(golden_id, Kin(self._named(golden_id), "", ""))
        return way[-1]

    def descend(self, top: GoldenId) -> None:
        """Add what stands below the topmost, one generation after the other."""
        level = [top]
        for _ in range(GENERATIONS_MAX):
            found = self._children_of(level)
            level = []
            for child, parent, by in found:
                if len(self.kin) >= FAMILY_MAX:
                    return
                if child.golden_id not in self.kin:
                    self.kin[child.golden_id] = Kin(child, parent, by)
                level.append(child.golden_id)
            if not level:
                return

    def _parent_of(self, golden_id: GoldenId) -> GoldenId | None:
        values = self._values(golden_id)
        for name in self.attributes:
            if values.get(name):
                return GoldenId(_first(values[name]))
        decided = (one for one in relations_of(self.connection, golden_id) if one.state == "in_force")
        return next((one.golden_id for one in decided if one.relation == "child_of"), None)

    def _children_of(self, level: Sequence[GoldenId]) -> list[tuple[Named, GoldenId, str]]:
        found: list[tuple[Named, GoldenId, str]] = []
        if self.attributes:
            rows = record_store.select_pointing(
                self.connection, level, self.entity_type.name, self.attributes, limit=FAMILY_MAX
            )
            found += [
                (
                    named(self.hub, row.golden_id, self.entity_type.name, row.values),
                    row.parent_id,
                    _attribute_of(self.attributes, row.values, row.parent_id),
                )
                for row in rows
                if row.parent_id == self._first_parent(row.values)
            ]
        for parent in level[:20]:
            said = [one for one in relations_of(self.connection, parent) if one.relation == "parent_of"]
            ids = [one.golden_id for one in said if one.state == "in_force"]
            found += [(self._named(id_), parent, "parent_of") for id_ in ids if id_ not in self.kin]
        return sorted(found, key=lambda one: (one[0].name.casefold(), one[0].golden_id))

    def _first_parent(self, values: Mapping[str, object]) -> str:
        return next((_first(values[name]) for name in self.attributes if values.get(name)), "")

    def _said_by(self, below: GoldenId, above: GoldenId) -> str:
        return _attribute_of(self.attributes, self._values(below), above) or "parent_of"

    def _values(self, golden_id: GoldenId) -> Mapping[str, object]:
        found = survivorship_store.select_versions(self.connection, [golden_id]).get(golden_id)
        return found.values if found is not None else {}

    def _named(self, golden_id: GoldenId) -> Named:
        return named(self.hub, golden_id, self.entity_type.name, self._values(golden_id))


def _pointers(entity_type: EntityType, target: str) -> tuple[str, ...]:
    """Name the attributes of an entity type that refer to another one."""
    return tuple(
        name
        for name, attribute in entity_type.attributes.items()
        if attribute.reference is not None and attribute.reference.entity_type == target
    )


def _pointing(hub: Hub, entity_type: EntityType, attributes: Iterable[str], row: record_store.PointingRow) -> Pointing:
    return Pointing(
        named(hub, row.golden_id, entity_type.name, row.values),
        _attribute_of(attributes, row.values, row.parent_id),
        str(row.values.get("status", ""))[:TEXT_LENGTH_MAX],
        str(row.values.get("code") or row.values.get("number") or "")[:TEXT_LENGTH_MAX],
    )


def _attribute_of(attributes: Iterable[str], values: Mapping[str, object], parent: str) -> str:
    """Name the attribute by which values point at a golden record."""
    for name in attributes:
        value = values.get(name)
        if value == parent or (isinstance(value, list) and parent in value):
            return name
    return ""


def _first(value: object) -> str:
    return str(value[0] if isinstance(value, list) and value else value)
