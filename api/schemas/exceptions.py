"""Shapes of deliveries that wait for somebody to mend them."""

from typing import Any, Literal

from pydantic import Field

from api.schemas.shape import Asked, Fault, Instant, Told


class ExceptionTold(Told):
    """A delivery, or a part of one, that the hub could not take as it was."""

    id: str = Field(examples=["exc_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    kind: Literal["rejected", "warning"]
    entity_type: str
    source_key: str
    fields: dict[str, Any]
    reasons: list[Fault]
    state: Literal["open", "replayed", "dismissed", "superseded"]
    recorded_at: Instant


class MendedAsked(Asked):
    """Fields that replace those delivered, before a replay."""

    fields: dict[str, Any] = Field(max_length=1_000, examples=[{"country": "DE"}])
