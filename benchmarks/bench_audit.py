"""What the audit log costs an ingest, and entries a second that are sealed and verified; one process, embedded server.

The ingest is measured with the triggers on and off in turns, on records that all change. All figures are processor
time, of this process and of its one connection's server process, which a busy machine disturbs less than the clock.
"""

import statistics
import time
from pathlib import Path

from harness import Line, cpu_s, hub_home, show, takes_no_options
from sqlalchemy import Engine, text

from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import run, transaction
from mdm.demo.firm import build_firm
from mdm.history.chain import Walk
from mdm.history.model import AUDITED
from mdm.history.service import seal, verify
from mdm.history.store import read_chain
from mdm.hub import Hub, open_hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register

RECORDS, ROUNDS, BULK, BATCH = 1_000, 5, 200_000, 500
VERIFIED_A_SECOND = 100_000  # reliability: a log of a hundred million entries in a quarter of an hour


def main() -> None:
    """Measure and print."""
    takes_no_options(__doc__)
    with hub_home() as home:
        settings = Settings(home=home, pool_size=1)
        with hub_database(settings) as url:
            upgrade(url)
            with open_hub(settings, url) as hub:
                with_log, without = _ingest(hub)
                added, sealed, walked, verified = _bulk(hub)
    show(
        f"Audit log; {RECORDS:,} changed records, medians of {ROUNDS}; {BULK:,} entries",
        [
            Line("ingest without the log", without, "s"),
            Line("ingest with the log", with_log, "s"),
            Line("what the log adds", (with_log / without - 1) * 100, "%"),
            Line("rows added with their entries, in bulk", added, "rows/s"),
            Line("sealed", sealed, "entries/s"),
            Line("chain verified", walked, "entries/s", VERIFIED_A_SECOND, at_most=False),
            Line("chain and the row of each entry verified", verified, "entries/s"),
        ],
    )


def _ingest(hub: Hub) -> tuple[float, float]:
    records = [one for one in build_firm(seed=7, scale=0.5).records if one.entity_type == "customer"][:RECORDS]
    for instance in sorted({one.instance for one in records}):
        known = SourceInstance(instance, instance.partition("-")[0], instance)
        run(hub.engine, lambda connection, known=known: register(connection, known, who="bench"))
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for number in range(-1, 2 * ROUNDS):
        is_on = number % 2 == 0
        _switch(hub.engine, is_on=is_on)
        deliveries = [
            Delivery(
                SourceKey(one.instance, one.object, one.scope, one.native_id),
                one.entity_type,
                {**one.fields, "Round": f"{number}"},
            )
            for one in records
        ]
        begun = _processor_s(hub.engine)
        for start in range(0, len(deliveries), BATCH):
            deliver(hub, deliveries[start : start + BATCH], who="bench")
        if number >= 0:  # the first delivery creates; it warms up
            seconds[is_on].append(_processor_s(hub.engine) - begun)
    _switch(hub.engine, is_on=True)
    return statistics.median(seconds[True]), statistics.median(seconds[False])


def _switch(engine: Engine, *, is_on: bool) -> None:
    with transaction(engine) as connection:
        for one in AUDITED:
            for event in ("insert", "update", "delete"):
                verb = "ENABLE" if is_on else "DISABLE"
                connection.execute(text(f"ALTER TABLE {one.table} {verb} TRIGGER audit_{event}"))


def _bulk(hub: Hub) -> tuple[float, ...]:
    add = (
        "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who)"
        " SELECT 'bench-' || n, 'crm', 'x', 1, false, 'bench'"
        " FROM generate_series(CAST(:first AS int) + 1, CAST(:last AS int)) AS n"
    )
    begun = _processor_s(hub.engine)
    for first in range(0, BULK, BULK // 20):
        with transaction(hub.engine) as connection:
            connection.execute(text(add), {"first": first, "last": first + BULK // 20})
    adding = _processor_s(hub.engine) - begun
    begun = _processor_s(hub.engine)
    count = 0
    while done := seal(hub.engine):
        count += done
    sealing = _processor_s(hub.engine) - begun
    begun = _processor_s(hub.engine)
    walk = Walk()
    with transaction(hub.engine) as connection:
        walk.follow(read_chain(connection))
    walking = _processor_s(hub.engine) - begun
    begun = _processor_s(hub.engine)
    found = verify(hub.engine, folder=Path("/nonexistent"), keys=[])
    assert not walk.faults()  # rows made with the triggers off have faults, as they should
    return BULK / adding, count / sealing, walk.size / walking, found.sealed / (_processor_s(hub.engine) - begun)


def _processor_s(engine: Engine) -> float:
    """Add up the processor time of this process and of the server process of the only connection."""
    with transaction(engine) as connection:
        return time.process_time() + cpu_s(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


if __name__ == "__main__":
    main()
