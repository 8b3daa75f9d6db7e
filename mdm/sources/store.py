"""SQL of source instances and source records, one function a question."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.ids import EventId, GoldenId, RecordId
from mdm.sources.model import SourceInstance, SourceKey, SourceRecord, WholeMember

_KEY_COLUMNS = "instance_id text, object text, scope text, native_id text"

RECORD = """
SELECT r.id, r.instance_id, r.object, r.scope, r.native_id, r.entity_type, r.state, r.version, r.source_time,
r.golden_id, r.context, v.values, v.warnings, i.rank, lower(btrim(i.system)) AS system, r.ended_because,
i.duplicate_free, r.is_deferred
  FROM source_record r
  JOIN source_record_version v ON v.record_id = r.id AND v.version = r.version
  JOIN source_instance i ON i.id = r.instance_id
"""
# Systems that were registered before they were folded are folded here.
INSTANCES = (
    "SELECT id, lower(btrim(system)) AS system, title, rank, duplicate_free, retired_at FROM source_instance"
    " ORDER BY id"
)
_WHOLE = RECORD.replace(
    "v.warnings",
    "v.warnings, v.undeclared, EXISTS (SELECT FROM source_reference f WHERE f.record_id = r.id) AS has_references,"
    " EXISTS (SELECT FROM value_override o WHERE o.record_id = r.id AND o.ended_at IS NULL) AS is_overridden",
)


def insert_instance(connection: Connection, instance: SourceInstance, *, who: str) -> None:
    """Register an instance, or change its title, rank and promise."""
    connection.execute(
        text(
            "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who)"
            " VALUES (:id, :system, :title, :rank, :duplicate_free, :who)"
            " ON CONFLICT (id) DO UPDATE SET title = excluded.title, rank = excluded.rank,"
            " duplicate_free = excluded.duplicate_free, who = excluded.who"
            " WHERE (source_instance.title, source_instance.rank, source_instance.duplicate_free)"
            " IS DISTINCT FROM (excluded.title, excluded.rank, excluded.duplicate_free)"
        ),
        {
            "id": instance.id,
            "system": instance.system,
            "title": instance.title,
            "rank": instance.rank,
            "duplicate_free": instance.duplicate_free,
            "who": who,
        },
    )


def update_system(connection: Connection, instance_id: str, system: str, *, who: str) -> None:
    """Correct of which system an instance is an installation, once the deliveries that run with the old one ended."""
    connection.execute(text("SELECT FROM source_instance WHERE id = :id FOR UPDATE"), {"id": instance_id})
    connection.execute(
        text("UPDATE source_instance SET system = :system, who = :who WHERE id = :id"),
        {"id": instance_id, "system": system, "who": who},
    )


def select_instances(connection: Connection) -> tuple[SourceInstance, ...]:
    """List the registered instances by id."""
    rows = connection.execute(text(INSTANCES))
    return tuple(SourceInstance(*row) for row in rows)


def select_heads(connection: Connection, keys: Sequence[SourceKey]) -> dict[SourceKey, Row[Any]]:
    """Find what is known of each source key: id, state, version, content_hash, source_time, golden_id, its ending."""
    rows = connection.execute(
        text(
            "SELECT r.instance_id, r.object, r.scope, r.native_id, r.id, r.entity_type, r.state, r.version,"
            " r.content_hash, r.source_time, r.golden_id, r.ended_because, r.successor_id"
            f" FROM source_record r JOIN jsonb_to_recordset(CAST(:keys AS jsonb)) AS k"
            f" ({_KEY_COLUMNS})"
            " USING (instance_id, object, scope, native_id)"
        ),
        {"keys": as_json([_key_row(key) for key in keys])},
    )
    return {SourceKey(row.instance_id, row.object, row.scope, row.native_id): row for row in rows}


def select_gone(connection: Connection, key: SourceKey) -> Row[Any] | None:
    """Find what became of a record that is in no golden record: entity type, state, last golden id, when, by whom."""
    return connection.execute(
        text(
            "SELECT r.entity_type, r.state, r.golden_id,"
            " CASE r.state WHEN 'withdrawn' THEN e.recorded_at ELSE v.recorded_at END AS at,"
            " CASE r.state WHEN 'withdrawn' THEN e.who ELSE v.who END AS who FROM source_record r"
            " JOIN source_record_version v ON v.record_id = r.id AND v.version = r.version"
            " LEFT JOIN identity_event e ON e.id = r.withdrawn_event_id WHERE r.state <> 'active'"
            " AND (r.instance_id, r.object, r.scope, r.native_id) = (:instance_id, :object, :scope, :native_id)"
        ),
        _key_row(key),
    ).one_or_none()


def select_standings(connection: Connection, keys: Sequence[SourceKey]) -> dict[SourceKey, Row[Any]]:
    """Find of each key what is stored (id None: nothing), and what its source said of it.

    Its instance is held, as by a foreign key, so that one that is being retired waits for whoever delivers to it.
    has_facts     facts of its source may end it or let it live: told of the key, waiting for it, or of the instance
    has_exceptions  a delivery of it waits to be mended
    is_forwarded  it was given up for another key
    values        what its newest version says
    """
    printed = (
        "k.instance_id || '/' || k.object || CASE WHEN k.scope = '' THEN '' ELSE '/' || k.scope END"
        " || ':' || k.native_id"
    )
    rows = connection.execute(
        text(
            "SELECT k.instance_id, k.object, k.scope, k.native_id, r.id, r.entity_type, r.state, r.version,"
            " r.content_hash, r.source_time, r.golden_id, r.is_deferred, v.values,"
            " coalesce(r.ended_because <> 'instance_retired', false) AS is_forwarded,"
            " i.retired_at IS NOT NULL OR r.ended_because IS NOT NULL"
            f" OR EXISTS (SELECT FROM source_event e WHERE e.source_key = {printed} AND e.other_key IS NOT NULL"
            "  AND e.ended_at IS NULL)"
            f" OR EXISTS (SELECT FROM source_event e WHERE e.other_key = {printed} AND e.event_id IS NULL"
            "  AND e.ended_at IS NULL) AS has_facts,"
            f" EXISTS (SELECT FROM delivery_exception x WHERE x.source_key = {printed} AND x.state = 'open')"
            "  AS has_exceptions"
            f" FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS k ({_KEY_COLUMNS})"
            " JOIN source_instance i ON i.id = k.instance_id"
            " LEFT JOIN source_record r USING (instance_id, object, scope, native_id)"
            " LEFT JOIN source_record_version v ON v.record_id = r.id AND v.version = r.version FOR KEY SHARE OF i"
        ),
        {"keys": as_json([_key_row(key) for key in keys])},
    )
    return {SourceKey(row.instance_id, row.object, row.scope, row.native_id): row for row in rows}


def select_alike(connection: Connection, key: SourceKey) -> list[str]:
    """Find a few printed keys of the same instance and native id under another object or scope, or in another case."""
    spellings = sorted({key.native_id, key.native_id.upper(), key.native_id.lower()})
    rows = connection.execute(
        text(
            "SELECT instance_id, object, scope, native_id FROM source_record WHERE instance_id = :instance"
            " AND native_id = ANY(:spellings) ORDER BY object, scope, native_id LIMIT 3"
        ),
        {"instance": key.instance, "spellings": spellings},
    )
    return [str(SourceKey(row.instance_id, row.object, row.scope, row.native_id)) for row in rows]


def select_last_payloads(connection: Connection, keys: Sequence[SourceKey]) -> dict[SourceKey, Row[Any]]:
    """Give of each known record what it said last: record_id, golden_id, fields, shown, undeclared and source_time."""
    rows = connection.execute(
        text(
            "SELECT r.instance_id, r.object, r.scope, r.native_id, r.id AS record_id, r.golden_id, v.fields,"
            " v.values AS shown, v.undeclared, v.source_time"
            f" FROM source_record r JOIN jsonb_to_recordset(CAST(:keys AS jsonb)) AS k ({_KEY_COLUMNS})"
            " USING (instance_id, object, scope, native_id)"
            " JOIN source_record_version v ON v.record_id = r.id AND v.version = r.version"
        ),
        {"keys": as_json([_key_row(key) for key in keys])},
    )
    return {SourceKey(row.instance_id, row.object, row.scope, row.native_id): row for row in rows}


def select_anchor(connection: Connection, golden_id: GoldenId, *, apart_from: RecordId) -> Row[Any] | None:
    """Give id and golden id of the oldest living record of a golden record, or of what it forwards to."""
    return connection.execute(
        text(
            "SELECT r.id, r.golden_id FROM golden_record g JOIN source_record r ON r.golden_id = coalesce(g.forward_to,"
            " g.id) WHERE g.id = :golden AND r.id <> :apart AND r.state = 'active' AND r.ended_because IS NULL"
            " ORDER BY r.id LIMIT 1"
        ),
        {"golden": golden_id, "apart": apart_from},
    ).one_or_none()


def upsert_records(connection: Connection, rows: Sequence[Mapping[str, Any]], *, at: datetime, who: str) -> None:
    """Write the newest version of each record: its head and its version row; what it pointed at before is forgotten.

    rows  id, entity_type, instance_id, object, scope, native_id, state, version, content_hash, source_time,
          fields, values, undeclared, warnings
    """
    connection.execute(
        text(
            "WITH r AS MATERIALIZED (SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id text,"
            f" entity_type text, {_KEY_COLUMNS}, state text, version int, content_hash text, source_time timestamptz,"
            " fields jsonb, values jsonb, undeclared jsonb, warnings jsonb)),"
            " forgotten AS (DELETE FROM source_reference WHERE record_id = ANY(:ids)),"
            " head AS (INSERT INTO source_record (id, entity_type, instance_id, object, scope, native_id, state,"
            " version, content_hash, source_time, recorded_at, who)"
            " SELECT id, entity_type, instance_id, object, scope, native_id, state, version, decode(content_hash,"
            " 'hex'), source_time, :at, :who FROM r"
            " ON CONFLICT (id) DO UPDATE SET state = CASE WHEN source_record.withdrawn_event_id IS NOT NULL AND"
            " excluded.state = 'active' THEN 'withdrawn' ELSE excluded.state END, version = excluded.version,"
            " who = excluded.who, content_hash = excluded.content_hash, recorded_at = excluded.recorded_at,"
            " unseen_because = NULL,"
            " ended_because = CASE WHEN excluded.state <> 'deleted' THEN source_record.ended_because END,"
            " successor_id = CASE WHEN excluded.state <> 'deleted' THEN source_record.successor_id END,"
            " source_time = coalesce(excluded.source_time, source_record.source_time))"
            " INSERT INTO source_record_version (record_id, version, state, fields, values, undeclared, warnings,"
            " content_hash, source_time, recorded_at, who)"
            " SELECT id, version, state, fields, values, undeclared, warnings, decode(content_hash, 'hex'),"
            " source_time, :at, :who FROM r"
        ),
        {
            "rows": as_json(rows),
            "ids": [str(row["id"]) for row in rows if row["version"] > 1],
            "at": at,
            "who": who,
        },
    )


def select_records(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[SourceRecord, ...]:
    """Load records with their newest values, by id."""
    rows = connection.execute(
        text(f"{RECORD} WHERE r.id = ANY(:ids) ORDER BY r.id"), {"ids": [str(id_) for id_ in record_ids]}
    )
    return tuple(record_of(row) for row in rows)


def select_members(connection: Connection, golden_ids: Iterable[GoldenId]) -> tuple[SourceRecord, ...]:
    """Load the active members of golden records, by golden id and source key."""
    rows = connection.execute(
        text(
            f"{RECORD} WHERE r.golden_id = ANY(:ids) AND r.state = 'active'"
            " ORDER BY r.golden_id, r.instance_id, r.object, r.scope, r.native_id"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return tuple(record_of(row) for row in rows)


def select_members_whole(connection: Connection, golden_ids: Iterable[GoldenId]) -> tuple[WholeMember, ...]:
    """Do the same, each with the columns that no attribute claims, and with what else there is of it to be read."""
    rows = connection.execute(
        text(
            f"{_WHOLE}"
            " WHERE r.golden_id = ANY(:ids) AND r.state = 'active'"
            " ORDER BY r.golden_id, r.instance_id, r.object, r.scope, r.native_id"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return tuple(WholeMember(record_of(row), row.undeclared, row.has_references, row.is_overridden) for row in rows)


def select_golden_ids(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[GoldenId, ...]:
    """List the golden records that active records belong to, by id."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT golden_id FROM source_record WHERE id = ANY(:ids) AND state = 'active'"
            " AND golden_id IS NOT NULL ORDER BY 1"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple(map(GoldenId, rows.scalars()))


def update_contexts(connection: Connection, context_by_record: Mapping[RecordId, str]) -> None:
    """Note the parent that records are matched within."""
    rows = [{"id": record_id, "context": context} for record_id, context in context_by_record.items()]
    connection.execute(
        text(
            "UPDATE source_record r SET context = c.context FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c (id"
            " text, context text)"
            " WHERE r.id = c.id AND r.context <> c.context"
        ),
        {"rows": as_json(rows)},
    )


def update_deferred(connection: Connection, record_ids: Iterable[RecordId], *, deferred: Collection[RecordId]) -> None:
    """Mark those of these records whose blocks were too large to search online, and clear the mark of the others."""
    connection.execute(
        text(
            "UPDATE source_record SET is_deferred = NOT is_deferred"
            " WHERE id = ANY(:ids) AND is_deferred <> (id = ANY(:deferred))"
        ),
        {"ids": [str(id_) for id_ in record_ids], "deferred": [str(id_) for id_ in deferred]},
    )


def withdraw(connection: Connection, record_ids: Sequence[RecordId], *, event_id: EventId) -> None:
    """Take records out of the hub's answers, whatever their source says."""
    connection.execute(
        text(
            "UPDATE source_record SET withdrawn_event_id = :event_id, state = CASE state WHEN 'active' THEN 'withdrawn'"
            " ELSE state END WHERE id = ANY(:ids)"
        ),
        {"ids": [str(id_) for id_ in record_ids], "event_id": event_id},
    )


def bring_back(connection: Connection, record_ids: Sequence[RecordId]) -> int:
    """Let withdrawn records be what their source says of them; return how many of them are active then."""
    states = connection.execute(
        text(
            "UPDATE source_record r SET withdrawn_event_id = NULL, state = v.state FROM source_record_version v"
            " WHERE v.record_id = r.id AND v.version = r.version AND r.id = ANY(:ids) RETURNING r.state"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    ).scalars()
    return sum(state == "active" for state in states)


def select_withdrawn(connection: Connection, golden_id: GoldenId) -> tuple[RecordId, ...]:
    """List the withdrawn records that belonged to a golden record last."""
    rows = connection.execute(
        text("SELECT id FROM source_record WHERE golden_id = :id AND withdrawn_event_id IS NOT NULL ORDER BY id"),
        {"id": golden_id},
    )
    return tuple(map(RecordId, rows.scalars()))


def select_retirements(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[tuple[EventId, GoldenId], ...]:
    """Return (event, golden record) of each retirement that withdrew some of these, if their source still has them."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT withdrawn_event_id, golden_id FROM source_record WHERE id = ANY(:ids)"
            " AND state = 'withdrawn' ORDER BY withdrawn_event_id, golden_id"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple((EventId(row.withdrawn_event_id), GoldenId(row.golden_id)) for row in rows)


def select_keys(connection: Connection, record_ids: Iterable[RecordId]) -> dict[RecordId, SourceKey]:
    """Return the source keys of records."""
    rows = connection.execute(
        text("SELECT id, instance_id, object, scope, native_id FROM source_record WHERE id = ANY(:ids)"),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return {RecordId(row[0]): SourceKey(*row[1:]) for row in rows}


def select_deferred(connection: Connection, entity_types: Sequence[str], *, limit: int) -> tuple[SourceRecord, ...]:
    """List records that wait for a wider search, by chance: one that has to wait for long must not hold up others."""
    rows = connection.execute(
        text(
            f"{RECORD} WHERE r.is_deferred AND r.state = 'active' AND r.entity_type = ANY(:types)"
            " ORDER BY random() LIMIT :limit"
        ),
        {"types": list(entity_types), "limit": limit},
    )
    return tuple(record_of(row) for row in rows)


def count_deferred(connection: Connection, record_ids: Iterable[RecordId]) -> int:
    """Count those of these records that wait for a wider search."""
    query = text("SELECT count(*) FROM source_record WHERE id = ANY(:ids) AND is_deferred")
    return int(connection.execute(query, {"ids": [str(id_) for id_ in record_ids]}).scalar_one())


def _key_row(key: SourceKey) -> dict[str, str]:
    return {"instance_id": key.instance, "object": key.object, "scope": key.scope, "native_id": key.native_id}


def record_of(row: Any) -> SourceRecord:
    """Read a row of `RECORD`."""
    return SourceRecord(
        id=RecordId(row.id),
        key=SourceKey(row.instance_id, row.object, row.scope, row.native_id),
        entity_type=row.entity_type,
        state=row.state,
        version=row.version,
        source_time=row.source_time,
        golden_id=GoldenId(row.golden_id) if row.golden_id else None,
        values=row.values,
        source_rank=row.rank,
        duplicate_free=row.duplicate_free,
        context=row.context,
        invalid_attributes=frozenset(field for field, _, _ in row.warnings),
        holds=tuple(sorted(code for _, code, severity in row.warnings if severity == "hold_publishing")),
        ended_because=row.ended_because,
        is_deferred=row.is_deferred,
        system=row.system,
    )
