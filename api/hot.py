"""The short way of the hottest reads: from the web server through the edge to the route's own checks and back.

FastAPI's routing, its stacks of middleware and of exit handlers cost more than the look-up itself (170 of 400 µs, and
even those that stand outside of the edge 12 of 250, November 2026). A hot route takes the request alone, so nothing of
them is needed: the same guarded function answers behind the same edge, and a refusal leaves through the same handlers.
Every other request goes on to FastAPI.
"""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.routing import APIRouter
from starlette.types import ASGIApp, Receive, Scope, Send

from api.access_log import Write
from api.access_table import ACCESS
from api.middleware import Edge
from api.route import Answer, HubRoute

_OPEN: Final = "/{"


class HubApp(FastAPI):
    """FastAPI's application behind the hot reads; `hot_reads` is set before it serves."""

    hot_reads: "HotReads"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the hot reads turn off before anything of FastAPI is entered."""
        await self.hot_reads(scope, receive, send)

    async def long_way(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer whatever is not a hot read."""
        await super().__call__(scope, receive, send)


class HotReads:
    """Answer the hot routes, each a fixed path, or one with a single parameter at its end."""

    def __init__(self, long_way: ASGIApp, app: FastAPI, routers: Iterable[APIRouter], write: Write) -> None:
        """Stand in front of the routes of these routers: what they hold open and how they refuse is that of `app`."""
        self._long_way = long_way
        self._app = app
        self._edge = Edge(self._answer, write)
        self._fixed: dict[str, Answer] = {}
        self._ending: dict[str, tuple[str, Answer]] = {}
        for route in (route for router in routers for route in router.routes if isinstance(route, HubRoute)):
            if not ACCESS[min(route.methods or {""}), route.path].is_hot:
                continue
            stem, _, parameter = route.path.partition(_OPEN)
            if parameter:
                self._ending[stem] = parameter.removesuffix("}"), route.get_route_handler()
            else:
                self._fixed[stem] = route.get_route_handler()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a hot read; hand everything else on."""
        answer = self._find(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if answer is None:
            await self._long_way(scope, receive, send)
            return
        scope["app"] = self._app
        scope["mdm.answer"] = answer
        await self._edge(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response = await scope["mdm.answer"](request)
        except Exception as error:
            refuse = self._handler_of(error)
            if refuse is None:
                raise
            response = await refuse(request, error)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> Answer | None:
        path: str = scope["path"]
        if path in self._fixed:
            return self._fixed[path]
        stem, _, value = path.rpartition("/")
        if stem not in self._ending or not value:
            return None
        parameter, answer = self._ending[stem]
        scope["path_params"] = {parameter: value}
        return answer

    def _handler_of(self, error: Exception) -> Any:
        handlers = self._app.exception_handlers
        return next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
