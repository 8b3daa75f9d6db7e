"""What a person lets a target stand at: one that is drained is told what waits, and nothing that comes later."""

from pathlib import Path

import pytest

from mdm.db.transaction import run
from mdm.delivery.model import Standing
from mdm.delivery.standings_store import select_standing
from mdm.delivery.targets import let_stand
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import assert_sound, delivery
from tests.targets import Shelf, ready

pytestmark = pytest.mark.db


def stands(hub: Hub) -> Standing:
    found = run(hub.engine, lambda connection: select_standing(connection, "erp"))
    assert found is not None
    return found


def test_a_target_that_is_drained_gets_what_waits_and_then_nothing(hub: Hub, tmp_path: Path, shelf: Shelf) -> None:
    relay = ready(hub, tmp_path, shelf)
    deliver(hub, [delivery("crm-us/Account:1", "widget_hold", codes=["c1"], name="Acme")], who="t")
    run(hub.engine, lambda connection: let_stand(connection, "erp", "draining", reason="it moves", who="mara"))
    deliver(hub, [delivery("crm-us/Account:2", "widget_hold", codes=["c2"], name="Bolt")], who="t")

    relay.drain()

    assert {"title": "Acme"} in shelf.records.values()
    assert (stands(hub).state, stands(hub).reason) == ("paused", "drained; it moves")
    told = dict(shelf.records)
    deliver(hub, [delivery("crm-us/Account:3", "widget_hold", codes=["c3"], name="Cog")], who="t")
    assert relay.drain() == 0
    assert shelf.records == told

    run(hub.engine, lambda connection: let_stand(connection, "erp", "running", reason="it moved", who="mara"))
    relay.drain()
    assert sorted(str(one["title"]) for one in shelf.records.values()) == ["Acme", "Bolt", "Cog"]
    assert_sound(hub)
