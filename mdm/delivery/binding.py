"""Bind a key that the hub brought about to its golden record: the record that it made in a target.

The key is known at once, before the target's own record comes back by ingest. It says nothing of its own until then; a
decision in the target's name holds it where it belongs.
"""

from mdm import clock
from mdm.db.locks import lock_keys
from mdm.decisions import service as decisions
from mdm.decisions.model import Signature, Verdict
from mdm.hub import Work
from mdm.identity.model import Cause
from mdm.ids import GoldenId, RecordId, new_event_id
from mdm.pipeline import recluster
from mdm.sources import store as sources_store
from mdm.sources.model import Accepted, Delivery, SourceKey
from mdm.sources.service import MADE_BY_HUB, ingest, meeting_point


def bind_key(work: Work, entity_type: str, key: SourceKey, golden_id: GoldenId, *, reason: str) -> RecordId:
    """Let a key belong to a golden record, or to what it forwards to; a key that does already is left alone.

    Raises DecisionContradicts where a steward says that what the key names is different.
    """
    lock_keys(work.connection, [meeting_point(entity_type, key)])
    head = sources_store.select_heads(work.connection, [key]).get(key)
    if head is None:
        delivery = Delivery(key, entity_type, {})
        made = Accepted(delivery, {}, {}, (), (), MADE_BY_HUB)
        (arrival,) = ingest(work.connection, [made], at=clock.recording_instant, who=work.who)
        record_id = arrival.record_id
    else:
        record_id = RecordId(head.id)
    anchor = sources_store.select_anchor(work.connection, golden_id, apart_from=record_id)
    if head is not None and head.golden_id and (anchor is None or anchor.golden_id == head.golden_id):
        return record_id
    decisions.hold_decisions(work.connection, entity_type)
    signed = Signature(clock.recording_instant(work.connection), work.who, new_event_id())
    seeds = {record_id}
    if anchor is not None:
        pair = (record_id, RecordId(anchor.id))
        decisions.make_decisions(work.connection, entity_type, [pair], Verdict("same", reason), signed=signed)
        seeds.add(pair[1])
    cause = Cause("decision", reason, event_id=signed.event_id)
    recluster(work, work.declared[entity_type], seeds, cause=cause)
    return record_id
