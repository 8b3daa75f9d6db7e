"""`mdm review`: the queue at the keyboard."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Mdm, document, lines

pytestmark = pytest.mark.db

MUELLER, ACME, NORTHWIND = "salesforce-emea/Account:001A", "salesforce-emea/Account:001B", "netsuite-us/customer:43"


@pytest.fixture
def asking(loaded: Mdm) -> Mdm:
    """Give two questions: is Acme Northwind, is Müller Acme?"""
    for left, right in ((ACME, NORTHWIND), (MUELLER, ACME)):
        assert loaded("decide", "unsure", left, right, "--reason", "who knows").exit_code == 0
    return loaded


def find(mdm: Mdm, *keys: str) -> str:
    """Give the id of the review about two keys."""
    found = [one for one in lines(mdm("review", "list", "--json")) if {one["left_key"], one["right_key"]} == set(keys)]
    return str(found[0]["id"])


def test_a_review_is_worked_on_and_answered(asking: Mdm) -> None:
    review = find(asking, ACME, NORTHWIND)
    assert "is yours for 30 minutes" in asking("review", "claim", review).stdout
    assert "is assigned to group:emea" in asking("review", "assign", review, "--to", "group:emea").stdout
    assert "noted" in asking("review", "comment", review, "[red]look[/red] at the address").stdout
    assert [one["id"] for one in lines(asking("review", "list", "--assignee", "group:emea", "--json"))] == [review]

    shown = asking("review", "show", review)
    expected = [word for word in shown.stdout.split() if word.startswith("cus_") and "=" in word]
    assert "[red]look[/red] at the address" in shown.stdout
    assert "2 records in 2 systems" in shown.stdout
    flags = [part for pair in expected for part in ("--expect", pair)]
    answer = ("review", "decide", review, "different", "--reason", "two firms", *flags)
    assert "would be carried_out" in asking(*answer, "--dry-run").stdout
    assert "different: carried_out" in asking(*answer).stdout

    assert "answered different" in asking("review", "show", review).stdout
    assert document(asking("review", "counts", "--json"))["pace"]["timed"] == 1
    assert "You answered 1 in 30 days" in asking("review", "counts").stdout


def test_the_last_answer_is_undone_first(asking: Mdm) -> None:
    first, second = find(asking, ACME, NORTHWIND), find(asking, MUELLER, ACME)
    for review in (first, second):
        assert asking("review", "decide", review, "different", "--reason", "two firms").exit_code == 0

    assert [document(asking("review", "undo", "--json"))["review"]["id"] for _ in range(2)] == [second, first]
    refused = asking("review", "undo")
    assert (refused.exit_code, "no answer left to undo" in refused.stderr) == (1, True)
    assert asking("check").exit_code == 0


def test_an_outdated_answer_is_refused(asking: Mdm) -> None:
    refused = asking("review", "decide", find(asking, ACME, NORTHWIND), "same", "--reason", "x", "--expect", "cus_x=1")

    assert (refused.exit_code, "is not as you read it" in refused.stderr) == (1, True)


def test_a_band_is_looked_at_and_then_answered(asking: Mdm, tmp_path: Path) -> None:
    chosen = tmp_path / "set.json"
    dry = asking("review", "bulk", "different", "-e", "customer", "--reason", "other names", "--out", chosen)
    assert "2 of 2 reviews would be answered" in dry.stdout
    assert len(lines(asking("review", "list", "--json"))) == 2

    done = asking("review", "bulk", "--apply", chosen)

    assert "2 of 2 reviews answered" in done.stdout
    assert lines(asking("review", "list", "--json")) == []
    assert "left: " in asking("review", "bulk", "--apply", chosen).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["list", "--kind", "nonsense"], 2, "choose one of"),
        (["bulk"], 2, "needs a judgement"),
        (["bulk", "--apply", "no-such-file.json"], 2, "no set that --out wrote"),
        (["decide", "rev_none", "same", "--reason", "x", "--expect", "cus_x"], 2, "GOLDEN=VERSION"),
        (["claim", "rev_none"], 1, "mdm review list"),
        (["approve", "rev_none"], 1, "mdm review list"),
        (["reject", "rev_none"], 1, "mdm review list"),
    ],
)
def test_what_makes_no_sense_is_refused(mdm: Mdm, arguments: list[str], code: int, told: str) -> None:
    refused = mdm("review", *arguments)

    assert (refused.exit_code, told in refused.stderr) == (code, True)


def test_nobody_approves_what_does_not_wait(asking: Mdm) -> None:
    review = find(asking, ACME, NORTHWIND)

    for verb in ("approve", "reject"):
        assert "waits for a second person" in asking("review", verb, review).stderr
