"""Use cases of a steward: make or revoke a decision, and have everything that follows from it carried out at once."""

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions import service as decisions
from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision, Signature, Verdict
from mdm.errors import DecisionUnknown, InputInvalid, SourceRecordUnknown
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry
from mdm.identity.model import Cause, IdentityEvent
from mdm.identity.service import golden_events
from mdm.ids import DecisionId, GoldenId, RecordId, new_event_id
from mdm.pipeline import recluster
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey
from mdm.telemetry import DECISIONS


def decide(
    hub: Hub,
    left: SourceKey,
    right: SourceKey,
    verdict: Verdict,
    *,
    who: str,
    bracket: Bracket[Decision] = UNBRACKETED,
) -> Decision:
    """Decide about two source records; what follows for golden records is carried out in the same transaction.

    Raises SourceRecordUnknown, InputInvalid (two entity types, malformed), DecisionContradicts with the proof.
    """

    def act(work: Work) -> Decision:
        entity_type, pair = _pair(work, left, right)
        decisions.hold_decisions(work.connection, entity_type)
        signed = Signature(clock.recording_instant(work.connection), who, new_event_id())
        (decision,) = decisions.make_decisions(work.connection, entity_type, [pair], verdict, signed=signed)
        cause = Cause("decision", verdict.reason, event_id=signed.event_id)
        recluster(work, work.declared[entity_type], decision.pair, cause=cause)
        work.counts.append(DECISIONS.labels(entity_type, "none", verdict.judgement, "carried_out"))
        return decision

    return carry(hub, act, who=who, bracket=bracket)


def revoke(hub: Hub, decision_id: DecisionId, *, who: str, bracket: Bracket[Decision] = UNBRACKETED) -> Decision:
    """Take a decision back; what only it held together or apart is clustered again. Raises DecisionUnknown."""

    def act(work: Work) -> Decision:
        at = clock.recording_instant(work.connection)
        event_id = new_event_id()
        decision = decisions.revoke(work.connection, decision_id, event_id=event_id, at=at, who=who)
        cause = Cause("revocation", f"{decision_id} revoked", event_id=event_id)
        recluster(work, work.declared[decision.entity_type], decision.pair, cause=cause)
        work.counts.append(DECISIONS.labels(decision.entity_type, "none", decision.verdict.judgement, "revoked"))
        return decision

    return carry(hub, act, who=who, bracket=bracket)


def get_decision(hub: Hub, decision_id: DecisionId) -> Decision:
    """Return one decision, revoked or not; raises DecisionUnknown."""
    decision = run(hub.engine, lambda connection: decisions_store.select_decision(connection, decision_id))
    if decision is None:
        raise DecisionUnknown(decision_id)
    return decision


def list_decisions(
    hub: Hub, *, entity_type: str | None = None, after: str = "", limit: int = 100
) -> tuple[Decision, ...]:
    """List decisions in the order they were made, revoked ones too."""
    return run(
        hub.engine,
        lambda connection: decisions_store.select_decisions(
            connection, entity_type=entity_type, after=after, limit=limit
        ),
    )


def events_of(hub: Hub, golden_id: GoldenId) -> tuple[IdentityEvent, ...]:
    """List what happened to a golden id, oldest first; raises GoldenRecordUnknown."""
    return run(hub.engine, lambda connection: golden_events(connection, golden_id))


def _pair(work: Work, left: SourceKey, right: SourceKey) -> tuple[str, tuple[RecordId, RecordId]]:
    heads = sources_store.select_heads(work.connection, [left, right])
    for key in (left, right):
        if key not in heads:
            raise SourceRecordUnknown(str(key))
    if heads[left].entity_type != heads[right].entity_type:
        raise InputInvalid(
            f"{left} is a {heads[left].entity_type}, {right} is a {heads[right].entity_type}",
            remedy="decide about two records of one entity type",
            field="right",
        )
    return heads[left].entity_type, (RecordId(heads[left].id), RecordId(heads[right].id))
