"""`mdm resolve` and `mdm export crosswalk`: one system's keys in another's words."""

from pathlib import Path

from mdm.sources.files import read_file
from tests.integration.cli.conftest import Mdm, document, lines

MUELLER = "salesforce-emea/Account:001A"


def test_a_key_is_told_in_another_systems_words(loaded: Mdm) -> None:
    found = document(loaded("resolve", MUELLER, "--to", "netsuite-us", "--json"))

    assert (found["answer"], found["keys"]) == ("one", ["netsuite-us/customer:42"])


def test_a_golden_id_is_told_with_all_its_keys(loaded: Mdm) -> None:
    golden_id = document(loaded("resolve", MUELLER, "--json"))["golden_id"]

    found = loaded("resolve", golden_id)

    assert found.stdout.splitlines() == [
        f"{golden_id}  customer, active",
        "  netsuite-us/customer:42",
        f"  {MUELLER}",
    ]


def test_what_is_not_in_the_other_system_is_said(loaded: Mdm) -> None:
    found = loaded("resolve", "salesforce-emea/Account:001B", "--to", "netsuite-us")

    assert found.exit_code == 0
    assert "no key in netsuite-us" in found.stdout


def test_a_forwarded_id_leads_to_its_survivor(loaded: Mdm) -> None:
    acme = document(loaded("resolve", "salesforce-emea/Account:001B", "--json"))["golden_id"]
    loaded("decide", "same", MUELLER, "salesforce-emea/Account:001B", "--reason", "renamed")
    together = document(loaded("resolve", MUELLER, "--json"))["golden_id"]

    found = document(loaded("resolve", acme, "--json"))

    assert found["golden_id"] == together
    assert acme in {together, found.get("forwarded_from")}


def test_a_question_about_the_past_is_answered_or_refused_in_words(loaded: Mdm) -> None:
    assert "the hub first saw it at 2" in loaded("resolve", MUELLER, "--as-of", "2020-01-01").stderr
    assert "safe horizon" in loaded("resolve", MUELLER, "--as-of", "2120-01-01").stderr
    assert loaded("resolve", MUELLER, "--as-of", "yesterday").exit_code == 2


def test_a_key_that_is_none_is_refused_with_an_example(loaded: Mdm) -> None:
    assert "as in salesforce-us/Account" in loaded("resolve", "salesforce-emea/001A").stderr
    assert "there is no source record" in loaded("resolve", "salesforce-emea/Account:nobody").stderr
    assert "there is no golden record" in loaded("resolve", "cus_nobody").stderr
    assert "there is no source instance" in loaded("resolve", MUELLER, "--to", "nowhere").stderr


def test_the_crosswalk_of_two_systems_is_a_file(loaded: Mdm, folder: Path) -> None:
    answer = loaded("export", "crosswalk", "--from", "salesforce-emea", "--to", "netsuite-us", "-o", folder / "x.csv")

    assert answer.stdout.startswith("1 pair;")
    ((_, row),) = read_file(folder / "x.csv")
    assert isinstance(row, dict)
    assert (row["from_key"], row["to_key"]) == (MUELLER, "netsuite-us/customer:42")


def test_the_crosswalk_goes_to_stdout_as_csv_or_jsonl(loaded: Mdm) -> None:
    arguments = ("export", "crosswalk", "--from", "netsuite-us", "--to", "salesforce-emea")

    assert loaded(*arguments).stdout.splitlines()[0] == "entity_type,golden_id,from_key,to_key"
    assert [row["to_key"] for row in lines(loaded(*arguments, "--json"))] == [MUELLER]
    assert lines(loaded(*arguments, "--entity", "project", "--json")) == []
    assert loaded("export", "crosswalk", "--from", "netsuite-us", "--to", "nowhere").exit_code == 1
