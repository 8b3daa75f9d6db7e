"""From a change in a source to its receipt at a target, at a steady pace: each change delivered by itself, and signed.

Writers take turns so that a change is sent every hundredth of a second; a relay runs beside them as `mdm worker` runs
it, and a receiver on localhost notes when each message came. The first changes warm up and do not count.
"""

import json
import os
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import Line, hub_home, show

from mdm.connectors.signatures import make_secret
from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import run, transaction
from mdm.delivery.relays import keep_relays
from mdm.delivery.targets import apply_declaration, read_target
from mdm.hub import Hub, open_hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register

RECORDS, PER_SECOND, SECONDS, WARM_UP = 2_000, 100, 30, 300
P50_MS_MAX, P99_MS_MAX = 100.0, 500.0
HOOK = """
target: hook
title: Hook
kind: webhook
connection: {{url: '{url}', secret: MDM_SECRET_HOOK}}
rate: {{per_second: 10000}}
events: {{entities: [customer], payload: full}}
"""


class _Receipts:
    """When the message of each record and change came."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        receipts = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receipts.came.setdefault(told["data"]["values"].get("website", ""), time.perf_counter())
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


def main() -> None:
    """Measure and print."""
    os.environ["MDM_SECRET_HOOK"] = make_secret()
    receipts = _Receipts()
    with hub_home() as home:
        settings = Settings(home=home, pool_size=12, outgoing_networks="127.0.0.0/8")
        with hub_database(settings) as url:
            upgrade(url)
            with open_hub(settings, url) as hub:
                _fill(hub)
                _subscribe(hub, receipts.url)
                stop = threading.Event()
                relays = threading.Thread(target=keep_relays, args=(hub, stop))
                relays.start()
                sent = _send(hub)
                _wait_for(receipts, sent)
                stop.set()
                relays.join()
    took = sorted((receipts.came[name] - at) * 1e3 for name, at in list(sent.items())[WARM_UP:])
    pace = (len(sent) - 1) / (max(sent.values()) - min(sent.values()))
    show(
        f"Latency; {len(took):,} changes of {RECORDS:,} golden records",
        [
            Line("changes sent", pace, "/s", PER_SECOND * 0.98, at_most=False),
            Line("from change to receipt, median", statistics.median(took), "ms", P50_MS_MAX),
            Line("from change to receipt, p99", took[int(len(took) * 0.99) - 1], "ms", P99_MS_MAX),
        ],
    )


def _record(number: int, change: int) -> Delivery:
    fields = {
        "Name": f"Firm {number:x} of {number * 7919:x}",
        "BillingCity": f"Town {number}",
        "BillingCountry": "DE",
        "Website": f"firm{number}x{change}.example.com",
    }
    return Delivery(SourceKey("salesforce-us", "Account", "", str(number)), "customer", fields)


def _fill(hub: Hub) -> None:
    with transaction(hub.engine) as connection:
        register(connection, SourceInstance("salesforce-us", "salesforce", "CRM"), who="bench")
    for start in range(0, RECORDS, 500):
        deliver(hub, [_record(number, 0) for number in range(start, start + 500)], who="bench")


def _subscribe(hub: Hub, url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hook.yaml"
        file.write_text(HOOK.format(url=url), encoding="utf-8")
        declaration, content = read_target(hub, file)
    run(hub.engine, lambda connection: apply_declaration(connection, declaration, content, who="bench"))


def _send(hub: Hub) -> dict[str, float]:
    """Send changes at the pace, each on a thread of its own; give when each was sent, by its website."""
    sent: dict[str, float] = {}
    begun = time.perf_counter()
    with ThreadPoolExecutor(8) as writers:
        for change in range(1, PER_SECOND * SECONDS + 1):
            time.sleep(max(0.0, begun + change / PER_SECOND - time.perf_counter()))
            one = _record(change % RECORDS, change)
            sent[str(one.fields["Website"])] = time.perf_counter()
            writers.submit(deliver, hub, [one], who="bench")
    return sent


def _wait_for(receipts: _Receipts, sent: dict[str, float]) -> None:
    until = time.monotonic() + 120
    while not sent.keys() <= receipts.came.keys():
        if time.monotonic() > until:
            raise SystemExit(f"{len(sent.keys() - receipts.came.keys())} changes never came")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
