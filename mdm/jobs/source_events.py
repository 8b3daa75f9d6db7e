"""Take what sources did to their own records, in transactions of a few dozen facts, and let whole instances follow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import networkx as nx
from sqlalchemy import Connection

from mdm.db.transaction import run
from mdm.entities.model import Reason
from mdm.errors import InputInvalid
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry
from mdm.identity import crosswalk_store
from mdm.identity.model import Cause
from mdm.ids import SourceEventId
from mdm.jobs.model import Outcome
from mdm.jobs.service import deliver
from mdm.pipeline import recluster, reevaluate, take_facts
from mdm.resolution.service import ChunkTooWide
from mdm.source_events import service as source_events
from mdm.source_events import store as source_events_store
from mdm.source_events.model import INSTANCE_WIDE, Noted, SourceEvent, SourceFact, Status
from mdm.sources import store as sources_store
from mdm.sources.model import HUB, Delivery, SourceKey
from mdm.sources.model import Status as DeliveryStatus
from mdm.sources.service import BUILT_IN, instances

_STATUS: Final[Mapping[DeliveryStatus, Status]] = {
    "created": "recorded",
    "updated": "recorded",
    "unchanged": "unchanged",
    "stale": "overtaken",
    "rejected": "rejected",
}

_Told = dict[int, Noted]
_Judged = tuple[int, SourceFact, str]


def report(
    hub: Hub, facts: Sequence[SourceFact], *, who: str, bracket: Bracket[tuple[Noted, ...]] = UNBRACKETED
) -> tuple[Noted, ...]:
    """Keep facts in their order, do what follows from each, and say what became of it.

    Each is kept or rejected by itself; one that is known changes nothing. What ends a whole instance is kept at once,
    its records follow before this returns, or, after a crash, by the worker.
    """
    judged = run(hub.engine, partial(_judge, facts=facts))
    told: _Told = {
        index: Noted(fact, "rejected", reasons=found)
        for index, (fact, found) in enumerate(zip(facts, judged, strict=True))
        if not isinstance(found, str)
    }
    ready = [(index, facts[index], found) for index, found in enumerate(judged) if isinstance(found, str)]
    waiting = list(_chunks(ready, hub.settings.chunk_records)) or [[]]
    while waiting:
        chunk = waiting.pop(0)
        after = UNBRACKETED.after if waiting else _telling_all(bracket, told)
        try:
            told |= _take(hub, chunk, who=who, bracket=Bracket(bracket.before, after))
        except ChunkTooWide:
            if len(chunk) < 2:
                raise
            half = len(chunk) // 2
            waiting[:0] = [chunk[:half], chunk[half:]]
    if any(fact.kind in INSTANCE_WIDE for _, fact, _ in ready):
        while follow_instances(hub, who=who):
            pass
    return _in_order(told)


def revoke(hub: Hub, event_id: SourceEventId, *, who: str, bracket: Bracket[SourceEvent] = UNBRACKETED) -> SourceEvent:
    """Take a fact back that was told by mistake: what only followed from it is undone.

    One that ended before is left alone. Raises SourceEventUnknown, and InputInvalid for a deletion or an instance.
    """

    def act(work: Work) -> SourceEvent:
        event = source_events.require_event(work.connection, event_id)
        if event.source_key is None or event.kind == "deleted":
            remedy = "deliver the record again" if event.source_key else "take the instance back, or retire it again"
            raise InputInvalid(f"{event} cannot be revoked", remedy=remedy, field="id")
        if event.ended_at is not None:
            return event
        settled = source_events.revoke(work.connection, event, who=who)
        entity_type = work.declared[str(event.entity_type)]
        cause = Cause("source_event", f"revoked: {event}", event_id=settled.event_id)
        if settled.record_ids:
            reevaluate(work, entity_type, settled.record_ids, cause=cause)
        return source_events.require_event(work.connection, event_id)

    return carry(hub, act, who=who, bracket=bracket)


def follow_instances(hub: Hub, *, who: str = "worker") -> int:
    """Let some records of retired or returned instances follow them; return how many there were."""
    limit = hub.settings.chunk_records
    waiting = run(hub.engine, source_events_store.select_unsettled)
    return sum(carry(hub, partial(_follow, instance=instance, limit=limit), who=who) for instance in waiting)


def _follow(work: Work, *, instance: str, limit: int) -> int:
    following = source_events_store.select_following(work.connection, instance, tuple(work.declared), limit=limit)
    if not following:
        source_events_store.update_settled(work.connection, instance)
        return 0
    entity_type = work.declared[following[0][1]]
    keys = [key for key, name in following if name == entity_type.name]
    settled = source_events.follow_instance(work.connection, entity_type.name, keys, who=work.who)
    cause = Cause("source_event", f"{instance} was retired or came back", event_id=settled.event_id)
    if settled.record_ids:
        recluster(work, entity_type, settled.record_ids, cause=cause)
    return len(keys)


def _judge(connection: Connection, facts: Sequence[SourceFact]) -> list[str | tuple[Reason, ...]]:
    types = _types(connection, facts)
    known = frozenset(one.id for one in instances(connection))
    return [
        (BUILT_IN,)
        if HUB in {fact.instance, *(key.instance for key in (fact.key, fact.other) if key is not None)}
        else source_events.judge(fact, types=types, known_instances=known)
        for fact in facts
    ]


def _types(connection: Connection, facts: Sequence[SourceFact]) -> dict[SourceKey, str]:
    """Find the entity types of all keys: that of the record, else of what it is merged with or has as its new key."""
    pairs = [[key for key in (fact.key, fact.other) if key is not None] for fact in facts]
    heads = sources_store.select_heads(connection, sorted({key for pair in pairs for key in pair}))
    types = {key: str(head.entity_type) for key, head in heads.items()}
    graph = nx.Graph([tuple(pair) for pair in pairs if len(pair) > 1])
    for group in nx.connected_components(graph):
        found = {types[key] for key in group if key in types}
        found = found or {fact.entity_type for fact in facts if fact.key in group and fact.entity_type}
        types = {**dict.fromkeys(group, *found), **types} if len(found) == 1 else types
    return types


def _chunks(ready: Sequence[_Judged], size: int) -> Iterator[list[_Judged]]:
    """Cut into runs of one entity type and distinct keys, in order; a deletion and an instance stand alone."""
    chunk: list[_Judged] = []
    for one in ready:
        _, fact, name = one
        is_alone = fact.kind in INSTANCE_WIDE or fact.kind == "deleted"
        is_same = bool(chunk) and chunk[0][2] == name and fact.key not in {known.key for _, known, _ in chunk}
        if chunk and (is_alone or not is_same or len(chunk) == size or chunk[0][1].kind in {"deleted", *INSTANCE_WIDE}):
            yield chunk
            chunk = []
        chunk.append(one)
    if chunk:
        yield chunk


def _take(hub: Hub, chunk: Sequence[_Judged], *, who: str, bracket: Bracket[_Told]) -> _Told:
    """Take one run of facts in a transaction of its own."""
    first = chunk[0][1] if chunk else None
    if first is not None and first.kind == "deleted":
        return _delete(hub, chunk[0], who=who, bracket=bracket)

    def act(work: Work) -> _Told:
        if first is None:
            return {}
        if first.kind in INSTANCE_WIDE:
            return {chunk[0][0]: source_events.note_instance(work.connection, first, who=who)}
        noted = take_facts(work, hub.entity_type(chunk[0][2]), [fact for _, fact, _ in chunk])
        keys = [fact.key for _, fact, _ in chunk if fact.key is not None]
        golden = crosswalk_store.select_golden_ids(work.connection, keys, as_of=None)
        return {
            index: replace(one, golden_id=golden[fact.key][0] if fact.key in golden else None)
            for (index, fact, _), one in zip(chunk, noted, strict=True)
        }

    return carry(hub, act, who=who, bracket=bracket)


def _delete(hub: Hub, judged: _Judged, *, who: str, bracket: Bracket[_Told]) -> _Told:
    index, fact, name = judged
    assert fact.key is not None, "a record is deleted, not an instance"
    delivery = Delivery(fact.key, name, {}, fact.happened_at, is_deletion=True, reason=fact.reason)

    def tell(outcomes: Sequence[Outcome]) -> _Told:
        return {index: Noted(fact, _STATUS[outcomes[0].status], golden_id=outcomes[0].golden_id)}

    around: Bracket[tuple[Outcome, ...]] = Bracket(
        bracket.before, lambda connection, outcomes: bracket.after(connection, tell(outcomes))
    )
    return tell(deliver(hub, [delivery], who=who, bracket=around))


def _telling_all(bracket: Bracket[tuple[Noted, ...]], earlier: _Told) -> Callable[[Connection, _Told], None]:
    return lambda connection, last: bracket.after(connection, _in_order(earlier | last))


def _in_order(told: _Told) -> tuple[Noted, ...]:
    return tuple(told[index] for index in sorted(told))
