"""The state of the hub in one screen's worth of figures, and what waits for whoever looks.

What is the same for everybody with the same limits may be kept for some seconds; its age is told. Where a table is too
large to be counted for a page, the figure is an estimate and says so. Everything of the person is asked anew.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.access.limits import Limits
from mdm.db.transaction import snapshot
from mdm.decisions import answers_store, waiting_store
from mdm.decisions.ageing import in_words
from mdm.decisions.review_model import Pace, ReviewCount, Waiting
from mdm.history import service as history
from mdm.history.model import Sealed
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.publishing import store as publishing_store
from mdm.sources import counts_store, exceptions
from mdm.sources.exceptions_model import ExceptionFilter, ReasonGroup
from mdm.sources.service import instances
from mdm.stewardship.reviews import PACE_DAYS

KEPT_S: Final = 5.0  # chosen: a page that is looked at again and again costs the database one look in five seconds
STALE_DAYS: Final = 7  # chosen: every system of a firm changes something in a week
WAITING_MAX: Final = 10_000  # chosen: messages of a target that are counted; beyond it "more than" is as telling
GROUPS_MAX: Final = 12  # chosen: reasons of exceptions on one screen
HELD_KINDS: Final = frozenset({"join", "split"})


@dataclass(frozen=True, slots=True)
class RecordCount:
    """Source records of one source and entity type; is_estimate: taken from a sample."""

    source: str
    entity_type: str
    active: int
    deleted: int
    withdrawn: int
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class GoldenCount:
    """Golden records of one entity type.

    golden      active ones; None for whoever may see some sources only
    records     active source records, of the sources that may be seen
    duplicates  records less golden records: how many were found to be one with another
    """

    entity_type: str
    records: int
    golden: int | None
    duplicates: int | None
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class LastArrival:
    """When a source last told something that the hub did not know; None when it never did.

    is_stale  it has said nothing for a week, and is not retired
    """

    source: str
    title: str
    at: datetime | None
    is_stale: bool
    is_retired: bool


@dataclass(frozen=True, slots=True)
class WaitingMessages:
    """Golden records of which a target does not have the newest version; is_more: at least so many."""

    target: str
    count: int
    is_more: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What is the same for everybody with the same limits.

    held_proposals  joins and splits that matching asks for and policy holds
    horizon_age_s   how far back the latest instant lies about which every answer is settled
    """

    counted_at: datetime
    records: tuple[RecordCount, ...]
    golden: tuple[GoldenCount, ...]
    reviews: tuple[ReviewCount, ...]
    held_proposals: int
    exceptions_count: int
    exceptions: tuple[ReasonGroup, ...]
    arrivals: tuple[LastArrival, ...]
    messages: tuple[WaitingMessages, ...]
    audit: Sealed
    horizon_age_s: float
    team_pace: Pace

    @property
    def reviews_open(self) -> int:
        """Count the open reviews of all kinds."""
        return sum(one.count for one in self.reviews)

    @property
    def queue_hours(self) -> float | None:
        """Price the queue in hours of work from the median of real answers; None while nobody's time is known."""
        seconds = self.team_pace.seconds_median
        return None if seconds is None else self.reviews_open * seconds / 3_600


@dataclass(frozen=True, slots=True)
class HubState:
    """The state of the hub as one person sees it; age_s: how old the figures are, the person's own are of now."""

    figures: Figures
    age_s: float
    waiting: Waiting
    pace: Pace


@dataclass(slots=True)
class KeptFigures:
    """Figures kept for some seconds in one process, for each set of limits; made once where the pages are served."""

    seconds: float = KEPT_S
    _kept: dict[object, tuple[float, Figures]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, limits: Limits) -> tuple[Figures, float] | None:
        """Give figures that are young enough, and their age in seconds."""
        kept = self._kept.get(_key(limits))
        age_s = time.monotonic() - kept[0] if kept else self.seconds
        return (kept[1], age_s) if kept and age_s < self.seconds else None

    def keep(self, limits: Limits, figures: Figures) -> None:
        """Keep figures, and let go of those that are too old."""
        now = time.monotonic()
        with self._lock:
            self._kept = {key: one for key, one in self._kept.items() if now - one[0] < self.seconds}
            self._kept[_key(limits)] = (now, figures)


def state_of_the_hub(
    hub: Hub, who: str, limits: Limits, *, groups: Sequence[str] = (), kept: KeptFigures | None = None
) -> HubState:
    """Tell the state of the hub as far as the limits let somebody see it, and what waits for them.

    groups  names under which reviews are assigned to the person besides their own, as `group:emea`
    kept    where figures stay for a few seconds; without it they are counted anew
    """
    at = clock.now()
    with snapshot(hub.engine) as connection:
        found = kept.of(limits) if kept is not None else None
        figures, age_s = found or (_figures(connection, limits, at), 0.0)
        if kept is not None and found is None:
            kept.keep(limits, figures)
        waiting = waiting_store.select_waiting(
            connection, who, [who, *groups], limits, at=at, today_ends=clock.end_of_day(at.date())
        )
        pace = answers_store.select_pace(connection, who, at=at, days=PACE_DAYS)
    return HubState(figures, age_s, waiting, pace)


def _figures(connection: Connection, limits: Limits, at: datetime) -> Figures:
    horizon = clock.horizon(connection)
    records = _records(connection, limits)
    reviews = in_words(waiting_store.count_open_by_age(connection, limits, at=at))
    asked = ExceptionFilter(limits=limits)
    waiting = publishing_store.count_waiting(connection, up_to=WAITING_MAX + 1)
    return Figures(
        counted_at=at,
        records=records,
        golden=_golden(connection, limits, records),
        reviews=reviews,
        held_proposals=sum(one.count for one in reviews if one.kind in HELD_KINDS),
        exceptions_count=exceptions.count_by(connection, asked),
        exceptions=exceptions.grouped(connection, asked, limit=GROUPS_MAX),
        arrivals=_arrivals(connection, limits, {one.source for one in records}, at),
        messages=tuple(WaitingMessages(id_, min(n, WAITING_MAX), n > WAITING_MAX) for id_, n in waiting.items()),
        audit=history.sealed(connection),
        horizon_age_s=max(0.0, (at - horizon).total_seconds()),
        team_pace=answers_store.select_team_pace(connection, at=at, days=PACE_DAYS),
    )


def _records(connection: Connection, limits: Limits) -> tuple[RecordCount, ...]:
    counts, is_estimate = counts_store.select_record_counts(connection)
    places = sorted({(source, entity_type) for source, entity_type, _ in counts})
    found = []
    for source, entity_type in places:
        if limits.shows(entity_type, source):
            active, deleted, withdrawn = (
                counts.get((source, entity_type, state), 0) for state in ("active", "deleted", "withdrawn")
            )
            found.append(RecordCount(source, entity_type, active, deleted, withdrawn, is_estimate))
    return tuple(found)


def _golden(connection: Connection, limits: Limits, records: Iterable[RecordCount]) -> tuple[GoldenCount, ...]:
    active: dict[str, int] = {}
    is_estimate = False
    for one in records:
        active[one.entity_type] = active.get(one.entity_type, 0) + one.active
        is_estimate |= one.is_estimate
    goldens, is_golden_estimate = identity_store.estimate_goldens(connection)
    found = []
    for entity_type, count in sorted(active.items()):
        golden = goldens.get(entity_type, 0) if entity_type in limits.whole_types else None
        duplicates = None if golden is None else max(0, count - golden)
        found.append(GoldenCount(entity_type, count, golden, duplicates, is_estimate or is_golden_estimate))
    return tuple(found)


def _arrivals(connection: Connection, limits: Limits, seen: set[str], at: datetime) -> tuple[LastArrival, ...]:
    """Tell of the sources that hold something that may be seen; of all of them to whoever may see everything there."""
    last = counts_store.select_last_arrivals(connection)
    found = []
    for one in instances(connection):
        if limits.reaches(one.id) and (one.id in seen or one.id not in last):
            arrived = last.get(one.id)
            is_retired = one.retired_at is not None
            is_quiet = arrived is None or arrived < at - timedelta(days=STALE_DAYS)
            found.append(LastArrival(one.id, one.title, arrived, is_quiet and not is_retired, is_retired))
    return tuple(found)


def _key(limits: Limits) -> object:
    few_by_type = limits.sources_by_type
    return tuple((name, few and tuple(sorted(few))) for name, few in sorted(few_by_type.items(), key=itemgetter(0)))
