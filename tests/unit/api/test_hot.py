"""The hot reads are answered on the short way, and nothing else is."""

from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from api import errors
from api.hot import HotReads
from api.routes import ROUTERS


@pytest.fixture
def taken() -> list[str]:
    """List the paths that went on the long way."""
    return []


@pytest.fixture
def logged() -> list[dict[str, Any]]:
    """List what the access log was given."""
    return []


@pytest.fixture
def hot(taken: list[str], logged: list[dict[str, Any]]) -> HotReads:
    async def long_way(scope: Scope, _receive: Receive, _send: Send) -> None:
        taken.append(scope["path"])

    app = FastAPI()
    errors.install(app)
    return HotReads(long_way, app, ROUTERS, logged.append)


async def ask(hot: HotReads, path: str, method: str = "GET") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "raw_path": b""}
    await hot(scope, receive, send)
    return sent


@pytest.mark.parametrize("path", ["/v1/crosswalk", "/v1/golden-records/cus_1"])
def test_a_hot_read_without_a_key_is_refused_as_on_the_long_way(
    hot: HotReads, taken: list[str], logged: list[dict[str, Any]], path: str
) -> None:
    start, body = anyio.run(ask, hot, path)

    assert taken == []
    assert start["status"] == 401
    assert b'"code":"unauthenticated"' in body["body"]
    assert [(line["status"], line["key_id"]) for line in logged] == [(401, None)]
    assert (b"x-request-id", logged[0]["request_id"].encode()) in start["headers"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/crosswalk"),
        ("GET", "/v1/golden-records"),
        ("GET", "/v1/golden-records/"),
        ("GET", "/v1/golden-records/cus_1/history"),
        ("GET", "/v1/crosswalk/"),
        ("GET", "/healthz"),
    ],
)
def test_everything_else_goes_the_long_way(hot: HotReads, taken: list[str], method: str, path: str) -> None:
    assert anyio.run(ask, hot, path, method) == []
    assert taken == [path]
