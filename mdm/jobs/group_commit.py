"""Deliveries that reach one process at the same time share a transaction, as soon as some of them would have to wait.

A transaction of one record costs three times what a record of many costs (13 ms and 4.6, November 2026). Whoever
delivers while a writer is free writes at once; when all are busy, what arrives waits for the next of them, and goes
along the path in one chunk. Each call still gets the outcome of its own records, or its own error.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from threading import Event, Lock
from typing import Final

from mdm.errors import Unavailable
from mdm.hub import UNBRACKETED, Bracket, Hub
from mdm.jobs.model import Outcome
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery

WRITERS_MAX: Final = 2
"""Transactions at a time (chosen: one thinks while the statements of the other run)."""


@dataclass(eq=False)
class _Call:
    """One call; `turn` comes when it is answered, or when it is to write a group of which it is the first."""

    deliveries: tuple[Delivery, ...]
    who: str
    turn: Event = field(default_factory=Event)
    group: "list[_Call]" = field(default_factory=list)
    outcomes: tuple[Outcome, ...] | None = None
    error: BaseException | None = None

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
        self,
        hub: Hub,
        deliveries: Sequence[Delivery],
        *,
        who: str,
        bracket: Bracket[tuple[Outcome, ...]] = UNBRACKETED,
    ) -> tuple[Outcome, ...]:
        """Do what `mdm.jobs.service.deliver` does, perhaps in one transaction with others.

        Who wants more done in the transaction has it alone, and so has what is more than one transaction.
        """
        if bracket is not UNBRACKETED or not _fits_in_a_chunk(hub, deliveries):
            return deliver(hub, deliveries, who=who, bracket=bracket)
        call = _Call(tuple(deliveries), who)
        with self._lock:
            if self._writers < WRITERS_MAX:
                self._writers += 1
                call.group.append(call)
            else:
                self._waiting.append(call)
        if not call.group:
            call.turn.wait()
        if call.group:
            self._write(hub, call.group)
        if call.error is not None:
            raise call.error
        assert call.outcomes is not None, "an answered call has outcomes or an error"
        return call.outcomes

    def _write(self, hub: Hub, group: Sequence[_Call]) -> None:
        """Write a group, then let the first of those who wait write with whom it goes."""
        try:
            _deliver_group(hub, group)
        except BaseException as error:  # a thread that ends here leaves nobody waiting for it
            _answer(group, error)
            raise
        finally:
            with self._lock:
                following = self._waiting.popleft() if self._waiting else None
                if following is not None:
                    following.group = self._group(hub, following)
                else:
                    self._writers -= 1
            if following is not None:
                following.turn.set()
        _answer(group[1:])

    def _group(self, hub: Hub, first: _Call) -> list[_Call]:
        """Take out of those who wait, in their order, what goes with a call and fits into one chunk with it."""
        group, left = [first], hub.settings.chunk_records - len(first.deliveries)
        keys = {one.key for one in first.deliveries}
        for call in list(islice(self._waiting, hub.settings.chunk_records)):
            own = {one.key for one in call.deliveries}
            if len(own) <= left and first.goes_with(call) and keys.isdisjoint(own):
                self._waiting.remove(call)
                group.append(call)
                left -= len(own)
                keys |= own
        return group


def _fits_in_a_chunk(hub: Hub, deliveries: Sequence[Delivery]) -> bool:
    """Tell whether deliveries are one transaction: few, of one entity type, each of another record."""
    keys, entity_types = {one.key for one in deliveries}, {one.entity_type for one in deliveries}
    return len(entity_types) == 1 and len(keys) == len(deliveries) <= hub.settings.chunk_records


def _deliver_group(hub: Hub, group: Sequence[_Call]) -> None:
    """Deliver for all of a group; what fails together is tried one by one, so that nobody gets another's error."""
    try:
        found = iter(deliver(hub, [one for call in group for one in call.deliveries], who=group[0].who))
    except Unavailable as error:
        for call in group:
            call.error = error
    except Exception as error:  # noqa: BLE001 -- the edge of a call: each thread raises its own
        if len(group) == 1:
            group[0].error = error
            return
        for call in group:
            _deliver_group(hub, [call])
    else:
        for call in group:
            call.outcomes = tuple(islice(found, len(call.deliveries)))


def _answer(group: Sequence[_Call], error: BaseException | None = None) -> None:
    for call in group:
        if call.outcomes is None and call.error is None:
            call.error = error
        call.turn.set()
