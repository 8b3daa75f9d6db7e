"""A place of snapshots is always one whole state: what its manifest names, laid together, is what the hub has."""

import random
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import IO

import pytest
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem
from sqlalchemy import Engine, create_engine, text

from mdm.connectors.snapshot import Place, WrittenFile, open_place
from mdm.db.transaction import snapshot, transaction
from mdm.errors import InputInvalid, Unavailable
from mdm.failpoints import FailpointHit, armed
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.publishing.snapshot import SnapshotWritten, write_snapshot
from mdm.publishing.snapshot_files import FileFormat
from mdm.publishing.snapshot_store import BATCH_ROWS, select_keys
from mdm.sources.model import Delivery
from tests.hubs import delivery, hub_on, let_others_end, register_instances
from tests.integration.publishing.snapshots import manifest_of, read_place, read_rows

pytestmark = pytest.mark.db


@pytest.fixture
def hub(engine: Engine) -> Hub:
    opened = hub_on(engine)
    register_instances(opened, "salesforce-us", "netsuite-us")
    return opened


def write(
    hub: Hub, entity_type: str, folder: Path, *, file_format: FileFormat = "parquet", is_whole: bool = False
) -> SnapshotWritten:
    let_others_end(hub.engine)
    place = open_place(str(folder))
    return write_snapshot(hub.engine, hub.declared[entity_type], place, file_format=file_format, is_whole=is_whole)


def send(hub: Hub, *deliveries: Delivery) -> None:
    outcomes = deliver(hub, deliveries, who="test")
    assert [one for one in outcomes if one.status == "rejected"] == []


def test_a_snapshot_holds_every_golden_record_and_key_with_typed_values(hub: Hub, tmp_path: Path) -> None:
    send(
        hub,
        delivery(
            "salesforce-us/Account:1", "customer", Name="Contoso Ltd", BillingCity="Leeds", NumberOfEmployees="120"
        ),
        delivery("netsuite-us/customer:7", "customer", companyName="Northwind GmbH", city="Bonn"),
        delivery("netsuite-us/job:3", "project", companyName="Rollout", startDate="2026-03-01", customer="7"),
    )

    customers, projects = write(hub, "customer", tmp_path), write(hub, "project", tmp_path)

    assert [(one.path, one.rows) for one in customers.files] == [
        ("customer/000001/golden_record.parquet", 2),
        ("customer/000001/crosswalk.parquet", 2),
    ]
    assert (customers.kind, projects.kind) == ("snapshot", "snapshot")
    there = read_place(tmp_path, "customer")
    by_name = {row["legal_name"]: row for row in there["golden_record"].values()}
    assert by_name.keys() == {"Contoso Ltd", "Northwind GmbH"}
    (project,) = read_place(tmp_path, "project")["golden_record"].values()
    assert project["start_date"] == date(2026, 3, 1)
    assert project["customer"] == by_name["Northwind GmbH"]["golden_id"]
    assert {key[3]: row["golden_id"] for key, row in there["crosswalk"].items()} == {
        "1": by_name["Contoso Ltd"]["golden_id"],
        "7": by_name["Northwind GmbH"]["golden_id"],
    }


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_an_equal_state_gives_equal_bytes(hub: Hub, tmp_path: Path, file_format: FileFormat) -> None:
    send(hub, *(delivery(f"salesforce-us/Thing:{n}", "widget_merge", name=f"w{n}", codes=[f"c{n}"]) for n in range(50)))

    for place in ("one", "other"):
        write(hub, "widget_merge", tmp_path / place, file_format=file_format)

    for table in ("golden_record", "crosswalk"):
        name = f"widget_merge/000001/{table}.{file_format}"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
        assert len(read_rows(tmp_path / "one" / name)) == 50


def test_a_place_that_is_up_to_date_is_left_alone(hub: Hub, tmp_path: Path) -> None:
    send(hub, delivery("salesforce-us/Thing:1", "widget_merge", name="one", codes=["a"]))
    write(hub, "widget_merge", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    again = write(hub, "widget_merge", tmp_path)

    assert (again.kind, again.files) == ("unchanged", ())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_deltas_laid_over_a_snapshot_are_the_snapshot_of_now(hub: Hub, tmp_path: Path, seed: int) -> None:
    """Records come, change, join by a shared code, part again and are deleted, in any order."""
    chance = random.Random(seed)
    for round_ in range(8):
        batch = {}
        for _ in range(12):
            number = chance.randrange(20)
            key = f"{chance.choice(['salesforce-us', 'netsuite-us'])}/Thing:{number}"
            codes = chance.sample([f"c{n}" for n in range(12)], chance.randrange(1, 3))
            deleted = chance.random() < 0.2
            batch[key] = delivery(key, "widget_merge", at=round_, deleted=deleted, name=f"w{number}", codes=codes)
        lone = delivery("salesforce-us/Thing:99", "widget_merge", at=round_, deleted=round_ >= 5, name="alone")
        send(hub, *batch.values(), lone)
        write(hub, "widget_merge", tmp_path / "kept")

    write(hub, "widget_merge", tmp_path / "fresh")

    manifest = manifest_of(tmp_path / "kept", "widget_merge")
    assert len(manifest["deltas"]) == 7
    assert read_place(tmp_path / "kept", "widget_merge") == read_place(tmp_path / "fresh", "widget_merge")
    states = {row["golden_state"] for row in read_place(tmp_path / "fresh", "widget_merge")["golden_record"].values()}
    assert states == {"active", "forwarded", "retired"}


def test_a_writer_that_was_killed_leaves_readers_what_they_had(hub: Hub, tmp_path: Path) -> None:
    send(hub, delivery("salesforce-us/Thing:1", "widget_merge", name="one", codes=["a"]))
    write(hub, "widget_merge", tmp_path)
    before = read_place(tmp_path, "widget_merge")
    send(hub, delivery("salesforce-us/Thing:1", "widget_merge", name="two", codes=["a"]))

    def strike() -> None:
        raise FailpointHit

    with armed({"publish.written": strike}), pytest.raises(FailpointHit):
        write(hub, "widget_merge", tmp_path)

    assert read_place(tmp_path, "widget_merge") == before
    assert write(hub, "widget_merge", tmp_path).kind == "delta"
    (row,) = read_place(tmp_path, "widget_merge")["golden_record"].values()
    assert row["name"] == "two"


def test_a_new_whole_keeps_the_files_of_the_one_before_for_one_round(hub: Hub, tmp_path: Path) -> None:
    send(hub, delivery("salesforce-us/Thing:1", "widget_merge", name="one", codes=["a"]))
    first, second = (write(hub, "widget_merge", tmp_path, is_whole=True) for _ in range(2))
    assert all((tmp_path / one.path).exists() for one in (*first.files, *second.files))

    third = write(hub, "widget_merge", tmp_path, is_whole=True)

    assert not any((tmp_path / one.path).exists() for one in first.files)
    assert all((tmp_path / one.path).exists() for one in (*second.files, *third.files))


def test_another_format_or_another_history_of_the_database_begins_anew(hub: Hub, tmp_path: Path) -> None:
    send(hub, delivery("salesforce-us/Thing:1", "widget_merge", name="one", codes=["a"]))
    write(hub, "widget_merge", tmp_path)

    as_csv = write(hub, "widget_merge", tmp_path, file_format="csv")
    path = tmp_path / "widget_merge" / "manifest.json"
    cursor = manifest_of(tmp_path, "widget_merge")["cursor"]
    path.write_text(path.read_text(encoding="utf-8").replace(cursor, "1.1.1.1"), encoding="utf-8")
    restored = write(hub, "widget_merge", tmp_path, file_format="csv")

    assert (as_csv.kind, restored.kind) == ("snapshot", "snapshot")


def test_values_that_are_held_back_are_in_no_file(hub: Hub, tmp_path: Path) -> None:
    """A gizmo without a grade is held (tests/entities/gizmo.yaml): the version before is shown, a new one is not."""
    send(hub, delivery("salesforce-us/Gizmo:1", "gizmo", name="known", tag="t1", grade="a"))
    send(hub, delivery("salesforce-us/Gizmo:1", "gizmo", name="renamed", tag="t1", grade=""))
    send(hub, delivery("salesforce-us/Gizmo:2", "gizmo", name="new", tag="t2"))

    write(hub, "gizmo", tmp_path)

    assert [row["name"] for row in read_place(tmp_path, "gizmo")["golden_record"].values()] == ["known"]


def test_rows_are_held_a_batch_at_a_time(hub: Hub) -> None:
    with transaction(hub.engine) as connection:
        # No triggers, hence no foreign keys either: keys alone are read.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(
            text(
                "INSERT INTO source_record (id, entity_type, instance_id, object, scope, native_id, state, version,"
                " content_hash, golden_id, recorded_at, who) SELECT 'rec_' || n, 'gizmo', 'salesforce-us', 'Gizmo', '',"
                " 'n' || n, 'active', 1, '', 'giz_1', now(), 'test' FROM generate_series(1, :count) AS n"
            ),
            {"count": BATCH_ROWS + 1},
        )

    with snapshot(hub.engine) as connection:
        sizes = [len(rows) for rows in select_keys(connection, "gizmo", after=None)]

    assert sizes == [BATCH_ROWS, 1]


class SlowPlace(Place):
    """A store that takes its time between two batches."""

    def write(self, path: str, fill: Callable[[IO[bytes]], int]) -> WrittenFile:
        time.sleep(0.6)
        return super().write(path, fill)


def test_a_slow_store_does_not_cost_the_transaction(hub: Hub, database_url: str, tmp_path: Path) -> None:
    """Sessions of the hub end when they sit in a transaction for long; this one may wait for the store."""
    send(hub, delivery("salesforce-us/Thing:1", "widget_merge", name="one", codes=["a"]))
    options = "-c timezone=UTC -c idle_in_transaction_session_timeout=300ms"
    impatient = create_engine(database_url, connect_args={"options": options})
    place = SlowPlace(str(tmp_path), SubTreeFileSystem(str(tmp_path), LocalFileSystem()))

    written = write_snapshot(impatient, hub.declared["widget_merge"], place, file_format="parquet")
    impatient.dispose()

    assert [one.rows for one in written.files] == [1, 1]


def test_two_writers_do_not_meet_in_one_place(hub: Hub, tmp_path: Path) -> None:
    send(hub, delivery("salesforce-us/Thing:1", "widget_merge", name="one", codes=["a"]))

    with hub.engine.connect() as other:
        other.execute(
            text("SELECT pg_advisory_xact_lock(hashtext('snapshot'), hashtext(:name))"),
            {"name": f"{tmp_path}/widget_merge"},
        )
        with pytest.raises(Unavailable, match="another process writes widget_merge"):
            write_snapshot(hub.engine, hub.declared["widget_merge"], open_place(str(tmp_path)), file_format="parquet")


def test_a_place_that_cannot_be_is_named(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(Unavailable, match="cannot be read or written"):
        write(hub, "widget_merge", tmp_path / "file")
    with pytest.raises(InputInvalid, match="ftp://example is no place for files"):
        open_place("ftp://example")
    (tmp_path / "gizmo").mkdir()
    (tmp_path / "gizmo" / "manifest.json").write_text("no json", encoding="utf-8")
    with pytest.raises(InputInvalid, match="is no manifest"):
        write(hub, "gizmo", tmp_path)
