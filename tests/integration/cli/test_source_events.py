"""`mdm sources …`: what sources do to their own records, at the keyboard."""

from pathlib import Path

from tests.integration.cli.conftest import Mdm, document, lines

MUELLER, ACME = "salesforce-emea/Account:001A", "salesforce-emea/Account:001B"
ERP = "netsuite-us/customer:42"


def test_a_merge_is_told_listed_and_revoked(loaded: Mdm) -> None:
    told = loaded("sources", "merged", ACME, MUELLER, "--at", "2026-06-30", "--reason", "doubled")
    assert told.exit_code == 0
    assert told.stdout.startswith(f"recorded: {ACME} was merged into {MUELLER} (sev_")

    shown = document(loaded("resolve", ACME, "--json"))
    assert shown["ended"] == {ACME: "merged"}
    assert f"  {ACME}  (merged)" in loaded("show", MUELLER).stdout
    assert document(loaded("resolve", ACME, "--to", "salesforce-emea", "--json"))["keys"] == [MUELLER]

    (event,) = lines(loaded("sources", "events", "--key", ACME, "--json"))
    assert (event["kind"], event["source_key"], event["other_key"]) == ("merged", ACME, MUELLER)
    assert "holds no more (revoked)" in loaded("sources", "revoke", event["id"]).stdout
    assert document(loaded("resolve", ACME, "--json"))["ended"] == {}


def test_keys_are_migrated_by_a_file_and_their_life_is_told(loaded: Mdm, folder: Path) -> None:
    loaded("sources", "add", "netsuite-one")
    mapping = folder / "keys.csv"
    mapping.write_text(f"old,new\n{ERP},netsuite-one/customer:N42\n", encoding="utf-8")

    assert loaded("sources", "migrate", mapping).exit_code == 0

    assert document(loaded("resolve", MUELLER, "--to", "netsuite-one", "--json"))["keys"] == [
        "netsuite-one/customer:N42"
    ]
    kinds = [moment["kind"] for moment in lines(loaded("sources", "life", ERP, "--json"))]
    assert kinds == ["delivered", "joined", "source_event", "decided", "ended"]
    mapping.write_text("from,to\na,b\n", encoding="utf-8")
    refused = loaded("sources", "migrate", mapping)
    assert refused.exit_code == 1
    assert "write the columns old and new" in refused.stderr


def test_an_instance_is_retired_and_reinstated(loaded: Mdm) -> None:
    assert loaded("sources", "retire", "netsuite-us").stdout.startswith("recorded: netsuite-us is retired")
    assert "no key in netsuite-us" in loaded("resolve", MUELLER, "--to", "netsuite-us").stdout
    assert [one["retired_at"] is not None for one in lines(loaded("sources", "list", "--json"))] == [True, False]

    assert loaded("sources", "reinstate", "netsuite-us").exit_code == 0
    assert document(loaded("resolve", MUELLER, "--to", "netsuite-us", "--json"))["keys"] == [ERP]


def test_what_is_out_of_sight_or_gone_is_told_and_what_was_never_seen_refused(loaded: Mdm) -> None:
    assert loaded("sources", "lost", ERP, MUELLER, "--vanished").stdout.count("recorded: ") == 2
    assert loaded("sources", "regained", ERP).exit_code == 0
    assert loaded("sources", "deleted", ERP, "--reason", "closed").exit_code == 0
    assert loaded("resolve", ERP).exit_code == 1

    refused = loaded("sources", "lost", "netsuite-us/customer:nobody")

    assert refused.exit_code == 4
    assert "deliver the record first" in refused.stderr
