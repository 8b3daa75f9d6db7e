"""Values that pass between the stages of matching inside the hub."""

from dataclasses import dataclass

from mdm.decisions.model import Question
from mdm.identity.model import IdentityPlan
from mdm.ids import RecordId


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
class Clustered:
    """What the touched part should become, and the splits of established golden records that a steward should see.

    records  every active record of the touched part
    """

    plan: IdentityPlan
    records: frozenset[RecordId]
    splits: tuple[Question, ...]
