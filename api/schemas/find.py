"""Shapes of the one search."""

from typing import Literal

from pydantic import Field

from api.schemas.golden_records import GoldenStatus
from api.schemas.shape import Told

FoundBy = Literal["golden_id", "source_key", "number", "name", "beginning", "similar_name", "words"]


class WhyTold(Told):
    """One reason why a golden record was found."""

    by: FoundBy
    attribute: str = Field(description="Whose value it is; empty for an id or a key.", examples=["tax_ids"])
    shown: str = Field(
        description="The id, the key, or the value as its source writes it.", examples=["DE 136 695 976"]
    )
    source_keys: list[str] = Field(description="The records that say so.", examples=[["netsuite-us/customer:10482"]])
    is_gone: bool = Field(description="The record with this key was deleted, or a steward took it out.")


class HitTold(Told):
    """A golden record that answers a question."""

    id: str = Field(examples=["cus_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    entity_type: str = Field(examples=["customer"])
    name: str = Field(examples=["Müller & Söhne GmbH"])
    status: GoldenStatus
    forwarded_from: str | None = Field(default=None, description="The id asked for, when it was merged into this one.")
    sources: list[str] = Field(description="Source instances with a record of it.", examples=[["netsuite-us"]])
    reasons: list[WhyTold] = Field(description="Why it was found, the best reason first.")


class FoundTold(Told):
    """What a search gave, best first."""

    question: str = Field(description="As it was read: without invisible characters, cut to 400.")
    rows: list[HitTold]
    is_complete: bool = Field(description="False when more would answer; ask for more words, or with a larger limit.")
    took_ms: float = Field(examples=[4.2])
