"""Shapes of the audit log."""

from pydantic import Field

from api.schemas.shape import Instant, Told


class EntryTold(Told):
    """One change: who did what to which row. It holds ids and a salted hash, never a value."""

    id: int
    position: int | None = Field(description="Place in the sealed log, from 1; null until it is sealed.")
    recorded_at: Instant
    who: str
    action: str = Field(
        description="Table and verb: made, changed, deleted, found (there before the log began), restated.",
        examples=["decision.made"],
    )
    subject_id: str = Field(examples=["dec_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    related: list[str] = Field(description="Ids that the row names.")
    changed: list[str] = Field(description="Names of the columns that a change touched.")
    digest: str = Field(description="SHA-256 of the entry's salt and the row, in hexadecimal digits.")
