"""Write to the ledger only while leases hold: whoever was slower than its lease leaves it to the one that took over."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

from sqlalchemy import Connection, Engine

from mdm.db.transaction import run
from mdm.delivery.lanes_store import lock_leased
from mdm.delivery.model import DueLane
from mdm.ids import GoldenId

Note = Callable[[Connection, AbstractSet[GoldenId]], None]
"""Writes what is to be kept of the lanes of these golden records, in one transaction."""


class _LeaseLost(Exception):
    """Somebody else tells some of the lanes now; carries the others past the rollback."""

    def __init__(self, held: frozenset[GoldenId]) -> None:
        """Keep whose lease holds."""
        super().__init__()
        self.held = held


def fenced(engine: Engine, lanes: Sequence[DueLane], note: Note) -> AbstractSet[GoldenId]:
    """Note something of lanes, and nothing of those whose lease was taken over; returns whose lease held."""
    while lanes:
        try:
            run(engine, partial(_noted, lanes=lanes, note=note))
            break
        except _LeaseLost as lost:
            lanes = [one for one in lanes if one.golden_id in lost.held]
    return {one.golden_id for one in lanes}


def _noted(connection: Connection, *, lanes: Sequence[DueLane], note: Note) -> None:
    wanted = {one.golden_id for one in lanes}
    note(connection, wanted)
    # Last, as ingest comes to lanes last: two that hold each other's rows would both have to begin again.
    held = lock_leased(connection, lanes)
    if held != wanted:
        raise _LeaseLost(held)
