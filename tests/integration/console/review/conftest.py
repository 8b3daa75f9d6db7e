"""A hub with widgets to ask about, and stewards who are signed in."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from mdm.hub import Hub
from mdm.settings import Settings
from tests.hubs import WIDGETS, hub_on, register_instances
from tests.integration.console.review.visitors import Steward, Visit
from tests.integration.stewardship.widgets import A, B, send
from tests.people import PASSWORD, add_person


@pytest.fixture
def hub(engine: Engine) -> Hub:
    hub = hub_on(engine)
    register_instances(hub, "crm-east", "crm-west")
    return hub


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(
        database_url=database_url, pool_size=4, password_memory_kib=8, password_passes=1, entities=(WIDGETS,)
    )


@pytest.fixture
def visit(client: TestClient, engine: Engine) -> Visit:
    """Give a function that signs somebody in, made for the test with this role and these limits."""

    def sign_in(login: str, role: Any = "steward", **limits: Any) -> Steward:
        add_person(engine, login, role, **limits)
        own = TestClient(client.app, raise_server_exceptions=False)
        own.portal = client.portal  # one event loop, as in a process of its own
        answer = own.post("/sign-in", data={"login": login, "password": PASSWORD}, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        found = re.search(r'<meta name="csrf" content="([^"]+)"', own.get("/me").text)
        assert found is not None
        return Steward(own, found[1])

    return sign_in


@pytest.fixture
def asking(hub: Hub) -> Hub:
    """Give one question: are A and B the same?"""
    send(hub, A, name="red", note="from the east", at=1)
    send(hub, B, name="red", note="from the west", at=2)
    return hub
