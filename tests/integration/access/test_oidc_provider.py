"""What an OpenID provider says over real HTTP: the truth is taken in every dialect, lies and failures are noticed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from sqlalchemy import Engine

from mdm.access import oidc
from mdm.access.oidc_provider import OidcProvider
from mdm.errors import SignInRefused, Unavailable
from tests.integration.access.conftest import CALLBACK, PERSON, provider_of, registration, rsa_key, sign_in
from tests.integration.access.test_oidc import kinds, logins
from tests.oidc_server import CLIENT_ID, In, Key, OidcServer, oidc_server


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("ES256", "EC"), ("PS256", "RSA"), ("EdDSA", "OKP"), ("Ed25519", "OKP")],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by the signer; the hub takes what providers still write
def test_other_asymmetric_algorithms_are_taken(engine: Engine, algorithm: str, kind: str) -> None:
    keys: dict[str, Key] = {"RSA": rsa_key(), "EC": ECKey.generate_key("P-256"), "OKP": OKPKey.generate_key("Ed25519")}
    with oidc_server(keys[kind], algorithm, dict(PERSON)) as server:
        provider = provider_of(registration(server))
        assert sign_in(engine, provider).session.person.role == "steward"
        provider.close()


def test_a_public_client_needs_no_secret(engine: Engine, server: OidcServer) -> None:
    server.has_secret = False
    provider = provider_of(registration(server))

    assert sign_in(engine, provider).session.person.login == "anna@example.com"
    provider.close()


def test_a_provider_that_takes_the_secret_in_the_body_only_gets_it_there(
    engine: Engine, provider: OidcProvider, server: OidcServer
) -> None:
    server.faults.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    assert sign_in(engine, provider).session.person.login == "anna@example.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nonce", "another"),
        ("nonce", None),
        ("nonce", ["another"]),
        ("aud", "another-client"),
        ("aud", []),
        ("aud", None),
        ("aud", [CLIENT_ID, "another-client"]),  # without azp
        ("azp", "another-client"),
        ("iss", "https://evil.example"),
        ("iss", None),
        ("exp", In(-3_600)),
        ("exp", In(-61)),
        ("exp", "tomorrow"),
        ("exp", None),
        ("iat", In(600)),
        ("iat", None),
        ("nbf", In(600)),
        ("sub", None),
        ("sub", ""),
        ("sub", 7),
        ("sub", "x" * 256),
        ("sub", "00u1\0"),
    ],
)
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(
    engine: Engine, provider: OidcProvider, server: OidcServer, name: str, value: Any
) -> None:
    server.faults.claims = {name: value}

    with pytest.raises(SignInRefused):
        sign_in(engine, provider)

    assert logins(engine) == []
    assert kinds(engine) == [("refused", "oidc")]


def test_clocks_may_differ_by_less_than_a_minute(engine: Engine, provider: OidcProvider, server: OidcServer) -> None:
    server.faults.claims = {"exp": In(-30), "iat": In(30), "nbf": In(30), "aud": [CLIENT_ID]}

    assert sign_in(engine, provider).session.person.login == "anna@example.com"


@pytest.mark.parametrize("forge", ["unsigned", "signed_with_public_key", "signed_with_published_secret"])
def test_a_token_without_a_signature_of_the_provider_is_refused(
    engine: Engine, provider: OidcProvider, server: OidcServer, forge: str
) -> None:
    server.faults.token = getattr(server, forge)

    with pytest.raises(SignInRefused):
        sign_in(engine, provider)


BROKEN: list[Callable[[str], object]] = [
    lambda token: token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"),
    lambda token: token.split(".")[0] + "." + token.split(".")[1],
    lambda _: "",
    lambda _: "a.b.c",
    lambda _: "\0" * 100,
    lambda _: "x" * 200_000,
    lambda _: None,
    lambda _: {"alg": "none"},
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_token_is_refused(engine: Engine, provider: OidcProvider, server: OidcServer, number: int) -> None:
    server.faults.token = BROKEN[number]

    with pytest.raises(SignInRefused):
        sign_in(engine, provider)


def test_a_key_that_the_provider_does_not_publish_signs_for_nobody(
    engine: Engine, provider: OidcProvider, server: OidcServer
) -> None:
    published = server.public_keys
    server.faults.replies["/keys"] = (200, json.dumps({"keys": published}).encode())
    stranger = RSAKey.import_key({**RSAKey.generate_key(2048).as_dict(private=True), "kid": str(server.key.kid)})
    server.key = stranger

    with pytest.raises(SignInRefused):
        sign_in(engine, provider)


def test_a_rotated_key_is_fetched_and_the_old_one_ends(
    engine: Engine, provider: OidcProvider, server: OidcServer
) -> None:
    sign_in(engine, provider)
    sign_in(engine, provider)
    assert server.asked.count("/keys") == 1

    old = server.key
    server.rotate(RSAKey.generate_key(2048))
    assert sign_in(engine, provider).session.person.login == "anna@example.com"
    assert server.asked.count("/keys") == 2

    server.faults.token = lambda token: server.signed_with_another_key(token, old)
    with pytest.raises(SignInRefused):
        sign_in(engine, provider)


@pytest.mark.parametrize(
    ("path", "reply"),
    [
        ("/.well-known/openid-configuration", (500, b"")),
        ("/.well-known/openid-configuration", (200, b"[]")),
        ("/.well-known/openid-configuration", (200, b"{" * 100)),
        ("/.well-known/openid-configuration", (200, b" " * 2_000_000)),
        ("/.well-known/openid-configuration", (302, b"http://127.0.0.1:1/")),
        ("/token", (500, b"")),
        ("/token", (302, b"http://127.0.0.1:1/")),
        ("/token", (200, b"null")),
        ("/keys", (503, b"busy")),
        ("/keys", (200, b"\xff")),
    ],
)
def test_a_provider_that_fails_is_a_failure_and_no_refusal(
    engine: Engine, provider: OidcProvider, server: OidcServer, path: str, reply: tuple[int, bytes]
) -> None:
    server.faults.replies[path] = reply

    with pytest.raises(Unavailable) as failed:
        sign_in(engine, provider)

    assert server.issuer in failed.value.message
    del server.faults.replies[path]
    assert sign_in(engine, provider).session.person.login == "anna@example.com"


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_discovery_document_that_is_not_of_the_issuer_is_not_believed(
    engine: Engine, provider: OidcProvider, server: OidcServer, discovery: dict[str, Any]
) -> None:
    server.faults.discovery = discovery

    with pytest.raises(Unavailable):
        oidc.begin(engine, provider, redirect_uri=CALLBACK)


def test_a_provider_that_does_not_know_the_hub_names_the_settings(engine: Engine, server: OidcServer) -> None:
    provider = provider_of(replace(registration(server), client_secret="another"))

    with pytest.raises(Unavailable) as failed:
        sign_in(engine, provider)

    assert "MDM_OIDC_CLIENT_SECRET" in failed.value.remedy
    provider.close()


def test_a_provider_that_is_down_is_named(engine: Engine, server: OidcServer) -> None:
    provider = provider_of(replace(registration(server), issuer="http://127.0.0.1:1"))

    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        oidc.begin(engine, provider, redirect_uri=CALLBACK)
    provider.close()
