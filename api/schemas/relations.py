"""Shapes of relations between golden records."""

from datetime import date
from typing import Literal

from pydantic import Field

from api.schemas.shape import Instant, Told


class RelationTold(Told):
    """What a golden record is to another one."""

    relation: str = Field(description="Read from the golden record asked for.", examples=["parent_of", "child_of"])
    golden_id: str = Field(description="The other one, as its record belongs now.")
    own_key: str = Field(description="The record here that the decision binds.")
    other_key: str = Field(description="The record there.")
    state: Literal["in_force", "superseded"] = Field(
        description="`superseded` when a later decision relates the same two for the same days."
    )
    valid_from: date | None = None
    valid_to: date | None = Field(default=None, description="The last day on which it holds.")
    also: list[str] | None = Field(
        default=None, description="Earlier decisions that say the same of other records of the two."
    )
    decision_id: str = Field(examples=["dec_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    reason: str
    who: str
    recorded_at: Instant


class RelationsTold(Told):
    """The relations of one golden record."""

    golden_id: str
    entity_type: str
    valid_at: date | None = None
    rows: list[RelationTold]
