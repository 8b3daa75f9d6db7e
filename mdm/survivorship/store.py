"""SQL of golden values, one function a question."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.identity.model import GoldenRecord
from mdm.ids import EventId, GoldenId, RecordId
from mdm.survivorship.model import GoldenVersion, Override

OVERRIDE = (
    "SELECT id, record_id, attribute, value, term, until, masked_hash, reason, recorded_at, who FROM value_override"
)
VERSION = (
    "SELECT v.golden_id, v.version, v.state, v.forward_to, v.values, v.lineage, v.completeness, v.held,"
    " v.recorded_from,"
    " v.recorded_to, v.who, v.event_id, g.entity_type FROM golden_version v JOIN golden_record g ON g.id = v.golden_id"
)


def select_checksums(connection: Connection, golden_ids: Iterable[GoldenId]) -> dict[GoldenId, bytes]:
    """Return the checksum of the newest version of each golden record; ids without any version are left out."""
    rows = connection.execute(
        text("SELECT golden_id, checksum FROM golden_version WHERE golden_id = ANY(:ids) AND recorded_to IS NULL"),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return {GoldenId(row.golden_id): bytes(row.checksum) for row in rows}


def select_goldens_and_checksums(
    connection: Connection, golden_ids: Iterable[GoldenId]
) -> dict[GoldenId, tuple[GoldenRecord, bytes | None]]:
    """Load golden records by id, each with the checksum of its newest version, None where it has none yet."""
    rows = connection.execute(
        text(
            "SELECT g.id, g.entity_type, g.state, g.forward_to, g.version, g.is_confirmed, g.is_acknowledged,"
            " v.checksum"
            " FROM golden_record g LEFT JOIN golden_version v ON v.golden_id = g.id AND v.recorded_to IS NULL"
            " WHERE g.id = ANY(:ids) ORDER BY g.id"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return {
        GoldenId(row.id): (
            GoldenRecord(
                GoldenId(row.id),
                row.entity_type,
                row.state,
                GoldenId(row.forward_to) if row.forward_to else None,
                row.version,
                row.is_confirmed,
                row.is_acknowledged,
            ),
            None if row.checksum is None else bytes(row.checksum),
        )
        for row in rows
    }


def insert_versions(
    connection: Connection, rows: Sequence[dict[str, Any]], *, event_id: EventId, at: datetime, who: str
) -> tuple[GoldenVersion, ...]:
    """Append the next version of each golden record and return it; the version before ends at the same instant.

    rows  golden_id, state, forward_to, values, lineage, completeness, held, checksum, rules_version, next_change_at
    """
    ids = [str(row["golden_id"]) for row in rows]
    parameters = {"rows": as_json(rows), "ids": ids, "event_id": event_id, "at": at, "who": who}
    written = connection.execute(
        text(
            # A golden record has one open version, so all are ended (counted) before the first begins.
            "WITH ended AS (UPDATE golden_version SET recorded_to = :at"
            "  WHERE golden_id = ANY(:ids) AND recorded_to IS NULL RETURNING golden_id),"
            " r AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (golden_id text,"
            " state text, forward_to text, values jsonb, lineage jsonb, completeness float, held jsonb, checksum text,"
            " rules_version text, next_change_at timestamptz)),"
            " g AS (UPDATE golden_record g SET version = g.version + 1, next_change_at = r.next_change_at"
            "  FROM r WHERE g.id = r.golden_id RETURNING g.id, g.version, g.entity_type),"
            " v AS (INSERT INTO golden_version (golden_id, version, state, forward_to, values, lineage, completeness,"
            " held, checksum, rules_version, event_id, recorded_from, who)"
            " SELECT r.golden_id, g.version, r.state, r.forward_to, r.values, r.lineage, r.completeness, r.held,"
            " decode(r.checksum, 'hex'), r.rules_version, :event_id, :at, :who FROM r JOIN g ON g.id = r.golden_id"
            " WHERE (SELECT count(*) FROM ended) >= 0 RETURNING *)"
            " SELECT v.*, g.entity_type FROM v JOIN g ON g.id = v.golden_id"
        ),
        parameters,
    )
    return tuple(map(version_of, written))


def update_next_changes(connection: Connection, next_change_by_id: dict[GoldenId, datetime | None]) -> None:
    """Note when values that are as they were will change although nothing arrives."""
    rows = [{"id": id_, "next_change_at": instant} for id_, instant in next_change_by_id.items()]
    connection.execute(
        text(
            "UPDATE golden_record g SET next_change_at = r.next_change_at"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id text, next_change_at timestamptz)"
            " WHERE g.id = r.id AND g.next_change_at IS DISTINCT FROM r.next_change_at"
        ),
        {"rows": as_json(rows)},
    )


def select_due(
    connection: Connection, entity_types: Sequence[str], *, at: datetime, limit: int
) -> tuple[tuple[str, GoldenId], ...]:
    """List (entity type, golden id) whose values change by now although nothing arrived, the longest due first."""
    rows = connection.execute(
        text(
            "SELECT entity_type, id FROM golden_record WHERE next_change_at <= :at AND state = 'active'"
            " AND entity_type = ANY(:types) ORDER BY next_change_at, id LIMIT :limit"
        ),
        {"types": list(entity_types), "at": at, "limit": limit},
    )
    return tuple((row.entity_type, GoldenId(row.id)) for row in rows)


def make_due(connection: Connection, instance_id: str, *, at: datetime) -> int:
    """Let the values that rest on records of an instance be worked out again as if their time had come; count them."""
    # A large source feeds most of the golden records there are; it is done rarely, and by hand.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    found = connection.execute(
        text(
            "UPDATE golden_record SET next_change_at = :at WHERE state = 'active' AND id IN"
            " (SELECT golden_id FROM source_record WHERE instance_id = :instance)"
        ),
        {"instance": instance_id, "at": at},
    )
    return found.rowcount


def select_overrides(connection: Connection, record_ids: Iterable[RecordId]) -> dict[RecordId, list[Override]]:
    """List the overrides in force that are anchored on these records."""
    rows = connection.execute(
        text(f"{OVERRIDE} WHERE record_id = ANY(:ids) AND ended_at IS NULL ORDER BY recorded_at, id"),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return overrides_of(rows)


def overrides_of(rows: Iterable[Any]) -> dict[RecordId, list[Override]]:
    """Read rows of `OVERRIDE`, by record."""
    found: dict[RecordId, list[Override]] = {}
    for row in rows:
        override = Override(
            attribute=row.attribute,
            value=row.value,
            term=row.term,
            author=row.who,
            reason=row.reason,
            record_key="",
            recorded_at=row.recorded_at,
            until=row.until,
            masked=row.masked_hash,
            override_id=row.id,
        )
        found.setdefault(RecordId(row.record_id), []).append(override)
    return found


def select_version(connection: Connection, golden_id: GoldenId, *, as_of: datetime | None) -> GoldenVersion | None:
    """Return the version of a golden record that stands now, or stood at an instant."""
    when = (
        "v.recorded_to IS NULL"
        if as_of is None
        else "v.recorded_from <= :as_of AND (v.recorded_to > :as_of OR v.recorded_to IS NULL)"
    )
    row = connection.execute(
        text(f"{VERSION} WHERE v.golden_id = :id AND {when}"), {"id": golden_id, "as_of": as_of}
    ).one_or_none()
    return version_of(row) if row is not None else None


def select_versions(connection: Connection, golden_ids: Iterable[GoldenId]) -> dict[GoldenId, GoldenVersion]:
    """Return the newest version of each golden record."""
    rows = connection.execute(
        text(f"{VERSION} WHERE v.golden_id = ANY(:ids) AND v.recorded_to IS NULL"),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return {GoldenId(row.golden_id): version_of(row) for row in rows}


def select_numbered(connection: Connection, numbers: Sequence[tuple[GoldenId, int]]) -> dict[GoldenId, GoldenVersion]:
    """Return one version of each golden record by its number; one that does not exist is left out."""
    rows = connection.execute(
        text(
            f"{VERSION} JOIN unnest(CAST(:ids AS text[]), CAST(:versions AS int[])) AS n (golden_id, version)"
            " ON n.golden_id = v.golden_id AND n.version = v.version"
        ),
        {"ids": [str(id_) for id_, _ in numbers], "versions": [version for _, version in numbers]},
    )
    return {GoldenId(row.golden_id): version_of(row) for row in rows}


def select_history(
    connection: Connection, golden_id: GoldenId, *, before: int | None, limit: int
) -> tuple[GoldenVersion, ...]:
    """List the versions of a golden record, newest first, those below `before`."""
    rows = connection.execute(
        text(
            f"{VERSION} WHERE v.golden_id = :id AND (CAST(:before AS int) IS NULL OR v.version < :before)"
            " ORDER BY v.version DESC LIMIT :limit"
        ),
        {"id": golden_id, "before": before, "limit": limit},
    )
    return tuple(version_of(row) for row in rows)


def version_of(row: Any) -> GoldenVersion:
    """Read a row of `VERSION`."""
    return GoldenVersion(
        golden_id=GoldenId(row.golden_id),
        entity_type=row.entity_type,
        version=row.version,
        state=row.state,
        forward_to=GoldenId(row.forward_to) if row.forward_to else None,
        values=row.values,
        lineage=row.lineage,
        completeness=row.completeness,
        held=tuple(row.held),
        recorded_from=row.recorded_from,
        recorded_to=row.recorded_to,
        event_id=row.event_id,
        who=row.who,
    )
