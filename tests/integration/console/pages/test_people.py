"""Administrators keep people: add, limit, keep out, give links; nobody else may, and nothing of it can be guessed."""

import re

import pytest
from sqlalchemy import Engine

from mdm.access import people
from mdm.access.people_model import Person
from mdm.db.transaction import run
from tests.integration.console.pages.conftest import SignIn, Visitor, enter
from tests.people import PASSWORD

pytestmark = pytest.mark.db


def person(engine: Engine, login: str) -> Person:
    return run(engine, lambda connection: people.find_person(connection, login))


def link_in(page: str) -> str:
    found = re.search(r'value="(http[^"]+/sign-in/link/[^"]+)"', page)
    assert found is not None, page
    return found[1]


def added(ada: Visitor, **fields: str | list[str]) -> str:
    answer = ada.post("/people", {"login": "uwe", "name": "Uwe", "role": "steward", **fields})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return link_in(answer.text)


def test_a_person_is_added_with_a_link_that_works_once(engine: Engine, sign_in: SignIn) -> None:
    ada = sign_in("ada", "admin")

    link = added(ada, entity_types=["gizmo"], sources=["crm-east"])

    assert link.startswith("http://testserver/sign-in/link/")
    assert link not in ada.page("/people") + ada.page(f"/people/{person(engine, 'uwe').id}")
    uwe = person(engine, "uwe")
    assert (uwe.role, uwe.entity_types, uwe.sources, uwe.who) == ("steward", ("gizmo",), ("crm-east",), "ada")
    path = link.removeprefix("http://testserver")
    fields = {"name": "Uwe Öst", "password": PASSWORD}
    assert ada.client.post(path, data=fields, follow_redirects=False).status_code == 303
    ada.client.cookies.clear()
    assert ada.client.post(path, data=fields, follow_redirects=False).status_code >= 400
    assert "signed in with a link" in ada.page("/people")


def test_a_faulty_form_says_what_is_wrong_and_adds_nobody(engine: Engine, sign_in: SignIn) -> None:
    ada = sign_in("ada", "admin")

    taken = ada.post("/people", {"login": "ADA", "name": "Another", "role": "lead"})
    odd = ada.post("/people", {"login": "a b", "name": '"><script>x</script>', "role": "lead"})
    limited = ada.post("/people", {"login": "max", "name": "Max", "role": "admin", "sources": ["crm-east"]})
    made_up = ada.post("/people", {"login": "max", "name": "Max", "role": "king"})

    assert [each.status_code for each in (taken, odd, limited, made_up)] == [422, 422, 422, 422]
    assert "is taken" in taken.text
    assert "cannot be limited" in limited.text
    assert "<script>x" not in odd.text
    assert 'value="a b"' in odd.text
    assert [each.login for each in run(engine, people.list_people)] == ["ada"]


def test_role_and_limits_change_and_hold_at_once(engine: Engine, sign_in: SignIn) -> None:
    ada, sam = sign_in("ada", "admin"), sign_in("sam", "steward")

    answer = ada.post(
        f"/people/{sam.person_id}",
        {"action": "change", "name": "Sam O'Neil", "role": "viewer", "entity_types": ["gizmo"]},
    )

    changed = person(engine, "sam")
    assert answer.status_code == 303
    assert (changed.name, changed.role, changed.entity_types) == ("Sam O'Neil", "viewer", ("gizmo",))
    assert enter(ada.client, "sam", sam.person_id).get("/exceptions").status_code == 403


def test_who_is_kept_out_is_signed_out_and_let_in_again_with_the_same_password(engine: Engine, sign_in: SignIn) -> None:
    ada, sam = sign_in("ada", "admin"), sign_in("sam", "steward")
    path = f"/people/{sam.person_id}"

    assert ada.post(path, {"action": "disable"}).status_code == 303
    refused = ada.client.post("/sign-in", data={"login": "sam", "password": PASSWORD}, follow_redirects=False)
    link = ada.post(f"{path}/link")
    assert ada.post(path, {"action": "enable"}).status_code == 303

    assert (refused.status_code, link.status_code) == (401, 422)
    assert enter(ada.client, "sam", sam.person_id).get("/").status_code == 200


def test_a_new_link_replaces_the_old_one_and_sessions_end(sign_in: SignIn, engine: Engine) -> None:
    ada = sign_in("ada", "admin")
    first = added(ada)
    path = f"/people/{person(engine, 'uwe').id}"

    second = link_in(ada.post(f"{path}/link").text)

    assert first != second
    assert ada.client.get(first.removeprefix("http://testserver")).status_code >= 400
    assert ada.client.get(second.removeprefix("http://testserver")).status_code == 200
    assert ada.post(f"{path}/sign-out").status_code == 303


def test_the_last_administrator_stays(engine: Engine, sign_in: SignIn) -> None:
    ada = sign_in("ada", "admin")

    demoted = ada.post(f"/people/{ada.person_id}", {"action": "change", "name": "Ada", "role": "viewer"})
    disabled = ada.post(f"/people/{ada.person_id}", {"action": "disable"})

    assert (demoted.status_code, disabled.status_code) == (422, 422)
    assert "last administrator" in demoted.text
    assert person(engine, "ada").role == "admin"
    assert not person(engine, "ada").is_disabled


@pytest.mark.parametrize("role", ["viewer", "integrator", "steward", "lead"])
def test_nobody_else_may(role: str, sign_in: SignIn, engine: Engine) -> None:
    other = sign_in("olga", role)
    path = f"/people/{other.person_id}"

    answers = [
        other.get("/people"),
        other.get(path),
        other.post("/people", {"login": "eve", "name": "Eve", "role": "admin"}),
        other.post(path, {"action": "change", "name": "Olga", "role": "admin"}),
        other.post(f"{path}/link"),
        other.post(f"{path}/sign-out"),
    ]

    assert {each.status_code for each in answers} == {403}
    assert [(each.login, each.role) for each in run(engine, people.list_people)] == [("olga", role)]
