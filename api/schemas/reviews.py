"""Shapes of questions to stewards, and of the work on them."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from api.schemas.decisions import Judgement, Relation
from api.schemas.shape import Asked, Instant, Told
from mdm.entities.model import ReviewKind
from mdm.stewardship.card_consequences import RiskKind

ReviewIdText = Annotated[str, StringConstraints(min_length=1, max_length=60)]
GoldenVersions = Annotated[
    dict[Annotated[str, StringConstraints(max_length=60)], Annotated[int, Field(ge=0)]], Field(max_length=4)
]
RiskMarks = Annotated[tuple[Annotated[str, StringConstraints(max_length=100)], ...], Field(max_length=50)]
_SEEN: Final = (
    "Marks of the risks of a merge that were seen: `same` with a risk that is not among them is refused as"
    " `risk_unconfirmed`, which names it."
)


class ReviewTold(Told):
    """A question: are these two the same, or is this one one. The strongest pair of records stands for it."""

    id: str = Field(examples=["rev_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    entity_type: str = Field(examples=["customer"])
    kind: ReviewKind
    state: Literal["open", "closed"]
    left: str = Field(description="Source key as printed.", examples=["salesforce-emea/Account:0015g00000AbCdEAAV"])
    right: str = Field(examples=["netsuite-us/customer:10482"])
    left_golden_id: str | None = None
    right_golden_id: str | None = None
    expected: dict[str, int] = Field(
        description="Golden records with their versions: send them back with the answer.",
        examples=[{"cus_01hzy3v7k2m4n6p8q0r2s4t6v8": 3}],
    )
    bits: float = Field(description="Match weight of the pair.", examples=[4.2])
    stake: float = Field(description="What is expected to stay wrong while nobody answers.", examples=[18.25])
    subject: dict[str, Any] = Field(description="Ids of all that the question is about.")
    recorded_at: Instant
    due_at: Instant | None = None
    assignee: str | None = Field(default=None, description="A person, or group:NAME.")
    claimed_by: str | None = None
    claimed_until: Instant | None = None
    waiting_answer_id: str | None = Field(default=None, description="The answer that waits for a second person.")
    closed_at: Instant | None = None
    closed_because: str | None = None


class WeightTold(Told):
    """What hangs on the golden records of a review."""

    members: int
    published: int = Field(description="Keys that a target took.")
    children: int = Field(description="Golden records of other types that point at them.")
    systems: int


class CommentTold(Told):
    """What somebody said about a review: text by people, to be shown as text."""

    id: str
    comment: str
    recorded_at: Instant
    who: str


class AnswerTold(Told):
    """What somebody answered, and what became of it."""

    id: str
    review_id: str
    bulk_id: str | None = None
    judgement: Judgement
    relation: str | None = None
    reason: str
    valid_from: date | None = None
    valid_to: date | None = None
    state: Literal["proposed", "carried_out", "rejected", "lapsed", "undone"]
    recorded_at: Instant
    who: str
    settled_at: Instant | None = None
    settled_by: str | None = None
    event_id: str | None = Field(default=None, description="The operation that carried it out.")


class RiskTold(Told):
    """A reason why a merge is dangerous."""

    mark: str = Field(
        description="Its name: send it back with `same`, once somebody has seen it.",
        examples=["identifiers_clash.3f0a91c2b7de"],
    )
    kind: RiskKind
    attribute: str | None = Field(default=None, description="That holds the strong identifiers.")
    left: list[str] = Field(default=[], description="What the left side holds there.")
    right: list[str] = Field(default=[], description="What the right side holds there.")
    chain: list[str] = Field(default=[], description="Decisions that part records, in the order of the proof.")
    count: int = Field(default=0, description="Open children of both sides.")


class ReviewInFull(ReviewTold):
    """A review with what hangs on it and all that was said."""

    weight: WeightTold
    risks: list[RiskTold] = Field(description="Why a merge would be dangerous.")
    comments: list[CommentTold]
    answers: list[AnswerTold]


class TallyTold(Told):
    """What becomes of the golden records of one entity type."""

    entity_type: str
    records: int = Field(description="Source records that change their golden record.")
    created: int
    forwarded: int
    restored: int
    retired: int
    golden_ids: list[str] = Field(description="Golden records there were before, that change.")


class GivenTold(Told):
    """An answer, its review, and what came of it, or would come of it."""

    answer: AnswerTold
    review: ReviewTold
    effects: list[TallyTold]
    waits_because: str | None = Field(default=None, description="Why a second person has to approve it.")
    dry_run: bool = False


class AnswerAsked(Asked):
    """An answer to a review."""

    judgement: Judgement
    relation: Relation | None = Field(default=None, description="Needed for `related`; reads left, relation, right.")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(examples=["same VAT id"])
    valid_from: date | None = None
    valid_to: date | None = None
    expected: GoldenVersions = Field(description="As the review told them; an answer to what changed since is refused.")
    risks_seen: RiskMarks = Field(default=(), description=_SEEN)
    dry_run: bool = Field(default=False, description="Tell what would happen, and do nothing.")


class AssigneeAsked(Asked):
    """Whose work a review shall be."""

    assignee: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = Field(
        description="A person, or group:NAME; null takes it from whoever had it.", examples=["group:emea-finance"]
    )


class CommentAsked(Asked):
    """Something to say about a review."""

    comment: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class BandAsked(Asked):
    """Which open reviews of one entity type to answer together; bounds are included."""

    entity_type: Annotated[str, StringConstraints(max_length=100)]
    kinds: Annotated[tuple[ReviewKind, ...], Field(max_length=20)] = ()
    bits_min: float | None = None
    bits_max: float | None = None
    stake_min: float | None = None
    stake_max: float | None = None
    source: Annotated[str, StringConstraints(max_length=63)] | None = None
    assignee: Annotated[str, StringConstraints(max_length=120)] | None = None


class ChosenAsked(Asked):
    """A review to answer, and the golden versions that it was read with."""

    id: ReviewIdText
    expected: GoldenVersions
    risks_seen: RiskMarks = Field(default=(), description=_SEEN)


class BulkAsked(Asked):
    """One answer to many reviews: a band for a dry run, then exactly the reviews which that chose."""

    judgement: Judgement
    relation: Relation | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    valid_from: date | None = None
    valid_to: date | None = None
    band: BandAsked | None = Field(default=None, description="For a dry run.")
    reviews: Annotated[list[ChosenAsked], Field(max_length=2000)] | None = Field(
        default=None, description="`chosen` of the dry run."
    )
    dry_run: bool = True


class ChosenTold(Told):
    """A review that a dry run chose."""

    id: str
    expected: dict[str, int]


class LeftTold(Told):
    """A review that was not answered, and why."""

    id: str
    code: str = Field(examples=["review_outdated"])
    message: str


class BulkTold(Told):
    """What answers given together did, or would do."""

    dry_run: bool
    bulk_id: str
    count: int = Field(description="Reviews chosen.")
    chosen: list[ChosenTold]
    answered: list[str]
    left: list[LeftTold]
    sample: list[ReviewTold]
    effects: list[TallyTold]
    waits_because: str | None = None


class ReviewCountTold(Told):
    """How many reviews of a kind and an age there are."""

    entity_type: str
    kind: ReviewKind
    age: Literal["day", "week", "month", "older"]
    count: int
    overdue: int
    claimed: int
    waiting: int = Field(description="With an answer that waits for a second person.")


class PaceTold(Told):
    """How fast the asker answers, over the last thirty days, single answers only."""

    answers: int
    timed: int = Field(description="Answers to claimed reviews: those of which the time is known.")
    seconds_median: float | None = None


class CountsTold(Told):
    """The queue in numbers."""

    counts: list[ReviewCountTold]
    pace: PaceTold
