"""Shapes of search before create."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.shape import Asked, Fault, SourceId, Told, Word


class MatchAsked(Asked):
    """A record that may exist already."""

    entity_type: Word = Field(examples=["customer"])
    fields: dict[str, Any] = Field(
        min_length=1,
        max_length=1_000,
        description="Columns as a source would deliver them, or attributes of the entity type.",
        examples=[{"name": "Mueller und Soehne", "country": "DE", "vat_id": "DE123456788"}],
    )
    source: SourceId | None = Field(
        default=None, description="Source instance whose codes and keys the fields use.", examples=["netsuite-us"]
    )
    limit: int = Field(default=10, ge=1, le=50)


class EvidenceTold(Told):
    """What one comparison says; its bits are bits + frequency_bits."""

    comparison: str = Field(examples=["name"])
    level: str = Field(description="Or missing, when one side says nothing.", examples=["exact"])
    bits: float = Field(description="Evidence for (positive) or against (negative) the match.", examples=[7.6])
    frequency_bits: float = Field(description="What the commonness of the value takes off or adds.", examples=[-1.2])
    asked: list[str] = Field(description="Your value in the form that is compared.", examples=[["mueller sohne"]])
    held: list[str] = Field(description="The member's.", examples=[["muller sohne"]])


class CandidateTold(Told):
    """A golden record that the fields may mean: prior_bits and all evidence add up to bits."""

    golden_id: str
    verdict: Literal["match", "possible_match"]
    bits: float = Field(description="Match weight in bits, prior included.")
    prior_bits: float = Field(description="The odds of two records taken at random.")
    is_vetoed: bool = Field(description="Valid identifiers contradict each other: such a record never joins.")
    rules: list[str] = Field(description="Rules that hold, beside the weight.")
    source_key: str = Field(description="The member that agrees best.", examples=["netsuite-us/customer:10482"])
    evidence: list[EvidenceTold]


class MatchTold(Told):
    """Candidates, best first; nothing was written."""

    candidates: list[CandidateTold]
    is_complete: bool = Field(description="False when more records share a key than one search looks through.")
    faults: list[Fault] = Field(description="Fields that could not be read, or rules that a delivery would break.")
    undeclared: list[str] = Field(description="Fields that no attribute claims; they were not searched by.")
