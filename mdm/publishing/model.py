"""Events of the change feed, targets, and the rows that a target is given: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mdm.decisions.review_model import ReviewEventKind
from mdm.ids import GoldenId, ReviewId

GoldenEventKind = Literal[
    "golden_record.created",
    "golden_record.changed",
    "golden_record.split",
    "golden_record.forwarded",
    "golden_record.retired",
]
EventKind = Literal[GoldenEventKind, ReviewEventKind]


@dataclass(frozen=True, slots=True)
class Event:
    """One committed golden version, or one turn of a review, as the change feed tells it; `position` is its place.

    details  those of a golden version as `details.told` writes them, those of a review as its turn gave them
    """

    kind: EventKind
    entity_type: str
    golden_id: GoldenId | None
    version: int | None
    details: Mapping[str, Any]
    recorded_at: datetime
    who: str
    position: tuple[int, int]
    review_id: ReviewId | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who is told of golden versions; a file target is a folder with a file for each source instance.

    configuration  folder, and follows_new_types where an entity type declared later shall be added by itself
    """

    id: str
    kind: Literal["file", "records", "webhook", "nats", "rabbitmq", "kafka"]
    entity_types: tuple[str, ...]
    configuration: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lane:
    """How far a target is told of one golden record."""

    target_id: str
    golden_id: GoldenId
    head: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A source record beside what its golden record shows: the newest version whose publishing is not held."""

    object: str
    scope: str
    native_id: str
    golden_id: GoldenId
    version: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Synced:
    """What one round did for a target: records written by file name, golden records acknowledged, or why it failed."""

    target_id: str
    files: Mapping[str, int]
    acknowledged: int
    failure: str | None = None
