"""Use cases on what sources do to their own records: judge and note facts, and bring records to what they say.

`settle` is the one function that ends records, lets them live again and binds them to their successors. It looks at
all facts about a key, so the order in which facts and records come does not matter. It runs in the transaction of its
cause; the caller matches anew what it names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm import clock
from mdm.db.locks import key_hash, lock_keys
from mdm.entities.model import Reason
from mdm.errors import SourceEventUnknown
from mdm.ids import RecordId, SourceEventId, new_source_event_id
from mdm.source_events import store
from mdm.source_events.model import (
    FORWARDS,
    INSTANCE_WIDE,
    SIGHTS,
    Noted,
    Settled,
    SourceEvent,
    SourceFact,
    is_newer,
    says_again,
    standing,
)
from mdm.source_events.settling import settle
from mdm.sources import store as sources_store
from mdm.sources.model import Accepted, Arrival, SourceKey
from mdm.sources.service import meeting_point

HOPS_MAX = 1_000  # chosen: keys given up one for the other before a chain is taken for a circle


def judge(
    fact: SourceFact, *, types: Mapping[SourceKey, str], known_instances: frozenset[str]
) -> str | tuple[Reason, ...]:
    """Find the entity type of what a fact is about ("" for an instance), or every reason against keeping it.

    types  entity types of the keys that the hub knows, or is told of beside this fact
    """
    keys = [key for key in (fact.key, fact.other) if key is not None]
    reasons = [
        Reason("source", "source_unknown", f"there is no source instance {name!r}", "register it first", "reject")
        for name in dict.fromkeys([fact.instance, *(key.instance for key in keys)])
        if name not in known_instances
    ]
    if fact.kind in INSTANCE_WIDE or reasons:
        return tuple(reasons) or ""
    if (fact.other is not None) is not (fact.kind in FORWARDS) or len(set(keys)) < len(keys):
        remedy = "name two different keys for what was merged or re-keyed, and one for all else"
        reasons.append(Reason("other_key", "keys_misfit", f"{fact} names the wrong keys", remedy, "reject"))
    named = dict.fromkeys([*(types[key] for key in keys if key in types), *filter(None, [fact.entity_type])])
    if len(named) > 1:
        remedy = "name two records of one entity type"
        reasons.append(
            Reason("entity_type", "entity_type_conflict", f"{fact}: {' and '.join(named)}", remedy, "reject")
        )
    if not named:
        remedy = "say which entity type it is, or deliver the record first"
        reasons.append(Reason("entity_type", "source_record_unknown", f"{keys[0]} is not known", remedy, "reject"))
    elif fact.kind not in FORWARDS and fact.key not in types:
        remedy = "deliver the record first; what was never seen cannot be lost"
        reasons.append(Reason("source_key", "source_record_unknown", f"{fact.key} is not known", remedy, "reject"))
    return tuple(reasons) or next(iter(named))


def note(
    connection: Connection, entity_type: str, facts: Sequence[SourceFact], *, who: str
) -> tuple[tuple[Noted, ...], Settled]:
    """Keep facts about records of one entity type, each about another key, and do what follows from them.

    A fact that is known changes nothing. The keys are locked, against deliveries too.
    """
    keys = sorted({key for fact in facts for key in (fact.key, fact.other) if key is not None})
    lock_keys(connection, [meeting_point(entity_type, key) for key in keys])
    _lock_facts(connection, entity_type)
    at = clock.recording_instant(connection)
    known = _by_key(store.select_about(connection, [str(fact.key) for fact in facts]))
    heads = sources_store.select_heads(connection, keys)
    noted, fresh = [], []
    for fact in facts:
        assert fact.key is not None, "what happened to an instance is noted by note_instance"
        kinds = FORWARDS if fact.kind in FORWARDS else SIGHTS
        family = [one for one in known.get(str(fact.key), ()) if one.kind in kinds]
        repeated = says_again(fact, family)
        if repeated is not None:
            noted.append(Noted(fact, "unchanged", repeated.id))
            continue
        event = _event(fact, entity_type, at=at, who=who)
        event = _unless_overtaken(connection, event, heads.get(fact.key), at=at, who=who)
        later = standing([*family, event]) is not event
        noted.append(Noted(fact, "overtaken" if event.ended_at or later else "recorded", event.id))
        fresh.append(event)
    if not fresh:
        return tuple(noted), Settled()
    store.insert_events(connection, fresh)
    _mark(connection, [event for event in fresh if event.kind in SIGHTS], heads)
    named = [SourceKey.parse(key) for one in fresh if one.other_key for key in (one.source_key, one.other_key) if key]
    settled = settle(connection, entity_type, named, at=at, who=who) if named else Settled()
    waiting = {one.id for one in store.select_forwards(connection, map(str, named)) if one.is_waiting}
    return tuple(_as_waiting(one, waiting) for one in noted), settled


def note_instance(connection: Connection, fact: SourceFact, *, who: str) -> Noted:
    """Retire an instance, or take it back; its records follow by and by. Deliveries that run are waited for."""
    store.lock_instance(connection, fact.instance)
    at = clock.recording_instant(connection)
    known = store.select_of_instance(connection, fact.instance)
    holding = standing(known)
    if (repeated := says_again(fact, known)) is not None:
        return Noted(fact, "unchanged", repeated.id)
    if holding is None and fact.kind == "instance_returned":
        return Noted(fact, "unchanged")
    event = _event(fact, None, at=at, who=who)
    store.insert_events(connection, [event])
    if holding is not None and holding.place > event.place:
        return Noted(fact, "overtaken", event.id)
    if holding is None or holding.kind != event.kind:
        store.update_retired(connection, fact.instance, at if fact.kind == "instance_retired" else None, who=who)
    return Noted(fact, "recorded", event.id)


def follow_instance(connection: Connection, entity_type: str, keys: Sequence[SourceKey], *, who: str) -> Settled:
    """Let records of an instance that was retired, or came back, stand as it does."""
    _lock_facts(connection, entity_type)
    return settle(connection, entity_type, keys, at=clock.recording_instant(connection), who=who)


def recall(
    connection: Connection, entity_type: str, batch: Sequence[Accepted], arrivals: Sequence[Arrival], *, who: str
) -> Settled:
    """Do what facts of their sources ask of records that were just stored; costs nothing where there are none.

    A newer delivery overtakes what gave its key up; a record that a fact waited for lets it take effect; a deletion is
    a fact itself.
    """
    stored = [
        (one.delivery, arrival)
        for one, arrival in zip(batch, arrivals, strict=True)
        if arrival.status in {"created", "updated"} and (arrival.has_facts or one.delivery.is_deletion)
    ]
    if not stored:
        return Settled()
    at = clock.recording_instant(connection)
    gone = [
        SourceFact("deleted", one.key.instance, one.key, None, entity_type, one.source_time, one.reason)
        for one, _ in stored
        if one.is_deletion
    ]
    if gone:
        store.insert_events(connection, [_event(fact, entity_type, at=at, who=who) for fact in gone])
    told = {delivery.key: (delivery, arrival) for delivery, arrival in stored if arrival.has_facts}
    if not told:
        return Settled()
    _lock_facts(connection, entity_type)
    keys = set(told)
    overtaken = []
    for event in store.select_forwards(connection, map(str, told)):
        key = SourceKey.parse(str(event.source_key))
        if key not in told or told[key][0].is_deletion:
            continue
        delivery, arrival = told[key]
        if is_newer(delivery.source_time, event, is_first=arrival.status == "created"):
            overtaken.append(event.id)
            keys.add(SourceKey.parse(str(event.other_key)))
    store.end_events(connection, overtaken, because="overtaken", at=at, who=who)
    return settle(connection, entity_type, keys, at=at, who=who)


def revoke(connection: Connection, event: SourceEvent, *, who: str) -> Settled:
    """Take a fact about a record back, as one told by mistake; what only followed from it is undone."""
    assert event.source_key is not None, "an instance is taken back by another fact"
    assert event.entity_type is not None, "a fact about a record knows its entity type"
    key = SourceKey.parse(event.source_key)
    lock_keys(connection, [meeting_point(event.entity_type, key)])
    _lock_facts(connection, event.entity_type)
    at = clock.recording_instant(connection)
    store.end_events(connection, [event.id], because="revoked", at=at, who=who)
    if event.other_key is None:
        _mark(connection, [event], sources_store.select_heads(connection, [key]))
        return Settled()
    return settle(connection, event.entity_type, [key, SourceKey.parse(event.other_key)], at=at, who=who)


def require_event(connection: Connection, event_id: SourceEventId) -> SourceEvent:
    """Return one event; raises SourceEventUnknown."""
    found = store.select_event(connection, event_id)
    if found is None:
        raise SourceEventUnknown(event_id)
    return found


def list_events(
    connection: Connection,
    *,
    instance: str | None = None,
    source_key: str | None = None,
    kind: str | None = None,
    after: str = "",
    limit: int = 100,
) -> tuple[SourceEvent, ...]:
    """List events in the order they were recorded, of one instance, one key (either side) or one kind, or all."""
    return store.select_events(
        connection, instance_id=instance, source_key=source_key, kind=kind, after=after, limit=limit
    )


def _lock_facts(connection: Connection, entity_type: str) -> None:
    lock_keys(connection, [key_hash("source_event", entity_type)])


def _event(fact: SourceFact, entity_type: str | None, *, at: datetime, who: str) -> SourceEvent:
    return SourceEvent(
        id=new_source_event_id(),
        kind=fact.kind,
        entity_type=entity_type,
        instance=fact.instance,
        source_key=None if fact.key is None else str(fact.key),
        other_key=None if fact.other is None else str(fact.other),
        happened_at=fact.happened_at,
        details={"reason": fact.reason} if fact.reason else {},
        recorded_at=at,
        who=who,
    )


def _unless_overtaken(
    connection: Connection, event: SourceEvent, head: Row[Any] | None, *, at: datetime, who: str
) -> SourceEvent:
    """End an event at once when its record lived on after it; of facts that lead in a circle the oldest ends."""
    lived_on = head is not None and head.state != "deleted" and is_newer(head.source_time, event, is_first=True)
    overtaken = replace(event, ended_at=at, ended_because="overtaken")
    if lived_on or event.other_key is None:
        return overtaken if lived_on else event
    circle = _circle(connection, event)
    if not circle:
        return event
    oldest = min([*circle, event], key=lambda one: one.place)
    if oldest is event:
        return overtaken
    store.end_events(connection, [oldest.id], because="overtaken", at=at, who=who)
    return event


def _circle(connection: Connection, event: SourceEvent) -> list[SourceEvent]:
    """Follow the facts that hold from the other key of an event; return them when they lead back to its own key."""
    path: list[SourceEvent] = []
    key = event.other_key
    while key is not None and len(path) < HOPS_MAX:
        about = [one for one in store.select_about(connection, [key]) if one.other_key is not None]
        onward = standing(about)
        if onward is None:
            return []
        path.append(onward)
        key = onward.other_key
        if key == event.source_key:
            return path
    return []


def _mark(connection: Connection, events: Iterable[SourceEvent], heads: Mapping[SourceKey, Row[Any]]) -> None:
    """Mark the records of events by what holds of their being seen: the last of these facts."""
    keys = {str(event.source_key) for event in events}
    if not keys:
        return
    about = _by_key([one for one in store.select_about(connection, keys) if one.kind in SIGHTS])
    marks: dict[RecordId, str | None] = {}
    for key in keys:
        head, holding = heads.get(SourceKey.parse(key)), standing(about.get(key, ()))
        if head is not None:
            is_unseen = holding is not None and holding.kind != "access_regained"
            marks[RecordId(head.id)] = holding.kind if holding is not None and is_unseen else None
    store.update_unseen(connection, marks)


def _as_waiting(noted: Noted, waiting: set[SourceEventId]) -> Noted:
    return replace(noted, status="waiting") if noted.status == "recorded" and noted.id in waiting else noted


def _by_key(events: Iterable[SourceEvent]) -> dict[str, list[SourceEvent]]:
    found: dict[str, list[SourceEvent]] = {}
    for event in events:
        found.setdefault(str(event.source_key), []).append(event)
    return found
