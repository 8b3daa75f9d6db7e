"""`mdm keys`, `sources`, `schema`: set-up errands."""

import json

from tests.integration.cli.conftest import Mdm, document, lines


def test_a_token_is_shown_once_and_a_revoked_key_says_so(mdm: Mdm) -> None:
    made = document(mdm("keys", "create", "billing-sync", "--scope", "read", "--scope", "write@netsuite-us", "--json"))

    listed = mdm("keys", "list", "--json")
    assert made["token"].startswith("mdm_")
    assert made["token"] not in listed.stdout
    assert [key["scopes"] for key in lines(listed)] == [["read", "write@netsuite-us"]]
    assert "is revoked" in mdm("keys", "revoke", made["id"]).stdout
    assert "revoked" in mdm("keys", "list").stdout


def test_only_the_token_goes_to_stdout(mdm: Mdm) -> None:
    assert mdm("keys", "create", "x", "--scope", "read").stdout.count("\n") == 1


def test_a_broken_scope_or_key_is_refused(mdm: Mdm) -> None:
    assert "write:customer@salesforce-us" in mdm("keys", "create", "x", "--scope", "everything").stderr
    assert "mdm keys list" in mdm("keys", "revoke", "key_none").stderr
    assert mdm("keys", "create", "x").exit_code == 2


def test_a_key_may_have_rates_of_its_own(mdm: Mdm) -> None:
    made = document(mdm("keys", "create", "sync", "--scope", "read", "--rate", "read=6000/60", "--json"))

    assert made["rates"] == ["read=6000/60"]
    assert [key["rates"] for key in lines(mdm("keys", "list", "--json"))] == [["read=6000/60"]]
    assert "as read=6000/60" in mdm("keys", "create", "x", "--scope", "read", "--rate", "fast=1/1").stderr


def test_a_source_is_registered_by_its_id(mdm: Mdm) -> None:
    mdm("sources", "add", "salesforce-us", "--title", "Americas", "--rank", "2")

    assert lines(mdm("sources", "list", "--json")) == [
        {"id": "salesforce-us", "system": "salesforce", "title": "Americas", "rank": 2, "duplicate_free": False}
        | {"retired_at": None}
    ]
    corrected = mdm("sources", "add", "salesforce-us", "--system", "crm")
    assert "salesforce-us was registered as salesforce" in corrected.stderr
    assert [row["system"] for row in lines(mdm("sources", "list", "--json"))] == ["crm"]


def test_the_schema_is_json_and_an_entity_lists_its_columns(mdm: Mdm) -> None:
    assert "properties" in json.loads(mdm("schema").stdout)
    assert "legal_name" in mdm("schema", "--entity", "customer").stdout
    assert document(mdm("schema", "-e", "project", "--json"))["entity"] == "project"
    assert mdm("schema", "-e", "projekt").exit_code == 1


def test_adding_a_source_again_changes_only_what_is_given(mdm: Mdm) -> None:
    mdm("sources", "add", "salesforce-us", "--title", "Americas", "--rank", "2", "--duplicate-free")

    assert "nothing changed" in mdm("sources", "add", "salesforce-us").stdout
    mdm("sources", "add", "salesforce-us", "--rank", "3")

    assert lines(mdm("sources", "list", "--json")) == [
        {"id": "salesforce-us", "system": "salesforce", "title": "Americas", "rank": 3, "duplicate_free": True}
        | {"retired_at": None}
    ]
