"""Processor time of a record, of every process that works on it: one by one over HTTP, in batches of 100, from files.

Changes one by one are those of `bench_latency.py`. Batches hold the demo firm, all types, matched and merged for the
first time. Files hold the customers of two systems, which meet pair by pair; `mdm load` is started once for each file,
and its start counts. A record that costs 10 ms in all leaves room for 200 a second on two processors.
"""

import argparse
import csv
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_latency import SOURCE, Source, fill, record
from fill import SOURCES, customer_fields
from harness import MDM, Line, cpu_s, hub_home, postgres_s, serving, show

from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.demo.firm import build_firm
from mdm.demo.model import DemoFirm
from mdm.settings import Settings

BATCH, WARM_UP = 100, 50
SERVER_MS_MAX, ALL_MS_MAX, RECORDS_S_MIN = 6.0, 10.0, 200.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What some records took: seconds of the clock, and of the processors by process."""

    records: int
    wall_s: float
    python_s: float
    postgres_s: float

    def lines(self, name: str, *, program: str) -> list[Line]:
        """Tell it for each record."""
        of_each = 1e3 / self.records
        return [
            Line(f"{name}: records", self.records / self.wall_s, "/s", RECORDS_S_MIN, at_most=False),
            Line(f"{name}: {program}", self.python_s * of_each, "ms a record"),
            Line(f"{name}: PostgreSQL", self.postgres_s * of_each, "ms a record"),
            Line(f"{name}: in all", (self.python_s + self.postgres_s) * of_each, "ms a record", ALL_MS_MAX),
        ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.25, help="size of the demo firm; 1 is about 4,000 records")
    parser.add_argument("--changes", type=int, default=500, help="changes that are sent one by one")
    parser.add_argument("--rows", type=int, default=4_000, help="rows of the two files that are loaded")
    asked = parser.parse_args()
    firm = build_firm(seed=7, scale=asked.scale)
    single = measured_over_http(lambda source: fill(source, asked.changes), changes(asked.changes))
    batches = measured_over_http(lambda source: register(source, firm), in_batches(firm))
    lines = single.lines("one by one over HTTP", program="server")
    lines[0] = Line("one by one over HTTP, one sender: records", lines[0].value, "/s")
    lines[1] = Line(lines[1].name, lines[1].value, lines[1].unit, SERVER_MS_MAX)
    lines += batches.lines(f"batches of {BATCH} over HTTP", program="server")
    lines += loaded(asked.rows).lines("mdm load", program="mdm load, twice started")
    show(
        f"Ingest; {asked.changes:,} changes, the demo firm's {len(firm.records):,} records, {asked.rows:,} rows", lines
    )


def measured_over_http(prepare: Callable[[Source], None], requests: Sequence[Sequence[dict[str, Any]]]) -> Spent:
    """Send requests of records on one connection to a server of its own."""
    with hub_home() as home, serving(home) as (server, address, token):
        source = Source(address, token)
        prepare(source)
        before = cpu_s(server.pid), postgres_s(home)
        begun = time.perf_counter()
        for records in requests:
            source.ask("POST", "/v1/source-records", {"records": records})
        wall = time.perf_counter() - begun
        after = cpu_s(server.pid), postgres_s(home)
    return Spent(sum(map(len, requests)), wall, after[0] - before[0], after[1] - before[1])


def changes(count: int) -> list[list[dict[str, Any]]]:
    """Change every company once, each by itself."""
    return [[record(number, number)] for number in range(count)]


def register(source: Source, firm: DemoFirm) -> None:
    """Register the systems of the firm, and let the server have met every route and type."""
    source.ask("POST", "/v1/sources", {"id": SOURCE + "-warm", "system": "salesforce", "title": "Warm"})
    for one in firm.instances:
        body = {"id": one.id, "system": one.system, "title": one.title, "rank": one.rank}
        source.ask("POST", "/v1/sources", body)
    warm = [{**record(number, None), "source": SOURCE + "-warm"} for number in range(WARM_UP)]
    source.ask("POST", "/v1/source-records", {"records": warm})


def in_batches(firm: DemoFirm) -> list[list[dict[str, Any]]]:
    """Write the records of the firm as its systems would send them."""
    told = [
        {
            "entity_type": one.entity_type,
            "source": one.instance,
            "object": one.object,
            "scope": one.scope,
            "source_key": one.native_id,
            "fields": dict(one.fields),
            "source_time": one.source_time.isoformat(),
        }
        for one in firm.records
    ]
    return [told[start : start + BATCH] for start in range(0, len(told), BATCH)]


def loaded(count: int) -> Spent:
    """Load a file of each of two systems by `mdm load`, into the server that this process owns."""
    with hub_home() as home, hub_database(Settings(home=home)) as url:
        upgrade(url)
        paths = [write_customers(home, source, count // 2) for source, _ in SOURCES]
        before, begun = postgres_s(home), time.perf_counter()
        with children_s() as spent:
            for path, (source, kind) in zip(paths, SOURCES, strict=True):
                asked = ["load", str(path), "--source", source, "--object", kind, "--entity", "customer"]
                asked += ["--create-source", source.partition("-")[0]]
                environment = {**os.environ, "MDM_HOME": str(home)}
                subprocess.run([*MDM, *asked], env=environment, check=True, capture_output=True)
        wall = time.perf_counter() - begun
        return Spent(count // 2 * len(SOURCES), wall, spent[0], postgres_s(home) - before)


def write_customers(home: Path, source: str, count: int) -> Path:
    """Write a system's export: each of its customers is in the other one too."""
    path = home / f"{source}.csv"
    rows = [{"id": str(number), **customer_fields(source, number)} for number in range(count)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@contextmanager
def children_s() -> Iterator[list[float]]:
    """Tell the seconds of processor time that the processes took that began and ended within a `with` block."""
    before = os.times()
    spent: list[float] = []
    yield spent
    after = os.times()
    spent.append(after.children_user + after.children_system - before.children_user - before.children_system)


if __name__ == "__main__":
    main()
