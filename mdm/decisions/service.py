"""Use cases on the rows of decisions: make one that is consistent, revoke one, and say what they ask of clustering."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from mdm.db.locks import key_hash, lock_keys
from mdm.decisions import store
from mdm.decisions.closure import parting_chain, require_consistent
from mdm.decisions.model import (
    ACYCLIC,
    RELATIONS,
    SYMMETRIC,
    Constraints,
    Decision,
    Pair,
    RelatedPair,
    Signature,
    Verdict,
)
from mdm.decisions.relations import overlap, require_no_circle
from mdm.errors import DecisionContradicts, DecisionUnknown, InputInvalid
from mdm.failpoints import failpoint
from mdm.ids import DecisionId, EventId, GoldenId, RecordId, new_decision_id


def constraints(connection: Connection, record_ids: Iterable[RecordId]) -> Constraints:
    """Return what active decisions among these records ask of clustering."""
    judged = store.select_judged_pairs(connection, record_ids)
    return Constraints(
        musts=tuple(sorted(pair for pair, judgement in judged if judgement == "same")),
        conflicts=tuple(sorted(pair for pair, judgement in judged if judgement != "same")),
    )


def make_decisions(
    connection: Connection,
    entity_type: str,
    pairs: Sequence[Pair],
    verdict: Verdict,
    *,
    signed: Signature,
    around: Sequence[Decision] | None = None,
) -> tuple[Decision, ...]:
    """Append a verdict on each pair; a pair that is decided so already keeps its decision. Returns one for each pair.

    Raises DecisionContradicts with the proof. What was `unsure` between records that are now decided is answered. A
    relation may be said again of the same two for other days.
    around  what `decisions_around` says of the records, from a caller that read it holding decisions; else it is read
    """
    require_well_formed(verdict, pairs)
    if around is None:
        hold_decisions(connection, entity_type)
        around = decisions_around(connection, {record_id for pair in pairs for record_id in pair})
    standing = _standing(around, pairs, verdict)
    answered = _answered(around, pairs, verdict)
    require_consistent([one for one in around if one not in answered], pairs, verdict)
    if verdict.relation in ACYCLIC:
        _require_no_circles(connection, pairs, verdict)
    if answered:
        store.revoke_decisions(
            connection, [one.id for one in answered], event_id=signed.event_id, at=signed.at, who=signed.who
        )
    made = {
        pair: Decision(
            new_decision_id(),
            entity_type,
            *pair,
            verdict,
            signed.who,
            signed.at,
            basis=signed.basis,
            event_id=signed.event_id,
        )
        for pair in pairs
        if frozenset(pair) not in standing
    }
    if made:
        store.insert_decisions(connection, list(made.values()))
    failpoint("decision.stored")
    return tuple(standing.get(frozenset(pair)) or made[pair] for pair in pairs)


def take_sources_word(connection: Connection, decision: Decision) -> bool:
    """Append a `same` that a source says of its own records, unless it is decided so; False where it cannot hold.

    A source answers no question of a steward: `unsure` about the pair stands in its way like any other decision.
    """
    hold_decisions(connection, decision.entity_type)
    active = decisions_around(connection, decision.pair)
    if any(one.joins and set(one.pair) == set(decision.pair) for one in active):
        return True
    try:
        require_consistent(active, [decision.pair], decision.verdict)
    except DecisionContradicts:
        return False
    store.insert_decisions(connection, [decision])
    return True


def revoke(
    connection: Connection, decision_id: DecisionId, *, event_id: EventId | None = None, at: datetime, who: str
) -> Decision:
    """End a decision and return it as it stands then; one that ended before is left alone. Raises DecisionUnknown."""
    store.revoke_decisions(connection, [decision_id], event_id=event_id, at=at, who=who)
    failpoint("decision.stored")
    decision = store.select_decision(connection, decision_id)
    if decision is None:
        raise DecisionUnknown(decision_id)
    return decision


def parting(connection: Connection, lefts: Collection[RecordId], rights: Collection[RecordId]) -> tuple[Decision, ...]:
    """Return the chain of decisions that parts a record of one side from one of the other; () when none does.

    Decisions on records that are no members now bind nobody until those return, so they prove nothing here.
    """
    around = decisions_around(connection, (*lefts, *rights))
    standing = store.select_active_ids(connection, {record_id for one in around for record_id in one.pair})
    return parting_chain([one for one in around if standing.issuperset(one.pair)], lefts, rights)


def reinstate(connection: Connection, ended: Sequence[Decision], *, at: datetime) -> tuple[Decision, ...]:
    """Make decisions anew that an operation ended which is taken back; facts are added, never revived.

    Each stands in the name of its author again and belongs to the operation that first made it, so that this one can
    be taken back again. Raises DecisionContradicts when one cannot hold beside what was decided since. Days of what is
    no relation, which were taken once, mean nothing and are left out.
    """
    alike: dict[tuple[Verdict, Signature], list[Pair]] = {}
    for one in ended:
        verdict = one.verdict if one.verdict.relation else replace(one.verdict, valid_from=None, valid_to=None)
        alike.setdefault((verdict, Signature(at, one.who, one.event_id, one.basis)), []).append(one.pair)
    return tuple(
        decision
        for (verdict, signed), pairs in alike.items()
        for decision in make_decisions(connection, ended[0].entity_type, pairs, verdict, signed=signed)
    )


def hold_decisions(connection: Connection, *entity_types: str) -> None:
    """Keep other stewards from deciding about these entity types until the transaction ends."""
    lock_keys(connection, [key_hash("decision", entity_type) for entity_type in entity_types])


def _standing(
    active: Sequence[Decision], pairs: Sequence[Pair], verdict: Verdict
) -> dict[frozenset[RecordId], Decision]:
    """Find the pairs about which this is decided already; raises DecisionContradicts for a relation turned round."""
    asked = {frozenset(pair): pair for pair in pairs}
    found = {}
    for one in active:
        between = frozenset(one.pair)
        if between not in asked or (one.verdict.judgement, one.verdict.relation) != (
            verdict.judgement,
            verdict.relation,
        ):
            continue
        is_reversed = one.pair != asked[between] and verdict.relation not in (None, *SYMMETRIC)
        if is_reversed and overlap(one.verdict, verdict):
            raise DecisionContradicts("the relation stands the other way round", chain=[str(one)])
        if not is_reversed and (one.verdict.valid_from, one.verdict.valid_to) == (verdict.valid_from, verdict.valid_to):
            found[between] = one
    return found


def _require_no_circles(connection: Connection, pairs: Sequence[Pair], verdict: Verdict) -> None:
    """Follow a relation upwards from the left of each pair, and refuse it where that leads to its right."""
    golden_by_record = store.select_golden_ids(connection, {record_id for pair in pairs for record_id in pair})
    sides = {
        (golden_by_record[left_id], golden_by_record[right_id])
        for left_id, right_id in pairs
        if left_id in golden_by_record and right_id in golden_by_record
    }
    for left_id, right_id in sorted(sides):
        require_no_circle(_above(connection, left_id, verdict.relation), left_id, right_id, verdict)


def _above(connection: Connection, golden_id: GoldenId, relation: str | None) -> tuple[RelatedPair, ...]:
    """Gather the relations of one kind that lead to a golden record, one after the other."""
    seen: set[GoldenId] = set()
    frontier = {golden_id}
    above: dict[DecisionId, RelatedPair] = {}
    while frontier:
        seen |= frontier
        found = [
            one
            for one in store.select_related(connection, frontier)
            if one.decision.verdict.relation == relation and one.right_golden_id in frontier
        ]
        above |= {one.decision.id: one for one in found}
        frontier = {one.left_golden_id for one in found} - seen
    return tuple(above.values())


def _answered(active: Sequence[Decision], pairs: Sequence[Pair], verdict: Verdict) -> list[Decision]:
    """Find what somebody was unsure of about the very pairs that a verdict is on."""
    if verdict.judgement == "unsure":
        return []
    asked = {frozenset(pair) for pair in pairs}
    return [one for one in active if one.verdict.judgement == "unsure" and frozenset(one.pair) in asked]


def decisions_around(connection: Connection, record_ids: Iterable[RecordId]) -> list[Decision]:
    """Gather the active decisions on every record that `same` decisions connect with any of these."""
    seen: set[RecordId] = set()
    frontier = set(record_ids)
    found: dict[DecisionId, Decision] = {}
    while frontier:
        seen |= frontier
        decisions = store.select_active_decisions(connection, frontier)
        found |= {one.id: one for one in decisions}
        frontier = {record_id for one in decisions if one.joins for record_id in one.pair} - seen
    return list(found.values())


def require_well_formed(verdict: Verdict, pairs: Iterable[Pair]) -> None:
    """Refuse a verdict that says too little or too much; raises InputInvalid with the field."""
    if any(left_id == right_id for left_id, right_id in pairs):
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
    if verdict.relation is None and (verdict.valid_from or verdict.valid_to):
        raise InputInvalid(
            "the days on which it holds belong to the judgement 'related', and only to it",
            remedy="leave the days out, or judge 'related'",
            field="valid_from" if verdict.valid_from else "valid_to",
        )
