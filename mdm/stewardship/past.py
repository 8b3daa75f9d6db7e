"""How things came to be: what one event did, the life of a golden id, the story of how its records came together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.errors import EventUnknown
from mdm.history import past_store as store
from mdm.history.past import EventBrief, PastEvent
from mdm.identity.life import LifeStep, absorbed_by, life_steps, plan_of, story_steps
from mdm.identity.model import GoldenRecord, IdentityPlan, Turn
from mdm.identity.service import golden_record, resolve_golden
from mdm.ids import DecisionId, EventId, GoldenId, RecordId
from mdm.resolution import store as resolution_store
from mdm.resolution.model import Edge
from mdm.resolution.strength import Pair, carrying

EVENTS_MAX: Final = 1_000
"""Events that one life or story tells of, the first ones (chosen: 300 kB of plans; what is cut says so)."""

FAMILY_MAX: Final = 200
"""Absorbed golden ids whose own stories belong to that of their survivor (chosen)."""


@dataclass(frozen=True, slots=True)
class KeyMove:
    """One record, named by its source key, that changed its golden record; None: it had none, or has none."""

    source_key: str
    before: GoldenId | None
    after: GoldenId | None


@dataclass(frozen=True, slots=True)
class EventTold:
    """Everything that one event did.

    refreshed        golden records whose members stayed and whose values were worked out again
    followers        events of what points at what moved, projects of their clients
    undone_by        events that took this one back, and perhaps were taken back themselves
    made, revoked    decisions of the operation
    """

    event: EventBrief
    moves: tuple[KeyMove, ...]
    turns: tuple[Turn, ...]
    refreshed: tuple[GoldenId, ...]
    followers: tuple[EventBrief, ...]
    undone_by: tuple[EventId, ...]
    made: tuple[Decision, ...]
    revoked: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class LifeLine:
    """One thing that happened to a golden id, in which event."""

    event: EventBrief
    step: LifeStep


@dataclass(frozen=True, slots=True)
class Life:
    """The life of exactly this id, oldest first; `absorbed` are the ids that lead to it now."""

    golden: GoldenRecord
    lines: tuple[LifeLine, ...]
    absorbed: tuple[GoldenId, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Carrier:
    """What brought a record in: an edge with its bits, or a decision that two records are the same."""

    left: str
    right: str
    bits: float | None = None
    decision_id: DecisionId | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """One step of a story: which records came or went in which event, and what carried them by what stands now.

    record_keys  empty for what happened to the golden id alone, told by `life`
    """

    event: EventBrief
    kind: str
    golden_id: GoldenId
    record_keys: tuple[str, ...] = ()
    other: GoldenId | None = None
    carriers: tuple[Carrier, ...] = ()
    members_count: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """How a golden record came together, oldest first."""

    golden: GoldenRecord
    chapters: tuple[Chapter, ...]
    is_complete: bool


def tell_event(connection: Connection, event_id: EventId) -> EventTold:
    """Tell one event with its moves by source key; raises EventUnknown."""
    event = store.select_event(connection, event_id)
    if event is None:
        raise EventUnknown(event_id)
    plan = plan_of(event)
    keys = store.select_printed_keys(connection, [move.record_id for move in plan.moves])
    followers, undone_by = store.select_following(connection, event_id)
    made, revoked = decisions_store.select_decisions_of_event(connection, event_id)
    moves = sorted((keys[move.record_id], move.before, move.after) for move in plan.moves)
    return EventTold(
        event=_brief(event),
        moves=tuple(KeyMove(*move) for move in moves),
        turns=plan.turns,
        refreshed=plan.refreshed,
        followers=followers,
        undone_by=undone_by,
        made=made,
        revoked=revoked,
    )


def causes_of(connection: Connection, event_ids: Iterable[str]) -> dict[EventId, EventBrief]:
    """Say of events why, by whom and after which other one, by id."""
    return store.select_briefs(connection, [EventId(id_) for id_ in event_ids])


def life_of(connection: Connection, golden_id: GoldenId) -> Life:
    """Tell the life of exactly this id, also of one that was forwarded; raises GoldenRecordUnknown."""
    golden = golden_record(connection, golden_id)
    events = store.select_events_of(connection, [golden_id], limit=EVENTS_MAX + 1)
    lines = tuple(
        LifeLine(_brief(event), step) for event in events[:EVENTS_MAX] for step in life_steps(plan_of(event), golden_id)
    )
    return Life(golden, lines, store.select_forwarding(connection, golden_id), len(events) <= EVENTS_MAX)


def story_of(connection: Connection, golden_id: GoldenId) -> Story:
    """Tell how what a golden id stands for came together, the stories of absorbed ids up to their merge included.

    Raises GoldenRecordUnknown. A carrier is what stands now: an edge that changed since is not told as it was.
    """
    golden = resolve_golden(connection, golden_id)
    family, planned, is_complete = _family(connection, golden.id)
    until = {id_: _last_absorbed(planned, id_, family) for id_ in family if id_ != golden.id}
    record_ids = {move.record_id for _, plan in planned for move in plan.moves}
    teller = _Teller(
        golden.id,
        store.select_printed_keys(connection, record_ids),
        _evidence(connection, record_ids),
        {id_: set() for id_ in family},
    )
    for place, (event, plan) in enumerate(planned):
        teller.tell(event, plan, [id_ for id_ in family if place <= until.get(id_, place)])
    return Story(golden, tuple(teller.chapters), is_complete)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tell events one after the other, noting who is a member meanwhile."""

    golden_id: GoldenId
    keys: Mapping[RecordId, str]
    evidence: "_Evidence"
    members: dict[GoldenId, set[RecordId]]
    known: set[RecordId] = field(default_factory=set)
    chapters: list[Chapter] = field(default_factory=list)

    def tell(self, event: PastEvent, plan: IdentityPlan, family: Collection[GoldenId]) -> None:
        """Tell what one event did to the golden ids that belong to the story by then."""
        brief = _brief(event)
        for step in story_steps(plan, family, self.known):
            members, carriers = self.members[step.golden_id], tuple[Carrier, ...]()
            if step.is_arrival:
                carriers = self.evidence.carriers(members, step.record_ids, self.keys, event)
                members.update(step.record_ids)
            else:
                members.difference_update(step.record_ids)
                if step.other in family:
                    continue  # its arrival there tells the same
            record_keys = tuple(sorted(self.keys[id_] for id_ in step.record_ids))
            self.chapters.append(
                Chapter(brief, step.kind, step.golden_id, record_keys, step.other, carriers, len(members))
            )
        for kind in (step.kind for step in life_steps(plan, self.golden_id) if step.kind in _STANDING):
            count = len(self.members[self.golden_id])
            self.chapters.append(Chapter(brief, kind, self.golden_id, members_count=count))
        self.known.update(move.record_id for move in plan.moves)


_STANDING: Final = frozenset({"confirmed", "unconfirmed", "retired", "restored"})
_Planned = Sequence[tuple[PastEvent, IdentityPlan]]


def _family(connection: Connection, golden_id: GoldenId) -> tuple[tuple[GoldenId, ...], _Planned, bool]:
    """Gather a golden id and all that it absorbed, and what they absorbed before, with their events."""
    family: frozenset[GoldenId] = frozenset({golden_id})
    while True:
        events = store.select_events_of(connection, family, limit=EVENTS_MAX + 1)
        planned = [(event, plan_of(event)) for event in events[:EVENTS_MAX]]
        plans = [plan for _, plan in planned]
        found = family.union(*(absorbed_by(plans, id_) for id_ in family))
        is_complete = len(events) <= EVENTS_MAX and len(found) <= FAMILY_MAX
        if found == family or len(found) > FAMILY_MAX:
            return (golden_id, *sorted(family - {golden_id})), planned, is_complete
        family = found


def _last_absorbed(planned: _Planned, golden_id: GoldenId, family: Iterable[GoldenId]) -> int:
    """Find the place of the last event in which an id was absorbed: what comes later is no part of the story."""
    inside = frozenset(family)
    places = [
        place
        for place, (_, plan) in enumerate(planned)
        for step in life_steps(plan, golden_id)
        if step.kind == "forwarded" and inside.issuperset(step.others)
    ]
    return max(places, default=-1)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What links the records of a story now."""

    edges: tuple[Edge, ...]
    sames: tuple[Decision, ...]

    def carriers(
        self, members: Iterable[RecordId], arriving: Sequence[RecordId], keys: Mapping[RecordId, str], event: PastEvent
    ) -> tuple[Carrier, ...]:
        """Name the strongest links of arriving records; a decision of a later day did not carry them then."""
        sames = {frozenset(one.pair): one.id for one in self.sames if one.recorded_at <= event.recorded_at}
        pairs: list[Pair] = [(min(pair), max(pair)) for pair in sames]
        bits = {frozenset((edge.left_id, edge.right_id)): edge.bits for edge in self.edges}
        found = carrying(self.edges, pairs, frozenset(members), frozenset(arriving))
        return tuple(
            Carrier(keys[one], keys[other], None, decision_id)
            if (decision_id := sames.get(frozenset((one, other)))) is not None
            else Carrier(keys[one], keys[other], bits[frozenset((one, other))])
            for one, other in found
        )


def _evidence(connection: Connection, record_ids: Iterable[RecordId]) -> _Evidence:
    ids = sorted(record_ids)
    active = decisions_store.select_active_decisions(connection, ids)
    return _Evidence(
        resolution_store.select_joining_edges(connection, ids),
        tuple(one for one in active if one.joins and set(one.pair) <= set(ids)),
    )


def _brief(event: PastEvent) -> EventBrief:
    return EventBrief(
        event.id,
        event.entity_type,
        event.kind,
        event.reason,
        event.root_id,
        event.undoes_id,
        event.recorded_at,
        event.who,
    )
