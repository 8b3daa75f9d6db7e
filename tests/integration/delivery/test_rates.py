"""A target is asked no more than its rate allows, by all processes together."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.model import CallFailed
from mdm.db.transaction import run
from mdm.delivery.lanes import Clock, lease
from mdm.delivery.model import Declaration, DueLane
from mdm.delivery.pace import TargetPace
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.hubs import delivery, register_instances
from tests.targets import ERP, declare

pytestmark = pytest.mark.db

FIVE_AT_ONCE = ERP.replace("instance:", "rate: {per_second: 2, burst: 5}\n    instance:")


def ask(hub: Hub, declaration: Declaration, at: Clock) -> tuple[DueLane, ...]:
    def act(connection: Connection) -> tuple[DueLane, ...]:
        return lease(connection, declaration, limit=100, lasting=timedelta(minutes=10), now=at)

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


def test_calls_beyond_the_leases_wait_for_the_rate_and_end_with_the_turn(hub: Hub, limited: Declaration) -> None:
    pace = TargetPace(hub.engine, limited)
    pace.begin(len(ask(hub, limited, clock.instant)), lasting_s=0)

    pace(5)  # those of the leases
    with pytest.raises(CallFailed) as ended:
        pace(2)

    assert ended.value.failure.kind == "throttled"
    pace.begin(0, lasting_s=60)
    begun = run(hub.engine, clock.instant)
    pace(2)
    assert run(hub.engine, clock.instant) - begun > timedelta(seconds=0.4)


def test_a_target_that_is_removed_holds_up_nobody(hub: Hub, limited: Declaration) -> None:
    TargetPace(hub.engine, replace(limited, id="gone"))(10)
