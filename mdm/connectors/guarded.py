"""A broker's sink that is asked only where its servers may be called: their addresses are judged as a webhook's are.

The client of a broker dials by itself, so a name that changes its answer between judgement and dial is not caught, nor
are further servers that a broker names to its client. Where strangers declare targets, bar the network as well.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mdm.connectors.addresses import AddressDenied, NameUnknown, Network, Resolver, judge, look_up
from mdm.connectors.model import Failure, Message, MessageSink, Meter, unmetered
from mdm.connectors.turns import Outcome, failure

JUDGED_S: Final = 30.0  # chosen: a connection is kept for long, and a look-up for each turn would be a burden


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a broker as it is named; plain: without TLS."""

    host: str
    port: int
    is_plain: bool


class GuardedSink:
    """Hands messages to a sink whose servers may all be called, else says why not; used by one thread at a time."""

    def __init__(
        self,
        sink: MessageSink,
        servers: Sequence[Server],
        allowed: Sequence[Network],
        resolve: Resolver = look_up,
        meter: Meter = unmetered,
    ) -> None:
        """Judge nothing yet: names are looked up before the first message.

        meter  told before messages are sent, each of which is a call
        """
        self.sink = sink
        self._servers = tuple(servers)
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._meter = meter
        self._judged_at: float | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send messages, or fail all of them where a server may not be called."""
        if self._judged_at is None or time.monotonic() - self._judged_at >= JUDGED_S:
            denied = next(filter(None, map(self._denial, self._servers)), None)
            if denied is not None:
                return [denied] * len(messages)
            self._judged_at = time.monotonic()
        self._meter(len(messages))
        return self.sink.send(messages)

    def close(self) -> None:
        """Let go of the sink's connections."""
        self.sink.close()

    def _denial(self, server: Server) -> Failure | None:
        try:
            written = self._resolve(server.host, server.port)
        except (OSError, UnicodeError):
            return failure("unavailable", f"{server.host} does not resolve")
        try:
            judge(server.host, written, self._allowed, is_plain=server.is_plain)
        except AddressDenied as error:
            return failure("not_allowed", error)
        except NameUnknown as error:
            return failure("unavailable", error)
        return None
