"""What the past looks like: events of identity as they were written, memberships of a time, names and since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from mdm.ids import EventId, GoldenId, RecordId

STEWARDS_KINDS: Final = (
    *("merge", "unmerge", "split", "move", "dissolve", "confirm", "retire", "restore", "undo"),
    *("decision", "revocation", "override", "source_event"),
)
"""Kinds of events that somebody or a source wanted; they may change a standing without writing a golden version."""


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One change of identity or values as it was written; `plan` holds ids and states, see `mdm.identity.life`."""

    id: EventId
    entity_type: str
    kind: str
    reason: str
    root_id: EventId | None
    undoes_id: EventId | None
    plan: Mapping[str, Any]
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class EventBrief:
    """An event without its plan, as lists show it."""

    id: EventId
    entity_type: str
    kind: str
    reason: str
    root_id: EventId | None
    undoes_id: EventId | None
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class PastStanding:
    """What a golden id stood for at an instant."""

    golden_id: GoldenId
    entity_type: str
    state: Literal["active", "forwarded", "retired"]
    forward_to: GoldenId | None
    version: int


@dataclass(frozen=True, slots=True)
class PastMember:
    """A source record that counts as a member at the instant asked for.

    said_at  when its source said what the hub knew of it then; None where the source gives no time, or as_of was asked
    ended    why its source used the key no more by then; None while it did
    """

    source: str
    object: str
    scope: str
    native_id: str
    source_key: str
    golden_id: GoldenId
    said_at: datetime | None = None
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class NameSaid:
    """A value that a source record held from one version until another, by the source's clock.

    said_from  None where the source gave no time
    said_to    None while it still says so, or where the source gave no time of the change
    is_said    whether the newest version says it
    """

    attribute: str
    value: str
    source_key: str
    said_from: datetime | None
    said_to: datetime | None
    recorded_from: datetime
    recorded_to: datetime | None

    @property
    def is_said(self) -> bool:
        """Tell whether the source says it still, as far as the hub knows."""
        return self.recorded_to is None


@dataclass(frozen=True, slots=True)
class VersionSaid:
    """One version of a source record: what its source said, and when."""

    record_id: RecordId
    source_key: str
    version: int
    state: str
    values: Mapping[str, Any]
    source_time: datetime | None
    recorded_at: datetime
