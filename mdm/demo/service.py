"""Load the demo firm through the real path, as any firm's data would be, and say what happened in six lines."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from mdm.db.transaction import run
from mdm.demo.firm import DemoFirm, DemoRecord, build_firm
from mdm.hub import Hub
from mdm.identity.service import crosswalk_pairs, translate
from mdm.jobs.model import LoadReport
from mdm.jobs.service import deliver
from mdm.publishing.file_target import add_target, sync
from mdm.sources.exceptions import listed
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register
from mdm.stewardship.reviews import list_reviews

WHO: Final = "demo"
TARGET: Final = "demo-files"
BATCH: Final = 500  # chosen: a progress step each second or two
EXAMPLE: Final = ("salesforce-emea", "d365-emea")
LISTED_MAX: Final = 100_000  # chosen: more questions than the largest demo firm raises

OnBatch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DemoRun:
    """What loading the firm did, in lines for people."""

    report: LoadReport
    seconds: float
    lines: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Tell whether anything was new to the hub."""
        return bool(self.report.statuses["created"] or self.report.statuses["updated"])


def load_demo(hub: Hub, *, seed: int = 7, scale: float = 1.0, on_batch: OnBatch = lambda _done, _all: None) -> DemoRun:
    """Register the firm's systems, deliver their records in order, write the files back; again changes nothing."""
    started = time.perf_counter()
    firm = build_firm(seed=seed, scale=scale)
    run(hub.engine, lambda connection: _register(connection, firm))
    report = LoadReport()
    deliveries = [_delivery(record) for record in firm.records]
    for start in range(0, len(deliveries), BATCH):
        report.add(deliver(hub, deliveries[start : start + BATCH], who=WHO))
        on_batch(min(start + BATCH, len(deliveries)), len(deliveries))
    folder = (hub.settings.home / "files").absolute()
    types = sorted(hub.declared)
    run(hub.engine, lambda c: add_target(c, TARGET, folder, types, who=WHO, follows_new_types=True))
    sync(hub.engine, hub.declared, TARGET)
    keys = frozenset(delivery.key for delivery in deliveries)
    return DemoRun(report, time.perf_counter() - started, _lines(hub, firm, keys, folder))


def _register(connection: Connection, firm: DemoFirm) -> None:
    for one in firm.instances:
        instance = SourceInstance(one.id, one.system, one.title, one.rank, one.duplicate_free)
        register(connection, instance, who=WHO)


def _delivery(record: DemoRecord) -> Delivery:
    key = SourceKey(record.instance, record.object, record.scope, record.native_id)
    return Delivery(key, record.entity_type, record.fields, record.source_time)


def _lines(hub: Hub, firm: DemoFirm, keys: frozenset[SourceKey], folder: Path) -> tuple[str, ...]:
    """Tell of the firm's own records: the hub may hold others beside them."""
    records = Counter(record.entity_type for record in firm.records)
    systems = Counter(record.instance for record in firm.records)
    printed = frozenset(map(str, keys))
    return (
        f"Records    {len(firm.records):,} of {len(systems)} systems: {_listed(systems)}",
        "Golden     " + _goldens(hub, keys, records),
        f"Reviews    {_reviews(hub, printed)}",
        f"Put aside  {_put_aside(hub, printed)}",
        f"Crosswalk  {_crosswalk(hub, printed)}",
        f"Files      {folder}: each system's own keys with golden ids and values, to be read back",
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common())


def _goldens(hub: Hub, keys: frozenset[SourceKey], records: Counter[str]) -> str:
    found = set(run(hub.engine, lambda connection: translate(connection, sorted(keys))).values())
    goldens = Counter(entity_type for _, entity_type in found)
    return "; ".join(f"{goldens[name]:,} {name}s from {records[name]:,} records" for name in sorted(records))


def _reviews(hub: Hub, keys: frozenset[str]) -> str:
    open_ = list_reviews(hub, limit=LISTED_MAX)
    own = [review for review in open_ if review.left_key in keys and review.right_key in keys]
    first = next((review for review in own if review.entity_type == "customer"), None)
    example = f", for example: are {first.left_key} and {first.right_key} the same?" if first else ""
    return f"{len(own):,} questions wait for a steward{example}"


def _put_aside(hub: Hub, keys: frozenset[str]) -> str:
    waiting = run(hub.engine, lambda connection: listed(connection, limit=LISTED_MAX))
    own = [one for one in waiting if one.source_key in keys]
    rejected = Counter(one.reasons[0].code for one in own if one.kind == "rejected")
    warned = Counter(one.reasons[0].code for one in own if one.kind == "warning")
    refused = f"{rejected.total():,} records rejected ({_listed(rejected)})" if rejected else "no record rejected"
    return refused + (f"; {warned.total():,} taken with a warning ({_listed(warned)})" if warned else "")


def _crosswalk(hub: Hub, keys: frozenset[str]) -> str:
    source, to = EXAMPLE
    found = run(hub.engine, lambda connection: crosswalk_pairs(connection, source, to, entity_type="customer"))
    pairs = [pair for pair in found if keys.issuperset(map(str, (pair.from_key, pair.to_key)))]
    if not pairs:
        return f"no customer is in both {source} and {to}"
    return f"{len(pairs):,} customers of {source} are in {to} too: {pairs[0].from_key} is {pairs[0].to_key}"
