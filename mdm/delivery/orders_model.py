"""What people ask about deliveries, and what they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mdm.delivery.model import LaneState, OutcomeKind, Standing, TargetKind
from mdm.ids import GoldenId

LaneFilter = Literal["any", "ready", "failing", "waiting", "dead"]
# What can be left out: lanes that are parked, that fail, that wait for another record, or all of these.
SkipFilter = Literal["any", "failing", "waiting", "dead"]
OrderKind = Literal["replay", "skip"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lanes of a target are meant: of one golden record, or told or parked between two instants; else all.

    state  of those that are to be left out
    """

    golden_id: GoldenId | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: SkipFilter = "any"

    @property
    def names_told(self) -> bool:
        """Tell whether it names what was told already, by record or range."""
        return self.golden_id is not None or self.is_range

    @property
    def is_range(self) -> bool:
        """Tell whether it names a range of time."""
        return self.since is not None or self.until is not None


@dataclass(frozen=True, slots=True)
class Past:
    """Which outcomes are asked for; `before` is the place of the last one seen: when it was recorded, and its id."""

    golden_id: GoldenId | None = None
    outcome: OutcomeKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, int] | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody ordered, and how many lanes it reached."""

    id: str
    target_id: str
    kind: OrderKind | Literal["republish"]
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

    @property
    def waits(self) -> int:
        """Count what is still to be told by itself: parked lanes are a person's."""
        return self.ready + self.waiting


@dataclass(frozen=True, slots=True)
class TargetLine:
    """One target as a list of targets shows it; one of kind file has no standing.

    oldest_s  for how many seconds the oldest message could have been told and was not; None: nothing is late.
              Parked lanes do not count, nor what waits for another record, for an undo, or for the target's hours; nor
              the time before it was let run or be drained, and nothing is late that is not to be told.
    told_again_at  when its hours begin, outside of them; None: it is told now, or a person has to let it be told
    """

    id: str
    title: str
    kind: TargetKind
    entity_types: tuple[str, ...]
    configuration: Mapping[str, Any]
    standing: Standing | None
    depth: Depth
    oldest_s: float | None = None
    told_again_at: datetime | None = None


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
