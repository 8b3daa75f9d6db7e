"""`mdm find`, `mdm show`, `mdm review show`, and what `mdm load` tells of columns: what a person looks at."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Mdm, document, lines

pytestmark = pytest.mark.db

MUELLER = "salesforce-emea/Account:001A"


def test_a_client_is_found_by_its_name(loaded: Mdm) -> None:
    (found,) = lines(loaded("find", "maschinenbau", "--json"))

    assert found["golden_id"] == document(loaded("resolve", MUELLER, "--json"))["golden_id"]
    assert "Müller Maschinenbau GmbH" in loaded("find", "maschinenbau").stdout
    assert loaded("find", "nobody").stdout == "no golden records with 'nobody'\n"
    (misspelled,) = lines(loaded("find", "Muller Mashinenbau", "--json"))
    assert misspelled["golden_id"] == found["golden_id"]
    assert misspelled["found"]["reasons"][0]["by"] == "similar_name"
    assert "salesforce-emea/Account:001A" in loaded("find", "001A").stdout


def test_a_client_is_shown_with_sources_rules_members_and_what_lost(loaded: Mdm) -> None:
    shown = document(loaded("show", MUELLER, "--json"))
    told = loaded("show", shown["golden_id"]).stdout

    assert shown["members"] == ["netsuite-us/customer:42", MUELLER]
    assert {shown["version"]["lineage"]["legal_name"]["record_key"]} < set(shown["members"]) | {""}
    assert shown["losing"]["legal_name"]
    assert all(word in told for word in ("legal_name", "source_priority", "members", "not shown", MUELLER))


def test_a_name_in_place_of_a_key_leads_to_find(loaded: Mdm) -> None:
    for command in ("show", "resolve"):
        answer = loaded(command, "Maschinenbau")

        assert answer.exit_code == 1
        assert "mdm find" in answer.stderr


def test_a_load_says_which_columns_it_used_and_how_a_key_is_written(mdm: Mdm, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("Id,Name,Shoe size\n7,Acme Ltd,44\n", encoding="utf-8")
    arguments = ("load", tmp_path / "own.csv", "-s", "my-crm", "-e", "customer", "--create-source", "crm", "--json")

    for told in (document(mdm(*arguments, "--dry-run")), document(mdm(*arguments))):
        assert told["columns"] == {"used": {"Id": "id", "Name": "legal_name"}, "not_used": ["Shoe size"]}
        assert told["example_key"].endswith(":7")


def test_a_review_says_why_it_waits_and_what_each_comparison_adds(loaded: Mdm) -> None:
    loaded("decide", "unsure", MUELLER, "salesforce-emea/Account:001B", "--reason", "same street")
    (review,) = [each for each in lines(loaded("review", "list", "--json")) if each["kind"] == "unsure"]

    shown = document(loaded("review", "show", review["id"], "--json"))

    assert "unsure" in shown["why"]
    steps = shown["explanation"]["steps"]
    added = sum(step["bits"] + step["frequency_bits"] for step in steps)
    assert shown["explanation"]["prior_bits"] + added == pytest.approx(shown["explanation"]["bits"])
    assert "Acme Tools Inc" in loaded("review", "list").stdout


def test_a_key_that_misses_names_the_one_that_is_there(loaded: Mdm) -> None:
    assert "exists as netsuite-us/customer:42" in loaded("resolve", "netsuite-us/vendor:42").stderr
    assert f"exists as {MUELLER}" in loaded("show", "salesforce-emea/Account:001a").stderr
    assert "known are netsuite-us, salesforce-emea" in loaded("show", "nowhere/Account:1").stderr


def test_rows_without_an_id_are_said_to_be_numbered(mdm: Mdm, tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("Name\nAcme Ltd\nAcme Limited\n", encoding="utf-8")

    answer = mdm("match", tmp_path / "names.csv", "-e", "customer", "-o", tmp_path / "out.csv")

    assert "has no column that holds an id" in answer.stderr


def test_the_version_is_told(mdm: Mdm) -> None:
    assert mdm("--version").stdout.startswith("mdm ")
