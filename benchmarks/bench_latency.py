"""From a change in a source to its receipt at a target, at a steady pace, with the processes an installation has.

A server answers HTTP, a worker beside it runs the relays, PostgreSQL is embedded; a source sends each change by itself
as it falls due, and a receiver on localhost notes when each signed message came. Time counts from when a change was
due, so that a sender held up by a slow server counts too. The first changes warm up and do not count. Of ten changes
nine are of what matching does not read, as most changes in a CRM are, and one is a new phone number. Run as a script.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from fill import customer_fields
from harness import MDM, Line, cpu_s, hub_home, postgres_s, serving, show

from mdm.connectors.signatures import make_secret

SOURCE, SENDERS, BATCH = "salesforce-us", 16, 250
IDLE_S_MAX = 3.0  # the server closes a connection that was idle for five seconds
WARM_UP_S, LATE_S_MAX = 5, 60
P50_MS_MAX, P99_MS_MAX = 100.0, 500.0
HOOK = {
    "title": "Hook",
    "kind": "webhook",
    "rate": {"per_second": 10_000, "burst": 10_000},
    "events": {"entities": ["customer"], "payload": "full"},
}


class Receipts:
    """A receiver of messages; `came` says when the message of each change was read, `first` what else there was."""

    def __init__(self) -> None:
        """Listen on a free port of localhost."""
        self.came: dict[int, float] = {}
        self.first: set[str] = set()
        receipts = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                offices = told["data"]["values"].get("own_legal_entity", ())
                for office in offices:
                    receipts.came.setdefault(int(office.split()[1]), time.perf_counter())
                if not offices:
                    receipts.first.add(told["data"]["golden_id"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Give the address."""
        return f"http://127.0.0.1:{self.server.server_port}/"


class Source:
    """A source on the connections of its threads; each of them sends one change after the other."""

    def __init__(self, address: str, token: str) -> None:
        """Know where the hub answers."""
        self._address = address
        self.is_once = False  # whether each request bears an Idempotency-Key
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._own = threading.local()

    def ask(self, method: str, path: str, body: Any) -> Any:
        """Send one request on this thread's connection and give the JSON of its answer."""
        if not hasattr(self._own, "connection"):
            self._own.connection, self._own.used_at = HTTPConnection(self._address, timeout=300), 0.0
        connection: HTTPConnection = self._own.connection
        if time.monotonic() - self._own.used_at > IDLE_S_MAX:
            connection.close()  # it is opened again with the next request
        self._own.used_at = time.monotonic()
        own = {"Idempotency-Key": uuid4().hex} if method == "POST" and self.is_once else {}
        connection.request(method, path, None if body is None else json.dumps(body), self._headers | own)
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status < 300, told
        return json.loads(told) if told else None

    def deliver(self, records: Sequence[dict[str, Any]]) -> float:
        """Deliver records and say when the hub had committed them."""
        told = self.ask("POST", "/v1/source-records", {"records": records})
        at = time.perf_counter()
        refused = [one for one in told["results"] if one["status"] not in {"created", "updated"}]
        assert not refused, refused[:3]
        return at


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=int, default=2_000, help="golden records of which one changes at a time")
    parser.add_argument("--per-second", type=int, default=100, help="changes a second")
    parser.add_argument("--seconds", type=int, default=30, help="for how long, after the warming up")
    parser.add_argument("--once", action="store_true", help="send an Idempotency-Key with each change")
    asked = parser.parse_args()
    os.environ |= {"MDM_SECRET_HOOK": make_secret(), "MDM_OUTGOING_NETWORKS": "127.0.0.0/8"}
    receipts = Receipts()
    with hub_home() as home, serving(home) as (server, address, token), working(home) as worker:
        source = Source(address, token)
        fill(source, asked.golden)
        hook = HOOK | {"target": "hook", "connection": {"url": receipts.url, "secret": "MDM_SECRET_HOOK"}}
        source.ask("PUT", "/v1/targets/hook", hook)
        wait_for(receipts.first, asked.golden)  # a new target is told the present state of everything
        source.is_once = asked.once
        count = (WARM_UP_S + asked.seconds) * asked.per_second
        before = spent(server, worker, home)
        due, committed = send(source, asked.golden, range(count), asked.per_second)
        wait_for(receipts.came, count)
        taken = [now - was for now, was in zip(spent(server, worker, home), before, strict=True)]
    counted = range(WARM_UP_S * asked.per_second, count)
    took = sorted((receipts.came[change] - due[change]) * 1e3 for change in counted)
    after = sorted((receipts.came[change] - committed[change]) * 1e3 for change in counted)
    sent_in = max(committed.values()) - min(due.values())
    show(
        f"Latency; {len(took):,} changes of {asked.golden:,} golden records, each sent by itself",
        [
            Line("changes committed", count / sent_in, "/s", asked.per_second * 0.98, at_most=False),
            Line("from change due to receipt, p50", share_of(took, 0.5), "ms", P50_MS_MAX),
            Line("from change due to receipt, p95", share_of(took, 0.95), "ms"),
            Line("from change due to receipt, p99", share_of(took, 0.99), "ms", P99_MS_MAX),
            Line("from committed to receipt, p50", share_of(after, 0.5), "ms"),
            Line("from committed to receipt, p95", share_of(after, 0.95), "ms"),
            Line("from committed to receipt, p99", share_of(after, 0.99), "ms"),
            *(
                Line(f"processor time of {name} a change", seconds / count * 1e3, "ms")
                for name, seconds in zip(("the server", "the worker", "PostgreSQL", "this script"), taken, strict=True)
            ),
        ],
    )


def spent(server: subprocess.Popen[str], worker: subprocess.Popen[str], home: Path) -> tuple[float, ...]:
    """Read the seconds of processor time of server, worker, PostgreSQL, and of whoever sends and receives here."""
    return cpu_s(server.pid), cpu_s(worker.pid), postgres_s(home), time.process_time()


@contextmanager
def working(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `mdm worker` on a hub that is being served."""
    with (home.parent / "worked.txt").open("w", encoding="utf-8") as file:
        worker = subprocess.Popen(
            [*MDM, "worker"], env={**os.environ, "MDM_HOME": str(home)}, stderr=file, stdout=file, text=True
        )
    try:
        yield worker
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)


def fill(source: Source, golden: int) -> None:
    """Deliver as many companies as there are to be golden records."""
    source.ask("POST", "/v1/sources", {"id": SOURCE, "system": "salesforce", "title": "CRM"})
    for start in range(0, golden, BATCH):
        source.deliver([record(number, None) for number in range(start, min(start + BATCH, golden))])


def record(number: int, change: int | None) -> dict[str, Any]:
    """Say what a company is after a change: its office is another one then, and every tenth company's phone."""
    fields: dict[str, Any] = customer_fields(SOURCE, number)
    if change is not None:
        fields["Subsidiary"] = f"Office {change}"
        if number % 10 == 0:
            fields["Phone"] = f"+1 415 {200 + change // 10_000 % 700} {change % 10_000:04d}"
    key = {"source": SOURCE, "object": "Account", "source_key": str(number)}
    return {"entity_type": "customer", **key, "fields": fields}


def send(
    source: Source, golden: int, changes: Sequence[int], per_second: int
) -> tuple[dict[int, float], dict[int, float]]:
    """Send changes at the pace; give when each was due, and when the hub said that it had taken it."""
    committed: dict[int, float] = {}
    begun = time.perf_counter() + 0.5
    due = {change: begun + place / per_second for place, change in enumerate(changes)}

    def tell(change: int) -> None:
        committed[change] = source.deliver([record(change % golden, change)])

    with ThreadPoolExecutor(SENDERS) as senders:
        futures = []
        for change in changes:
            time.sleep(max(0.0, due[change] - time.perf_counter()))
            futures.append(senders.submit(tell, change))
        for future in futures:
            future.result()
    return due, committed


def wait_for(received: Collection[Any], count: int) -> None:
    """Wait until so many messages were received."""
    until = time.monotonic() + LATE_S_MAX
    while len(received) < count:
        if time.monotonic() > until:
            raise SystemExit(f"{count - len(received):,} of {count:,} messages were not received")
        time.sleep(0.1)


def share_of(values: Sequence[float], share: float) -> float:
    """Give the value that a share of sorted values does not exceed."""
    return statistics.median(values) if share == 0.5 else values[min(len(values), round(len(values) * share)) - 1]


if __name__ == "__main__":
    main()
