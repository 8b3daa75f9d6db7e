"""The hot reads on a real server with a real PostgreSQL: processor time of the server process for each request.

The whole path counts: key check, scope, request id, metrics, log line. A constant answer from the same web server, in
the same run, is the floor below which no request can go: ratios to it hold on any machine, microseconds on a calm one.
"""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from harness import Line, answers, cpu_s, hub_home, serving, show, takes_no_options

CONNECTIONS = 8  # as many callers as keep one process busy
REQUESTS, BULK_REQUESTS, ROUNDS = 4_000, 40, 3
COMPANIES = 500
SOURCES = ("salesforce-us", "netsuite-us")


async def constant(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer a constant: the floor, started by `uvicorn bench_look_up:constant`."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"answer":"one"}'})


def deliver(address: str, token: str) -> list[dict[str, str]]:
    """Deliver companies from two systems; give their keys, 1,000 in all."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for source in SOURCES:
        body = {"id": source, "system": source.partition("-")[0], "title": source}
        ask(address, "POST", "/v1/sources", headers, json.dumps(body))
    keys = []
    for number in range(COMPANIES):
        names = [f"{digit}" for digit in f"{number:03d}"]
        name = "".join(
            ("Alba", "Boro", "Cena", "Dilo", "Efra", "Gavi", "Hemo", "Iska", "Jaro", "Kelo")[int(d)] for d in names
        )
        keys.append((name, f"{number}"))
    for start in range(0, COMPANIES, 250):
        records = [
            {
                "entity_type": "customer",
                "source": source,
                "object": "account",
                "source_key": key,
                "fields": {"name": f"{name} Consulting Inc", "country": "US", "website": f"{name.lower()}.example"},
            }
            for name, key in keys[start : start + 250]
            for source in SOURCES
        ]
        ask(address, "POST", "/v1/source-records", headers, json.dumps({"records": records}))
    return [{"source": source, "source_key": key} for _, key in keys for source in SOURCES]


def ask(address: str, method: str, path: str, headers: dict[str, str], body: str) -> Any:
    """Send one request and give the JSON of its answer."""
    connection = HTTPConnection(address, timeout=300)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    told = answer.read()
    assert answer.status == 200, told
    return json.loads(told)


def server_us(process_id: int, address: str, request: bytes, times: int) -> float:
    """Send one request again and again over several connections; give the server's processor microseconds for each."""
    host, port = address.split(":")
    connections = [socket.create_connection((host, int(port))) for _ in range(CONNECTIONS)]
    told = [_answers(connection) for connection in connections]
    try:
        _turns(connections, told, request, 20)
        before = cpu_s(process_id)
        turns = times // CONNECTIONS
        _turns(connections, told, request, turns)
        return (cpu_s(process_id) - before) / (turns * CONNECTIONS) * 1e6
    finally:
        for connection in connections:
            connection.close()


def _turns(connections: list[socket.socket], told: list[Iterator[bytes]], request: bytes, turns: int) -> None:
    """Let every connection ask, then read all answers: as many requests are under way as there are connections."""
    for _ in range(turns):
        for connection in connections:
            connection.sendall(request)
        for answer in told:
            next(answer)


def _answers(connection: socket.socket) -> Iterator[bytes]:
    """Read answers off a connection that is kept alive; each must be a 200 with a length."""
    held = b""
    while True:
        while b"\r\n\r\n" not in held:
            held += connection.recv(1 << 20)
        head, _, rest = held.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), held[:500]
        found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        length = int(found[1]) if found else None
        if length is None:  # chunked: the constant answer names no length
            while not rest.endswith(b"0\r\n\r\n"):
                rest += connection.recv(1 << 20)
            length = len(rest)
        while len(rest) < length:
            rest += connection.recv(1 << 20)
        yield rest[:length]
        held = rest[length:]


@contextmanager
def floor() -> Iterator[tuple[int, str]]:
    """Run the constant answer on the same web server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "bench_look_up:constant", "--port", str(port), "--no-access-log"]
    server = subprocess.Popen([*command, "--log-level", "error"], cwd=Path(__file__).parent)
    try:
        while not answers(address):
            time.sleep(0.05)
        yield server.pid, address
    finally:
        server.terminate()
        server.wait()


def best(measure: Callable[[], float]) -> float:
    """Give the smallest of some rounds: what disturbs a round only adds to it."""
    return min(measure() for _ in range(ROUNDS))


def main() -> None:
    """Measure and print."""
    takes_no_options(__doc__)
    with hub_home() as home, serving(home) as (server, address, token), floor() as (floor_pid, floor_address):
        keys = deliver(address, token)
        headers = {"Authorization": f"Bearer {token}"}
        golden_id = ask(address, "GET", "/v1/crosswalk?source=salesforce-us&source_key=7", headers, "")["golden_id"]

        def get(path: str) -> bytes:
            return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

        body = json.dumps({"keys": keys, "to": "netsuite-us"})
        bulk = (
            f"POST /v1/crosswalk:resolve HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        constant_us = best(lambda: server_us(floor_pid, floor_address, get("/"), REQUESTS))
        look_up = get("/v1/crosswalk?source=salesforce-us&source_key=7&to=netsuite-us")
        look_up_us = best(lambda: server_us(server.pid, address, look_up, REQUESTS))
        golden_us = best(lambda: server_us(server.pid, address, get(f"/v1/golden-records/{golden_id}"), REQUESTS))
        bulk_us = best(lambda: server_us(server.pid, address, bulk, BULK_REQUESTS)) / len(keys)
    show(
        "Hot reads, processor time of the server",
        [
            Line("constant answer: the floor", constant_us, "µs"),
            Line("look-up of one key", look_up_us, "µs", 250),
            Line("look-up of one key, times the floor", look_up_us / constant_us, "times"),
            Line("golden record by id", golden_us, "µs"),
            Line("golden record by id, times the floor", golden_us / constant_us, "times"),
            Line(f"bulk look-up, {len(keys):,} keys a call", bulk_us, "µs a key", 20),
        ],
    )


if __name__ == "__main__":
    main()
