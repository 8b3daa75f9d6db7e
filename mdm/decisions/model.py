"""Decisions, and the constraints they put on clustering: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from mdm.ids import DecisionId, EventId, GoldenId, OverrideId, RecordId

Pair = tuple[RecordId, RecordId]

Judgement = Literal["same", "different", "unsure", "related"]
Basis = Literal["steward", "source"]
Term = Literal["for_ever", "until_source_changes", "until"]

JUDGEMENTS: Final = ("same", "different", "unsure", "related")
RELATIONS: Final = ("parent_of", "sister_of", "acquired_by", "succeeded_by", "phase_of", "amendment_of", "renewal_of")
SYMMETRIC: Final = ("sister_of",)  # relations that read the same from both sides
# What a relation is called when read from its right side.
INVERSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "parent_of": "child_of",
        "sister_of": "sister_of",
        "acquired_by": "acquirer_of",
        "succeeded_by": "successor_of",
        "phase_of": "has_phase",
        "amendment_of": "amended_by",
        "renewal_of": "renewed_by",
    }
)
# What reads a relation from its right side → the relation itself; that of a symmetric one is none of them.
FORWARDS: Final[Mapping[str, str]] = MappingProxyType(
    {inverse: relation for relation, inverse in INVERSES.items() if inverse != relation}
)
# Relations that cannot lead back to where they began; that two firms bought each other, one after the other, they can.
ACYCLIC: Final = ("parent_of", "succeeded_by", "phase_of", "amendment_of", "renewal_of")


_PREDICATES: Final[Mapping[str, str]] = MappingProxyType(
    {"same": "is the same as", "different": "is different from", "unsure": "is perhaps the same as"}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody says of two records; `relation` belongs to `related`, which implies that they are different."""

    judgement: Judgement
    reason: str
    relation: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """Under which operation, when and in whose name facts are recorded; `basis` says who knows it."""

    at: datetime
    who: str
    event_id: EventId | None = None
    basis: Basis = "steward"


@dataclass(frozen=True, slots=True)
class Decision:
    """One judgement of two source records, by whom and why, until it is revoked.

    basis      who says so: a steward, or a source that merged or re-keyed its own records
    event_id   the operation that made it
    operation  the kind of that operation, "" where it was made for these two records alone
    """

    id: DecisionId
    entity_type: str
    left_id: RecordId
    right_id: RecordId
    verdict: Verdict
    who: str
    recorded_at: datetime
    revoked_at: datetime | None = None
    left_key: str = ""
    right_key: str = ""
    basis: Basis = "steward"
    event_id: EventId | None = None
    operation: str = ""

    @property
    def joins(self) -> bool:
        """Tell whether the two records must be in one golden record."""
        return self.verdict.judgement == "same"

    @property
    def pair(self) -> tuple[RecordId, RecordId]:
        """Return the two records it binds."""
        return self.left_id, self.right_id

    def __str__(self) -> str:
        """Say the decision in one line."""
        left, right = self.left_key or self.left_id, self.right_key or self.right_id
        predicate = _PREDICATES.get(self.verdict.judgement, f"is {self.verdict.relation}")
        return f"{left} {predicate} {right} ({self.id}, {self.who})"


@dataclass(frozen=True, slots=True)
class RelatedPair:
    """A `related` decision with the golden records that its two records belong to now."""

    decision: Decision
    left_golden_id: GoldenId
    right_golden_id: GoldenId

    def holds_at(self, day: date) -> bool:
        """Tell whether it is valid on a day; the last day counts."""
        verdict = self.decision.verdict
        begun = verdict.valid_from is None or verdict.valid_from <= day
        return begun and (verdict.valid_to is None or day <= verdict.valid_to)


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of a golden record, read from its side: `relation` is what it is to the other.

    decision  the latest that says so
    also      earlier ones that say the very same of other records of the two
    state     in_force, or superseded by a later one that says something else of the same two for the same days
    """

    decision: Decision
    relation: str
    golden_id: GoldenId
    own_key: str
    other_key: str
    state: Literal["in_force", "superseded"]
    also: tuple[DecisionId, ...] = ()


@dataclass(frozen=True, slots=True)
class Constraints:
    """What active decisions ask of clustering, as pairs of records."""

    musts: tuple[tuple[RecordId, RecordId], ...]
    conflicts: tuple[tuple[RecordId, RecordId], ...]


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long an override holds; `until`, for the term of that name, is the first instant at which it does not."""

    term: Term = "for_ever"
    until: datetime | None = None


FOR_EVER: Final = Lasting()


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why something is overridden, and for how long."""

    reason: str
    lasting: Lasting = FOR_EVER


@dataclass(frozen=True, slots=True)
class StoredOverride:
    """A steward's own value for one attribute as it stands in the database, until it ends; it is never changed.

    record_id   the anchor: the source record that it follows through merge, split and move
    value       None blanks the attribute
    masked      fingerprint of what the anchor held when it was made
    golden_id   what the anchor belongs to now, or belonged to last
    is_at_rest  the anchor is out of the hub at present, deleted or withdrawn; it holds again when that returns
    """

    id: OverrideId
    record_id: RecordId
    attribute: str
    value: Any
    lasting: Lasting
    masked: str | None
    reason: str
    recorded_at: datetime
    who: str
    event_id: EventId | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_event_id: EventId | None = None
    record_key: str = ""
    entity_type: str = ""
    golden_id: GoldenId | None = None
    is_at_rest: bool = False
