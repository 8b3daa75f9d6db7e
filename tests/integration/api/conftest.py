"""A running application on this worker's database, and keys to talk to it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.app import create_app
from mdm.access.service import create_key
from mdm.db.transaction import transaction
from mdm.settings import Settings

KeyFor = Callable[..., dict[str, str]]


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient]:
    """Run an application of its own, as another process would, until the block ends."""
    handlers = logging.getLogger().handlers[:]
    try:
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            yield client
    finally:
        logging.getLogger().handlers[:] = handlers


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, pool_size=4)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with serving(settings) as opened:
        yield opened


@pytest.fixture
def key_for(engine: Engine) -> KeyFor:
    """Give a function that makes a key with these scopes and returns the header that carries it."""

    def make(*scopes: str) -> dict[str, str]:
        with transaction(engine) as connection:
            return {"Authorization": f"Bearer {create_key(connection, name='test', scopes=scopes, by='test').token}"}

    return make


@pytest.fixture
def admin(client: TestClient, key_for: KeyFor) -> dict[str, str]:
    """Register two sources and give a key for everything."""
    header = key_for("admin")
    for source in ("salesforce-emea", "netsuite-us"):
        body = {"id": source, "system": source.partition("-")[0], "title": source}
        assert client.post("/v1/sources", headers=header, json=body).status_code == 200
    return header
