"""Carry requests and replies over real sockets, and act out on them what a fault asks for.

One event loop in a thread of its own serves all connections of a fake, so requests are carried out one at a time. A
hang stays open until the client or the fake ends it; a dropped connection ends without a byte; both are what a client
meets on the wire, not the picture of it.
"""

import asyncio
import ssl
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httptools

from mdm.demo.fakes.answers import answer
from mdm.demo.fakes.certificate import write_certificate
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import PAUSE_S, Fault
from mdm.demo.fakes.model import Reply, Request

REQUEST_LENGTH_MAX: Final = 1_000_000  # bytes of a body, chosen; a longer one ends the connection
LOCALHOST: Final = "127.0.0.1"


@dataclass(slots=True)
class _Running:
    """What the loop of one fake holds; made and used in its own thread."""

    fake: Fake
    connections: set[asyncio.Transport] = field(default_factory=set)
    under_way: int = 0


class _Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, running: _Running) -> None:
        self._running = running
        self._transport: Any = None
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._whole: deque[tuple[Request, bool]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._running.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's own signature
        self._running.connections.discard(self._transport)

    def data_received(self, received: bytes) -> None:
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserError:
            self._transport.abort()
        # Outside of the parser, which would take an error of the fake's own for one of the client.
        while self._whole:
            self._answer(*self._whole.popleft())

    def on_message_begin(self) -> None:
        self._target, self._headers, self._body = b"", {}, bytearray()

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > REQUEST_LENGTH_MAX:
            self._transport.abort()

    def on_message_complete(self) -> None:
        method = self._parser.get_method().decode("latin-1")
        request = Request(method, self._target.decode("latin-1"), self._headers, bytes(self._body))
        self._whole.append((request, self._parser.should_keep_alive()))

    def _answer(self, request: Request, keeps: bool) -> None:  # noqa: FBT001 -- what the parser says
        reply, fault = answer(self._running.fake, request)
        running, fake = self._running, self._running.fake
        running.under_way += 1
        fake.most_under_way = max(fake.most_under_way, running.under_way)
        if fake.latency_s > 0:
            asyncio.get_running_loop().call_later(fake.latency_s, self._send, reply, fault, keeps)
        else:
            self._send(reply, fault, keeps)

    def _send(self, reply: Reply, fault: Fault | None, keeps: bool) -> None:  # noqa: FBT001 -- see _answer
        self._running.under_way -= 1
        kind = fault.kind if fault else "answer"
        if self._transport.is_closing() or kind == "hang":
            return
        if kind == "drop":
            self._transport.abort()
            return
        head, body = _head(reply, keeps=keeps), reply.body
        if kind == "slow_body":
            self._transport.write(head)
            self._trickle(body, 0)
            return
        if kind == "half":
            self._transport.write(head + body[: len(body) // 2])
            self._transport.close()
            return
        self._transport.write((head + body) * (2 if kind == "twice" else 1))
        if not keeps:
            self._transport.close()

    def _trickle(self, body: bytes, place: int) -> None:
        if self._transport.is_closing() or place == len(body):
            return
        self._transport.write(body[place : place + 1])
        asyncio.get_running_loop().call_later(PAUSE_S, self._trickle, body, place + 1)


def _head(reply: Reply, *, keeps: bool) -> bytes:
    headers = {
        **reply.headers,
        "Content-Length": str(len(reply.body)),
        "Connection": "keep-alive" if keeps else "close",
    }
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", *(f"{n}: {v}" for n, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@contextmanager
def running(fake: Fake, *, host: str = LOCALHOST, port: int = 0, has_tls: bool = False) -> Iterator[Fake]:
    """Run a fake for the length of a `with` block, on a free port unless one is named; `fake.url` says where."""
    listening: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    with tempfile.TemporaryDirectory() as folder:
        secure = _secure(fake, Path(folder)) if has_tls else None

        async def serve() -> None:
            try:
                await _serve(fake, (host, port), secure, listening)
            except BaseException as error:
                if listening.done():
                    raise
                listening.set_exception(error)

        thread = threading.Thread(target=lambda: asyncio.run(serve()), name=f"fake {fake.character.name}", daemon=True)
        thread.start()
        try:
            loop, stop = listening.result()
            try:
                yield fake
            finally:
                loop.call_soon_threadsafe(stop.set)
        finally:
            thread.join()
            fake.url = fake.tls_url = ""
            fake.certificate = None


async def _serve(
    fake: Fake,
    place: tuple[str, int],
    secure: ssl.SSLContext | None,
    listening: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]],
) -> None:
    loop, stop, held = asyncio.get_running_loop(), asyncio.Event(), _Running(fake)
    servers = [await loop.create_server(lambda: _Connection(held), *place)]
    if secure is not None:
        servers.append(await loop.create_server(lambda: _Connection(held), place[0], 0, ssl=secure))
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    fake.url = f"http://{place[0]}:{ports[0]}"
    fake.tls_url = f"https://localhost:{ports[1]}" if secure is not None else ""
    listening.set_result((loop, stop))
    await stop.wait()
    for server in servers:
        server.close()
    while held.connections:
        for transport in tuple(held.connections):
            transport.abort()
        await asyncio.sleep(0)


def _secure(fake: Fake, folder: Path) -> ssl.SSLContext:
    fake.certificate = folder / "certificate.pem"
    key = folder / "key.pem"
    write_certificate(fake.certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(fake.certificate, key)
    return context
