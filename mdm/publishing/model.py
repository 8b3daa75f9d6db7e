"""Events of the change feed, targets, and the rows that a target is given: plain values."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mdm.decisions.review_model import ReviewEventKind
from mdm.identity.model import IdentityPlan
from mdm.ids import GoldenId, ReviewId
from mdm.survivorship.model import GoldenVersion

GoldenEventKind = Literal[
    "golden_record.created",
    "golden_record.changed",
    "golden_record.split",
    "golden_record.forwarded",
    "golden_record.retired",
]
EventKind = Literal[GoldenEventKind, ReviewEventKind]


@dataclass(frozen=True, slots=True)
class News:
    """What a change of identity or values made of golden records.

    regrouped  golden records between which records moved in the same transaction; versions that point at one of them
               follow from that, and an undo takes them back with it
    """

    plan: IdentityPlan
    versions: Sequence[GoldenVersion]
    regrouped: AbstractSet[GoldenId] = frozenset()


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
