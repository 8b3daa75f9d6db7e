"""Decisions, the constraints they put on clustering, and reviews: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from mdm.ids import DecisionId, EventId, RecordId, ReviewId

Pair = tuple[RecordId, RecordId]

Judgement = Literal["same", "different", "unsure", "related"]
Basis = Literal["steward", "source"]
ReviewKind = Literal["possible_match", "join", "split", "unsure"]

JUDGEMENTS: Final = ("same", "different", "unsure", "related")
RELATIONS: Final = ("parent_of", "sister_of", "acquired_by", "succeeded_by", "phase_of", "amendment_of", "renewal_of")
SYMMETRIC: Final = ("sister_of",)  # relations that read the same from both sides


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
class Constraints:
    """What active decisions ask of clustering, as pairs of records."""

    musts: tuple[tuple[RecordId, RecordId], ...]
    conflicts: tuple[tuple[RecordId, RecordId], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Something a steward should answer; the strongest pair of records stands for it."""

    kind: ReviewKind
    left_id: RecordId
    right_id: RecordId
    bits: float
    subject: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Review:
    """A question in the queue."""

    id: ReviewId
    entity_type: str
    kind: ReviewKind
    left_key: str
    right_key: str
    left_golden_id: str | None
    right_golden_id: str | None
    bits: float
    state: Literal["open", "closed"]
    subject: Mapping[str, Any]
    recorded_at: datetime
    closed_at: datetime | None
    closed_because: str | None
