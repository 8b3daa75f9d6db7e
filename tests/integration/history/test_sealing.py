"""The sealer chains what has committed, in an order of commits, one at a time, and may be killed at any moment."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from mdm.access.service import create_key
from mdm.db.engine import open_engine
from mdm.db.transaction import transaction
from mdm.history.checkpoints import own_public_keys
from mdm.history.model import Verification
from mdm.history.service import export_checkpoint, seal, verify
from mdm.settings import Settings
from mdm.worker import TASKS, work
from tests.hubs import hub_on

pytestmark = pytest.mark.db

WRITERS, ROUNDS = 4, 25
ADD = (
    "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who)"
    " SELECT :name || '-' || n, 'crm', 'x', 1, false, 'ann' FROM generate_series(1, CAST(:count AS int)) AS n"
)
TOUCH = "UPDATE source_instance SET rank = rank + 1 WHERE id = :id"


def add(connection: Connection, name: str, count: int = 1) -> None:
    connection.execute(text(ADD), {"name": name, "count": count})


def touch(connection: Connection, id_: str) -> None:
    assert connection.execute(text(TOUCH), {"id": id_}).rowcount == 1


def sealed(engine: Engine) -> list[tuple[int, str, str]]:
    """Give transaction, action and subject of each sealed entry, in order."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT xid::text::bigint, action, subject_id FROM audit_seal s JOIN audit_entry e ON e.id = s.entry_id"
                " ORDER BY s.position"
            )
        )
        return [tuple(row) for row in rows]


def verified(engine: Engine) -> Verification:
    return verify(engine, folder=Path("/nonexistent"), keys=[])


@pytest.fixture
def opened(engine: Engine) -> Iterator[tuple[Connection, Connection]]:
    """Give two connections, each in a transaction of its own."""
    with engine.connect() as one, engine.connect() as other:
        yield one, other


def test_entries_are_chained_once_and_in_order(engine: Engine) -> None:
    with transaction(engine) as connection:
        add(connection, "crm", 3)

    assert (seal(engine), seal(engine)) == (3, 0)

    assert [subject for *_, subject in sealed(engine)] == ["crm-1", "crm-2", "crm-3"]
    found = verified(engine)
    assert (found.sealed, found.unsealed.count, found.faults) == (3, 0, ())


def test_a_writer_that_began_first_and_built_on_another_is_sealed_behind_it(
    engine: Engine, opened: tuple[Connection, Connection]
) -> None:
    first, second = opened
    add(first, "early")  # takes the lower transaction id
    add(second, "late")
    second.commit()
    touch(first, "late-1")
    first.commit()

    seal(engine)

    told = sealed(engine)
    assert [entry[1:] for entry in told] == [
        ("source_instance.made", "late-1"),
        ("source_instance.made", "early-1"),
        ("source_instance.changed", "late-1"),
    ]
    assert told[0][0] > told[1][0]


def test_a_long_transaction_holds_nobody_up_and_is_sealed_when_it_has_committed(
    engine: Engine, opened: tuple[Connection, Connection]
) -> None:
    long, other = opened
    add(long, "long")
    for name in ("one", "two"):
        add(other, name)
        other.commit()
        assert seal(engine) == 1

    long.commit()

    assert seal(engine) == 1
    assert [subject for *_, subject in sealed(engine)] == ["one-1", "two-1", "long-1"]


def test_a_transaction_that_is_rolled_back_leaves_no_hole(
    engine: Engine, opened: tuple[Connection, Connection]
) -> None:
    one, other = opened
    add(one, "gone", 5)
    add(other, "kept")
    other.commit()
    one.rollback()

    assert seal(engine) == 1
    assert verified(engine).faults == ()


def test_a_transaction_cut_by_the_bound_stays_in_one_piece(engine: Engine) -> None:
    with transaction(engine) as connection:
        add(connection, "big", 10)
    assert seal(engine, limit=4) == 4
    with transaction(engine) as connection:
        add(connection, "small")

    while seal(engine, limit=4):
        pass

    assert [subject for *_, subject in sealed(engine)] == [*(f"big-{n}" for n in range(1, 11)), "small-1"]
    assert verified(engine).faults == ()


def test_entries_of_another_server_are_all_looked_at(engine: Engine) -> None:
    """A dump restored elsewhere brings a snapshot whose transactions mean nothing there."""
    with transaction(engine) as connection:
        add(connection, "crm")
    seal(engine)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE audit_state SET snapshot = '9000000000:9000000000:', system = '1'"))
        add(connection, "later")

    assert seal(engine) == 1


def test_of_two_sealers_one_works(engine: Engine) -> None:
    with transaction(engine) as connection:
        add(connection, "crm", 400)
    counts: list[int] = []
    start = threading.Barrier(4)

    def work_through() -> None:
        start.wait()
        for _ in range(2_000):  # who finds another at work has sealed nothing, and asks again
            counts.append(seal(engine, limit=20))
            if sum(counts) >= 400:
                return

    threads = [threading.Thread(target=work_through) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == 400
    assert verified(engine).faults == ()


def test_with_many_writers_the_sealed_order_is_an_order_of_commits(engine: Engine, seed: int) -> None:
    spans: dict[int, tuple[float, float]] = {}  # transaction: before its first statement, after its commit
    done = threading.Event()
    with transaction(engine) as connection:
        add(connection, "row", 3)

    def write(number: int) -> None:
        rnd = random.Random(seed + number)
        for turn in range(ROUNDS):
            begun = time.monotonic()
            with engine.connect() as connection:
                add(connection, f"w{number}-{turn}")
                time.sleep(rnd.uniform(0, 0.004))
                touch(connection, f"row-{rnd.randint(1, 3)}")
                xid = connection.execute(text("SELECT pg_current_xact_id()::text::bigint")).scalar_one()
                connection.commit()
            spans[xid] = (begun, time.monotonic())

    def seal_on() -> None:
        while not done.is_set():
            seal(engine, limit=7)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    sealer = threading.Thread(target=seal_on)
    for thread in (*writers, sealer):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    sealer.join()
    while seal(engine):
        pass

    told = sealed(engine)
    assert len(told) == 3 + WRITERS * ROUNDS * 2
    order = [xid for xid, _ in groupby(entry[0] for entry in told)]
    assert len(order) == len(set(order)), "a transaction was cut in two"
    ranks = {xid: rank for rank, xid in enumerate(order)}
    for xid, (_, committed) in spans.items():
        for later, (begun, _) in spans.items():
            assert not (committed < begun and ranks[xid] > ranks[later])
    assert_rows_go_up(engine)
    assert verified(engine).faults == ()


def assert_rows_go_up(engine: Engine) -> None:
    """Ask that the changes of each row are sealed in the order in which they were made: entry ids rise with them."""
    with engine.connect() as connection:
        wrong = connection.execute(
            text(
                "SELECT subject_id FROM (SELECT e.subject_id, e.id, lag(e.id) OVER (PARTITION BY e.subject_id ORDER BY"
                " s.position) AS before FROM audit_seal s JOIN audit_entry e ON e.id = s.entry_id) AS p"
                " WHERE before > id"
            )
        )
        assert wrong.scalars().all() == []


@pytest.mark.parametrize("hit", [1, 3])
def test_what_a_killed_sealer_had_not_committed_is_sealed_by_the_next(
    database_url: str, engine: Engine, hit: int
) -> None:
    with transaction(engine) as connection:
        add(connection, "crm", 50)
    child = (
        "import sys; from mdm.db.engine import open_engine; from mdm.failpoints import arm_from_text;"
        " from mdm.history.service import seal; arm_from_text(f'transaction.committing=kill:{sys.argv[2]}');"
        " engine = open_engine(sys.argv[1], 1); [seal(engine, limit=10) for _ in range(9)]"
    )

    ended = subprocess.run([sys.executable, "-c", child, database_url, str(hit)], check=False)

    assert ended.returncode == -signal.SIGKILL
    assert verified(engine).sealed == 10 * (hit - 1)
    while seal(engine):
        pass
    found = verified(engine)
    assert (found.sealed, found.unsealed.count, found.faults) == (50, 0, ())


def test_with_a_worker_an_entry_is_sealed_within_two_seconds_whatever_else_it_does(
    database_url: str, tmp_path: Path
) -> None:
    engine = open_engine(database_url, 4)
    hub = hub_on(engine, home=tmp_path)
    stop = threading.Event()
    slow = next(task for task in TASKS if task.name == "refresh_due")
    sealing = next(task for task in TASKS if task.name == "seal_audit")
    busy = type(slow)("slow", 60.0, lambda _hub: int(stop.wait(20.0)))
    worker = threading.Thread(target=work, args=(hub, stop, [busy, sealing]))
    worker.start()
    try:
        longest = 0.0
        for number in range(3):
            with transaction(engine) as connection:
                add(connection, f"crm{number}")
            written = time.monotonic()
            while len(sealed(engine)) <= number and time.monotonic() - written < 10:
                time.sleep(0.02)
            longest = max(longest, time.monotonic() - written)
    finally:
        stop.set()
        worker.join()
        engine.dispose()

    assert sealing.is_alone
    assert longest < 2.0


def test_a_checkpoint_is_exported_when_the_log_grew_and_its_key_is_private(engine: Engine, tmp_path: Path) -> None:
    folder = Settings(home=tmp_path).checkpoint_folder
    with transaction(engine) as connection:
        create_key(connection, name="sync", scopes=["read"], by="ann")
    assert export_checkpoint(engine, folder=folder, home=tmp_path) == 0
    seal(engine)

    assert export_checkpoint(engine, folder=folder, home=tmp_path) == 1
    assert export_checkpoint(engine, folder=folder, home=tmp_path) == 0

    assert [path.name for path in folder.glob("*/*")] == ["000000000000001.json"]
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600
    found = verify(engine, folder=folder, keys=own_public_keys(tmp_path))
    assert (found.checkpoints, found.checkpoint_size, found.faults) == (1, 1, ())
