"""The exception queue: what could not be taken as it came, with every reason, until somebody mends or dismisses it.

A rejected delivery waits here whole, one of a key: a newer one takes its place, an older one is stale. An accepted one
with warnings (a code that no list knows) has an entry too. The same content delivered again opens nothing new, what
somebody mended and replayed stands as mended until the source delivers something else, and a later delivery that is
stored closes what it puts right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import Connection

from mdm.db.locks import key_hash, lock_keys
from mdm.db.types import as_json, is_storable
from mdm.entities.columns import claim, column_key
from mdm.entities.model import EntityType, Reason
from mdm.errors import ExceptionClosed, ExceptionUnknown, InputInvalid
from mdm.ids import ExceptionId, new_exception_id
from mdm.sources import exceptions_store as store
from mdm.sources import store as records_store
from mdm.sources.exceptions_model import ExceptionFilter, ReasonGroup
from mdm.sources.model import Accepted, Delivery, DeliveryException, Rejected, SourceKey

NOTE_LENGTH_MAX: Final = 1_000  # as the table allows: a paragraph
GROUPS_MAX: Final = 200  # chosen: groups of one answer, more than a page shows


def queue_rejected(
    connection: Connection, rejected: Sequence[Rejected], *, column_map: Mapping[str, str], who: str
) -> frozenset[int]:
    """Queue rejected deliveries with all their reasons, and how their columns were mapped by hand; one waits of a key.

    A newer one closes what waits of its key. Returns the places of those that are stale, which change nothing.
    """
    # Two of one key that come at the same time would both find nothing that waits.
    lock_keys(connection, {key_hash("exceptions", one.delivery.key.instance) for one in rejected})
    stale = _stale(connection, [one.delivery for one in rejected])
    turns: dict[int, list[Rejected]] = {}
    turn_by_key: dict[SourceKey, int] = {}
    for place, one in enumerate(rejected):
        if place not in stale:
            turn = turn_by_key[one.delivery.key] = turn_by_key.get(one.delivery.key, 0) + 1
            turns.setdefault(turn, []).append(one)
    for some in turns.values():
        rows = [_row("rejected", one.delivery, one.reasons, column_map) for one in some]
        times = {one.delivery.key: one.delivery.source_time for one in some}
        but = [row["fingerprint"] for row in rows]
        store.supersede_exceptions(connection, times, kinds=["rejected"], but=but, who=who)
        store.insert_exceptions(connection, rows, who=who)
    return stale


def settle(connection: Connection, stored: Sequence[Accepted], *, column_map: Mapping[str, str], who: str) -> None:
    """Close what stored deliveries put right, and queue the warnings that they bring."""
    rows = [_row("warning", one.delivery, one.warnings, column_map) for one in stored if one.warnings]
    times = {one.delivery.key: one.delivery.source_time for one in stored}
    but = [row["fingerprint"] for row in rows]
    store.supersede_exceptions(connection, times, kinds=["rejected", "warning"], but=but, who=who)
    if rows:
        store.insert_exceptions(connection, rows, who=who)


def settle_repeats(connection: Connection, deliveries: Sequence[Delivery], *, who: str) -> None:
    """Close the rejected deliveries of keys whose source says again what is stored; without a time, the later holds."""
    if timeless := {one.key: one.source_time for one in deliveries if one.source_time is None}:
        store.supersede_exceptions(connection, timeless, kinds=["rejected"], but=(), who=who)


def listed(
    connection: Connection, *, state: str = "open", source: str | None = None, after: str = "", limit: int = 100
) -> tuple[DeliveryException, ...]:
    """List exceptions in the order they were queued."""
    return store.select_exceptions(connection, state=state, source=source, after=after, limit=limit)


def listed_by(
    connection: Connection, asked: ExceptionFilter, *, after: str = "", limit: int = 100
) -> tuple[DeliveryException, ...]:
    """List what a filter lets through in the order it was queued; `after` is the id of the last one seen."""
    return store.select_filtered(connection, asked, after=after, limit=limit)


def fields_of(connection: Connection, exception_ids: Sequence[ExceptionId]) -> dict[ExceptionId, Mapping[str, Any]]:
    """Give what was delivered, as mended, by exception."""
    return store.select_fields(connection, exception_ids) if exception_ids else {}


def newest_open(connection: Connection, key: SourceKey) -> ExceptionId:
    """Return the newest exception about a key that is open; there must be one."""
    return store.select_newest_open(connection, str(key))


def count_by(connection: Connection, asked: ExceptionFilter) -> int:
    """Count what a filter lets through."""
    return store.count_filtered(connection, asked)


def grouped(connection: Connection, asked: ExceptionFilter, *, limit: int = GROUPS_MAX) -> tuple[ReasonGroup, ...]:
    """Count what a filter lets through by entity type, source, kind and reason, the largest group first.

    An exception counts once under each reason that it has.
    """
    return store.select_groups(connection, asked, limit=limit)


def counted(connection: Connection) -> dict[tuple[str, str], int]:
    """Count open exceptions by kind and first reason code."""
    return store.count_exceptions(connection)


def require(connection: Connection, exception_id: ExceptionId) -> DeliveryException:
    """Return one exception; raises ExceptionUnknown."""
    found = store.select_exception(connection, exception_id)
    if found is None:
        raise ExceptionUnknown(exception_id)
    return found


def mended_before(connection: Connection, deliveries: Sequence[Delivery]) -> dict[int, DeliveryException]:
    """Find which deliveries somebody mended and replayed as they stand: position → the exception with mended fields."""
    position_by_fingerprint: dict[int, list[int]] = {}
    for position, delivery in enumerate(deliveries):
        position_by_fingerprint.setdefault(_fingerprint(delivery), []).append(position)
    keys = {str(delivery.key) for delivery in deliveries}
    replayed = store.select_replayed(connection, keys, position_by_fingerprint)
    found = {}
    for fingerprint, exception in replayed:
        for position in position_by_fingerprint[fingerprint]:
            # One that was replayed as it came is judged like any other: what is declared may have changed since.
            if exception.fields != _storable_fields(deliveries[position]):
                found[position] = exception
    return found


def mend(
    connection: Connection, declared: Mapping[str, EntityType], exception_id: ExceptionId, changes: Mapping[str, Any]
) -> DeliveryException:
    """Put mended fields in place of delivered ones (None removes a field).

    Raises ExceptionUnknown, ExceptionClosed, and InputInvalid for a field that was not delivered and fills nothing.
    """
    mended = as_mended(_open(connection, exception_id), declared, changes)
    store.update_exception_fields(connection, exception_id, mended.fields)
    return require(connection, exception_id)


def as_mended(
    found: DeliveryException, declared: Mapping[str, EntityType], changes: Mapping[str, Any]
) -> DeliveryException:
    """Give an exception as mending would leave it, without writing; raises InputInvalid as `mend` does."""
    if found.entity_type in declared:
        _require_useful(found, declared[found.entity_type], changes)
    fields = {name: value for name, value in {**found.fields, **changes}.items() if value is not None}
    return replace(found, fields=fields)


def with_reasons(found: DeliveryException, reasons: Sequence[Reason]) -> DeliveryException:
    """Give an exception as another attempt would leave it, without writing."""
    return replace(found, reasons=tuple(reasons))


def keep(connection: Connection, found: DeliveryException, reasons: Sequence[Reason]) -> None:
    """Leave an exception open with the reasons of its last replay."""
    store.update_exception_reasons(connection, found.id, [asdict(reason) for reason in reasons])


def close(connection: Connection, exception_id: ExceptionId, *, state: str, who: str, note: str = "") -> None:
    """Close an open exception as replayed or dismissed; raises ExceptionUnknown, ExceptionClosed, InputInvalid.

    note  why it is dismissed
    """
    if len(note) > NOTE_LENGTH_MAX:
        raise InputInvalid(
            f"a reason has {NOTE_LENGTH_MAX} characters at most", remedy="say it in one sentence", field="note"
        )
    _open(connection, exception_id)
    store.close_exception(connection, exception_id, state=state, who=who, note=note.strip())


def delivery_of(found: DeliveryException) -> Delivery:
    """Return the delivery that an exception holds, to be sent along the path once more."""
    key = SourceKey.parse(found.source_key)
    return Delivery(key, found.entity_type, found.fields, found.source_time, found.is_deletion)


def require_open(found: DeliveryException) -> None:
    """Refuse an exception that is closed; raises ExceptionClosed."""
    if found.state != "open":
        raise ExceptionClosed(f"exception {found.id} is {found.state}", remedy="only open exceptions can be changed")


def _stale(connection: Connection, deliveries: Sequence[Delivery]) -> frozenset[int]:
    """Find the places of those that are older than the record of their key, or than what waits of it by then."""
    keys = sorted({one.key for one in deliveries})
    stored = {key: head.source_time for key, head in records_store.select_heads(connection, keys).items()}
    printed = store.select_rejection_times(connection, map(str, keys))
    waiting: dict[SourceKey, datetime | None] = {key: printed.get(str(key)) for key in keys}
    stale = set()
    for place, one in enumerate(deliveries):
        time = one.source_time
        if time is not None and any(known and time < known for known in (stored.get(one.key), waiting[one.key])):
            stale.add(place)
        else:
            waiting[one.key] = time
    return frozenset(stale)


def _open(connection: Connection, exception_id: ExceptionId) -> DeliveryException:
    found = store.select_exception(connection, exception_id, for_update=True)
    if found is None:
        raise ExceptionUnknown(exception_id)
    require_open(found)
    return found


def _require_useful(found: DeliveryException, entity_type: EntityType, changes: Mapping[str, Any]) -> None:
    for column in changes:
        if column in found.fields or claim(entity_type, column, found.column_map) is not None:
            continue
        known = dict.fromkeys([*found.column_map, *found.fields])
        for attribute in entity_type.attributes.values():
            known |= dict.fromkeys([attribute.name, *attribute.columns])
        folded = {column_key(name): name for name in reversed(known)}
        near = get_close_matches(column_key(column), folded, n=1)
        raise InputInvalid(
            f"{column[:100]!r} fills nothing of a {entity_type.name} and was not delivered",
            remedy=f"did you mean {folded[near[0]]}?"
            if near
            else f"`mdm schema --entity {entity_type.name}` lists the columns",
            field=column[:100],
        )


def _row(kind: str, delivery: Delivery, reasons: Sequence[Reason], column_map: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": new_exception_id(),
        "kind": kind,
        "entity_type": delivery.entity_type,
        "instance_id": delivery.key.instance,
        "source_key": str(delivery.key),
        "fields": _storable_fields(delivery),
        "source_time": delivery.source_time,
        "is_deletion": delivery.is_deletion,
        "column_map": column_map,
        "reasons": [asdict(reason) for reason in reasons],
        "fingerprint": _fingerprint(delivery),
    }


def _fingerprint(delivery: Delivery) -> int:
    """Tell content as delivered from other content of the same record; mending does not change it."""
    return key_hash("exception", str(delivery.key), as_json(_storable_fields(delivery)))


def _storable_fields(delivery: Delivery) -> dict[str, Any]:
    return {_storable(name): _storable(value) for name, value in delivery.fields.items()}


def _storable(value: Any) -> Any:
    """Show what no column can keep by its escape, so that the rest of a rejected record is not lost with it."""
    if is_storable(value):
        return value
    if not isinstance(value, str):
        return ascii(value)
    return value.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")
