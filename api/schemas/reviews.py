"""Shapes of questions to stewards."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.shape import Instant, Told


class ReviewTold(Told):
    """A question: are these two the same. The strongest pair of records stands for it."""

    id: str = Field(examples=["rev_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    entity_type: str = Field(examples=["customer"])
    kind: Literal["possible_match", "join", "split", "unsure"]
    state: Literal["open", "closed"]
    left: str = Field(description="Source key as printed.", examples=["salesforce-emea/Account:0015g00000AbCdEAAV"])
    right: str = Field(examples=["netsuite-us/customer:10482"])
    left_golden_id: str | None = None
    right_golden_id: str | None = None
    bits: float = Field(description="Match weight of the pair.", examples=[4.2])
    subject: dict[str, Any] = Field(description="Ids of all that the question is about.")
    recorded_at: Instant
    closed_at: Instant | None = None
    closed_because: str | None = None
