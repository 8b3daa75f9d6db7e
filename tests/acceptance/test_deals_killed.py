"""Deals whose processes are killed between and within their steps: each comes to its end once, and nothing is twice.

After each kill the hub is sound. In the end every deal that was not cancelled can be billed, with one reservation, one
project and one contract of one billed client; what a cancelled one made is taken back.
"""

import random
import signal
import sys
from collections import Counter
from multiprocessing import get_context

import pytest
from sqlalchemy import text

from mdm.db.engine import open_engine
from mdm.failpoints import POINTS
from mdm.hub import Hub
from tests.deals import ERP, live, prepare
from tests.hubs import assert_sound, hub_on

pytestmark = [pytest.mark.db, pytest.mark.timeout(14_400)]

STEPS = sorted(point for point in POINTS if point.startswith(("deal.", "reservation.stored")))
WITHIN = ("ingest.stored", "merge.applied", "survive.stored", "publish.queued", "transaction.committing")
LIFE_S_MAX = 120.0
# A fork server has no threads and no connections to inherit, and imports only once.
PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.deals"])


@pytest.mark.parametrize(("deals_count", "kills_count"), [(6, 8), pytest.param(48, 200, marks=pytest.mark.soak)])
def test_deals_whose_workers_are_killed_come_to_their_end_once(
    fresh_database: str, seed: int, deals_count: int, kills_count: int
) -> None:
    rnd = random.Random(seed)
    engine = open_engine(fresh_database, 2)
    hub = prepare(hub_on(engine))
    struck: Counter[str] = Counter()

    while struck.total() < kills_count:
        # Every point of a deal's own once, then any; the later hits fall into later deals.
        point = STEPS[struck.total()] if struck.total() < len(STEPS) else rnd.choice([*STEPS, *WITHIN])
        hit = 1 + struck.total() // len(STEPS) if point in STEPS else rnd.choice([3, 7, 12])
        if life(fresh_database, deals_count, f"{point}=kill:{hit}") == 0:
            break  # everything came to its end before the point was passed so often
        struck[point] += 1
        assert_sound(hub)
        free(hub)
    assert life(fresh_database, deals_count, "") == 0

    assert struck.total() >= min(kills_count, len(STEPS))
    require_ends(hub, deals_count)
    assert_sound(hub)
    engine.dispose()
    sys.stdout.write(f"{deals_count} deals, struck {dict(sorted(struck.items()))}\n")


def life(url: str, deals_count: int, failpoints: str) -> int:
    """Let a process work on the deals until it is through or killed; returns 0 or -9."""
    child = PROCESSES.Process(target=live, args=(url, deals_count, failpoints))
    child.start()
    child.join(LIFE_S_MAX)
    assert child.exitcode in {0, -signal.SIGKILL}, "a deal was told something else than how far it is"
    return child.exitcode


def free(hub: Hub) -> None:
    """Let the leases of whoever was killed run out, as two minutes would."""
    with hub.engine.begin() as connection:
        connection.execute(text("UPDATE deal SET lease_until = NULL, next_at = now() WHERE lease_until IS NOT NULL"))


def require_ends(hub: Hub, deals_count: int) -> None:
    cancelled = {number for number in range(deals_count) if number % 3 == 2}
    with hub.engine.connect() as connection:
        deals = connection.execute(text("SELECT * FROM deal ORDER BY recorded_at")).all()
        steps = connection.execute(
            text("SELECT deal_id, step, count(*) AS n FROM deal_turn WHERE turn = 'done' GROUP BY 1, 2")
        )
        twice = [row for row in steps if row.n > 1]
        rows = connection.execute(
            text("SELECT object, native_id, state, golden_id FROM source_record WHERE instance_id = 'hub'")
        ).all()
        keys = connection.execute(
            text("SELECT object, native_id, golden_id FROM source_record WHERE instance_id = :erp"), {"erp": ERP}
        ).all()
        reservations = Counter(connection.execute(text("SELECT state FROM reservation")).scalars())
    by_opportunity = {int(deal.opportunity.rpartition(":")[2]): deal for deal in deals}
    assert len(deals) == len(by_opportunity) == deals_count
    ends = {
        number: deal.state if deal.state == "cancelled" else deal.standing for number, deal in by_opportunity.items()
    }
    assert ends == {number: "cancelled" if number in cancelled else "done" for number in range(deals_count)}
    assert not twice
    living = Counter(row.object for row in rows if row.state == "active")
    billed = deals_count - len(cancelled)
    assert (living["project"], living["deal"]) == (billed, billed)
    assert reservations == {"confirmed": billed, "abandoned": len(cancelled)}
    assert {row.native_id: row.golden_id for row in keys if row.object == "customer"} == {
        f"C{number}": deal.customer_id for number, deal in by_opportunity.items() if number not in cancelled
    }
    # What the ERP answered about project and contract holds where the deal made them, and once.
    made = {(row.object, row.native_id): row.golden_id for row in rows if row.state == "active"}
    assert sorted((row.object, row.native_id, row.golden_id) for row in keys if row.object != "customer") == sorted(
        (kind, native_id, golden_id)
        for (object_, native_id), golden_id in made.items()
        for kind in [{"deal": "contract"}.get(object_, object_)]
        if kind in {"project", "contract"}
    )
