"""Use cases on the rows of decisions: make one that is consistent, revoke one, and say what they ask of clustering."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from mdm.db.locks import key_hash, lock_keys
from mdm.decisions import store
from mdm.decisions.closure import require_consistent
from mdm.decisions.model import RELATIONS, SYMMETRIC, Constraints, Decision, Verdict
from mdm.errors import DecisionContradicts, DecisionUnknown, InputInvalid
from mdm.ids import DecisionId, RecordId, new_decision_id


def constraints(connection: Connection, record_ids: Iterable[RecordId]) -> Constraints:
    """Return what active decisions among these records ask of clustering."""
    inside = set(record_ids)
    active = [one for one in store.select_active_decisions(connection, inside) if inside.issuperset(one.pair)]
    return Constraints(
        musts=tuple(sorted(one.pair for one in active if one.joins)),
        conflicts=tuple(sorted(one.pair for one in active if not one.joins)),
    )


def make_decision(
    connection: Connection,
    entity_type: str,
    pair: tuple[RecordId, RecordId],
    verdict: Verdict,
    *,
    at: datetime,
    who: str,
) -> Decision:
    """Append a decision; one that repeats an active one returns that. Raises DecisionContradicts with the proof."""
    _require_well_formed(verdict, pair)
    lock_keys(connection, [key_hash("decision", entity_type)])
    left_id, right_id = pair
    active = _around(connection, pair)
    same_pair = [one for one in active if set(one.pair) == set(pair)]
    for one in same_pair:
        if (one.verdict.judgement, one.verdict.relation) == (verdict.judgement, verdict.relation):
            if one.pair != pair and verdict.relation not in (None, *SYMMETRIC):
                raise DecisionContradicts("the relation stands the other way round", chain=[str(one)])
            return one
    answered = [one for one in same_pair if one.verdict.judgement == "unsure"]
    require_consistent([one for one in active if one not in answered], left_id, right_id, verdict)
    for one in answered:
        store.revoke_decision(connection, one.id, at=at, who=who)
    decision = Decision(new_decision_id(), entity_type, left_id, right_id, verdict, who, at)
    store.insert_decision(connection, decision)
    return decision


def revoke(connection: Connection, decision_id: DecisionId, *, at: datetime, who: str) -> Decision:
    """End a decision and return it as it stands then; one that ended before is left alone. Raises DecisionUnknown."""
    store.revoke_decision(connection, decision_id, at=at, who=who)
    decision = store.select_decision(connection, decision_id)
    if decision is None:
        raise DecisionUnknown(decision_id)
    return decision


def _around(connection: Connection, pair: tuple[RecordId, RecordId]) -> list[Decision]:
    """Gather the active decisions on every record that `same` decisions connect with either of the two."""
    seen: set[RecordId] = set()
    frontier = set(pair)
    found: dict[DecisionId, Decision] = {}
    while frontier:
        seen |= frontier
        decisions = store.select_active_decisions(connection, frontier)
        found |= {one.id: one for one in decisions}
        frontier = {record_id for one in decisions if one.joins for record_id in one.pair} - seen
    return list(found.values())


def _require_well_formed(verdict: Verdict, pair: tuple[RecordId, RecordId]) -> None:
    if pair[0] == pair[1]:
        raise InputInvalid("a decision needs two different records", remedy="name two source keys", field="right")
    if (verdict.judgement == "related") != (verdict.relation is not None):
        relations = f"choose one of {', '.join(RELATIONS)}"
        raise InputInvalid(
            "a relation belongs to the judgement 'related', and only to it",
            remedy=relations if verdict.relation is None else "leave the relation out, or judge 'related'",
            field="relation",
        )
    if verdict.relation is not None and verdict.relation not in RELATIONS:
        raise InputInvalid(
            f"there is no relation {verdict.relation!r}",
            remedy=f"choose one of {', '.join(RELATIONS)}",
            field="relation",
        )
    if not verdict.reason.strip():
        raise InputInvalid("a decision needs a reason", remedy="say in a few words why", field="reason")
    if verdict.valid_from and verdict.valid_to and verdict.valid_to < verdict.valid_from:
        raise InputInvalid("valid_to lies before valid_from", remedy="swap or correct the two dates", field="valid_to")
