"""Which addresses the hub calls, and the network backend that dials no other.

Addresses are judged, never names: when a connection is made its name is looked up once, every address of the answer is
judged, and one of those that were judged is dialled, so that a name which changes its answer meanwhile gains nothing.
TLS and the header Host keep the name. What is not public is called only where a setting allows its network.
Not known here is a NAT64 prefix of a network's own: whoever runs one beside the hub has to bar it there.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from ssl import SSLContext, SSLError
from typing import Any, Final

import httpcore2

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a name; raises OSError or UnicodeError."""

_END_OF_HEAD: Final = b"\r\n\r\n"
DIALS_MAX: Final = 4  # chosen: addresses of one name that are tried, all of which were judged
# Beside what Python calls not global: RFC 6890 and its registry as of 2026, and what carries another address inside.
_DENIED_IPV4: Final = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4")))
_GLOBAL_IPV6: Final = IPv6Network("2000::/3")  # all that is routed; leaves out ::/96, mapped, NAT64, local, multicast
_DENIED_IPV6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # Teredo, ORCHID, benchmarking
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "3fff::/20",  # documentation
        ),
    )
)


class NameUnknown(httpcore2.ConnectError):
    """A name has no address, or nobody could say."""


class AddressDenied(httpcore2.ConnectError):
    """A name leads to an address that the hub does not call."""


class TlsFailed(httpcore2.ConnectError):
    """A server did not prove who it is, or does not speak TLS."""


@dataclass(slots=True)
class Call:
    """One request while it is under way.

    ends_at   by the monotonic clock
    is_plain  without TLS, which is spoken only with allowed networks
    has_left  the head of the request was given to the network: from here on the other side may act
    stream    the connection that carries it, once something was sent
    """

    ends_at: float
    is_plain: bool
    has_left: bool = False
    stream: "GuardedStream | None" = None

    def remaining(self, limit: float | None, error: type[httpcore2.TimeoutException]) -> float:
        """Give the seconds that one step may take; raises the error once the time of the whole call is up."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise error("the whole call took too long")
        return left if limit is None else min(left, limit)


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the open internet, and is no disguise of another."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _DENIED_IPV4)
    if address.scope_id is not None or address not in _GLOBAL_IPV6:
        return False
    return address.is_global and not any(address in network for network in _DENIED_IPV6)


def is_allowed(address: Address, allowed: Iterable[Network]) -> bool:
    """Tell whether an address lies in one of the networks that a setting allows."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    return any(address in network for network in allowed)


def look_up(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name; raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


def judge(host: str, written: Iterable[str], allowed: Sequence[Network], *, is_plain: bool) -> list[Address]:
    """Give the addresses of a name when every one of them may be called; raises AddressDenied, NameUnknown.

    is_plain  without TLS, which is spoken only with allowed networks
    """
    addresses = [_parsed(one) for one in written]
    if not addresses:
        raise NameUnknown(f"{host} has no address")
    judged = [one for one in addresses if one is not None and (is_allowed(one, allowed) or is_public(one))]
    if len(judged) < len(addresses):
        raise AddressDenied(
            f"{host} leads to an address that is not public; MDM_OUTGOING_NETWORKS names what may be called yet"
        )
    if is_plain and not all(is_allowed(address, allowed) for address in judged):
        raise AddressDenied(f"{host} is public, and called with TLS only")
    return judged


class GuardedBackend(httpcore2.NetworkBackend):
    """Dials addresses that may be called, and no others; threads share it, each within a call of its own."""

    def __init__(self, allowed: Sequence[Network], resolve: Resolver = look_up) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._sockets = httpcore2.SyncBackend()
        self._here = threading.local()

    @contextmanager
    def calling(self, call: Call) -> Iterator[None]:
        """Bind what this thread does on the network to a call."""
        self._here.call = call
        try:
            yield
        finally:
            del self._here.call

    @property
    def call(self) -> Call:
        """Return the call of this thread."""
        call: Call = self._here.call
        return call

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Look a name up, judge what was found, dial it; raises ConnectError, ConnectTimeout."""
        call = self.call
        failure: Exception = NameUnknown(f"{host} has no address")
        for address in self._judged(host, port, call)[:DIALS_MAX]:
            seconds = call.remaining(timeout, httpcore2.ConnectTimeout)
            try:
                dialled = self._sockets.connect_tcp(str(address), port, seconds, local_address, socket_options)
                return GuardedStream(dialled, self)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 -- the parameters are the library's
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002 -- as above
    ) -> httpcore2.NetworkStream:
        """Refuse: no target is a file of this machine."""
        raise AddressDenied(f"{path} is no address of a network")

    def _judged(self, host: str, port: int, call: Call) -> list[Address]:
        """Give the addresses of a name when every one of them may be called; raises AddressDenied, NameUnknown."""
        return judge(host, self._written(host, port, call), self._allowed, is_plain=call.is_plain)

    def _written(self, host: str, port: int, call: Call) -> list[str]:
        """Look a name up in a thread of its own, since the system gives no bound of time; an address needs none."""
        if _parsed(host) is not None:
            return [host]
        answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(list(dict.fromkeys(self._resolve(host, port))))
            except (OSError, UnicodeError) as error:
                answers.put(error)

        threading.Thread(target=ask, name="look-up", daemon=True).start()
        try:
            answer = answers.get(timeout=call.remaining(None, httpcore2.ConnectTimeout))
        except Empty:
            raise httpcore2.ConnectTimeout(f"the look-up of {host} took too long") from None
        if isinstance(answer, Exception):
            raise NameUnknown(f"{host} does not resolve") from answer
        return answer


class GuardedStream(httpcore2.NetworkStream):
    """A connection that keeps to the time of the call that uses it, and notes when its request leaves.

    It counts what comes back: a server that answers twice leaves an answer behind, which the library would take for
    that of the next request. Such a connection is not used again.
    """

    def __init__(self, stream: httpcore2.NetworkStream, backend: GuardedBackend) -> None:
        self._stream = stream
        self._backend = backend
        self._head = bytearray()
        self._head_length = 0
        self._received = 0
        self._is_out_of_step = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what came; raises ReadError, ReadTimeout."""
        piece = self._stream.read(max_bytes, self._backend.call.remaining(timeout, httpcore2.ReadTimeout))
        self._received += len(piece)
        if not self._head_length:
            self._head += piece
            self._head_length = self._head.find(_END_OF_HEAD) + len(_END_OF_HEAD) if _END_OF_HEAD in self._head else 0
        return piece

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send; raises WriteError, WriteTimeout."""
        call = self._backend.call
        if call.stream is not self:
            call.stream = self
            self._head, self._head_length, self._received = bytearray(), 0, 0
        self._stream.write(buffer, call.remaining(timeout, httpcore2.WriteTimeout))
        call.has_left = True

    def end_answer(self, body_length: int) -> None:
        """Say how long the body of the answer was; more than that came, and the connection is not used again."""
        self._is_out_of_step = self._received != self._head_length + body_length

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Shake hands under the name that was asked for; raises TlsFailed, ConnectError, ConnectTimeout."""
        seconds = self._backend.call.remaining(timeout, httpcore2.ConnectTimeout)
        try:
            return GuardedStream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._backend)
        except httpcore2.ConnectError as error:
            if isinstance(error.__cause__, SSLError):
                raise TlsFailed(_flaw(error.__cause__)) from error
            raise

    def get_extra_info(self, name: str, /) -> Any:
        """Tell something of the connection below; one that is readable while nothing is asked is given up."""
        if name == "is_readable" and self._is_out_of_step:
            return True
        return self._stream.get_extra_info(name)


def _parsed(written: str) -> Address | None:
    try:
        return ip_address(written)
    except ValueError:
        return None


def _flaw(error: SSLError) -> str:
    """Say in a few words what is wrong with TLS."""
    return str(getattr(error, "verify_message", "") or error.reason or "the handshake failed").replace("_", " ").lower()
