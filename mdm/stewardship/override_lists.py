"""What is overridden, and how each override fares: of one golden record, and all over the hub.

How one fares is worked out from the members as they are when asked. Those that mask newer evidence are what a steward
works through: a source has said something else since, so either the source is right now or the override is set again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions import overrides_store
from mdm.decisions.model import StoredOverride
from mdm.entities.model import EntityType
from mdm.hub import Hub
from mdm.identity.service import resolve_golden
from mdm.ids import GoldenId
from mdm.survivorship.model import OverrideStanding
from mdm.survivorship.rules import standings
from mdm.survivorship.service import contests_of

State = Literal["in_force", "masks_newer", "superseded", "at_rest", "ended"]
STATES: Final[tuple[State, ...]] = ("in_force", "masks_newer", "superseded", "at_rest", "ended")
OF_ONE_MAX: Final = 500  # chosen: overrides of one golden record that are listed, those that stand first
SCANNED_MAX: Final = 2_000  # chosen: overrides looked at for one page, so that a rare state answers in due time
_AT_ONCE: Final = 200  # chosen: as many golden records are worked out together


@dataclass(frozen=True, slots=True)
class ListedOverride:
    """An override and how it fares now.

    state              in_force; masks_newer, which holds too; superseded by a later one that met it; at_rest while its
                       record is out of the hub; ended
    newer_record_keys  the members that have said something else since, for masks_newer
    """

    override: StoredOverride
    state: State
    newer_record_keys: tuple[str, ...] = ()


def overrides_of(hub: Hub, golden_id: GoldenId) -> tuple[ListedOverride, ...]:
    """List the overrides on what a golden id stands for, those that stand first, then the latest first.

    Those that ended are listed as long as their record belongs here. Raises GoldenRecordUnknown.
    """
    return run(hub.engine, lambda connection: overrides_of_golden(hub, connection, golden_id))


def overrides_of_golden(hub: Hub, connection: Connection, golden_id: GoldenId) -> tuple[ListedOverride, ...]:
    """List the same inside a transaction."""
    golden = resolve_golden(connection, golden_id)
    found = overrides_store.select_overrides_of(connection, golden.id, limit=OF_ONE_MAX)
    return _listed(connection, hub.declared, found)


def list_overrides(
    hub: Hub, *, state: State | None, entity_types: frozenset[str] | None, after: str, limit: int
) -> tuple[tuple[ListedOverride, ...], str | None]:
    """List overrides by id: all that stand, or those that fare in one way; entity types None means all.

    Returns the page, and the id to go on after: None at the end. A page may hold fewer than `limit`, even none, and
    yet not be the last, since only so many are looked at for one. An override that was superseded when its term was
    over is marked as ended, and listed among those, once its golden record is next worked out.
    """

    def read(connection: Connection) -> tuple[tuple[ListedOverride, ...], str | None]:
        page: list[ListedOverride] = []
        seen = after
        for _ in range(SCANNED_MAX // _AT_ONCE):
            found = overrides_store.select_overrides(
                connection, entity_types=entity_types, is_ended=state == "ended", after=seen, limit=_AT_ONCE
            )
            for one in _listed(connection, hub.declared, found):
                seen = one.override.id
                if one.state == state or (state is None and one.state != "ended"):
                    page.append(one)
                if len(page) == limit:
                    return tuple(page), seen
            if len(found) < _AT_ONCE:
                return tuple(page), None
        return tuple(page), seen

    return run(hub.engine, read)


def _listed(
    connection: Connection, declared: Mapping[str, EntityType], found: Sequence[StoredOverride]
) -> tuple[ListedOverride, ...]:
    """Say of each override how it fares, by the members and overrides of its golden record as they are now."""
    golden_ids: dict[str, set[GoldenId]] = {}
    for one in found:
        if one.ended_at is None and not one.is_at_rest and one.golden_id is not None and one.entity_type in declared:
            golden_ids.setdefault(one.entity_type, set()).add(one.golden_id)
    at = clock.now()
    fared: dict[str, OverrideStanding] = {}
    for name, ids in golden_ids.items():
        for contributions, overrides in contests_of(connection, declared[name], sorted(ids)).values():
            for standing in standings(declared[name], contributions, overrides, at):
                fared[standing.override.override_id] = standing
    return tuple(_one(override, fared.get(override.id)) for override in found)


def _one(override: StoredOverride, fared: OverrideStanding | None) -> ListedOverride:
    if override.ended_at is not None:
        return ListedOverride(override, "ended")
    if fared is None:
        return ListedOverride(override, "at_rest")
    return ListedOverride(override, fared.state, fared.newer_record_keys)
