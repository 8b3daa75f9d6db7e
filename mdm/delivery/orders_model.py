"""What people ask about deliveries, and what they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mdm.delivery.model import LaneState, OutcomeKind, Standing
from mdm.ids import GoldenId

LaneFilter = Literal["any", "ready", "failing", "waiting", "dead"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lanes of a target are meant: of one golden record, or told between two instants; all when left out."""

    golden_id: GoldenId | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody ordered, and how many lanes it reached."""

    id: str
    target_id: str
    kind: Literal["replay", "skip"]
    lanes: int
    reason: str


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits for a target: golden records by the state of their lanes; `failing` are among the ready."""

    ready: int = 0
    waiting: int = 0
    dead: int = 0
    failing: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TargetLine:
    """One target as a list of targets shows it; one of kind file has no standing."""

    id: str
    title: str
    kind: str
    entity_types: tuple[str, ...]
    standing: Standing | None
    depth: Depth


@dataclass(frozen=True, slots=True)
class LaneLine:
    """A lane that has something to tell."""

    target_id: str
    golden_id: GoldenId
    entity_type: str
    state: LaneState
    head: int
    acknowledged: int
    attempts: int
    due_at: datetime
    queued_at: datetime
    failing_since: datetime | None
    failure_kind: str | None
    failure_reason: str | None
    waits_for: GoldenId | None


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """What became of the messages of one golden record up to a version."""

    id: int
    target_id: str
    golden_id: GoldenId
    version: int
    outcome: OutcomeKind
    attempts: int
    failure_kind: str | None
    reason: str
    details: Mapping[str, Any]
    queued_at: datetime
    recorded_at: datetime
    who: str
