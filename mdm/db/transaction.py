"""The one place that commits, and what becomes of a failing database.

A deadlock, a serialization failure, locks that others held for long, a touched set that grew and rules that moved are
repeated here; nothing else is, since the answer to a COMMIT may be lost on the way and only the caller knows whether
repeating is harmless. A database that is gone, full or too slow becomes `DatabaseUnavailable`.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mdm.db.statement import text
from mdm.errors import DatabaseUnavailable, LocksBusy, OthersInTheWay, RulesMoved, TouchedSetGrew
from mdm.failpoints import failpoint

Result = TypeVar("Result")

ATTEMPTS = 10  # chosen: with the pauses below about 3 s beside the waits, in which a crowd of writers sorts itself
LOCKS_S_MAX = 90.0  # chosen: three waits of the 30 s that a statement may take; a caller is told to come back then
PAUSE_S_FIRST = 0.01
PAUSE_S_MAX = 0.5

SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"  # PostgreSQL, appendix A
REPEATABLE = frozenset({SERIALIZATION_FAILURE, DEADLOCK})
# Class 08 connection, 53 resources (too many connections, disk full), 57P administrator, 55P03 lock not available,
# 57014 statement timeout, 25P03 idle in transaction.
UNAVAILABLE = ("08", "53", "57P", "55P03", "57014", "25P03")


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Commit what the block did as one whole, or nothing of it."""
    with translated(), engine.begin() as connection:
        yield connection
        failpoint("transaction.committing")
    failpoint("transaction.committed")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection for single reads, each its own snapshot (BEGIN around one read would cost 2 to 4 times it)."""
    with translated(), engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose reads all see the same moment, for an answer put together from many.

    Not for questions as of an instant: the safe horizon has to be asked before the moment that is seen.
    """
    with translated(), engine.connect() as connection:
        consistent = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with consistent.begin():
            yield consistent


def end_reading(driver_connection: psycopg.Connection[Any]) -> None:
    """End what was read on a connection of the pool as it was taken from there.

    Not by a rollback: psycopg forgets every prepared statement of a connection with one, and PostgreSQL their plans.
    """
    driver_connection.commit()


def plan_once(connection: Connection) -> None:
    """Let the statements of this transaction keep one plan for all values, instead of a new one for each call.

    For many small reads and writes by key: PostgreSQL takes a list of ids for ten, so finds a plan made for the two at
    hand cheaper and plans again every time, which is most of what they cost it (3.5 of 5 ms of a review card, half of
    what one delivered record takes; November 2026). Not for searches, whose words decide by which index to go.
    """
    connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))


def run(engine: Engine, work: Callable[[Connection], Result], *, attempts: int = ATTEMPTS) -> Result:
    """Do the work in a transaction, from the start again after a deadlock and what else only needs repeating.

    That is LocksBusy, TouchedSetGrew and RulesMoved. `work` may run several times: it must take its larger set from the
    error it raised, and leave nothing outside of the connection. What comes of the last attempt reaches the caller as
    `OthersInTheWay`.
    """
    failure: Exception | None = None
    started, attempt = time.monotonic(), 0
    for attempt in range(attempts):
        try:
            with transaction(engine) as connection:
                return work(connection)
        except (TouchedSetGrew, RulesMoved) as error:
            failure = error
            if attempt == 0:
                continue  # nobody collided: the first look did not show all that has to be locked, or it was too old
        except LocksBusy as error:
            failure = error
            if time.monotonic() - started >= LOCKS_S_MAX:
                break
        except DBAPIError as error:
            if _sqlstate(error) not in REPEATABLE:
                raise
            failure = error
        time.sleep(random.uniform(0, min(PAUSE_S_MAX, PAUSE_S_FIRST * 2**attempt)))  # noqa: S311 -- parts those who collided; no answer depends on it
    raise OthersInTheWay(attempt + 1) from failure


@contextmanager
def translated() -> Iterator[None]:
    """Raise `DatabaseUnavailable` in place of errors that mean the database is gone, full or too slow."""
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseUnavailable(
            "all connections to PostgreSQL stayed in use", remedy="try again, or raise MDM_POOL_SIZE", retry_after_s=1.0
        ) from error
    except DBAPIError as error:
        state = _sqlstate(error)
        # An operational error without a state is the driver's own: the connection broke or never came to be.
        is_lost = error.connection_invalidated or (state is None and isinstance(error, OperationalError))
        if is_lost or (state or "").startswith(UNAVAILABLE):
            first_line = str(error.orig).partition("\n")[0]
            raise DatabaseUnavailable(
                f"PostgreSQL failed: {first_line}",
                remedy="try again; look at the log of PostgreSQL, and where MDM_DATABASE_URL is set, at what it names",
                retry_after_s=1.0,
            ) from error
        raise


def _sqlstate(error: DBAPIError) -> str | None:
    state = getattr(error.orig, "sqlstate", None)
    return state if isinstance(state, str) else None
