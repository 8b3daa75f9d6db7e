"""Deals as values: the recipe they follow, how far they are, and what they wait for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from mdm.entities.model import EntityType
from mdm.ids import DealId, ExceptionId, GoldenId, ReservationId
from mdm.sources.model import HUB, SourceKey

DEAL: Final = "deal"
"""What a deal is called among the exceptions, where other deliveries have an entity type."""

DealState = Literal["sold", "activated", "approved", "ready_to_bill", "cancelled"]
Standing = Literal["going", "waiting", "incomplete", "failing", "failed", "taking_back", "done", "cancelled"]
Does = Literal["check", "reserve_customer", "make_project", "make_contract", "approval", "key"]
Made = Literal["customer", "project", "contract"]

STATES: Final[tuple[DealState, ...]] = ("sold", "activated", "approved", "ready_to_bill")
TAKEN_BACK: Final = frozenset({"reserve_customer", "make_project", "make_contract"})
"""What leaves something behind that is taken back when a deal fails or is cancelled."""
STUCK: Final = ("client_gone", "refused_customer", "refused_project", "refused_contract", "target_stopped")
"""What a deal may wait for that does not come by itself: it is held up until a person acts."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a recipe; `reaches` is the state of a deal once it is done, `of` whose key a step waits for."""

    name: str
    does: Does
    reaches: DealState | None = None
    of: Made | None = None


@dataclass(frozen=True, slots=True)
class Billing:
    """Which instance bills for some of our legal entities, in which currencies.

    keeps  of what a deal makes, what that system has records of: a deal waits for their keys, and for no others
    """

    legal_entities: tuple[str, ...]
    instance: str
    currencies: frozenset[str]
    keeps: frozenset[Made] = frozenset({"customer", "project", "contract"})


@dataclass(frozen=True)
class Recipe:
    """Hold everything declared about the way of a deal.

    facts   what is known of a deal, declared like an entity type
    fills   fact → entity type → attribute that is made of it
    """

    name: str
    title: str
    billing: tuple[Billing, ...]
    facts: EntityType
    fills: Mapping[str, Mapping[str, str]]
    tax_id_required: frozenset[str]
    steps: tuple[Step, ...]
    time_allowed: Mapping[str, timedelta]
    attempts_max: int
    reserved_days: int

    def step(self, name: str) -> Step:
        """Return a step by its name."""
        return next(step for step in self.steps if step.name == name)

    def place(self, name: str) -> int:
        """Return where a step stands, from 0."""
        return [step.name for step in self.steps].index(name)

    def fields_of(self, made: Made, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Give the fields of the customer, project or contract that the facts of a deal fill."""
        return {
            attributes[made]: facts[name]
            for name, attributes in self.fills.items()
            if made in attributes and name in facts
        }


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a deal is on its way through the steps of a recipe.

    state       the last state that a step reached
    standing    going: the next step may be done; waiting: it waits for a fact; failing: it failed and is tried again;
                failed: it failed for good, and what came before is taken back; taking_back: that is under way;
                incomplete: facts are missing
    step        the step at hand; None at the end
    done        names of the steps that are done, in order
    attempts    how often the step at hand failed
    because     a stable code of what it waits for or why it fails
    is_ending   what is taken back is so because the deal is cancelled
    """

    state: DealState
    standing: Standing
    step: str | None
    done: tuple[str, ...] = ()
    attempts: int = 0
    because: str = ""
    is_ending: bool = False

    @property
    def is_stuck(self) -> bool:
        """Tell whether it waits for what does not come by itself."""
        return self.standing == "waiting" and self.because in STUCK


@dataclass(frozen=True, slots=True)
class Ids:
    """What the steps of a deal made or found: ids and keys, no values."""

    reservation_id: ReservationId | None = None
    customer_id: GoldenId | None = None
    has_project: bool = False
    has_contract: bool = False


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal with its progress.

    opportunity   the key of what was won in the CRM
    billing       the source instance that bills it; None while it is incomplete
    since         when each state was reached
    version       rises with every change; the fencing token of whoever works on it
    exception_id  where its facts wait to be mended
    """

    id: DealId
    recipe: str
    opportunity: SourceKey
    progress: Progress
    ids: Ids
    billing: str | None
    recorded_at: datetime
    who: str
    since: Mapping[DealState, datetime]
    next_at: datetime | None = None
    exception_id: ExceptionId | None = None
    lease_token: int = 0
    approved_by: str | None = None
    ended_by: str | None = None

    @property
    def contract_key(self) -> SourceKey:
        """Return the key of the contract record that holds its facts."""
        return SourceKey(HUB, DEAL, "", self.id)

    @property
    def project_key(self) -> SourceKey:
        """Return the key of the project record that is made of it."""
        return SourceKey(HUB, "project", "", self.id)

    def key_of(self, made: Made) -> SourceKey:
        """Return the key of the project or contract record that is made of it."""
        assert made != "customer", "a deal finds its client, or reserves it"
        return self.project_key if made == "project" else self.contract_key

    @property
    def entered_at(self) -> datetime:
        """Return when it reached its present state."""
        return self.since[self.progress.state]

    def age(self, at: datetime) -> timedelta:
        """Tell for how long it has been in its present state."""
        return at - self.entered_at

    def is_late(self, recipe: Recipe, at: datetime) -> bool:
        """Tell whether it stays in its state for longer than its recipe allows."""
        allowed = recipe.time_allowed.get(self.progress.state)
        return allowed is not None and self.age(at) > allowed


@dataclass(frozen=True, slots=True)
class StepTurn:
    """One thing that happened to a step of a deal: it was done, waits, failed or was taken back."""

    step: str
    turn: Literal["done", "waiting", "failed", "taken_back"]
    recorded_at: datetime
    who: str
    because: str = ""


@dataclass(frozen=True, slots=True)
class DealName:
    """What people call a deal: its contract, its client, its amount; "" for what is not known yet."""

    contract: str
    client: str
    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class DealFilter:
    """Which deals to list; None means any.

    older_than  in their present state for at least this long
    is_held_up  those that fail, are incomplete, failed for good or wait for what does not come by itself
    """

    state: DealState | None = None
    older_than: timedelta | None = None
    is_held_up: bool = False


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many deals are in a state, how many of them are held up, and since when the oldest is."""

    state: DealState
    count: int
    held_up: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepCount:
    """How many deals of a state stand at a step in one way; deals at their end stand at none."""

    state: DealState
    step: str
    standing: Standing
    count: int
