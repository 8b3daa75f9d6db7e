"""Signing in at an OpenID provider over real HTTP: what is true opens a session, every lie is noticed."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection
from threading import Barrier
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2 as httpx
import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey
from sqlalchemy import Engine, text

from mdm.access import oidc, people, sessions
from mdm.access.oidc import Begun, OidcAnswer
from mdm.access.oidc_provider import OidcProvider, Registration, registration_of
from mdm.access.people_model import NewSession, PersonChange, Standing
from mdm.db.transaction import run, transaction
from mdm.errors import HubError, SignInRefused, Unavailable
from mdm.settings import Settings
from tests.hubs import assert_sound, hub_on
from tests.oidc_server import CLIENT_ID, CLIENT_SECRET, Key, OidcServer, oidc_server

HOME = "192.0.2.1"
CALLBACK = f"http://127.0.0.1:8000{oidc.CALLBACK_PATH}"
RSA_KEY = RSAKey.generate_key(2048)  # once: 0.1 to 0.5 s
PERSON = {
    "sub": "00u1",
    "preferred_username": "Anna@Example.com",
    "name": "Anna Berg",
    "groups": ["staff", "mdm-stewards"],
}


@pytest.fixture
def server() -> Iterator[OidcServer]:
    with oidc_server(RSA_KEY, "RS256", dict(PERSON)) as running:
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


def logins(engine: Engine) -> list[str]:
    with transaction(engine) as connection:
        return [person.login for person in people.list_people(connection)]


def kinds(engine: Engine) -> list[tuple[str, str]]:
    with transaction(engine) as connection:
        return [(each.kind, each.origin) for each in reversed(sessions.list_attempts(connection, limit=100))]


def test_a_person_of_a_mapped_group_is_added_and_signed_in(
    engine: Engine, provider: OidcProvider, server: OidcServer
) -> None:
    begun = oidc.begin(engine, provider, redirect_uri=CALLBACK, return_to="/reviews?band=1")
    new = oidc.finish(engine, provider, browse(begun), address=HOME)

    person = new.session.person
    assert (person.login, person.name, person.role, person.origin) == (
        *("anna@example.com", "Anna Berg", "steward", "oidc"),
    )
    assert new.return_to == "/reviews?band=1"
    assert sessions.SessionRing(engine).read(new.token) == new.session
    assert kinds(engine) == [("signed_in", "oidc")]
    assert server.asked == ["/.well-known/openid-configuration", "/token", "/keys"]
    assert_sound(hub_on(engine))


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("ES256", "EC"), ("PS256", "RSA"), ("EdDSA", "OKP"), ("Ed25519", "OKP")],
)
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by the signer; the hub takes what providers still write
def test_other_asymmetric_algorithms_are_taken(engine: Engine, algorithm: str, kind: str) -> None:
    keys: dict[str, Key] = {"RSA": RSA_KEY, "EC": ECKey.generate_key("P-256"), "OKP": OKPKey.generate_key("Ed25519")}
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


def now(seconds: int) -> int:
    return int(time.time()) + seconds


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
        ("exp", now(-3_600)),
        ("exp", now(-61)),
        ("exp", "tomorrow"),
        ("exp", None),
        ("iat", now(600)),
        ("iat", None),
        ("nbf", now(600)),
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
    server.faults.claims = {"exp": now(-30), "iat": now(30), "nbf": now(30), "aud": [CLIENT_ID]}

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


def test_a_state_is_taken_once(engine: Engine, provider: OidcProvider) -> None:
    answer = browse(oidc.begin(engine, provider, redirect_uri=CALLBACK))
    oidc.finish(engine, provider, answer, address=HOME)

    with pytest.raises(SignInRefused, match="finished before"):
        oidc.finish(engine, provider, answer, address=HOME)


def test_of_two_who_finish_one_sign_in_at_once_one_wins(engine: Engine, provider: OidcProvider) -> None:
    answer = browse(oidc.begin(engine, provider, redirect_uri=CALLBACK))
    start = Barrier(2)

    def attempt(_: int) -> bool:
        start.wait()
        try:
            oidc.finish(engine, provider, answer, address=HOME)
        except SignInRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == [False, True]


def test_one_person_who_signs_in_twice_at_once_for_the_first_time_is_one_person(
    engine: Engine, provider: OidcProvider
) -> None:
    answers = [browse(oidc.begin(engine, provider, redirect_uri=CALLBACK)) for _ in range(3)]
    start = Barrier(3)

    def attempt(answer: OidcAnswer) -> str:
        start.wait()
        return oidc.finish(engine, provider, answer, address=HOME).session.person.id

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(attempt, answers))) == 1


def test_a_sign_in_takes_ten_minutes_at_most(engine: Engine, provider: OidcProvider) -> None:
    answer = browse(oidc.begin(engine, provider, redirect_uri=CALLBACK))
    with transaction(engine) as connection:
        connection.execute(text("UPDATE oidc_request SET expires_at = expires_at - interval '10 minutes'"))

    with pytest.raises(SignInRefused, match="too long"):
        oidc.finish(engine, provider, answer, address=HOME)


@pytest.mark.parametrize(
    "change",
    [
        {"binding": "of another browser"},
        {"binding": ""},
        {"state": "of nobody"},
        {"state": "x" * 100_000},
        {"state": "\0"},
        {"state": "\ud800"},
        {"issuer": "https://evil.example"},  # a mix-up: the code is another provider's
        {"issuer": None},  # stripped, though this provider always names itself
        {"code": None},
        {"code": ""},
        {"code": "guessed"},
        {"code": "x" * 100_000},
        {"code": "\0"},
        {"error": "access_denied"},
        {"error": "<script>alert(1)</script>"},
    ],
)
def test_an_answer_that_is_not_of_this_sign_in_is_refused(
    engine: Engine, provider: OidcProvider, change: dict[str, Any]
) -> None:
    with pytest.raises(SignInRefused) as refused:
        sign_in(engine, provider, **change)

    assert "<" not in refused.value.message
    assert logins(engine) == []


def test_somebody_in_no_mapped_group_is_told_so(engine: Engine, provider: OidcProvider, server: OidcServer) -> None:
    for groups in (["staff"], [], None, {"mdm-admins": True}, 7, [["mdm-admins"]], "MDM-ADMINS"):
        server.person["groups"] = groups
        with pytest.raises(SignInRefused, match="in no group that may use the hub"):
            sign_in(engine, provider)

    assert logins(engine) == []


def test_the_role_follows_the_groups_at_the_next_sign_in_and_limits_stay(
    engine: Engine, provider: OidcProvider, server: OidcServer
) -> None:
    first = sign_in(engine, provider).session.person
    limited = PersonChange(entity_types=("customer",))
    run(engine, lambda c: people.change_person(c, first.id, limited, by="ada"))
    roles = {}
    for groups in (["mdm-readers", "mdm-admins", "mdm-stewards"], "mdm-readers", ["mdm-stewards", "mdm-readers"]):
        server.person |= {"groups": groups, "preferred_username": "renamed", "name": "Anna Sommer"}
        person = sign_in(engine, provider).session.person
        assert (person.id, person.login, person.name) == (first.id, "anna@example.com", "Anna Sommer")
        roles[str(groups)] = (person.role, [str(scope) for scope in person.principal.scopes])

    assert list(roles.values()) == [
        ("admin", ["admin"]),
        ("viewer", ["read:customer"]),
        ("steward", ["steward:customer"]),
    ]
    with pytest.raises(HubError, match="comes from the groups"):
        run(engine, lambda c: people.change_person(c, first.id, PersonChange(role="admin"), by="ada"))
    with pytest.raises(HubError, match="signs in at the identity provider"):
        run(engine, lambda c: people.make_link(c, first.id, by="ada"))


def test_a_disabled_person_stays_out(engine: Engine, provider: OidcProvider) -> None:
    person = sign_in(engine, provider).session.person
    run(engine, lambda c: people.change_person(c, person.id, PersonChange(is_disabled=True), by="ada"))

    with pytest.raises(SignInRefused, match="any more"):
        sign_in(engine, provider)


@pytest.mark.parametrize("taken_by", ["local", "another subject"])
def test_a_login_of_the_same_name_is_never_taken_over(
    engine: Engine, provider: OidcProvider, server: OidcServer, taken_by: str
) -> None:
    if taken_by == "local":
        standing = Standing("admin")
        run(engine, lambda c: people.add_person(c, "anna@example.com", name="Ada", standing=standing, by="test"))
    else:
        sign_in(engine, provider)
        server.person["sub"] = "00u2"

    with pytest.raises(SignInRefused, match="belongs to somebody else"):
        sign_in(engine, provider)

    assert logins(engine) == ["anna@example.com"]


@pytest.mark.parametrize("login", [None, "", "anna berg", "sync (key_1)", 7, "x" * 300, "anna\0"])
def test_a_login_that_cannot_be_one_is_refused(
    engine: Engine, provider: OidcProvider, server: OidcServer, login: Any
) -> None:
    server.person["preferred_username"] = login

    with pytest.raises(SignInRefused, match="no usable preferred_username"):
        sign_in(engine, provider)


def test_an_email_address_that_was_not_verified_names_nobody(engine: Engine, server: OidcServer) -> None:
    provider = provider_of(replace(registration(server), login_claim="email"))
    server.person |= {"email": "anna@example.com", "email_verified": False}

    with pytest.raises(SignInRefused, match="verified"):
        sign_in(engine, provider)
    server.person["email_verified"] = True
    assert sign_in(engine, provider).session.person.login == "anna@example.com"
    provider.close()


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


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "", "reviews", "/a\nb", "/ü", "/" * 3_000],
)
def test_a_sign_in_goes_on_inside_the_console_only(engine: Engine, provider: OidcProvider, elsewhere: str) -> None:
    begun = oidc.begin(engine, provider, redirect_uri=CALLBACK, return_to=elsewhere)

    assert oidc.finish(engine, provider, browse(begun), address=HOME).return_to == "/"


def test_what_is_kept_of_a_sign_in_under_way_is_of_no_use_to_a_reader_of_the_database(
    engine: Engine, provider: OidcProvider
) -> None:
    begun = oidc.begin(engine, provider, redirect_uri=CALLBACK)

    with transaction(engine) as connection:
        stored = str(connection.execute(text("SELECT r::text FROM oidc_request AS r")).all())
    state = dict(parse_qsl(urlsplit(begun.url).query))["state"]
    assert begun.binding not in stored
    assert state not in stored
