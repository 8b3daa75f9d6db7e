"""Unmerge and undo: give back what an event took, exactly, or refuse and name what is in the way.

Unmerging says that two things are different, so it leaves decisions that keep them apart; undoing says nothing, as if
the operation had not been done. Either finds out from the event itself, and from those that followed it, which ids,
forwards and standings to give back. Records that arrived since stay with the side that their own evidence names.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import networkx as nx

from mdm.decisions import service as decisions
from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.errors import DecisionContradicts, InputInvalid, OperationBlocked
from mdm.identity import events_store
from mdm.identity import store as identity_store
from mdm.identity.model import Cause, IdentityEvent, Move, Standing, Turn, Wishes
from mdm.identity.service import identity_event
from mdm.ids import EventId, GoldenId
from mdm.sources import store as sources_store
from mdm.stewardship.act import Act, divide
from mdm.stewardship.model import Undo, Unmerge, UnmergeBranch, UnmergeRecord
from mdm.stewardship.overrides import end_overrides_of, reinstate_overrides_ended_by
from mdm.stewardship.sides import Part

UNDOABLE: Final = frozenset(
    {
        *("decision", "revocation", "override", "merge", "unmerge", "split", "move", "dissolve", "confirm"),
        *("retire", "restore"),
    }
)
"""Kinds of events that somebody wanted, so that undoing them is the end of it; matching would do its own again."""


def unmerge(act: Act, asked: Unmerge) -> Cause:
    """Let absorbed golden records return with their ids, and part them from the rest for good."""
    event = _locked_event(act, asked.event_id)
    absorbed = [turn for turn in event.plan.turns if _absorbs(turn)]
    if asked.returning is not None:
        absorbed = [turn for turn in absorbed if turn.golden_id == asked.returning]
    if not absorbed:
        what = f"absorbed {asked.returning}" if asked.returning else "merged golden records"
        raise InputInvalid(
            f"event {event.id} is no merge that {what}", remedy="name the event of a merge", field="event_id"
        )
    returning = [turn.golden_id for turn in absorbed]
    _require_resting(act, event, returning)
    leaving = _leaving(event, returning)
    here = _require_in_place(act, event, [move for move in event.plan.moves if move.record_id in leaving])
    if not here:
        raise OperationBlocked(
            event.id,
            because=f"none of the records of {', '.join(returning)} is left",
            blocking=[],
            remedy="wait until one of them returns, or let the source deliver it again",
        )
    _part_for_good(act, event, returning)
    _give_back_overrides(act, event)
    followers = events_store.select_following_events(act.connection, event.id)
    wishes = _giving_back(act, [event, *followers], returning)
    seeds = leaving.union(*identity_store.select_member_ids(act.connection, here).values())
    return act.recluster("unmerge", event.plan.entity_type, seeds, wishes, undoes_id=event.id)


def unmerge_record(act: Act, asked: UnmergeRecord) -> Cause:
    """Take one record out for good; it goes home to its own id where that rests."""
    record_id, golden_id, entity_type = act.record(asked.key)
    members = act.members(golden_id)
    if len(members) < 2:
        raise InputInvalid(f"{asked.key} stands alone already", remedy="nothing to take apart", field="key")
    divide(act, entity_type, [members - {record_id}, frozenset({record_id})], may_end=lambda _: True)
    return act.recluster("unmerge", entity_type, members)


def unmerge_branch(act: Act, asked: UnmergeBranch) -> Cause:
    """Take back the last merge of the golden record that a record belongs to."""
    record_id, golden_id, _ = act.record(asked.key)
    event_id = events_store.select_last_merge(act.connection, golden_id)
    if event_id is None:
        raise InputInvalid(f"{golden_id} never absorbed another golden record", remedy="split it instead", field="key")
    event = _locked_event(act, event_id)
    own = [move.before for move in event.plan.moves if move.record_id == record_id and move.before is not None]
    return unmerge(act, Unmerge(event_id, own[0] if own else None))


def undo(act: Act, asked: Undo) -> Cause:
    """Take an operation back: its decisions end, those it ended stand again, ids and standings return."""
    event = _locked_event(act, asked.event_id)
    entity_type = event.plan.entity_type
    if event.cause.kind not in UNDOABLE:
        remedy = "do again what it took back" if event.cause.kind == "undo" else "unmerge, split or decide instead"
        raise InputInvalid(f"{event.id} is no operation: {event.cause.kind}", remedy=remedy, field="event_id")
    _require_in_effect(act, event)
    if withdrawn := [
        move.record_id for move in event.plan.moves if event.cause.kind == "retire" and move.after is None
    ]:
        return act.bring_back("undo", entity_type, withdrawn, undoes_id=event.id)
    if event.cause.kind == "restore":
        back = [move.record_id for move in event.plan.moves if move.before is None]
        if not back:
            raise InputInvalid(f"{event.id} brought no record back", remedy="nothing to undo", field="event_id")
        return act.withdraw("undo", entity_type, back, undoes_id=event.id)
    made = decisions_store.select_decisions_of(act.connection, event.id)
    ended = decisions_store.select_decisions_ended_by(act.connection, event.id)
    returning = [turn.golden_id for turn in event.plan.turns if _absorbs(turn)]
    _require_resting(act, event, returning)
    _require_in_place(act, event, event.plan.moves)
    act.end(made)
    _give_back_overrides(act, event)
    try:
        act.reinstated.extend(decisions.reinstate(act.connection, ended, at=act.signed.at))
    except DecisionContradicts as contradiction:
        raise _blocked(event, contradiction) from contradiction
    followers = events_store.select_following_events(act.connection, event.id)
    wishes = _giving_back(act, [event, *followers], returning)
    records = {move.record_id for move in event.plan.moves}
    records |= {record_id for one in (*made, *ended) for record_id in one.pair}
    touched = identity_store.select_member_ids(act.connection, event.plan.touched)
    return act.recluster("undo", entity_type, records.union(*touched.values()), wishes, undoes_id=event.id)


def _locked_event(act: Act, event_id: EventId) -> IdentityEvent:
    """Return an operation with all that it touched locked; raises EventUnknown, InputInvalid for one that followed."""
    event = identity_event(act.connection, event_id)
    if event.cause.root_id is not None:
        raise InputInvalid(
            f"{event_id} followed from {event.cause.root_id}",
            remedy="take that one back, and this one goes with it",
            field="event_id",
        )
    decisions.hold_decisions(act.connection, event.plan.entity_type)
    goldens = identity_store.select_goldens(act.connection, event.plan.touched)
    act.work.locks.hold(
        act.connection, {golden.forward_to or golden.id for golden in goldens.values()} | goldens.keys()
    )
    for golden_id in sorted(act.by.expected.keys() & goldens.keys()):
        act.any_golden(golden_id)
    return event


def _give_back_overrides(act: Act, event: IdentityEvent) -> None:
    """End the overrides that an event brought, and let those stand again that it ended."""
    end_overrides_of(act.connection, event.id, signed=act.signed)
    reinstate_overrides_ended_by(act.connection, event.id)


def _require_resting(act: Act, event: IdentityEvent, returning: Iterable[GoldenId]) -> None:
    """Require that the golden records which are to return lead elsewhere still."""
    for golden_id, golden in identity_store.select_goldens(act.connection, returning).items():
        if golden.state != "forwarded":
            later = events_store.select_last_event(act.connection, golden_id)
            raise OperationBlocked(
                event.id,
                because=f"{golden_id} is {golden.state} since {later}",
                blocking=[str(later)],
                remedy=f"it may be what you want already; else take {later} back first",
            )


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


def _absorbs(turn: Turn) -> bool:
    return turn.before is not None and turn.before.state == "active" and turn.after.state == "forwarded"


def _leaving(event: IdentityEvent, returning: Iterable[GoldenId]) -> Part:
    """Return the records that an event moved out of the golden records that return."""
    ids = frozenset(returning)
    return frozenset(move.record_id for move in event.plan.moves if move.before in ids)


def _require_in_place(act: Act, event: IdentityEvent, moves: Sequence[Move]) -> frozenset[GoldenId]:
    """Require that records are where an event left them, through forwards; return the golden records they are in.

    Records that were deleted or withdrawn since are nowhere, and in nobody's way.
    """
    members = identity_store.select_members(act.connection, [move.record_id for move in moves])
    goldens = identity_store.select_goldens(act.connection, {move.after for move in moves if move.after is not None})
    here = set()
    for move in moves:
        now = members[move.record_id].golden_id
        left_in = goldens[move.after] if move.after is not None else None
        if now is None or left_in is None:
            continue
        if now != (left_in.forward_to or left_in.id):
            later = events_store.select_joining_event(act.connection, move.record_id)
            key = sources_store.select_keys(act.connection, [move.record_id])[move.record_id]
            raise OperationBlocked(
                event.id,
                because=f"{key} was moved to {now} by {later}",
                blocking=[str(later)],
                remedy=f"take {later} back first",
            )
        here.add(now)
    return frozenset(here)


def _part_for_good(act: Act, event: IdentityEvent, returning: Sequence[GoldenId]) -> None:
    """Part those who return from all others that were there, end the event's own links, and let each side stay tied.

    Who arrived since goes along only where somebody decided in person that it is the same as one who returns.
    """
    at, entity_type = event.recorded_at, event.plan.entity_type
    before = identity_store.select_member_ids_before(act.connection, event.plan.touched, at)
    leaving = _leaving(event, returning)
    survivors = {turn.after.forward_to for turn in event.plan.turns if turn.golden_id in returning}
    goldens = identity_store.select_goldens(act.connection, [id_ for id_ in survivors if id_ is not None])
    now = frozenset().union(
        *identity_store.select_member_ids(
            act.connection, {one.forward_to or one.id for one in goldens.values()}
        ).values()
    )
    arrived = identity_store.select_first_seen_since(act.connection, now, at)
    staying = (now | frozenset().union(*(before.get(id_, frozenset()) for id_ in goldens))) - leaving - arrived
    active = decisions.decisions_around(act.connection, now | leaving)
    own = [one for one in active if one.event_id == event.id]
    along = _tied_in_person(active, leaving, event.id) & arrived
    try:
        divide(act, entity_type, [staying, leaving | along], also=own)
    except DecisionContradicts as contradiction:
        raise _blocked(event, contradiction) from contradiction


def _tied_in_person(active: Iterable[Decision], records: Part, event_id: EventId) -> Part:
    """Return what decisions that no operation made tie to any of these records."""
    graph = nx.Graph([one.pair for one in active if one.joins and not one.operation and one.event_id != event_id])
    return frozenset().union(*(nx.node_connected_component(graph, record) for record in records if record in graph))


def _blocked(event: IdentityEvent, contradiction: DecisionContradicts) -> OperationBlocked:
    return OperationBlocked(
        event.id,
        because=contradiction.message,
        blocking=contradiction.chain,
        remedy="revoke one decision of the chain first",
    )


def _giving_back(act: Act, events: Sequence[IdentityEvent], returning: Sequence[GoldenId]) -> Wishes:
    """Work out which ids, forwards and standings return when an event and those that followed it are taken back.

    returning  of the first event, the absorbed ids that return; those of the others all do
    """
    given = _Given(homes={}, forwards={}, standings={})
    resting = _resting(act, events[1:])
    survivors: dict[GoldenId, Standing | None] = {}
    for number, event in enumerate(events):
        back = {
            turn.golden_id
            for turn in event.plan.turns
            if _absorbs(turn) and (turn.golden_id in resting if number else turn.golden_id in returning)
        }
        for turn in event.plan.turns:
            if turn.before is None:
                continue
            if turn.golden_id in back:
                given.homes[turn.golden_id] = _leaving(event, [turn.golden_id])
                given.standings[turn.golden_id] = turn.before
            elif turn.before.forward_to in back:
                given.forwards[turn.golden_id] = turn.before.forward_to
            elif turn.before.state == turn.after.state == "active":
                survivors[turn.golden_id] = turn.before
        survivors |= {
            turn.after.forward_to: survivors.get(turn.after.forward_to)
            for turn in event.plan.turns
            if turn.golden_id in back and turn.after.forward_to is not None
        }
    _keep_the_rest(act, events, given, survivors)
    # Whatever comes together again does so under the id that it had.
    kept = frozenset(move.before for event in events for move in event.plan.moves if move.before is not None)
    return Wishes(
        survivors=kept | survivors.keys(), homes=given.homes, forwards=given.forwards, standings=given.standings
    )


def _resting(act: Act, events: Sequence[IdentityEvent]) -> frozenset[GoldenId]:
    """Return those of the ids that events absorbed which still lead elsewhere."""
    absorbed = {turn.golden_id for event in events for turn in event.plan.turns if _absorbs(turn)}
    if not absorbed:
        return frozenset()
    goldens = identity_store.select_goldens(act.connection, absorbed)
    return frozenset(id_ for id_, golden in goldens.items() if golden.state == "forwarded")


@dataclass(frozen=True, slots=True)
class _Given:
    homes: dict[GoldenId, Part]
    forwards: dict[GoldenId, GoldenId]
    standings: dict[GoldenId, Standing]


def _keep_the_rest(
    act: Act, events: Sequence[IdentityEvent], given: _Given, survivors: Mapping[GoldenId, Standing | None]
) -> None:
    """Leave to each survivor, or to what it leads to now, all of its records that do not return, and its standing."""
    at = events[0].recorded_at
    goldens = identity_store.select_goldens(act.connection, survivors)
    now = {id_: golden.forward_to or golden.id for id_, golden in goldens.items()}
    members = identity_store.select_member_ids(act.connection, set(now.values()))
    arrived = identity_store.select_first_seen_since(act.connection, frozenset().union(*members.values()), at)
    leaving: Part = frozenset().union(*given.homes.values())
    published = identity_store.select_published_since(act.connection, survivors, at)
    for survivor_id, standing in survivors.items():
        present_id = now[survivor_id]
        if given.homes:
            rest = members.get(present_id, frozenset()) - leaving
            given.homes.setdefault(present_id, (rest - arrived) or rest)
        if present_id == survivor_id and standing is not None:
            given.standings[survivor_id] = Standing(
                "active", None, standing.is_confirmed, standing.is_acknowledged or survivor_id in published
            )
