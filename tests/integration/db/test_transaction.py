"""What commits, what is repeated, and what becomes of a failing database."""

import random
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError, InternalError

import mdm.db.transaction
from mdm.db.engine import open_engine
from mdm.db.locks import lock_keys
from mdm.db.transaction import reading, run, snapshot, transaction
from mdm.errors import DatabaseUnavailable, TouchedSetGrew

pytestmark = pytest.mark.db


@pytest.fixture
def counters(fresh_database: str) -> Iterator[Engine]:
    """Give a database with two counters, 1 and 2, that stand at zero."""
    engine = open_engine(fresh_database, 4)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE counter AS SELECT id, 0 AS value FROM generate_series(1, 2) AS id"))
    yield engine
    engine.dispose()


def add_one(connection: Connection, counter: int) -> None:
    connection.execute(text("UPDATE counter SET value = value + 1 WHERE id = :id"), {"id": counter})


def values(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.execute(text("SELECT value FROM counter ORDER BY id")).scalars())


def test_a_transaction_commits_all(counters: Engine) -> None:
    with transaction(counters) as connection:
        add_one(connection, 1)
        add_one(connection, 2)

    assert values(counters) == [1, 1]


def test_a_snapshot_sees_one_moment_and_writes_nothing(counters: Engine) -> None:
    with snapshot(counters) as connection:
        before = list(connection.execute(text("SELECT value FROM counter ORDER BY id")).scalars())
        with transaction(counters) as writer:
            add_one(writer, 1)
        after = list(connection.execute(text("SELECT value FROM counter ORDER BY id")).scalars())

    assert before == after == [0, 0]
    assert values(counters) == [1, 0]
    with pytest.raises(InternalError, match="read-only"), snapshot(counters) as connection:
        add_one(connection, 1)
    with transaction(counters) as connection:
        add_one(connection, 2)
    assert values(counters) == [1, 1], "a connection goes back to the pool as it was"


def test_a_transaction_that_fails_leaves_nothing(counters: Engine) -> None:
    def fail() -> None:
        with transaction(counters) as connection:
            add_one(connection, 1)
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert values(counters) == [0, 0]


def test_a_deadlock_is_repeated_until_both_writers_are_done(counters: Engine) -> None:
    both_hold_one = threading.Barrier(2, timeout=10)
    attempts: list[int] = []

    def write(first: int, second: int) -> None:
        def work(connection: Connection) -> None:
            attempts.append(first)
            add_one(connection, first)
            if attempts.count(first) == 1:
                both_hold_one.wait()
            add_one(connection, second)

        run(counters, work)

    other = threading.Thread(target=write, args=(2, 1))
    other.start()
    write(1, 2)
    other.join()

    assert values(counters) == [2, 2]
    assert len(attempts) == 3  # one of the two was the victim, once


def test_who_only_has_to_lock_more_repeats_without_a_pause(counters: Engine) -> None:
    """The pause is drawn at random; when none is drawn, there was none."""
    attempts: list[int] = []

    def work(connection: Connection) -> None:
        attempts.append(1)
        add_one(connection, 1)
        if len(attempts) == 1:
            raise TouchedSetGrew(frozenset({"cus_1"}))

    before = random.getstate()
    run(counters, work)

    assert random.getstate() == before
    assert values(counters) == [1, 0]


def test_a_serialization_failure_is_repeated(counters: Engine) -> None:
    attempts: list[int] = []

    def work(connection: Connection) -> None:
        attempts.append(1)
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        connection.execute(text("SELECT value FROM counter"))
        if len(attempts) == 1:
            with transaction(counters) as other:
                add_one(other, 1)
        add_one(connection, 1)

    run(counters, work)

    assert values(counters) == [2, 0]
    assert len(attempts) == 2


def test_a_touched_set_that_grew_is_repeated_with_the_larger_set(counters: Engine) -> None:
    touched = frozenset({"cus_1"})

    def work(connection: Connection) -> int:
        nonlocal touched
        add_one(connection, 1)
        if len(touched) < 2:
            touched |= {"cus_2"}
            raise TouchedSetGrew(touched)
        return len(touched)

    assert run(counters, work) == 2
    assert values(counters) == [1, 0]


def test_work_that_never_succeeds_ends_as_unavailable(counters: Engine) -> None:
    def work(connection: Connection) -> None:
        raise TouchedSetGrew(frozenset())

    with pytest.raises(DatabaseUnavailable, match="in the way 2 times") as refused:
        run(counters, work, attempts=2)

    assert refused.value.retry_after_s == 1.0


def test_a_fault_of_the_work_itself_is_not_repeated(counters: Engine) -> None:
    attempts: list[int] = []

    def work(connection: Connection) -> None:
        attempts.append(1)
        connection.execute(text("INSERT INTO counter SELECT 1, 0; CREATE UNIQUE INDEX ON counter (id)"))

    with pytest.raises(IntegrityError):
        run(counters, work)

    assert attempts == [1]


def test_a_connection_lost_in_a_transaction_is_unavailable_and_the_next_one_works(counters: Engine) -> None:
    def lose_the_connection() -> None:
        with transaction(counters) as connection:
            lost = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with transaction(counters) as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": lost})
            add_one(connection, 1)

    with pytest.raises(DatabaseUnavailable, match="terminating connection"):
        lose_the_connection()

    assert values(counters) == [0, 0]


def test_connections_that_died_in_the_pool_are_replaced_unseen(counters: Engine) -> None:
    lose_all_but_one(counters)

    assert values(counters) == [0, 0]


def test_a_connection_that_was_quiet_is_asked_whether_the_server_is_still_there(
    counters: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that swallows everything says nothing of a session that has ended."""
    monkeypatch.setattr("mdm.db.engine._has_spoken", lambda _: False)
    lose_all_but_one(counters)
    with pytest.raises(DatabaseUnavailable):
        values(counters)

    lose_all_but_one(counters)
    monkeypatch.setattr("mdm.db.engine.QUIET_S_MAX", 0.0)
    assert values(counters) == [0, 0]


def lose_all_but_one(counters: Engine) -> None:
    """Let connections in the pool end, the one that is taken next among them."""
    others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    with transaction(counters) as connection:
        with reading(counters):
            pass
        connection.execute(text(f"SELECT pg_terminate_backend(pid, 5000) {others}"))


def test_a_server_that_is_not_there_is_unavailable() -> None:
    engine = open_engine("postgresql+psycopg://mdm@127.0.0.1:1/mdm", 1)

    with pytest.raises(DatabaseUnavailable, match="PostgreSQL failed"), transaction(engine):
        pass


def test_a_statement_that_runs_too_long_is_unavailable(counters: Engine) -> None:
    impatient = open_engine(counters.url.render_as_string(hide_password=False), 1, statement_s_max=0.05)

    with pytest.raises(DatabaseUnavailable, match="statement timeout"), reading(impatient) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    impatient.dispose()


def test_an_exhausted_pool_is_unavailable(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdm.db.engine.POOL_WAIT_S_MAX", 0.05)
    engine = open_engine(fresh_database, 1)
    begun = time.monotonic()

    with transaction(engine), pytest.raises(DatabaseUnavailable, match="stayed in use"), transaction(engine):
        pass

    assert time.monotonic() - begun < 5
    engine.dispose()


def test_reads_see_what_others_commit_meanwhile(counters: Engine) -> None:
    with reading(counters) as connection:
        connection.execute(text("SELECT value FROM counter")).all()
        with transaction(counters) as other:
            add_one(other, 1)

        assert connection.execute(text("SELECT value FROM counter WHERE id = 1")).scalar_one() == 1


def test_sessions_are_in_utc_and_bounded(engine: Engine) -> None:
    with reading(engine) as connection:
        shown = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("timezone", "statement_timeout", "idle_in_transaction_session_timeout")
        ]

    assert shown == ["UTC", "30s", "30s"]


def test_a_long_wait_for_locks_is_repeated_until_they_are_free(fresh_database: str) -> None:
    """A statement may take a fifth of a second here; the keys are held for three times as long."""
    engine = open_engine(fresh_database, 4, statement_s_max=0.2)
    attempts: list[int] = []
    held, freed = threading.Event(), threading.Event()

    def keep() -> None:
        with transaction(engine) as connection:
            lock_keys(connection, [1, 2])
            held.set()
            freed.wait(timeout=10)

    def work(connection: Connection) -> str:
        attempts.append(len(attempts))
        if len(attempts) == 3:
            freed.set()
        lock_keys(connection, [2, 3])
        return "done"

    keeper = threading.Thread(target=keep)
    keeper.start()
    held.wait(timeout=10)
    assert run(engine, work) == "done"
    keeper.join()
    engine.dispose()

    assert len(attempts) >= 3


def test_locks_that_are_never_free_reach_the_caller_as_unavailable(fresh_database: str) -> None:
    engine = open_engine(fresh_database, 4, statement_s_max=0.1)

    with transaction(engine) as keeper:
        lock_keys(keeper, [1])
        with pytest.raises(DatabaseUnavailable, match="other writers were in the way 3 times") as refused:
            run(engine, lambda connection: lock_keys(connection, [1]), attempts=3)
    engine.dispose()

    assert refused.value.retry_after_s == 1.0


def test_a_statement_that_takes_too_long_by_itself_is_not_repeated(fresh_database: str) -> None:
    engine = open_engine(fresh_database, 2, statement_s_max=0.1)
    attempts: list[int] = []

    def work(connection: Connection) -> None:
        attempts.append(1)
        connection.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        run(engine, work)
    engine.dispose()

    assert attempts == [1]


def test_locks_are_not_waited_for_longer_than_a_caller_may_be_kept(
    fresh_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait of a tenth of a second here, and no further one once .15 s are over: two attempts of ten."""
    monkeypatch.setattr(mdm.db.transaction, "LOCKS_S_MAX", 0.15)
    engine = open_engine(fresh_database, 4, statement_s_max=0.1)

    with transaction(engine) as keeper:
        lock_keys(keeper, [1])
        with pytest.raises(DatabaseUnavailable, match="other writers were in the way 2 times"):
            run(engine, lambda connection: lock_keys(connection, [1]))
    engine.dispose()


def test_a_wait_that_an_operator_cancels_is_not_repeated(fresh_database: str) -> None:
    engine = open_engine(fresh_database, 4)
    attempts: list[int] = []

    def work(connection: Connection) -> None:
        attempts.append(int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one()))
        lock_keys(connection, [1])

    def cancel() -> None:
        while not attempts:
            time.sleep(0.01)
        with reading(engine) as connection:
            is_waiting = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = :pid"
            while not connection.execute(text(is_waiting), {"pid": attempts[0]}).scalar_one():
                time.sleep(0.01)
            connection.execute(text("SELECT pg_cancel_backend(:pid)"), {"pid": attempts[0]})

    operator = threading.Thread(target=cancel)
    with transaction(engine) as keeper:
        lock_keys(keeper, [1])
        operator.start()
        with pytest.raises(DatabaseUnavailable, match="user request"):
            run(engine, work)
    operator.join()
    engine.dispose()

    assert len(attempts) == 1
