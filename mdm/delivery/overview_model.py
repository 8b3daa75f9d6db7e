"""What people look at of targets: the last day hour by hour, what is held there, who knows a golden record. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mdm.delivery.model import LaneState, TargetKind

HOURS = 24


@dataclass(frozen=True, slots=True)
class Hour:
    """What became of a target's messages within one hour that begins at an instant.

    told      golden records that it was told of, or that it held already
    parked    that were given up until somebody looks
    left_out  that somebody left out
    waiting   that waited still when the hour ended, parked ones aside; of the present hour: that wait now
    """

    at: datetime
    told: int
    parked: int
    left_out: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Day:
    """The last day of a target, the oldest hour first.

    is_whole  False where so much was told that only its newest part was counted
    """

    hours: tuple[Hour, ...]
    is_whole: bool = True

    @property
    def told(self) -> int:
        """Count what it was told of in all."""
        return sum(hour.told for hour in self.hours)


@dataclass(frozen=True, slots=True)
class Holding:
    """What a target holds as far as the hub knows.

    records  its records that the hub writes, by their state
    frozen   attributes of golden records that it is told of, kept still because systems kept replacing them
    """

    records: Mapping[str, int]
    frozen: int


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What one target was told of one golden record.

    told_at  when it was told last; None where no message of its own says so, as for files
    """

    target_id: str
    title: str
    kind: TargetKind
    acknowledged: int
    head: int
    state: LaneState
    failure_reason: str | None
    told_at: datetime | None
