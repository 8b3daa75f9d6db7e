"""Unmerge and undo: give back what an event took, exactly, or refuse and name what is in the way.

Unmerging says that two things are different, so it leaves decisions that keep them apart; undoing says nothing, as if
the operation had not been done. Either finds out from the event itself, and from those that followed it, which ids,
forwards and standings to give back. Records that arrived since stay with the side that their own evidence names; those
that a steward merged in since stay with whom they were merged with.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import networkx as nx

from mdm.decisions import service as decisions
from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.errors import DecisionContradicts, InputInvalid, OperationBlocked
from mdm.failpoints import failpoint
from mdm.identity import events_store
from mdm.identity import store as identity_store
from mdm.identity.model import Cause, IdentityEvent, IdentityPlan, Move
from mdm.identity.service import identity_event
from mdm.ids import EventId, GoldenId
from mdm.sources import store as sources_store
from mdm.stewardship.act import Act, divide, untie
from mdm.stewardship.model import Undo, Unmerge, UnmergeBranch, UnmergeRecord
from mdm.stewardship.overrides import end_overrides_of, reinstate_overrides_ended_by
from mdm.stewardship.scene import (
    Scene,
    absorbs,
    as_it_was,
    as_merge,
    borders,
    giving_back,
    load_scene,
    require_in_place,
    require_resting,
    unrestored,
)
from mdm.stewardship.sides import Part, stood_before, without_resting
from mdm.stewardship.way_back import way_back

UNDOABLE: Final = frozenset(
    {
        *("decision", "revocation", "override", "merge", "unmerge", "split", "move", "dissolve", "confirm"),
        *("retire", "restore"),
    }
)
"""Kinds of events that somebody wanted, so that undoing them is the end of it; matching would do its own again."""


def unmerge(act: Act, asked: Unmerge) -> Cause:
    """Let absorbed golden records return with their ids, and part them from the rest for good."""
    scene = _locked_scene(act, asked.event_id)
    event = scene.event
    returning = [turn.golden_id for turn in event.plan.turns if absorbs(turn)]
    if asked.returning is not None:
        returning = [golden_id for golden_id in returning if golden_id == asked.returning]
    if not returning:
        what = f"absorbed {asked.returning}" if asked.returning else "merged golden records"
        raise InputInvalid(
            f"event {event.id} is no merge that {what}", remedy="name the event of a merge", field="event_id"
        )
    require_resting(act.connection, scene, returning)
    scene = as_merge(scene, returning)
    moves = [move for move in scene.event.plan.moves if move.before in returning]
    require_in_place(act.connection, scene, moves)
    for golden_id in returning:
        if not scene.is_present(scene.leaving(golden_id)):
            raise _gone(act, event, golden_id, scene.leaving(golden_id))
    own = decisions_store.select_decisions_of(act.connection, event.id)
    try:
        scene, divisions, around = _sides(act, scene, moves)
        divide(act, event.plan.entity_type, list(divisions.values()), also=own, around=around)
    except DecisionContradicts as contradiction:
        raise _blocked(event, contradiction) from contradiction
    _give_back_overrides(act, event)
    seeds = scene.neighbourhood.union(*map(scene.leaving, returning))
    wishes = giving_back(scene, returning, moves)
    return act.recluster("unmerge", event.plan.entity_type, seeds, wishes, undoes_id=event.id)


def unmerge_record(act: Act, asked: UnmergeRecord) -> Cause:
    """Take one record out for good; it goes home to its own id where that rests."""
    record_id, golden_id, entity_type = act.record(asked.key, asked.out_of)
    members = act.members(golden_id)
    if len(members) < 2:
        raise InputInvalid(f"{asked.key} stands alone already", remedy="nothing to take apart", field="key")
    divide(act, entity_type, [(members - {record_id}, frozenset({record_id}))], may_end=lambda _: True)
    return act.recluster("unmerge", entity_type, members)


def unmerge_branch(act: Act, asked: UnmergeBranch) -> Cause:
    """Take back the last merge of the golden record that a record belongs to."""
    record_id, golden_id, _ = act.record(asked.key, asked.out_of)
    event_id = events_store.select_last_merge(act.connection, golden_id)
    if event_id is None:
        raise InputInvalid(f"{golden_id} never absorbed another golden record", remedy="split it instead", field="key")
    event = identity_event(act.connection, event_id)
    own = [move.before for move in event.plan.moves if move.record_id == record_id and move.before is not None]
    return unmerge(act, Unmerge(event_id, own[0] if own else None))


def undo(act: Act, asked: Undo) -> Cause:
    """Take an operation back: its decisions end, those it ended stand again, ids and standings return."""
    scene = _locked_scene(act, asked.event_id)
    event, entity_type = scene.event, scene.event.plan.entity_type
    if event.cause.kind not in UNDOABLE:
        remedy = "do again what it took back" if event.cause.kind == "undo" else "unmerge, split or decide instead"
        raise InputInvalid(f"{event.id} is no operation: {event.cause.kind}", remedy=remedy, field="event_id")
    _require_in_effect(act, event)
    back = way_back(scene)
    if event.cause.kind == "retire":
        return _bring_back_again(act, event, back)
    if event.cause.kind == "restore":
        return _withdraw_again(act, scene, back)
    returning = [turn.golden_id for turn in event.plan.turns if absorbs(turn)]
    require_resting(act.connection, scene, returning)
    require_in_place(act.connection, scene, event.plan.moves)
    made, ended = decisions_store.select_decisions_by(act.connection, event.id)
    _give_back_overrides(act, event)
    try:
        scene, divisions, around = _sides(act, scene, event.plan.moves)
        around = without_resting(around, event.id, _present(act, around))
        _require_untied_since(scene, divisions, around)
        untie(act, entity_type, list(divisions.values()), also=made, around=around)
        act.end(made)
        act.reinstated.extend(decisions.reinstate(act.connection, ended, at=act.signed.at))
    except DecisionContradicts as contradiction:
        raise _blocked(event, contradiction) from contradiction
    records = {move.record_id for move in event.plan.moves if not scene.is_elsewhere(move)}
    records |= {record_id for one in (*made, *ended) for record_id in one.pair}
    seeds = scene.neighbourhood | records
    wishes = as_it_was(scene, giving_back(scene, returning, event.plan.moves))
    if back is not None:
        return act.step_back(back, seeds, wishes, undoes_id=event.id)
    return act.recluster("undo", entity_type, seeds, wishes, undoes_id=event.id)


def _bring_back_again(act: Act, event: IdentityEvent, back: IdentityPlan | None) -> Cause:
    """Take a retirement back; what its source deleted meanwhile stays deleted."""
    records = _withdrawn_by(event)
    if back is not None:
        ids = sorted(frozenset().union(*records.values()))
        if sources_store.bring_back(act.connection, ids) == len(ids):
            return act.step_back(back, ids, undoes_id=event.id, is_matched_anew=True)
    return act.bring_back("undo", event.plan.entity_type, records, undoes_id=event.id)


def _withdraw_again(act: Act, scene: Scene, back: IdentityPlan | None) -> Cause:
    """Take a restoration back: who was retired is retired again, and would come home to the same id."""
    event = scene.event
    ids = sorted(move.record_id for move in event.plan.moves if move.before is None)
    if not ids:
        raise InputInvalid(f"{event.id} brought no record back", remedy="nothing to undo", field="event_id")
    if back is not None:
        sources_store.withdraw(act.connection, ids, event_id=act.event_id)
        cause = act.step_back(back, ids, undoes_id=event.id, is_matched_anew=True)
    else:
        cause = act.withdraw("undo", event.plan.entity_type, ids, unrestored(scene), undoes_id=event.id)
    identity_store.give_back_last_golden(act.connection, ids, before=event.recorded_at)
    return cause


def _withdrawn_by(event: IdentityEvent) -> Mapping[GoldenId, Part]:
    """Return the records that an event took out of every golden record, by the one they were in."""
    parts: dict[GoldenId, Part] = {}
    for move in event.plan.moves:
        if move.after is None and move.before is not None:
            parts[move.before] = parts.get(move.before, frozenset()) | {move.record_id}
    return parts


def _locked_scene(act: Act, event_id: EventId) -> Scene:
    """Return what became of an operation with all that it touched locked; raises EventUnknown, InputInvalid."""
    event = identity_event(act.connection, event_id)
    if event.cause.root_id is not None:
        raise InputInvalid(
            f"{event_id} followed from {event.cause.root_id}",
            remedy="take that one back, and this one goes with it",
            field="event_id",
        )
    decisions.hold_decisions(act.connection, event.plan.entity_type)
    goldens = identity_store.select_goldens_and_targets(act.connection, event.plan.touched)
    act.work.locks.hold(act.connection, goldens.keys())
    failpoint("operation.locked")
    for golden_id in sorted(act.by.expected.keys() & goldens.keys()):
        act.any_golden(golden_id)
    return load_scene(act.connection, event)


def _give_back_overrides(act: Act, event: IdentityEvent) -> None:
    """End the overrides that an event brought, and let those stand again that it ended."""
    end_overrides_of(act.connection, event.id, signed=act.signed)
    reinstate_overrides_ended_by(act.connection, event.id)


def _require_in_effect(act: Act, event: IdentityEvent) -> None:
    """Refuse to take an event back once more."""
    for undoing in events_store.select_undoing_events(act.connection, event.id):
        if not events_store.select_undoing_events(act.connection, undoing):
            raise OperationBlocked(
                event.id,
                because=f"{undoing} took it back already",
                blocking=[undoing],
                remedy="nothing to do, or do again what it took back",
            )


def _sides(
    act: Act, scene: Scene, moves: Sequence[Move]
) -> tuple[Scene, Mapping[GoldenId, tuple[Part, ...]], list[Decision]]:
    """Return who stands apart from whom once moves are taken back, and the active decisions around all of them.

    Who arrived there since goes along only where somebody decided in person that it is the same as one who returns.
    Whom an operation tied there stays, as one does that was known before: the scene returned counts it so.
    """
    divisions = borders(scene, moves)
    involved = frozenset().union(*(part for parts in divisions.values() for part in parts))
    around = decisions.decisions_around(act.connection, involved)
    in_person = _linked_in_person(around, scene.event.id)
    tied = nx.Graph([one.pair for one in _tied_by_others(around, scene.event.id)])
    sides: dict[GoldenId, tuple[Part, ...]] = {}
    put: Part = frozenset()
    for left_id, (staying, *parts) in divisions.items():
        arrived = scene.arrived & scene.here(left_id)
        along = [_tied_to(in_person, part) & arrived for part in parts]
        stays = (_tied_to(tied, staying.union(*parts)) & arrived).difference(*along)
        sides[left_id] = (staying | stays, *(part | goes for part, goes in zip(parts, along, strict=True)))
        put |= stays
    return replace(scene, arrived=scene.arrived - put), sides, around


def _present(act: Act, links: Iterable[Decision]) -> Part:
    """Return the records of decisions that belong to a golden record now."""
    members = identity_store.select_members(act.connection, {id_ for one in links for id_ in one.pair})
    return frozenset(id_ for id_, member in members.items() if member.golden_id is not None)


def _require_untied_since(
    scene: Scene, divisions: Mapping[GoldenId, Sequence[Part]], around: Iterable[Decision]
) -> None:
    """Require that no later operation tied others to who returns, where nobody is left whom they would stay with.

    That is so where the event made the golden record in which they met. Raises OperationBlocked that names the last.
    """
    for left_id, (staying, *parts) in divisions.items():
        if not staying.isdisjoint(scene.held_by(left_id)):
            continue
        returning = frozenset().union(*parts)
        across = [
            one
            for one in _tied_by_others(around, scene.event.id)
            if not stood_before(one, scene.event.id)
            and not returning.isdisjoint(one.pair)
            and not staying.isdisjoint(one.pair)
        ]
        if across:
            last = max(across, key=lambda one: one.event_id or "")
            raise OperationBlocked(
                scene.event.id,
                because=f"{last.left_key} and {last.right_key} were put together by {last.event_id} ({last.operation})",
                blocking=[str(last.event_id)],
                remedy=f"take {last.event_id} back first",
            )


def _tied_by_others(active: Iterable[Decision], event_id: EventId) -> list[Decision]:
    """Return the `same` decisions that other operations made."""
    return [one for one in active if one.joins and one.operation and one.event_id != event_id]


def _linked_in_person(active: Iterable[Decision], event_id: EventId) -> nx.Graph:
    """Return the graph of decisions that no operation made."""
    return nx.Graph([one.pair for one in active if one.joins and not one.operation and one.event_id != event_id])


def _tied_to(graph: nx.Graph, records: Part) -> Part:
    """Return what a graph ties to any of these records."""
    return frozenset().union(*(nx.node_connected_component(graph, record) for record in records if record in graph))


def _gone(act: Act, event: IdentityEvent, golden_id: GoldenId, records: Part) -> OperationBlocked:
    """Say that no record of a golden record is left to return, and which retirement took them where one did."""
    because = f"none of the records of {golden_id} is left"
    retired = sources_store.select_retirements(act.connection, records)
    if not retired:
        remedy = "wait until one of them returns, or let the source deliver it again"
        return OperationBlocked(event.id, because=because, blocking=[], remedy=remedy)
    event_ids = sorted({event_id for event_id, _ in retired})
    commands = " and ".join(f"mdm golden restore {id_}" for id_ in sorted({id_ for _, id_ in retired}))
    remedy = f"{' and '.join(event_ids)} retired them: bring them back with `{commands}`"
    return OperationBlocked(event.id, because=because, blocking=event_ids, remedy=remedy)


def _blocked(event: IdentityEvent, contradiction: DecisionContradicts) -> OperationBlocked:
    return OperationBlocked(
        event.id,
        because=contradiction.message,
        blocking=contradiction.chain,
        remedy="revoke one decision of the chain first",
    )
