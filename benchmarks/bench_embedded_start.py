"""The embedded PostgreSQL: its first start, which makes the database's files, then starts and stops of an existing hub.

A stop is a clean shutdown with its checkpoint. The hub holds its tables, and one change is written between any two.
"""

import time
from pathlib import Path
from statistics import median

import psycopg
from harness import Line, hub_home, show, takes_no_options

from mdm.db.embedded import embedded_server
from mdm.db.engine import conninfo
from mdm.db.migrate import upgrade

STARTS = 20


def once(home: Path, *, migrated: bool = True) -> tuple[float, float]:
    """Start the server of a home, write one row and stop it: milliseconds to its first connection, and of its stop."""
    begun = time.perf_counter()
    with embedded_server(home) as url:
        with psycopg.connect(conninfo(url), autocommit=True) as connection:
            ready = time.perf_counter()
            connection.execute("CREATE TABLE IF NOT EXISTS start (at timestamptz)")
            connection.execute("INSERT INTO start VALUES (now())")
        if not migrated:
            upgrade(url)
        done = time.perf_counter()
    return (ready - begun) * 1_000, (time.perf_counter() - done) * 1_000


def main() -> None:
    """Measure and print."""
    takes_no_options(__doc__)
    with hub_home() as home:
        first, _ = once(home, migrated=False)
        starts, stops = zip(*(once(home) for _ in range(STARTS)), strict=True)
    show(
        "Embedded PostgreSQL",
        [
            Line("first start, with initdb, to the first connection", first, "ms"),
            Line(f"start of an existing hub, median of {STARTS}", median(starts), "ms", 500),
            Line("the slowest of them", max(starts), "ms"),
            Line(f"clean stop, median of {STARTS}", median(stops), "ms"),
        ],
    )


if __name__ == "__main__":
    main()
