"""Shapes of source instances."""

from pydantic import Field, StrictBool

from api.schemas.shape import Asked, Fault, Instant, SourceId, Told, Word


class SourceAsked(Asked):
    """A source instance to register."""

    id: SourceId = Field(description="Never changes, also when the system is renamed.", examples=["salesforce-emea"])
    system: Word = Field(
        description="Kind of system, as declarations name it; kept in lower case.", examples=["salesforce"]
    )
    title: Word = Field(examples=["Salesforce EMEA"])
    rank: int = Field(default=100, ge=1, le=1_000, description="Standing in ties, 1 before 2.")
    duplicate_free: StrictBool = Field(default=False, description="No two of its active records are the same thing.")


class SourceTold(Told):
    """A registered source instance."""

    id: str
    system: str
    title: str
    rank: int
    duplicate_free: bool
    retired_at: Instant | None = Field(default=None, description="Since when all its records count as ended.")


class SourceRegistered(SourceTold):
    """A source instance that was just registered or changed."""

    warnings: list[Fault] = Field(
        default_factory=list,
        description="A system that no declaration names; what has to be done where it was corrected.",
    )


class SourcesTold(Told):
    """Every source instance, by id."""

    rows: list[SourceTold]
