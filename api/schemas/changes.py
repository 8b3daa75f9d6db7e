"""Shapes of the change feed."""

from typing import Any

from pydantic import Field

from api.schemas.shape import Instant, Told


class ChangeTold(Told):
    """One committed change; it names a golden version or a review, whose values are read when needed."""

    id: str = Field(description="The same in every repeat.", examples=["8812-4711"])
    kind: str = Field(examples=["golden_record.changed"])
    entity_type: str
    golden_id: str | None = None
    version: int | None = None
    review_id: str | None = Field(default=None, description="For review.opened, review.decided and review.closed.")
    details: dict[str, Any]
    recorded_at: Instant
    who: str


class ChangesTold(Told):
    """Changes in the order of their commits. `next` is always there: ask again with it, later when `rows` is empty."""

    rows: list[ChangeTold]
    next: str
