"""An address that leads nowhere: a page for somebody with a browser, the problem document for everything else."""

from collections.abc import Awaitable, Callable
from typing import Final, cast

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from api.console import refusals
from api.console.page import visit_from
from api.errors import HttpRefusal
from mdm.errors import HubError

_OF_PROGRAMS: Final = ("/v1/", "/static/")


def install(app: FastAPI) -> None:
    """Answer unknown addresses of a browser with a page; comes after the handlers of the API, and passes on to them."""
    otherwise = cast("Callable[[Request, Exception], Awaitable[Response]]", app.exception_handlers[HTTPException])

    async def answer(request: Request, error: Exception) -> Response:
        if getattr(error, "status_code", None) != 404 or not _is_browser(request):
            return await otherwise(request, error)
        lost = HttpRefusal(404, "route_unknown", "there is no page at this address", remedy="go back and follow a link")
        try:
            visit = await visit_from(request)
        except HubError:  # nobody can say who comes while the database is away
            return await otherwise(request, error)
        return refusals.answer(visit, lost, request_id=str(request.scope.get("mdm.request_id", "")))

    app.add_exception_handler(HTTPException, answer)


def _is_browser(request: Request) -> bool:
    is_page = request.method == "GET" and not request.url.path.startswith(_OF_PROGRAMS)
    return is_page and "text/html" in request.headers.get("accept", "")
