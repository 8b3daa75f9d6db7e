"""What became of an event since: where its records and golden ids are now, read once, for whoever takes it back.

From it follow, without another question, which ids return and to whom, where forwards lead again, and which records
stand on which side of the border that an unmerge leaves.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sqlalchemy import Connection

from mdm.errors import OperationBlocked
from mdm.identity import events_store
from mdm.identity import store as identity_store
from mdm.identity.model import NO_WISHES, CauseKind, GoldenRecord, IdentityEvent, Move, Standing, Turn, Wishes
from mdm.ids import GoldenId, RecordId
from mdm.sources import store as sources_store
from mdm.stewardship.sides import Part

BLOCKING: frozenset[CauseKind] = frozenset({"merge", "split", "move", "dissolve", "restore", "decision", "revocation"})
"""Kinds of events that put a record where somebody wanted it; what else moved it since, its own news or the taking back
of another event, is in nobody's way."""


@dataclass(frozen=True)
class Scene:
    """An event, those that followed it, and the present standing of all that they touched.

    goldens   every golden id they touched, and whatever these lead to and led to
    now       by record that they moved, the golden record it belongs to now
    members   by golden record that is active among `goldens`, its members now
    before    by golden id that the first event touched, its members just before
    arrived   members that belonged to no golden record up to the event
    published golden ids of which a target acknowledged a key since
    """

    events: tuple[IdentityEvent, ...]
    goldens: Mapping[GoldenId, GoldenRecord]
    now: Mapping[RecordId, GoldenId | None]
    members: Mapping[GoldenId, Part]
    before: Mapping[GoldenId, Part]
    arrived: Part
    published: frozenset[GoldenId]

    @property
    def event(self) -> IdentityEvent:
        """Return the event itself."""
        return self.events[0]

    @property
    def neighbourhood(self) -> Part:
        """Return all members of the golden records that the event itself touched, as they are now."""
        return frozenset().union(*map(self.here, self.event.plan.touched))

    def present(self, golden_id: GoldenId) -> GoldenId:
        """Return what an id leads to now."""
        return self.goldens[golden_id].forward_to or golden_id

    def here(self, golden_id: GoldenId) -> Part:
        """Return the members of what an id leads to now."""
        return self.members.get(self.present(golden_id), frozenset())

    def held_by(self, golden_id: GoldenId) -> Part:
        """Return the members that the first event left a golden record with."""
        plan = self.event.plan
        left = {move.record_id for move in plan.moves if move.before == golden_id}
        joined = {move.record_id for move in plan.moves if move.after == golden_id}
        return (self.before.get(golden_id, frozenset()) - left) | joined

    def is_elsewhere(self, move: Move) -> bool:
        """Tell whether a record has left the golden record into which an event moved it; one without any has not."""
        now = self.now[move.record_id]
        return now is not None and (move.after is None or now != self.present(move.after))

    def leaving(self, absorbed_id: GoldenId) -> Part:
        """Return the records of an absorbed golden record, but for those that left its survivor since."""
        return self._leaving.get(absorbed_id, frozenset())

    @cached_property
    def _leaving(self) -> Mapping[GoldenId | None, Part]:
        """Return by golden record those whom the events moved out of it and who are still where they went."""
        found: dict[GoldenId | None, set[RecordId]] = {}
        for event in self.events:
            for move in event.plan.moves:
                if not self.is_elsewhere(move):
                    found.setdefault(move.before, set()).add(move.record_id)
        return {left_id: frozenset(records) for left_id, records in found.items()}

    def is_present(self, records: Iterable[RecordId]) -> bool:
        """Tell whether any of these records belongs to a golden record now."""
        return any(self.now[record_id] is not None for record_id in records)


def load_scene(connection: Connection, event: IdentityEvent) -> Scene:
    """Read what became of an event; the caller holds the golden records that it touched."""
    events = (event, *events_store.select_following_events(connection, event.id))
    touched = {golden_id for one in events for golden_id in one.plan.touched}
    # An event may lead an id to one that it did not touch: an undo does, of what it lays to rest.
    led_to = {
        standing.forward_to
        for one in events
        for turn in one.plan.turns
        for standing in (turn.before, turn.after)
        if standing is not None and standing.forward_to is not None
    }
    moved_ids = {move.record_id for one in events for move in one.plan.moves}
    goldens = identity_store.select_goldens_and_targets(connection, touched | led_to)
    goldens |= identity_store.select_goldens_around(connection, moved_ids)
    active = [golden.id for golden in goldens.values() if golden.state == "active"]
    moved = identity_store.select_members(connection, moved_ids)
    members = identity_store.select_member_ids(connection, active)
    return Scene(
        events,
        goldens,
        {record_id: member.golden_id for record_id, member in moved.items()},
        members,
        identity_store.select_member_ids_before(connection, event.plan.touched, event.recorded_at),
        identity_store.select_first_seen_since(connection, frozenset().union(*members.values()), event.recorded_at),
        identity_store.select_published_since(connection, active, event.recorded_at),
    )


def absorbs(turn: Turn) -> bool:
    """Tell whether an event forwarded this golden id."""
    return turn.before is not None and turn.before.state == "active" and turn.after.state == "forwarded"


def as_merge(scene: Scene, returning: Collection[GoldenId]) -> Scene:
    """Look at an event as the merge of golden records into what they lead to.

    A record of theirs that the same event put elsewhere has left them since, so to speak; one that it deleted has not.
    What other golden records gained by the event, they keep: who made them established stays with them. So does what
    those that they lead to gained by absorbing others. An id that the event woke for others is theirs, unless it leads
    where those lead that return: it goes along with them then.
    """
    plan = scene.event.plan
    survivors = {turn.golden_id: turn.after.forward_to for turn in plan.turns if turn.golden_id in returning}
    woken = {turn.golden_id for turn in plan.turns if _wakes(turn) and not _leads_as_left(scene, turn)}
    others_woke = woken.difference(survivors.values())
    turns = [turn for turn in plan.turns if not _stays_active(turn) and turn.golden_id not in others_woke]
    for turn in plan.turns:
        if turn.golden_id in survivors.values() and _stays_active(turn):
            others = [one.before for one in turns if one.golden_id not in returning and _leads_to(scene, one, turn)]
            kept = _established_by(turn.before, others)
            if kept != turn.after:
                turns.append(replace(turn, before=kept))
    moves = tuple(
        replace(move, after=survivors[move.before]) if move.before in survivors else move for move in plan.moves
    )
    event = replace(scene.event, plan=replace(plan, moves=moves, turns=tuple(turns)))
    return replace(scene, events=(event, *scene.events[1:]))


def require_in_place(connection: Connection, scene: Scene, moves: Iterable[Move]) -> None:
    """Require that nobody put records elsewhere since; raises OperationBlocked that names who did."""
    gone = {move.record_id for move in moves if scene.is_elsewhere(move)}
    if not gone:
        return
    for record_id, (later_id, kind) in sorted(events_store.select_joining_events(connection, gone).items()):
        if kind in BLOCKING:
            key = sources_store.select_keys(connection, [record_id])[record_id]
            raise OperationBlocked(
                scene.event.id,
                because=f"{key} was put into {scene.now[record_id]} by {later_id} ({kind})",
                blocking=[str(later_id)],
                remedy=f"take {later_id} back first",
            )


def require_resting(connection: Connection, scene: Scene, returning: Iterable[GoldenId]) -> None:
    """Require that golden records which are to return lead elsewhere still; raises OperationBlocked."""
    for golden_id in sorted(returning):
        golden = scene.goldens[golden_id]
        if golden.state != "forwarded":
            later_id = events_store.select_last_event(connection, golden_id)
            raise OperationBlocked(
                scene.event.id,
                because=f"{golden_id} is {golden.state} since {later_id}",
                blocking=[str(later_id)],
                remedy=f"it may be what you want already; else take {later_id} back first",
            )


def borders(scene: Scene, moves: Iterable[Move]) -> dict[GoldenId, tuple[Part, ...]]:
    """Return by golden record who stands apart from whom once moves are taken back: who stays, who goes where.

    Who arrived since stands on no side; its own evidence decides.
    """
    leaving: dict[GoldenId, dict[GoldenId, set[RecordId]]] = {}
    for move in moves:
        if move.before is not None and move.after is not None and not scene.is_elsewhere(move):
            leaving.setdefault(move.after, {}).setdefault(move.before, set()).add(move.record_id)
    gone = {record_id for parts in leaving.values() for part in parts.values() for record_id in part}
    divisions = {}
    for left_id, parts in sorted(leaving.items()):
        here = scene.here(left_id) | scene.before.get(left_id, frozenset())
        divisions[left_id] = (here - gone - scene.arrived, *(frozenset(part) for _, part in sorted(parts.items())))
    return divisions


def giving_back(scene: Scene, returning: Iterable[GoldenId], moves: Iterable[Move]) -> Wishes:
    """Work out which ids, forwards and standings return when an event and those that followed it are taken back.

    returning  of the first event, the absorbed ids that return; of the others all do that still lead elsewhere
    moves      of the first event, those that are taken back
    """
    taken_back = [move for move in moves if not scene.is_elsewhere(move)]
    back = set(returning)
    for event in scene.events[1:]:
        back |= {turn.golden_id for turn in event.plan.turns if absorbs(turn) and _rests(scene, turn)}
    homes = {golden_id: scene.leaving(golden_id) for golden_id in sorted(back)}
    forwards: dict[GoldenId, GoldenId | None] = {}
    standings: dict[GoldenId, Standing] = {}
    survivors: dict[GoldenId, Standing | None] = {}
    for turn in (turn for event in scene.events for turn in event.plan.turns if turn.before is not None):
        before = turn.before
        assert before is not None, "minted ids were left out"
        if turn.golden_id in back:
            standings[turn.golden_id] = before
            survivors.setdefault(turn.after.forward_to or turn.golden_id, None)
        elif before.forward_to in back:
            if _leads_as_left(scene, turn):
                forwards[turn.golden_id] = before.forward_to
        elif _stays_active(turn):
            survivors[turn.golden_id] = before
    leaving: Part = frozenset().union(*homes.values())
    for survivor_id, standing in survivors.items():
        present_id = scene.present(survivor_id)
        if homes:
            rest = scene.members.get(present_id, frozenset()) - leaving
            homes.setdefault(present_id, (rest - scene.arrived) or rest)
        if present_id == survivor_id and standing is not None:
            is_acknowledged = standing.is_acknowledged or survivor_id in scene.published
            standings[survivor_id] = Standing("active", None, standing.is_confirmed, is_acknowledged)
    return Wishes(
        homes=homes,
        forwards=forwards,
        standings=standings,
        rests=_rests_of_woken(scene, back),
        leaving=frozenset(move.record_id for move in taken_back),
        rejoined=_rejoined(scene, taken_back),
    )


def unrestored(scene: Scene) -> Wishes:
    """Wish that what a restored golden record absorbed returns, and that it rests retired where it was absorbed."""
    turns = [turn for turn in scene.event.plan.turns if _rests(scene, turn)]
    absorbed = [turn.golden_id for turn in turns if absorbs(turn)]
    wishes = giving_back(scene, absorbed, scene.event.plan.moves) if absorbed else NO_WISHES
    retired = [turn.golden_id for turn in turns if turn.before is not None and turn.before.state == "retired"]
    return replace(wishes, forwards={**wishes.forwards, **dict.fromkeys(retired)})


def as_it_was(scene: Scene, wishes: Wishes) -> Wishes:
    """Wish besides that what comes together again does so under the id that it had.

    An id that an event woke rests again, so it is none that they had. It brings that no standing which it had not. For
    undoing; what is unmerged meets others by the usual rule.
    """
    first: dict[GoldenId, Turn] = {}
    for turn in (turn for event in scene.events for turn in event.plan.turns):
        first.setdefault(turn.golden_id, turn)
    new = {id_ for id_, turn in first.items() if turn.before is None or _wakes(turn)}
    turns = [turn for event in scene.events for turn in event.plan.turns if turn.before is not None]
    kept = {move.before for event in scene.events for move in event.plan.moves if move.before is not None}
    had = kept.union(turn.after.forward_to or turn.golden_id for turn in turns) - new
    standings = {id_: golden.standing for id_ in kept if (golden := scene.goldens[id_]).state == "active"}
    return replace(
        wishes,
        survivors=frozenset(had.union(map(scene.present, had))),
        standings={**standings, **wishes.standings},
    )


def _rests_of_woken(scene: Scene, back: Collection[GoldenId]) -> dict[GoldenId, Standing]:
    """Return how the ids that the events woke had rested; of what a target was told of since it goes on to know."""
    found: dict[GoldenId, Standing] = {}
    for turn in (turn for event in scene.events for turn in event.plan.turns if _wakes(turn)):
        assert turn.before is not None, "minted ids were left out"
        led_to = turn.before.forward_to
        if led_to is not None and led_to not in back:
            led_to = scene.present(led_to)
        is_acknowledged = turn.before.is_acknowledged or turn.golden_id in scene.published
        if led_to != turn.golden_id:
            found[turn.golden_id] = replace(turn.before, forward_to=led_to, is_acknowledged=is_acknowledged)
    return found


def _rejoined(scene: Scene, moves: Iterable[Move]) -> dict[GoldenId, Part]:
    """Return what each golden record held before moves, where it was established as one."""
    standings = {turn.golden_id: turn.before for turn in scene.event.plan.turns}
    moved: dict[GoldenId, set[RecordId]] = {}
    for move in moves:
        if move.before is not None:
            moved.setdefault(move.before, set()).add(move.record_id)
    return {
        golden_id: (scene.before.get(golden_id, frozenset()) & scene.members.get(golden_id, frozenset())) | records
        for golden_id, records in sorted(moved.items())
        if (standings.get(golden_id) or scene.goldens[golden_id].standing).is_established
    }


def _leads_to(scene: Scene, absorbed: Turn, survivor: Turn) -> bool:
    """Tell whether an event let one golden id lead to another, and it still leads where that one does."""
    is_absorbed = absorbs(absorbed) and absorbed.after.forward_to == survivor.golden_id
    return is_absorbed and scene.present(absorbed.golden_id) == scene.present(survivor.golden_id)


def _established_by(own: Standing | None, others: Iterable[Standing | None]) -> Standing | None:
    """Return a standing with all that those of others add to it."""
    for other in others:
        if own is not None and other is not None:
            is_confirmed = own.is_confirmed or other.is_confirmed
            is_acknowledged = own.is_acknowledged or other.is_acknowledged
            own = replace(own, is_confirmed=is_confirmed, is_acknowledged=is_acknowledged)
    return own


def _stays_active(turn: Turn) -> bool:
    return turn.before is not None and turn.before.state == turn.after.state == "active"


def _wakes(turn: Turn) -> bool:
    return turn.before is not None and turn.before.state != "active" and turn.after.state == "active"


def _leads_as_left(scene: Scene, turn: Turn) -> bool:
    """Tell whether an id leads where an event made it lead, as far as that leads on, and not elsewhere since.

    One that it woke must have come to rest again where it had led before.
    """
    led_to = turn.after.forward_to or (turn.before.forward_to if turn.before is not None else None)
    return led_to is not None and scene.goldens[turn.golden_id].forward_to == scene.present(led_to)


def _rests(scene: Scene, turn: Turn) -> bool:
    return scene.goldens[turn.golden_id].state == "forwarded"
