"""The plan that takes an event back exactly, for as long as all that it touched stands as the event left it.

An event that others followed since cannot be walked back step by step: there, `scene.giving_back` says what returns.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mdm.identity.model import IdentityPlan, Move, Standing, Turn
from mdm.ids import GoldenId, RecordId
from mdm.stewardship.scene import Scene


def way_back(scene: Scene) -> IdentityPlan | None:
    """Return the inverse of what an event did; None if any of it stands otherwise by now.

    What a target took since stays known to be taken. An id that the event minted leads to where its records go.
    """
    plan = scene.event.plan
    if not _stands_as_left(scene):
        return None
    moves = tuple(Move(move.record_id, move.after, move.before) for move in plan.moves)
    turns = {turn.golden_id: _turned_back(scene, turn) for turn in plan.turns}
    for golden in scene.goldens.values():  # what led to an id that comes to rest leads on
        if golden.id not in turns and golden.forward_to in turns and golden.state == "forwarded":
            turns[golden.id] = Turn(golden.id, golden.standing, golden.standing)
    flat = [replace(turn, after=_flattened(turn.after, turns)) for _, turn in sorted(turns.items())]
    changed = tuple(turn for turn in flat if turn.before != turn.after)
    rests = {turn.golden_id for turn in flat if turn.after.state != "active"}
    return IdentityPlan(plan.entity_type, moves, changed, tuple(id_ for id_ in plan.touched if id_ not in rests))


def _stands_as_left(scene: Scene) -> bool:
    plan = scene.event.plan
    left: dict[GoldenId, set[RecordId]] = {id_: set(scene.before.get(id_, ())) for id_ in plan.touched}
    for move in plan.moves:
        if move.before is not None:
            left[move.before].discard(move.record_id)
        if move.after is not None:
            left[move.after].add(move.record_id)
    return (
        all(scene.now[move.record_id] == move.after for move in plan.moves)
        and all(scene.members.get(golden_id, frozenset()) == records for golden_id, records in left.items())
        and all(_is_as_left(scene.goldens[turn.golden_id].standing, turn.after) for turn in plan.turns)
    )


def _is_as_left(now: Standing, left: Standing) -> bool:
    return now == left or now == replace(left, is_acknowledged=True)


def _turned_back(scene: Scene, turn: Turn) -> Turn:
    now = scene.goldens[turn.golden_id].standing
    before = turn.before or _at_rest(now, _destination(scene.event.plan.moves, turn.golden_id))
    is_known_since = now.is_acknowledged and not turn.after.is_acknowledged
    return Turn(turn.golden_id, now, replace(before, is_acknowledged=before.is_acknowledged or is_known_since))


def _at_rest(standing: Standing, led_to: GoldenId | None) -> Standing:
    return replace(standing, state="retired" if led_to is None else "forwarded", forward_to=led_to)


def _destination(moves: Iterable[Move], minted: GoldenId) -> GoldenId | None:
    """Return where most of the records of a minted id came from, of equally many the oldest id."""
    origins = Counter(move.before for move in moves if move.after == minted and move.before is not None)
    return min(origins, key=lambda id_: (-origins[id_], id_), default=None)


def _flattened(standing: Standing, turns: Mapping[GoldenId, Turn]) -> Standing:
    while standing.forward_to is not None and (further := turns.get(standing.forward_to)) is not None:
        if further.after.state != "forwarded":
            break
        standing = replace(standing, forward_to=further.after.forward_to)
    return standing
