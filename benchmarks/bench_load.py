"""Records a second through the whole path into PostgreSQL: first delivery, exact repeat, by one process."""

import time

from harness import Line, hub_home, show, takes_no_options

from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import run
from mdm.demo.firm import build_firm
from mdm.hub import open_hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register

SCALE, BATCH = 0.5, 500


def main() -> None:
    """Measure and print."""
    takes_no_options(__doc__)
    firm = build_firm(seed=7, scale=SCALE)
    deliveries = [
        Delivery(
            SourceKey(one.instance, one.object, one.scope, one.native_id), one.entity_type, one.fields, one.source_time
        )
        for one in firm.records
    ]
    with hub_home() as home:
        settings = Settings(home=home)
        with hub_database(settings) as url:
            upgrade(url)
            with open_hub(settings, url) as hub:
                for instance in sorted({one.key.instance for one in deliveries}):
                    known = SourceInstance(instance, instance.partition("-")[0], instance)
                    run(hub.engine, lambda connection, known=known: register(connection, known, who="bench"))
                rates = []
                for _ in range(2):
                    wall, cpu = time.perf_counter(), time.process_time()
                    for start in range(0, len(deliveries), BATCH):
                        deliver(hub, deliveries[start : start + BATCH], who="bench")
                    taken = (time.perf_counter() - wall, time.process_time() - cpu)
                    rates.append([len(deliveries) / taken[0], taken[1] / len(deliveries) * 1e3])
    show(
        f"Load, {len(deliveries):,} records of all types",
        [
            Line("first delivery", rates[0][0], "records/s"),
            Line("first delivery, Python processor time", rates[0][1], "ms a record"),
            Line("exact repeat", rates[1][0], "records/s"),
            Line("exact repeat, Python processor time", rates[1][1], "ms a record"),
        ],
    )


if __name__ == "__main__":
    main()
