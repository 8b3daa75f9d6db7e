"""The route of the audit log."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.dependencies import TheHub
from api.pagination import PAGE_SIZE, After, Limit, page, read_cursor
from api.route import HubRoute
from api.schemas.audit import EntryTold
from api.schemas.shape import Page
from mdm.db.transaction import reading
from mdm.history.model import Entry
from mdm.history.service import entries

router = APIRouter(route_class=HubRoute, tags=["Audit"])

State = Annotated[
    Literal["sealed", "unsealed"], Query(description="Sealed entries by position, or those not sealed yet by id.")
]
Subject = Annotated[str | None, Query(max_length=255, description="Key of a changed row; all when left out.")]


@router.get("/v1/audit", operation_id="read_audit")
def read_audit(
    hub: TheHub, state: State = "sealed", subject: Subject = None, after: After = None, limit: Limit = PAGE_SIZE
) -> Page[EntryTold]:
    """Read the audit log in the order in which it was sealed: who changed what, when."""
    of = f"audit?state={state}&subject={subject}"
    position = read_cursor(after, of=of)
    seen = int(position[0]) if position else 0
    with reading(hub.engine) as connection:
        found = entries(connection, is_sealed=state == "sealed", subject_id=subject, after=seen, limit=limit + 1)
    return page([_told(one) for one in found], limit, of, lambda last: (last.position or last.id,))


def _told(entry: Entry) -> EntryTold:
    return EntryTold(
        id=entry.id,
        position=entry.position,
        recorded_at=entry.recorded_at,
        who=entry.who,
        action=entry.action,
        subject_id=entry.subject_id,
        related=list(entry.related),
        changed=list(entry.changed),
        digest=entry.digest.hex(),
    )
