"""How long questions have waited: one scale of ages, told in words or drawn as bars. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mdm.decisions.queue_model import AgeBar
from mdm.decisions.review_model import AgeName, ReviewCount
from mdm.entities.model import ReviewKind

AGE_DAYS: Final = (1, 3, 7, 14, 30, 90)  # chosen: a day, half a week, a week, and on to a quarter
# Each word ends where a bar of the scale ends.
_WORDS: Final[Sequence[tuple[int, AgeName]]] = ((1, "day"), (7, "week"), (30, "month"))


@dataclass(frozen=True, slots=True)
class AgedCount:
    """How many reviews of a kind fall into a bar of the scale, by its place from the youngest on."""

    entity_type: str
    kind: ReviewKind
    place: int
    count: int
    overdue: int
    claimed: int
    waiting: int

    @property
    def word(self) -> AgeName:
        """Say the age in a word."""
        if self.place == len(AGE_DAYS):
            return "older"
        return next((word for days, word in _WORDS if AGE_DAYS[self.place] <= days), "older")


def in_words(counts: Iterable[AgedCount]) -> tuple[ReviewCount, ...]:
    """Count by entity type, kind and word of age, in that order."""
    found: dict[tuple[str, ReviewKind, AgeName], list[int]] = {}
    for one in counts:
        sums = found.setdefault((one.entity_type, one.kind, one.word), [0, 0, 0, 0])
        for place, more in enumerate((one.count, one.overdue, one.claimed, one.waiting)):
            sums[place] += more
    return tuple(ReviewCount(*key, *found[key]) for key in sorted(found))


def in_bars(counts: Iterable[AgedCount]) -> tuple[AgeBar, ...]:
    """Count by the scale, youngest bar first, also the empty ones."""
    sums = [[0, 0] for _ in range(len(AGE_DAYS) + 1)]
    for one in counts:
        sums[one.place][0] += one.count
        sums[one.place][1] += one.overdue
    return tuple(AgeBar(below, *sums[place]) for place, below in enumerate((*AGE_DAYS, None)))
