"""An OpenID provider on localhost, the hub registered there, and a browser between the two."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2 as httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import Engine

from mdm.access import oidc
from mdm.access.oidc import Begun, OidcAnswer
from mdm.access.oidc_provider import OidcProvider, Registration, registration_of
from mdm.access.people_model import NewSession
from mdm.settings import Settings
from tests.oidc_server import CLIENT_ID, CLIENT_SECRET, OidcServer, oidc_server

HOME = "192.0.2.1"
CALLBACK = f"http://127.0.0.1:8000{oidc.CALLBACK_PATH}"
PERSON = {
    "sub": "00u1",
    "preferred_username": "Anna@Example.com",
    "name": "Anna Berg",
    "groups": ["staff", "mdm-stewards"],
}


@cache
def rsa_key() -> RSAKey:
    """Make one key for all tests (0.1 to 0.5 s)."""
    return RSAKey.generate_key(2048)


@pytest.fixture
def server() -> Iterator[OidcServer]:
    with oidc_server(rsa_key(), "RS256", dict(PERSON)) as running:
        yield running


@pytest.fixture
def provider(server: OidcServer) -> Iterator[OidcProvider]:
    opened = provider_of(registration(server))
    yield opened
    opened.close()


def provider_of(registered: Registration) -> OidcProvider:
    """Open a provider without reading the certificates of this machine, which plain HTTP has no use for (80 ms)."""
    return OidcProvider(registered, httpx.HTTPTransport(verify=False))


def registration(server: OidcServer) -> Registration:
    settings = Settings(
        oidc_issuer=server.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET if server.has_secret else None,
        oidc_roles={"mdm-stewards": "steward", "mdm-admins": "admin", "mdm-readers": "viewer"},
    )
    found = registration_of(settings)
    assert found is not None
    return found


def browse(begun: Begun) -> OidcAnswer:
    """Be the browser: go to the provider, and come back with what it sends."""
    place = urlsplit(begun.url)
    connection = HTTPConnection(place.netloc)
    connection.request("GET", f"{place.path}?{place.query}")
    answered = connection.getresponse()
    connection.close()
    assert answered.status == 302
    query = dict(parse_qsl(urlsplit(answered.headers["Location"]).query))
    return OidcAnswer(
        state=query["state"],
        binding=begun.binding,
        code=query.get("code"),
        error=query.get("error"),
        issuer=query.get("iss"),
    )


def sign_in(engine: Engine, provider: OidcProvider, **change: Any) -> NewSession:
    answer = replace(browse(oidc.begin(engine, provider, redirect_uri=CALLBACK)), **change)
    return oidc.finish(engine, provider, answer, address=HOME)
