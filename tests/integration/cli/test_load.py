"""`mdm load`: records come in, repeats change nothing, and a wrong call is told what would be right."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Mdm, document, lines


def test_records_are_stored_matched_and_counted(mdm: Mdm, folder: Path) -> None:
    mdm("sources", "add", "salesforce-emea")
    mdm("sources", "add", "netsuite-us")

    first = document(mdm("load", folder / "accounts.csv", "-s", "salesforce-emea", "-e", "customer", "--json"))
    second = document(mdm("load", folder / "customers.csv", "-s", "netsuite-us", "-e", "customer", "--json"))

    assert first["statuses"] == {"created": 2, "rejected": 1}
    assert second["outcomes"] == {"attached": 1, "created": 1}  # Mueller is known, Northwind is not


def test_a_second_load_changes_nothing(loaded: Mdm, folder: Path) -> None:
    again = document(loaded("load", folder / "accounts.csv", "-s", "salesforce-emea", "-e", "customer", "--json"))

    assert again["statuses"] == {"unchanged": 2, "rejected": 1}


def test_an_older_export_is_stale(loaded: Mdm, folder: Path) -> None:
    text = (folder / "accounts.csv").read_text(encoding="utf-8").replace("Acme Tools Inc", "Acme Old Name")
    (folder / "old.csv").write_text(text.replace("2026-03-01", "2026-02-01"), encoding="utf-8")

    found = document(loaded("load", folder / "old.csv", "-s", "salesforce-emea", "-e", "customer", "--json"))

    assert found["statuses"] == {"stale": 3}  # the nameless one is older than what waits of it


def test_a_dry_run_stores_nothing_and_registers_nothing(mdm: Mdm, folder: Path) -> None:
    arguments = ("-s", "salesforce-emea", "-e", "customer", "--create-source", "salesforce", "--dry-run", "--json")

    found = document(mdm("load", folder / "accounts.csv", *arguments))

    assert found["statuses"] == {"accepted": 2, "rejected": 1}
    assert lines(mdm("sources", "list", "--json")) == []


def test_columns_of_the_file_go_before_what_is_said_of_it(mdm: Mdm, folder: Path) -> None:
    (folder / "mixed.csv").write_text(
        "id,object,scope,name\nC1,custtable,usmf,Contoso\nC1,custtable,demf,Fabrikam\n", encoding="utf-8"
    )
    mdm("sources", "add", "d365-emea")

    mdm("load", folder / "mixed.csv", "-s", "d365-emea", "-e", "customer", "--object", "ignored")

    assert document(mdm("resolve", "d365-emea/custtable/usmf:C1", "--json"))["answer"] == "one"
    assert document(mdm("resolve", "d365-emea/custtable/demf:C1", "--json"))["answer"] == "one"


def test_a_file_of_which_no_line_can_be_read_ends_with_four(mdm: Mdm, folder: Path) -> None:
    (folder / "odd.jsonl").write_text("not json\n", encoding="utf-8")
    arguments = (folder / "odd.jsonl", "-s", "salesforce-emea", "-e", "customer", "--create-source", "salesforce")

    found = mdm("load", *arguments)

    assert found.exit_code == 4
    assert "line 1: is not JSON" in found.stderr
    assert "No row was taken; the reasons above say why." in found.stderr


def test_how_a_file_was_read_is_told_where_that_is_a_guess(mdm: Mdm, folder: Path) -> None:
    (folder / "windows.csv").write_bytes("id,name\n1,Müller Süd GmbH\n".encode("cp1252"))
    arguments = (folder / "windows.csv", "-s", "salesforce-emea", "-e", "customer", "--create-source", "salesforce")

    found = mdm("load", *arguments)
    told = document(mdm("load", *arguments, "--json"))

    assert "windows.csv is read as Windows-1252, for lines of it are no UTF-8: 1" in found.stderr
    assert ([note["code"] for note in told["notes"]], told["faults_count"]) == (["encoding_guessed"], 0)


def test_strict_ends_with_four_when_a_record_is_rejected(mdm: Mdm, folder: Path) -> None:
    arguments = ("-s", "salesforce-emea", "-e", "customer", "--create-source", "salesforce")

    assert mdm("load", folder / "accounts.csv", *arguments, "--strict").exit_code == 4
    assert mdm("load", folder / "accounts.csv", *arguments).exit_code == 0


def test_a_row_that_cannot_be_read_is_listed_and_the_others_are_taken(mdm: Mdm, folder: Path) -> None:
    text = "id,name,updated at\nA1,Contoso,2026-01-01\n,Fabrikam,2026-01-01\nA3,Adatum,soon\nA4,Litware\n"
    text += "A5,Tailspin,9999-12-31T23:59:59-12:00\n"
    (folder / "faulty.csv").write_text(text, encoding="utf-8")
    arguments = ("-s", "crm-one", "-e", "customer", "--create-source", "crm")

    found = document(mdm("load", folder / "faulty.csv", *arguments, "--json"))

    assert found["statuses"] == {"created": 1}
    assert [(fault["row"], fault["code"]) for fault in found["faults"]] == [
        (3, "id_missing"),
        (4, "time_unreadable"),
        (5, "row_too_short"),
        (6, "time_unreadable"),
    ]


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_column_that_is_only_called_source_can_be_left_out_and_the_load_tells_how(
    mdm: Mdm, folder: Path, dry: tuple[str, ...]
) -> None:
    (folder / "leads.csv").write_text("id,name,source\nA1,Contoso,o\nA2,Adatum,o\n", encoding="utf-8")
    mdm("sources", "add", "crm-one")
    arguments = ("load", folder / "leads.csv", "-s", "crm-one", "-e", "customer", *dry)

    refused = mdm(*arguments)
    told = json.loads(mdm(*arguments, "--json").stdout)

    message = "column 'source' names the source instance 'o', which is not registered"
    remedy = "register it first, or leave the column out with --map source="
    assert f"source: {message}; {remedy}" in " ".join(refused.stderr.split())
    assert told["reasons"] == [
        {"field": "source", "code": "source_unknown", "count": 2, "message": message, "remedy": remedy}
    ]
    mended = document(mdm(*arguments, "-m", "source=", "--json"))
    assert mended["statuses"] == {"accepted" if dry else "created": 2}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["accounts.csv", "-s", "nobody", "-e", "customer"], 1, "mdm sources add nobody"),
        (["accounts.csv", "-s", "crm-one", "-e", "custommer"], 1, "declared are contract, customer"),
        (["absent.csv", "-s", "crm-one", "-e", "customer"], 1, "no such file"),
        (["customers.csv", "-s", "crm-one", "-e", "customer", "--map", "internalId="], 1, "no column holds"),
        (["accounts.csv", "-s", "crm-one", "-e", "customer", "--map", "Nme=legal_name"], 1, "has no column 'Nme'"),
        (["accounts.csv", "-s", "crm-one", "-e", "customer", "--map", "Name=legal_nam"], 1, "did you mean legal_name?"),
        (["accounts.csv", "-s", "crm-one", "-e", "customer", "--map", "Name"], 2, "write COLUMN=ATTRIBUTE"),
        (["accounts.csv", "-e", "customer"], 2, "--source"),
        (["accounts.csv", "-s", "crm-one", "-e", "customer", "--create-source", "erp"], 1, "not as erp"),
        (
            ["accounts.csv", "-s", "Bad Id", "-e", "customer", "--create-source", "crm"],
            1,
            "cannot be the id of a source instance",
        ),
    ],
)
def test_a_wrong_call_says_what_would_be_right(
    mdm: Mdm, folder: Path, arguments: list[str], code: int, told: str
) -> None:
    mdm("sources", "add", "crm-one")

    found = mdm("load", folder / arguments[0], *arguments[1:])

    assert found.exit_code == code
    assert told in found.stderr
    assert "Traceback" not in found.stderr


def test_an_error_is_told_in_json_too(mdm: Mdm, folder: Path) -> None:
    found = mdm("load", folder / "absent.csv", "-s", "nobody", "-e", "customer", "--json")

    assert found.stdout == ""
    assert json.loads(found.stderr)["error"]["code"] == "source_unknown"


def test_a_second_row_of_one_id_is_told_with_both_rows(mdm: Mdm, folder: Path) -> None:
    (folder / "twice.csv").write_text("id,name\nA1,Contoso\nA2,Adatum\nA1,Fabrikam\n", encoding="utf-8")

    found = mdm("load", folder / "twice.csv", "-s", "crm-one", "-e", "customer", "--create-source", "crm")

    assert "line 4: row 2 has the id 'A1' too; the later row counts" in found.stderr


def test_records_that_share_a_new_golden_record_create_one(mdm: Mdm, folder: Path) -> None:
    rows = "Id,Name,Website,BillingCountry\n1,Contoso GmbH,contoso.de,DE\n2,Contoso GmbH,contoso.de,DE\n"
    (folder / "twins.csv").write_text(rows, encoding="utf-8")

    found = document(
        mdm("load", folder / "twins.csv", "-s", "crm-one", "-e", "customer", "--create-source", "crm", "--json")
    )

    assert found["outcomes"] == {"created": 1, "attached": 1}


def test_another_entity_types_columns_are_recognised(mdm: Mdm, folder: Path) -> None:
    arguments = ("-s", "crm-one", "-e", "contract", "--create-source", "crm")

    found = mdm("load", folder / "customers.csv", *arguments)

    assert found.exit_code == 4
    assert "No row was taken; the columns look like customer" in found.stderr


def test_a_system_that_nothing_names_is_told_and_corrected(mdm: Mdm, folder: Path) -> None:
    arguments = ("-s", "x1", "-e", "customer", "--create-source")

    created = mdm("load", folder / "accounts.csv", *arguments, "Salesforc")
    other = mdm("load", folder / "accounts.csv", *arguments, "salesforce")
    corrected = mdm("sources", "add", "x1", "--system", "Salesforce")
    again = mdm("load", folder / "accounts.csv", *arguments, " SALESFORCE")

    assert "no declaration names the system 'salesforc'" in created.stderr
    assert "did you mean salesforce?" in created.stderr
    assert other.exit_code == 1
    assert "`mdm sources add x1 --system salesforce` corrects it" in other.stderr
    assert corrected.exit_code == 0
    assert "x1 was registered as salesforc; the worker works 2 golden records out anew" in corrected.stderr
    assert "x1 has changed: x1, system salesforce" in corrected.stdout
    assert (again.exit_code, again.stderr.count("system")) == (0, 0)
