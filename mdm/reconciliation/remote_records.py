"""The records of a target as they stand there: read page by page, in the hub's words, and as hashes to compare with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.model import CallFailed, RecordSystem, RemoteRecord
from mdm.delivery import ledger_store as store
from mdm.delivery.hashes import hash_fields, new_salt
from mdm.delivery.model import Declaration, Held, RecordSubscription, RemoteState
from mdm.delivery.wanted import in_its_words
from mdm.entities.model import EntityType
from mdm.errors import TargetUnavailable
from mdm.ids import GoldenId
from mdm.sources.model import Delivery, SourceKey

PAGE_RECORDS: Final = 200  # chosen: a page of records of 16 kB is 3 MB

Place = tuple[str, str, str]
"""Object, scope and native id."""


def read_all(system: RecordSystem, target_id: str, object_: str) -> Iterator[Sequence[RemoteRecord]]:
    """Read every record of an object, page by page, each once: one that changes meanwhile stands as it was first.

    Raises TargetUnavailable.
    """
    seen: set[Place] = set()
    cursor = ""
    while True:
        try:
            page = system.changed(object_, after=cursor, limit=PAGE_RECORDS)
        except CallFailed as failed:
            raise _unavailable(target_id, failed) from failed
        fresh = [record for record in page.records if place_of(record) not in seen]
        seen.update(map(place_of, fresh))
        yield fresh
        if page.is_last or page.cursor == cursor:
            return
        cursor = page.cursor


def read_some(
    system: RecordSystem, target_id: str, object_: str, native_ids: Sequence[str]
) -> Mapping[str, RemoteRecord]:
    """Read records by native id; those that are not there are left out. Raises TargetUnavailable."""
    try:
        return system.read(object_, native_ids)
    except CallFailed as failed:
        raise _unavailable(target_id, failed) from failed


def place_of(record: RemoteRecord) -> Place:
    """Name the place of a record in its system."""
    return record.object, record.scope, record.native_id


def key_of(declaration: Declaration, record: RemoteRecord) -> SourceKey:
    """Give the source key of a record."""
    return SourceKey(declaration.instance, *place_of(record))


def column_map_of(subscription: RecordSubscription) -> dict[str, str]:
    """Say which attribute each field of the target holds."""
    return {rule.target_field: rule.attribute for rule in subscription.fields}


def delivery_of(declaration: Declaration, subscription: RecordSubscription, record: RemoteRecord) -> Delivery:
    """Turn a record into a delivery: codes in our words, and declared fields that are not there as empty ones."""
    key = key_of(declaration, record)
    if record.merged_into:
        survivor = replace(key, native_id=record.merged_into)
        return Delivery(key, subscription.entity_type, {}, record.changed_at, merged_into=survivor)
    fields = dict(record.fields)
    for rule in subscription.fields:
        ours: dict[str, str] = {}
        for code, word in rule.codes.items():
            ours.setdefault(word, code)
        value = fields.get(rule.target_field)
        read = [ours.get(str(one), one) for one in (value if isinstance(value, list) else [value])]
        fields[rule.target_field] = read if isinstance(value, list) else read[0]
    return Delivery(key, subscription.entity_type, fields, record.changed_at)


def as_seen(subscription: RecordSubscription, record: RemoteRecord, salt: bytes) -> Held:
    """Hash what a record holds in the declared fields."""
    shown: dict[str, Any] = {
        rule.target_field: in_its_words(rule, record.fields.get(rule.target_field)) for rule in subscription.fields
    }
    state: RemoteState = "merged" if record.merged_into else "active" if record.is_active else "inactive"
    return Held(
        record.object,
        record.scope,
        record.native_id,
        state,
        salt,
        hash_fields(salt, shown),
        remote_version=record.version,
        external_id="" if record.merged_into else record.external_id,
    )


def note_seen(
    connection: Connection,
    declaration: Declaration,
    subscription: RecordSubscription,
    seen: Sequence[tuple[RemoteRecord, GoldenId]],
) -> None:
    """Keep in the ledger what records hold, of records that belong to golden records."""
    known = store.select_held(connection, declaration.id, [place_of(one) for one, _ in seen], for_update=True)
    at = clock.instant(connection)
    rows = []
    for record, golden_id in seen:
        before = known.get(place_of(record))
        found = as_seen(subscription, record, before.salt if before is not None else new_salt())
        if before is not None:
            state = before.state if before.state == "deactivated" and found.state == "inactive" else found.state
            hashes = {**before.hashes, **found.hashes}
            found = replace(before, state=state, hashes=hashes, external_id=found.external_id)
        rows.append({"entity_type": subscription.entity_type, "golden_id": golden_id, "held": found, "seen_at": at})
    store.upsert_held(connection, declaration.id, rows)


def in_order(declared: Mapping[str, EntityType], declaration: Declaration) -> list[RecordSubscription]:
    """List what a target gets, what others point at first."""
    waiting = dict(declaration.records)
    found: list[RecordSubscription] = []
    while waiting:
        free = [name for name in waiting if not _pointed_at(declared[name]) & (waiting.keys() - {name})]
        found.extend(waiting.pop(name) for name in sorted(free or waiting))
    return found


def _pointed_at(entity_type: EntityType) -> frozenset[str]:
    return frozenset(one.reference.entity_type for one in entity_type.attributes.values() if one.reference is not None)


def _unavailable(target_id: str, failed: CallFailed) -> TargetUnavailable:
    return TargetUnavailable(target_id, failed.failure.reason, retry_after_s=failed.failure.retry_after_s)
