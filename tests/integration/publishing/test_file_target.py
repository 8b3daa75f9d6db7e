"""A file target is told everything at least once: killed between writing and acknowledging, it gets the same files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from mdm.db.transaction import run
from mdm.failpoints import FailpointHit, armed
from mdm.hub import Hub, open_hub
from mdm.jobs.service import deliver
from mdm.jobs.source_events import report
from mdm.publishing.file_target import add_target, sync
from mdm.settings import Settings
from mdm.source_events.model import SourceFact
from mdm.sources.files import read_file
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register

pytestmark = pytest.mark.db


@pytest.fixture
def hub(database_url: str, tmp_path: Path) -> Iterator[Hub]:
    with open_hub(Settings(home=tmp_path), database_url) as opened:
        instances = [
            SourceInstance("netsuite-us", "netsuite", "ERP", 1),
            SourceInstance("kantata", "kantata", "PSA", 2),
        ]
        run(opened.engine, lambda connection: register_all(connection, instances))
        send(opened, "netsuite-us/customer:42", "customer", companyName="Contoso Ltd", url="contoso.com", city="Leeds")
        send(opened, "kantata/workspace_groups:7", "customer", name="Contoso", website="contoso.com", city="Leeds")
        send(opened, "kantata/workspaces:9", "project", title="Phase 2", primary_workspace_group_id="7")
        yield opened


def register_all(connection: Connection, instances: list[SourceInstance]) -> None:
    for instance in instances:
        register(connection, instance, who="test")


def send(hub: Hub, key: str, entity_type: str, **fields: str) -> None:
    (outcome,) = deliver(hub, [Delivery(SourceKey.parse(key), entity_type, fields)], who="test")
    assert outcome.status != "rejected", outcome


def add(hub: Hub, folder: Path) -> None:
    run(hub.engine, lambda c: add_target(c, "files", folder, ["customer", "project"], who="test"))


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return [row for _, row in read_file(folder / name) if isinstance(row, dict)]


def established(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM golden_record WHERE is_acknowledged")).scalar_one())


def test_a_reference_is_the_key_that_the_same_system_uses(hub: Hub, tmp_path: Path) -> None:
    add(hub, tmp_path / "out")

    synced = sync(hub.engine, hub.declared, "files")

    (project,) = rows(tmp_path / "out", "kantata.project.csv")
    (customer,) = rows(tmp_path / "out", "kantata.customer.csv")
    assert synced.acknowledged == 2  # one customer of two systems, one project
    assert project["customer"] == "7"
    assert project["customer_golden_id"] == customer["golden_id"]
    assert customer["legal_name"] == "Contoso Ltd"  # the more trusted system's spelling goes back into the other


def test_a_kill_between_writing_and_acknowledging_repeats_the_same_bytes(hub: Hub, tmp_path: Path) -> None:
    add(hub, tmp_path / "out")

    def strike() -> None:
        raise FailpointHit

    for point in ("publish.written", "publish.acknowledged"):
        with armed({point: strike}), pytest.raises(FailpointHit):
            sync(hub.engine, hub.declared, "files")
        assert established(hub.engine) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    synced = sync(hub.engine, hub.declared, "files")

    assert synced.acknowledged == 2
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    assert established(hub.engine) == 2


def test_what_changes_while_it_is_written_waits_for_the_next_round(hub: Hub, tmp_path: Path) -> None:
    add(hub, tmp_path / "out")

    def change() -> None:
        send(hub, "netsuite-us/customer:42", "customer", companyName="Contoso plc", url="contoso.com", city="Leeds")

    with armed({"publish.written": change}):
        sync(hub.engine, hub.declared, "files")
    assert rows(tmp_path / "out", "kantata.customer.csv")[0]["legal_name"] == "Contoso Ltd"
    assert established(hub.engine) == 1  # the project; the customer was not delivered as it is now

    assert sync(hub.engine, hub.declared, "files").acknowledged == 1
    assert rows(tmp_path / "out", "kantata.customer.csv")[0]["legal_name"] == "Contoso plc"


def test_the_last_record_of_a_file_leaves_an_empty_one(hub: Hub, tmp_path: Path) -> None:
    add(hub, tmp_path / "out")
    sync(hub.engine, hub.declared, "files")

    deliver(hub, [Delivery(SourceKey.parse("kantata/workspaces:9"), "project", {}, None, True)], who="test")
    sync(hub.engine, hub.declared, "files")

    assert rows(tmp_path / "out", "kantata.project.csv") == []


def test_nothing_is_written_when_nothing_waits(hub: Hub, tmp_path: Path) -> None:
    add(hub, tmp_path / "out")
    sync(hub.engine, hub.declared, "files")
    add(hub, tmp_path / "out")

    assert sync(hub.engine, hub.declared, "files").files == {}


def test_a_key_that_its_source_gave_up_is_in_no_file_and_references_name_its_successor(
    hub: Hub, tmp_path: Path
) -> None:
    add(hub, tmp_path / "out")
    sync(hub.engine, hub.declared, "files")
    old, new = SourceKey.parse("kantata/workspace_groups:7"), SourceKey.parse("kantata/workspace_groups:8")

    report(hub, [SourceFact("re_keyed", "kantata", old, new)], who="test")
    sync(hub.engine, hub.declared, "files")

    (customer,) = rows(tmp_path / "out", "kantata.customer.csv")
    (project,) = rows(tmp_path / "out", "kantata.project.csv")
    assert (customer["native_id"], project["customer"]) == ("8", "8")
    report(hub, [SourceFact("instance_retired", "kantata")], who="test")
    sync(hub.engine, hub.declared, "files")
    assert rows(tmp_path / "out", "kantata.customer.csv") == rows(tmp_path / "out", "kantata.project.csv") == []
