"""Use cases of identity: carry out a plan, and answer which source keys and golden ids belong together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from mdm.clock import horizon
from mdm.errors import (
    AsOfBeyondHorizon,
    EventUnknown,
    GoldenRecordUnknown,
    PlanOutdated,
    SourceRecordUnknown,
    TouchedSetGrew,
)
from mdm.failpoints import failpoint
from mdm.identity import crosswalk_store, events_store, store
from mdm.identity.model import Cause, CrosswalkEntry, CrosswalkPair, GoldenRecord, IdentityEvent, IdentityPlan
from mdm.ids import EventId, GoldenId, RecordId, new_event_id
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey


class GoldenLocks:
    """The golden records that this transaction holds; who would have to wait against the order rolls back and repeats.

    All transactions wait for locks in one order: by entity type, then by id. What others point at comes first, since a
    change to a parent goes on to its children. A golden record that comes before one already held is taken where nobody
    else holds it: who does not wait is in no circle of those who do.
    """

    def __init__(self, prefixes: Iterable[str], wanted: frozenset[str] = frozenset()) -> None:
        """Start with the id prefixes of entity types in their order, and what an earlier attempt found it needs."""
        self.wanted = wanted
        self._place = {prefix: place for place, prefix in enumerate(prefixes)}
        self._held: frozenset[str] = frozenset()
        self._minted: frozenset[str] = frozenset()

    def adopt(self, golden_ids: Iterable[GoldenId]) -> None:
        """Count golden records that this transaction minted as held: nobody else can see them yet."""
        self._minted |= frozenset(map(str, golden_ids))

    def hold(self, connection: Connection, golden_ids: Iterable[GoldenId]) -> bool:
        """Lock golden records and tell whether any was not held yet: then what was read of them may be outdated.

        Raises TouchedSetGrew when one that comes before a lock already held is another writer's.
        """
        asked = frozenset(map(str, golden_ids)) | (self.wanted if not self._held else frozenset())
        missing = sorted(asked - self._held - self._minted, key=self._order)
        if not missing:
            return False
        last_held = max(map(self._order, self._held), default=None)
        early = frozenset(id_ for id_ in missing if last_held is not None and self._order(id_) < last_held)
        if early and early != store.lock_free_goldens(connection, map(GoldenId, early)):
            raise TouchedSetGrew(self._held.union(missing, self.wanted))
        if late := [GoldenId(id_) for id_ in missing if id_ not in early]:
            store.lock_goldens(connection, late)
        self._held = self._held.union(missing)
        return True

    def _order(self, golden_id: str) -> tuple[int, str]:
        return self._place.get(golden_id.partition("_")[0], len(self._place)), golden_id


def carry_out(connection: Connection, plan: IdentityPlan, *, cause: Cause, at: datetime, who: str) -> EventId:
    """Write a plan: event, standings, memberships. The caller holds the locks; raises PlanOutdated if ids moved on."""
    _require_standings(connection, plan)
    event_id = cause.event_id or new_event_id()
    events_store.insert_event(connection, event_id, plan, cause=cause, at=at, who=who)
    if plan.turns:
        store.upsert_standings(connection, plan.entity_type, plan.turns, at=at, who=who)
    if plan.moves:
        left = store.move_members(connection, plan.moves, event_id, at=at, who=who)
        _require_memberships(plan, left)
    failpoint("merge.applied")
    return event_id


def golden_record(connection: Connection, golden_id: GoldenId) -> GoldenRecord:
    """Return a golden record in any state; raises GoldenRecordUnknown for an id that was never given out."""
    found = store.select_goldens(connection, [golden_id])
    if golden_id not in found:
        raise GoldenRecordUnknown(golden_id)
    return found[golden_id]


def resolve_golden(connection: Connection, golden_id: GoldenId) -> GoldenRecord:
    """Return the golden record that an id stands for today: itself, or the one it forwards to."""
    golden = golden_record(connection, golden_id)
    return golden if golden.forward_to is None else golden_record(connection, golden.forward_to)


def translate(
    connection: Connection, keys: Sequence[SourceKey], *, as_of: datetime | None = None
) -> dict[SourceKey, tuple[GoldenId, str]]:
    """Find golden id and entity type of source keys, now or as of a settled instant; what has none is left out."""
    require_settled(connection, as_of)
    return crosswalk_store.select_golden_ids(connection, keys, as_of=as_of)


def golden_id_of(connection: Connection, key: SourceKey, *, as_of: datetime | None = None) -> tuple[GoldenId, str]:
    """Find the golden id and entity type of one source key; raises SourceRecordUnknown."""
    found = translate(connection, [key], as_of=as_of)
    if key in found:
        return found[key]
    first = crosswalk_store.select_first_seen(connection, key) if as_of is not None else None
    if as_of is None or first is None:
        raise SourceRecordUnknown(str(key), remedy=what_became(connection, key) or source_key_hint(connection, key))
    raise SourceRecordUnknown(
        str(key),
        remedy=f"it was not known at {as_of.isoformat()}; the hub first saw it at {first.isoformat()}"
        if as_of < first
        else f"it was deleted at {as_of.isoformat()}; ask for another instant",
    )


def source_key_hint(connection: Connection, key: SourceKey) -> str:
    """Say what a key that leads nowhere may have been meant to be."""
    known = [one.id for one in sources_store.select_instances(connection)]
    if key.instance not in known:
        return f"there is no source {key.instance}; known are {', '.join(known) or 'none yet'}"
    alike = sources_store.select_alike(connection, key)
    return f"{key.native_id} exists as {' and '.join(alike)}" if alike else ""


def what_became(
    connection: Connection, key: SourceKey, sight: Callable[[str, str], bool] = lambda _type, _source: True
) -> str:
    """Say what became of a key that once led somewhere, and how it does again; "" for any other.

    sight  whether the asker may see records of this entity type of this source
    """
    gone = sources_store.select_gone(connection, key)
    if gone is None or not sight(gone.entity_type, key.instance):
        return ""
    day = f"{gone.at:%Y-%m-%d}"
    if gone.state == "withdrawn":
        return f"{gone.who} retired it on {day}; bring it back with `mdm golden restore {gone.golden_id}`"
    last = f", it belonged to {gone.golden_id}" if gone.golden_id else ""
    return f"it was deleted in its source, which the hub heard on {day}{last}; deliver it again to bring it back"


def named_golden(connection: Connection, name: str, *, as_of: datetime | None = None) -> GoldenRecord:
    """Return the golden record that a printed source key or a golden id names, now or as of a settled instant.

    Now, a forwarded id leads on. Raises SourceKeyInvalid, SourceRecordUnknown, GoldenRecordUnknown.
    """
    golden_id = GoldenId(name)
    if "/" in name or ":" in name:
        golden_id, _ = golden_id_of(connection, SourceKey.parse(name), as_of=as_of)
    elif not store.select_goldens(connection, [golden_id]):
        raise GoldenRecordUnknown(name, remedy="this is neither a key nor a golden id; search with `mdm find`")
    return golden_record(connection, golden_id) if as_of else resolve_golden(connection, golden_id)


def crosswalk(
    connection: Connection, golden_id: GoldenId, *, to: str | None = None, as_of: datetime | None = None
) -> tuple[CrosswalkEntry, ...]:
    """List the source keys of what a golden id stands for, of one instance or all, now or as of a settled instant."""
    require_settled(connection, as_of)
    golden = resolve_golden(connection, golden_id) if as_of is None else golden_record(connection, golden_id)
    return crosswalk_store.select_crosswalk(connection, golden.id, to=to, as_of=as_of)


def crosswalk_pairs(
    connection: Connection, source: str, to: str, *, entity_type: str | None = None, as_of: datetime | None = None
) -> tuple[CrosswalkPair, ...]:
    """List every pair of keys that mean the same in two instances, now or as of a settled instant."""
    require_settled(connection, as_of)
    return crosswalk_store.select_crosswalk_pairs(connection, source, to, entity_type=entity_type, as_of=as_of)


def count_goldens(connection: Connection) -> dict[str, int]:
    """Count the active golden records of each entity type."""
    return store.count_goldens(connection)


def identity_event(connection: Connection, event_id: EventId) -> IdentityEvent:
    """Return one event; raises EventUnknown."""
    found = events_store.select_event(connection, event_id)
    if found is None:
        raise EventUnknown(event_id)
    return found


def golden_events(connection: Connection, golden_id: GoldenId) -> tuple[IdentityEvent, ...]:
    """List the events that gave a golden id a new version, oldest first; raises GoldenRecordUnknown."""
    golden_record(connection, golden_id)
    return events_store.select_events_of(connection, golden_id)


def require_settled(connection: Connection, as_of: datetime | None) -> None:
    """Refuse a question about an instant that a running writer may still change; raises AsOfBeyondHorizon."""
    if as_of is not None and as_of > (settled := horizon(connection)):
        raise AsOfBeyondHorizon(as_of, settled)


def _require_standings(connection: Connection, plan: IdentityPlan) -> None:
    ids = [turn.golden_id for turn in plan.turns]
    found = store.select_goldens(connection, ids) if ids else {}
    for turn in plan.turns:
        standing = found[turn.golden_id].standing if turn.golden_id in found else None
        if standing != turn.before:
            raise PlanOutdated(turn.golden_id, planned=str(turn.before), found=str(standing))


def _require_memberships(plan: IdentityPlan, left: Mapping[RecordId, GoldenId]) -> None:
    for move in plan.moves:
        if (found_at := left.get(move.record_id)) != move.before:
            planned = f"{'without' if move.before is None else 'with'} {move.record_id}"
            raise PlanOutdated(str(move.before or found_at), planned=planned, found="otherwise")
