"""Entity types as plain frozen values.

An entity type says which attributes the hub masters, how a source's columns reach them, which rules a record must
keep, how its records are matched and whose value survives. All of it comes from one YAML file; nothing here knows
YAML, files or a database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

from matching.model import MatchModel

Severity: TypeAlias = Literal["reject", "warn", "hold_publishing"]
Policy: TypeAlias = Literal["hold", "merge"]
SemanticType: TypeAlias = Literal[
    "text",
    "company_name",
    "person_name",
    "tax_id",
    "identifier",
    "phone",
    "email",
    "url",
    "date",
    "number",
    "boolean",
    "code",
    "reference",
    "element",
]
Strategy: TypeAlias = Literal[
    "source_priority",
    "most_recent",
    "most_complete",
    "most_frequent",
    "longest",
    "min",
    "max",
    "union",
    "verified_first",
    "trust",
    "same_winner_as",
]
ValidationKind: TypeAlias = Literal["required", "required_when", "pattern", "one_of", "cross_field"]
ReviewKind: TypeAlias = Literal[
    "possible_match",
    "join",
    "split",
    "unsure",
    "weak_bridge",
    "several_hits",
    "contradiction",
    "decay",
    "large_cluster",
    "duplicates_in_source",
    "flip_flop",
]
Operator: TypeAlias = Literal["<=", "<", ">=", ">", "==", "!="]


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reason:
    """Say why a delivered field is not taken as it came, and what the sender can do."""

    field: str
    code: str
    message: str
    remedy: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Reference:
    """Point to a record of another entity type; `object` is the source's object that a bare native id belongs to."""

    entity_type: str
    object: str | None = None


@dataclass(frozen=True, slots=True)
class SurvivorshipRule:
    """Choose the golden value of an attribute among what the members contribute.

    sources   for source_priority, best first; what a name covers, `Origin.is_of` tells
    fallback  strategies that run in turn while no single winner stands
    options   what the strategy needs beyond that (trust per source, its decay, a condition)
    """

    strategy: Strategy
    sources: tuple[str, ...] = ()
    fallback: tuple[Strategy, ...] = ()
    options: Mapping[str, Any] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class CodeList:
    """Hold the codes that an attribute may take and the words that sources use for them.

    Keys of `synonyms` and of the inner mappings of `by_source` are folded (see `code_lists.fold`). What a key of
    `by_source` covers, `Origin.is_of` tells. A word translated to "" says nothing.

    form  compare form of matching that reads all other words, as `country`; the codes are what it gives, in capitals
    """

    name: str
    title: str
    codes: Mapping[str, str]
    synonyms: Mapping[str, str] = field(default_factory=_nothing)
    by_source: Mapping[str, Mapping[str, str]] = field(default_factory=_nothing)
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """Describe one attribute that the hub masters.

    element_key  for a list of structures: the field that tells elements apart, as `kind` of addresses
    columns      names under which sources deliver it, preferred first
    composed_of  single attributes that make it up, joined by a blank, where a source delivers none
    weight       share in the completeness of a record; 0 leaves it out
    """

    name: str
    title: str
    semantic_type: SemanticType
    is_list: bool
    element_key: str | None
    code_list: str | None
    reference: Reference | None
    columns: tuple[str, ...]
    group: str | None
    survivorship: SurvivorshipRule
    weight: float
    composed_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """Hold when `attribute` has one of `values`, or any value at all when none are named."""

    attribute: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """State one rule that a record must keep.

    attributes  those it looks at: any one filled satisfies `required`, each value must satisfy `pattern` and `one_of`
    operator    for cross_field: attributes[0] operator attributes[1], checked when both are present
    """

    name: str
    kind: ValidationKind
    severity: Severity
    attributes: tuple[str, ...]
    message: str
    remedy: str
    when: Condition | None = None
    pattern: str | None = None
    values: tuple[str, ...] = ()
    operator: Operator | None = None


@dataclass(frozen=True, slots=True)
class ReviewGuards:
    """Say which golden records a steward should see although matching is content; None asks nothing.

    bridge_bits  two groups of records that one edge alone holds together, when it has fewer bits than this
    decay_bits   a member whose strongest edge lost this many bits, or is gone
    records_max  a golden record with more members than this
    """

    bridge_bits: float | None = None
    decay_bits: float | None = None
    records_max: int | None = None


@dataclass(frozen=True, slots=True)
class ReviewRoute:
    """Assign a new review; every condition that is given must hold, `sources` and `when` of one record."""

    to: str
    kinds: tuple[ReviewKind, ...] = ()
    sources: tuple[str, ...] = ()
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """Say within how many days a review should be answered."""

    days: float
    kinds: tuple[ReviewKind, ...] = ()
    stake_min: float = 0.0


@dataclass(frozen=True, slots=True)
class ReviewApproval:
    """Say which answers wait for a second person; None means none.

    established     `same` on two established golden records
    published_keys  any answer about golden records with at least this many published keys
    bulk            more than this many answers at once
    rules           a change of the rules themselves
    """

    established: bool = False
    published_keys: int | None = None
    bulk: int | None = None
    rules: bool = False


@dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """Hold what an entity type declares about its reviews; the first route and the first due rule that fit count."""

    guards: ReviewGuards = ReviewGuards()
    routes: tuple[ReviewRoute, ...] = ()
    due: tuple[ReviewDue, ...] = ()
    approval: ReviewApproval = ReviewApproval()


@dataclass(frozen=True)
class EntityType:
    """Hold everything declared about one entity type.

    within      reference attribute that gives the context: such records are matched inside their golden parent only
    groups      group → attributes that move together, so that no golden address is stitched from two sources
    prefixes    group → column prefixes, preferred first: a row's group is read from one family of columns
    code_lists  those that the attributes name
    version     hash of the declaration and its code lists, without `reviews`, on which no value and no match depends
    """

    name: str
    title: str
    id_prefix: str
    policy: Policy
    merge_bits: float | None
    within: str | None
    attributes: Mapping[str, Attribute]
    groups: Mapping[str, tuple[str, ...]]
    validations: tuple[Validation, ...]
    model: MatchModel
    version: str
    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=_nothing)
    code_lists: Mapping[str, CodeList] = field(default_factory=_nothing)
    reviews: ReviewPolicy = ReviewPolicy()

    @property
    def points_at(self) -> frozenset[str]:
        """Name the entity types that its attributes refer to."""
        references = (attribute.reference for attribute in self.attributes.values())
        return frozenset(reference.entity_type for reference in references if reference is not None)

    def moving_with(self, attribute: str) -> tuple[str, ...]:
        """Name the attributes that move together with this one, itself among them."""
        group = self.attributes[attribute].group
        return (attribute,) if group is None else self.groups[group]

    def name_of(self, values: Mapping[str, Any]) -> str:
        """Give what people recognise a record by: the first value of the model's first feature, else of a name."""
        features = self.model.features
        told = [*features[:1], *(feature for feature in features[1:] if feature.form.endswith("_name"))]
        named = [name for feature in told for name in feature.attributes]
        found = next((values[name] for name in named if values.get(name)), "")
        return str(found[0] if isinstance(found, list) else found)

    def __hash__(self) -> int:
        """Hash by name and version, so that an entity type can key a cache."""
        return hash((self.name, self.version))


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """Hold one delivered row in the hub's words.

    values      attribute → text, list of texts, list of {field: text}; dates ISO, numbers plain, never "" or None
    undeclared  columns that no attribute claims and values that could not be read, as delivered
    faults      what is wrong with it, in the order of the declaration
    """

    values: Mapping[str, Any]
    undeclared: Mapping[str, Any]
    faults: tuple[Reason, ...] = ()

    @property
    def is_rejected(self) -> bool:
        """Tell whether a fault keeps the record out."""
        return any(fault.severity == "reject" for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record comes from: a source instance, and the system that it is registered as an installation of."""

    instance: str = ""
    system: str = ""

    def is_of(self, source: str) -> bool:
        """Tell whether a source named in a declaration means this instance.

        `netsuite` means netsuite, netsuite-us, and whatever is registered as an installation of netsuite; so does
        `NetSuite`, since ids and systems are lower case.
        """
        return _names(source, self.instance) or _names(source, self.system)

    def closest(self, sources: Iterable[str]) -> list[str]:
        """List those of these sources that mean this instance, the closest first.

        A name of the instance is closer than one of its system, and a longer name closer than a shorter one.
        """
        named = filter(self.is_of, sources)
        return sorted(named, key=lambda source: (_names(source, self.instance), len(source)), reverse=True)


NOWHERE: Final = Origin()
"""Of what no source delivered."""


def _names(source: str, name: str) -> bool:
    folded = source.lower()
    return name == folded or name.startswith(f"{folded}-")
