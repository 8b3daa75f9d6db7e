"""Values that pass between the stages of matching inside the hub."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from matching.explain import Explanation
from mdm.decisions.review_model import Question
from mdm.entities.model import NOWHERE, Origin, Reason
from mdm.identity.model import IdentityPlan
from mdm.ids import GoldenId, RecordId
from mdm.sources.model import SourceKey


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far one transaction may reach (see the settings of the same names)."""

    locks_max: int
    block_size_emergency: int
    component_records_max: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """Candidate pairs of changed records, smaller id first, and the records whose blocks are too large for now."""

    pairs: tuple[tuple[RecordId, RecordId], ...]
    deferred: frozenset[RecordId]


@dataclass(frozen=True, slots=True)
class Edge:
    """Two records that match, or may: verdict 1 possible_match, 2 match; a vetoed edge never joins."""

    left_id: RecordId
    right_id: RecordId
    bits: float
    verdict: int
    is_vetoed: bool


@dataclass(frozen=True, slots=True)
class Sought:
    """A record that may exist already, as somebody describes it; its origin says whose words these are."""

    fields: Mapping[str, Any]
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A golden record that a description may mean.

    key          the member that agrees best
    explanation  why: bits of each comparison, which add up, and whether a veto stands against joining
    """

    golden_id: GoldenId
    key: SourceKey
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found: candidates best first, the faults of the description, the fields that no attribute claims.

    is_complete  False when a block was too large to look through, so that others may exist
    """

    candidates: tuple[Candidate, ...]
    faults: tuple[Reason, ...]
    undeclared: tuple[str, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Decided:
    """What deciding about changed records touched.

    touched   records at the other end of an edge that was or is
    weakened  edges that joined and do no more, or with fewer bits, as they were
    """

    touched: frozenset[RecordId]
    weakened: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What clustering read and decided of the touched part, for those who look at whole golden records.

    groups          members of each golden record, as they are from now on
    established     those of the groups that were established
    edges           edges that join
    musts           pairs decided to be the same
    split           parts of established groups that no longer hold together
    duplicate_free  record → its source, for sources that promised to hold each thing once
    is_whole        False: the part was cut off at a bound, and says nothing about whole golden records
    """

    groups: tuple[frozenset[RecordId], ...] = ()
    established: frozenset[frozenset[RecordId]] = frozenset()
    edges: tuple[Edge, ...] = ()
    musts: tuple[tuple[RecordId, RecordId], ...] = ()
    split: tuple[frozenset[RecordId], ...] = ()
    duplicate_free: Mapping[RecordId, str] = field(default_factory=dict)
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Clustered:
    """What the touched part should become, and the splits of established golden records that a steward should see.

    records  every record of the touched part, deleted ones too
    """

    plan: IdentityPlan
    records: frozenset[RecordId]
    splits: tuple[Question, ...]
    scene: Scene
