"""The order in which every route asks: who, how much, whether, how large, what."""

from asyncio import Future, ensure_future, shield
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api import gate, rates
from api.access_table import ACCESS, Access
from api.dependencies import Opened, opened_by
from mdm.access.model import Principal
from mdm.errors import Forbidden, Unauthenticated

_SCHEME: Final = "bearer "
_REMEDY: Final = "send Authorization: Bearer mdm_…; `mdm keys create` makes a key"

Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class HubRoute(APIRoute):
    """A route of FastAPI behind the key check, the scope check and the JSON gate."""

    def get_route_handler(self) -> Answer:
        """Wrap FastAPI's own handling; a route that the access table does not know is a KeyError at the start."""
        method = min(cast("set[str]", self.methods))
        access = ACCESS[method, self.path]
        answer = cast("Answer", self.endpoint) if access.is_hot else super().get_route_handler()
        return _guard(answer, access, f"{method} {self.path}", self._query_names())

    def _query_names(self) -> tuple[str, ...]:
        """Name the query parameters of the route: those FastAPI reads, and those a hot route documents and reads."""
        waiting, names = [self.dependant], dict[str, None]()
        while waiting:
            dependant = waiting.pop()
            names |= dict.fromkeys(field.alias for field in dependant.query_params)
            waiting += dependant.dependencies
        documented = (self.openapi_extra or {}).get("parameters", ())
        return (*names, *(parameter["name"] for parameter in documented if parameter["in"] == "query"))


def _guard(answer: Answer, access: Access, name: str, query_names: tuple[str, ...]) -> Answer:
    async def guarded(request: Request) -> Response:
        scope = request.scope
        scope["mdm.route"] = name
        gate.check_address(scope["query_string"], scope.get("raw_path", b""))
        if access.verb is not None:
            principal = await _authenticate(request)
            await rates.charge(scope, opened_by(request), principal, access)
            if not principal.holds(access.verb):
                raise Forbidden(
                    f"the key {principal.name!r} has no scope {access.verb}",
                    remedy="ask an administrator for a key with that scope",
                )
            scope["mdm.principal"] = principal
        if scope["query_string"]:
            gate.check_query(scope["query_string"], query_names)
        if access.body == "none" and not access.is_unsafe:
            return await answer(request)
        settings = opened_by(request).hub.settings
        bytes_max = settings.batch_body_bytes_max if access.body == "batch" else settings.body_bytes_max
        parts = gate.Parts(access.counted, settings.batch_records_max) if access.counted and access.alone else None
        admitted = await gate.admit(request, bytes_max=bytes_max, depth_max=settings.json_depth_max, parts=parts)
        if access.counted is not None:
            await rates.charge_entries(scope, opened_by(request), scope["mdm.principal"], access, admitted.checked)
        return await answer(admitted)

    return guarded


async def _authenticate(request: Request) -> Principal:
    header = request.headers.get("authorization", "")
    if header[: len(_SCHEME)].lower() != _SCHEME:
        raise Unauthenticated("the request carries no API key", remedy=_REMEDY)
    token = header[len(_SCHEME) :].strip()
    opened = opened_by(request)
    principal = opened.keys.cached(token) or await _read(opened, token)
    if principal is None:
        raise Unauthenticated("the API key is unknown, expired or revoked", remedy=_REMEDY)
    return principal


async def _read(opened: Opened, token: str) -> Principal | None:
    """Read a key once for all requests that miss it; else each open connection asks again every half second."""
    under_way = opened.keys_read.get(token)
    if under_way is not None:
        await shield(under_way)
        # What was found counts from before it was asked: where it is too old by now, this request asks by itself.
        return opened.keys.cached(token) or await run_in_threadpool(opened.keys.read, token)
    reading: Future[Principal | None] = ensure_future(run_in_threadpool(opened.keys.read, token))
    opened.keys_read[token] = reading
    reading.add_done_callback(lambda _: opened.keys_read.pop(token))
    return await shield(reading)
