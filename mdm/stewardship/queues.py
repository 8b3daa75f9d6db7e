"""Queues that people keep, how their day goes, and how old the open questions are."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.db.transaction import reading, run
from mdm.decisions import queues_store, reviews_store
from mdm.decisions.ageing import in_bars
from mdm.decisions.queue_model import AgeBar, BandLine, Medians, QueueAsked, QueueSize, SavedQueue, StewardDay
from mdm.decisions.review_model import Place, Review, ReviewFilter
from mdm.errors import InputInvalid, QueueUnknown
from mdm.hub import Hub
from mdm.ids import new_queue_id
from mdm.stewardship.reviews import PACE_DAYS

NAME_LENGTH_MAX: Final = 80  # chosen: a line of the page
QUEUES_MAX: Final = 50  # chosen: more than a person remembers
BANDS_LISTED: Final = timedelta(days=1)  # chosen: what became of yesterday's bands is still asked today
BANDS_MAX: Final = 20  # chosen: more than a team has under way


def save_queue(
    connection: Connection, name: str, asked: QueueAsked, *, who: str, is_shared: bool = False
) -> SavedQueue:
    """Keep a queue under a name; one's own queue of that name gives way. Raises InputInvalid."""
    name = " ".join(name.split())
    if not (0 < len(name) <= NAME_LENGTH_MAX and name.isprintable()):
        raise InputInvalid(
            f"the name of a queue has 1 to {NAME_LENGTH_MAX} printable characters",
            remedy="choose another",
            field="name",
        )
    own = {one.name for one in queues_store.select_queues(connection, who) if one.who == who}
    if name not in own and len(own) >= QUEUES_MAX:
        raise InputInvalid(f"{who} keeps {QUEUES_MAX} queues already", remedy="end one of them first", field="name")
    queue = SavedQueue(new_queue_id(), name, asked, is_shared, clock.recording_instant(connection), who)
    queues_store.insert_queue(connection, queue)
    return queue


def list_queues(hub: Hub, *, who: str) -> tuple[SavedQueue, ...]:
    """List the queues somebody may use: their own, then what others share, by name."""
    with reading(hub.engine) as connection:
        return queues_store.select_queues(connection, who)


def get_queue(hub: Hub, queue_id: str, *, who: str) -> SavedQueue:
    """Return one of the queues somebody may use; raises QueueUnknown."""
    for queue in list_queues(hub, who=who):
        if queue.id == queue_id:
            return queue
    raise QueueUnknown(queue_id)


def end_queue(connection: Connection, queue_id: str, *, who: str) -> bool:
    """End a queue of one's own; tell whether there was one. Somebody else's is theirs to end."""
    return queues_store.end_queue(connection, queue_id, at=clock.recording_instant(connection), who=who)


def queue_page(
    hub: Hub, asked: QueueAsked, *, who: str, after: Place | None = None, limit: int = 50
) -> tuple[Review, ...]:
    """Give a page of a queue as somebody sees it now.

    after  `place_in` of the last review of the page before, in the order of the queue
    """
    seen = asked.as_seen(who=who, at=clock.now())
    with reading(hub.engine) as connection:
        return reviews_store.select_reviews(connection, seen, ranking=asked.ranking, after=after, limit=limit)


def steward_day(hub: Hub, *, who: str, day: datetime) -> StewardDay:
    """Tell how the day that began at an instant goes for somebody, and how fast they answer clear and hard pairs."""
    at = clock.now()
    return run(hub.engine, lambda connection: queues_store.select_day(connection, who, day=day, at=at, days=PACE_DAYS))


def ageing(hub: Hub, entity_types: Sequence[str] = ()) -> tuple[AgeBar, ...]:
    """Count open reviews by age, youngest bar first; no entity types mean all."""
    at = clock.now()
    with reading(hub.engine) as connection:
        return in_bars(reviews_store.count_by_age(connection, ReviewFilter(entity_types=tuple(entity_types)), at=at))


def queue_size(hub: Hub, asked: QueueAsked, *, who: str) -> QueueSize:
    """Count the reviews of a queue as somebody sees it now, clear and hard ones."""
    seen = asked.as_seen(who=who, at=clock.now())
    with reading(hub.engine) as connection:
        clear, hard = reviews_store.count_clear_and_hard(connection, seen, clear_bits=queues_store.CLEAR_BITS)
    return QueueSize(clear, hard)


def team_medians(hub: Hub) -> Medians:
    """Tell how fast everybody together answers, from what the last thirty days were timed."""
    since = clock.now() - timedelta(days=PACE_DAYS)
    with reading(hub.engine) as connection:
        return queues_store.select_medians(connection, since=since)


def answers_by_day(hub: Hub, *, who: str, until: datetime, days: int = 14) -> tuple[int, ...]:
    """Count the reviews that somebody answered on each of the last days, the day that ends at an instant last."""
    with reading(hub.engine) as connection:
        return queues_store.count_answers_by_day(connection, who, until=until, days=days)


def list_bands(hub: Hub, entity_types: Sequence[str]) -> tuple[BandLine, ...]:
    """List the bands of these entity types that wait, are under way, or ended within a day; newest first."""
    since = clock.now() - BANDS_LISTED
    with reading(hub.engine) as connection:
        return queues_store.select_bands(connection, entity_types, since=since, limit=BANDS_MAX)
