"""A record that changes in nothing that matching reads goes straight to its golden record, any other is matched."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver, reevaluate_deferred
from mdm.stewardship.model import Merge
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on, hub_state, register_instances
from tests.integration.stewardship.acts import do

EAST, WEST = "crm-east/Account:1", "crm-west/Account:1"


@pytest.fixture
def hub(engine: Engine) -> Hub:
    hub = hub_on(engine)
    register_instances(hub, "crm-east", "crm-west")
    return hub


def send(hub: Hub, key: str, *, at: int, entity_type: str = "widget_hold", **fields: Any) -> None:
    deliver(hub, [delivery(key, entity_type, at=at, **fields)], who="test")


def marks(hub: Hub, table: str) -> Sequence[Any]:
    """List the rows of a table with the transaction that wrote each."""
    with hub.engine.connect() as connection:
        return connection.execute(text(f"SELECT xmin, t.* FROM {table} t ORDER BY 2, 3")).all()


def shown(hub: Hub, key: str) -> Any:
    return hub_state(hub)[golden_by_key(hub)[key]][4]


def test_a_change_that_matching_does_not_read_changes_the_golden_value_and_is_not_matched(hub: Hub) -> None:
    send(hub, EAST, at=1, name="Lamp", codes=["aa1"], note="old")
    send(hub, WEST, at=1, name="Lamp", codes=["aa1"])
    matched = marks(hub, "edge"), marks(hub, "blocking_key"), marks(hub, "membership")

    send(hub, EAST, at=2, name="Lamp", codes=["aa1"], note="new")

    assert shown(hub, EAST)["note"] == "new"
    assert (marks(hub, "edge"), marks(hub, "blocking_key"), marks(hub, "membership")) == matched
    assert len(matched[0]) == 1  # two records, one pair
    assert_sound(hub)


def test_a_change_that_matching_reads_is_matched_whatever_else_changed(hub: Hub) -> None:
    send(hub, EAST, at=1, codes=["aa1"], note="old")
    send(hub, WEST, at=1, codes=["bb2"])

    send(hub, EAST, at=2, codes=["bb2"], note="new")

    assert golden_by_key(hub)[EAST] == golden_by_key(hub)[WEST]
    assert_sound(hub)


def test_one_record_of_a_call_that_is_new_has_all_of_it_matched(hub: Hub) -> None:
    send(hub, EAST, at=1, codes=["aa1"], note="old")
    fresh = delivery(WEST, "widget_hold", at=2, codes=["aa1"])

    deliver(hub, [delivery(EAST, "widget_hold", at=2, codes=["aa1"], note="new"), fresh], who="test")

    assert golden_by_key(hub)[EAST] == golden_by_key(hub)[WEST]
    assert shown(hub, EAST)["note"] == "new"


def test_a_record_that_comes_back_as_it_was_is_matched_again(hub: Hub) -> None:
    send(hub, EAST, at=1, codes=["aa1"])
    deliver(hub, [delivery(EAST, "widget_hold", at=2, deleted=True)], who="test")
    send(hub, WEST, at=3, codes=["aa1"])

    send(hub, EAST, at=4, codes=["aa1"])

    assert golden_by_key(hub)[EAST] == golden_by_key(hub)[WEST]


def test_a_deferred_record_is_still_matched_with_its_next_delivery(engine: Engine) -> None:
    """With blocks of one candidate at most the third record of a name waits; freed of that bound, it is searched."""
    narrow = hub_on(engine, block_size_emergency=2)
    register_instances(narrow, "crm-east", "crm-west")
    for number in (1, 2, 3):
        send(narrow, f"crm-east/Account:{number}", at=1, name="Lamp", note="old")
    wide = hub_on(engine)

    send(wide, "crm-east/Account:3", at=2, name="Lamp", note="new")

    with wide.engine.connect() as connection:
        deferred = connection.execute(text("SELECT native_id FROM source_record WHERE is_deferred")).scalars().all()
    assert "3" not in deferred
    reevaluate_deferred(wide)
    assert_sound(wide)


def test_a_child_whose_parent_reference_stays_is_matched_with_each_change(hub: Hub) -> None:
    """What a reference points at may have come since: only what points at nothing is spared."""
    send(hub, EAST, at=1, codes=["aa1"])
    child = "crm-east/Part:1"
    send(hub, child, at=1, entity_type="gizmo", name="Bolt", grade="a", widget="1")
    before = marks(hub, "source_reference")

    send(hub, child, at=2, entity_type="gizmo", name="Bolt", grade="b", widget="1")

    assert shown(hub, child)["grade"] == "b"
    assert marks(hub, "source_reference") != before
    assert_sound(hub)


def test_values_follow_a_record_that_was_merged_away_meanwhile(hub: Hub) -> None:
    send(hub, EAST, at=1, name="Lamp", note="old")
    send(hub, WEST, at=1, name="Chair")
    goldens = golden_by_key(hub)
    do(hub, Merge(GoldenId(goldens[EAST]), GoldenId(goldens[WEST])))

    send(hub, EAST, at=2, name="Lamp", note="new")

    assert golden_by_key(hub)[EAST] == golden_by_key(hub)[WEST]
    assert shown(hub, WEST)["note"] == "new"
    assert_sound(hub)
