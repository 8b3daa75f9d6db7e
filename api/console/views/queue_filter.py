"""What the queue shows, as the address of the page says it: read strictly, written back, and turned into a filter.

A part that is not understood is refused rather than left out: what is answered together is what the filter shows.
Scores are in whole percent, as people see them on a ring; a bound covers everything that is shown as that percent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import exp2, log2
from types import MappingProxyType
from typing import Final, cast
from urllib.parse import urlencode

from mdm.decisions.queue_model import QueueAsked
from mdm.decisions.review_model import RANKINGS, REVIEW_KINDS, Ranking, ReviewFilter
from mdm.entities.model import ReviewKind
from mdm.errors import InputInvalid

DUE_DAYS: Final[Mapping[str, float]] = MappingProxyType({"overdue": 0.0, "today": 1.0, "week": 7.0})
WHOSE: Final = ("mine", "free")
WAITING: Final[Mapping[str, bool]] = MappingProxyType({"yes": True, "no": False})
SOURCE_LENGTH_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Chosen:
    """Hold what somebody chose, in the words of the address; "" is any.

    low, high  percent, both included
    by         the order
    """

    type: str = ""
    kind: str = ""
    source: str = ""
    low: str = ""
    high: str = ""
    due: str = ""
    whose: str = ""
    waiting: str = ""
    by: str = "useful"

    @property
    def query(self) -> str:
        """Write it as the query of an address, without what is any."""
        return _query(self)

    @property
    def is_filtered(self) -> bool:
        """Tell whether anything is left out."""
        return replace(self, by="useful") != Chosen()


_FIRST: Final = ("by", "useful")


@lru_cache(256)
def _query(chosen: Chosen) -> str:
    """Write a query once: a page says it with every line of a list."""
    return urlencode({name: value for name, value in asdict(chosen).items() if value and (name, value) != _FIRST})


NAMES: Final = tuple(asdict(Chosen()))


def read_chosen(said: Mapping[str, str], entity_types: Sequence[str]) -> Chosen:
    """Read what an address or a form says; raises InputInvalid that names the part.

    entity_types  those that may be chosen
    """
    chosen = Chosen(**{name: said[name].strip() for name in NAMES if said.get(name, "").strip()})
    offered: Mapping[str, Sequence[str]] = {
        "type": entity_types,
        "kind": REVIEW_KINDS,
        "due": tuple(DUE_DAYS),
        "whose": WHOSE,
        "waiting": tuple(WAITING),
        "by": RANKINGS,
    }
    for name, words in offered.items():
        value = getattr(chosen, name)
        if value and value not in words:
            raise InputInvalid(f"{value[:80]!r} cannot be chosen here", remedy="choose from the lists", field=name)
    for name in ("low", "high"):
        value = getattr(chosen, name)
        if value and not (value.isascii() and value.isdigit() and 1 <= int(value[:4]) <= 99):
            raise InputInvalid("a score is 1 to 99 percent", remedy="write a whole number", field=name)
    if chosen.low and chosen.high and int(chosen.low) > int(chosen.high):
        raise InputInvalid("the score begins above its end", remedy="exchange the two", field="low")
    if len(chosen.source) > SOURCE_LENGTH_MAX:
        raise InputInvalid("no system has so long a name", remedy="choose from the list", field="source")
    return chosen


def asked_of(chosen: Chosen, entity_types: Sequence[str]) -> QueueAsked:
    """Turn a choice into a filter that lets through nothing but these entity types."""
    assert entity_types, "a filter without entity types would let everything through"
    wanted = ReviewFilter(
        entity_types=(chosen.type,) if chosen.type else tuple(entity_types),
        kinds=(cast("ReviewKind", chosen.kind),) if chosen.kind else (),
        source=chosen.source or None,
        bits=(_bits(chosen.low, -0.5), _bits(chosen.high, 0.5)),
        is_waiting=WAITING.get(chosen.waiting),
    )
    return QueueAsked(
        filter=wanted,
        ranking=cast("Ranking", chosen.by),
        due_within_days=DUE_DAYS.get(chosen.due),
        is_mine=chosen.whose == "mine",
        is_free=chosen.whose == "free",
    )


def to_keep(chosen: Chosen, entity_types: Sequence[str]) -> QueueAsked:
    """Turn a choice into a queue to be kept: without the limits of whoever keeps it."""
    asked = asked_of(chosen, entity_types)
    return asked if chosen.type else replace(asked, filter=replace(asked.filter, entity_types=()))


def chosen_in(asked: QueueAsked) -> Chosen:
    """Say a kept queue in the words of the address."""
    wanted = asked.filter
    low, high = wanted.bits
    return Chosen(
        type=next(iter(wanted.entity_types), ""),
        kind=next(iter(wanted.kinds), ""),
        source=wanted.source or "",
        low="" if low is None else str(round(100 * share_of(low) + 0.5)),
        high="" if high is None else str(round(100 * share_of(high) - 0.5)),
        due=next((name for name, days in DUE_DAYS.items() if days == asked.due_within_days), ""),
        whose="mine" if asked.is_mine else "free" if asked.is_free else "",
        waiting=next((name for name, is_so in WAITING.items() if is_so is wanted.is_waiting), ""),
        by=asked.ranking,
    )


def share_of(bits: float) -> float:
    """Say how likely two records are one, from 0 to 1, at so many bits."""
    return 1.0 / (1.0 + exp2(-max(-60.0, min(60.0, bits))))


def _bits(percent: str, beyond: float) -> float | None:
    if not percent:
        return None
    share = (int(percent) + beyond) / 100
    return log2(share / (1 - share))
