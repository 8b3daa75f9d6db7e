"""Queues that people keep, bands that are answered in the background, and how work on reviews goes: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Ranking, ReviewFilter
from mdm.ids import ReviewId

BandState = Literal["previewed", "waiting", "accepted", "done", "stopped"]


@dataclass(frozen=True, slots=True)
class QueueAsked:
    """What a kept queue shows: a filter, an order, and what only the day and the person who looks can say.

    due_within_days  only what is due in so many days; 0 means overdue
    is_mine          only what is assigned to whoever looks
    is_free          only what nobody else has claimed
    """

    filter: ReviewFilter = field(default_factory=ReviewFilter)
    ranking: Ranking = "useful"
    due_within_days: float | None = None
    is_mine: bool = False
    is_free: bool = False

    def as_seen(self, *, who: str, at: datetime) -> ReviewFilter:
        """Return the filter for somebody who looks now."""
        asked = self.filter
        if self.due_within_days is not None:
            asked = replace(asked, due_before=at + timedelta(days=self.due_within_days))
        if self.is_mine:
            asked = replace(asked, assignee=who)
        return replace(asked, free_for=who) if self.is_free else asked


@dataclass(frozen=True, slots=True)
class SavedQueue:
    """A queue that somebody keeps under a name, for themselves or for all."""

    id: str
    name: str
    asked: QueueAsked
    is_shared: bool
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A review of a band, and the golden versions that it was shown with."""

    review_id: ReviewId
    expected: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A review of a band that was not answered, and why."""

    review_id: ReviewId
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Band:
    """Reviews that get one answer: looked at, accepted, carried out piece by piece.

    chosen      what is answered, in this order
    sample      the reviews of it that were shown
    position    how many of them are done with
    settled_by  who accepted it, or approved it as the second person
    """

    id: str
    entity_type: str
    asked: Mapping[str, Any]
    verdict: Verdict
    chosen: tuple[Shown, ...]
    sample: tuple[ReviewId, ...]
    seed: int
    waits_because: str
    state: BandState
    position: int
    answered: int
    skipped: tuple[Skipped, ...]
    recorded_at: datetime
    who: str
    settled_at: datetime | None = None
    settled_by: str | None = None
    ended_at: datetime | None = None
    ended_because: str | None = None


@dataclass(frozen=True, slots=True)
class BandLine:
    """A band in a list: what it answers, how far it is, who stands behind it; of what it chose, the number."""

    id: str
    entity_type: str
    verdict: Verdict
    waits_because: str
    state: BandState
    size: int
    position: int
    answered: int
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Medians:
    """Median seconds from claim to answer of the last thirty days, for clear and for hard pairs; None: none timed."""

    clear_seconds: float | None
    hard_seconds: float | None


@dataclass(frozen=True, slots=True)
class QueueSize:
    """How many reviews a queue holds: pairs whose odds are beyond 16 to 1 either way, and those between."""

    clear: int
    hard: int

    @property
    def count(self) -> int:
        """Count them all."""
        return self.clear + self.hard

    def seconds(self, medians: Medians) -> float | None:
        """Tell how long answering them takes at these medians; where one is not known, the other stands in for it."""
        clear = medians.clear_seconds if medians.clear_seconds is not None else medians.hard_seconds
        hard = medians.hard_seconds if medians.hard_seconds is not None else medians.clear_seconds
        return None if clear is None or hard is None else self.clear * clear + self.hard * hard


@dataclass(frozen=True, slots=True)
class AgeBar:
    """One bar of the ageing of open reviews: younger than `days_below` and not in an earlier bar; None: all older."""

    days_below: int | None
    count: int
    overdue: int


@dataclass(frozen=True, slots=True)
class StewardDay:
    """How somebody's day goes; the median seconds from claim to answer are of the last thirty days.

    answered      reviews answered since the day began, bulk answers among them
    still_due     open reviews of theirs, or of nobody's, that are due by the end of the day
    clear, hard   median seconds for pairs whose odds are beyond 16 to 1 either way, and for those between
    """

    answered: int
    still_due: int
    clear_count: int
    clear_seconds_median: float | None
    hard_count: int
    hard_seconds_median: float | None

    @property
    def day_queue(self) -> int:
        """Count what the day asks of them: what they have answered and what is still due."""
        return self.answered + self.still_due
