"""Bring records to what all facts of their sources say: ended with a successor, ended with their instance, or living.

A record that was never delivered stands for a key that only facts name, so that the key resolves: the loser of a merge
without values, the new key of a record with the values of the old one. It exists as long as a fact names it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.locks import lock_keys
from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision, Pair, Verdict
from mdm.decisions.service import take_sources_word
from mdm.ids import DecisionId, EventId, RecordId, new_decision_id, new_event_id, new_record_id
from mdm.source_events import store
from mdm.source_events.model import Ending, Settled, SourceEvent, standing
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey
from mdm.sources.service import MADE_BY_HUB, NEVER_DELIVERED, meeting_point

Heads = Mapping[SourceKey, Row[Any]]
Forwards = Mapping[SourceKey, SourceEvent]


@dataclass(frozen=True, slots=True)
class _Settling:
    """One settling: where, of what, when, in whose name, and the change of identity that its decisions will name."""

    connection: Connection
    entity_type: str
    at: datetime
    who: str
    event_id: EventId


def settle(connection: Connection, entity_type: str, keys: Iterable[SourceKey], *, at: datetime, who: str) -> Settled:
    """Bring the records of these keys, and of whatever waits for them, to what the facts about them say.

    Returns the records to match anew; when there are any, the caller carries that out under the event it is given. The
    caller holds the lock on facts of the entity type. A steward's decision that stands against a merge stays: the loser
    is ended all the same, and what is left open becomes a review.
    """
    task = _Settling(connection, entity_type, at, who, new_event_id())
    settled = frozenset(keys)
    made = _make_all(task, settled)
    forwards = _standing_forwards(connection, settled | made)
    settled |= forwards.keys() | made
    named = settled | {_other(event) for event in forwards.values()}
    dropped = _drop(task, _heads(task, named))
    heads = _heads(task, named)
    own = {key: heads[key] for key in settled if key in heads}
    touched = {RecordId(heads[key].id) for key in made | dropped}
    touched |= _end(task, own, forwards, heads)
    touched |= _unbind(task, own, forwards, heads)
    touched |= _bind(task, forwards, heads)
    return Settled(frozenset(touched), task.event_id) if touched else Settled()


def _make_all(task: _Settling, keys: frozenset[SourceKey]) -> frozenset[SourceKey]:
    """Make what these keys need, then what waits for a key that came to be known by that, until nothing does."""
    made, todo = frozenset[SourceKey](), keys
    while todo:
        forwards = _standing_forwards(task.connection, todo)
        todo = _make(task, todo | forwards.keys() | {_other(event) for event in forwards.values()}, forwards)
        made |= todo
    return made


def _standing_forwards(connection: Connection, keys: Iterable[SourceKey]) -> dict[SourceKey, SourceEvent]:
    by_key: dict[SourceKey, list[SourceEvent]] = {}
    for event in store.select_forwards(connection, map(str, keys)):
        by_key.setdefault(SourceKey.parse(str(event.source_key)), []).append(event)
    found = {key: standing(events) for key, events in by_key.items()}
    return {key: event for key, event in sorted(found.items()) if event is not None}


def _heads(task: _Settling, keys: Iterable[SourceKey]) -> dict[SourceKey, Row[Any]]:
    """Find the records of keys; one of another entity type is not meant."""
    heads = sources_store.select_heads(task.connection, sorted(keys))
    return {key: head for key, head in heads.items() if head.entity_type == task.entity_type}


def _make(task: _Settling, named: Iterable[SourceKey], forwards: Forwards) -> frozenset[SourceKey]:
    """Make the records that facts name and no delivery brought, and take back those that were deleted as well."""
    wanted = _missing(forwards, _heads(task, named))
    if not wanted:
        return frozenset()
    lock_keys(task.connection, [meeting_point(task.entity_type, key) for key in wanted])
    heads = sources_store.select_heads(task.connection, sorted(named))
    wanted = _missing(forwards, {key: one for key, one in heads.items() if one.entity_type == task.entity_type})
    rows, copied = [], {}
    for key, model_key in sorted(wanted.items()):
        head, model = heads.get(key), heads.get(model_key) if model_key else None
        if head is not None and head.entity_type != task.entity_type:
            continue
        payload = store.select_last_payload(task.connection, RecordId(model.id)) if model is not None else None
        row = _row(task, key, head, payload)
        if head is not None and model is not None and _is_made_by_hub(head):
            row["content_hash"] = bytes(model.content_hash)
        rows.append(row)
        if model is not None and model_key != key:
            copied[RecordId(rows[-1]["id"])] = RecordId(model.id)
    if rows:
        sources_store.upsert_records(task.connection, rows, at=task.at, who=task.who)
    for record_id, model_id in copied.items():
        store.copy_references(task.connection, model_id, to=record_id)
    return frozenset(key for key in wanted if (head := heads.get(key)) is None or head.entity_type == task.entity_type)


def _missing(forwards: Forwards, heads: Heads) -> dict[SourceKey, SourceKey | None]:
    """Find the keys that need a record: each with the key whose last words it takes over, None for no words at all.

    A new key takes over those of the old one, also where the hub itself made its record and that says nothing yet; a
    deleted record its own; a loser that was never seen has none.
    """
    wanted: dict[SourceKey, SourceKey | None] = {}
    for key, event in forwards.items():
        other = _other(event)
        if key not in heads and other not in heads:
            continue
        if key not in heads:
            wanted[key] = None
        elif heads[key].state == "deleted":
            wanted[key] = key
        if event.kind != "merged" and (other not in heads or _is_made_by_hub(heads[other])):
            wanted[other] = key
    return wanted


def _row(task: _Settling, key: SourceKey, head: Row[Any] | None, payload: Row[Any] | None) -> dict[str, Any]:
    return {
        "id": RecordId(head.id) if head is not None else new_record_id(),
        "entity_type": task.entity_type,
        "instance_id": key.instance,
        "object": key.object,
        "scope": key.scope,
        "native_id": key.native_id,
        "state": "active",
        "version": head.version + 1 if head is not None else 1,
        "content_hash": NEVER_DELIVERED,
        "source_time": None if head is not None or payload is None else payload.source_time,
        "fields": {} if payload is None else payload.fields,
        "values": {} if payload is None else payload.said,
        "undeclared": {} if payload is None else payload.undeclared,
        "warnings": [] if payload is None else payload.warnings,
    }


def _drop(task: _Settling, heads: Heads) -> frozenset[SourceKey]:
    """Delete records that were never delivered and that no fact names any more."""
    undelivered = {key for key, head in heads.items() if head.state == "active" and _is_undelivered(head)}
    if not undelivered:
        return frozenset()
    dropped = undelivered - set(map(SourceKey.parse, store.select_named(task.connection, map(str, undelivered))))
    rows = [_row(task, key, heads[key], None) | {"state": "deleted"} for key in sorted(dropped)]
    if rows:
        sources_store.upsert_records(task.connection, rows, at=task.at, who=task.who)
    return frozenset(dropped)


def _end(task: _Settling, own: Heads, forwards: Forwards, heads: Heads) -> set[RecordId]:
    """End records, or let them live again; returns those that changed."""
    retired = {one.id for one in sources_store.select_instances(task.connection) if one.retired_at is not None}
    endings, changed = [], set()
    for key, head in sorted(own.items()):
        ending = _ending(head, forwards.get(key), heads, is_retired=key.instance in retired)
        endings.append(ending)
        if (head.ended_because, head.successor_id) != (ending.because, ending.successor_id):
            changed.add(ending.record_id)
    if endings:
        store.update_endings(task.connection, endings, at=task.at, who=task.who)
    return changed


def _ending(head: Row[Any], event: SourceEvent | None, heads: Heads, *, is_retired: bool) -> Ending:
    record_id = RecordId(head.id)
    if head.state == "deleted":
        return Ending(record_id, None)
    if event is not None:
        assert event.kind in {"merged", "re_keyed", "instance_migrated"}, "only these give a key up"
        successor = heads.get(_other(event))
        return Ending(record_id, event.kind, RecordId(successor.id) if successor is not None else None)
    return Ending(record_id, "instance_retired" if is_retired else None)


def _unbind(task: _Settling, own: Heads, forwards: Forwards, heads: Heads) -> set[RecordId]:
    """Revoke what sources decided of records whose successor is another one now, or none."""
    key_by_id = {RecordId(head.id): key for key, head in own.items()}
    freed: dict[DecisionId, Pair] = {}
    for decision in decisions_store.select_source_decisions(task.connection, key_by_id):
        event = forwards.get(key_by_id[decision.left_id])
        successor = heads.get(_other(event)) if event is not None else None
        if successor is None or RecordId(successor.id) != decision.right_id:
            freed[decision.id] = decision.pair
    if freed:
        decisions_store.revoke_decisions(task.connection, freed, event_id=task.event_id, at=task.at, who=task.who)
    return {record_id for pair in freed.values() for record_id in pair}


def _bind(task: _Settling, forwards: Forwards, heads: Heads) -> set[RecordId]:
    """Take the word of sources that records are the same, once for each fact; returns the records bound or not."""
    ready = [
        (event, heads[key], heads[_other(event)])
        for key, event in forwards.items()
        if event.event_id is None and key in heads and _other(event) in heads
    ]
    for event, loser, survivor in ready:
        decision = Decision(
            new_decision_id(),
            task.entity_type,
            RecordId(loser.id),
            RecordId(survivor.id),
            Verdict("same", str(event)),
            event.who,
            task.at,
            basis="source",
            event_id=task.event_id,
        )
        take_sources_word(task.connection, decision)
    if ready:
        store.update_carried_out(task.connection, [event.id for event, _, _ in ready], task.event_id)
    return {RecordId(head.id) for _, *both in ready for head in both}


def _other(event: SourceEvent) -> SourceKey:
    return SourceKey.parse(str(event.other_key))


def _is_made_by_hub(head: Row[Any]) -> bool:
    return bytes(head.content_hash) == MADE_BY_HUB


def _is_undelivered(head: Row[Any]) -> bool:
    return bytes(head.content_hash) == NEVER_DELIVERED
