"""A target with a schedule is told nothing outside of its hours and all inside; what waits for them is not late."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from mdm import clock
from mdm.connectors.model import Change, Failure, Receipt
from mdm.db.transaction import run
from mdm.delivery.model import Declaration
from mdm.delivery.orders import outcome_lines, target_line, target_lines
from mdm.delivery.overview import readings_of
from mdm.delivery.relay import Relay, relay_to_records
from mdm.delivery.relays import keep_relays, tell_once
from mdm.delivery.standings_store import select_standing
from mdm.delivery.targets import let_stand
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.telemetry import REGISTRY
from tests.hubs import assert_sound, delivery, register_instances
from tests.targets import ERP, Shelf, declare

pytestmark = pytest.mark.db

NIGHTS = '{hours: "20:00-06:00", days: [mon, tue, wed, thu, fri], timezone: Europe/Berlin}'
NEWS = """
    target: always
    title: Always
    kind: webhook
    connection: {url: 'http://127.0.0.1:1', secret: MDM_SECRET_HOOK}
    events: {entities: [gizmo]}
"""
MONDAY = datetime(2030, 1, 7, 11, tzinfo=UTC)  # noon in Berlin
MINUTE = timedelta(minutes=1)


@dataclass
class Told:
    """The instant that it is, put forward by hand."""

    at: datetime

    def __call__(self, _: Connection) -> datetime:
        return self.at


@dataclass
class SlowShelf(Shelf):
    """Records of a system that takes a minute for each call."""

    now: Told = field(default_factory=lambda: Told(MONDAY))

    def write(self, changes: Sequence[Change]) -> Sequence[Receipt | Failure]:
        self.now.at += MINUTE
        return Shelf.write(self, changes)


def declared(hub: Hub, folder: Path, schedule: str) -> Declaration:
    register_instances(hub, "crm-us", "psa-us", "erp-us")
    return declare(hub, folder, ERP.replace("instance:", f"schedule: {schedule}\n    instance:"))


def enter(hub: Hub, *names: str) -> None:
    news = [delivery(f"crm-us/Account:{one}", "widget_hold", codes=[f"c{one}"], name=one) for one in names]
    deliver(hub, news, who="t")


def around(hub: Hub, begins: timedelta, ends: timedelta) -> tuple[str, datetime]:
    """Give a schedule whose hours begin and end so far from now, and when they begin."""
    now = run(hub.engine, clock.instant)
    begun = (now + begins).replace(second=0, microsecond=0)
    return f'{{hours: "{begun:%H:%M}-{now + ends:%H:%M}", timezone: UTC}}', begun


def eventually(found: Callable[[], set[str]]) -> set[str]:
    """Give what is found as soon as there is some, and a moment later: what else begins with it is there too."""
    while not found():
        time.sleep(0.01)
    time.sleep(0.2)
    return found()


def is_told(shelf: Shelf) -> list[str]:
    return sorted(str(one["title"]) for one in shelf.records.values())


def test_a_target_is_told_nothing_outside_of_its_hours_and_all_inside(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    now = Told(MONDAY)
    relay: Relay = relay_to_records(hub, declared(hub, tmp_path, NIGHTS), shelf, now=now)

    def drained_at(at: datetime) -> list[str]:
        now.at = at
        relay.drain()
        return is_told(shelf)

    enter(hub, "Acme", "Bolt")
    assert [drained_at(MONDAY + timedelta(hours=hours)) for hours in (0, 4, 7.99)] == [[], [], []]
    assert drained_at(MONDAY + timedelta(hours=8)) == ["Acme", "Bolt"]  # 20:00
    enter(hub, "Cog")
    assert drained_at(MONDAY + timedelta(hours=17.99)) == ["Acme", "Bolt", "Cog"]  # 05:59 of Tuesday
    enter(hub, "Dash")
    assert drained_at(MONDAY + timedelta(hours=18)) == ["Acme", "Bolt", "Cog"]  # 06:00
    assert drained_at(MONDAY + timedelta(days=5, hours=10)) == ["Acme", "Bolt", "Cog"]  # Saturday, 22:00
    assert drained_at(MONDAY + timedelta(days=7, hours=8)) == ["Acme", "Bolt", "Cog", "Dash"]
    assert_sound(hub)


def test_what_is_told_as_the_hours_end_is_told_to_its_end(hub: Hub, tmp_path: Path) -> None:
    now = Told(MONDAY + timedelta(hours=18) - timedelta(seconds=1))
    shelf = SlowShelf(now=now)
    relay = relay_to_records(hub, declared(hub, tmp_path, NIGHTS), shelf, now=now)
    enter(hub, "Acme")

    assert relay.turn() == 1

    assert is_told(shelf) == ["Acme"]
    with hub.engine.connect() as connection:
        assert [one.outcome for one in outcome_lines(connection, ["erp"])] == ["delivered"]


def test_a_relay_is_kept_for_a_target_in_its_hours_only(hub: Hub, tmp_path: Path) -> None:
    closed, _ = around(hub, timedelta(hours=2), timedelta(hours=3))
    declared(hub, tmp_path, closed)
    declare(hub, tmp_path, NEWS)
    stop = threading.Event()
    keeper = threading.Thread(target=keep_relays, args=(hub, stop))
    keeper.start()

    try:
        begun = eventually(lambda: {one.name for one in threading.enumerate() if one.name.startswith("relay ")})
    finally:
        stop.set()
        keeper.join()

    assert begun == {"relay always"}


def test_a_round_tells_a_target_in_its_hours_only(hub: Hub, tmp_path: Path) -> None:
    """Nobody answers there: a lane that was tried is settled as one that failed."""
    closed, _ = around(hub, timedelta(hours=2), timedelta(hours=3))
    declared(hub, tmp_path, closed)
    enter(hub, "Acme")

    assert tell_once(hub) == 0
    run(hub.engine, lambda c: let_stand(c, "erp", "draining", reason="it moves", who="t"))
    assert tell_once(hub) == 0
    open_, _ = around(hub, timedelta(hours=-2), timedelta(hours=2))
    declared(hub, tmp_path, open_)
    assert tell_once(hub) == 1


def test_a_target_with_nothing_left_is_drained_at_any_hour(hub: Hub, tmp_path: Path) -> None:
    closed, _ = around(hub, timedelta(hours=2), timedelta(hours=3))
    declared(hub, tmp_path, closed)
    run(hub.engine, lambda c: let_stand(c, "erp", "draining", reason="it moves", who="t"))

    tell_once(hub)

    standing = run(hub.engine, lambda connection: select_standing(connection, "erp"))
    assert standing is not None
    assert standing.state == "paused"


@pytest.fixture
def waiting(hub: Hub, tmp_path: Path) -> Callable[[str], Declaration]:
    """Give a function that declares a target with a schedule, for which one message waits since two days."""

    def act(schedule: str) -> Declaration:
        declaration = declared(hub, tmp_path, schedule)
        enter(hub, "Acme")
        with hub.engine.begin() as connection:
            connection.execute(text("UPDATE delivery_lane SET recorded_at = now() - interval '2 days'"))
            connection.execute(text("UPDATE target_standing SET since = now() - interval '3 days'"))
        return declaration

    return act


def test_what_waits_for_the_hours_is_not_late(hub: Hub, waiting: Callable[[str], Declaration]) -> None:
    closed, begins = around(hub, timedelta(hours=2), timedelta(hours=3))
    waiting(closed)

    with hub.engine.connect() as connection:
        line = target_line(connection, "erp")
        (reading,) = readings_of(connection, target_lines(connection))

    assert (line.oldest_s, line.told_again_at, line.depth.ready) == (None, begins, 1)
    assert (reading.oldest_s, reading.is_outside_hours) == (None, True)
    run(hub.engine, lambda c: let_stand(c, "erp", "paused", reason="they restore a backup", who="t"))
    with hub.engine.connect() as connection:
        assert target_line(connection, "erp").told_again_at is None  # that is a person's to say


def test_what_waited_before_the_hours_is_late_since_they_began(
    hub: Hub, shelf: Shelf, waiting: Callable[[str], Declaration]
) -> None:
    open_, _ = around(hub, timedelta(minutes=-30), timedelta(hours=2))
    declaration = waiting(open_)
    labels = {"target": "erp"}
    before = REGISTRY.get_sample_value("mdm_delivery_seconds_sum", labels) or 0

    with hub.engine.connect() as connection:
        line = target_line(connection, "erp")
    relay_to_records(hub, declaration, shelf).turn()

    assert line.told_again_at is None
    assert line.oldest_s == pytest.approx(1_830, abs=60)  # half an hour, and the part of a minute that was cut
    after = REGISTRY.get_sample_value("mdm_delivery_seconds_sum", labels)
    assert after == pytest.approx(before + 1_830, abs=60)
