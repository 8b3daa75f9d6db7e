"""Snapshots for warehouses and reports: golden records and crosswalk of an entity type as files, whole and as deltas.

A snapshot is the state of one instant, read in one transaction and in batches; a delta holds what changed since the
last part, with a little more where writers were still at work, to be laid over by id. How far a place is stands in its
own manifest, as a cursor of the change feed: the hub keeps nothing about it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import pyarrow as pa
from sqlalchemy import Connection, Engine

from mdm import clock
from mdm.connectors.snapshot import Place, WrittenFile
from mdm.db.transaction import snapshot
from mdm.entities.model import EntityType
from mdm.errors import CursorFromElsewhere, CursorInvalid, Unavailable
from mdm.failpoints import failpoint
from mdm.publishing import snapshot_store
from mdm.publishing.service import cursor_of, position_of
from mdm.publishing.snapshot_files import FileFormat, Rows, golden_row, golden_schema, key_row, key_schema, writer

FORMAT: Final = "mdm-snapshot-1"
DELTAS_MAX: Final = 50  # chosen: a reader lays at most so many over the snapshot before there is a new one

_Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SnapshotWritten:
    """What was written of an entity type: a whole, a delta, or nothing because nothing changed."""

    entity_type: str
    kind: Literal["snapshot", "delta", "unchanged"]
    generation: int
    files: tuple[WrittenFile, ...]


def write_snapshot(
    engine: Engine, entity_type: EntityType, place: Place, *, file_format: FileFormat, is_whole: bool = False
) -> SnapshotWritten:
    """Bring a place up to date: by a delta where it holds a snapshot that can be gone on with, else by a new one.

    Raises Unavailable where the place cannot be read or written, or another process writes there; readers keep what
    they had.
    """
    name = entity_type.name
    with snapshot(engine) as connection:
        snapshot_store.allow_long(connection)
        if not snapshot_store.hold_place(connection, f"{place.where}/{name}"):
            raise Unavailable(f"another process writes {name} to {place.where}", remedy="wait for it", retry_after_s=60)
        before = place.read_manifest(name) or {"generation": 0}
        after = None if is_whole else _goes_on_after(connection, entity_type, file_format, before)
        if after is not None and not snapshot_store.has_changed(connection, name, after=after):
            return SnapshotWritten(name, "unchanged", before["generation"], ())
        generation = before["generation"] + 1
        files = _write_files(connection, entity_type, place, f"{generation:06}", (file_format, after))
        failpoint("publish.written")
        part = {
            "generation": generation,
            "read_at": clock.instant(connection).isoformat(),
            "files": {table: asdict(one) for table, one in files.items()},
        }
        cursor = cursor_of(connection, snapshot_store.select_settled_position(connection))
        head = {**_shape(entity_type, file_format), "generation": generation, "cursor": cursor}
        if after is not None:
            place.write_manifest(name, {**before, **head, "deltas": [*before["deltas"], part]})
            return SnapshotWritten(name, "delta", generation, tuple(files.values()))
        superseded = [one["path"] for old in _parts(before) for one in old["files"].values()]
        place.write_manifest(name, {**head, "snapshot": part, "deltas": [], "superseded": superseded})
        # Readers of the manifest before may still be at work: their files stay for one round.
        place.remove(iter(before.get("superseded", ())))
        return SnapshotWritten(name, "snapshot", generation, tuple(files.values()))


def _goes_on_after(
    connection: Connection, entity_type: EntityType, file_format: FileFormat, before: _Manifest
) -> tuple[int, int] | None:
    """Give the position of the feed to go on after; None where a whole snapshot is due."""
    if any(before.get(name) != value for name, value in _shape(entity_type, file_format).items()):
        return None
    if len(before["deltas"]) >= DELTAS_MAX:
        return None
    try:
        return position_of(connection, before["cursor"])
    except (CursorFromElsewhere, CursorInvalid):  # the database was restored since
        return None


def _write_files(
    connection: Connection,
    entity_type: EntityType,
    place: Place,
    part: str,
    asked: tuple[FileFormat, tuple[int, int] | None],
) -> dict[str, WrittenFile]:
    file_format, after = asked
    goldens = snapshot_store.select_golden_records(connection, entity_type.name, after=after)
    keys = snapshot_store.select_keys(connection, entity_type.name, after=after)
    tables: dict[str, tuple[pa.Schema, Iterator[Rows]]] = {
        "golden_record": (
            golden_schema(entity_type),
            ([golden_row(row) for row in rows] for rows in goldens),
        ),
        "crosswalk": (key_schema(), ([key_row(row) for row in rows] for rows in keys)),
    }
    return {
        table: place.write(f"{entity_type.name}/{part}/{table}.{file_format}", writer(file_format, schema, batches))
        for table, (schema, batches) in tables.items()
    }


def _shape(entity_type: EntityType, file_format: FileFormat) -> dict[str, Any]:
    """Say what files of this declaration look like; files of another shape are not gone on with."""
    return {
        "format": FORMAT,
        "entity_type": entity_type.name,
        "file_format": file_format,
        "columns": {
            "golden_record": {field.name: str(field.type) for field in golden_schema(entity_type)},
            "crosswalk": {field.name: str(field.type) for field in key_schema()},
        },
    }


def _parts(manifest: _Manifest) -> Iterator[_Manifest]:
    if "snapshot" in manifest:
        yield from (manifest["snapshot"], *manifest["deltas"])
