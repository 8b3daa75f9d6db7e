"""Scopes: what is printed is read back, and nothing is allowed that no scope allows."""

import pytest

from mdm.access.model import Principal, Scope, Verb, parse_scopes
from mdm.errors import InputInvalid
from mdm.ids import ApiKeyId


def principal(*scopes: str) -> Principal:
    return Principal(ApiKeyId("key_1"), "test", parse_scopes(scopes))


@pytest.mark.parametrize(
    "printed", ["read", "write:customer", "read@salesforce-us", "write:customer@netsuite-us", "admin"]
)
def test_a_scope_is_printed_as_it_was_read(printed: str) -> None:
    assert str(Scope.parse(printed)) == printed


@pytest.mark.parametrize(
    "printed", ["", "reads", "read:", "read@", "READ", "admin:customer", "admin@x", "read:customer:x", "read "]
)
def test_what_is_no_scope_is_refused(printed: str) -> None:
    with pytest.raises(InputInvalid):
        Scope.parse(printed)


def test_a_key_without_scopes_is_refused() -> None:
    with pytest.raises(InputInvalid):
        parse_scopes([])


def test_admin_includes_everything_lead_what_a_steward_may_and_write_only_itself() -> None:
    verbs: tuple[Verb, ...] = ("read", "write", "steward", "lead", "admin")

    held = {verb: {other for other in verbs if principal(verb).holds(other)} for verb in verbs}

    assert held == {
        "read": {"read"},
        "write": {"write"},
        "steward": {"steward", "read"},
        "lead": {"lead", "steward", "read"},
        "admin": set(verbs),
    }


def test_a_limited_scope_reaches_its_own_type_and_source_and_no_other() -> None:
    writer = principal("write:customer@netsuite-us")

    assert writer.may("write", entity_type="customer", source="netsuite-us")
    assert not writer.may("write", entity_type="project", source="netsuite-us")
    assert not writer.may("write", entity_type="customer", source="netsuite-eu")
    assert not writer.may("write", entity_type="customer")
    assert not writer.may("write")


def test_reach_is_told_by_source_and_by_entity_type() -> None:
    assert principal("read:customer@a").reaches("read", "a")
    assert not principal("read:customer@a").reaches("read", "b")
    assert principal("read:customer").reaches("read", "b")
    assert principal("steward").entity_types("read") is None
    assert principal("steward:customer", "read:project@a", "write").entity_types("read") == frozenset({"customer"})
    assert principal("write").entity_types("read") == frozenset()


def test_the_sources_that_a_key_reaches_are_named_unless_it_reaches_all() -> None:
    assert principal("read").sources("read", "customer") is None
    assert principal("read:customer", "read@netsuite-us").sources("read", "customer") is None
    assert principal("read@netsuite-us", "read:project").sources("read", "customer") == frozenset({"netsuite-us"})
    assert principal("read:project", "write").sources("read", "customer") == frozenset()
