"""`mdm override` and `mdm relations`: a steward's own values and what golden records are to each other."""

import pytest

from tests.integration.cli.conftest import Mdm, document, lines

MUELLER, ACME = "salesforce-emea/Account:001A", "salesforce-emea/Account:001B"
NORTHWIND = "netsuite-us/customer:43"
WHY = ("--reason", "register extract")


def name_of(mdm: Mdm, key: str) -> str:
    return str(document(mdm("show", key, "--json"))["version"]["values"]["legal_name"])


def test_set_list_and_clear(loaded: Mdm) -> None:
    before = name_of(loaded, ACME)

    told = loaded("override", "set", ACME, "legal_name", "Acme Tools Corp", *WHY)
    assert told.exit_code == 0, told.stderr
    assert f"legal_name: {before} → Acme Tools Corp" in told.stdout
    assert f"set: legal_name, following {ACME}" in told.stdout
    assert name_of(loaded, ACME) == "Acme Tools Corp"
    assert "stands so already" in loaded("override", "set", ACME, "legal_name", "Acme Tools Corp", *WHY).stdout

    (one,) = lines(loaded("override", "list", "--json"))
    assert (one["override"]["value"], one["state"]) == ("Acme Tools Corp", "in_force")
    assert lines(loaded("override", "list", ACME, "--json")) == [one]
    assert "Acme Tools Corp" in loaded("override", "list", "--entity", "customer").stdout
    assert "no overrides" in loaded("override", "list", "--state", "masks_newer").stdout

    assert "Acme Tools Corp → " in loaded("override", "clear", ACME, "legal_name").stdout
    assert name_of(loaded, ACME) == before
    assert "nothing changed" in loaded("override", "clear", ACME, "legal_name").stdout
    assert [each["state"] for each in lines(loaded("override", "list", ACME, "--json"))] == ["ended"]
    assert loaded("check").exit_code == 0


def test_a_dry_run_changes_nothing(loaded: Mdm) -> None:
    told = document(loaded("override", "set", ACME, "trading_names", '["Acme", "ATI"]', *WHY, "--dry-run", "--json"))

    assert told["dry_run"]
    assert told["change"]["after"] == {"trading_names": ["Acme", "ATI"]}
    assert lines(loaded("override", "list", "--json")) == []
    assert "would be" in loaded("override", "set", ACME, "website", "--blank", *WHY, "--dry-run").stdout


def test_a_term_and_a_blank(loaded: Mdm) -> None:
    loaded("override", "set", ACME, "website", "--blank", *WHY, "--until-source-changes")
    loaded("override", "set", ACME, "legal_name", "Acme", *WHY, "--until", "2100-06-30")

    found = {each["override"]["attribute"]: each["override"] for each in lines(loaded("override", "list", "--json"))}

    assert (found["website"]["value"], found["website"]["lasting"]["term"]) == (None, "until_source_changes")
    assert found["legal_name"]["lasting"]["until"].startswith("2100-06-30T23:59:59.999999")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["set", ACME, "legal_name", *WHY], "give a value, or --blank"),
        (["set", ACME, "legal_name", "Acme", "--blank", *WHY], "give a value, or --blank"),
        (["set", ACME, "legal_name", "Acme"], "--reason"),
        (["set", ACME, "legal_name", "Acme", *WHY, "--until", "soon"], "is not a date"),
        (["set", ACME, "legal_name", "Acme", *WHY, "--until", "2100-01-01", "--until-source-changes"], "choose one"),
        (["set", ACME, "trading_names", "[X", *WHY], "begins like JSON"),
        (["list", "--state", "half"], "half"),
    ],
)
def test_a_wrong_call_is_refused(mdm: Mdm, arguments: list[str], told: str) -> None:
    found = mdm("override", *arguments)

    assert (found.exit_code, told in found.stderr) == (2, True), found.stderr


def test_what_cannot_be_done_is_refused_with_what_to_do(loaded: Mdm) -> None:
    for arguments, told in (
        (["set", ACME, "legal_name", "Acme", *WHY, "--until", "2020-01-01"], "would have ended"),
        (["set", ACME, "legal_nmae", "Acme", *WHY], "did you mean legal_name?"),
        (["set", ACME, "legal_name", "?", *WHY], "says nothing"),
        (["set", ACME, "country", "Atlantis9", *WHY], "is no code of"),
        (["set", ACME, "legal_name", "Acme", *WHY, "--expect-version", "99"], "not version 99 any more"),
        (["set", "salesforce-emea/Account:none", "legal_name", "Acme", *WHY], "there is no source record"),
        (["clear", ACME, "legal_nmae"], "did you mean legal_name?"),
    ):
        found = loaded("override", *arguments)
        assert (found.exit_code, told in found.stderr, "What to do" in found.stderr) == (1, True, True), found.stderr
    assert lines(loaded("override", "list", "--json")) == []


def test_relations_are_shown_from_both_sides_and_their_days(loaded: Mdm) -> None:
    related = ("decide", "related", ACME, NORTHWIND, "--relation", "parent_of", "--reason", "annual report")
    assert loaded(*related, "--valid-from", "2024-01-01").exit_code == 0

    (one,) = lines(loaded("relations", NORTHWIND, "--json"))

    assert (one["relation"]["relation"], one["relation"]["own_key"]) == ("child_of", NORTHWIND)
    assert "parent_of" in loaded("relations", ACME).stdout
    assert "Northwind" in loaded("relations", ACME, "--valid-at", "2024-01-01").stdout
    assert "no relations" in loaded("relations", ACME, "--valid-at", "2023-12-31").stdout
    assert loaded("relations", ACME, "--valid-at", "soon").exit_code == 2
    assert loaded(*related, "--valid-from", "soon").exit_code == 2
    turned = loaded("decide", "related", NORTHWIND, ACME, "--relation", "parent_of", "--reason", "x")
    assert (turned.exit_code, "  because " in turned.stderr) == (1, True)
