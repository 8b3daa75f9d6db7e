"""`mdm decide`, `decisions`, `review`, `check`: a steward's errands."""

import pytest

from tests.integration.cli.conftest import Mdm, document, lines

MUELLER, ACME = "salesforce-emea/Account:001A", "salesforce-emea/Account:001B"
ERP_MUELLER, NORTHWIND = "netsuite-us/customer:42", "netsuite-us/customer:43"


def test_same_joins_and_revoking_parts_again(loaded: Mdm) -> None:
    made = document(loaded("decide", "same", ACME, NORTHWIND, "--reason", "acquired", "--json"))

    assert len({each["after"] for each in made["golden_ids"]}) == 1
    assert [each["verdict"]["judgement"] for each in lines(loaded("decisions", "list", "--json"))] == ["same"]

    assert "moved from" in loaded("decisions", "revoke", made["id"]).stdout
    assert "was revoked already" in loaded("decisions", "revoke", made["id"]).stdout

    parted = [document(loaded("resolve", key, "--json"))["golden_id"] for key in (ACME, NORTHWIND)]
    assert len(set(parted)) == 2
    assert loaded("check").exit_code == 0


def test_what_changed_is_told(loaded: Mdm) -> None:
    found = loaded("decide", "different", MUELLER, ERP_MUELLER, "--reason", "another registration")

    assert "moved from" in found.stdout
    assert "no golden record changed" in loaded("decide", "unsure", ACME, NORTHWIND, "--reason", "who knows").stdout


def test_a_contradiction_is_refused_with_the_chain(loaded: Mdm) -> None:
    loaded("decide", "same", ACME, NORTHWIND, "--reason", "one")
    loaded("decide", "same", NORTHWIND, MUELLER, "--reason", "two")

    found = loaded("decide", "different", ACME, MUELLER, "--reason", "three")

    assert found.exit_code == 1
    assert found.stderr.count("  because ") == 2
    assert "revoke one decision of the chain" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["same", MUELLER, MUELLER, "--reason", "x"], 1, "two different records"),
        (["related", MUELLER, ACME, "--reason", "x"], 1, "choose one of parent_of, sister_of"),
        (["related", MUELLER, ACME, "--reason", "x", "--relation", "likes"], 1, "choose one of parent_of"),
        (["same", MUELLER, "salesforce-emea/Account:none", "--reason", "x"], 1, "there is no source record"),
        (["alike", MUELLER, ACME, "--reason", "x"], 2, "alike"),
        (["same", MUELLER, ACME], 2, "--reason"),
    ],
)
def test_a_malformed_decision_is_refused(loaded: Mdm, arguments: list[str], code: int, told: str) -> None:
    found = loaded("decide", *arguments)

    assert (found.exit_code, told in found.stderr) == (code, True)


def test_a_review_shows_both_sides_and_how_to_answer(loaded: Mdm) -> None:
    loaded("decide", "unsure", MUELLER, ERP_MUELLER, "--reason", "who knows")
    (review,) = lines(loaded("review", "list", "--json"))

    found = loaded("review", "show", review["id"])

    assert review["kind"] == "unsure"
    assert "Müller Maschinenbau GmbH" in found.stdout
    assert "Mueller Maschinenbau" in found.stdout
    assert f"mdm review decide {review['id']} same|different|related|unsure" in found.stdout
    assert document(loaded("review", "show", review["id"], "--json"))["review"]["id"] == review["id"]


def test_an_unknown_review_or_decision_is_refused(loaded: Mdm) -> None:
    assert "mdm review list" in loaded("review", "show", "rev_none").stderr
    assert "mdm decisions list" in loaded("decisions", "revoke", "dec_none").stderr
    assert loaded("review", "list", "--state", "half").exit_code == 2


def test_check_finds_nothing_and_names_what_violates(loaded: Mdm) -> None:
    found = loaded("check")

    assert (found.exit_code, "invariants hold" in found.stdout) == (0, True)
    assert lines(loaded("check", "--json")) == []
