"""The whole life of a source key in the order of time: deliveries, events, memberships, endings and decisions."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row

from mdm.errors import SourceRecordUnknown
from mdm.ids import RecordId
from mdm.source_events import store
from mdm.source_events.model import Moment, SourceEvent
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey


def life_of(connection: Connection, key: SourceKey) -> tuple[Moment, ...]:
    """Tell all that the hub knows of a key, oldest first; raises SourceRecordUnknown for one it never heard of.

    A key that was only named in an event has a life too. Values of the record are no part of it.
    """
    head = sources_store.select_heads(connection, [key]).get(key)
    moments = list(_events(store.select_touching(connection, str(key), key.instance), key, is_known=head is not None))
    if head is not None:
        record_id = RecordId(head.id)
        moments += _deliveries(store.select_versions(connection, record_id))
        moments += _memberships(store.select_memberships(connection, record_id))
        moments += _endings(store.select_endings(connection, record_id))
        moments += _decisions(store.select_decisions(connection, record_id), key)
    if not moments:
        raise SourceRecordUnknown(str(key))
    # What happened at one instant is told in the order of its making: delivered, told of, then what followed.
    return tuple(sorted(moments, key=lambda moment: (moment.at, _ORDER.index(moment.kind))))


_ORDER = ("delivered", "source_event", "revoked", "decided", "reopened", "ended", "left", "joined")


def _events(events: tuple[SourceEvent, ...], key: SourceKey, *, is_known: bool) -> Iterator[Moment]:
    for event in events:
        if event.source_key is None and not is_known:
            continue
        facts = {
            "id": event.id,
            "kind": event.kind,
            "other_key": event.other_key if event.source_key == str(key) else event.source_key,
            "happened_at": event.happened_at,
            "reason": event.details.get("reason"),
            "event_id": event.event_id,
            "ended": event.ended_because,
        }
        yield Moment(event.recorded_at, "source_event", str(event), event.who, _given(facts))


def _deliveries(versions: list[Row[Any]]) -> Iterator[Moment]:
    for row in versions:
        how = "delivered" if row.is_delivered else "taken over from what happened to another record"
        gone = ", deleted" if row.state == "deleted" else ""
        facts = _given({"version": row.version, "state": row.state, "source_time": row.source_time})
        yield Moment(row.recorded_at, "delivered", f"version {row.version} {how}{gone}", row.who, facts)


def _memberships(memberships: list[Row[Any]]) -> Iterator[Moment]:
    for row in memberships:
        facts = {"golden_id": row.golden_id, "event_id": row.event_id, "cause": row.kind}
        yield Moment(row.recorded_from, "joined", f"belongs to {row.golden_id}", row.who, facts)
        if row.recorded_to is not None:
            yield Moment(
                row.recorded_to, "left", f"left {row.golden_id}", row.left_who or "", {"golden_id": row.golden_id}
            )


def _endings(endings: list[Row[Any]]) -> Iterator[Moment]:
    for row in endings:
        facts = _given({"because": row.because, "successor": row.successor_key})
        onward = f", goes on as {row.successor_key}" if row.successor_key else ""
        yield Moment(row.recorded_from, "ended", f"ended: {row.because}{onward}", row.who, facts)
        if row.recorded_to is not None:
            yield Moment(row.recorded_to, "reopened", f"no more ended: {row.because}", "", {"because": row.because})


def _decisions(decisions: list[Row[Any]], key: SourceKey) -> Iterator[Moment]:
    for row in decisions:
        facts = {"id": row.id, "judgement": row.judgement, "other_key": row.other_key, "basis": row.basis}
        told = f"{row.relation or row.judgement}: {key} and {row.other_key}"
        yield Moment(row.recorded_at, "decided", told, row.who, facts)
        if row.revoked_at is not None:
            yield Moment(row.revoked_at, "revoked", f"revoked, {told}", row.revoked_by or "", facts)


def _given(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
