"""The shape of an entity declaration and of a code list, as Pydantic reads them from YAML.

The JSON Schema of the same models (`entity_schema`) completes and checks the file in an editor. What a shape cannot
say, that every name used is declared, stands in crosscheck.py.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mdm.entities.model import Operator, Policy, ReviewKind, SemanticType, Severity, Strategy, ValidationKind
from mdm.entities.patterns import ID_PATTERN, ID_PREFIX_PATTERN, NAME_PATTERN, WHOM_PATTERN

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A key in YAML, JSON and SQL: snake_case, at most 63 characters (PostgreSQL's bound of an identifier)."""
IdPrefix = Annotated[str, StringConstraints(pattern=ID_PREFIX_PATTERN)]
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
"""Names a target or a source instance, also in addresses and file names: hyphens, at most 63 characters."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Bits = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Part(BaseModel):
    """Refuse unknown keys everywhere: a misspelt key that is ignored is the worst fault of all."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SurvivorshipDeclaration(Part):
    """Whose value becomes the golden one."""

    strategy: Strategy = "source_priority"
    sources: list[Text] = Field(
        [],
        description="for source_priority, best first: an instance id, its beginning up to a hyphen, or its system",
    )
    fallback: list[Strategy] = []
    options: dict[str, Any] = {}


class ReferenceDeclaration(Part):
    """What an attribute of type reference points to."""

    entity: Name
    object: Text | None = Field(
        None, description="the object in the source that a bare native id belongs to, as Account"
    )


class AttributeDeclaration(Part):
    """One attribute that the hub masters."""

    title: Text
    type: SemanticType = "text"
    is_list: bool = Field(default=False, alias="list", description="holds several values; a text is cut at ; and |")
    element_key: Name | None = Field(None, description="for type element: the field that tells elements apart")
    code_list: Name | None = None
    reference: ReferenceDeclaration | None = None
    columns: list[Text] = Field(
        [], description="names under which sources deliver it, preferred first; case and punctuation do not count"
    )
    composed_of: list[Name] = Field([], description="single attributes that make it up where a source delivers none")
    survivorship: SurvivorshipDeclaration | None = None
    weight: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.0


class GroupDeclaration(Part):
    """Attributes that move together."""

    attributes: Annotated[list[Name], Field(min_length=2)]
    prefixes: list[str] = Field(
        [""], description="beginnings of column names, preferred first; one row fills the group from one of them"
    )
    survivorship: SurvivorshipDeclaration = SurvivorshipDeclaration()


class ConditionDeclaration(Part):
    """When a validation applies."""

    attribute: Name
    values: list[Text] = Field([], description="left out: the attribute has any value")


class ValidationDeclaration(Part):
    """One rule that a record must keep."""

    name: Name
    kind: ValidationKind
    attributes: Annotated[list[Name], Field(min_length=1)]
    severity: Severity = "warn"
    message: Text
    remedy: Text
    when: ConditionDeclaration | None = None
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=300)] | None = None
    values: list[Text] = []
    operator: Operator | None = None


class FeatureDeclaration(Part):
    """A compare form made from attributes."""

    form: Name
    attributes: Annotated[list[Text], Field(min_length=1)]
    country_from: list[Text] = []


class BlockingDeclaration(Part):
    """Which records are looked at together: those that agree in every part of the key."""

    name: Name
    key: Annotated[list[Text], Field(min_length=1, max_length=4)] = Field(
        description="features, each with an optional |transform, as name|first:4"
    )
    size_max: Annotated[int, Field(ge=2, le=10_000)] | None = Field(
        default=None, description="records that may share a key before it is split by other keys; else block_size_max"
    )


class LevelDeclaration(Part):
    """What a similarity of at least `at_least` is worth, in bits: log2(m / u)."""

    label: Name
    at_least: Share
    bits: Bits


class ComparisonDeclaration(Part):
    """How one feature is compared, levels best first, the last with at_least 0."""

    name: Name
    feature: Name
    comparator: Name
    term_frequency: bool = False
    levels: Annotated[list[LevelDeclaration], Field(min_length=2)]


class RuleDeclaration(Part):
    """A verdict that stands whatever the bits add up to."""

    name: Name
    verdict: Literal["match", "possible_match", "non_match"]
    when: Annotated[dict[Name, Name], Field(min_length=1)]
    unless: dict[Name, Name] = {}
    bound: Literal["at_least", "at_most"] = "at_least"


class VetoDeclaration(Part):
    """Two records with different valid values of one scope are never joined, or not along a chain of others."""

    name: Name
    feature: Name
    reach: Literal["pair", "chain"] = Field(
        "pair",
        description="pair: never. chain: not through records that leave the value open; a match of two is one",
    )


class MatchingDeclaration(Part):
    """How records of this type are matched. Weights and lines are in bits. What is left out follows from the types."""

    features: Annotated[dict[Name, FeatureDeclaration], Field(min_length=1)]
    blocking: Annotated[list[BlockingDeclaration], Field(min_length=1)]
    comparisons: Annotated[list[ComparisonDeclaration], Field(min_length=1)]
    rules: list[RuleDeclaration] = []
    vetoes: list[VetoDeclaration] = []
    prior_bits: Bits = Field(description="log2 of the odds that two records of one block are the same")
    match_bits: Bits
    review_bits: Bits
    block_size_max: Annotated[int, Field(ge=2, le=10_000)] = 100


class ReviewGuardsDeclaration(Part):
    """Which golden records a steward should see although matching is content. What is left out asks nothing."""

    bridge_bits: Bits | None = Field(
        None, description="two groups of records that one edge of fewer bits than this holds together"
    )
    decay_bits: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)] | None = Field(
        None, description="a member whose strongest edge lost this many bits, or is gone"
    )
    records_max: Annotated[int, Field(ge=2)] | None = Field(
        None, description="a golden record with more members than this"
    )


class ReviewRouteDeclaration(Part):
    """Whom a new review goes to. Every condition given must hold, `sources` and `when` of the same record."""

    to: Annotated[str, StringConstraints(pattern=WHOM_PATTERN)] = Field(
        description="a person as the hub names them, or group:NAME"
    )
    kinds: list[ReviewKind] = []
    sources: list[Text] = Field([], description="instance ids, their beginnings up to a hyphen, or systems")
    when: ConditionDeclaration | None = None


class ReviewDueDeclaration(Part):
    """Within how many days a new review should be answered."""

    days: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
    kinds: list[ReviewKind] = []
    stake_min: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class ReviewApprovalDeclaration(Part):
    """Which answers wait for a second person. What is left out never does."""

    established: bool = Field(default=False, description="`same` on two established golden records")
    published_keys: Annotated[int, Field(ge=1)] | None = Field(
        None, description="any answer about golden records with at least this many published keys"
    )
    bulk: Annotated[int, Field(ge=1)] | None = Field(None, description="more than this many answers at once")
    rules: bool = Field(default=False, description="a change of the match model or of whose value survives")


class ReviewsDeclaration(Part):
    """What stewards are asked, who answers, until when. The first route and the first due rule that fit count."""

    guards: ReviewGuardsDeclaration = ReviewGuardsDeclaration()
    routes: Annotated[list[ReviewRouteDeclaration], Field(max_length=100)] = []
    due: Annotated[list[ReviewDueDeclaration], Field(max_length=100)] = []
    approval: ReviewApprovalDeclaration = ReviewApprovalDeclaration()


_NEEDED_WHEN_WRITTEN: dict[str, list[str]] = {
    "MatchingDeclaration": [],
    "FeatureDeclaration": [],
    "BlockingDeclaration": ["name"],
    "ComparisonDeclaration": ["name"],
    "RuleDeclaration": ["name"],
    "VetoDeclaration": ["name"],
}
"""Keys that a written part needs; the others may come from the derived part of the same name."""


class EntityDeclaration(Part):
    """One entity type."""

    entity: Name
    title: Text
    id_prefix: IdPrefix
    policy: Policy = Field(
        "hold", description="hold: established golden records are joined by a steward only; merge: by the model"
    )
    merge_bits: Bits | None = Field(None, description="for policy merge: a line of its own, above match_bits")
    within: Name | None = Field(
        None, description="reference attribute: records are matched inside this golden parent only"
    )
    attributes: Annotated[dict[Name, AttributeDeclaration], Field(min_length=1)]
    groups: dict[Name, GroupDeclaration] = {}
    validations: list[ValidationDeclaration] = []
    matching: MatchingDeclaration
    reviews: ReviewsDeclaration = ReviewsDeclaration()


class CodeDeclaration(Part):
    """One code and the words that mean it in any source."""

    title: Text
    synonyms: list[Text] = []


class CodeListDeclaration(Part):
    """A code list. A file of the same name in a folder of your own adds to the built-in one."""

    code_list: Name
    title: Text
    form: Name | None = Field(None, description="compare form that knows the words already, as country or currency")
    codes: dict[Text, CodeDeclaration] = {}
    by_source: dict[Text, dict[Text, Text | None]] = Field(
        {},
        description="source instance (or its beginning up to a hyphen, or its system) → its word → code, or nothing",
    )


def entity_schema() -> dict[str, Any]:
    """Give the JSON Schema of what people write: the hub derives what a matching section leaves out (overlay.py)."""
    shape = EntityDeclaration.model_json_schema()
    shape["required"].remove("matching")
    for part, kept in _NEEDED_WHEN_WRITTEN.items():
        shape["$defs"][part]["required"] = kept
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape}


def code_list_schema() -> dict[str, Any]:
    """Give the JSON Schema of a code list."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **CodeListDeclaration.model_json_schema()}
