"""SQL of the exception queue, one function a question."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.entities.model import Reason
from mdm.ids import ExceptionId
from mdm.sources.exceptions_model import ExceptionFilter, ReasonGroup
from mdm.sources.model import DeliveryException, SourceKey

_EXCEPTION = (
    "SELECT id, kind, entity_type, source_key, fields, source_time, is_deletion, column_map, reasons, state,"
    " recorded_at, fingerprint, closed_at, closed_by, note FROM delivery_exception"
)

_FILTER = (
    " WHERE state = :state AND (CAST(:kind AS text) IS NULL OR kind = :kind)"
    " AND (CAST(:source AS text) IS NULL OR instance_id = :source)"
    " AND (CAST(:entity_type AS text) IS NULL OR entity_type = :entity_type)"
    " AND (CAST(:since AS timestamptz) IS NULL OR recorded_at >= :since)"
    " AND (CAST(:beginning AS text) IS NULL OR id > :beginning)"
    " AND (CAST(:reason AS jsonb) IS NULL OR reasons @> CAST(:reason AS jsonb))"
    " AND (CAST(:types AS text[]) IS NULL OR entity_type = ANY(:types) OR (entity_type, instance_id) IN"
    " (SELECT * FROM unnest(CAST(:few_types AS text[]), CAST(:few_sources AS text[]))))"
)


def insert_exceptions(connection: Connection, rows: Sequence[Mapping[str, Any]], *, who: str) -> None:
    """Queue exceptions; one that is open already for the same content is as new as its last delivery.

    It takes over the reasons too, unless it is mended.

    rows  id, kind, entity_type, instance_id, source_key, fields, source_time, is_deletion, column_map, reasons,
          fingerprint
    """
    connection.execute(
        text(
            "INSERT INTO delivery_exception AS x (id, kind, entity_type, instance_id, source_key, fields, source_time,"
            " is_deletion, column_map, reasons, fingerprint, state, who)"
            " SELECT id, kind, entity_type, instance_id, source_key, fields, source_time, is_deletion, column_map,"
            " reasons, fingerprint, 'open', :who FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id text,"
            " kind text, entity_type text, instance_id text, source_key text, fields jsonb, source_time timestamptz,"
            " is_deletion boolean, column_map jsonb, reasons jsonb, fingerprint bigint)"
            " ON CONFLICT (source_key, kind, fingerprint) WHERE state = 'open' DO UPDATE SET"
            " reasons = CASE WHEN x.fields = excluded.fields THEN excluded.reasons ELSE x.reasons END,"
            " column_map = CASE WHEN x.fields = excluded.fields THEN excluded.column_map ELSE x.column_map END,"
            " source_time = coalesce(excluded.source_time, x.source_time)"
            " WHERE x.source_time IS DISTINCT FROM coalesce(excluded.source_time, x.source_time)"
            " OR (x.fields = excluded.fields"
            " AND (x.reasons, x.column_map) IS DISTINCT FROM (excluded.reasons, excluded.column_map))"
        ),
        {"rows": as_json(rows), "who": who},
    )


def supersede_exceptions(
    connection: Connection,
    time_by_key: Mapping[SourceKey, datetime | None],
    *,
    kinds: Collection[str],
    but: Iterable[int],
    who: str,
) -> None:
    """Close the open exceptions of keys of which a delivery came, but for newer ones and those of these fingerprints.

    A delivery without a source time counts as newer than all that waits.
    """
    rows = [{"source_key": str(key), "source_time": time} for key, time in time_by_key.items()]
    connection.execute(
        text(
            "UPDATE delivery_exception x SET state = 'superseded', closed_at = now(), closed_by = :who"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (source_key text, source_time timestamptz)"
            " WHERE x.source_key = n.source_key AND x.state = 'open' AND x.kind = ANY(:kinds)"
            " AND (x.source_time > n.source_time) IS NOT TRUE AND x.fingerprint <> ALL(CAST(:but AS bigint[]))"
        ),
        {"rows": as_json(rows), "kinds": list(kinds), "but": list(but), "who": who},
    )


def select_rejection_times(connection: Connection, source_keys: Iterable[str]) -> dict[str, datetime]:
    """Give of each key the newest source time among its rejected deliveries that wait, where they have one."""
    rows = connection.execute(
        text(
            "SELECT source_key, max(source_time) AS newest FROM delivery_exception WHERE source_key = ANY(:keys)"
            " AND state = 'open' AND kind = 'rejected' AND source_time IS NOT NULL GROUP BY source_key"
        ),
        {"keys": list(source_keys)},
    )
    return {row.source_key: row.newest for row in rows}


def select_exceptions(
    connection: Connection, *, state: str, source: str | None, after: str, limit: int
) -> tuple[DeliveryException, ...]:
    """List exceptions in the order they were queued."""
    rows = connection.execute(
        text(
            f"{_EXCEPTION} WHERE state = :state AND (CAST(:source AS text) IS NULL OR instance_id = :source) AND id >"
            f" :after"
            " ORDER BY id LIMIT :limit"
        ),
        {"state": state, "source": source, "after": after, "limit": limit},
    )
    return tuple(_exception(row) for row in rows)


def select_filtered(
    connection: Connection, asked: ExceptionFilter, *, after: str, limit: int
) -> tuple[DeliveryException, ...]:
    """List the exceptions that a filter lets through, in the order they were queued."""
    rows = connection.execute(
        text(f"{_EXCEPTION}{_FILTER} AND id > :after ORDER BY id LIMIT :limit"),
        {**_named(asked), "after": after, "limit": limit},
    )
    return tuple(_exception(row) for row in rows)


def select_groups(connection: Connection, asked: ExceptionFilter, *, limit: int) -> tuple[ReasonGroup, ...]:
    """Count what a filter lets through by entity type, source, kind and reason, the largest group first.

    An exception counts once under each reason that it has.
    """
    rows = connection.execute(
        text(
            "SELECT entity_type, instance_id, kind, r.code, r.field, max(r.severity) AS severity,"
            " count(DISTINCT id) AS n, min(recorded_at) AS since, max(recorded_at) AS until, min(id) AS example,"
            " (array_agg(r.message ORDER BY id))[1] AS message, (array_agg(r.remedy ORDER BY id))[1] AS remedy"
            " FROM delivery_exception CROSS JOIN LATERAL jsonb_to_recordset(reasons) AS r (code text, field text,"
            f" message text, remedy text, severity text){_FILTER}"
            " AND (CAST(:code AS text) IS NULL OR r.code = :code) AND (CAST(:field AS text) IS NULL OR r.field ="
            " :field) GROUP BY 1, 2, 3, 4, 5 ORDER BY n DESC, 1, 2, 3, 4, 5 LIMIT :limit"
        ),
        {**_named(asked), "limit": limit},
    )
    return tuple(
        ReasonGroup(
            entity_type=row.entity_type,
            source=row.instance_id,
            kind=row.kind,
            code=row.code,
            field=row.field,
            severity=row.severity,
            count=row.n,
            oldest_at=row.since,
            newest_at=row.until,
            example_id=ExceptionId(row.example),
            message=row.message,
            remedy=row.remedy,
        )
        for row in rows
    )


def count_filtered(connection: Connection, asked: ExceptionFilter) -> int:
    """Count what a filter lets through."""
    return int(
        connection.execute(text(f"SELECT count(*) FROM delivery_exception{_FILTER}"), _named(asked)).scalar_one()
    )


def select_fields(connection: Connection, exception_ids: Sequence[ExceptionId]) -> dict[ExceptionId, Mapping[str, Any]]:
    """Read the fields of exceptions."""
    rows = connection.execute(
        text("SELECT id, fields FROM delivery_exception WHERE id = ANY(:ids)"), {"ids": list(map(str, exception_ids))}
    )
    return {ExceptionId(row.id): row.fields for row in rows}


def select_newest_open(connection: Connection, source_key: str) -> ExceptionId:
    """Return the newest open exception about a key."""
    query = text(
        "SELECT id FROM delivery_exception WHERE source_key = :key AND state = 'open' ORDER BY id DESC LIMIT 1"
    )
    return ExceptionId(connection.execute(query, {"key": source_key}).scalar_one())


def select_exception(
    connection: Connection, exception_id: str, *, for_update: bool = False
) -> DeliveryException | None:
    """Find one exception, locked until the transaction ends when it is to be changed."""
    lock = " FOR UPDATE" if for_update else ""
    row = connection.execute(text(f"{_EXCEPTION} WHERE id = :id{lock}"), {"id": exception_id}).one_or_none()
    return _exception(row) if row is not None else None


def select_replayed(
    connection: Connection, source_keys: Iterable[str], fingerprints: Iterable[int]
) -> tuple[tuple[int, DeliveryException], ...]:
    """List (fingerprint as delivered, exception) of replayed ones, the latest replay of each last."""
    rows = connection.execute(
        text(
            f"{_EXCEPTION} WHERE state = 'replayed' AND source_key = ANY(:keys)"
            " AND fingerprint = ANY(CAST(:fingerprints AS bigint[])) ORDER BY closed_at, id"
        ),
        {"keys": list(source_keys), "fingerprints": list(fingerprints)},
    )
    return tuple((row.fingerprint, _exception(row)) for row in rows)


def close_exception(connection: Connection, exception_id: str, *, state: str, who: str, note: str = "") -> None:
    """Close an exception as replayed or dismissed."""
    connection.execute(
        text(
            "UPDATE delivery_exception SET state = :state, closed_at = now(), closed_by = :who,"
            " note = NULLIF(:note, '') WHERE id = :id"
        ),
        {"id": exception_id, "state": state, "who": who, "note": note},
    )


def update_exception_fields(connection: Connection, exception_id: str, fields: Mapping[str, Any]) -> None:
    """Put mended fields in place of the delivered ones."""
    connection.execute(
        text("UPDATE delivery_exception SET fields = CAST(:fields AS jsonb) WHERE id = :id"),
        {"id": exception_id, "fields": as_json(fields)},
    )


def update_exception_reasons(connection: Connection, exception_id: str, reasons: Sequence[Mapping[str, Any]]) -> None:
    """Put the reasons of another attempt in place of the old ones."""
    connection.execute(
        text("UPDATE delivery_exception SET reasons = CAST(:reasons AS jsonb) WHERE id = :id"),
        {"id": exception_id, "reasons": as_json(reasons)},
    )


def count_exceptions(connection: Connection) -> dict[tuple[str, str], int]:
    """Count open exceptions by kind and first reason code."""
    rows = connection.execute(
        text(
            "SELECT kind, reasons -> 0 ->> 'code' AS code, count(*) AS n FROM delivery_exception WHERE state = 'open'"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
    )
    return {(row.kind, row.code): row.n for row in rows}


def _named(asked: ExceptionFilter) -> dict[str, Any]:
    reason = {name: told for name, told in (("code", asked.code), ("field", asked.field)) if told is not None}
    limits = asked.limits
    return {
        "state": asked.state,
        "kind": asked.kind,
        "source": asked.source,
        "entity_type": asked.entity_type,
        "since": asked.since,
        "beginning": asked.after,
        "reason": as_json([reason]) if reason else None,
        "code": asked.code,
        "field": asked.field,
        "types": None if limits is None else list(limits.whole_types),
        "few_types": [] if limits is None else [name for name, _ in limits.pairs],
        "few_sources": [] if limits is None else [source for _, source in limits.pairs],
    }


def _exception(row: Row[Any]) -> DeliveryException:
    return DeliveryException(
        id=ExceptionId(row.id),
        kind=row.kind,
        entity_type=row.entity_type,
        source_key=row.source_key,
        fields=row.fields,
        source_time=row.source_time,
        reasons=tuple(Reason(**reason) for reason in row.reasons),
        state=row.state,
        recorded_at=row.recorded_at,
        is_deletion=row.is_deletion,
        column_map=row.column_map,
        closed_at=row.closed_at,
        closed_by=row.closed_by or "",
        note=row.note or "",
    )
