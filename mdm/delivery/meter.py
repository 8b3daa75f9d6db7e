"""How often a target is asked is counted call by call, and kept within its rate over all processes together.

A lane is leased where one call is allowed. What its telling asked beyond that, as a record that is read back or further
versions of a golden record, is charged when the turn is settled: the target is asked again once that is made good, and
the next turns lease no more lanes than their calls allow. Reports that read a target wait call by call.
"""

import threading
import time
from functools import partial
from typing import Final

from sqlalchemy import Engine

from mdm.db.transaction import run
from mdm.delivery.lanes import charge
from mdm.delivery.model import Declaration

WAIT_S_MAX: Final = 5.0  # chosen: a report goes on at a rate that allows less, so that its lease holds


class CallMeter:
    """Counts what the connector of a relay asks; its threads share it."""

    def __init__(self, calls_per_lane: float = 1.0) -> None:
        """Take so many calls for what a lane needs, until that is known."""
        self.calls_per_lane = calls_per_lane
        self._lock = threading.Lock()
        self._calls = 0

    def __call__(self, calls: int) -> None:
        """Count calls that are about to be made."""
        with self._lock:
            self._calls += calls

    def end_turn(self, lanes: int) -> int:
        """Return how many calls a turn of so many lanes made, and learn from it what a lane needs."""
        with self._lock:
            calls, self._calls = self._calls, 0
        self.calls_per_lane = max(1.0, (self.calls_per_lane + calls / max(1, lanes)) / 2)
        return calls


class Paced:
    """Lets each call of a report wait until the rate of its target allows it, but not for long."""

    def __init__(self, engine: Engine, declaration: Declaration) -> None:
        """Charge nothing yet."""
        self._engine = engine
        self._declaration = declaration

    def __call__(self, calls: int) -> None:
        """Charge calls, and wait for what that is beyond the rate."""
        missing = -run(self._engine, partial(charge, declaration=self._declaration, calls=calls))
        if missing > 0:
            time.sleep(min(WAIT_S_MAX, missing / self._declaration.rate.per_second))
