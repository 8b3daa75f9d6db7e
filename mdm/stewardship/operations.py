"""Carry out what stewards ask of golden records, or rehearse it: one transaction, one root event.

Each operation writes down what it joined and what it parted as decisions, lets the path cluster anew, and so stays true
through every later run. Taking events back stands in `taking_back`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import networkx as nx

from mdm.decisions import service as decisions
from mdm.decisions.model import Grounds, Judgement, Signature, Verdict
from mdm.errors import InputInvalid, TooLarge
from mdm.failpoints import failpoint
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry, rehearse
from mdm.identity import store as identity_store
from mdm.identity.model import Cause, Wishes
from mdm.ids import RecordId, new_event_id
from mdm.sources import store as sources_store
from mdm.stewardship.act import Act, divide
from mdm.stewardship.effects import effect_of
from mdm.stewardship.model import (
    By,
    Confirm,
    Dissolve,
    Effect,
    Judge,
    Merge,
    MergeAll,
    Move,
    Operation,
    Restore,
    Retire,
    Split,
    Undo,
    Unmerge,
    UnmergeBranch,
    UnmergeRecord,
)
from mdm.stewardship.overrides import newly_broken, set_overrides
from mdm.stewardship.taking_back import undo, unmerge, unmerge_branch, unmerge_record
from mdm.survivorship.service import golden_versions

MERGES_MAX: Final = 40
"""Pairs that one transaction merges (chosen: as many as a chunk of a load has records)."""


def perform(hub: Hub, operation: Operation, by: By, *, bracket: Bracket[Effect] = UNBRACKETED) -> Effect:
    """Carry out an operation and return what it did.

    Raises VersionOutdated when a golden record is not at the version expected, DecisionContradicts with the proof,
    OperationBlocked that names what is in the way, GoldenRecordUnknown, GoldenRecordRetired, InputInvalid.
    """
    return carry(hub, lambda work: perform_in(work, operation, by), who=by.who, bracket=bracket)


def preview(hub: Hub, operation: Operation, by: By) -> Effect:
    """Return what an operation would do, by doing it and taking it back; refused as `perform` refuses it."""
    return rehearse(hub, lambda work: perform_in(work, operation, by), who=by.who)


def perform_in(work: Work, operation: Operation, by: By, *, signed: Signature | None = None) -> Effect:
    """Do the same inside a transaction, for whoever does more than one thing in it.

    signed  what signs all that the operation records, where somebody has to name its event beforehand
    """
    failpoint("operation.begun")
    act = Act(work, by) if signed is None else Act(work, by, signed.event_id or new_event_id(), instants=[signed.at])
    if not by.reason.strip():
        raise InputInvalid("an operation needs a reason", remedy="say in a few words why", field="reason")
    cause = _PERFORM[type(operation)](act, operation)
    act.require_expected()
    return effect_of(work, cause, act.reinstated)


def _merge(act: Act, asked: Merge) -> Cause:
    first, second = act.two_goldens(asked.first, asked.second)
    if asked.survivor is not None and asked.survivor not in {first.id, second.id}:
        raise InputInvalid(
            f"{asked.survivor} is neither of the two golden records",
            remedy=f"let {first.id} or {second.id} survive",
            field="survivor",
        )
    members = act.members(first.id, second.id)
    act.tie(first.entity_type, members)
    wishes = Wishes(survivors=frozenset(filter(None, [asked.survivor])))
    if not asked.values:
        return act.recluster("merge", first.entity_type, members, wishes)
    entity_type, grounds = act.work.declared[first.entity_type], Grounds(act.by.reason.strip())
    before = golden_versions(act.connection, [first.id, second.id])
    set_overrides(act.connection, entity_type, min(members), asked.values, grounds=grounds, signed=act.signed)
    cause = act.recluster("merge", first.entity_type, members, wishes)
    for after in act.work.written:
        if after.golden_id in before and after.state == "active":
            newly_broken(entity_type, before[after.golden_id].values, after.values)
    return cause


def _merge_all(act: Act, asked: MergeAll) -> Cause:
    if not 0 < len(asked.pairs) <= MERGES_MAX:
        raise TooLarge(
            f"{len(asked.pairs)} pairs are merged at once, from 1 to {MERGES_MAX} may be",
            remedy="cut them into several",
        )
    goldens = act.many_goldens({golden_id for pair in asked.pairs for golden_id in pair})
    together = nx.Graph([(goldens[first].id, goldens[second].id) for first, second in asked.pairs])
    groups = [group for group in nx.connected_components(together) if len(group) > 1]
    if not groups:
        raise InputInvalid("each pair is one golden record already", remedy="nothing to do", field="pairs")
    members = identity_store.select_member_ids(act.connection, {golden_id for group in groups for golden_id in group})
    parts = [frozenset().union(*(members[golden_id] for golden_id in group)) for group in groups]
    entity_type = next(iter(goldens.values())).entity_type
    act.tie(entity_type, *parts)
    return act.recluster("merge", entity_type, frozenset().union(*parts))


def _judge(act: Act, asked: Judge) -> Cause:
    decisions.require_well_formed(asked.verdict, ())
    first, second = act.two_goldens(asked.first, asked.second)
    if asked.verdict.judgement == "same":
        return _merge(act, Merge(first.id, second.id))
    members = identity_store.select_member_ids(act.connection, [first.id, second.id])
    left, right = members[first.id], members[second.id]
    anchors = (min(left), min(right))
    # Both of what follows part the two, so neither is in the way of the other.
    around = decisions.decisions_around(act.connection, left | right)
    act.decide(first.entity_type, [anchors], asked.verdict, around=around)
    others = [pair for pair in _product(left, right) if pair != anchors]
    if others:
        judgement: Judgement = "unsure" if asked.verdict.judgement == "unsure" else "different"
        act.decide(first.entity_type, others, Verdict(judgement, asked.verdict.reason), around=around)
    return act.recluster("decision", first.entity_type, left | right)


def _split(act: Act, asked: Split) -> Cause:
    golden = act.golden(asked.golden_id)
    members = act.members(golden.id)
    parts = [act.records(part, inside=members, of=golden.id) for part in asked.parts]
    named = frozenset().union(*parts)
    if len(named) < sum(map(len, parts)) or not all(parts):
        raise InputInvalid(
            "each record goes to exactly one part, and no part is empty",
            remedy="name every record once",
            field="parts",
        )
    parts += [rest] if (rest := members - named) else []
    if len(parts) < 2:
        raise InputInvalid(
            f"the parts leave {golden.id} as it is", remedy="name at least two parts, or less than all", field="parts"
        )
    divide(act, golden.entity_type, [parts])
    act.tie(golden.entity_type, *parts)
    return act.recluster("split", golden.entity_type, members)


def _move(act: Act, asked: Move) -> Cause:
    record_id, left_id, entity_type = act.record(asked.key, asked.out_of)
    golden = act.golden(asked.to)
    if golden.id == left_id:
        raise InputInvalid(f"{asked.key} belongs to {golden.id} already", remedy="nothing to do", field="to")
    if golden.entity_type != entity_type:
        raise InputInvalid(
            f"{asked.key} is a {entity_type}, {golden.id} a {golden.entity_type}",
            remedy="move a record to a golden record of its own entity type",
            field="to",
        )
    left, target = act.members(left_id), act.members(golden.id)
    if left - {record_id}:
        divide(act, entity_type, [(left - {record_id}, frozenset({record_id}))])
    joined = target | {record_id}
    act.tie(entity_type, joined)
    wishes = Wishes(survivors=frozenset({golden.id}))
    return act.recluster("move", entity_type, left | target, wishes)


def _dissolve(act: Act, asked: Dissolve) -> Cause:
    golden = act.golden(asked.golden_id)
    members = act.members(golden.id)
    if len(members) < 2:
        raise InputInvalid(f"{golden.id} has one record, which stands alone", remedy="nothing to do", field="golden_id")
    divide(act, golden.entity_type, [[frozenset({member}) for member in sorted(members)]])
    return act.recluster("dissolve", golden.entity_type, members)


def _confirm(act: Act, asked: Confirm) -> Cause:
    golden = act.golden(asked.golden_id)
    members = act.members(golden.id)
    act.tie(golden.entity_type, members)
    return act.recluster("confirm", golden.entity_type, members, Wishes(confirmed=frozenset({golden.id})))


def _retire(act: Act, asked: Retire) -> Cause:
    golden = act.golden(asked.golden_id)
    return act.withdraw("retire", golden.entity_type, act.members(golden.id))


def _restore(act: Act, asked: Restore) -> Cause:
    golden = act.any_golden(asked.golden_id)
    withdrawn = sources_store.select_withdrawn(act.connection, golden.id)
    if not withdrawn:
        raise InputInvalid(
            f"no record of {golden.id} was retired by a steward", remedy="nothing to restore", field="golden_id"
        )
    return act.bring_back("restore", golden.entity_type, {golden.id: frozenset(withdrawn)})


def _product(left: frozenset[RecordId], right: frozenset[RecordId]) -> list[tuple[RecordId, RecordId]]:
    return [(one, other) for one in sorted(left) for other in sorted(right)]


_PERFORM: Final[Mapping[type, Callable[[Act, Any], Cause]]] = {
    Merge: _merge,
    MergeAll: _merge_all,
    Judge: _judge,
    Unmerge: unmerge,
    UnmergeRecord: unmerge_record,
    UnmergeBranch: unmerge_branch,
    Split: _split,
    Move: _move,
    Dissolve: _dissolve,
    Confirm: _confirm,
    Retire: _retire,
    Restore: _restore,
    Undo: undo,
}
