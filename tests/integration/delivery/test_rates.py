"""A target is asked no more than its rate allows, by all processes together."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from mdm import clock
from mdm.db.transaction import run
from mdm.delivery.lanes import lease
from mdm.delivery.model import DueLane
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import delivery, register_instances
from tests.targets import ERP, declare

pytestmark = pytest.mark.db


def test_a_burst_at_once_then_so_many_a_second(hub: Hub, tmp_path: Path) -> None:
    register_instances(hub, "crm-us", "erp-us")
    declaration = declare(hub, tmp_path, ERP.replace("instance:", "rate: {per_second: 2, burst: 5}\n    instance:"))
    news = [delivery(f"crm-us/Account:{n}", "widget_hold", codes=[f"c{n}"], name=f"N{n}") for n in range(12)]
    deliver(hub, news, who="t")
    begun = run(hub.engine, clock.instant)

    def leased(second: float) -> int:
        def take(connection: Connection) -> tuple[DueLane, ...]:
            return lease(
                connection,
                declaration,
                limit=100,
                lasting=timedelta(minutes=10),
                now=lambda _: begun + timedelta(seconds=second),
            )

        return len(run(hub.engine, take))

    assert [leased(second) for second in (0, 0.1, 0.6, 1.1, 1.1, 60)] == [5, 0, 1, 1, 0, 5]
