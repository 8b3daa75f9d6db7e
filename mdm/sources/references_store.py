"""SQL of what source records point at: keys of other records, resolved through the crosswalk, and who follows whom."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.ids import GoldenId, RecordId
from mdm.sources.model import ReferenceKey

_POINTING = (
    "FROM source_reference f JOIN source_record p ON p.instance_id = f.instance_id AND p.native_id = f.native_id"
    " AND p.entity_type = f.entity_type AND p.scope IN (f.scope, '') AND p.state = 'active' AND p.golden_id IS NOT NULL"
)
RESOLVED = (
    "SELECT DISTINCT ON (f.record_id, f.attribute, f.position) f.record_id, f.attribute, f.position,"
    f" p.golden_id {_POINTING} WHERE f.record_id = ANY(:ids)"
    " ORDER BY f.record_id, f.attribute, f.position, p.scope = f.scope DESC, p.object"
)


def insert_references(connection: Connection, references_by_record: Mapping[RecordId, Sequence[ReferenceKey]]) -> None:
    """Write what each record points at, by attribute and place in its list."""
    rows = [
        {
            "record_id": record_id,
            "attribute": reference.attribute,
            "position": position,
            "entity_type": reference.entity_type,
            "instance_id": reference.instance,
            "scope": reference.scope,
            "native_id": reference.native_id,
        }
        for record_id, references in references_by_record.items()
        for _, of_attribute in groupby(references, key=attrgetter("attribute"))
        for position, reference in enumerate(of_attribute)
    ]
    connection.execute(
        text(
            "INSERT INTO source_reference SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (record_id text,"
            " attribute text, position int, entity_type text, instance_id text, scope text, native_id text)"
        ),
        {"rows": as_json(rows)},
    )


def select_resolved_references(
    connection: Connection, record_ids: Iterable[RecordId]
) -> dict[tuple[RecordId, str, int], GoldenId]:
    """Resolve references: (record, attribute, position) → golden id of what it points at; unknown ones are left out.

    A reference means the record of its own scope, else of no scope, else the lowest object.
    """
    return resolved_of(connection.execute(text(RESOLVED), {"ids": [str(id_) for id_ in record_ids]}))


def resolved_of(rows: Iterable[Any]) -> dict[tuple[RecordId, str, int], GoldenId]:
    """Read rows of `RESOLVED`."""
    return {(RecordId(row.record_id), row.attribute, row.position): GoldenId(row.golden_id) for row in rows}


def select_referenced(connection: Connection, reference: ReferenceKey) -> GoldenId | None:
    """Resolve one reference of a record that is not stored, by the same rule."""
    golden_id = connection.execute(
        text(
            "SELECT golden_id FROM source_record WHERE instance_id = :instance AND native_id = :native_id"
            " AND entity_type = :entity_type AND scope IN (:scope, '') AND state = 'active'"
            " ORDER BY scope = :scope DESC, object LIMIT 1"
        ),
        {
            "instance": reference.instance,
            "native_id": reference.native_id,
            "entity_type": reference.entity_type,
            "scope": reference.scope,
        },
    ).scalar_one_or_none()
    return GoldenId(golden_id) if golden_id else None


def select_parents(
    connection: Connection, record_ids: Iterable[RecordId], *, attribute: str
) -> dict[RecordId, tuple[str, str]]:
    """Find (the parent that a record is noted to be matched within, the one its reference resolves to), "" for none."""
    rows = connection.execute(
        text(
            "SELECT r.id, r.context, coalesce(found.golden_id, '') AS parent FROM source_record r LEFT JOIN LATERAL"
            f" (SELECT p.golden_id {_POINTING} WHERE f.record_id = r.id AND f.attribute = :attribute"
            "  ORDER BY f.position, p.scope = f.scope DESC, p.object LIMIT 1) AS found ON true WHERE r.id = ANY(:ids)"
        ),
        {"ids": [str(id_) for id_ in record_ids], "attribute": attribute},
    )
    return {RecordId(row.id): (row.context, row.parent) for row in rows}


def select_followers(
    connection: Connection, record_ids: Iterable[RecordId]
) -> tuple[tuple[RecordId, str, str, GoldenId | None], ...]:
    """List (record, its entity type, attribute, its golden id) of active records that point at any of these records."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT c.id, c.entity_type, f.attribute, c.golden_id FROM source_record p"
            " JOIN source_reference f ON f.instance_id = p.instance_id AND f.native_id = p.native_id"
            " AND f.entity_type = p.entity_type AND p.scope IN (f.scope, '')"
            " JOIN source_record c ON c.id = f.record_id AND c.state = 'active'"
            " WHERE p.id = ANY(:ids) ORDER BY c.entity_type, c.id, f.attribute"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple(
        (RecordId(row.id), row.entity_type, row.attribute, GoldenId(row.golden_id) if row.golden_id else None)
        for row in rows
    )
