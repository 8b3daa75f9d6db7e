"""The stepper finds what no serial order explains, and sees who waits for whom."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from mdm.db.engine import open_engine
from mdm.db.transaction import run, transaction
from mdm.failpoints import failpoint
from mdm.hub import Hub
from tests.databases import execute
from tests.hubs import hub_on
from tests.stepper import Act, Scenario, interleave, orders

pytestmark = pytest.mark.db

READ, READ_LOCKED = "SELECT n FROM tally WHERE name = :name", "SELECT n FROM tally WHERE name = :name FOR UPDATE"


def adding(read: str, name: str) -> Act:
    """Add one to a tally by reading it, stopping, and writing what it should be."""

    def act(hub: Hub) -> None:
        with transaction(hub.engine) as connection:
            found = connection.execute(text(read), {"name": name}).scalar_one()
            failpoint("ingest.locked")
            connection.execute(text("UPDATE tally SET n = :n WHERE name = :name"), {"name": name, "n": found + 1})

    return act


def tallying(read: str) -> Scenario:
    def set_up(hub: Hub, name: str) -> tuple[Act, Act]:
        with transaction(hub.engine) as connection:
            connection.execute(text("INSERT INTO tally VALUES (:name, 0)"), {"name": name})
        return adding(read, name), adding(read, name)

    def look(hub: Hub, name: str) -> dict[str, object]:
        return {"n": run(hub.engine, lambda c: c.execute(text(READ), {"name": name}).scalar_one())}

    return Scenario("tally", ("ingest.locked",), set_up, look)


def test_two_acts_of_two_steps_have_six_orders() -> None:
    assert list(orders(2, 2)) == ["AABB", "ABAB", "ABBA", "BAAB", "BABA", "BBAA"]


def test_a_lost_update_is_found(hub: Hub, fresh_database: str) -> None:
    with pytest.raises(AssertionError, match="order ABAB"):
        interleave(hub, fresh_database, tallying(READ))


def test_who_waits_for_a_lock_is_passed_over_and_nothing_is_lost(hub: Hub, fresh_database: str) -> None:
    runs = interleave(hub, fresh_database, tallying(READ_LOCKED))

    # In ABAB and BABA the second waits for one step, in ABBA and BAAB for two; in AABB and BBAA for none.
    assert [run.waits for run in runs] == [0, 1, 2, 2, 1, 0]


@pytest.fixture
def hub(fresh_database: str) -> Iterator[Hub]:
    execute(fresh_database, "CREATE TABLE tally (name text PRIMARY KEY, n int NOT NULL)")
    engine = open_engine(fresh_database, 2)
    yield hub_on(engine)
    engine.dispose()
