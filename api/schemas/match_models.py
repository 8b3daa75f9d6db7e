"""Shapes of rules as frozen versions: what holds, what a version is worth, what it would change."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.schemas.shape import Asked, Instant, Told

EntityTypeName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Version = Annotated[str, StringConstraints(pattern=r"^(declared|[0-9a-f]{4,16})$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class ModelVersionTold(Told):
    """A frozen match model."""

    version: str = Field(examples=["1bfd26afd4b0a1c2"])
    entity_type: str
    origin: Literal["declared", "decisions", "labels", "identifiers", "edited", "file"]
    reason: str
    made_from: str | None = None
    recorded_at: Instant
    who: str
    report: dict[str, Any] | None = Field(default=None, description="What training found out.")


class ChoiceVersionTold(Told):
    """A frozen choice of values: whose value survives."""

    version: str
    entity_type: str
    reason: str
    made_from: str | None = None
    recorded_at: Instant
    who: str


class RulesTold(Told):
    """Two versions; absent: as the files declare it."""

    model: str | None = None
    survivorship: str | None = None


class ActivationTold(Told):
    """Since when rules hold, by whom and why."""

    id: str
    number: int = Field(description="Grows by one with every activation of the hub.")
    entity_type: str
    rules: RulesTold
    reason: str
    forced: bool = Field(description="The sanity gate spoke against it.")
    refusals: list[str] = Field(description="What it said.")
    proposed_by: str | None = None
    recorded_at: Instant
    who: str


class ProposalTold(Told):
    """A change that waits for a second person, or did."""

    id: str
    entity_type: str
    rules: RulesTold
    reason: str
    refusals: list[str]
    state: Literal["waiting", "approved", "rejected", "withdrawn"]
    recorded_at: Instant
    who: str


class RematchTold(Told):
    """How far the records are brought to the rules that hold."""

    id: str
    activation: int
    state: Literal["running", "paused", "done", "superseded"]
    total: int
    done: int
    found: dict[str, int] = Field(description="What it changed so far.")


class RulesOfType(Told):
    """All that is to be seen of an entity type's rules."""

    entity_type: str
    declared: str = Field(description="Version of the model as declared.")
    holds: RulesTold
    models: list[ModelVersionTold]
    survivorship: list[ChoiceVersionTold]
    activations: list[ActivationTold]
    waiting: ProposalTold | None = None
    rematch: RematchTold | None = None


class LevelTold(Told):
    """What a level is worth."""

    label: str
    at_least: float
    bits: float


class ComparisonTold(Told):
    """How one feature is compared."""

    name: str
    feature: str
    comparator: str
    levels: list[LevelTold]


class ModelTold(Told):
    """A match model as it decides, and whose value survives beside it."""

    kept: ModelVersionTold | None = None
    entity_type: str
    version: str
    prior_bits: float
    review_bits: float
    match_bits: float
    population: int = Field(description="Records of which it knows what is common.")
    comparisons: list[ComparisonTold]
    yaml: str = Field(description="The whole declaration, to be kept as a file.")


class LevelChangeTold(Told):
    """A level that is worth something else."""

    comparison: str
    level: str
    before: float | None = None
    after: float | None = None


class DifferenceTold(Told):
    """What differs between two sets of rules."""

    before: str
    after: str
    lines: dict[str, tuple[float, float]]
    levels: list[LevelChangeTold]
    parts: list[str]
    values: dict[str, tuple[str, str]]


class RulesAsked(Asked):
    """Rules of one entity type; a part that is left out is as it holds, `declared` as the files say it."""

    entity_type: EntityTypeName
    model: Version | None = None
    survivorship: Version | None = None


class ActivationAsked(RulesAsked):
    """Rules that shall hold, and why."""

    reason: Reason
    force: bool = Field(default=False, description="Although the sanity gate refuses.")


class RollbackAsked(Asked):
    """Why the rules before shall hold again."""

    entity_type: EntityTypeName
    reason: Reason
    force: bool = False


class ActivatedTold(Told):
    """What became of it: it holds, or waits for a second person."""

    activation: ActivationTold | None = None
    waiting: ProposalTold | None = None
    rematch: RematchTold | None = None


class ExampleTold(Told):
    """Golden records that would change, and a name of each part."""

    golden_ids: list[str]
    names: list[str]


class TrialTold(Told):
    """What rules make of the hub's records; `share` of them was looked at, counts are of these."""

    share: float
    records: int
    golden_records: int
    largest: int
    matches: int
    possible_matches: int
    questions: int
    joined: int
    split: int
    joins: list[ExampleTold]
    splits: list[ExampleTold]


class ConsequencesTold(Told):
    """What the rules that hold make of the records, what others would, and what speaks against these."""

    before: TrialTold
    after: TrialTold
    reasons_against: list[str]
