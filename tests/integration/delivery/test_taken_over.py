"""A relay that was slower than its lease neither asks the target nor writes to the ledger any more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from mdm import clock
from mdm.connectors.model import Change, Failure, Receipt
from mdm.delivery import record_delivery
from mdm.delivery.relay import Relay, relay_to_records
from mdm.delivery.sights import look
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.stewardship.model import By, Merge
from mdm.stewardship.operations import perform
from tests.hubs import assert_sound, delivery, golden_by_key
from tests.targets import ERP, Shelf, ready

pytestmark = pytest.mark.db


@dataclass
class Slow(Shelf):
    """A shelf at which something happens between a change and its answer."""

    meanwhile: Callable[[], None] = lambda: None

    def write(self, changes: Sequence[Change]) -> Sequence[Receipt | Failure]:
        answers = super().write(changes)
        self.meanwhile()
        return answers


def name(hub: Hub, value: str, hour: int) -> None:
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=hour, codes=["c1"], name=value)], who="t")


def an_hour_later(connection: Connection) -> datetime:
    return clock.instant(connection) + timedelta(hours=1)


def ledger(hub: Hub) -> list[Any]:
    with hub.engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM target_record ORDER BY native_id")))


@pytest.fixture
def other(hub: Hub, tmp_path: Path, shelf: Shelf) -> Relay:
    """Give a relay that takes leases over, of a target that holds one record."""
    relay = ready(hub, tmp_path, shelf)
    name(hub, "Nord", 1)
    assert relay.drain()
    name(hub, "Mitte", 2)
    return replace(relay, now=an_hour_later)


def test_what_it_was_answered_too_late_stays_out_of_the_ledger(hub: Hub, other: Relay, shelf: Shelf) -> None:
    kept: list[Any] = []

    def meanwhile() -> None:
        name(hub, "Süd", 3)
        assert other.drain()
        kept.extend(ledger(hub))

    slow = Slow(shelf.records, shelf.changes, shelf.made, meanwhile=meanwhile)
    relay_to_records(hub, other.declaration, slow).turn()

    assert ledger(hub) == kept
    name(hub, "Mitte", 4)
    other.drain()
    assert shelf.records == {"n1": {"title": "Mitte"}}
    assert_sound(hub)


def test_it_asks_nothing_once_its_lease_was_taken_over(
    hub: Hub, other: Relay, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Any] = []

    def look_long(*given: Any) -> Any:
        monkeypatch.undo()
        seen = look(*given)
        name(hub, "Süd", 3)
        assert other.drain()
        kept.extend(ledger(hub))
        return seen

    monkeypatch.setattr(record_delivery, "look", look_long)
    relay_to_records(hub, other.declaration, shelf).turn()

    assert [change.fields for change in shelf.changes] == [{"title": "Nord"}, {"title": "Süd"}]
    assert ledger(hub) == kept
    assert_sound(hub)


def test_nor_does_it_ask_for_a_second_choice(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    merging = ERP.replace("object: Widget\n", "object: Widget\n        on_merge: merge\n")
    other = replace(ready(hub, tmp_path, shelf, merging), now=an_hour_later)
    for number in (1, 2):
        key = f"crm-us/Account:{number}"
        deliver(hub, [delivery(key, "widget_hold", codes=[f"c{number}"], name=f"Firm {number}")], who="t")
    other.drain()
    ids = golden_by_key(hub)
    goldens = GoldenId(ids["crm-us/Account:1"]), GoldenId(ids["crm-us/Account:2"])
    perform(hub, Merge(*goldens), by=By("mara", "one firm"))
    asked = len(shelf.changes)
    shelf.failing = [Failure("unsupported", "it merges nothing")]

    def meanwhile() -> None:
        other.drain()

    slow = Slow(shelf.records, shelf.changes, shelf.made, shelf.failing, meanwhile=meanwhile)
    relay_to_records(hub, other.declaration, slow).turn()

    assert [(change.kind, change.into) for change in shelf.changes[asked:]] == [("merge", "n1")] * 2
    assert shelf.records["n2"]["gone"] == "n1"
    with hub.engine.connect() as connection:
        assert not connection.execute(text("SELECT count(unmergeable_into) FROM target_record")).scalar_one()
    assert_sound(hub)


@pytest.mark.parametrize("on_merge", ["link", "deactivate", "merge"])
def test_nor_for_the_second_change_of_its_plan(hub: Hub, tmp_path: Path, shelf: Shelf, on_merge: str) -> None:
    declared = ERP.replace("object: Widget\n", f"object: Widget\n        on_merge: {on_merge}\n")
    other = replace(ready(hub, tmp_path, shelf, declared), now=an_hour_later)

    def name_both(value: str, hour: int) -> None:
        for number in (1, 2):
            key = f"crm-us/Account:{number}"
            deliver(hub, [delivery(key, "widget_hold", at=hour, codes=[f"c{number}"], name=value)], who="t")

    name_both("Nord", 1)
    other.drain()
    ids = golden_by_key(hub)
    perform(hub, Merge(GoldenId(ids["crm-us/Account:1"]), GoldenId(ids["crm-us/Account:2"])), by=By("mara", "one firm"))
    name_both("Mitte", 2)
    taken_over: list[int] = []

    def meanwhile() -> None:
        if not taken_over:
            name_both("Süd", 3)
            other.drain()
            taken_over.append(len(shelf.changes))

    slow = Slow(shelf.records, shelf.changes, shelf.made, meanwhile=meanwhile)
    relay_to_records(hub, other.declaration, slow).turn()

    assert [len(shelf.changes)] == taken_over
    assert shelf.records["n1"]["title"] == "Süd"
    assert_sound(hub)


def test_nor_says_whose_a_record_is(hub: Hub, other: Relay, shelf: Shelf) -> None:
    """A refusal that comes too late is about what the target held then."""
    deliver(hub, [delivery("crm-us/Account:2", "widget_hold", codes=["c2"], name="Ost")], who="t")
    other.drain()
    name(hub, "West", 3)
    kept: list[Any] = []
    shelf.failing = [Failure("taken", "another record bears the id", records=("n2",))]

    def meanwhile() -> None:
        name(hub, "Süd", 4)
        other.drain()
        kept.extend(ledger(hub))

    slow = Slow(shelf.records, shelf.changes, shelf.made, shelf.failing, meanwhile=meanwhile)
    relay_to_records(hub, other.declaration, slow).turn()

    assert ledger(hub) == kept
    assert_sound(hub)
