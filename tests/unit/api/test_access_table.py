"""The access table and the routes are the same list; unsafe means a method that changes something."""

import pytest
from fastapi.routing import APIRoute

from api.access_table import ACCESS
from api.app import create_app
from api.console.routes import PAGE_ROUTERS
from api.routes import ROUTERS
from mdm.settings import Settings


def method_of(route: APIRoute) -> str:
    return min(route.methods or {"none"})


def routes() -> list[APIRoute]:
    routers = (*ROUTERS, *PAGE_ROUTERS)
    return [route for router in routers for route in router.routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{method_of(route)} {route.path}")
def test_every_route_has_a_line_in_the_access_table(route: APIRoute) -> None:
    assert (method_of(route), route.path) in ACCESS


def test_every_line_of_the_access_table_has_a_route() -> None:
    served = {(method_of(route), route.path) for route in routes()}
    pages = {("GET", "/docs"), ("GET", "/docs/{name}"), ("GET", "/openapi.json"), ("GET", "/asyncapi.json")}

    assert set(ACCESS) == served | pages


def test_only_health_docs_and_the_way_in_are_public() -> None:
    public = {path for (_, path), access in ACCESS.items() if access.verb is None}

    way_in = {"/sign-in", "/sign-in/link/{token}", "/sign-in/oidc", "/sign-in/oidc/callback"}
    docs = {"/docs", "/docs/{name}", "/openapi.json", "/asyncapi.json", "/static/{digest}/{name}"}
    assert public == {"/healthz", "/readyz", "/metrics"} | docs | way_in


def test_a_get_is_never_unsafe_and_put_and_delete_always_are() -> None:
    for (method, path), access in ACCESS.items():
        assert access.is_unsafe == (method in {"PUT", "PATCH", "DELETE"}) or method == "POST", path


def test_every_unsafe_route_takes_an_idempotency_key_and_every_operation_its_stable_name() -> None:
    document = create_app(Settings()).openapi()
    operations = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)
    for place, operation in operations.items():
        parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("idempotency-key" in parameters) == ACCESS[place].is_unsafe, place
        assert operation["operationId"].replace("_", "").isalpha(), place


def test_the_document_is_openapi_3_1_and_declares_problems_everywhere() -> None:
    document = create_app(Settings()).openapi()

    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert {"400", "500"} <= set(operation["responses"]), (method, path)
            assert "HTTPValidationError" not in str(operation)
