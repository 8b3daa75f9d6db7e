"""The console on this worker's database, and visitors who have signed in to it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from httpx2 import Response
from sqlalchemy import Engine
from starlette.testclient import TestClient

from mdm.access.people_model import Role
from mdm.hub import Hub
from mdm.settings import Settings
from tests.hubs import WIDGETS, hub_on, register_instances
from tests.integration.api.conftest import serving
from tests.people import PASSWORD, add_person


@dataclass(frozen=True)
class Visitor:
    """Somebody with a session of their own; forms carry its token, unless a test leaves it out."""

    client: TestClient
    token: str
    csrf: str
    person_id: str

    def get(self, path: str, **params: str) -> Response:
        return self.client.get(path, params=params or None, headers=self._headers())

    def post(self, path: str, fields: dict[str, str | list[str]] | None = None, *, part: bool = False) -> Response:
        headers = self._headers() | {"x-csrf-token": self.csrf} | ({"hx-request": "true"} if part else {})
        return self.client.post(path, data=fields or {"nothing": ""}, headers=headers, follow_redirects=False)

    def page(self, path: str, **params: str) -> str:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.text

    def _headers(self) -> dict[str, str]:
        return {"cookie": f"mdm_session={self.token}"}


SignIn = Callable[..., Visitor]


@pytest.fixture
def hub(engine: Engine) -> Hub:
    """Give a hub with the instances crm-east and crm-west."""
    opened = hub_on(engine)
    register_instances(opened, "crm-east", "crm-west")
    return opened


@pytest.fixture
def client(database_url: str, hub: Hub) -> Iterator[TestClient]:
    settings = Settings(
        database_url=database_url, pool_size=4, password_memory_kib=8, password_passes=1, entities=(WIDGETS,)
    )
    with serving(settings) as opened:
        yield opened


@pytest.fixture
def sign_in(client: TestClient, engine: Engine) -> SignIn:
    """Give a function that adds somebody with a role and limits, and signs them in."""

    def make(login: str, role: Role, **limits: tuple[str, ...]) -> Visitor:
        person_id = add_person(engine, login, role, **limits)
        return enter(client, login, person_id)

    return make


def enter(client: TestClient, login: str, person_id: str) -> Visitor:
    """Sign in with the password of all tests."""
    fields = {"login": login, "password": PASSWORD}
    answer = client.post("/sign-in", data=fields, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    token = answer.cookies["mdm_session"]
    client.cookies.clear()
    found = client.get("/me", headers={"cookie": f"mdm_session={token}"})
    csrf = re.search(r'<meta name="csrf" content="([^"]+)">', found.text)
    assert csrf is not None
    return Visitor(client, token, csrf[1], person_id)
