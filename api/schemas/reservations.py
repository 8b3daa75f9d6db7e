"""Shapes of idempotent create."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.schemas.match import CandidateTold
from api.schemas.shape import Asked, Instant, SourceId, Told, Word


class ReserveAsked(Asked):
    """A record that the caller is about to create in a source instance."""

    entity_type: Word = Field(examples=["customer"])
    source: SourceId = Field(description="Source instance in which it is to be created.", examples=["netsuite-us"])
    fields: dict[Annotated[str, StringConstraints(min_length=1, max_length=255)], Any] = Field(
        min_length=1,
        max_length=1_000,
        description="Columns as that instance would deliver them, or attributes of the entity type.",
        examples=[{"name": "Müller & Söhne GmbH", "country": "DE", "vat number": "DE136695976"}],
    )
    reference: str = Field(
        default="",
        max_length=255,
        description="Your own name for this create, as the key of what it follows from. Asked again under it, you get"
        " your reservation back; without one, only a repeat of the same Idempotency-Key does.",
        examples=["salesforce-emea/Opportunity:0065g00000XyZ"],
    )
    minutes: int | None = Field(
        default=None, ge=1, le=43_200, description="How long it is held for you; MDM_RESERVATION_MINUTES when left out."
    )


class ReservationTold(Told):
    """The right of one caller to create one record in one source instance, until it ends."""

    id: str = Field(examples=["rsv_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    entity_type: str
    source: str = Field(description="Where it is to be created.", examples=["netsuite-us"])
    golden_id: str
    state: Literal["open", "confirmed", "abandoned", "expired"]
    held_by: str
    reference: str | None = None
    source_key: str | None = Field(default=None, description="The key that it was confirmed with.")
    recorded_at: Instant
    expires_at: Instant
    ended_at: Instant | None = None
    ended_by: str | None = None


class ResolvedTold(Told):
    """What to do about a record that you are about to create.

    existing: do not create it. `keys` are its keys in the source; where there are none yet, `reservation` says who
    creates it at this moment: ask again after `retry_after_s`. reserved: create it, carry `golden_id` along, confirm
    `reservation`. review: it is reserved for you, but may be one of `candidates`; a steward is asked, ask again.
    """

    status: Literal["existing", "reserved", "review"]
    golden_id: str
    is_new: bool = Field(description="The golden id was minted for it.")
    keys: list[str] = Field(description="Live keys in the source.", examples=[["netsuite-us/customer:10482"]])
    reservation: ReservationTold | None = None
    reviews: list[str] = Field(description="Open questions about it.")
    candidates: list[CandidateTold] = Field(
        description="Golden records that it is or may be, with the evidence, as far as you may read them."
    )
    retry_after_s: int | None = Field(default=None, description="Seconds after which to ask again, also Retry-After.")


class ConfirmAsked(Asked):
    """The key under which the record was created."""

    source_key: str = Field(max_length=600, description="As printed.", examples=["netsuite-us/customer:10482"])


class ConfirmedTold(Told):
    """A reservation with its key."""

    reservation: ReservationTold
    golden_id: str = Field(description="Of the key.")
    is_joined: bool = Field(description="False where a steward's decision keeps the key apart from what was reserved.")
