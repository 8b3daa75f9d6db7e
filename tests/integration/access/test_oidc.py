"""Signing in at an OpenID provider over real HTTP: who is let in, as whom, with which role, once for each sign-in."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import Engine, text

from mdm.access import oidc, people, sessions
from mdm.access.oidc import OidcAnswer
from mdm.access.oidc_provider import OidcProvider
from mdm.access.people_model import PersonChange, Standing
from mdm.db.transaction import run, transaction
from mdm.errors import HubError, SignInRefused
from tests.hubs import assert_sound, hub_on
from tests.integration.access.conftest import CALLBACK, HOME, browse, provider_of, registration, sign_in
from tests.oidc_server import OidcServer


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


def test_a_flood_of_answers_to_nothing_is_one_entry_a_minute(engine: Engine, provider: OidcProvider) -> None:
    for number in range(5):
        with pytest.raises(SignInRefused):
            oidc.finish(engine, provider, OidcAnswer(f"guess-{number}", "", code="x"), address=HOME)
    with pytest.raises(SignInRefused):
        oidc.finish(engine, provider, OidcAnswer("guess", "", code="x"), address="198.51.100.7")

    assert kinds(engine) == [("refused", "oidc")] * 2


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


def test_a_flood_of_begun_sign_ins_drops_the_oldest_and_keeps_nobody_out(
    engine: Engine, provider: OidcProvider
) -> None:
    oldest = browse(oidc.begin(engine, provider, redirect_uri=CALLBACK))
    with transaction(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO oidc_request SELECT sha256(convert_to(n::text, 'UTF8')), binding_hash, issuer, nonce,"
                " verifier, redirect_uri, return_to, expires_at + interval '1 millisecond'"
                " FROM oidc_request, generate_series(1, 9999) AS n"
            )
        )

    newest = browse(oidc.begin(engine, provider, redirect_uri=CALLBACK))

    with transaction(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM oidc_request")).scalar_one() == oidc.REQUESTS_MAX
    assert oidc.finish(engine, provider, newest, address=HOME).session.person.login == "anna@example.com"
    with pytest.raises(SignInRefused):
        oidc.finish(engine, provider, oldest, address=HOME)
