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


def test_what_waits_is_counted_by_reason_and_a_mend_is_tried_before_it_is_made(loaded: Mdm) -> None:
    (waiting,) = lines(loaded("exceptions", "list", "--reason", "legal_name_missing", "--entity", "customer", "--json"))
    (group,) = lines(loaded("exceptions", "groups", "--json"))

    bad = loaded("exceptions", "try", waiting["id"])
    good = loaded("exceptions", "try", waiting["id"], "Name=Tailspin Toys Ltd", "--json")

    assert (group["code"], group["count"], group["example_id"]) == ("legal_name_missing", 1, waiting["id"])
    assert "legal_name_missing" in loaded("exceptions", "groups", "--source", "salesforce-emea").stdout
    assert bad.exit_code == 4
    assert "deliver a legal name" in bad.stdout
    assert json.loads(good.stdout)["status"] == "created"
    assert lines(loaded("exceptions", "list", "--json")) == [waiting]
    assert lines(loaded("exceptions", "list", "--reason", "other", "--json")) == []
