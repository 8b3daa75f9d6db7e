"""Delivery with a million messages waiting: how long a claim takes, how many go out a second, what it costs to count.

    python benchmarks/bench_delivery.py --lanes 2000 --told 1000   # a quick look

The golden records are rows of one shape, each with several versions that a target of messages was not told of; the
target takes everything and does nothing. Memory is that of a process of its own, in which two relays run.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from secrets import token_hex

from harness import Line, hub_home, show
from sqlalchemy import text

from mdm import clock
from mdm.connectors.model import Failure, Message, Receipt
from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import run, transaction
from mdm.delivery import lanes_store
from mdm.delivery.declaration import declaration_of
from mdm.delivery.model import Declaration
from mdm.delivery.orders_store import select_depths
from mdm.delivery.relay import EVENT_LANES_MAX, relay_to_sink
from mdm.delivery.targets import apply_declaration
from mdm.hub import Hub, open_hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register

CLAIM_MS_MAX, RATE_MIN, MEMORY_MB_MAX, DEPTH_MS_MAX = 50.0, 5_000.0, 200.0, 250.0
CONTENT = {
    "target": "void",
    "title": "Void",
    "kind": "nats",
    "connection": {"servers": "127.0.0.1:4222"},  # never opened: `_Void` takes the messages
    "rate": {"per_second": 100_000.0, "burst": 100_000.0},
    "events": {"entities": ["customer"]},
}

_FILL = """
INSERT INTO golden_record (id, entity_type, state, version, is_acknowledged, recorded_at, who)
SELECT 'cus_' || lpad(CAST(n AS text), 26, '0'), 'customer', 'active', :versions, true, now(), 'bench'
  FROM generate_series(1, :lanes) AS n;
INSERT INTO golden_version (golden_id, version, state, values, lineage, completeness, held, checksum, rules_version,
                            event_id, recorded_from, recorded_to, who)
SELECT g.id, v, 'active', t.values, t.lineage, t.completeness, '[]', decode(md5(g.id || v), 'hex'), t.rules_version,
       t.event_id, now(), CASE WHEN v < :versions THEN now() END, 'bench'
  FROM golden_record g CROSS JOIN generate_series(1, :versions) AS v
 CROSS JOIN (SELECT * FROM golden_version LIMIT 1) AS t WHERE g.who = 'bench';
INSERT INTO event (xid, kind, entity_type, golden_id, version, details, recorded_at, who)
SELECT pg_current_xact_id(), 'golden_record.changed', 'customer', golden_id, version, '{}', now(), 'bench'
  FROM golden_version WHERE who = 'bench';
INSERT INTO outbox_message (target_id, golden_id, version, recorded_at, who)
SELECT 'void', golden_id, version, now(), 'bench' FROM golden_version WHERE who = 'bench';
INSERT INTO delivery_lane (target_id, golden_id, head, recorded_at, who)
SELECT 'void', id, :versions, now(), 'bench' FROM golden_record WHERE who = 'bench';
"""


class _Void:
    """A place that takes every message and does nothing with it."""

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt | Failure]:
        """Acknowledge all."""
        return [Receipt(one.id) for one in messages]

    def close(self) -> None:
        """Do nothing."""


def main() -> None:
    """Measure and print."""
    asked = _asked()
    with hub_home() as home:
        settings = Settings(home=home, pool_size=6)
        with hub_database(settings) as url:
            upgrade(url)
            with open_hub(settings, url) as hub:
                declaration = _fill(hub, asked.lanes, asked.versions)
                lines = [*_counts(hub), *_claims(hub, declaration), *_relays(settings, url, asked)]
    waiting = asked.lanes * asked.versions
    show(f"Delivery; {waiting:,} messages of {asked.lanes:,} golden records wait", lines)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lanes", type=int, default=200_000, help="golden records that wait")
    parser.add_argument("--versions", type=int, default=5, help="of each, every one a message")
    parser.add_argument("--told", type=int, default=100_000, help="messages that the relays tell")
    asked = parser.parse_args()
    if min(asked.lanes, asked.versions) < 1 or not 2 * asked.versions <= asked.told <= asked.lanes * asked.versions:
        parser.error("each of the two relays tells a golden record at least, and no more are told than wait")
    return asked


def _fill(hub: Hub, lanes: int, versions: int) -> Declaration:
    declaration = declaration_of(CONTENT)
    with transaction(hub.engine) as connection:
        register(connection, SourceInstance("crm-a", "crm", "A"), who="bench")
        apply_declaration(connection, declaration, CONTENT, who="bench")
    sent = Delivery(SourceKey("crm-a", "Account", "", "1"), "customer", {"legal_name": "Acme Ltd", "city": "Leeds"})
    deliver(hub, [sent], who="somebody")
    for statement in filter(str.strip, _FILL.split(";")):
        with transaction(hub.engine) as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(statement), {"lanes": lanes, "versions": versions})
    with hub.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    return declaration


def _counts(hub: Hub) -> list[Line]:
    milliseconds = []
    for _ in range(5):
        begun = time.perf_counter()
        run(hub.engine, select_depths)
        milliseconds.append((time.perf_counter() - begun) * 1_000)
    return [Line("count what waits", statistics.median(milliseconds), "ms", DEPTH_MS_MAX)]


def _claims(hub: Hub, declaration: Declaration) -> list[Line]:
    """Lease and give back, so that everything waits still; each in a transaction of its own."""
    milliseconds = []
    for _ in range(200):
        begun = time.perf_counter()
        with transaction(hub.engine) as connection:
            now = clock.instant(connection)
            lanes = lanes_store.lease(
                connection,
                declaration.id,
                token=token_hex(8),
                now=now,
                until=now + timedelta(minutes=2),
                limit=EVENT_LANES_MAX,
            )
        milliseconds.append((time.perf_counter() - begun) * 1_000)
        with transaction(hub.engine) as connection:
            lanes_store.give_back(connection, lanes, due_at=now - timedelta(seconds=1))
    worst = sorted(milliseconds)[int(len(milliseconds) * 0.99) - 1]
    return [
        Line("claim a turn of lanes, median", statistics.median(milliseconds), "ms"),
        Line("claim a turn of lanes, p99", worst, "ms", CLAIM_MS_MAX),
    ]


def _relays(settings: Settings, url: str, asked: argparse.Namespace) -> list[Line]:
    """Let a process with two relays tell a good part of it, one that has done nothing else."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        told, seconds, cpu_s, memory = pool.submit(_relay, settings, url, asked).result()
    return [
        Line("messages told", told / seconds, "/s", RATE_MIN, at_most=False),
        Line("processor time of the relays a message", cpu_s / told * 1e6, "us"),
        Line("memory of the relay", memory, "MB", MEMORY_MB_MAX),
    ]


def _relay(settings: Settings, url: str, asked: argparse.Namespace) -> tuple[int, float, float, float]:
    """Return messages told, wall and processor seconds, and the most megabytes that the process had."""
    lanes, declaration = asked.told // asked.versions, declaration_of(CONTENT)
    with open_hub(settings, url) as hub:
        begun, cpu = time.perf_counter(), time.process_time()

        def tell(_: int) -> int:
            relay, done = relay_to_sink(hub, declaration, _Void()), 0
            # A turn takes many: where few wait, the other relay may have had them all.
            while done < lanes // 2 and (settled := relay.turn()):
                done += settled
            return done

        with ThreadPoolExecutor(2) as pool:
            told = sum(pool.map(tell, range(2))) * asked.versions
        seconds = time.perf_counter() - begun
        # What `getrusage` says would be what the process had that started this one.
        told_of_itself = Path("/proc/self/status").read_text(encoding="ascii")
        memory_kb = int(told_of_itself.partition("VmHWM:")[2].split()[0])
        return told, seconds, time.process_time() - cpu, memory_kb / 1_024


if __name__ == "__main__":
    main()
