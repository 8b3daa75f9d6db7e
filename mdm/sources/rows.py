"""From a row of a delivered file to a delivery: which columns hold the record's key and time, and what they say.

The file's own `source`, `object` and `scope` columns go before what the caller says of the whole file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from mdm.clock import in_utc
from mdm.entities.columns import RecordColumn, claim, record_column
from mdm.entities.model import EntityType
from mdm.errors import FileUnreadable, InputInvalid, SourceKeyInvalid
from mdm.sources.files import FORMATS
from mdm.sources.files_faults import FileFault, fault, id_fault, key_part_fault
from mdm.sources.model import Delivery, SourceInstance, SourceKey, is_instance_id
from mdm.sources.vendors import default_object, id_column

_NO_MASTER = "000000000000000AAA"  # what exports of Salesforce write for a reference to nothing
_YES = ("true", "1", "yes", "t", "y")
RECORD_COLUMNS: tuple[RecordColumn, ...] = get_args(RecordColumn)


@dataclass(frozen=True, slots=True)
class FileOrigin:
    """What the caller says of every row of a file; `object` "" means the vendor's own for this entity type."""

    instance: SourceInstance
    entity_type: EntityType
    object: str = ""
    scope: str = ""
    columns: Mapping[str, str] | None = None  # column → attribute or part of the key, by hand

    @property
    def column_map(self) -> dict[str, str]:
        """Return the columns mapped by hand to attributes; those mapped to a part of the key fill none."""
        given = self.columns or {}
        return {column: "" if name in RECORD_COLUMNS else name for column, name in given.items()}


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of some rows that hold the key and time of each record; `id` may be missing in rows of JSONL."""

    column_by_part: Mapping[RecordColumn, str]
    is_id_an_attribute: bool


class FileLayouts:
    """The layouts of the rows of one file: mostly one, but rows of JSONL need not have the same members."""

    def __init__(self, path: Path, origin: FileOrigin) -> None:
        """Begin before the first row."""
        self._path, self._origin = path, origin
        self._by_columns: dict[tuple[str, ...], Layout] = {}

    @property
    def columns(self) -> dict[str, None]:
        """Give every column met, in the order of the file."""
        return dict.fromkeys(column for columns in self._by_columns for column in columns)

    def find(self, row: Mapping[str, Any]) -> tuple[Layout, bool]:
        """Find the layout of a row, and whether it is met for the first time; raises as `layout_of` does."""
        columns = tuple(row)
        is_new = columns not in self._by_columns
        if is_new:
            self._by_columns[columns] = layout_of(self._path, columns, self._origin)
        return self._by_columns[columns], is_new

    def require_id(self) -> None:
        """Refuse a file of which no row so far has a column for the id; raises FileUnreadable."""
        if self._by_columns and not any("id" in layout.column_by_part for layout in self._by_columns.values()):
            raise _without_id(self._path, next(iter(self._by_columns)))


def layout_of(path: Path, columns: Sequence[str], origin: FileOrigin) -> Layout:
    """Find the columns of key and time.

    raises  FileUnreadable, which lists the columns, for a mapped one that is absent or when none holds an id; where
            rows may differ in their columns neither is a fault of the file
    """
    absent = [column for column in origin.columns or {} if column not in columns]
    if absent and not _rows_vary(path):
        raise FileUnreadable(
            str(path),
            f"has no column {absent[0]!r}; its columns are {', '.join(columns) or 'none'}",
            remedy="write the column of --map as the file has it",
        )
    by_hand = {name: column for column, name in (origin.columns or {}).items() if name in RECORD_COLUMNS}
    found: dict[RecordColumn, str] = {}
    unmapped = [column for column in columns if column not in (origin.columns or {})]
    for column in unmapped:
        part = record_column(column)
        if part not in (None, "id"):
            found.setdefault(part, column)
    id_name = id_column(unmapped, system=origin.instance.system, entity_type=origin.entity_type.name)
    if id_name is not None:
        found["id"] = id_name
    found |= {part: by_hand[part] for part in RECORD_COLUMNS if by_hand.get(part) in columns}
    if "id" not in found and not _rows_vary(path):
        raise _without_id(path, columns)
    is_attribute = "id" in found and claim(origin.entity_type, found["id"], origin.column_map) is not None
    return Layout(found, is_attribute)


def _rows_vary(path: Path) -> bool:
    """Tell whether the rows of a file need not have the same columns."""
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return FORMATS.get(plain.suffix.lower()) == "JSONL"


def _without_id(path: Path, columns: Sequence[str]) -> FileUnreadable:
    reason = f"no column holds the record's id; its columns are {', '.join(columns) or 'none'}"
    return FileUnreadable(str(path), reason, remedy="name the column of the id with --map COLUMN=id")


def require_mapped(entity_type: EntityType, column_map: Mapping[str, str]) -> None:
    """Refuse a column mapped by hand to what does not exist; raises InputInvalid that names the nearest attribute."""
    known = (*entity_type.attributes, *RECORD_COLUMNS)
    for column, name in column_map.items():
        if name and name not in known:
            near = get_close_matches(name, known, n=1)
            raise InputInvalid(
                f"column {column!r} cannot fill {name!r}: {entity_type.name} has no such attribute",
                remedy=f"did you mean {near[0]}?" if near else f"choose one of {', '.join(known)}",
                field=column,
            )


def delivery_of(
    path: Path, number: int, row: Mapping[str, Any], layout: Layout, origin: FileOrigin
) -> Delivery | FileFault:
    """Turn one row into a delivery, or say why its key or time cannot be read."""
    part = layout.column_by_part
    for name, column in part.items():
        value = row.get(column)
        if name == "deleted" and isinstance(value, bool):
            continue
        wrong = key_part_fault(path, number, column, value)
        if wrong is not None:
            return wrong
    said = {name: _text(row.get(column)) for name, column in part.items()}
    native_id = said.get("id", "")
    if not native_id.strip():
        return id_fault(path, number, part.get("id", ""))
    try:
        instant = _instant(said.get("source_time", ""))
    except ValueError:
        shown = repr(said["source_time"][:60])
        remedy = "write it as 2026-06-30T12:00:00Z, or leave the column out with --map COLUMN="
        return fault(path, number, part["source_time"], "time_unreadable", f"{shown} is not an instant", remedy)
    source = said.get("source") or origin.instance.id
    source_column = part["source"] if said.get("source") else ""
    system = origin.instance.system
    object_name = said.get("object") or origin.object or default_object(system, origin.entity_type.name)
    try:
        key = SourceKey.parse(str(SourceKey(source, object_name, said.get("scope") or origin.scope, native_id)))
    except SourceKeyInvalid as error:
        return _key_fault(path, number, said, part, error)
    gone = {part[name] for name in ("deleted", "merged_into") if name in part}
    left_out = gone if layout.is_id_an_attribute else {part["id"], *gone}
    fields = {column: value for column, value in row.items() if column not in left_out and value != ""}
    is_deleted = said.get("deleted", "").strip().lower() in _YES
    survivor = said.get("merged_into", "").strip()
    if survivor in {"", native_id, _NO_MASTER}:
        return Delivery(key, origin.entity_type.name, fields, instant, is_deleted, source_column=source_column)
    try:
        merged_into = SourceKey.parse(str(SourceKey(source, key.object, key.scope, survivor)))
    except SourceKeyInvalid as error:
        return fault(path, number, part["merged_into"], "source_key_invalid", error.message, error.remedy)
    return Delivery(key, origin.entity_type.name, fields, instant, is_deleted, merged_into, source_column=source_column)


def _key_fault(
    path: Path, number: int, said: Mapping[RecordColumn, str], part: Mapping[RecordColumn, str], error: SourceKeyInvalid
) -> FileFault:
    """Say why there is no source key; a column that is only called source, as that of leads, can be left out."""
    source = said.get("source", "")
    if source and not is_instance_id(source):
        reason = f"{source[:60]!r} cannot be the id of a source instance"
        remedy = f"leave the column out with --map {part['source']}="
        return fault(path, number, part["source"], "source_key_invalid", reason, remedy)
    return fault(path, number, part["id"], "source_key_invalid", error.message, error.remedy)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _instant(text: str) -> datetime | None:
    """Read an instant; one without a zone is UTC, a bare date its first moment. Raises ValueError."""
    if not text.strip():
        return None
    return in_utc(datetime.fromisoformat(text.strip()))
