"""A steward's desk: what is to be answered next, by name, how the day goes, and taking a card into one's hand.

The queue here is what somebody may work on now: nobody else's, not waiting for a second person. What lies near the
line, where an answer teaches most, comes first; the ranking of the queue decides among those.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.db.transaction import reading, run
from mdm.decisions import answers_store, reviews_store
from mdm.decisions.queue_model import QueueAsked
from mdm.decisions.review_model import Place, Ranking, Review, ReviewFilter
from mdm.hub import Hub
from mdm.ids import GoldenId, ReviewId
from mdm.sources import store as sources_store
from mdm.stewardship import desk_store

LINES_MAX: Final = 12  # chosen: what stands beside the card without scrolling
WAITING_MAX: Final = 3  # chosen: answers of others that are shown to whoever may approve them
COUNT_MAX: Final = 1_000  # chosen: nobody works off more in a day
NEAR_BITS: Final = 4.0  # chosen: odds of up to 16 to 1 either way are near the line
_PAGE: Final = 16  # chosen: a few of them may be skipped; what colleagues hold is left out by the question
_PAGES_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class DeskLine:
    """One review of the list, with the names of its two sides."""

    review: Review
    left_name: str
    right_name: str

    @property
    def is_near(self) -> bool:
        """Tell whether the odds lie near the line."""
        return abs(self.review.bits) <= NEAR_BITS


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies on the desk of somebody.

    lines     to be answered, in the order in which they are dealt
    waiting   answered by somebody else, waiting for a second person
    opened    open reviews that they may answer, COUNT_MAX for as many or more
    answered  their answers since the day began
    """

    lines: tuple[DeskLine, ...] = ()
    waiting: tuple[DeskLine, ...] = ()
    opened: int = 0
    answered: int = 0


def desk(
    hub: Hub,
    connection: Connection,
    *,
    who: str,
    entity_types: Collection[str] | None,
    skipping: Sequence[ReviewId] = (),
    asked: QueueAsked | None = None,
) -> Desk:
    """Lay out the desk of somebody; no entity types mean that there is nothing for them, None means all.

    skipping  reviews they skipped lately: they come last, the first skipped first
    asked     a queue that they work through in its own order, and nothing beside it; within their entity types
    """
    if entity_types is not None and not entity_types:
        return Desk()
    if asked is not None:
        return _desk_of_queue(hub, connection, asked, who, skipping)
    types = tuple(sorted(entity_types or ()))
    free = _free(connection, ReviewFilter(entity_types=types, is_waiting=False, free_for=who), who, frozenset(skipping))
    skipped = reviews_store.select_reviews_by_id(connection, skipping) if skipping else {}
    again = [skipped[id_] for id_ in skipping if id_ in skipped and _is_free(skipped[id_], who, entity_types)]
    chosen = [*free, *again][:LINES_MAX]
    day_so_far = desk_store.select_day(connection, who, types or None, since=_day(), limit=COUNT_MAX)
    waiting: Sequence[Review] = ()
    if day_so_far.is_any_waiting:
        answered = ReviewFilter(entity_types=types, is_waiting=True)
        waiting = reviews_store.select_reviews(connection, answered, limit=WAITING_MAX)
    lines = _named(hub, connection, [*chosen, *waiting])
    return Desk(lines[: len(chosen)], lines[len(chosen) :], day_so_far.opened, day_so_far.answered)


def _desk_of_queue(hub: Hub, connection: Connection, asked: QueueAsked, who: str, skipping: Sequence[ReviewId]) -> Desk:
    seen = asked.as_seen(who=who, at=clock.now())
    seen = replace(seen, state="open", is_waiting=bool(seen.is_waiting), free_for=who)
    found = _in_order(connection, seen, asked.ranking, who, frozenset(skipping))
    by_id = {review.id: review for review in found}
    again = [by_id[id_] for id_ in skipping if id_ in by_id]
    fresh = [review for review in found if review.id not in set(skipping)]
    day_so_far = desk_store.select_day(connection, who, None, since=_day(), limit=COUNT_MAX)
    return Desk(
        _named(hub, connection, [*fresh, *again][:LINES_MAX]),
        opened=min(reviews_store.count_reviews(connection, seen), COUNT_MAX),
        answered=day_so_far.answered,
    )


def _day() -> datetime:
    return clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def take(hub: Hub, review_id: ReviewId, *, who: str, leaving: Collection[ReviewId] = ()) -> bool:
    """Claim a review for who opens it, and give back those that they leave; False where it is not to be had."""
    period = timedelta(minutes=hub.settings.review_claim_minutes)
    return run(
        hub.engine, lambda connection: desk_store.take_claim(connection, review_id, leaving, who=who, period=period)
    )


def last_answered(hub: Hub, *, who: str) -> tuple[ReviewId, datetime] | None:
    """Name the review of the last answer that somebody could take back, and when it was given."""
    with reading(hub.engine) as connection:
        answer = answers_store.select_last_answer(connection, who)
    return (answer.review_id, answer.recorded_at) if answer is not None else None


def _free(connection: Connection, asked: ReviewFilter, who: str, skipped: frozenset[ReviewId]) -> list[Review]:
    """Read what somebody may work on and has not skipped, most useful first; then what is near the line first."""
    found = [one for one in _in_order(connection, asked, "useful", who, skipped) if one.id not in skipped]
    return sorted(found, key=lambda review: (review.assignee != who, abs(review.bits) > NEAR_BITS))


def _in_order(
    connection: Connection, asked: ReviewFilter, ranking: Ranking, who: str, skipped: frozenset[ReviewId]
) -> list[Review]:
    """Read what somebody may work on page by page, until there is enough that they have not skipped."""
    found: list[Review] = []
    after: Place | None = None
    for _ in range(_PAGES_MAX):
        page = reviews_store.select_reviews(connection, asked, ranking=ranking, after=after, limit=_PAGE)
        found += [review for review in page if _is_free(review, who, None, is_waiting=bool(asked.is_waiting))]
        if len(page) < _PAGE or sum(review.id not in skipped for review in found) >= LINES_MAX:
            break
        after = page[-1].place_in(ranking)
    return found


def _is_free(review: Review, who: str, entity_types: Collection[str] | None, *, is_waiting: bool = False) -> bool:
    """Tell whether somebody may work on a review now: it is nobody else's, and an answer waits or none does."""
    is_theirs = review.assignee in (None, who) or str(review.assignee).startswith("group:")
    is_in_reach = entity_types is None or review.entity_type in entity_types
    is_open = review.state == "open" and (review.answer_id is not None) == is_waiting
    return is_open and is_theirs and is_in_reach and review.claimed_by in (None, who)


def _named(hub: Hub, connection: Connection, reviews: Sequence[Review]) -> tuple[DeskLine, ...]:
    pairs = [review for review in reviews if review.left_golden_id != review.right_golden_id]
    golden_ids = {GoldenId(id_) for one in pairs for id_ in (one.left_golden_id, one.right_golden_id) if id_}
    pair_ids = {review.id for review in pairs}
    record_ids = {id_ for one in reviews if one.id not in pair_ids for id_ in one.pair}
    values = desk_store.select_values(connection, golden_ids) if golden_ids else {}
    records = sources_store.select_records(connection, record_ids) if record_ids else ()
    values |= {record.id: record.values for record in records}
    lines = []
    for one in reviews:
        sides = (one.left_golden_id, one.right_golden_id) if one.id in pair_ids else one.pair
        names = [hub.entity_type(one.entity_type).name_of(values.get(str(side), {})) for side in sides]
        lines.append(DeskLine(one, names[0] or one.left_key, names[1] or one.right_key))
    return tuple(lines)
