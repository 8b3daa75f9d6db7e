"""A deal as people and programs read it: its steps as a line, and in a few words what holds it up. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from mdm.activation.model import Deal, DealState, Recipe, StepTurn

WAITING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "review": "a steward says whether the client is there already",
        "approval": "somebody approves the contract",
        "key_of_customer": "the client has a key in the system that bills",
        "key_of_project": "the project has a key in the system that bills",
        "key_of_contract": "the contract has a key in the system that bills",
    }
)
HELD_UP: Final[Mapping[str, str]] = MappingProxyType(
    {
        "client_gone": "the record of its client was taken out, or is kept apart by a decision",
        "refused_customer": "the system that bills does not take the client",
        "refused_project": "the system that bills does not take the project",
        "refused_contract": "the system that bills does not take the contract",
        "target_stopped": "the system that bills is told nothing, its target is stopped",
    }
)
"""What a deal waits for that does not come by itself, by what it is held up by."""


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step of a deal.

    mark   done, at_hand (the deal waits here, fails here or is about to do it), to_do, taken_back
    at     when it was done, or since when the deal is there
    """

    name: str
    does: str
    mark: Literal["done", "at_hand", "to_do", "taken_back"]
    reaches: DealState | None
    at: datetime | None
    who: str


def steps_shown(recipe: Recipe, deal: Deal, turns: Sequence[StepTurn]) -> tuple[StepShown, ...]:
    """Line up the steps of a deal in the order of its recipe."""
    last = {turn.step: turn for turn in turns}
    found = []
    for step in recipe.steps:
        turn = last.get(step.name)
        mark: Literal["done", "at_hand", "to_do", "taken_back"] = "to_do"
        if step.name in deal.progress.done:
            mark = "done"
        elif step.name == deal.progress.step:
            mark = "at_hand"
        elif turn is not None and turn.turn == "taken_back":
            mark = "taken_back"
        dated = turn if turn is not None and mark != "to_do" else None
        found.append(
            StepShown(
                step.name,
                step.does,
                mark,
                step.reaches,
                None if dated is None else dated.recorded_at,
                "" if dated is None else dated.who,
            )
        )
    return tuple(found)


def in_words(deal: Deal) -> str:
    """Say in a few words what a deal is about to do, waits for or is held up by."""
    progress = deal.progress
    match progress.standing:
        case "waiting" if progress.is_stuck:
            return f"held up: {HELD_UP[progress.because]}"
        case "waiting":
            return f"waits until {WAITING.get(progress.because, progress.because)}"
        case "incomplete":
            return f"incomplete: mend exception {deal.exception_id}"
        case "failing":
            return f"{progress.step} failed {progress.attempts} times ({progress.because}), is tried again"
        case "failed":
            return f"{progress.step} failed for good ({progress.because}), what was made is taken back"
        case "taking_back":
            return f"takes back what was made ({progress.because})"
        case "going":
            return f"goes on with {progress.step}"
        case _:
            return progress.state.replace("_", " ")
