"""A target is asked no more than its rate allows, by all processes together."""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from mdm import clock
from mdm.db.transaction import run
from mdm.delivery.lanes import Clock, charge, lease
from mdm.delivery.meter import CallMeter, Paced
from mdm.delivery.model import Declaration, DueLane, Rate
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import delivery, register_instances
from tests.targets import ERP, declare

pytestmark = pytest.mark.db

FIVE_AT_ONCE = ERP.replace("instance:", "rate: {per_second: 2, burst: 5}\n    instance:")


def ask(hub: Hub, declaration: Declaration, at: Clock, calls_per_lane: float = 1.0) -> tuple[DueLane, ...]:
    take = partial(lease, declaration=declaration, limit=100, lasting=timedelta(minutes=10), now=at)

    def act(connection: Connection) -> tuple[DueLane, ...]:
        return take(connection, calls_per_lane=calls_per_lane)

    return run(hub.engine, act)


@pytest.fixture
def limited(hub: Hub, tmp_path: Path) -> Declaration:
    """A target that takes five calls at once and two a second, with twelve lanes due."""
    register_instances(hub, "crm-us", "erp-us")
    declaration = declare(hub, tmp_path, FIVE_AT_ONCE)
    news = [delivery(f"crm-us/Account:{n}", "widget_hold", codes=[f"c{n}"], name=f"N{n}") for n in range(12)]
    deliver(hub, news, who="t")
    return declaration


def test_a_burst_at_once_then_so_many_a_second(hub: Hub, limited: Declaration) -> None:
    begun = run(hub.engine, clock.instant)

    def leased(second: float) -> int:
        return len(ask(hub, limited, lambda _: begun + timedelta(seconds=second)))

    assert [leased(second) for second in (0, 0.1, 0.6, 1.1, 1.1, 60)] == [5, 0, 1, 1, 0, 5]


def test_what_another_process_was_quicker_to_take_is_given_back(hub: Hub, limited: Declaration) -> None:
    begun = run(hub.engine, clock.instant)

    def while_another_asks(connection: Connection) -> datetime:
        """Tell the time only after another process has taken all that the rate allows."""
        del connection
        assert len(ask(hub, limited, lambda _: begun)) == 5
        return begun

    assert ask(hub, limited, while_another_asks) == ()
    assert len(ask(hub, limited, lambda _: begun + timedelta(seconds=60))) == 5  # those too that were given back
    assert len(ask(hub, limited, lambda _: begun + timedelta(seconds=120))) == 2


def test_calls_beyond_the_leases_are_made_good_before_the_next_and_let_fewer_lanes_be_leased(
    hub: Hub, limited: Declaration
) -> None:
    begun = run(hub.engine, clock.instant)
    meter = CallMeter()

    def leased(second: float) -> int:
        return len(ask(hub, limited, lambda _: begun + timedelta(seconds=second), meter.calls_per_lane))

    assert leased(0) == 5
    meter(15)
    beyond = meter.end_turn(5) - 5
    run(hub.engine, partial(charge, declaration=limited, calls=beyond, now=lambda _: begun))

    # Ten calls at two a second, and one more; then a lane is known to need two, and five are allowed at most.
    assert (meter.end_turn(5), meter.calls_per_lane) == (0, 1.0)
    meter(15)
    meter.end_turn(5)
    assert meter.calls_per_lane == 2.0
    assert [leased(second) for second in (5, 5.6, 60)] == [0, 1, 2]


def test_a_report_waits_for_what_it_asks_beyond_the_rate(hub: Hub, limited: Declaration) -> None:
    report = Paced(hub.engine, limited)
    report(5)
    begun = time.monotonic()
    report(1)

    assert time.monotonic() - begun > 0.4  # half a second, less what went by in between


def test_a_report_of_a_target_that_is_removed_waits_for_nothing(hub: Hub, limited: Declaration) -> None:
    Paced(hub.engine, replace(limited, id="gone", rate=Rate(0.001, 1)))(10)
