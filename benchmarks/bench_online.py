"""Match one record against many stored ones: how long, and what is found; without HTTP, the candidates' read included.

    python benchmarks/b2b/generate.py --records 1000000 --seed 1 --out /tmp/b2b
    python benchmarks/bench_online.py --set /tmp/b2b

Some records are held out and then looked for: the golden record of their true cluster should come first. The hub works
by a model that has learnt what is common among the records, as `mdm model train --identifiers` gives; by the declared
one with `--as-declared`.
"""

import argparse
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import psycopg
import pyarrow.parquet as pq
from fill_records import fields_of, fill_records, learnt
from harness import Line, cpu_s, hub_home, show
from sqlalchemy import text

from mdm.db.engine import conninfo
from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import reading
from mdm.entities.model import EntityType, Origin
from mdm.hub import Hub, open_hub
from mdm.resolution.model import Bounds, Sought
from mdm.resolution.search import search
from mdm.settings import Settings

SEED = 11
WARM_UP = 50
P50_MS, P99_MS = 5.0, 25.0


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, required=True, help="folder with records.parquet and truth.parquet")
    parser.add_argument("--rounds", type=int, default=1_000, help="records looked for")
    parser.add_argument("--home", type=Path, help="keep the hub here, and use what is there, under the same model")
    parser.add_argument("--as-declared", action="store_true", help="work by the declared model")
    asked = parser.parse_args()
    records, truth = asked.set / "records.parquet", asked.set / "truth.parquet"
    table, of = pq.read_table(records), pq.read_table(truth)
    cluster_by_id = dict(zip(of["id"].to_pylist(), of["cluster_id"].to_pylist(), strict=True))
    places = Random(SEED).sample(range(table.num_rows), min(asked.rounds + WARM_UP, table.num_rows // 2))
    rows = table.take(places).to_pylist()
    with ExitStack() as opened:
        home = asked.home or opened.enter_context(hub_home())
        settings = Settings(home=home, pool_size=1)
        url = opened.enter_context(hub_database(settings))
        upgrade(url)
        hub = opened.enter_context(open_hub(settings, url))
        entity_type = hub.entity_type("customer")
        if not asked.as_declared:
            started = time.perf_counter()
            entity_type = learnt(records, entity_type)
            print(f"learnt what is common in {time.perf_counter() - started:.0f} s")
        with psycopg.connect(conninfo(url)) as connection:
            (there,) = connection.execute("SELECT count(*) FROM source_record").fetchone() or (0,)
        if not there:
            started = time.perf_counter()
            there = fill_records(conninfo(url), records, truth, frozenset(row["id"] for row in rows), entity_type)
            print(f"filled {there:,} records in {time.perf_counter() - started:.0f} s")
        lines = measured(hub, entity_type, rows, cluster_by_id)
    show(f"Match one record against {there:,}", lines)


def measured(
    hub: Hub, entity_type: EntityType, rows: list[dict[str, Any]], cluster_by_id: dict[str, str]
) -> list[Line]:
    """Look for each record; the first few only warm up."""
    bounds = Bounds(hub.settings.locks_max, hub.settings.block_size_emergency, hub.settings.component_records_max)
    taken, right, none, wrong = [], 0, 0, 0
    with hub.engine.connect() as connection:
        session_id = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    own = server = 0.0
    for number, row in enumerate(rows):
        if number == WARM_UP:
            own, server = time.process_time(), cpu_s(session_id)
        started = time.perf_counter()
        with reading(hub.engine) as connection:
            found = search(connection, entity_type, Sought(fields_of(row), Origin(row["source"])), bounds=bounds)
        if number < WARM_UP:
            continue
        taken.append((time.perf_counter() - started) * 1e3)
        first = next(iter(found.candidates), None)
        right += first is not None and first.golden_id == f"cus_{cluster_by_id[row['id']]}"
        none += first is None
        wrong += first is not None and first.golden_id != f"cus_{cluster_by_id[row['id']]}"
    own, server = time.process_time() - own, cpu_s(session_id) - server
    taken.sort()
    return [
        Line("median", median(taken), "ms", P50_MS),
        Line("p99", taken[int(len(taken) * 0.99)], "ms", P99_MS),
        Line("processor time of the process", own / len(taken) * 1e3, "ms"),
        Line("processor time of the database", server / len(taken) * 1e3, "ms"),
        Line("the right one stands first", right / len(taken) * 100, "% of them"),
        Line("another one stands first, or it is not stored", wrong / len(taken) * 100, "% of them"),
        Line("nobody is found", none / len(taken) * 100, "% of them"),
    ]


if __name__ == "__main__":
    main()
