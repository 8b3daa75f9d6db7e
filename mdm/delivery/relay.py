"""The relay: turn after turn, lease what is due of one target, tell it outside of any transaction, and settle.

A turn may end anywhere: what was leased comes back when its lease ends, with the same ids. Any number of relays work
side by side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, cast

from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.model import Failure, MessageSink, RecordSystem
from mdm.db.transaction import run
from mdm.delivery.event_delivery import deliver_events
from mdm.delivery.lanes import Clock, charge, establish, failed, lease, settle
from mdm.delivery.meter import CallMeter
from mdm.delivery.model import Declaration, Done, DueLane, Settlement
from mdm.delivery.record_delivery import deliver_records
from mdm.errors import DatabaseUnavailable, reason_of
from mdm.hub import Hub
from mdm.telemetry import logger

EVENT_LANES_MAX: Final = (
    200  # chosen: a claim takes some 15 ms, and one turn leases, reads, tells and settles some thousand lanes a second
)
# Chosen: where every call runs out of its time, eight side by side are through before the lease ends.
WEBHOOK_LANES_MAX: Final = 40
RECORD_LANES_MAX: Final = 40  # chosen: systems of records are asked one by one, and a lease has to outlast the turn

Tell = Callable[[Sequence[DueLane], datetime], tuple[list[Settlement], list[Failure]]]


@dataclass(frozen=True, slots=True)
class Relay:
    """What takes the turns of one target.

    tell   tells the target of leased lanes; returns how each is settled, and all failures
    now    the clock of leases and due times: the database's, or one that a test turns
    meter  what its connector tells of its calls, if it does
    """

    hub: Hub
    declaration: Declaration
    tell: Tell
    lanes_max: int
    now: Clock = clock.instant
    meter: CallMeter | None = None

    def turn(self) -> int:
        """Take one turn; return how many lanes were settled."""
        lanes = self._leased()
        return self._told(lanes) if lanes else 0

    def guarded_turn(self) -> int:
        """Take one turn; what it runs into is a failed attempt of what it leased, for people to see.

        Raises DatabaseUnavailable alone: then nothing can be noted, and what was leased comes back when its lease ends.
        """
        lanes: Sequence[DueLane] = ()
        try:
            lanes = self._leased()
            return self._told(lanes) if lanes else 0
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- the edge of a turn: it is logged, and counts as a failed attempt
            logger(__name__).exception("turn failed", target=self.declaration.id)
            # What was told before is not known, so that it is told again, with the same ids.
            failure = Failure("unclear", reason_of(error))
            run(self.hub.engine, partial(self._settle_broken, lanes=lanes, failure=failure))
            return 0

    def drain(self, *, turns_max: int = 10_000) -> int:
        """Take turns until nothing is due any more; return how many lanes were settled."""
        total = 0
        for _ in range(turns_max):
            settled = self.turn()
            if not settled:
                break
            total += settled
        return total

    def _leased(self) -> Sequence[DueLane]:
        lasting = timedelta(seconds=self.hub.settings.delivery_lease_s)
        take = partial(lease, declaration=self.declaration, limit=self.lanes_max, lasting=lasting, now=self.now)
        return run(self.hub.engine, partial(take, calls_per_lane=self.meter.calls_per_lane if self.meter else 1.0))

    def _told(self, lanes: Sequence[DueLane]) -> int:
        settlements, failures = self.tell(lanes, run(self.hub.engine, self.now))
        run(self.hub.engine, partial(self._settle, settlements=settlements, failures=failures))
        self._charge(len(lanes))
        return len(settlements)

    def _charge(self, lanes: int) -> None:
        """Charge the target's rate with what a turn asked beyond its leases, and turns before that were broken off."""
        beyond = self.meter.end_turn(lanes) - lanes if self.meter is not None else 0
        if beyond > 0:
            run(self.hub.engine, partial(charge, declaration=self.declaration, calls=beyond, now=self.now))

    def _settle_broken(self, connection: Connection, *, lanes: Sequence[DueLane], failure: Failure) -> None:
        at = self.now(connection)
        later = [failed(lane, failure, now=at) for lane in lanes]
        settle(connection, self.declaration, later, failures=[failure], answered=False, now=self.now)

    def _settle(
        self, connection: Connection, *, settlements: Sequence[Settlement], failures: Sequence[Failure]
    ) -> None:
        delivered = [one for one in settlements if isinstance(one, Done) and one.outcome == "delivered"]
        establish(connection, [one.id_prefix for one in self.hub.declared.values()], delivered)
        answered = bool(delivered) or not failures
        settle(connection, self.declaration, settlements, failures=failures, answered=answered, now=self.now)


def relay_to(
    hub: Hub,
    declaration: Declaration,
    system: RecordSystem | MessageSink,
    *,
    now: Clock = clock.instant,
    meter: CallMeter | None = None,
) -> Relay:
    """Give the relay of a target, by what its declaration says it is."""
    if declaration.events is not None:
        relay = relay_to_sink(hub, declaration, cast("MessageSink", system), now=now)
    else:
        relay = relay_to_records(hub, declaration, cast("RecordSystem", system), now=now)
    return replace(relay, meter=meter)


def relay_to_records(hub: Hub, declaration: Declaration, system: RecordSystem, *, now: Clock = clock.instant) -> Relay:
    """Give the relay of a system whose records are written."""

    def tell(lanes: Sequence[DueLane], at: datetime) -> tuple[list[Settlement], list[Failure]]:
        return deliver_records(hub, declaration, system, lanes, now=at)

    return Relay(hub, declaration, tell, RECORD_LANES_MAX, now)


def relay_to_sink(hub: Hub, declaration: Declaration, sink: MessageSink, *, now: Clock = clock.instant) -> Relay:
    """Give the relay of a place that messages are sent to."""

    def tell(lanes: Sequence[DueLane], at: datetime) -> tuple[list[Settlement], list[Failure]]:
        return deliver_events(hub, declaration, sink, lanes, now=at)

    lanes_max = WEBHOOK_LANES_MAX if declaration.kind == "webhook" else EVENT_LANES_MAX
    return Relay(hub, declaration, tell, lanes_max, now)
