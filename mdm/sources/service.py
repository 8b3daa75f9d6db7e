"""Use cases of the sources room: register instances, judge deliveries, store what is new.

Judging is pure and comes first, outside of any lock: a delivery is `Accepted`, or `Rejected` with every reason. Storing
compares with the newest version under a lock on the source key, so that a repeated delivery changes nothing and an
older one never overwrites a newer one.
"""

import hashlib
import shlex
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from mdm.db.locks import key_hash, lock_keys
from mdm.db.types import as_json, is_storable
from mdm.entities.mapping import map_record
from mdm.entities.model import EntityType, Origin, Reason
from mdm.errors import InputInvalid, SourceConflict, SourceKeyInvalid, SourceUnknown
from mdm.failpoints import failpoint
from mdm.ids import GoldenId, RecordId, new_record_id
from mdm.sources import references_store, store
from mdm.sources.model import (
    HUB,
    Accepted,
    Arrival,
    Delivery,
    ReferenceKey,
    Rejected,
    SourceInstance,
    SourceKey,
    Status,
    Systems,
    is_instance_id,
    system_name,
)

NEVER_DELIVERED: Final = b""
"""The content hash of a record that the hub made: it knows the key from what happened to another one."""

MADE_BY_HUB: Final = b"made by the hub"
"""The content hash of a record that the hub made in a target and that was not delivered since: it says nothing yet."""

HUB_RANK: Final = 1_000  # chosen: behind every system; what is about to exist overrides nothing that does
BUILT_IN: Final = Reason(
    "source",
    "source_built_in",
    "the source instance hub is built in: nobody delivers to it",
    "deliver to an instance of your own; reserve with POST /v1/resolve-or-reserve",
    "reject",
)


def register(connection: Connection, instance: SourceInstance, *, who: str) -> None:
    """Register a source instance, or change its title, rank and promise; raises SourceConflict for another system.

    Of which system it is an installation is kept as declarations name it; `correct_system` puts another one right.
    """
    _require_not_built_in(instance.id)
    instance = _folded(instance)
    known = {one.id: one for one in store.select_instances(connection)}.get(instance.id)
    if known is not None and known.system != instance.system:
        raise SourceConflict(
            f"source instance {instance.id} is registered as {known.system}, not as {instance.system}",
            remedy=f"if that is wrong, `mdm sources add {instance.id} --system {shlex.quote(instance.system)}` corrects"
            " it; else choose another id for the new instance",
        )
    if not is_instance_id(instance.id):
        raise InputInvalid(
            f"{instance.id[:100]!r} cannot be the id of a source instance",
            remedy="write lower-case letters, digits and hyphens, at most 63, as in salesforce-us",
            field="id",
        )
    store.insert_instance(connection, instance, who=who)


def correct_system(connection: Connection, instance: SourceInstance, *, who: str) -> None:
    """Register an instance as an installation of another system than it was; raises SourceConflict for the hub's own.

    What follows from it for its records is for the caller to see to.
    """
    _require_not_built_in(instance.id)
    store.update_system(connection, instance.id, _folded(instance).system, who=who)


def register_hub(connection: Connection) -> None:
    """Register the built-in instance, when the hub makes its first record; raises SourceConflict where it is taken."""
    known = {one.id: one for one in store.select_instances(connection)}
    if HUB not in known:
        store.insert_instance(connection, SourceInstance(HUB, HUB, "Hub", rank=HUB_RANK), who=HUB)
    elif known[HUB].system != HUB:
        raise SourceConflict(
            f"the source instance hub is registered as {known[HUB].system}, and the hub needs the name for itself",
            remedy="migrate that instance to another id",
        )


def instances(connection: Connection) -> tuple[SourceInstance, ...]:
    """List the registered source instances."""
    return store.select_instances(connection)


def systems(connection: Connection) -> dict[str, str]:
    """Return of which system each registered source instance is an installation."""
    return {one.id: one.system for one in store.select_instances(connection)}


def require_instance(connection: Connection, instance_id: str) -> SourceInstance:
    """Return one instance; raises SourceUnknown that names those which exist."""
    known = {one.id: one for one in store.select_instances(connection)}
    if instance_id not in known:
        raise SourceUnknown(
            instance_id, remedy=f"register it with `mdm sources add`; known are {', '.join(known) or 'none yet'}"
        )
    return known[instance_id]


def _require_not_built_in(instance_id: str) -> None:
    if instance_id == HUB:
        raise SourceConflict(
            "the source instance hub is built in: it holds what the hub makes itself",
            remedy="choose another id for the new instance",
        )


def _folded(instance: SourceInstance) -> SourceInstance:
    system = system_name(instance.system)
    if not system:
        raise InputInvalid(
            f"{instance.id} is to be registered as an installation of no system",
            remedy="name the system, as salesforce",
            field="system",
        )
    return replace(instance, system=system)


def judge(
    entity_type: EntityType, delivery: Delivery, *, known_instances: Systems, column_map: Mapping[str, str]
) -> Accepted | Rejected:
    """Map one delivery and decide whether it can be stored; all faults are told at once."""
    named = [key.instance for key in (delivery.key, delivery.merged_into) if key is not None]
    if unknown := [instance for instance in named if instance not in known_instances]:
        return Rejected(delivery, (_unregistered(unknown[0], delivery.source_column),))
    origin = Origin(delivery.key.instance, known_instances[delivery.key.instance])
    mapped = map_record(entity_type, delivery.fields, origin=origin, column_map=column_map)
    rejecting = tuple(fault for fault in mapped.faults if fault.severity == "reject")
    if delivery.is_deletion or delivery.merged_into is not None:
        return Accepted(delivery, {}, {}, (), (), _content_hash(delivery, {}, {}))
    if unstorable := _unstorable(delivery.fields):
        return Rejected(delivery, (*rejecting, unstorable))
    if rejecting:
        return Rejected(delivery, mapped.faults)
    return Accepted(
        delivery=delivery,
        values=mapped.values,
        undeclared=mapped.undeclared,
        references=references_of(entity_type, delivery.key, mapped.values, known_instances),
        warnings=mapped.faults,
        content_hash=_content_hash(delivery, mapped.values, mapped.undeclared),
        system=origin.system,
    )


def _unregistered(instance_id: str, column: str) -> Reason:
    """Say that an instance is not registered; a column of a file that is only called so can be left out."""
    if not column:
        message, remedy = f"source instance {instance_id!r} is not registered", "register it first"
    else:
        message = f"column {column!r} names the source instance {instance_id!r}, which is not registered"
        remedy = f"register it first, or leave the column out with --map {column}="
    return Reason("source", "source_unknown", message, remedy, "reject")


def judge_own_words(
    entity_type: EntityType, delivery: Delivery, *, accepted: Accepted, column_map: Mapping[str, str]
) -> Accepted:
    """Read an accepted delivery again of which some fields were left out; what is missing then is no fault."""
    origin = Origin(delivery.key.instance, accepted.system)
    mapped = map_record(entity_type, delivery.fields, origin=origin, column_map=column_map)
    return Accepted(
        delivery=delivery,
        values=mapped.values,
        undeclared=mapped.undeclared,
        references=tuple(one for one in accepted.references if one.attribute in mapped.values),
        warnings=accepted.warnings,
        content_hash=_content_hash(delivery, mapped.values, mapped.undeclared),
        system=accepted.system,
    )


def split_known(
    connection: Connection, accepted: Sequence[Accepted]
) -> tuple[list[Accepted], dict[SourceKey, Arrival], list[Rejected]]:
    """Part a batch into what must be stored, what is plainly a repeat, and what its key is not; no lock is taken."""
    heads = store.select_heads(connection, [one.delivery.key for one in accepted])
    fresh, repeats, misfits = [], {}, []
    for one in accepted:
        head = heads.get(one.delivery.key)
        if head is not None and head.entity_type != one.delivery.entity_type:
            reason = Reason(
                "entity_type",
                "entity_type_conflict",
                f"{one.delivery.key} is a {head.entity_type}, not a {one.delivery.entity_type}",
                "a source key keeps its entity type; deliver the record under another object",
                "reject",
            )
            misfits.append(Rejected(one.delivery, (reason,)))
        elif head is not None and head.content_hash == one.content_hash:
            repeats[one.delivery.key] = _arrival(one.delivery.key, head, "unchanged")
        else:
            fresh.append(one)
    return fresh, repeats, misfits


def ingest(
    connection: Connection, accepted: Sequence[Accepted], *, at: Callable[[Connection], datetime], who: str
) -> tuple[Arrival, ...]:
    """Store what is new among deliveries of distinct keys; an exact repeat changes nothing, nor does an older version.

    The keys of the records and of what they point at are locked first, so that a child and its parent cannot miss each
    other. `at` takes the instant once the locks are held.
    """
    _lock_meeting_points(connection, accepted)
    failpoint("ingest.locked")
    standings = store.select_standings(connection, [one.delivery.key for one in accepted])
    arrivals, rows, references = [], [], {}
    for one in accepted:
        found = standings[one.delivery.key]
        head = found if found.id is not None else None
        status = _status(head, one)
        if status in {"unchanged", "stale"}:
            arrivals.append(_arrival(one.delivery.key, head, status))
            continue
        record_id = RecordId(head.id) if head is not None else new_record_id()
        rows.append(_row(record_id, one, version=head.version + 1 if head is not None else 1))
        if one.references:
            references[record_id] = one.references
        golden_id = GoldenId(head.golden_id) if head is not None and head.golden_id else None
        is_settled = status == "updated" and golden_id is not None and not found.is_deferred
        before = found.values if is_settled and found.state == one.state == "active" else None
        arrivals.append(
            Arrival(record_id, one.delivery.key, status, golden_id, found.has_facts, found.has_exceptions, before)
        )
    if rows:
        store.upsert_records(connection, rows, at=at(connection), who=who)
    if references:
        references_store.insert_references(connection, references)
    failpoint("ingest.stored")
    return tuple(arrivals)


def meeting_point(entity_type: str, key: SourceKey) -> int:
    """Name the lock under which whoever stores a record, points at it or ends it meets the others."""
    return key_hash("source", entity_type, key.instance, key.native_id)


def parents_of(
    connection: Connection, entity_type: EntityType, record_ids: Iterable[RecordId]
) -> dict[RecordId, tuple[str, str]]:
    """Find the golden parent that each record was matched within, and the one it points at now; "" is unknown."""
    assert entity_type.within is not None, "only children have parents"
    return references_store.select_parents(connection, record_ids, attribute=entity_type.within)


def pointed_at(connection: Connection, record_ids: Iterable[RecordId]) -> frozenset[GoldenId]:
    """Find the golden records that these records point at."""
    return frozenset(references_store.select_resolved_references(connection, record_ids).values())


def references_of(
    entity_type: EntityType, key: SourceKey, values: Mapping[str, Any], known_instances: Container[str]
) -> tuple[ReferenceKey, ...]:
    """List what the values of a record point at; a bare native id is one of the record's own instance and scope."""
    found = []
    for attribute in entity_type.attributes.values():
        if attribute.reference is None or attribute.name not in values:
            continue
        value = values[attribute.name]
        for native_id in value if attribute.is_list else [value]:
            instance, scope, native = key.instance, key.scope, native_id
            full = _printed_key(native_id, known_instances)
            if full is not None:
                instance, scope, native = full.instance, full.scope, full.native_id
            found.append(ReferenceKey(attribute.name, attribute.reference.entity_type, instance, scope, native))
    return tuple(found)


def _lock_meeting_points(connection: Connection, accepted: Sequence[Accepted]) -> None:
    keys = {meeting_point(one.delivery.entity_type, one.delivery.key) for one in accepted}
    keys |= {key_hash("source", to.entity_type, to.instance, to.native_id) for one in accepted for to in one.references}
    lock_keys(connection, keys)


def _status(head: Row[Any] | None, one: Accepted) -> Status:
    if head is None:
        return "created"
    if head.content_hash == one.content_hash or (one.delivery.is_deletion and head.is_forwarded):
        return "unchanged"  # what was given up for another key has gone already, and its key resolves for ever
    if head.content_hash == NEVER_DELIVERED and not one.delivery.is_deletion:
        return "created"
    newer = one.delivery.source_time
    if newer is not None and head.source_time is not None and newer < head.source_time:
        return "stale"
    return "updated"


def _arrival(key: SourceKey, head: Row[Any] | None, status: Status) -> Arrival:
    assert head is not None, "only a stored record can be repeated or outdated"
    return Arrival(RecordId(head.id), key, status, GoldenId(head.golden_id) if head.golden_id else None)


def _row(record_id: RecordId, one: Accepted, *, version: int) -> dict[str, Any]:
    key = one.delivery.key
    return {
        "id": record_id,
        "entity_type": one.delivery.entity_type,
        "instance_id": key.instance,
        "object": key.object,
        "scope": key.scope,
        "native_id": key.native_id,
        "state": one.state,
        "version": version,
        "content_hash": one.content_hash,
        "source_time": one.delivery.source_time,
        "fields": dict(one.delivery.fields),
        "values": one.values,
        "undeclared": one.undeclared,
        "warnings": [(fault.field, fault.code, fault.severity) for fault in one.warnings],
    }


def _content_hash(delivery: Delivery, values: Mapping[str, Any], undeclared: Mapping[str, Any]) -> bytes:
    # The source's own time counts as content: a newer time with equal values still moves the stale guard.
    time = delivery.source_time.isoformat() if delivery.source_time else None
    content = as_json({"deleted": delivery.is_deletion, "time": time, "undeclared": undeclared, "values": values})
    return hashlib.sha256(content.encode()).digest()


def _unstorable(fields: Mapping[str, Any]) -> Reason | None:
    for name, value in fields.items():
        if not is_storable({name: value}):
            shown = name.encode(errors="replace").decode()
            remedy = "send plain JSON values without NUL and without half surrogate pairs"
            return Reason(
                shown, "unstorable_text", f"{shown} holds a value that no text column can keep", remedy, "reject"
            )
    return None


def _printed_key(text: str, known_instances: Container[str]) -> SourceKey | None:
    try:
        key = SourceKey.parse(text)
    except SourceKeyInvalid:
        return None
    return key if key.instance in known_instances else None
