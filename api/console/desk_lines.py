"""The list beside a card, line by line. From one card to the next nearly all lines stay as they are: each is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from markupsafe import Markup

from api.console.drawings.ring import ring
from api.console.render import environment, words_of
from api.console.visit import Visit
from mdm.stewardship.card_model import probability
from mdm.stewardship.desk import Desk, DeskLine

_KEPT_MAX: Final = 1_000  # chosen: the lists of eighty people at work; a line takes 1 KB


@dataclass(frozen=True, slots=True)
class Entry:
    """All that a line shows.

    due         until when it is due, in words; "" for one that is not due at any time
    is_given    it waits for a second person
    is_here     it is the card beside the list
    """

    review_id: str
    query: str
    left_name: str
    right_name: str
    bits: float
    entity_type: str
    kind: str
    due: str
    is_overdue: bool
    is_given: bool
    is_yours: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a desk: in the order in which they are dealt, or as those near the line and the rest."""

    in_order: tuple[Markup, ...]
    near: tuple[Markup, ...]
    later: tuple[Markup, ...]
    waiting: tuple[Markup, ...]


def lines_of(visit: Visit, desk: Desk, *, query: str, shown_id: str, now: datetime) -> Lines:
    """Write the list of a desk for a visit; `query` names the queue that is worked through."""

    def written(lines: Sequence[DeskLine], *, is_given: bool = False) -> tuple[Markup, ...]:
        entries = (
            _entry(visit, line, query, now, is_given=is_given, is_here=line.review.id == shown_id) for line in lines
        )
        return tuple(_written(visit.language, entry) for entry in entries)

    in_order = written(desk.lines)
    both = list(zip(desk.lines, in_order, strict=True))
    return Lines(
        in_order,
        tuple(entry for line, entry in both if line.is_near),
        tuple(entry for line, entry in both if not line.is_near),
        written(desk.waiting, is_given=True),
    )


def _entry(visit: Visit, line: DeskLine, query: str, now: datetime, *, is_given: bool, is_here: bool) -> Entry:
    review = line.review
    return Entry(
        review_id=review.id,
        query=query,
        left_name=line.left_name,
        right_name=line.right_name,
        bits=review.bits,
        entity_type=review.entity_type,
        kind=review.kind,
        due=words_of(visit).age(review.due_at, now) if review.due_at else "",
        is_overdue=review.due_at is not None and review.due_at < now,
        is_given=is_given,
        is_yours=review.assignee == visit.who,
        is_here=is_here,
    )


@lru_cache(maxsize=_KEPT_MAX)
def _written(language: str, entry: Entry) -> Markup:
    drawn = ring(probability(entry.bits))
    text = environment(language).get_template("review_entry.html").render(one=entry, ring=drawn)
    return Markup(text)  # noqa: S704 -- a template of ours, which escapes what it shows
