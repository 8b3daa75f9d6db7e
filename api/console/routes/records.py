"""All records of the hub: searched, filtered, page by page; each line leads to the page of one."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from api.console.page import PageRoute
from api.console.render import page, words_of
from api.console.views.hits import hit_shown
from api.console.views.systems import titles_of
from api.console.visit import TheVisit
from mdm.access.limits import Limits
from mdm.db.transaction import reading
from mdm.sources.service import instances
from mdm.stewardship.browse import Asked, browse
from mdm.stewardship.find import find
from mdm.stewardship.found import Hit

PAGE_LENGTH: Final = 50
FOUND_MAX: Final = 500  # chosen: nobody leafs through more; another word narrows it

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

Typed = Annotated[str, Query(max_length=10_000)]
Name = Annotated[str, Query(max_length=100)]
State = Literal["active", "retired", "forwarded"]


@router.get("/records")
def records(
    visit: TheVisit,
    q: Typed = "",
    entity_type: Name = "",
    source: Name = "",
    state: State = "active",
    after: Name = "",
) -> Response:
    """List records, the newest first; with a question those that fit it, best first."""
    hub = visit.hub
    limits = Limits.of(visit.person.principal, "read", hub.declared)
    with reading(hub.engine) as connection:
        known = [one for one in instances(connection) if limits.reaches(one.id)]
    titles = titles_of(known)
    types = [name for name in hub.declared if name in limits.entity_types]
    entity_type = entity_type if entity_type in types else ""
    source = source if source in titles else ""
    question = q.strip()
    is_complete, following = True, ""
    hits: Sequence[Hit]
    if question:
        found = find(hub, question, limits=limits, entity_type=entity_type or None, limit=FOUND_MAX)
        fitting = [hit for hit in found.hits if (not source or source in hit.sources)]
        start = int(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0
        hits, is_complete = fitting[start : start + PAGE_LENGTH], found.is_complete
        following = str(start + PAGE_LENGTH) if len(fitting) > start + PAGE_LENGTH else ""
    else:
        listed = browse(hub, Asked(entity_type or None, source or None, state, after), limits=limits, limit=PAGE_LENGTH)
        hits, following = listed.hits, listed.next
    asked = {"q": question, "entity_type": entity_type, "source": source, "state": "" if state == "active" else state}
    words = words_of(visit)

    def address(**changes: str) -> str:
        wanted = {name: value for name, value in {**asked, **changes}.items() if value}
        return f"/records?{urlencode(wanted)}" if wanted else "/records"

    return page(
        visit,
        "records.html",
        asked={**asked, "state": state},
        hits=[hit_shown(hit, hub.declared, titles, words) for hit in hits],
        types=types,
        sources=known,
        address=address,
        following=address(after=following) if following else "",
        is_first=not after,
        is_complete=is_complete,
        found_max=FOUND_MAX,
    )
