"""The palette: records, pages and commands by whatever somebody typed, as a part of every page."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.console.page import PageRoute
from api.console.render import page, words_of
from api.console.views.commands import commands_for, is_named, pages_for
from api.console.views.hits import HitShown, hit_shown
from api.console.views.systems import titles_of
from api.console.visit import TheVisit
from mdm.access.limits import Limits
from mdm.db.transaction import reading
from mdm.sources.service import instances
from mdm.stewardship.find import find

RECORDS_SHOWN: Final = 8  # chosen: with pages and commands it fills the palette without scrolling
COMMANDS_SHOWN: Final = 5

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

Typed = Annotated[str, Query(max_length=10_000)]


@router.get("/find")
def palette(visit: TheVisit, q: Typed = "") -> Response:
    """Answer what was typed with lines to choose from, the best first; for nothing, the pages and commands."""
    words = words_of(visit)
    question = q.strip()
    hits: tuple[HitShown, ...] = ()
    is_complete = True
    if question:
        limits = Limits.of(visit.person.principal, "read", visit.hub.declared)
        found = find(visit.hub, question, limits=limits, limit=RECORDS_SHOWN)
        with reading(visit.hub.engine) as connection:
            titles = titles_of(instances(connection))
        hits = tuple(hit_shown(hit, visit.hub.declared, titles, words) for hit in found.hits)
        is_complete = found.is_complete
    pages = pages_for(question, visit.holds, visit.text)
    return page(
        visit,
        "found.html",
        is_page=is_named(question, pages, visit.text),
        question=question,
        typed=q,
        hits=hits,
        is_complete=is_complete,
        pages=pages[: COMMANDS_SHOWN + 1],
        commands=commands_for(question, visit.holds, visit.text)[: COMMANDS_SHOWN if question else None],
    )
