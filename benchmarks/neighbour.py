"""A webhook that does as it is told: well, or one of the faults of the matrix that could harm its neighbours."""

import socket
import ssl
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from mdm.demo.fakes.certificate import write_certificate

HANGS_S: Final = 60.0  # longer than any call waits
_Answer = Callable[[BaseHTTPRequestHandler], None]


class Quiet(ThreadingHTTPServer):
    """A server whose clients may break off, and may not believe it, without a word."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: what the client makes of it is what is measured."""


class Neighbour:
    """A webhook on localhost; `told` counts what it took while it was well, `struck` what met its fault."""

    def __init__(self) -> None:
        """Listen on two free ports, of which one shows a certificate that nobody trusts, and be well."""
        self.fault = "well"
        self.told: list[None] = []
        self.struck = 0
        neighbour = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if neighbour.fault == "well":
                    neighbour.told.append(None)
                    _answer(self, 204)
                else:
                    neighbour.struck += 1
                    ANSWERS[neighbour.fault](self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._plain, self._secure = Quiet(("127.0.0.1", 0), Answers), Quiet(("127.0.0.1", 0), Answers)
        # The handshake belongs to the thread of its connection: one client that breaks it off holds up no other.
        self._secure.socket = _self_signed().wrap_socket(
            self._secure.socket, server_side=True, do_handshake_on_connect=False
        )
        for server in (self._plain, self._secure):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def url(self, fault: str = "well") -> str:
        """Give the address under which it is that way."""
        if fault == "unknown name":
            return "https://nowhere.invalid/"
        if fault == "untrusted certificate":
            return f"https://127.0.0.1:{self._secure.server_port}/"
        return f"http://127.0.0.1:{self._plain.server_port}/"

    def close(self) -> None:
        """Stop listening."""
        for server in (self._plain, self._secure):
            server.shutdown()
            server.server_close()


def _self_signed() -> ssl.SSLContext:
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        write_certificate(certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def _answer(request: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _drop(request: BaseHTTPRequestHandler) -> None:
    """Reset the connection after the request was read."""
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.close_connection = True


def _dribble(request: BaseHTTPRequestHandler) -> None:
    """Answer a byte every half second."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    for _ in range(100):
        request.wfile.write(b".")
        request.wfile.flush()
        time.sleep(0.5)


ANSWERS: Final[Mapping[str, _Answer]] = {
    "hang": lambda _: time.sleep(HANGS_S),
    "slow body": _dribble,
    "10 MB of error": lambda request: _answer(request, 500, b"x" * 10_000_000),
    "429": lambda request: _answer(request, 429, Retry_After="1"),
    "500": lambda request: _answer(request, 500),
    "503": lambda request: _answer(request, 503),
    "drop": _drop,
}
ELSEWHERE: Final = ("untrusted certificate", "unknown name")
"""Faults of the address: nothing comes as far as the webhook."""
FAULTS: Final = (*ANSWERS, *ELSEWHERE)
