"""Reservations as values: what is about to be created, who holds it, and what the others are told. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from mdm.ids import GoldenId, RecordId, ReservationId, ReviewId
from mdm.resolution.model import Candidate
from mdm.sources.model import HUB, SourceKey

ReservationState = Literal["open", "confirmed", "abandoned", "expired"]
OBJECT: Final = "reservation"
REFERENCE_LENGTH_MAX: Final = 255  # as the table allows, and as long as a source key's native id
MINUTES_MAX: Final = 43_200  # chosen: 30 days, longer than any create takes that somebody still waits for
RETRY_AFTER_S: Final = 5  # chosen: a create in another system takes a second or two


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody is about to create in a source instance.

    fields     as that instance would deliver them
    reference  the caller's own name for this create; the same caller gets the same reservation for it
    minutes    how long it is held; None takes the setting
    readable   source instances of which evidence may be shown; None means all
    is_published  the hub's publishing creates it; else nobody but the caller does while it is reserved
    """

    entity_type: str
    source: str
    fields: Mapping[str, Any]
    reference: str = ""
    minutes: int | None = None
    readable: frozenset[str] | None = None
    is_published: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """The right of one caller to create one record in one source instance, until it ends.

    record_id   the source record of the instance `hub` that stands for it
    golden_id   where that record belongs, or belonged to last
    reference   the holder's own name for it; "" where none was given
    source_key  the key that it was confirmed with
    """

    id: ReservationId
    entity_type: str
    source: str
    record_id: RecordId
    golden_id: GoldenId
    state: ReservationState
    reference: str
    recorded_at: datetime
    who: str
    expires_at: datetime
    source_key: SourceKey | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def key(self) -> SourceKey:
        """Return the source key of the record that stands for it."""
        return key_of(self.id)

    def is_held_by(self, who: str, reference: str) -> bool:
        """Tell whether this caller holds it under this name; what has no name is given back to nobody."""
        return bool(reference) and (self.who, self.reference) == (who, reference)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What somebody who is about to create a record is told.

    existing  it is there, or somebody else creates it at this moment (`reservation` says who): create nothing
    reserved  create it, carry the golden id along, then confirm; nobody else is told to
    review    the same, but it may be one of the candidates: a steward is asked, ask again after the answer

    is_new         the golden id was minted for it
    keys           its live keys in the source instance
    reviews        open questions about it
    candidates     golden records it may be or is, with the evidence, as far as the caller may read
    retry_after_s  when to ask again; None where waiting changes nothing
    """

    status: Literal["existing", "reserved", "review"]
    golden_id: GoldenId
    reservation: Reservation | None = None
    is_new: bool = False
    keys: tuple[SourceKey, ...] = ()
    reviews: tuple[ReviewId, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A reservation that a key was given for, and the golden record of that key.

    is_joined  False where a decision of a steward keeps the key apart from what was reserved
    """

    reservation: Reservation
    golden_id: GoldenId

    @property
    def is_joined(self) -> bool:
        """Tell whether the key belongs to the golden record that was reserved."""
        return self.golden_id == self.reservation.golden_id


@dataclass(frozen=True, slots=True)
class ReservationFilter:
    """Which reservations to list; None means any."""

    state: ReservationState | None = "open"
    source: str | None = None
    entity_type: str | None = None


def key_of(reservation_id: ReservationId) -> SourceKey:
    """Return the source key of the record that stands for a reservation."""
    return SourceKey(HUB, OBJECT, "", reservation_id)
