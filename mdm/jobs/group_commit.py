"""Deliveries that reach one process at the same time share a transaction, as soon as some of them would have to wait.

A transaction of one record costs three times what a record of many costs (13 ms and 4.6, November 2026). Whoever
delivers while a writer is free writes at once; when all are busy, what arrives waits for the next of them, and goes
along the path in one chunk. Each call still gets the outcome of its own records: a group that fails is undone as a
whole, and each of its calls is tried by itself.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Event, Lock
from typing import Final

from sqlalchemy import Connection

from mdm.hub import UNBRACKETED, Bracket, Hub
from mdm.jobs.model import Outcome
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery

WRITERS_MAX: Final = 2
"""Transactions at a time (chosen: one thinks while the statements of the other run)."""
PATIENCE_S: Final = 0.5
"""For how long a call waits to be written along (chosen: some ten transactions); then it is written by itself."""

Outcomes = tuple[Outcome, ...]


@dataclass(eq=False)
class _Call:
    """One call; `turn` comes when its group is written or failed, or when it is to write one, itself first in it."""

    deliveries: tuple[Delivery, ...]
    who: str
    bracket: Bracket[Outcomes]
    turn: Event = field(default_factory=Event)
    group: "list[_Call]" = field(default_factory=list)
    outcomes: Outcomes | None = None

    def goes_with(self, other: "_Call") -> bool:
        """Tell whether both may be in one transaction: recorded under one name, of one entity type."""
        return self.who == other.who and self.deliveries[0].entity_type == other.deliveries[0].entity_type


class GroupCommit:
    """Those who deliver in this process: who writes, and who waits to be written along."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._lock = Lock()
        self._writers = 0
        self._waiting: deque[_Call] = deque()

    def deliver(
        self, hub: Hub, deliveries: Sequence[Delivery], *, who: str, bracket: Bracket[Outcomes] = UNBRACKETED
    ) -> Outcomes:
        """Do what `mdm.jobs.service.deliver` does, perhaps in one transaction with others."""
        if _fits_in_a_chunk(hub, deliveries):
            call = _Call(tuple(deliveries), who, bracket)
            self._begin(call)
            if not call.group and not call.turn.wait(PATIENCE_S) and not self._leaves(call):
                call.turn.wait()
            if call.group:
                self._write(hub, call.group)
            if call.outcomes is not None:
                return call.outcomes
        return deliver(hub, deliveries, who=who, bracket=bracket)

    def _begin(self, call: _Call) -> None:
        """Let a call write where a writer is free, else wait."""
        with self._lock:
            if self._writers < WRITERS_MAX:
                self._writers += 1
                call.group.append(call)
            else:
                self._waiting.append(call)

    def _leaves(self, call: _Call) -> bool:
        """Take a call out of those who wait; tell whether it was still among them."""
        with self._lock:
            is_waiting = call in self._waiting
            if is_waiting:
                self._waiting.remove(call)
        return is_waiting

    def _write(self, hub: Hub, group: Sequence[_Call]) -> None:
        """Write a group, then let the first of those who wait write with whom it goes.

        A group of several that fails leaves no trace and no outcome. One call alone raises what `deliver` raises.
        """
        try:
            found = iter(_deliver_group(hub, group))
            for call in group:
                call.outcomes = tuple(islice(found, len(call.deliveries)))
        except Exception:
            if len(group) == 1:
                raise
        finally:
            for call in group[1:]:
                call.turn.set()
            self._hand_over(hub)

    def _hand_over(self, hub: Hub) -> None:
        with self._lock:
            following = self._waiting.popleft() if self._waiting else None
            if following is None:
                self._writers -= 1
            else:
                following.group.extend((following, *self._companions(hub, following)))
                following.turn.set()

    def _companions(self, hub: Hub, first: _Call) -> Iterator[_Call]:
        """Take out of those who wait, in their order, what goes with a call and fits into one chunk with it.

        Whoever shares a record with one that is passed over is passed over too, so as not to overtake it.
        """
        left = hub.settings.chunk_records - len(first.deliveries)
        keys = {one.key for one in first.deliveries}
        for call in list(islice(self._waiting, hub.settings.chunk_records)):
            own = {one.key for one in call.deliveries}
            if len(own) <= left and first.goes_with(call) and keys.isdisjoint(own):
                self._waiting.remove(call)
                left -= len(own)
                yield call
            keys |= own


def _fits_in_a_chunk(hub: Hub, deliveries: Sequence[Delivery]) -> bool:
    """Tell whether deliveries are one transaction: few, of one entity type, each of another record."""
    keys, entity_types = {one.key for one in deliveries}, {one.entity_type for one in deliveries}
    return len(entity_types) == 1 and len(keys) == len(deliveries) <= hub.settings.chunk_records


def _deliver_group(hub: Hub, group: Sequence[_Call]) -> Outcomes:
    """Deliver for all of a group in one transaction, with what each wants done in it."""

    def before(connection: Connection) -> None:
        for call in group:
            call.bracket.before(connection)

    def after(connection: Connection, outcomes: Outcomes) -> None:
        found = iter(outcomes)
        for call in group:
            call.bracket.after(connection, tuple(islice(found, len(call.deliveries))))

    every = [one for call in group for one in call.deliveries]
    return deliver(hub, every, who=group[0].who, bracket=Bracket(before, after))
