"""Values that pass between the stages of matching inside the hub."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matching.explain import Explanation
from mdm.decisions.model import Question
from mdm.entities.model import Reason
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
    """A record that may exist already, as somebody describes it; `source` says whose words its fields are."""

    fields: Mapping[str, Any]
    source: str = ""


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
class Clustered:
    """What the touched part should become, and the splits of established golden records that a steward should see.

    records  every record of the touched part, deleted ones too
    """

    plan: IdentityPlan
    records: frozenset[RecordId]
    splits: tuple[Question, ...]
