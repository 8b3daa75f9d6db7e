"""One golden version as a message: its envelope, with what changed since the version before."""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Row

from mdm.connectors.envelope import Told, enclose
from mdm.connectors.model import Message
from mdm.ids import GoldenId, RecordId
from mdm.publishing.details import told as told_details
from mdm.sources.model import SourceKey


def message_of(
    row: Row[Any],
    before: Row[Any] | None,
    *,
    source: str,
    payload: Literal["thin", "full"],
    key_by_record: Mapping[RecordId, SourceKey],
) -> Message:
    """Write the message of a golden version; its id is the same for every attempt and at every target.

    key_by_record  of the records that its details name
    """
    id_ = f"{row.golden_id}-{row.version}"
    told = Told(
        id=id_,
        kind=row.kind,
        entity_type=row.entity_type,
        subject=row.golden_id,
        sequence=row.version,
        at=row.recorded_at,
        version=row.version,
        changed=_changed(before.shown if before is not None else {}, row.shown),
        details=told_details(row.details, GoldenId(row.golden_id), key_by_record),
        values=row.shown if payload == "full" else None,
    )
    return Message(id_, row.kind, row.entity_type, row.golden_id, enclose(told, source=source))


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
