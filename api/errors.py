"""Every refusal as an RFC 9457 problem document: stable `type` and `code`, what happened, what to do, where.

`STATUS` maps the tree of mdm/errors, each class by its nearest listed ancestor. `HttpRefusal` is for what only HTTP
knows: bodies, media types, routes. A problem never carries a stack, SQL, or a value of somebody else's record.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson
import psycopg
import psycopg_pool
import sqlalchemy.exc
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mdm import errors
from mdm.telemetry import logger

_LOG: Final = logger("mdm.http")
MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[Mapping[type[errors.HubError], int]] = {
    errors.Refused: 422,
    errors.InputInvalid: 422,
    errors.SettingsInvalid: 500,
    errors.CursorInvalid: 400,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.VersionOutdated: 412,
    errors.CursorFromElsewhere: 410,
    errors.IdempotencyMismatch: 422,
    errors.Unauthenticated: 401,
    errors.SignInThrottled: 429,
    errors.RateExceeded: 429,
    errors.LinkUnusable: 410,
    errors.Forbidden: 403,
    errors.TooLarge: 413,
    errors.TouchedSetGrew: 503,
    errors.RulesMoved: 503,
    errors.LocksBusy: 503,
    errors.Unavailable: 503,
}

_UNAVAILABLE: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg_pool.PoolTimeout,
    psycopg_pool.PoolClosed,
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.TimeoutError,
)
# Chosen: the embedded server is back in 0.1 s, a managed one in a few seconds.
_RETRY_AFTER_S: Final = 2
# Chosen: enough to mend a body by; a batch of nonsense does not fill the wire.
_FAULTS_SHOWN_MAX: Final = 100
_ACRONYMS: Final = {"json": "JSON", "nul": "NUL"}
_ROUTER: Final[Mapping[int, tuple[str, str, str]]] = {
    404: ("route_unknown", "There is no such route.", "check the path; /docs lists every route"),
    405: ("method_not_allowed", "The route does not know this method.", "use a method that the Allow header names"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What a problem document says, but for the request it belongs to."""

    status: int
    code: str
    title: str
    detail: str
    facts: Mapping[str, Any]


# A fault of our own tells nothing but the id under which the log tells more.
INTERNAL_ERROR: Final = Problem(
    500,
    "internal_error",
    "The hub failed.",
    "The request failed through a fault of the hub.",
    {"remedy": "send it again; if it fails again, report the request_id to whoever runs the hub"},
)


class HttpRefusal(Exception):
    """A request refused for its form, before any service saw it."""

    def __init__(self, status: int, code: str, detail: str, *, remedy: str, place: str | None = None) -> None:
        """Name what happened, what to do and, where there is one, the place (a JSON pointer or a parameter)."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.remedy = remedy
        self.place = place


def install(app: FastAPI) -> None:
    """Let every refusal of this application leave as a problem document."""
    app.add_exception_handler(errors.HubError, _hub_error)
    app.add_exception_handler(HttpRefusal, _http_refusal)
    app.add_exception_handler(HTTPException, _router_refusal)
    app.add_exception_handler(RequestValidationError, _request_invalid)
    for unavailable in _UNAVAILABLE:
        app.add_exception_handler(unavailable, _database_unavailable)


def is_unavailable(error: Exception) -> bool:
    """Tell whether the database did not answer; one that answered all the while and had others in the way, did."""
    return isinstance(error, (*_UNAVAILABLE, errors.DatabaseUnavailable)) and not isinstance(
        error, errors.OthersInTheWay
    )


def status_of(error: type[errors.HubError]) -> int:
    """Return the status of an error class: that of its nearest listed ancestor, 500 when none is listed."""
    return next((STATUS[ancestor] for ancestor in error.__mro__ if ancestor in STATUS), 500)


def problem_bytes(problem: Problem, *, request_id: str) -> bytes:
    """Write a problem document; facts that are None are left out."""
    members = {
        "type": f"urn:mdm:problem:{problem.code}",
        "code": problem.code,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    members |= {name: fact for name, fact in problem.facts.items() if fact is not None}
    return orjson.dumps(members | {"request_id": request_id})


async def _hub_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.HubError)
    status = status_of(type(error))
    if status == INTERNAL_ERROR.status:
        _LOG.error("request failed", request_id=_request_id(request), code=error.code)
        return _respond(request, INTERNAL_ERROR)
    if is_unavailable(error):
        _LOG.warning("database unavailable", request_id=_request_id(request), reason=error.message)
    title = (type(error).__doc__ or "").strip().partition("\n")[0]
    facts = {"remedy": error.remedy or None, **_facts(error)}
    return _respond(request, Problem(status, error.code, title, _detail(error), facts), headers_of(error))


async def _http_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpRefusal)
    words = " ".join(_ACRONYMS.get(word, word) for word in error.code.split("_"))
    title = f"{words[0].upper()}{words[1:]}."
    faults = [{"place": error.place, "message": error.detail}] if error.place is not None else None
    return _respond(
        request, Problem(error.status, error.code, title, error.detail, {"remedy": error.remedy, "errors": faults})
    )


async def _router_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, title, remedy = _ROUTER.get(
        error.status_code, ("request_refused", "The request was refused.", "see /docs for what this route takes")
    )
    detail = f"{request.method} {request.url.path[:200]} is not served."
    return _respond(request, Problem(error.status_code, code, title, detail, {"remedy": remedy}), error.headers)


async def _request_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"place": _place(fault["loc"]), "message": _message(str(fault["msg"])), "code": str(fault["type"])}
        for fault in error.errors()[:_FAULTS_SHOWN_MAX]
    ]
    places = ", ".join(dict.fromkeys(fault["place"] or "the body" for fault in faults[:5]))
    detail = f"{len(error.errors())} faults, at {places}" if len(faults) > 1 else f"{places}: {faults[0]['message']}"
    title = "The request does not have the shape that this route takes."
    remedy = "mend the places listed under errors; /docs shows the shape with an example"
    return _respond(request, Problem(422, "request_invalid", title, detail, {"remedy": remedy, "errors": faults}))


async def _database_unavailable(request: Request, error: Exception) -> Response:
    translated = errors.DatabaseUnavailable(
        "the database does not answer", remedy="send the request again", retry_after_s=_RETRY_AFTER_S
    )
    translated.__cause__ = error
    return await _hub_error(request, translated)


def _respond(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    body = problem_bytes(problem, request_id=_request_id(request))
    return Response(body, problem.status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _detail(error: errors.HubError) -> str:
    """Tell what happened; what the driver says of the database (hosts, statements) is for the log alone."""
    return "the database does not answer" if is_unavailable(error) else error.message


def _facts(error: errors.HubError) -> dict[str, Any]:
    """Pick the attributes of an error that help a caller to act by machine."""
    facts: dict[str, Any] = {}
    if isinstance(error, errors.InputInvalid) and error.field:
        facts["errors"] = [{"place": error.field, "message": error.message}]
    if isinstance(error, errors.FieldsRejected):
        facts["errors"] = [asdict(fault) for fault in error.faults]
    if isinstance(error, errors.TargetDeclarationInvalid):
        places = zip(error.places, error.faults, strict=False)
        facts["errors"] = [{"place": json_pointer(place), "message": fault} for place, fault in places]
    if isinstance(error, errors.AsOfBeyondHorizon):
        facts["horizon"] = error.horizon.isoformat()
    if isinstance(error, errors.DecisionContradicts):
        facts["chain"] = list(error.chain)
    if isinstance(error, errors.OperationBlocked):
        facts["blocking"] = list(error.blocking)
    if isinstance(error, errors.ReviewOutdated):
        facts["changes"] = list(error.changes)
    if isinstance(error, errors.RateExceeded):
        facts["violated-policies"] = [error.rate]
    if isinstance(error, errors.ReviewClaimed):
        facts |= {"claimed_by": error.by, "claimed_until": error.until.isoformat()}
    return facts


def headers_of(error: errors.HubError) -> dict[str, str]:
    """Give the headers that belong to an error, as when to try again."""
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.IdempotencyInFlight | errors.TouchedSetGrew | errors.RulesMoved | errors.LocksBusy):
        return {"Retry-After": "1"}
    if isinstance(error, errors.SignInThrottled | errors.RateExceeded):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, errors.Unavailable) and error.retry_after_s is not None:
        return {"Retry-After": str(math.ceil(error.retry_after_s))}
    return {}


def _message(text: str) -> str:
    """Drop what pydantic puts before the words of our own validators."""
    return text.removeprefix("Value error, ")


def _place(location: Sequence[int | str]) -> str:
    """Write pydantic's location as a JSON pointer into the body, or as `query name`, `path name`, `header name`."""
    where, *steps = location
    if where != "body":
        return " ".join(str(step) for step in location)
    return json_pointer(steps)


def json_pointer(steps: Sequence[int | str]) -> str:
    """Write a path into a JSON document as RFC 6901 does; the document itself is the empty text."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def read_pointer(pointer: str) -> list[str]:
    """Read the steps of a JSON pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _request_id(request: Request) -> str:
    return str(request.scope.get("mdm.request_id", ""))
