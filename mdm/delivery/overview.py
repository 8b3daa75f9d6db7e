"""Use cases of people who look at targets: how the last day went, what a target holds, who knows a golden record."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from mdm.delivery import overview_store as store
from mdm.delivery.declaration import declaration_of
from mdm.delivery.orders import target_lines
from mdm.delivery.orders_model import TargetLine
from mdm.delivery.overview_model import HOURS, Day, Holding, Hour, Knowledge
from mdm.gauges import TargetReading
from mdm.ids import GoldenId

OUTCOMES_MAX: Final = 100_000  # chosen: of one target in one picture; 0.05 s of the database's processor time
KEPT_S: Final = 5.0  # chosen: a scrape every 15 s and somebody who watches ask the database once in 5 s at most


def day_of(connection: Connection, target_ids: Sequence[str], *, now: datetime) -> dict[str, Day]:
    """Give the last 24 hours of targets, the present one included: what they were told, and what waited at its end."""
    since = now - timedelta(hours=HOURS)
    told: defaultdict[str, list[tuple[str, int, int, int]]] = defaultdict(list)
    for row in store.select_told_by_hour(connection, target_ids, since=since, limit=OUTCOMES_MAX):
        told[row.target_id].append((row.outcome, row.hour, row.queued_hour, row.n))
    waiting: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in store.select_waiting_by_hour(connection, target_ids, since=since):
        waiting[row.target_id].append((row.queued_hour, row.n))
    return {id_: _day(since, told[id_], waiting[id_]) for id_ in target_ids}


def holding_of(connection: Connection, target_id: str) -> Holding:
    """Say what a target holds as far as the hub knows."""
    records = store.select_record_states(connection, target_id)
    return Holding(records, store.count_frozen(connection, target_id))


def knowledge_of(connection: Connection, golden_id: GoldenId) -> tuple[tuple[Knowledge, tuple[str, ...]], ...]:
    """Say what each target was told of a golden record, beside the entity types that the target is told of."""
    return tuple(
        (
            Knowledge(
                row.id,
                row.id if row.kind == "file" else declaration_of(row.configuration).title,
                row.kind,
                row.acknowledged,
                row.head,
                row.state,
                row.failure_reason,
                row.told_at,
            ),
            tuple(row.entity_types),
        )
        for row in store.select_knowledge(connection, golden_id)
    )


def _day(since: datetime, told: Sequence[tuple[str, int, int, int]], waiting: Sequence[tuple[int, int]]) -> Day:
    by_hour: Counter[tuple[str, int]] = Counter()
    standing: Counter[int] = Counter()
    for outcome, hour, queued_hour, n in told:
        # A clock that is a moment ahead of ours belongs to the present hour.
        ended = min(hour, HOURS - 1)
        by_hour[_word(outcome), ended] += n
        for between in range(max(0, queued_hour), ended):
            standing[between] += n
    for queued_hour, n in waiting:
        for between in range(max(0, min(queued_hour, HOURS - 1)), HOURS):
            standing[between] += n
    hours = tuple(
        Hour(
            since + timedelta(hours=place),
            by_hour["told", place],
            by_hour["parked", place],
            by_hour["left_out", place],
            standing[place],
        )
        for place in range(HOURS)
    )
    return Day(hours, sum(n for *_, n in told) < OUTCOMES_MAX)


def _word(outcome: str) -> str:
    return {"dead": "parked", "skipped": "left_out"}.get(outcome, "told")


@dataclass(slots=True)
class KeptTargets:
    """How all targets stand, kept for some seconds in one process: made once where it is served."""

    seconds: float = KEPT_S
    _kept: tuple[float, tuple[TargetLine, ...]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lines(self, connection: Connection) -> tuple[TargetLine, ...]:
        """Give every target with how it stands; whoever asks meanwhile waits for the same answer."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] >= self.seconds:
                self._kept = (time.monotonic(), target_lines(connection))
            return self._kept[1]


def readings_of(connection: Connection, lines: Sequence[TargetLine]) -> tuple[TargetReading, ...]:
    """Give what a scrape tells of targets."""
    frozen = store.count_frozen_by_target(connection)
    return tuple(
        TargetReading(
            line.id,
            {"ready": line.depth.ready, "waiting": line.depth.waiting, "dead": line.depth.dead},
            line.depth.failing,
            line.oldest_s,
            line.standing.state if line.standing is not None else "",
            line.standing.failures if line.standing is not None else 0,
            frozen.get(line.id, 0),
            is_outside_hours=line.told_again_at is not None,
        )
        for line in lines
    )
