"""A proxy before PostgreSQL that swallows the reply to COMMIT: the work is done, and the one who asked never hears it.

It listens on a Unix socket, as the embedded server does, and understands just enough of the protocol to see which
transaction writes. `swallow_next` arms it for the next COMMIT of such a one; the connection is then cut, as by a
network that fails.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

SOCKET = ".s.PGSQL.5432"
WRITES = (b"INSERT", b"UPDATE", b"DELETE")
PIECE = 65_536


@dataclass
class Swallower:
    """One proxy: where it listens, what stands behind it, and how many replies it has swallowed."""

    url: str
    behind: str
    swallowed: int = 0
    _is_armed: bool = False
    _passing: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def swallow_next(self, *, after: int = 0) -> None:
        """Swallow the reply to the next COMMIT of a transaction that wrote something, after some of them passed."""
        with self._lock:
            self._is_armed = True
            self._passing = after

    def disarm(self) -> None:
        """Let replies through again."""
        with self._lock:
            self._is_armed = False

    def _takes(self) -> bool:
        with self._lock:
            if self._is_armed and self._passing:
                self._passing -= 1
                return False
            is_taken, self._is_armed = self._is_armed, False
            self.swallowed += is_taken
            return is_taken

    def serve(self, client: socket.socket) -> None:
        """Carry one connection until either side ends it, or a reply is swallowed."""
        with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
            server.connect(self.behind)
            is_cut = threading.Event()
            back = threading.Thread(target=_carry_back, args=(server, client, is_cut), daemon=True)
            back.start()
            _carry_forth(client, server, is_cut, self)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join()
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


def _carry_back(server: socket.socket, client: socket.socket, is_cut: threading.Event) -> None:
    with suppress(OSError):
        while piece := server.recv(PIECE):
            # After the cut the server is still heard out: it has done its work when it falls silent.
            if not is_cut.is_set():
                client.sendall(piece)
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


def _carry_forth(client: socket.socket, server: socket.socket, is_cut: threading.Event, swallower: Swallower) -> None:
    stream = client.makefile("rb")
    start = stream.read(4)  # the start-up message has no type; a Unix socket asks for no encryption
    if len(start) < 4:
        return
    server.sendall(start + stream.read(struct.unpack("!I", start)[0] - 4))
    writes: dict[bytes, bool] = {}
    has_written = False
    while kind := stream.read(1):
        length = stream.read(4)
        body = stream.read(struct.unpack("!I", length)[0] - 4)
        if kind == b"P":
            name, statement, _ = body.split(b"\0", 2)
            writes[name] = any(word in statement for word in WRITES)
        elif kind == b"B":
            has_written |= writes.get(body.split(b"\0", 2)[1], False)
        elif kind == b"Q" and body.startswith(b"COMMIT"):
            if has_written and swallower._takes():
                is_cut.set()
                server.sendall(kind + length + body)
                return
            has_written = False
        elif kind == b"Q" and body.startswith(b"ROLLBACK"):
            has_written = False
        server.sendall(kind + length + body)


@contextmanager
def swallowing(url: str, folder: Path) -> Iterator[Swallower]:
    """Run a proxy before the server of a URL; its socket stands in a folder with a short path."""
    behind = make_url(url).query["host"]
    proxied = make_url(url).update_query_dict({"host": str(folder)})
    swallower = Swallower(
        f"postgresql+psycopg://{proxied.username}@/{proxied.database}?host={quote(str(folder), safe='')}",
        f"{behind}/{SOCKET}",
    )
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / SOCKET))
        door.listen(64)

        def welcome() -> None:
            with suppress(OSError):
                while True:
                    client, _ = door.accept()
                    threading.Thread(target=swallower.serve, args=(client,), daemon=True).start()

        welcoming = threading.Thread(target=welcome, daemon=True)
        welcoming.start()
        yield swallower
        door.shutdown(socket.SHUT_RDWR)
    welcoming.join()
