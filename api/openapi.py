"""The OpenAPI 3.1 document: stable operation ids, the errors every route can give, the scope each route asks for."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.access_table import ACCESS, Access
from api.errors import MEDIA_TYPE

DESCRIPTION: Final = """Golden records of customers, projects, contracts and resources, and the crosswalk between
the keys of every system.

Send `Authorization: Bearer mdm_…`. Errors are problem documents (RFC 9457) with a stable `code` and a `remedy`.
Lists come in pages: pass `next` of one page as `after` of the following one. Every unsafe route takes an
`Idempotency-Key`. How much a key may ask stands in `RateLimit-Policy`, and what is left of it in `RateLimit`."""

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "code", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "`urn:mdm:problem:` and the code."},
        "code": {"type": "string", "description": "Stable; branch on this."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, with names and values of your own request."},
        "remedy": {"type": "string", "description": "What to do."},
        "request_id": {"type": "string", "description": "Under this id the log tells more."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["place", "message"],
                "properties": {
                    "place": {
                        "type": "string",
                        "description": "A JSON pointer into the body, or `query name`, `path name`, `header name`.",
                    },
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
    "examples": [
        {
            "type": "urn:mdm:problem:golden_record_unknown",
            "code": "golden_record_unknown",
            "title": "This hub never gave out this golden id.",
            "status": 404,
            "detail": "there is no golden record 'cus_01hzy3v7k2m4n6p8q0r2s4t6v8'",
            "remedy": "check the id; ids that this hub gave out always resolve",
            "request_id": "8f2b4c6d8e0a1b3c",
        }
    ],
}
_MEANINGS: Final = {
    400: "Malformed: not JSON, not UTF-8, or a cursor that this hub did not give out.",
    401: "No API key, or one that is unknown, expired or revoked.",
    403: "The key has no scope for this.",
    404: "Nothing has this name.",
    408: "The body arrived too slowly.",
    409: "Against what the hub holds; the code says which way.",
    410: "The cursor belongs to another history of the database.",
    412: "If-Match names another version than the one that stands.",
    413: "The body is larger than the route takes.",
    415: "The body is not application/json.",
    422: "Well-formed, but not something that the hub can take; `errors` names the places.",
    429: "More than the caller's rate allows; Retry-After says when to try again, RateLimit what is left.",
    500: "A fault of the hub; `request_id` leads to it.",
    503: "The database does not answer; Retry-After says when to try again.",
}


def _version() -> str:
    try:
        return version("mdm-hub")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0"


VERSION: Final = _version()


def install(app: FastAPI) -> None:
    """Let the application describe itself with scopes and problems on every operation."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(describe())
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def operation_id(route: APIRoute) -> str:
    """Name an operation by its function: stable while paths may move."""
    return route.name


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key, `mdm_…`."}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            access = ACCESS[method.upper(), path]
            operation["security"] = [{"key": []}] if access.verb else []
            if access.verb:
                operation["description"] = (
                    f"{operation.get('description', '')}\n\nNeeds the scope `{access.verb}`.".strip()
                )
            operation["responses"].pop("422", None)
            for status in _statuses(access, path, operation):
                operation["responses"].setdefault(str(status), _problem(status))
    return document


def _statuses(access: Access, path: str, operation: dict[str, Any]) -> list[int]:
    """Tell which problems a route can give, from what it needs and takes."""
    statuses = {400, 500}
    if access.verb:
        statuses |= {401, 403, 429, 503}
    if access.body != "none" or access.is_unsafe:
        statuses |= {408, 413, 415, 422}
    if operation.get("parameters"):
        statuses |= {422}
    if "{" in path:
        statuses |= {404}
    if access.is_unsafe:
        statuses |= {404, 409, 422}
    if any(parameter["name"] == "if-match" for parameter in operation.get("parameters", ())):
        statuses |= {412}
    return sorted(statuses)


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": _MEANINGS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
