"""Load: files to deliveries, deliveries along the path in batches, and a report of what became of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mdm import clock
from mdm.db.transaction import run
from mdm.entities.columns import closest_types, columns_by_attribute
from mdm.errors import FileUnreadable
from mdm.hub import Hub
from mdm.jobs.model import LoadReport
from mdm.jobs.service import deliver
from mdm.sources.files import find_files, read_file
from mdm.sources.files_faults import FileFault, fault
from mdm.sources.model import Accepted, Delivery
from mdm.sources.rows import FileLayouts, FileOrigin, Layout, delivery_of, require_mapped
from mdm.sources.service import judge, systems
from mdm.stewardship.reviews import count_reviews_opened

BATCH: Final = 1_000  # chosen: one progress step every few seconds, and little to do again after a kill

KEYS_WATCHED_MAX: Final = 1_000_000  # chosen: about 100 MB; ids of a file beyond it are not watched for a second row

OnBatch = Callable[[LoadReport], None]


def load_files(
    hub: Hub, patterns: Sequence[str | Path], origin: FileOrigin, report: LoadReport, *, who: str, on_batch: OnBatch
) -> LoadReport:
    """Send every row of the files along the path; rows that cannot be read are listed, records refused are queued.

    raises  FileUnreadable, once the files before are taken and the report, begun by the caller, tells of them
    """
    started = run(hub.engine, clock.recording_instant)
    try:
        for batch in _batches(patterns, origin, report):
            report.add(deliver(hub, batch, who=who, column_map=origin.column_map))
            on_batch(report)
    except FileUnreadable:
        report.reviews_opened = count_reviews_opened(hub, since=started, who=who)
        raise
    report.reviews_opened = count_reviews_opened(hub, since=started, who=who)
    return _with_closest_types(hub, report, origin)


def judge_files(
    hub: Hub, patterns: Sequence[str | Path], origin: FileOrigin, report: LoadReport, *, on_batch: OnBatch
) -> LoadReport:
    """Read and judge every row without storing anything: accepted and rejected in place of created and updated."""
    known = run(hub.engine, systems) | {origin.instance.id: origin.instance.system}
    for batch in _batches(patterns, origin, report):
        for delivery in batch:
            judged = judge(origin.entity_type, delivery, known_instances=known, column_map=origin.column_map)
            report.show(delivery.key, is_taken=isinstance(judged, Accepted))
            report.statuses["accepted" if isinstance(judged, Accepted) else "rejected"] += 1
            reasons = judged.warnings if isinstance(judged, Accepted) else judged.reasons
            report.note_reasons(reasons)
        on_batch(report)
    return _with_closest_types(hub, report, origin)


def _with_closest_types(hub: Hub, report: LoadReport, origin: FileOrigin) -> LoadReport:
    """Where no row was taken, say which entity types the columns look more like."""
    if report.is_empty_handed:
        report.closest_types = closest_types(hub.declared, report.columns, origin.entity_type.name)
    return report


def _batches(patterns: Sequence[str | Path], origin: FileOrigin, report: LoadReport) -> Iterator[list[Delivery]]:
    require_mapped(origin.entity_type, origin.columns or {})
    batch: list[Delivery] = []
    try:
        for delivery in _deliveries(patterns, origin, report):
            batch.append(delivery)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except FileUnreadable:
        if batch:  # what was read before is taken
            yield batch
        raise
    if batch:
        yield batch


def _deliveries(patterns: Sequence[str | Path], origin: FileOrigin, report: LoadReport) -> Iterator[Delivery]:
    paths = find_files(patterns)
    for place, path in enumerate(paths, start=1):
        report.files_not_read = tuple(map(str, paths[place:]))
        yield from _deliveries_of(path, origin, report)


def _deliveries_of(path: Path, origin: FileOrigin, report: LoadReport) -> Iterator[Delivery]:
    layouts = FileLayouts(path, origin)
    row_by_key: dict[int, int] = {}  # a hash in place of the key, for memory
    without_id = 0
    for number, row in read_file(path, on_note=report.notes.append):
        found = (
            row
            if isinstance(row, FileFault)
            else delivery_of(path, number, row, _layout(layouts, row, origin, report), origin)
        )
        if isinstance(found, FileFault):
            report.note(found)
            without_id += found.code == "id_missing"
            continue
        earlier = row_by_key.get(hash(found.key))
        if earlier is not None:
            report.note_repeat(_repeat(path, number, found, earlier))
        elif len(row_by_key) < KEYS_WATCHED_MAX:
            row_by_key[hash(found.key)] = number
        yield found
    try:
        layouts.require_id()
    except FileUnreadable:
        report.forget(str(path), "id_missing", without_id)
        raise
    report.columns |= layouts.columns


def _repeat(path: Path, number: int, delivery: Delivery, earlier: int) -> FileFault:
    counts = "the row with the later time counts" if delivery.source_time else "the later row counts"
    reason = f"row {earlier} has the id {delivery.key.native_id!r} too; {counts}"
    return fault(path, number, "", "id_repeated", reason, "keep one row for each record")


def _layout(layouts: FileLayouts, row: Mapping[str, Any], origin: FileOrigin, report: LoadReport) -> Layout:
    """Find the layout of a row, and note what its columns fill when it is met for the first time."""
    found, is_new = layouts.find(row)
    if is_new:
        filled = columns_by_attribute(origin.entity_type, tuple(row), origin.column_map)
        used = {column: part for part, column in found.column_by_part.items()}
        report.note_columns(row, used | {column: name for name, some in filled.items() for column in some})
    return found
