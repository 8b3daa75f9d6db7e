"""Load: files to deliveries, deliveries along the path in batches, and a report of what became of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.jobs.model import LoadReport
from mdm.jobs.service import deliver
from mdm.sources.files import find_files, read_file
from mdm.sources.files_faults import FileFault
from mdm.sources.model import Accepted, Delivery
from mdm.sources.rows import FileOrigin, Layout, delivery_of, layout_of, require_mapped
from mdm.sources.service import instances, judge

BATCH: Final = 1_000  # chosen: one progress step every few seconds, and little to do again after a kill

OnBatch = Callable[[LoadReport], None]


def load_files(
    hub: Hub, patterns: Sequence[str | Path], origin: FileOrigin, *, who: str, on_batch: OnBatch
) -> LoadReport:
    """Send every row of the files along the path; rows that cannot be read are listed, records refused are queued."""
    report = LoadReport()
    for batch in _batches(patterns, origin, report):
        report.add(deliver(hub, batch, who=who, column_map=origin.column_map))
        on_batch(report)
    return report


def judge_files(hub: Hub, patterns: Sequence[str | Path], origin: FileOrigin, *, on_batch: OnBatch) -> LoadReport:
    """Read and judge every row without storing anything: accepted and rejected in place of created and updated."""
    known = run(hub.engine, lambda connection: frozenset(one.id for one in instances(connection))) | {
        origin.instance.id
    }
    report = LoadReport()
    for batch in _batches(patterns, origin, report):
        for delivery in batch:
            judged = judge(origin.entity_type, delivery, known_instances=known, column_map=origin.column_map)
            report.statuses["accepted" if isinstance(judged, Accepted) else "rejected"] += 1
            reasons = judged.warnings if isinstance(judged, Accepted) else judged.reasons
            report.reasons.update((reason.field, reason.code) for reason in reasons)
        on_batch(report)
    return report


def _batches(patterns: Sequence[str | Path], origin: FileOrigin, report: LoadReport) -> Iterator[list[Delivery]]:
    require_mapped(origin)
    deliveries = _deliveries(patterns, origin, report)
    while batch := list(islice(deliveries, BATCH)):
        yield batch


def _deliveries(patterns: Sequence[str | Path], origin: FileOrigin, report: LoadReport) -> Iterator[Delivery]:
    for path in find_files(patterns):
        layouts: dict[tuple[str, ...], Layout] = {}
        for number, row in read_file(path):
            found = (
                row
                if isinstance(row, FileFault)
                else delivery_of(path, number, row, _layout(layouts, path, row, origin), origin)
            )
            if isinstance(found, FileFault):
                report.note(found)
            else:
                yield found


def _layout(layouts: dict[tuple[str, ...], Layout], path: Path, row: Mapping[str, Any], origin: FileOrigin) -> Layout:
    """Find the layout of a row; rows of one file mostly share it, JSONL rows may not."""
    columns = tuple(row)
    if columns not in layouts:
        layouts[columns] = layout_of(path, columns, origin)
    return layouts[columns]
