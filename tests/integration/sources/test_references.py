"""What a record points at is found by the key that its own system uses, now or as soon as it arrives."""

from typing import Any

import pytest

from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.survivorship.service import golden_version
from tests.hubs import assert_sound, delivery, golden_by_key

pytestmark = pytest.mark.db


def send(hub: Hub, key: str, entity_type: str, *, deleted: bool = False, **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(key, entity_type, deleted=deleted, **fields)], who="test")
    assert outcome.status in {"created", "updated"}, outcome


def widget(hub: Hub, key: str, name: str = "red") -> None:
    send(hub, key, "widget_hold", name=name)


def shown(hub: Hub, key: str) -> dict[str, Any]:
    """Give the golden values of a record."""
    golden_id = GoldenId(golden_by_key(hub)[key])
    version = run(hub.engine, lambda connection: golden_version(connection, golden_id))
    assert version is not None
    return dict(version.values)


def test_a_reference_becomes_the_golden_id_of_what_it_means(hub: Hub) -> None:
    widget(hub, "crm-east/Widget:w1")

    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a", widget="w1")

    assert shown(hub, "crm-east/Gizmo:1")["widget"] == golden_by_key(hub)["crm-east/Widget:w1"]


def test_a_native_id_means_a_record_of_the_same_instance(hub: Hub) -> None:
    widget(hub, "crm-west/Widget:w1")

    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a", widget="w1")

    assert "widget" not in shown(hub, "crm-east/Gizmo:1")


def test_a_record_of_the_same_scope_goes_before_one_without_and_another_scope_is_not_meant(hub: Hub) -> None:
    for key in ("crm-east/Widget:w1", "crm-east/Widget/de:w1", "crm-east/Widget/fr:w1", "crm-east/Widget/fr:w2"):
        widget(hub, key, name=key)
    for scope in ("de", "it"):
        send(hub, f"crm-east/Gizmo/{scope}:1", "gizmo", name="cog", grade="a", widget="w1", kits=["w2"])

    golden = golden_by_key(hub)
    assert shown(hub, "crm-east/Gizmo/de:1")["widget"] == golden["crm-east/Widget/de:w1"]
    assert shown(hub, "crm-east/Gizmo/it:1")["widget"] == golden["crm-east/Widget:w1"]
    assert "kits" not in shown(hub, "crm-east/Gizmo/de:1")


def test_a_printed_key_means_a_record_of_any_registered_instance(hub: Hub) -> None:
    widget(hub, "crm-west/Widget/de:w1")

    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a", widget="crm-west/Widget/de:w1")

    assert shown(hub, "crm-east/Gizmo:1")["widget"] == golden_by_key(hub)["crm-west/Widget/de:w1"]


def test_a_native_id_that_looks_like_a_key_of_an_unknown_instance_is_a_native_id(hub: Hub) -> None:
    widget(hub, "crm-east/Widget:crm-north/Widget:w1")

    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a", widget="crm-north/Widget:w1")

    assert shown(hub, "crm-east/Gizmo:1")["widget"] == golden_by_key(hub)["crm-east/Widget:crm-north/Widget:w1"]


def test_every_reference_of_a_record_is_shown_each_under_its_own_attribute(hub: Hub) -> None:
    for number in (1, 2, 3):
        widget(hub, f"crm-east/Widget:w{number}", name=f"w{number}")
    send(hub, "crm-east/Gizmo:1", "gizmo", name="axle", grade="a", widget="w1")

    send(hub, "crm-east/Gizmo:2", "gizmo", name="cog", grade="a", widget="w1", parent="1", kits=["w2", "w3"])

    golden = golden_by_key(hub)
    values = shown(hub, "crm-east/Gizmo:2")
    assert values["parent"] == golden["crm-east/Gizmo:1"]
    assert sorted(values["kits"]) == sorted(golden[f"crm-east/Widget:w{number}"] for number in (2, 3))
    assert values["widget"] == golden["crm-east/Widget:w1"]


def test_an_unknown_parent_is_no_value_until_it_arrives(hub: Hub) -> None:
    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a", widget="w1", parent="9", kits=["w1", "w2"])
    assert shown(hub, "crm-east/Gizmo:1") == {"name": "cog", "grade": "a"}

    widget(hub, "crm-east/Widget:w1")
    send(hub, "crm-east/Gizmo:9", "gizmo", name="axle", grade="a")

    golden = golden_by_key(hub)
    assert shown(hub, "crm-east/Gizmo:1") == {
        "name": "cog",
        "grade": "a",
        "widget": golden["crm-east/Widget:w1"],
        "kits": [golden["crm-east/Widget:w1"]],
        "parent": golden["crm-east/Gizmo:9"],
    }
    assert_sound(hub)


def test_a_reference_to_what_was_deleted_is_no_value_any_more(hub: Hub) -> None:
    widget(hub, "crm-east/Widget:w1")
    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a", widget="w1")

    send(hub, "crm-east/Widget:w1", "widget_hold", deleted=True)

    assert "widget" not in shown(hub, "crm-east/Gizmo:1")
    assert_sound(hub)


def test_nothing_is_its_own_parent(hub: Hub) -> None:
    widget(hub, "crm-east/Widget:w1")
    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a", widget="w1", parent="2")
    assert "parent" not in shown(hub, "crm-east/Gizmo:1")

    # The branch arrives under the same name, so both are one gizmo.
    send(hub, "crm-east/Gizmo:2", "gizmo", name="cog", grade="a", widget="w1", parent="2")

    golden = golden_by_key(hub)
    assert golden["crm-east/Gizmo:1"] == golden["crm-east/Gizmo:2"]
    assert "parent" not in shown(hub, "crm-east/Gizmo:1")
    assert_sound(hub)


def test_a_reference_that_a_new_version_leaves_out_is_gone(hub: Hub) -> None:
    widget(hub, "crm-east/Widget:w1")
    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a", kits=["w1"])

    send(hub, "crm-east/Gizmo:1", "gizmo", name="cog", grade="a")

    assert "kits" not in shown(hub, "crm-east/Gizmo:1")
