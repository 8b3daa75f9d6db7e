"""The outermost layer, pure ASGI: a request id, one log line, two metrics, safe headers, and the last resort.

It costs a few microseconds and touches no body. A fault that nothing else caught leaves here as a problem document with
the request id under which the log tells more.
"""

import re
import secrets
import time
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access_log import Write
from api.errors import INTERNAL_ERROR, MEDIA_TYPE, problem_bytes
from mdm.telemetry import REQUEST_SECONDS, REQUESTS, logger

_LOG: Final = logger("mdm.http")
_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_UNMATCHED: Final = "unmatched"
_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Edge:
    """Wrap the application; label objects are bound once a route and status."""

    def __init__(self, app: ASGIApp, write: Write) -> None:
        """Stand in front of this application; `write` takes the fields of a request's log line."""
        self._app = app
        self._write = write
        self._requests: dict[tuple[str, int], Any] = {}
        self._seconds: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other kinds of connection pass untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = scope["mdm.request_id"] = _request_id(scope)
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name for name, _ in message["headers"]}
                message["headers"].extend(header for header in _HEADERS if header[0] not in present)
                message["headers"].append((b"x-request-id", request_id.encode()))
                message["headers"].extend(scope.get("mdm.rates", ()))
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception:  # the last resort of a request: it is logged, and the process goes on
            _LOG.exception("request failed", request_id=request_id)
            if status:
                raise
            await _send_internal_error(send_marked, request_id)
        finally:
            self._account(scope, status or 500, time.perf_counter() - started, request_id)

    def _account(self, scope: Scope, status: int, seconds: float, request_id: str) -> None:
        route = scope.get("mdm.route", _UNMATCHED)
        counter = self._requests.get((route, status))
        if counter is None:
            counter = self._requests[route, status] = REQUESTS.labels(route, str(status))
        timer = self._seconds.get(route)
        if timer is None:
            timer = self._seconds[route] = REQUEST_SECONDS.labels(route)
        counter.inc()
        timer.observe(seconds)
        principal = scope.get("mdm.principal")
        self._write(
            {
                "request_id": request_id,
                "route": route,
                "status": status,
                "seconds": round(seconds, 6),
                "key_id": str(principal.id) if principal is not None else None,
            }
        )


async def _send_internal_error(send: Send, request_id: str) -> None:
    headers = [(b"content-type", MEDIA_TYPE.encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": problem_bytes(INTERNAL_ERROR, request_id=request_id)})


def _request_id(scope: Scope) -> str:
    """Take over the caller's X-Request-Id when it is harmless, else make one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value, "ascii")
    return secrets.token_hex(8)
