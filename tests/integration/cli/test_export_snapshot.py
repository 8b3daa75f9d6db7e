"""`mdm export snapshot`: the state of the hub as files that a manifest names."""

from pathlib import Path

from tests.integration.cli.conftest import Mdm, lines
from tests.integration.publishing.snapshots import read_place


def test_a_place_is_filled_once_and_then_left_alone(loaded: Mdm, folder: Path) -> None:
    arguments = ("export", "snapshot", "--to", folder / "lake", "--entity", "customer")

    first, second = loaded(*arguments), loaded(*arguments)

    assert first.stdout.startswith("customer: snapshot 1 with ")
    assert second.stdout == "customer: nothing changed\n"
    keys = {"/".join((key[0], key[1])) + f":{key[3]}" for key in read_place(folder / "lake", "customer")["crosswalk"]}
    assert "netsuite-us/customer:42" in keys


def test_a_program_is_told_the_files(loaded: Mdm, folder: Path) -> None:
    (told,) = lines(
        loaded("export", "snapshot", "--to", folder / "lake", "-e", "customer", "--format", "csv", "--whole", "--json")
    )

    assert [Path(one["path"]).name for one in told["files"]] == ["golden_record.csv", "crosswalk.csv"]
    assert all((folder / "lake" / one["path"]).stat().st_size == one["size_bytes"] for one in told["files"])


def test_an_unknown_format_is_refused(loaded: Mdm, folder: Path) -> None:
    refused = loaded("export", "snapshot", "--to", folder / "lake", "--format", "xlsx")

    assert refused.exit_code == 2
    assert "parquet, csv" in refused.stderr
