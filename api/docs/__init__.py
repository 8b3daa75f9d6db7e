"""The API docs page: RapiDoc 9.3.8 (MIT), vendored and pinned by SHA-256. It loads nothing from another host."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response

from api import asyncapi
from api.errors import HttpRefusal
from api.route import HubRoute

# RapiDoc sets style attributes, so styles may be inline; scripts may not.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOLDER: Final = files(__name__) / "static"
_MEDIA_TYPES: Final = {
    "rapidoc-min.js": "text/javascript",
    "rapidoc-LICENSE.txt": "text/plain",
    "rapidoc-bundled-licences.txt": "text/plain",
}


def router(app: FastAPI) -> APIRouter:
    """Serve the page, its script, and the OpenAPI and AsyncAPI documents of this application."""
    routes = APIRouter(route_class=HubRoute, include_in_schema=False)

    @routes.get("/docs")
    async def page() -> Response:
        headers = {"content-security-policy": _POLICY}
        return Response((_FOLDER / "index.html").read_bytes(), media_type="text/html", headers=headers)

    @routes.get("/docs/{name}")
    async def static(name: str, request: Request) -> Response:
        if name not in _MEDIA_TYPES:
            raise HttpRefusal(404, "route_unknown", f"{request.url.path[:200]} is not served.", remedy="open /docs")
        headers = {"cache-control": "public, max-age=86400"}
        return Response((_FOLDER / name).read_bytes(), media_type=_MEDIA_TYPES[name], headers=headers)

    @routes.get("/openapi.json")
    def document() -> dict[str, object]:
        return app.openapi()

    @routes.get("/asyncapi.json")
    def messages() -> dict[str, object]:
        return asyncapi.document()

    return routes
