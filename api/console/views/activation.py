"""Deals on the board and on their page: what each waits for or what holds it up, in one line. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal

from api.console.views.vocabulary import N_
from mdm.activation.model import Deal, DealName, Recipe, StateCount, Step, StepTurn
from mdm.activation.words import StepShown, steps_shown

Tone = Literal["bad", "neg", "pos", "accent", ""]

STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sold": N_("Sold"),
        "activated": N_("Activated"),
        "approved": N_("Approved"),
        "ready_to_bill": N_("Ready to bill"),
        "cancelled": N_("Cancelled"),
    }
)
# What a step does, as people say it.
STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "check": N_("Check account, tax and currency"),
        "reserve_customer": N_("Find or reserve the billed client"),
        "make_project": N_("Make the project"),
        "make_contract": N_("Make the contract"),
        "approval": N_("Approve the contract"),
    }
)
_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "customer": N_("Wait for the client in the system that bills"),
        "project": N_("Wait for the project in the system that bills"),
        "contract": N_("Wait for the contract in the system that bills"),
    }
)
_WAITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "review": N_("Waits for a steward: is the client there already?"),
        "approval": N_("Waits for somebody to approve the contract"),
        "key_of_customer": N_("Waits for the client to be created in the system that bills"),
        "key_of_project": N_("Waits for the project to be created in the system that bills"),
        "key_of_contract": N_("Waits for the contract to be created in the system that bills"),
        "client_gone": N_("The record of its client was taken out, or is kept apart by a decision"),
        "refused_customer": N_("The system that bills does not take the client"),
        "refused_project": N_("The system that bills does not take the project"),
        "refused_contract": N_("The system that bills does not take the contract"),
        "target_stopped": N_("The system that bills is told nothing: its target is stopped"),
    }
)
_STANDING: Final[Mapping[str, tuple[str, Tone]]] = MappingProxyType(
    {
        "going": (N_("Goes on by itself"), ""),
        "incomplete": (N_("Facts are missing or wrong"), "bad"),
        "failing": (N_("A step failed and is tried again"), "neg"),
        "failed": (N_("A step failed for good; what was made is taken back"), "bad"),
        "taking_back": (N_("What was made is being taken back"), "neg"),
        "done": (N_("Everything is there"), "pos"),
        "cancelled": (N_("Cancelled; nothing of it is left"), ""),
    }
)
_TURNS: Final[Mapping[str, str]] = MappingProxyType(
    {"done": N_("done"), "waiting": N_("waits"), "failed": N_("failed"), "taken_back": N_("taken back")}
)


@dataclass(frozen=True, slots=True)
class DealShown:
    """A deal in one card or line.

    title   what people call it: its contract, else the id of its opportunity
    line    message of what it waits for or what holds it up
    step    message of the step at hand, "" at the end
    """

    deal: Deal
    title: str
    client: str
    amount: str
    currency: str
    line: str
    tone: Tone
    step: str
    is_late: bool

    @property
    def url(self) -> str:
        """Return where the deal is shown."""
        return f"/activation/{self.deal.id}"


@dataclass(frozen=True, slots=True)
class Column:
    """One state of the board: its deals, those that are held up first, then the longest in it."""

    state: str
    title: str
    count: int
    held_up: int
    late: int
    oldest_at: datetime | None
    deals: tuple[DealShown, ...]

    @property
    def more(self) -> int:
        """Count those that the board has no room for."""
        return self.count - len(self.deals)


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step as it is drawn: its words, its mark, and what it reaches."""

    step: StepShown
    title: str
    reaches: str


@dataclass(frozen=True, slots=True)
class TurnLine:
    """One thing that happened to a deal."""

    turn: StepTurn
    step: str
    title: str
    because: str


def deal_shown(recipe: Recipe, deal: Deal, name: DealName | None, at: datetime) -> DealShown:
    """Show a deal in one card."""
    progress = deal.progress
    if progress.standing == "waiting":
        line = _WAITS.get(progress.because, N_("Waits"))
        tone = "bad" if progress.is_stuck else "accent" if progress.because == "approval" else ""
    else:
        line, tone = _STANDING[progress.standing]
    step = "" if progress.step is None else _title(recipe.step(progress.step))
    called = name or DealName("", "", "", "")
    return DealShown(
        deal,
        called.contract or f"{deal.opportunity.object} {deal.opportunity.native_id}",
        called.client,
        called.amount,
        called.currency,
        line,
        tone,  # type: ignore[arg-type]
        step,
        deal.is_late(recipe, at),
    )


def columns(
    counts: Sequence[StateCount],
    late: Mapping[str, int],
    deals: Mapping[str, Sequence[Deal]],
    shown: Mapping[str, DealShown],
) -> list[Column]:
    """Lay out the board, one column a state."""
    return [
        Column(
            one.state,
            STATES[one.state],
            one.count,
            one.held_up,
            late.get(one.state, 0),
            one.oldest_at,
            tuple(shown[deal.id] for deal in deals[one.state]),
        )
        for one in counts
    ]


def step_lines(recipe: Recipe, deal: Deal, turns: Sequence[StepTurn]) -> list[StepLine]:
    """Line up the steps of a deal as they are drawn."""
    return [
        StepLine(one, _title(recipe.step(one.name)), "" if one.reaches is None else STATES[one.reaches])
        for one in steps_shown(recipe, deal, turns)
    ]


def turn_lines(recipe: Recipe, turns: Sequence[StepTurn]) -> list[TurnLine]:
    """Say what happened to a deal, the latest first; a step that the recipe has no more is named as it was."""
    titles = {step.name: _title(step) for step in recipe.steps}
    return [
        TurnLine(
            one,
            titles.get(one.step, one.step),
            _TURNS[one.turn],
            _WAITS.get(one.because, one.because.replace("_", " ")),
        )
        for one in reversed(turns)
    ]


def _title(step: Step) -> str:
    return _KEYS[step.of] if step.of is not None else STEPS[step.does]
