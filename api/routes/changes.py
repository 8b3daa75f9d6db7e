"""The route of the change feed."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.dependencies import Asker, TheHub
from api.pagination import PAGE_SIZE, Limit
from api.route import HubRoute
from api.schemas.changes import DETAILS, ChangesTold, ChangeTold
from mdm.access.model import Verb
from mdm.db.transaction import reading
from mdm.publishing.model import Event
from mdm.publishing.service import changes

router = APIRouter(route_class=HubRoute, tags=["Changes"])

FeedCursor = Annotated[str | None, Query(max_length=200, description="The `next` of the answer before; nothing: all.")]


@router.get("/v1/changes", operation_id="read_changes", response_model_exclude_none=True)
def read_changes(hub: TheHub, asker: Asker, after: FeedCursor = None, limit: Limit = PAGE_SIZE) -> ChangesTold:
    """Read committed changes in the order of their commits, of the entity types that the key may read.

    Turns of reviews are told to keys that may read these. Nothing is ever missed between two answers. A
    cursor from before a restore of the database is refused with 410.
    """
    with reading(hub.engine) as connection:
        events, following = changes(connection, after=after, limit=limit)
    visible = [_told(one) for one in events if asker.principal.may(_verb(one), entity_type=one.entity_type)]
    return ChangesTold(rows=visible, next=following)


def _verb(event: Event) -> Verb:
    return "read" if event.review_id is None else "steward"


def _told(event: Event) -> ChangeTold:
    return ChangeTold(
        id=f"{event.position[0]}-{event.position[1]}",
        kind=event.kind,
        entity_type=event.entity_type,
        golden_id=event.golden_id,
        version=event.version,
        review_id=event.review_id,
        details=DETAILS[event.kind].model_validate(event.details),
        recorded_at=event.recorded_at,
        who=event.who,
    )
