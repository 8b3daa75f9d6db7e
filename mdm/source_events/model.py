"""What sources do to their own records, as values, and what follows from all facts about one key: pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from mdm.entities.model import Reason
from mdm.ids import EventId, GoldenId, RecordId, SourceEventId
from mdm.sources.model import EndedBecause, SourceKey

ForwardKind = Literal["merged", "re_keyed", "instance_migrated"]
SightKind = Literal["access_lost", "vanished", "access_regained"]
InstanceKind = Literal["instance_retired", "instance_returned"]
EventKind = Literal[ForwardKind, SightKind, InstanceKind, "deleted"]
Status = Literal["recorded", "waiting", "overtaken", "unchanged", "rejected"]

FORWARDS: Final = frozenset(get_args(ForwardKind))
SIGHTS: Final = frozenset(get_args(SightKind))
INSTANCE_WIDE: Final = frozenset(get_args(InstanceKind))

_SAID: Final[Mapping[EventKind, str]] = MappingProxyType(
    {
        "merged": "was merged into",
        "re_keyed": "has the new key",
        "instance_migrated": "was migrated to",
        "deleted": "was deleted",
        "access_lost": "is out of sight",
        "vanished": "vanished",
        "access_regained": "is in sight again",
        "instance_retired": "is retired",
        "instance_returned": "is back from retirement",
    }
)


@dataclass(frozen=True, slots=True)
class SourceFact:
    """What a source, or somebody for it, says that happened; `key` is None for what happened to a whole instance.

    other        the survivor of a merge, or the new key
    entity_type  needed only where the hub knows neither key
    happened_at  by the source's clock
    """

    kind: EventKind
    instance: str
    key: SourceKey | None = None
    other: SourceKey | None = None
    entity_type: str | None = None
    happened_at: datetime | None = None
    reason: str = ""

    def __str__(self) -> str:
        """Say the fact in one line."""
        return said(self.kind, str(self.key or self.instance), str(self.other) if self.other else None)


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """A fact as the hub keeps it.

    event_id  the change of identity that carried it out; None while its other record is unknown, or it changes none
    ended_at  since when it holds no more: its record lived on after it, or somebody took it back
    """

    id: SourceEventId
    kind: EventKind
    entity_type: str | None
    instance: str
    source_key: str | None
    other_key: str | None
    happened_at: datetime | None
    details: Mapping[str, Any]
    recorded_at: datetime
    who: str
    event_id: EventId | None = None
    ended_at: datetime | None = None
    ended_because: Literal["overtaken", "revoked"] | None = None

    @property
    def place(self) -> tuple[datetime, str]:
        """Place it among the facts about its key; one without a time happened when the hub heard of it."""
        return self.happened_at or self.recorded_at, self.id

    @property
    def is_waiting(self) -> bool:
        """Tell whether it waits for a record that the hub does not know yet."""
        return self.kind in FORWARDS and self.event_id is None and self.ended_at is None

    def __str__(self) -> str:
        """Say the event in one line."""
        return said(self.kind, self.source_key or self.instance, self.other_key)


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of one fact that was told.

    recorded   it holds, and what follows from it was done
    waiting    it holds, and takes effect when the hub comes to know the other record
    overtaken  it is kept, and changes nothing: the record lived on after it, or a later fact says otherwise
    unchanged  the hub knew it
    rejected   it cannot be kept, for these reasons
    """

    fact: SourceFact
    status: Status
    id: SourceEventId | None = None
    golden_id: GoldenId | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """What a record is to be: ended for a reason, by a successor where it is known; None: not ended."""

    record_id: RecordId
    because: EndedBecause | None
    successor_id: RecordId | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What settling changed: the records that must be looked at again, under the event that the decisions name."""

    record_ids: frozenset[RecordId] = frozenset()
    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing in the life of a source key; `facts` holds ids, numbers and states, no value of the record."""

    at: datetime
    kind: Literal["delivered", "source_event", "joined", "left", "ended", "reopened", "decided", "revoked"]
    told: str
    who: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def said(kind: EventKind, key: str, other: str | None) -> str:
    """Say in one line what happened to a key or an instance."""
    return " ".join(filter(None, (key, _SAID[kind], other)))


def standing(events: Iterable[SourceEvent]) -> SourceEvent | None:
    """Return the fact that holds of several about one key: the one that happened last."""
    return max((event for event in events if event.ended_at is None), key=lambda event: event.place, default=None)


def says_again(fact: SourceFact, known: Sequence[SourceEvent]) -> SourceEvent | None:
    """Find the event that a fact repeats: one of the same time, or, without a time, the one that holds now."""
    alike = [event for event in known if event.kind == fact.kind and event.other_key == _printed(fact.other)]
    if fact.happened_at is not None:
        return next((event for event in alike if event.happened_at == fact.happened_at), None)
    holding = standing(known)
    return holding if holding in alike else None


def is_newer(source_time: datetime | None, event: SourceEvent, *, is_first: bool) -> bool:
    """Tell whether a delivery is newer than what happened to its record.

    Where a time is missing, what arrives later is newer, but for a first delivery: events often run ahead of records.
    """
    if source_time is not None and event.happened_at is not None:
        return source_time > event.happened_at
    return not is_first


def tombstone(key: SourceKey, entity_type: str, reason: str, *, happened_at: datetime | None = None) -> SourceFact:
    """Read the reason with which a connector tells that a record is gone: deleted, merged_into:<id>, access_lost.

    Any other reason, as `unknown`, means that it vanished.
    """
    verb, _, native_id = reason.partition(":")
    if verb == "merged_into" and native_id:
        survivor = SourceKey(key.instance, key.object, key.scope, native_id)
        return SourceFact("merged", key.instance, key, survivor, entity_type, happened_at)
    kind: EventKind = "deleted" if verb == "deleted" else "access_lost" if verb == "access_lost" else "vanished"
    return SourceFact(kind, key.instance, key, None, entity_type, happened_at, "" if verb in _REASONS else reason)


_REASONS: Final = ("deleted", "access_lost", "unknown")


def _printed(key: SourceKey | None) -> str | None:
    return None if key is None else str(key)
