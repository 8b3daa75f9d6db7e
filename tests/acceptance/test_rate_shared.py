"""Two relay processes of one target together ask it no more than its declared rate allows."""

import random
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from mdm.connectors.signatures import make_secret
from mdm.db.engine import open_engine
from mdm.jobs.service import deliver
from tests.hubs import delivery, hub_on, register_instances
from tests.receivers import Attempt, receiver
from tests.relayers import crew
from tests.targets import declare

pytestmark = pytest.mark.db

PER_SECOND, BURST, RECORDS = 20, 10, 90
LATE_S = 0.5  # calls are counted when they are leased, and come after the pauses of a relay
HOOK = """
    target: hook
    title: Hook
    kind: webhook
    connection: {{url: '{url}', secret: MDM_SECRET_HOOK}}
    rate: {{per_second: 20, burst: 10}}
    events: {{entities: [widget_hold]}}
"""


def test_two_processes_keep_one_rate(fresh_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_SECRET_HOOK", make_secret())
    engine = open_engine(fresh_database, 4)
    hub = hub_on(engine)
    register_instances(hub, "crm-us")
    came: list[float] = []
    enough = threading.Event()

    def answer(_: Attempt) -> int:
        came.append(time.monotonic())
        if len(came) >= RECORDS:
            enough.set()
        return 204

    with receiver() as heard:
        heard.answer = answer
        declare(hub, tmp_path, HOOK.format(url=heard.url))
        news = [delivery(f"crm-us/Account:{n}", "widget_hold", codes=[f"c{n}"], name=f"N{n}") for n in range(RECORDS)]
        deliver(hub, news, who="t")
        with crew(fresh_database, 2, random.Random(0), lease_s=60, kills_max=0) as telling:
            assert enough.wait(300)
            assert all(one.is_alive() for one in telling.running)
    with engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM delivery_lane WHERE acknowledged < head")).scalar_one()
    engine.dispose()
    assert len(came) == RECORDS
    assert left <= RECORDS // 2  # the last turns may not be settled yet
    for first, at in enumerate(came):
        within = sum(at <= one < at + 1 for one in came[first:])
        assert within <= BURST + PER_SECOND * (1 + LATE_S), f"{within} calls in the second from {at - came[0]:.1f} s on"
    # As a whole they took as long as the rate says, and no process a rate of its own.
    assert came[-1] - came[0] >= (RECORDS - BURST) / PER_SECOND - LATE_S
