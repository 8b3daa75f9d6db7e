"""What comes again changes nothing, what is older changes nothing, and what goes away comes back as it was."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.demo.firm import DemoFirm, build_firm, sample
from mdm.demo.service import TARGET
from mdm.hub import Hub
from mdm.identity.service import resolve_golden
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.publishing.file_target import add_target
from tests.firms import deliveries_of, register_systems, standing_of
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on, register_instances, row_marks


@pytest.fixture
def hub(engine: Engine) -> Hub:
    hub = hub_on(engine)
    register_instances(hub, "crm-east", "crm-west")
    return hub


@pytest.fixture
def firm(seed: int) -> DemoFirm:
    return sample(build_firm(), 150, seed=seed)


def send(hub: Hub, key: str, *, at: int, codes: Sequence[str] = (), deleted: bool = False) -> str:
    """Deliver one widget and give back what became of it."""
    (outcome,) = deliver(hub, [delivery(key, "widget_hold", at=at, codes=list(codes), deleted=deleted)], who="test")
    return outcome.status


def versions_of(hub: Hub, golden_id: str) -> list[tuple[int, str]]:
    """List version and state of a golden record, oldest first."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT version, state FROM golden_version WHERE golden_id = :id ORDER BY version"), {"id": golden_id}
        )
        return [(row.version, row.state) for row in rows]


def test_the_same_batch_twice_changes_no_row(hub: Hub, firm: DemoFirm, tmp_path: Path) -> None:
    """No row of any table is written again: neither version nor event, message, exception or review."""
    register_systems(hub, firm)
    with hub.engine.begin() as connection:
        types = sorted({record.entity_type for record in firm.records})
        add_target(connection, TARGET, tmp_path, types, who="test")
    deliveries = deliveries_of(firm.records)
    deliver(hub, deliveries, who="test")
    before, golden_by = row_marks(hub), golden_by_key(hub)

    second = deliver(hub, deliveries, who="another")

    assert {outcome.status for outcome in second} <= {"unchanged", "rejected"}
    assert [outcome.golden_id for outcome in second] == [golden_by.get(str(one.key)) for one in deliveries]
    assert row_marks(hub) == before
    assert min(len(before[table]) for table in ("source_record", "golden_version", "event", "outbox_message")) > 100


def test_the_same_records_in_another_order_and_other_batches_change_no_row(hub: Hub, firm: DemoFirm) -> None:
    register_systems(hub, firm)
    deliveries = deliveries_of(firm.records)
    deliver(hub, deliveries, who="test")
    before = row_marks(hub)

    for one in reversed(deliveries):
        deliver(hub, [one], who="test")

    assert row_marks(hub) == before


def test_an_older_record_changes_no_row_and_is_counted_as_stale(hub: Hub) -> None:
    send(hub, "crm-east/Account:1", at=5, codes=["aa1"])
    before = row_marks(hub)

    status = send(hub, "crm-east/Account:1", at=4, codes=["bb2"])

    assert status == "stale"
    assert row_marks(hub) == before


def test_an_older_deletion_does_not_delete(hub: Hub) -> None:
    send(hub, "crm-east/Account:1", at=5, codes=["aa1"])

    status = send(hub, "crm-east/Account:1", at=4, deleted=True)

    assert status == "stale"
    assert golden_by_key(hub).keys() == {"crm-east/Account:1"}


def test_a_record_that_returns_has_the_golden_id_it_had(hub: Hub) -> None:
    send(hub, "crm-east/Account:1", at=1, codes=["aa1"])
    (golden_id,) = golden_by_key(hub).values()

    send(hub, "crm-east/Account:1", at=2, deleted=True)
    send(hub, "crm-east/Account:1", at=3, codes=["aa1"])

    assert golden_by_key(hub) == {"crm-east/Account:1": golden_id}
    assert versions_of(hub, golden_id) == [(1, "active"), (2, "retired"), (3, "active")]
    assert_sound(hub)


def test_a_whole_firm_that_is_deleted_and_returns_stands_as_before(hub: Hub, firm: DemoFirm) -> None:
    """Each record comes home to the id it had, values and all; only versions have moved on."""
    register_systems(hub, firm)
    deliveries = deliveries_of(firm.records)
    deliver(hub, deliveries, who="test")
    before, golden_before = standing_of(hub), golden_by_key(hub)

    gone = [delivery(str(one.key), one.entity_type, deleted=True) for one in deliveries]
    deliver(hub, gone, who="test")
    assert golden_by_key(hub) == {}
    assert_sound(hub)
    deliver(hub, deliveries, who="test")

    assert standing_of(hub) == before
    assert set(golden_by_key(hub).values()) == set(golden_before.values())
    assert_sound(hub)


def test_a_merged_id_forwards_to_the_survivor_for_ever(hub: Hub) -> None:
    """Three golden records become one, one after the other: every id leads to the survivor in one hop."""
    for number, code in enumerate(["aa1", "bb2", "cc3"]):
        send(hub, f"crm-east/Account:{number}", at=1, codes=[code])
    oldest, second, third = (golden_by_key(hub)[f"crm-east/Account:{number}"] for number in range(3))

    send(hub, "crm-west/Account:9", at=1, codes=["bb2", "cc3"])
    send(hub, "crm-west/Account:9", at=2, codes=["aa1", "bb2", "cc3"])

    assert set(golden_by_key(hub).values()) == {oldest}
    with hub.engine.connect() as connection:
        for forwarded in (second, third):
            assert resolve_golden(connection, GoldenId(forwarded)).id == oldest
    assert versions_of(hub, third)[-1][1] == "forwarded"
    assert_sound(hub)


def test_versions_count_up_without_a_hole(hub: Hub) -> None:
    for hour, codes in enumerate((["aa1"], ["aa1", "bb2"], ["bb2"], ["aa1"])):
        send(hub, "crm-east/Account:1", at=hour, codes=codes)
    (golden_id,) = golden_by_key(hub).values()

    assert [version for version, _ in versions_of(hub, golden_id)] == [1, 2, 3, 4]
    assert_sound(hub)
