"""Two systems that keep replacing each other's value: P1, an echo is not told on, and P2, a flip-flop is frozen."""

from collections.abc import Mapping
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.delivery.freezing import thaw
from mdm.delivery.orders import target_lines
from mdm.delivery.overview import readings_of
from mdm.entities.model import EntityType
from mdm.entities.service import entity_types
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.stewardship.answers import answer_review
from mdm.telemetry import REGISTRY
from tests.hubs import WIDGETS, assert_sound, delivery, golden_by_key
from tests.targets import ERP, Shelf, ready

pytestmark = pytest.mark.db

BY_TARGET = {"entity_type": "widget_hold", "attribute": "note", "target": "erp"}
BOTH_WRITE = ERP.replace("note: {field: remark, owner: fill}", "note: {field: remark}")


def send(hub: Hub, key: str, at: int, note: str) -> None:
    fields: dict[str, Any] = {"note": note} if key.startswith("crm") else {"remark": note, "note": note}
    deliver(hub, [delivery(key, "widget_hold", at=at, codes=["c1"], **fields)], who="t")


def reviews(hub: Hub) -> list[str]:
    with hub.engine.connect() as connection:
        return list(
            connection.execute(text("SELECT id FROM review WHERE kind = 'flip_flop' AND state = 'open'")).scalars()
        )


def frozen(hub: Hub) -> dict[str, int]:
    """Give what a scrape tells: how much each target is not told of."""
    readings = run(hub.engine, lambda connection: readings_of(connection, target_lines(connection)))
    return {one.target: one.frozen for one in readings}


def test_p1_an_echo_is_not_told_on(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf, BOTH_WRITE)
    send(hub, "crm-us/Account:1", 1, "one")
    relay.drain()
    told = len(shelf.changes)
    deliver(hub, [delivery("erp-us/Widget:n1", "widget_hold", at=2, remark="one")], who="t")
    relay.drain()

    assert len(shelf.changes) == told
    assert reviews(hub) == []


def test_p2_a_flip_flop_is_frozen_until_a_steward_has_answered(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf, BOTH_WRITE)
    before = REGISTRY.get_sample_value("mdm_freezes_total", BY_TARGET)
    for at, (key, note) in enumerate(
        [("crm-us/Account:1", "red"), ("erp-us/Widget:n1", "blue"), ("crm-us/Account:1", "red")] * 2
    ):
        send(hub, key, 2 * at, note)
        if key.startswith("crm"):
            send(hub, key, 2 * at + 1, note)
        relay.drain()
    assert len(set(golden_by_key(hub).values())) == 1
    (review,) = reviews(hub)
    assert frozen(hub) == {"erp": 1}
    assert REGISTRY.get_sample_value("mdm_freezes_total", BY_TARGET) == (before or 0) + 1

    told = len(shelf.changes)
    send(hub, "crm-us/Account:1", 40, "green")
    relay.drain()
    assert len(shelf.changes) == told  # frozen: nobody is told
    assert thaw(hub) == 0

    answer_review(hub, ReviewId(review), Verdict("same", "the CRM is right"), who="mara")
    assert thaw(hub) == 1
    assert frozen(hub) == {"erp": 0}
    relay.drain()
    assert [one.fields for one in shelf.changes[told:]] == [{"remark": "green"}]
    assert_sound(hub)


def test_two_attributes_about_which_the_same_records_quarrel_are_one_question(
    engine: Engine, tmp_path: Path, shelf: Shelf
) -> None:
    hub = Hub(engine, with_recent_names(tmp_path / "entities"), Settings())
    relay = ready(hub, tmp_path, shelf, BOTH_WRITE)
    for at in range(8):
        key, name, note = (("crm-us/Account:1", "Acme", "red"), ("erp-us/Widget:n1", "Bolt", "blue"))[at % 2]
        deliver(hub, [delivery(key, "widget_hold", at=at, codes=["c1"], name=name, title=name, note=note)], who="t")
        relay.drain()

    (review,) = reviews(hub)
    assert frozen(hub) == {"erp": 2}
    assert thaw(hub) == 0  # both hang on the one review

    answer_review(hub, ReviewId(review), Verdict("same", "the CRM is right"), who="mara")
    assert thaw(hub) == 2
    assert frozen(hub) == {"erp": 0}


def with_recent_names(folder: Path) -> Mapping[str, EntityType]:
    """Declare the widgets with the name that was said last, as their note is."""
    copytree(WIDGETS, folder)
    file = folder / "widget_hold.yaml"
    first_ranked = "columns: [name]}"
    assert file.read_text().count(first_ranked) == 1
    file.write_text(file.read_text().replace(first_ranked, "columns: [name], survivorship: {strategy: most_recent}}"))
    return entity_types((folder,))
