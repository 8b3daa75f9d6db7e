"""Reviews as plain values: the question, its place in the queue, who works on it, and the answers it got."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from mdm.decisions.model import Verdict
from mdm.entities.model import ReviewKind
from mdm.ids import AnswerId, EventId, RecordId, ReviewId

ReviewState = Literal["open", "closed"]
AnswerState = Literal["proposed", "carried_out", "rejected", "lapsed", "undone"]
ReviewEventKind = Literal["review.opened", "review.decided", "review.closed"]
Ranking = Literal["useful", "oldest", "riskiest"]
Place = tuple[float | datetime, str]
"""Where a review stands in a ranking: its value there, and its id."""
QuestionKey = tuple[ReviewKind, RecordId, RecordId]

RANKINGS: Final[tuple[Ranking, ...]] = get_args(Ranking)
REVIEW_KINDS: Final[tuple[ReviewKind, ...]] = get_args(ReviewKind)
HOLDING: Final[frozenset[ReviewKind]] = frozenset(
    {"split", "weak_bridge", "decay", "large_cluster", "duplicates_in_source", "flip_flop"}
)
"""Kinds that ask whether one golden record is one; all others ask whether two are."""
GUARDS: Final[frozenset[ReviewKind]] = frozenset(
    {"weak_bridge", "decay", "large_cluster", "duplicates_in_source", "flip_flop"}
)
"""Kinds that come from looking at whole clusters; they only ask, clustering does not obey them."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something a steward should answer; the strongest pair of records stands for it."""

    kind: ReviewKind
    left_id: RecordId
    right_id: RecordId
    bits: float
    subject: Mapping[str, Any]

    @property
    def key(self) -> QuestionKey:
        """Return what tells it from other questions: its kind and the two records, the smaller id first."""
        return self.kind, min(self.left_id, self.right_id), max(self.left_id, self.right_id)


@dataclass(frozen=True, slots=True)
class OpenReview:
    """What a question that is open already says."""

    id: ReviewId
    bits: float
    subject: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Weight:
    """What hangs on the golden records of a question.

    members    active source records
    published  keys that a target took under their golden ids
    children   golden records of other types that point at them: projects and contracts of a client
    systems    source instances that hold a member
    """

    members: int = 0
    published: int = 0
    children: int = 0
    systems: int = 0

    @property
    def size(self) -> int:
        """Add it all up: a published key counts twice, since another system relies on it, a child three times."""
        return self.members + 2 * self.published + 3 * self.children + 2 * self.systems


@dataclass(frozen=True, slots=True)
class Review:
    """A question in the queue.

    stake          what is expected to stay wrong while nobody answers (see `stake`)
    claimed_by     who works on it until `claimed_until`; None also when that is past
    answer_id      the answer that waits for a second person
    left_version   version of the golden record of the left record, and so on
    usefulness     what an answer is worth: how uncertain it is (4·p·(1 − p), 1 at even odds), times the size of what
                   hangs on it; worked out by the database, which orders by it
    """

    id: ReviewId
    entity_type: str
    kind: ReviewKind
    left_id: RecordId
    right_id: RecordId
    left_key: str
    right_key: str
    left_golden_id: str | None
    right_golden_id: str | None
    left_version: int | None
    right_version: int | None
    bits: float
    stake: float
    state: ReviewState
    subject: Mapping[str, Any]
    recorded_at: datetime
    due_at: datetime | None
    assignee: str | None
    claimed_by: str | None
    claimed_until: datetime | None
    answer_id: AnswerId | None
    closed_at: datetime | None
    closed_because: str | None
    usefulness: float = 0.0

    def place_in(self, ranking: Ranking) -> Place:
        """Return where it stands in a ranking, for the next page to begin after."""
        if ranking == "oldest":
            return self.recorded_at, self.id
        return self.usefulness if ranking == "useful" else self.stake, self.id

    @property
    def pair(self) -> tuple[RecordId, RecordId]:
        """Return the two records that stand for the question."""
        return self.left_id, self.right_id

    @property
    def versions(self) -> dict[str, int]:
        """Return the golden records of its two records with their versions: what an answer expects."""
        sides = ((self.left_golden_id, self.left_version), (self.right_golden_id, self.right_version))
        return {golden_id: version for golden_id, version in sides if golden_id is not None and version is not None}


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews to list, count or answer together; None and empty mean any.

    bits, stake   from, up to and including
    source        a source instance of either record
    due_before    due at this instant or earlier
    is_waiting    True: an answer waits for a second person
    free_for      claimed by nobody, or by this person
    """

    entity_types: tuple[str, ...] = ()
    kinds: tuple[ReviewKind, ...] = ()
    state: ReviewState = "open"
    assignee: str | None = None
    claimed_by: str | None = None
    source: str | None = None
    due_before: datetime | None = None
    bits: tuple[float | None, float | None] = (None, None)
    stake: tuple[float | None, float | None] = (None, None)
    is_waiting: bool | None = None
    free_for: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said about a review; text by people, shown as text."""

    id: str
    review_id: ReviewId
    comment: str
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered, and what became of it.

    bulk_id    answers given together
    expected   golden id: version, as they were when the answer was given
    event_id   the operation that carried it out
    """

    id: AnswerId
    review_id: ReviewId
    entity_type: str
    bulk_id: str | None
    verdict: Verdict
    expected: Mapping[str, int]
    state: AnswerState
    recorded_at: datetime
    who: str
    settled_at: datetime | None = None
    settled_by: str | None = None
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class ReviewChange:
    """Something the change feed tells of a review: ids and words of the hub, nothing readable from a record."""

    kind: ReviewEventKind
    review_id: ReviewId
    entity_type: str
    details: Mapping[str, Any]


AgeName = Literal["day", "week", "month", "older"]


@dataclass(frozen=True, slots=True)
class ReviewCount:
    """How many open reviews of a kind there are, of an age and in all states of work."""

    entity_type: str
    kind: ReviewKind
    age: AgeName
    count: int
    overdue: int
    claimed: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for one person.

    assigned    open reviews that are theirs or their groups'
    due_today   of those and of the claimed ones, due until the end of the day in UTC; overdue ones not counted
    to_approve  answers of others that wait for a second person
    """

    assigned: int
    claimed: int
    due_today: int
    overdue: int
    to_approve: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a steward answers: answers of the last thirty days, and the median seconds from claim to answer."""

    answers: int
    timed: int
    seconds_median: float | None


def stake(kind: ReviewKind, bits: float, weight: Weight) -> float:
    """Return what is expected to stay wrong while nobody answers: the size of what hangs on it, times the odds.

    A question whether two golden records are one costs its size where they are one; one whether a golden record is one
    costs it where it is not. The bits of the pair say how likely that is; 0 bits, where no pair was compared, are one
    in two. Rounded to thousandths, so that it reads the same everywhere.
    """
    same = 1.0 / (1.0 + math.exp2(-max(-40.0, min(40.0, bits))))
    return round(weight.size * ((1.0 - same) if kind in HOLDING else same), 3)
