"""`mdm exceptions`: what was put aside is listed, mended, replayed or dismissed."""

import json
from pathlib import Path

from tests.integration.cli.conftest import Mdm, document, lines


def test_a_mended_record_is_taken(loaded: Mdm) -> None:
    (waiting,) = lines(loaded("exceptions", "list", "--json"))

    loaded("exceptions", "mend", waiting["id"], "Name=Tailspin Toys Ltd")
    replayed = loaded("exceptions", "replay", waiting["id"], "--json")

    assert waiting["reasons"][0]["code"] == "legal_name_missing"
    assert json.loads(replayed.stdout)["status"] == "created"
    assert lines(loaded("exceptions", "list", "--json")) == []
    assert document(loaded("resolve", "salesforce-emea/Account:001C", "--json"))["answer"] == "one"


def test_replaying_what_is_still_wrong_ends_with_four(loaded: Mdm) -> None:
    (waiting,) = lines(loaded("exceptions", "list", "--json"))

    found = loaded("exceptions", "replay", waiting["id"])

    assert found.exit_code == 4
    assert "rejected" in found.stdout


def test_show_says_what_to_do_and_dismiss_closes(loaded: Mdm) -> None:
    (waiting,) = lines(loaded("exceptions", "list", "--source", "salesforce-emea", "--json"))

    shown = loaded("exceptions", "show", waiting["id"]).stdout
    loaded("exceptions", "dismiss", waiting["id"])

    assert "deliver a legal name" in shown
    assert lines(loaded("exceptions", "list", "--state", "dismissed", "--json"))[0]["id"] == waiting["id"]
    assert "only open exceptions" in loaded("exceptions", "dismiss", waiting["id"]).stderr


def test_wrong_calls_say_what_would_be_right(loaded: Mdm) -> None:
    (waiting,) = lines(loaded("exceptions", "list", "--json"))

    assert loaded("exceptions", "mend", waiting["id"], "Name").exit_code == 2
    assert "mdm exceptions list" in loaded("exceptions", "show", "exc_none").stderr
    assert loaded("exceptions", "list", "--state", "new").exit_code == 2


def test_an_unknown_source_is_told_with_those_that_exist(loaded: Mdm) -> None:
    found = loaded("exceptions", "list", "--source", "nix")

    assert (found.exit_code, "netsuite-us" in found.stderr) == (1, True)


def test_a_mended_record_stays_mended_when_the_file_comes_again(loaded: Mdm, folder: Path) -> None:
    (waiting,) = lines(loaded("exceptions", "list", "--json"))
    assert "did you mean name?" in loaded("exceptions", "mend", waiting["id"], "Nam=Tailspin Toys Ltd").stderr
    loaded("exceptions", "mend", waiting["id"], "Name=Tailspin Toys Ltd")
    loaded("exceptions", "replay", waiting["id"])

    again = document(loaded("load", folder / "accounts.csv", "-s", "salesforce-emea", "-e", "customer", "--json"))

    assert again["statuses"] == {"unchanged": 3}
    assert lines(loaded("exceptions", "list", "--json")) == []
