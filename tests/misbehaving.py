"""A server on localhost that misbehaves as told, byte for byte, and counts who came.

A behaviour is given the bare socket of a connection, so that it can drip, break off and reset as no HTTP library would.
`trap` is for what must never be reached.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Behaviour = Callable[["Visit"], None]
_PIECE = 65_536


@dataclass
class Visit:
    """One connection, and what its behaviour can do with it."""

    socket: socket.socket
    server: "MisbehavingServer"

    def read_request(self) -> bytes:
        """Read one request whole; b"" when the other side left."""
        read = b""
        while b"\r\n\r\n" not in read:
            piece = self.socket.recv(_PIECE)
            if not piece:
                return b""
            read += piece
        head, _, body = read.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        wanted = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(body) < wanted:
            body += self.socket.recv(_PIECE)
        self.server.requests.append(head + b"\r\n\r\n" + body)
        return self.server.requests[-1]

    def send(self, raw: bytes) -> None:
        """Send, and count what the system took."""
        sent = 0
        while sent < len(raw):
            taken = self.socket.send(raw[sent : sent + _PIECE])
            sent += taken
            self.server.bytes_sent += taken

    def drip(self, raw: bytes, pause_s: float) -> None:
        """Send byte by byte until the other side has enough."""
        for byte in raw:
            self.send(bytes([byte]))
            if self.server.is_over.wait(pause_s):
                return

    def hang(self) -> None:
        """Do nothing until the test is over."""
        self.server.is_over.wait(60)

    def reset(self) -> None:
        """Break the connection off, as a crashed machine or a firewall does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@dataclass
class MisbehavingServer:
    """The server, and what it saw."""

    port: int
    behaviour: Behaviour
    tls: ssl.SSLContext | None = None
    visits: int = 0
    requests: list[bytes] = field(default_factory=list)
    bytes_sent: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def misbehaving_server(
    behaviour: Behaviour, *, tls: ssl.SSLContext | None = None, is_everywhere: bool = False
) -> Iterator[MisbehavingServer]:
    """Run the server for the length of a `with` block.

    is_everywhere  listen on every address of this machine, of both kinds, instead of on 127.0.0.1
    """
    if is_everywhere and socket.has_dualstack_ipv6():
        listening = socket.create_server(("", 0), family=socket.AF_INET6, backlog=64, dualstack_ipv6=True)
    else:
        listening = socket.create_server(("" if is_everywhere else "127.0.0.1", 0), backlog=64)
    server = MisbehavingServer(listening.getsockname()[1], behaviour, tls)
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            if server.is_over.is_set():
                connection.close()
                return
            server.visits += 1
            connections.append(connection)
            threads.append(threading.Thread(target=_behave, args=(server, connection)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield server
    finally:
        server.is_over.set()
        for waiting in [listening, *connections]:
            with suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)  # wakes whoever waits there
        listening.close()
        for thread in [accepting, *threads]:
            thread.join()


def _behave(server: MisbehavingServer, connection: socket.socket) -> None:
    connection.settimeout(60)
    # Whatever the other side does to the connection is its right; what it makes of it is what the test looks at.
    with suppress(OSError), connection:
        if server.tls is None:
            server.behaviour(Visit(connection, server))
            return
        with server.tls.wrap_socket(connection, server_side=True) as wrapped:
            server.behaviour(Visit(wrapped, server))


def answering(status: str, *headers: str, body: bytes = b"") -> Behaviour:
    """Answer every request so."""
    raw = "".join(
        f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "")
    ).encode()

    def behave(visit: Visit) -> None:
        while visit.read_request():
            visit.send(raw + body)

    return behave


def trap(visit: Visit) -> None:
    """Hang up: that somebody came is all that counts."""
    visit.socket.close()


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself, and its files."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


def certificate(folder: Path, name: str) -> Certificate:
    """Make a certificate for a name; gives the server's side, and that of a client which trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return Certificate(server, ssl.create_default_context(cafile=str(file)))
