"""`mdm targets`, `sync`, `worker --once`: the way back into the systems."""

from pathlib import Path

import pytest

from mdm.sources.files import read_file
from tests.integration.cli.conftest import Mdm, document, lines


def test_each_system_gets_its_own_keys_with_golden_ids(loaded: Mdm, folder: Path) -> None:
    loaded("targets", "add", "file", "erp", folder / "out", "-e", "customer")

    (synced,) = lines(loaded("sync", "--json"))

    assert synced["files"] == {"netsuite-us.customer.csv": 2, "salesforce-emea.customer.csv": 2}
    assert synced["acknowledged"] == 3  # Mueller in both systems, Acme, Northwind
    rows = [row for _, row in read_file(folder / "out" / "netsuite-us.customer.csv")]
    assert [row["native_id"] for row in rows if isinstance(row, dict)] == ["42", "43"]
    golden_id = document(loaded("resolve", "netsuite-us/customer:42", "--json"))["golden_id"]
    assert isinstance(rows[0], dict)
    assert rows[0]["golden_id"] == golden_id


def test_nothing_is_written_when_nothing_waits(loaded: Mdm, folder: Path) -> None:
    loaded("targets", "add", "file", "erp", folder / "out")
    loaded("sync")

    assert "nothing waits" in loaded("sync", "erp").stdout
    assert loaded("targets", "list", "--json").stdout.count('"erp"') == 1


def test_the_worker_writes_what_waits(loaded: Mdm, folder: Path) -> None:
    loaded("targets", "add", "file", "erp", folder / "out", "-e", "customer")

    assert document(loaded("worker", "--once", "--json"))["sync_targets"] == 3
    assert (folder / "out" / "salesforce-emea.customer.csv").exists()


def test_wrong_calls_say_what_would_be_right(loaded: Mdm, folder: Path) -> None:
    assert "mdm targets list" in loaded("sync", "nobody").stderr
    assert "There is no target" in loaded("sync").stdout
    assert loaded("targets", "add", "file", "erp", folder, "-e", "custommer").exit_code == 1
    loaded("targets", "add", "file", "erp", folder / "accounts.csv" / "out")
    assert loaded("sync").exit_code == 3


def test_a_target_that_cannot_be_written_holds_up_no_other(loaded: Mdm, folder: Path) -> None:
    loaded("targets", "add", "file", "a-broken", folder / "accounts.csv" / "out")
    loaded("targets", "add", "file", "erp", folder / "out")

    found = loaded("sync")

    assert (found.exit_code, "a-broken: the folder" in found.stderr) == (3, True)
    assert (folder / "out" / "netsuite-us.customer.csv").exists()


def test_a_target_can_be_removed_and_a_moved_one_fills_its_new_folder(loaded: Mdm, folder: Path) -> None:
    loaded("targets", "add", "file", "erp", folder / "out")
    loaded("sync")

    assert "nothing changed" in loaded("targets", "add", "file", "erp", folder / "out").stdout
    assert f"leaves {folder / 'out'}" in loaded("targets", "add", "file", "erp", folder / "new").stdout
    loaded("sync")
    assert (folder / "new" / "netsuite-us.customer.csv").exists()

    loaded("targets", "remove", "erp")
    assert "There is no target" in loaded("sync").stdout
    assert loaded("targets", "remove", "erp").exit_code == 1
    assert loaded("check").exit_code == 0


def test_a_target_of_everything_gets_entity_types_declared_later(
    loaded: Mdm, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded("targets", "add", "file", "erp", folder / "out")
    loaded("sync")
    models = Path(__file__).parents[3] / "examples" / "models"
    monkeypatch.setenv("MDM_ENTITIES", str(models))
    (folder / "papers.csv").write_text(
        "id,title,authors,year\n1,A Relational Model,E. F. Codd,1970\n", encoding="utf-8"
    )
    loaded("load", folder / "papers.csv", "-s", "crm-one", "-e", "publication", "--create-source", "crm")

    loaded("sync")

    assert (folder / "out" / "crm-one.publication.csv").exists()
