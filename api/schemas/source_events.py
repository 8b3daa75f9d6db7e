"""Shapes of what sources do to their own records."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.schemas.shape import Asked, Fault, Instant, SourceId, Told, Word

PrintedKey = Annotated[str, StringConstraints(min_length=1, max_length=600)]
Kind = Literal[
    "merged",
    "re_keyed",
    "instance_migrated",
    "deleted",
    "access_lost",
    "vanished",
    "access_regained",
    "instance_retired",
    "instance_returned",
]
EVENTS_COUNT_MAX = 1_000


class SourceEventAsked(Asked):
    """One thing that happened to a record, or to a whole instance, inside a source."""

    kind: Kind = Field(
        description="merged, re_keyed and instance_migrated name another key; instance_retired and instance_returned"
        " name a source; all others a key alone."
    )
    key: PrintedKey | None = Field(
        default=None, description="Source key as printed.", examples=["salesforce-emea/Account:0015g00000AbCdEAAV"]
    )
    other_key: PrintedKey | None = Field(default=None, description="The survivor of a merge, or the new key.")
    source: SourceId | None = Field(default=None, description="The instance that was retired or came back.")
    entity_type: Word | None = Field(
        default=None, description="Needed where the hub knows neither key, or the API key may write this type alone."
    )
    happened_at: Instant | None = Field(
        default=None, description="By the source's clock; left out, what comes later counts."
    )
    reason: Annotated[str, StringConstraints(max_length=2000)] = ""


class SourceEventsAsked(Asked):
    """Events in the order they are to be kept; each is kept or rejected by itself."""

    events: list[SourceEventAsked] = Field(min_length=1, max_length=EVENTS_COUNT_MAX)


class NotedTold(Told):
    """What became of one event."""

    status: Literal["recorded", "waiting", "overtaken", "unchanged", "rejected"] = Field(
        description="waiting: it takes effect when the hub comes to know the other record; overtaken: it is kept and"
        " changes nothing, as the record lived on after it; unchanged: the hub knew it."
    )
    id: str | None = Field(default=None, examples=["sev_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    golden_id: str | None = Field(default=None, description="What the key leads to now.")
    errors: list[Fault] = Field(default_factory=list)


class NotedAllTold(Told):
    """One answer for each event, in the order of the request."""

    results: list[NotedTold]


class SourceEventTold(Told):
    """An event as the hub keeps it."""

    id: str
    kind: Kind
    source: str
    entity_type: str | None = None
    key: str | None = None
    other_key: str | None = None
    happened_at: Instant | None = None
    reason: str | None = None
    recorded_at: Instant
    who: str
    event_id: str | None = Field(default=None, description="The change of identity that carried it out.")
    is_waiting: bool = False
    ended_at: Instant | None = None
    ended_because: Literal["overtaken", "revoked"] | None = None


class MomentTold(Told):
    """One thing in the life of a source key."""

    at: Instant
    kind: Literal["delivered", "source_event", "joined", "left", "ended", "reopened", "decided", "revoked"]
    told: str = Field(description="In one line, for people.")
    who: str
    facts: dict[str, Any] = Field(description="Ids, numbers and states; no value of the record.")


class LifeTold(Told):
    """The life of a source key, oldest first."""

    key: str
    moments: list[MomentTold]
