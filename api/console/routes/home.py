"""The first page: what waits for whoever signed in, and the state of the hub."""

from typing import Final

from fastapi import APIRouter, Response

from api.console.page import PageRoute
from api.console.render import page
from api.console.visit import TheVisit

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
def home(visit: TheVisit) -> Response:
    """Show the first page."""
    return page(visit, "home.html")
