"""Shapes of golden records."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.shape import Instant, Told

GoldenStatus = Literal["active", "forwarded", "retired"]


class GoldenRecordTold(Told):
    """A golden record: the survivor's values when the id asked for was forwarded."""

    id: str = Field(examples=["cus_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    entity_type: str = Field(examples=["customer"])
    status: GoldenStatus
    version: int = Field(examples=[3])
    values: dict[str, Any] = Field(examples=[{"legal_name": "Müller & Söhne GmbH", "country": "DE"}])
    completeness: float = Field(description="0 to 1.", examples=[0.82])
    recorded_at: Instant = Field(description="From when on this version stands.")
    forwarded_from: str | None = Field(default=None, description="The id asked for, when it was merged into this one.")
    as_of: Instant | None = Field(default=None, description="The instant the answer stands for, when one was asked.")


class GoldenVersionTold(Told):
    """One version in the history of a golden record."""

    version: int
    status: GoldenStatus
    forwarded_to: str | None = None
    values: dict[str, Any]
    event_id: str = Field(description="The event that caused it.", examples=["evt_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    cause: str = Field(description="What kind of act that was.", examples=["ingest"])
    reason: str = Field(description="Why, in the words of whoever acted; empty where nobody gave any.")
    root_id: str | None = Field(default=None, description="The event that this one followed from.")
    undoes_id: str | None = Field(default=None, description="The event that this one took back.")
    recorded_from: Instant
    recorded_to: Instant | None = None
    who: str


class LosingValueTold(Told):
    """A value that lost, and why."""

    value: Any
    record_key: str = Field(examples=["netsuite-us/customer:10482"])
    why: str = Field(examples=["source_priority"])


class LineageOfAttributeTold(Told):
    """Where one golden value comes from and which values lost."""

    value: Any = Field(default=None, description="Absent when an override blanks the attribute.")
    origin: dict[str, Any] = Field(
        description="The record and the rule that won, or the override.",
        examples=[{"record_key": "netsuite-us/customer:10482", "rule": "source_priority"}],
    )
    losing: list[LosingValueTold]


class LineageTold(Told):
    """Lineage of every attribute that has a value, now."""

    id: str
    entity_type: str
    version: int
    attributes: dict[str, LineageOfAttributeTold]
