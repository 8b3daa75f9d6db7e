"""The first page: what waits for whoever signed in, and the state of the hub."""

from typing import Final

from fastapi import APIRouter, Response

from api.console.page import PageRoute
from api.console.render import page, words_of
from api.console.views import home as pictures
from api.console.views.systems import system_shown
from api.console.visit import TheVisit
from mdm import clock
from mdm.access.limits import Limits
from mdm.stewardship.state_of_the_hub import state_of_the_hub

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
def home(visit: TheVisit) -> Response:
    """Show what waits for the visitor, and the hub in pictures, as far as the visitor may look."""
    hub, words = visit.hub, words_of(visit)
    limits = Limits.of(visit.person.principal, "read", hub.declared)
    state = state_of_the_hub(hub, visit.who, limits, kept=visit.opened.figures)
    figures = state.figures
    titles = {one.source: one.title for one in figures.arrivals}
    is_steward = visit.holds("steward")
    return page(
        visit,
        "home.html",
        state=state,
        figures=figures,
        now=clock.now(),
        is_steward=is_steward,
        is_empty=not figures.records and not figures.exceptions_count,
        is_lead=visit.holds("lead"),
        has_sources=bool(figures.arrivals),
        queue_price=pictures.hours_told(figures.queue_hours, words),
        records=pictures.records_picture(figures, titles, words),
        duplicates=pictures.duplicates_picture(figures, words),
        reviews=pictures.reviews_picture(figures, words) if is_steward else None,
        exceptions=pictures.exceptions_picture(figures, words) if is_steward else None,
        arrivals=[(one, system_shown(one.source, titles)) for one in figures.arrivals],
        records_count=sum(one.active for one in figures.records),
        golden_count=sum(one.golden or 0 for one in figures.golden),
        duplicates_count=sum(one.duplicates or 0 for one in figures.golden),
    )
