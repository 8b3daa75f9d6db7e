"""SQL of the exception queue, one function a question."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.entities.model import Reason
from mdm.ids import ExceptionId
from mdm.sources.model import DeliveryException, SourceKey

_EXCEPTION = (
    "SELECT id, kind, entity_type, source_key, fields, source_time, is_deletion, column_map, reasons, state,"
    " recorded_at, fingerprint FROM delivery_exception"
)


def insert_exceptions(connection: Connection, rows: Sequence[Mapping[str, Any]], *, who: str) -> None:
    """Queue exceptions; one that is open already for the same content takes over the reasons, unless it is mended.

    rows  id, kind, entity_type, instance_id, source_key, fields, source_time, is_deletion, column_map, reasons,
          fingerprint
    """
    connection.execute(
        text(
            "INSERT INTO delivery_exception (id, kind, entity_type, instance_id, source_key, fields, source_time,"
            " is_deletion, column_map, reasons, fingerprint, state, who)"
            " SELECT id, kind, entity_type, instance_id, source_key, fields, source_time, is_deletion, column_map,"
            " reasons, fingerprint, 'open', :who FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id text,"
            " kind text, entity_type text, instance_id text, source_key text, fields jsonb, source_time timestamptz,"
            " is_deletion boolean, column_map jsonb, reasons jsonb, fingerprint bigint)"
            " ON CONFLICT (source_key, kind, fingerprint) WHERE state = 'open' DO UPDATE SET reasons ="
            " excluded.reasons, column_map = excluded.column_map WHERE delivery_exception.fields = excluded.fields"
            " AND (delivery_exception.reasons, delivery_exception.column_map)"
            " IS DISTINCT FROM (excluded.reasons, excluded.column_map)"
        ),
        {"rows": as_json(rows), "who": who},
    )


def supersede_exceptions(
    connection: Connection, source_keys: Iterable[SourceKey], *, but: Iterable[int], who: str
) -> None:
    """Close the open exceptions of keys whose newer delivery was stored, but for those with these fingerprints."""
    connection.execute(
        text(
            "UPDATE delivery_exception SET state = 'superseded', closed_at = now(), closed_by = :who"
            " WHERE source_key = ANY(:keys) AND state = 'open' AND fingerprint <> ALL(CAST(:but AS bigint[]))"
        ),
        {"keys": [str(key) for key in source_keys], "but": list(but), "who": who},
    )


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


def close_exception(connection: Connection, exception_id: str, *, state: str, who: str) -> None:
    """Close an exception as replayed or dismissed."""
    connection.execute(
        text("UPDATE delivery_exception SET state = :state, closed_at = now(), closed_by = :who WHERE id = :id"),
        {"id": exception_id, "state": state, "who": who},
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
    )
