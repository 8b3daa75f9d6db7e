"""A running application, and people who look at its pages through an HTTP client that keeps cookies."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from mdm.access.people_model import Role
from mdm.settings import Settings
from tests.integration.api.conftest import serving
from tests.people import PASSWORD, add_person


@dataclass
class Visitor:
    """Somebody who signed in, with the token that forms of the session carry."""

    client: TestClient
    csrf: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **said: Any) -> Any:
        return self.client.get(path, headers=self.headers, follow_redirects=False, **said)

    def post(self, path: str, fields: Mapping[str, Any] | None = None, **headers: str) -> Any:
        sent = {"csrf": self.csrf, **(fields or {})}
        return self.client.post(path, data=sent, headers={**self.headers, **headers}, follow_redirects=False)


SignIn = Callable[..., Visitor]


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, pool_size=4, password_memory_kib=8, password_passes=1)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with serving(settings) as opened:
        yield opened


@pytest.fixture
def sign_in(client: TestClient, engine: Engine) -> SignIn:
    """Give a function that adds a person of a role, with limits, and signs them in."""

    def make(
        login: str = "sam",
        role: Role = "steward",
        *,
        entity_types: tuple[str, ...] = (),
        sources: tuple[str, ...] = (),
    ) -> Visitor:
        add_person(engine, login, role, entity_types=entity_types, sources=sources)
        own = TestClient(client.app, raise_server_exceptions=False)
        own.portal = client.portal  # one event loop, as in a process of its own
        assert (
            own.post("/sign-in", data={"login": login, "password": PASSWORD}, follow_redirects=False).status_code == 303
        )
        token = re.search(r'<meta name="csrf" content="([^"]+)"', own.get("/me").text)
        assert token is not None
        return Visitor(own, token[1])

    return make
