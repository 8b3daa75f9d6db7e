"""Roles become scopes; logins, names and limits have one form, or are refused with the reason."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.access.model import Principal, Scope, Verb, parse_scopes
from mdm.access.people_model import (
    ROLES,
    ROLES_BY_STRENGTH,
    Person,
    Role,
    Standing,
    check_standing,
    normal_login,
    normal_name,
)
from mdm.errors import InputInvalid
from mdm.ids import ApiKeyId, PersonId

VERBS: tuple[Verb, ...] = ("read", "write", "steward", "lead", "admin")


def person(standing: Standing) -> Person:
    return Person(
        PersonId("per_1"),
        "anna@example.com",
        "Anna Berg",
        standing.role,
        datetime(2026, 1, 1, tzinfo=UTC),
        "test",
        entity_types=standing.entity_types,
        sources=standing.sources,
    )


def test_each_role_holds_its_verbs_and_no_others() -> None:
    held = {role: {verb for verb in VERBS if person(Standing(role)).principal.holds(verb)} for role in ROLES}

    assert held == {
        "viewer": {"read"},
        "steward": {"read", "steward"},
        "lead": {"read", "steward", "lead"},
        "integrator": {"read", "write"},
        "admin": set(VERBS),
    }
    assert sorted(ROLES_BY_STRENGTH) == sorted(ROLES)


def test_limits_are_those_of_scopes_each_type_with_each_source() -> None:
    scopes = Standing("integrator", ("customer", "project"), ("crm-eu",)).scopes

    assert [str(scope) for scope in scopes] == [
        "read:customer@crm-eu",
        "read:project@crm-eu",
        "write:customer@crm-eu",
        "write:project@crm-eu",
    ]
    limited = person(Standing("steward", ("customer",))).principal
    assert limited.may("steward", entity_type="customer", source="any")
    assert not limited.may("steward", entity_type="project")
    assert person(Standing("admin", ("customer",))).principal.may("write")  # as groups elsewhere may make it


def test_a_person_stands_under_who_with_the_login_and_a_key_with_name_and_id() -> None:
    assert person(Standing("viewer")).principal.who == "anna@example.com"
    assert Principal(ApiKeyId("key_1"), "sync", parse_scopes(["read"])).who == "sync (key_1)"


@pytest.mark.parametrize(
    ("given", "login"),
    [
        (" Anna.Berg+x@Example.COM ", "anna.berg+x@example.com"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁona", "fiona"),
        ("Å", "å"),
        ("o'neil", "o'neil"),
        ("李雷", "李雷"),
        ("ΌΣΟΣ", "όσοσ"),
    ],
)
def test_a_login_has_one_form(given: str, login: str) -> None:
    assert normal_login(given) == login
    assert normal_login(login) == login


@given(st.text(st.characters(categories=("L", "N", "M", "Pc", "Pd", "Po", "Sk")), max_size=8))
def test_the_form_of_a_login_is_its_own_form_whatever_was_given(given: str) -> None:
    try:
        login = normal_login(f"a{given}")
    except InputInvalid:
        return

    assert normal_login(login) == login


@pytest.mark.parametrize(
    "given",
    [
        *("", " ", "anna berg", "sync (key_1)", "cli:anna", "role:postgres", "anna\0", "anna\u200b", "\u202eanna"),
        *(".anna", "a" * 255, "\ufdfa" * 100, "\ud800", "<script>", "a,b", "a;b", "a/b", "a\\b", '"a"'),
    ],
)
def test_what_could_pass_for_something_else_is_no_login(given: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        normal_login(given)

    assert refused.value.field == "login"


@pytest.mark.parametrize("given", ["", "  ", "x" * 121, "Anna\nBerg", "Anna\0", "\u202eAnna", "x" * 10_000, "\ud800"])
def test_a_name_is_short_and_printable(given: str) -> None:
    with pytest.raises(InputInvalid):
        normal_name(given)


@pytest.mark.parametrize(
    ("role", "entity_types", "sources", "field"),
    [
        ("owner", (), (), "role"),
        ("admin", ("customer",), (), "role"),
        ("admin", (), ("crm-eu",), "role"),
        ("steward", ("Customer",), (), "entity_types"),
        ("steward", ("customer@crm-eu",), (), "entity_types"),
        ("steward", ("",), (), "entity_types"),
        ("steward", (), ("crm eu",), "sources"),
        ("steward", (), ("",), "sources"),
    ],
)
def test_a_standing_that_does_not_fit_names_its_part(
    role: Role, entity_types: tuple[str, ...], sources: tuple[str, ...], field: str
) -> None:
    with pytest.raises(InputInvalid) as refused:
        check_standing(role, entity_types, sources)

    assert refused.value.field == field


def test_a_limit_is_kept_once() -> None:
    assert check_standing("lead", ["customer", "customer"]) == Standing("lead", ("customer",))
    assert Standing("lead", ("customer",)).scopes == (Scope("lead", "customer"),)
