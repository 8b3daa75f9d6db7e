"""What one target's faults do to another: time from commit to receipt at a target that is well, beside one that is not.

The processes are those of `bench_latency.py`. For each fault a second webhook is added, both are told of a steady pace
of changes while both are well, then again while the second hangs, fails, drops what it was told or is not there.
The two spells of a fault stand next to each other, so that what else the machine does hits both alike.
"""

import argparse
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from bench_latency import HOOK, Receipts, Source, fill, send, share_of, wait_for, working
from harness import Line, hub_home, serving, show

from mdm.connectors.signatures import make_secret

GOLDEN, HANGS_S, CHANGE_MAX = 400, 60.0, 1.10
_Answer = Callable[[BaseHTTPRequestHandler], None]


class Neighbour:
    """A webhook that does as it is told: well, or one of the faults; `told` counts what it took while it was well."""

    def __init__(self) -> None:
        """Listen on a free port of localhost, and be well."""
        self.fault = "well"
        self.told: list[None] = []
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
                    FAULTS[neighbour.fault](self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Give the address."""
        return f"http://127.0.0.1:{self.server.server_port}/"


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


FAULTS: Final[Mapping[str, _Answer]] = {
    "hangs": lambda _: time.sleep(HANGS_S),
    "answers 503": lambda request: _answer(request, 503),
    "answers 429": lambda request: _answer(request, 429, Retry_After="1"),
    "answers slowly": _dribble,
    "drops": _drop,
    "answers 10 MB of error": lambda request: _answer(request, 500, b"x" * 10_000_000),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-second", type=int, default=50, help="changes a second")
    parser.add_argument("--seconds", type=int, default=20, help="for how long each spell lasts")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="this one alone")
    asked = parser.parse_args()
    os.environ |= {"MDM_SECRET_HOOK": make_secret(), "MDM_OUTGOING_NETWORKS": "127.0.0.0/8"}
    receipts = Receipts()
    spells: dict[str, tuple[list[float], list[float]]] = {}
    with hub_home() as home, serving(home) as (_, address, token), working(home):
        source = Source(address, token)
        fill(source, GOLDEN)
        _subscribe(source, "well", receipts.url)
        wait_for(receipts.first, GOLDEN)
        change = 0
        for fault in [asked.fault] if asked.fault else FAULTS:
            neighbour = Neighbour()
            _subscribe(source, "ill", neighbour.url)
            wait_for(neighbour.told, GOLDEN)
            found: list[list[float]] = []
            for now in ("well", fault):
                neighbour.fault = now
                count = asked.per_second * asked.seconds
                _, committed = send(source, GOLDEN, range(change, change + count), asked.per_second)
                change += count
                wait_for(receipts.came, change)
                found.append(sorted((receipts.came[one] - at) * 1e3 for one, at in committed.items()))
            spells[fault] = (found[0], found[1])
            source.ask("DELETE", "/v1/targets/ill", None)
            neighbour.server.shutdown()
    lines = []
    for fault, (before, during) in spells.items():
        lines += [
            Line("p99 while both are well", share_of(before, 0.99), "ms"),
            Line(f"p99 while the other {fault}", share_of(during, 0.99), "ms"),
        ]
    together = [sorted(one for spell in spells.values() for one in spell[place]) for place in (0, 1)]
    ratio = share_of(together[1], 0.99) / share_of(together[0], 0.99)
    show(
        f"Beside a target that fails; {asked.per_second} changes a second, spells of {asked.seconds} s",
        [*lines, Line("p99 beside a fault, of that without", ratio, "times", CHANGE_MAX)],
    )


def _subscribe(source: Source, name: str, url: str) -> None:
    hook = HOOK | {"target": name, "connection": {"url": url, "secret": "MDM_SECRET_HOOK"}}
    source.ask("PUT", f"/v1/targets/{name}", hook)


if __name__ == "__main__":
    main()
