"""Values of changes of rules: versions, activations, what waits for a second person, and the work that follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal

Origin = Literal["declared", "decisions", "labels", "identifiers", "edited", "file"]
ProposalState = Literal["waiting", "approved", "rejected", "withdrawn"]
RematchState = Literal["running", "paused", "done", "superseded"]

DECLARED: Final = "declared"
"""In place of a version: as the YAML files declare it, also when they change."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A frozen match model: its name, how it came about, by whom and why.

    made_from  version that it was learnt or edited from
    report     what training found out, None where nothing was trained
    """

    version: str
    entity_type: str
    origin: Origin
    reason: str
    made_from: str | None
    recorded_at: datetime
    who: str
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a version about to be kept came about, and why."""

    origin: Origin
    reason: str
    made_from: str | None = None
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ChoiceVersion:
    """A frozen choice of values: whose value survives for each attribute."""

    version: str
    entity_type: str
    reason: str
    made_from: str | None
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The two parts of an entity type's rules by version; None: as declared."""

    model: str | None
    survivorship: str | None


@dataclass(frozen=True, slots=True)
class Activation:
    """Since when rules hold, by whom and why.

    refusals     what spoke against it when it was forced
    proposed_by  who asked for it, where a second person approved
    """

    id: str
    number: int
    entity_type: str
    rules: Pair
    reason: str
    is_forced: bool
    refusals: tuple[str, ...]
    proposed_by: str | None
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of rules that waits for a second person, or did."""

    id: str
    entity_type: str
    rules: Pair
    reason: str
    is_forced: bool
    refusals: tuple[str, ...]
    state: ProposalState
    recorded_at: datetime
    who: str
    settled_at: datetime | None = None
    settled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Rematch:
    """The work of bringing all records of an entity type to the rules of an activation.

    position  id of the last record that is done with
    found     what it changed so far: records moved, golden records made, forwarded, restored, reviews opened, closed
    """

    id: str
    entity_type: str
    activation: int
    state: RematchState
    position: str
    total: int
    done: int
    found: Mapping[str, int]
    recorded_at: datetime
    who: str
    ended_at: datetime | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """All that is to be seen of an entity type's rules.

    holds      the versions in force; None: as declared
    declared   version of the model as declared
    """

    entity_type: str
    declared: str
    holds: Pair
    models: tuple[ModelVersion, ...]
    choices: tuple[ChoiceVersion, ...]
    activations: tuple[Activation, ...]
    waiting: Proposal | None
    rematch: Rematch | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants activated, and why. None leaves a part as it holds, DECLARED takes it from the files.

    is_forced  whether they take it upon themselves that the sanity gate refuses it
    """

    model: str | None = None
    survivorship: str | None = None
    reason: str = ""
    is_forced: bool = False


@dataclass(frozen=True, slots=True)
class Activated:
    """What became of it: it holds, or it waits for a second person.

    said  what spoke against it, where it was forced
    """

    activation: Activation | None
    waiting: Proposal | None
    rematch: Rematch | None
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelChange:
    """What a level is worth in two models; None where one of them does not have it."""

    comparison: str
    level: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two sets of rules, by what it is.

    lines   name → (before, after): prior, review line, match line, block size, records of the population
    levels  those that are worth something else
    parts   features, blocking rules, comparisons, rules, vetoes that only one of them has or that read otherwise
    values  attribute or group → (before, after): whose value survives
    """

    before: str
    after: str
    lines: Mapping[str, tuple[float, float]]
    levels: tuple[LevelChange, ...]
    parts: tuple[str, ...]
    values: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_empty(self) -> bool:
        """Tell whether the two are the same."""
        return not (self.lines or self.levels or self.parts or self.values)
