"""The pace of a target: every call that is made of it is one that its rate allows, over all processes together.

A lane is leased only where its first call is allowed. What its telling asks beyond that, as a record that is read back
or further versions of a golden record, waits for its turn, and so do drift reports and backfills.
"""

import threading
import time
from functools import partial
from typing import Final

from sqlalchemy import Connection, Engine

from mdm import clock
from mdm.connectors.model import CallFailed, Failure
from mdm.db.transaction import run
from mdm.delivery import lanes_store
from mdm.delivery.model import Declaration

PAUSE_S_MIN: Final = 0.01  # chosen: to look takes a millisecond of the database
PAUSE_S_MAX: Final = 1.0  # chosen: others may need what they hold less than was thought


class TargetPace:
    """What the connector of one target asks before each call; threads share it."""

    def __init__(self, engine: Engine, declaration: Declaration) -> None:
        """Allow nothing yet that was not asked for."""
        self._engine = engine
        self._declaration = declaration
        self._lock = threading.Lock()
        self._allowed = 0
        self._ends_at: float | None = None

    def begin(self, allowed: int, *, lasting_s: float) -> None:
        """Begin a turn of so many calls that were allowed with its leases; none is waited for beyond its length."""
        with self._lock:
            self._allowed = allowed
            self._ends_at = time.monotonic() + lasting_s

    def __call__(self, calls: int) -> None:
        """Wait until so many calls are allowed; raises CallFailed where that is not before the turn has to end."""
        with self._lock:
            missing = calls - min(calls, self._allowed)
            self._allowed -= calls - missing
            while missing := missing - self._take(missing):
                if self._ends_at is not None and time.monotonic() >= self._ends_at:
                    raise CallFailed(Failure("throttled", "its rate allows no further call in this turn"))
                time.sleep(max(PAUSE_S_MIN, min(PAUSE_S_MAX, missing / self._declaration.rate.per_second)))

    def _take(self, calls: int) -> int:
        return run(self._engine, partial(self._taken, calls=calls)) if calls else 0

    def _taken(self, connection: Connection, *, calls: int) -> int:
        rate = self._declaration.rate
        return lanes_store.take_tokens(
            connection,
            self._declaration.id,
            wanted=calls,
            per_second=rate.per_second,
            burst=rate.burst,
            now=clock.instant(connection),
        )
