"""Routes of queues that people keep under a name: a filter and an order, for themselves or for all."""

from dataclasses import replace

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from api.dependencies import Asker, Caller, TheHub, Unsafe
from api.pagination import PAGE_SIZE, After, Limit
from api.route import HubRoute
from api.routes.reviews import ranked, read_place
from api.schemas.queues import EndedTold, QueueAskedFor, QueueFilter, QueuesTold, QueueTold
from api.schemas.reviews import ReviewTold
from api.schemas.shape import Page
from mdm.decisions.queue_model import QueueAsked, SavedQueue
from mdm.decisions.review_model import ReviewFilter
from mdm.errors import QueueUnknown
from mdm.hub import Hub
from mdm.stewardship import queues

router = APIRouter(route_class=HubRoute, tags=["Reviews"])


@router.get("/v1/queues", operation_id="list_queues", response_model_exclude_none=True)
def list_queues(hub: TheHub, asker: Asker) -> QueuesTold:
    """List the queues that the asker keeps, and those that others share."""
    return QueuesTold(rows=[_told(one) for one in queues.list_queues(hub, who=asker.name)])


@router.post("/v1/queues", operation_id="keep_queue", response_model=QueueTold, status_code=201)
def keep_queue(asked: QueueAskedFor, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Keep a queue under a name; one of the asker's of that name gives way."""
    for name in asked.asked.entity_types:
        hub.entity_type(name)
    wanted = _asked(asked.asked, asked)

    def effect(connection: Connection) -> QueueTold:
        kept = queues.save_queue(connection, asked.name, wanted, who=asker.name, is_shared=asked.is_shared)
        return _told(kept)

    return once(effect, status=201)


@router.delete("/v1/queues/{queue_id}", operation_id="end_queue", response_model=EndedTold)
def end_queue(queue_id: str, asker: Asker, once: Unsafe) -> Response:
    """Keep a queue of the asker's no longer; somebody else's is theirs to end."""

    def effect(connection: Connection) -> EndedTold:
        if not queues.end_queue(connection, queue_id, who=asker.name):
            raise QueueUnknown(queue_id, remedy="only one's own queue can be ended, and only once")
        return EndedTold(id=queue_id, ended=True)

    return once(effect)


@router.get("/v1/queues/{queue_id}/reviews", operation_id="read_queue", response_model_exclude_none=True)
def read_queue(
    queue_id: str, hub: TheHub, asker: Asker, after: After = None, limit: Limit = PAGE_SIZE
) -> Page[ReviewTold]:
    """List the reviews of a queue as the asker sees it now, in its order; only entity types within the key's scope."""
    queue = queues.get_queue(hub, queue_id, who=asker.name)
    asked = _within(hub, asker, queue.asked)
    of = f"queue {queue.id} {asked}"
    seen = read_place(after, of, asked.ranking)
    found = queues.queue_page(hub, asked, who=asker.name, after=seen, limit=limit + 1)
    return ranked(found, limit, of, asked.ranking)


def _within(hub: Hub, asker: Caller, asked: QueueAsked) -> QueueAsked:
    """Narrow a queue to the entity types that the asker may answer; raises Forbidden when none is left."""
    wanted = asked.filter.entity_types or tuple(hub.declared)
    own = tuple(name for name in wanted if asker.principal.may("steward", entity_type=name))
    if not own:
        asker.require("steward", entity_type=wanted[0])
    return replace(asked, filter=replace(asked.filter, entity_types=own))


def _asked(wanted: QueueFilter, asked: QueueAskedFor) -> QueueAsked:
    return QueueAsked(
        filter=ReviewFilter(
            entity_types=wanted.entity_types,
            kinds=wanted.kinds,
            source=wanted.source,
            bits=(wanted.bits_min, wanted.bits_max),
            stake=(wanted.stake_min, wanted.stake_max),
            is_waiting=wanted.is_waiting,
        ),
        ranking=asked.ranking,
        due_within_days=wanted.due_within_days,
        is_mine=wanted.is_mine,
        is_free=wanted.is_free,
    )


def _told(queue: SavedQueue) -> QueueTold:
    asked, wanted = queue.asked, queue.asked.filter
    return QueueTold(
        id=queue.id,
        name=queue.name,
        asked=QueueFilter(
            entity_types=tuple(wanted.entity_types),
            kinds=tuple(wanted.kinds),
            source=wanted.source,
            bits_min=wanted.bits[0],
            bits_max=wanted.bits[1],
            stake_min=wanted.stake[0],
            stake_max=wanted.stake[1],
            is_waiting=wanted.is_waiting,
            due_within_days=asked.due_within_days,
            is_mine=asked.is_mine,
            is_free=asked.is_free,
        ),
        ranking=asked.ranking,
        is_shared=queue.is_shared,
        recorded_at=queue.recorded_at,
        who=queue.who,
    )
