"""What events did to a golden id: the steps of its life, and who came and went; pure, read off the plans as written.

A life tells of the id: minted, survived (it absorbed others), forwarded (it was absorbed), forwarded_anew (its
survivor was absorbed in turn), split, restored, retired, confirmed, unconfirmed. A story tells of the records: created,
attached, merged, moved_in, returned, left, moved_out, merged_away, split.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mdm.history.past import PastEvent
from mdm.identity.model import IdentityPlan, Move, Turn
from mdm.ids import GoldenId, RecordId

LifeKind = Literal[
    "minted",
    "survived",
    "forwarded",
    "forwarded_anew",
    "split",
    "restored",
    "retired",
    "confirmed",
    "unconfirmed",
]
StoryKind = Literal[
    "created",
    "attached",
    "merged",
    "moved_in",
    "returned",
    "left",
    "moved_out",
    "merged_away",
    "split",
]


@dataclass(frozen=True, slots=True)
class LifeStep:
    """One thing that happened to a golden id.

    others  survived: the ids it absorbed; forwarded, forwarded_anew: the one it leads to; split: those that took
            records out of it; minted, restored: those whose records it took
    """

    kind: LifeKind
    others: tuple[GoldenId, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryStep:
    """Records that came to a golden id, or left it, in one event; `other` is where they came from or went to."""

    kind: StoryKind
    golden_id: GoldenId
    record_ids: tuple[RecordId, ...]
    other: GoldenId | None = None

    @property
    def is_arrival(self) -> bool:
        """Tell whether the records are members from now on."""
        return self.kind in {"created", "attached", "merged", "moved_in", "returned"}


def plan_of(event: PastEvent) -> IdentityPlan:
    """Read the plan that an event carried out."""
    return IdentityPlan.from_document(event.plan)


def life_steps(plan: IdentityPlan, golden_id: GoldenId) -> tuple[LifeStep, ...]:
    """Say what a plan did to a golden id, the change of its standing first."""
    turns = {turn.golden_id: turn for turn in plan.turns}
    steps: list[LifeStep] = []
    if golden_id in turns:
        steps += _own_steps(plan, turns, turns[golden_id])
    absorbed = tuple(
        turn.golden_id
        for turn in plan.turns
        if turn.after.forward_to == golden_id and turn.before is not None and turn.before.state == "active"
    )
    if absorbed:
        steps.append(LifeStep("survived", absorbed))
    mine = turns.get(golden_id)
    stays = mine is None or (mine.after.state == "active" and mine.before is not None and mine.before.state == "active")
    taken = {
        move.after
        for move in plan.moves
        if move.before == golden_id and move.after in turns and not _was_active(turns[move.after])
    }
    if stays and taken:
        steps.append(LifeStep("split", tuple(sorted(filter(None, taken)))))
    return tuple(steps)


def story_steps(plan: IdentityPlan, golden_ids: Iterable[GoldenId], known: Iterable[RecordId]) -> tuple[StoryStep, ...]:
    """Say which records a plan brought to golden ids or took from them, by golden id.

    known  records that some golden record had before: one of these that comes from nowhere returns
    """
    turns, before = {turn.golden_id: turn for turn in plan.turns}, frozenset(known)
    steps: list[StoryStep] = []
    for golden_id in sorted(set(golden_ids)):
        arriving: dict[tuple[StoryKind, GoldenId | None], list[RecordId]] = {}
        leaving: dict[tuple[StoryKind, GoldenId | None], list[RecordId]] = {}
        for move in plan.moves:
            if move.after == golden_id:
                kind = _arrival(move, turns, is_known=move.record_id in before)
                arriving.setdefault((kind, move.before), []).append(move.record_id)
            elif move.before == golden_id:
                leaving.setdefault((_departure(move, turns), move.after), []).append(move.record_id)
        for found in (arriving, leaving):
            steps += [StoryStep(kind, golden_id, tuple(ids), other) for (kind, other), ids in found.items()]
    return tuple(steps)


def absorbed_by(plans: Sequence[IdentityPlan], golden_id: GoldenId) -> frozenset[GoldenId]:
    """Name the ids that these plans forwarded to one while they were active: whose stories belong to its own."""
    steps = (step for plan in plans for step in life_steps(plan, golden_id))
    return frozenset(other for step in steps if step.kind == "survived" for other in step.others)


def _own_steps(plan: IdentityPlan, turns: Mapping[GoldenId, Turn], turn: Turn) -> list[LifeStep]:
    before, after = turn.before, turn.after
    taken = {move.before for move in plan.moves if move.after == turn.golden_id and move.before is not None}
    # An id that is absorbed at the same time gives all it has: that is its merge, not where this one comes from.
    origins = tuple(sorted(id_ for id_ in taken if id_ not in turns or turns[id_].after.forward_to != turn.golden_id))
    steps = []
    if before is None:
        steps.append(LifeStep("minted", origins))
    elif after.state == "active" and before.state != "active":
        steps.append(LifeStep("restored", origins))
    elif after.state == "forwarded" and after.forward_to is not None and after.forward_to != before.forward_to:
        kind: LifeKind = "forwarded_anew" if before.state == "forwarded" else "forwarded"
        steps.append(LifeStep(kind, (after.forward_to,)))
    elif after.state == "retired" and before.state != "retired":
        steps.append(LifeStep("retired"))
    was_confirmed = before is not None and before.is_confirmed
    if after.is_confirmed is not was_confirmed:
        steps.append(LifeStep("confirmed" if after.is_confirmed else "unconfirmed"))
    return steps


def _arrival(move: Move, turns: Mapping[GoldenId, Turn], *, is_known: bool) -> StoryKind:
    assert move.after is not None, "an arrival has where it arrives"
    if move.before is None:
        if is_known:
            return "returned"
        return "created" if move.after in turns and turns[move.after].before is None else "attached"
    source = turns.get(move.before)
    return "merged" if source is not None and source.after.state == "forwarded" else "moved_in"


def _departure(move: Move, turns: Mapping[GoldenId, Turn]) -> StoryKind:
    if move.after is None:
        return "left"
    mine = turns.get(move.before) if move.before is not None else None
    if mine is not None and mine.after.state == "forwarded":
        return "merged_away"
    return "split" if move.after in turns and not _was_active(turns[move.after]) else "moved_out"


def _was_active(turn: Turn) -> bool:
    return turn.before is not None and turn.before.state == "active"
