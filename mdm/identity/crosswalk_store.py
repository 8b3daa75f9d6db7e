"""SQL of the crosswalk, one function a question: which keys belong to a golden record, now and at any time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.identity.model import (
    CrosswalkEntry,
    CrosswalkPair,
    MembershipSpan,
)
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey

_ENTRY = "SELECT r.instance_id, r.object, r.scope, r.native_id, r.entity_type"
# What had ended a record at an instant, NULL while it lived.
_ENDED_THEN = (
    "LEFT JOIN source_ending e ON e.record_id = r.id AND e.recorded_from <= :as_of"
    " AND (e.recorded_to IS NULL OR e.recorded_to > :as_of)"
)


def select_crosswalk(
    connection: Connection, golden_id: GoldenId, *, to: str | None, as_of: datetime | None
) -> tuple[CrosswalkEntry, ...]:
    """List the source keys of a golden record, of one instance or of all, now or as of an instant.

    All keys of a golden record include those that their sources gave up, each marked; those in one instance do not.
    """
    if as_of is None:
        columns, ended = f"{_ENTRY}, r.golden_id", "r.ended_because"
        source = "FROM source_record r WHERE r.golden_id = :id AND r.state = 'active'"
    else:
        columns, ended = f"{_ENTRY}, m.golden_id", "e.because"
        source = (
            f"FROM membership m JOIN source_record r ON r.id = m.record_id {_ENDED_THEN}"
            " WHERE m.golden_id = :id AND m.recorded_from <= :as_of AND (m.recorded_to IS NULL OR m.recorded_to >"
            " :as_of)"
        )
    rows = connection.execute(
        text(
            f"{columns}, {ended} AS ended {source} AND (CAST(:to AS text) IS NULL OR (r.instance_id = :to"
            f" AND {ended} IS NULL)) ORDER BY 1, 2, 3, 4"
        ),
        {"id": golden_id, "to": to, "as_of": as_of},
    )
    return tuple(replace(_entry(row), ended=row.ended) for row in rows)


def select_crosswalk_pairs(
    connection: Connection, source: str, to: str, *, entity_type: str | None, as_of: datetime | None
) -> tuple[CrosswalkPair, ...]:
    """List the pairs of source keys that two instances have in one golden record, now or as of an instant.

    A key that its source gave up is still translated, and is no translation of another.
    """
    rows = connection.execute(
        text(
            "WITH standing AS (SELECT r.instance_id, r.object, r.scope, r.native_id, r.entity_type, m.golden_id,"
            " CASE WHEN CAST(:as_of AS timestamptz) IS NULL THEN r.ended_because ELSE e.because END AS ended"
            f" FROM membership m JOIN source_record r ON r.id = m.record_id {_ENDED_THEN}"
            " WHERE r.instance_id IN (:source, :to) AND (CAST(:type AS text) IS NULL OR r.entity_type = :type)"
            " AND ((CAST(:as_of AS timestamptz) IS NULL AND m.recorded_to IS NULL) OR (m.recorded_from <= :as_of"
            " AND (m.recorded_to IS NULL OR m.recorded_to > :as_of))))"
            " SELECT a.entity_type, a.golden_id, a.instance_id, a.object, a.scope, a.native_id,"
            " b.instance_id AS to_instance, b.object AS to_object, b.scope AS to_scope, b.native_id AS to_native_id"
            " FROM standing a JOIN standing b USING (golden_id) WHERE a.instance_id = :source AND b.instance_id = :to"
            " AND b.ended IS NULL"
            " ORDER BY a.entity_type, a.object, a.scope, a.native_id, b.object, b.scope, b.native_id"
        ),
        {"source": source, "to": to, "type": entity_type, "as_of": as_of},
    )
    return tuple(
        CrosswalkPair(
            row.entity_type,
            GoldenId(row.golden_id),
            str(_key(row)),
            str(SourceKey(row.to_instance, row.to_object, row.to_scope, row.to_native_id)),
        )
        for row in rows
    )


def select_first_seen(connection: Connection, key: SourceKey) -> datetime | None:
    """Find when a source record first belonged to a golden record."""
    first: datetime | None = connection.execute(
        text(
            "SELECT min(m.recorded_from) FROM membership m JOIN source_record r ON r.id = m.record_id"
            " WHERE (r.instance_id, r.object, r.scope, r.native_id) = (:instance, :object, :scope, :native_id)"
        ),
        {"instance": key.instance, "object": key.object, "scope": key.scope, "native_id": key.native_id},
    ).scalar_one()
    return first


def select_golden_ids(
    connection: Connection, keys: Sequence[SourceKey], *, as_of: datetime | None
) -> dict[SourceKey, tuple[GoldenId, str]]:
    """Find golden id and entity type of source keys, now or as of an instant; unknown and deleted ones are left out."""
    columns = "instance_id text, object text, scope text, native_id text"
    source = (
        "FROM source_record r JOIN jsonb_to_recordset(CAST(:keys AS jsonb))"
        f" AS k ({columns}) USING (instance_id, object, scope, native_id)"
    )
    if as_of is None:
        statement = f"{_ENTRY}, r.golden_id {source} WHERE r.state = 'active'"
    else:
        statement = (
            f"{_ENTRY}, m.golden_id {source} JOIN membership m ON m.record_id = r.id"
            " WHERE m.recorded_from <= :as_of AND (m.recorded_to IS NULL OR m.recorded_to > :as_of)"
        )
    rows = connection.execute(
        text(statement),
        {
            "keys": as_json(
                [
                    {"instance_id": k.instance, "object": k.object, "scope": k.scope, "native_id": k.native_id}
                    for k in keys
                ]
            ),
            "as_of": as_of,
        },
    )
    entries = (_entry(row) for row in rows)
    return {SourceKey(e.source, e.object, e.scope, e.native_id): (e.golden_id, e.entity_type) for e in entries}


def select_spans(connection: Connection, golden_id: GoldenId) -> tuple[MembershipSpan, ...]:
    """List every membership that a golden record ever had, oldest first."""
    rows = connection.execute(
        text(
            f"{_ENTRY}, m.golden_id, m.recorded_from, m.recorded_to, m.event_id FROM membership m"
            " JOIN source_record r ON r.id = m.record_id WHERE m.golden_id = :id ORDER BY m.recorded_from, 1, 2, 3, 4"
        ),
        {"id": golden_id},
    )
    return tuple(
        MembershipSpan(str(_key(row)), GoldenId(row.golden_id), row.recorded_from, row.recorded_to, row.event_id)
        for row in rows
    )


def _entry(row: Row[Any]) -> CrosswalkEntry:
    key = _key(row)
    return CrosswalkEntry(
        key.instance, key.object, key.scope, key.native_id, str(key), row.entity_type, GoldenId(row.golden_id)
    )


def _key(row: Row[Any]) -> SourceKey:
    return SourceKey(row.instance_id, row.object, row.scope, row.native_id)
