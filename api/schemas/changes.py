"""Shapes of the change feed: one change, and what it says beyond its golden version or review, by its kind."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import Field

from api.schemas.decisions import Judgement
from api.schemas.shape import Instant, Told
from mdm.decisions.review_model import AnswerState
from mdm.entities.model import ReviewKind
from mdm.publishing.model import EventKind

SUMMARIES: Final[Mapping[EventKind, str]] = MappingProxyType(
    {
        "golden_record.created": "A golden record came to be.",
        "golden_record.changed": "A golden record has a new version: other values, or other source records.",
        "golden_record.split": "A golden record was divided and goes on; `parts` names where its records are now.",
        "golden_record.forwarded": "A golden record was merged; its id leads to `forward_to` for ever.",
        "golden_record.retired": "No source record is left; the golden record comes back under its id if one returns.",
        "review.opened": "A question was put to the stewards, or put to them again.",
        "review.decided": "An answer was given, carried out, rejected or undone.",
        "review.closed": "A question is open no more, and why.",
    }
)


class MovedTold(Told):
    """A source record that came to the golden record, or left it."""

    source_key: str = Field(examples=["netsuite-us/customer:10482"])
    before: str | None = Field(default=None, description="Golden id that it left; absent where it had none.")
    after: str | None = Field(default=None, description="Golden id that it is in now; absent where it has none.")


class PartTold(Told):
    """A golden record that took records out of the divided one; its id was not active before."""

    golden_id: str
    source_keys: list[str] = Field(examples=[["netsuite-us/customer:10482"]])


class GoldenDetails(Told):
    """Of golden_record.created, golden_record.changed and golden_record.retired; what is empty is absent."""

    event_id: str | None = Field(
        default=None,
        description="The change of identity or values, as in `/v1/events/{id}`: the same for all golden records of it.",
    )
    moves: list[MovedTold] | None = Field(
        default=None, description="Every source record that came to it or left it, and where from and where to."
    )
    joined: list[str] | None = Field(default=None, description="Ids of source records that came to it.")
    left: list[str] | None = Field(default=None, description="Ids of source records that left it.")


class SplitDetails(GoldenDetails):
    """Of golden_record.split."""

    parts: list[PartTold] = Field(description="What was taken out of it into golden ids that were not active before.")


class ForwardedDetails(GoldenDetails):
    """Of golden_record.forwarded."""

    forward_to: str = Field(description="The golden record that it was merged into.")


class ReviewOpenedDetails(Told):
    """Of review.opened."""

    kind: ReviewKind
    golden_ids: list[str] | None = Field(default=None, description="The golden records that it asks about.")
    reopened: bool | None = Field(default=None, description="True where its answer was undone.")


class ReviewDecidedDetails(Told):
    """Of review.decided."""

    answer_id: str
    state: AnswerState
    judgement: Judgement | None = None
    golden_ids: list[str] | None = Field(default=None, description="The golden records that the answer is about.")
    event_id: str | None = Field(default=None, description="The operation that carried the answer out.")


class ReviewClosedDetails(Told):
    """Of review.closed."""

    kind: ReviewKind
    because: str


Details = (
    SplitDetails | ForwardedDetails | GoldenDetails | ReviewOpenedDetails | ReviewDecidedDetails | ReviewClosedDetails
)
DETAILS: Final[Mapping[EventKind, type[Details]]] = MappingProxyType(
    {
        "golden_record.created": GoldenDetails,
        "golden_record.changed": GoldenDetails,
        "golden_record.split": SplitDetails,
        "golden_record.forwarded": ForwardedDetails,
        "golden_record.retired": GoldenDetails,
        "review.opened": ReviewOpenedDetails,
        "review.decided": ReviewDecidedDetails,
        "review.closed": ReviewClosedDetails,
    }
)


class ChangeTold(Told):
    """One committed change; it names a golden version or a review, whose values are read when needed."""

    id: str = Field(description="The same in every repeat.", examples=["8812-4711"])
    kind: EventKind = Field(
        description=" ".join(f"`{kind}`: {summary}" for kind, summary in SUMMARIES.items()),
        examples=["golden_record.changed"],
    )
    entity_type: str
    golden_id: str | None = None
    version: int | None = None
    review_id: str | None = Field(default=None, description="For review.opened, review.decided and review.closed.")
    details: Details = Field(description="What the kind has to say; keys that are not listed may be added.")
    recorded_at: Instant
    who: str


class ChangesTold(Told):
    """Changes in the order of their commits. `next` is always there: ask again with it, later when `rows` is empty."""

    rows: list[ChangeTold]
    next: str
