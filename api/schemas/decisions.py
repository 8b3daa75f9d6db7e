"""Shapes of stewards' decisions."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.schemas.shape import Asked, Instant, Told

Judgement = Literal["same", "different", "related", "unsure"]
Relation = Literal["parent_of", "sister_of", "acquired_by", "succeeded_by", "phase_of", "amendment_of", "renewal_of"]
PrintedKey = Annotated[str, StringConstraints(min_length=1, max_length=600)]


class DecisionAsked(Asked):
    """A judgement about two source records; it binds every later run."""

    left: PrintedKey = Field(
        description="Source key as printed.", examples=["salesforce-emea/Account:0015g00000AbCdEAAV"]
    )
    right: PrintedKey = Field(examples=["netsuite-us/customer:10482"])
    judgement: Judgement
    relation: Relation | None = Field(default=None, description="Needed for `related`; reads left, relation, right.")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(
        examples=["same VAT id, moved in 2024"]
    )
    valid_from: date | None = None
    valid_to: date | None = None


class DecisionTold(Told):
    """A decision as it stands."""

    id: str = Field(examples=["dec_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    entity_type: str
    judgement: Judgement
    relation: str | None = None
    left: str
    right: str
    reason: str
    valid_from: date | None = None
    valid_to: date | None = None
    recorded_at: Instant
    who: str
    revoked_at: Instant | None = None
