"""SQL of reservations, one function a question."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.activation.reservation_model import Reservation, ReservationFilter
from mdm.db.statement import text
from mdm.ids import GoldenId, RecordId, ReservationId
from mdm.sources.model import SourceKey

_RESERVATION = (
    "SELECT q.id, q.entity_type, q.instance_id, q.record_id, r.golden_id, q.state, q.reference, q.recorded_at, q.who,"
    " q.expires_at, q.source_key, q.ended_at, q.ended_by FROM reservation q JOIN source_record r ON r.id = q.record_id"
)


def insert_reservation(connection: Connection, made: Reservation, *, is_published: bool) -> None:
    """Keep a new reservation; `is_published` leaves the creating to the hub."""
    connection.execute(
        text(
            "INSERT INTO reservation (id, entity_type, instance_id, record_id, reference, is_published, state,"
            " expires_at, recorded_at, who) VALUES (:id, :entity_type, :source, :record_id, :reference, :is_published,"
            " 'open', :expires_at, :recorded_at, :who)"
        ),
        {
            "id": made.id,
            "entity_type": made.entity_type,
            "source": made.source,
            "record_id": made.record_id,
            "reference": made.reference or None,
            "is_published": is_published,
            "expires_at": made.expires_at,
            "recorded_at": made.recorded_at,
            "who": made.who,
        },
    )


def select_reservation(connection: Connection, reservation_id: str, *, for_update: bool = False) -> Reservation | None:
    """Find one reservation; `for_update` keeps others from ending it."""
    lock = " FOR UPDATE OF q" if for_update else ""
    row = connection.execute(text(f"{_RESERVATION} WHERE q.id = :id{lock}"), {"id": reservation_id}).one_or_none()
    return _reservation(row) if row is not None else None


def select_held(
    connection: Connection, *, who: str, reference: str, entity_type: str, source: str
) -> Reservation | None:
    """Find what a caller holds, or confirmed, under a reference."""
    row = connection.execute(
        text(
            f"{_RESERVATION} WHERE q.who = :who AND q.reference = :reference AND q.entity_type = :entity_type"
            " AND q.instance_id = :source AND q.state IN ('open', 'confirmed')"
            " ORDER BY q.state = 'open' DESC, q.id DESC LIMIT 1"
        ),
        {"who": who, "reference": reference, "entity_type": entity_type, "source": source},
    ).one_or_none()
    return _reservation(row) if row is not None else None


def select_alike(connection: Connection, *, content_hash: bytes, entity_type: str, source: str) -> Reservation | None:
    """Find an open reservation of the same content for the same source."""
    row = connection.execute(
        text(
            f"{_RESERVATION} WHERE q.state = 'open' AND q.entity_type = :entity_type AND q.instance_id = :source"
            " AND r.content_hash = :content_hash ORDER BY q.id LIMIT 1"
        ),
        {"content_hash": content_hash, "entity_type": entity_type, "source": source},
    ).one_or_none()
    return _reservation(row) if row is not None else None


def select_open_on(connection: Connection, golden_id: GoldenId, *, source: str) -> Reservation | None:
    """Find the oldest open reservation of a source in a golden record."""
    row = connection.execute(
        text(
            f"{_RESERVATION} WHERE r.golden_id = :golden_id AND r.state = 'active' AND q.instance_id = :source"
            " AND q.state = 'open' ORDER BY q.id LIMIT 1"
        ),
        {"golden_id": golden_id, "source": source},
    ).one_or_none()
    return _reservation(row) if row is not None else None


def select_content_hash(connection: Connection, record_id: RecordId) -> bytes:
    """Return the hash of what a record holds."""
    query = text("SELECT content_hash FROM source_record WHERE id = :id")
    return bytes(connection.execute(query, {"id": record_id}).scalar_one())


def select_due(connection: Connection, *, at: datetime) -> Reservation | None:
    """Take one open reservation whose time is over, by chance: one that cannot be ended must not hold up others."""
    row = connection.execute(
        text(
            f"{_RESERVATION} WHERE q.state = 'open' AND q.expires_at <= :at ORDER BY random() LIMIT 1"
            " FOR UPDATE OF q SKIP LOCKED"
        ),
        {"at": at},
    ).one_or_none()
    return _reservation(row) if row is not None else None


def select_reservations(
    connection: Connection, asked: ReservationFilter, *, after: str, limit: int
) -> tuple[Reservation, ...]:
    """List reservations by id, which is the order in which they were made."""
    rows = connection.execute(
        text(
            f"{_RESERVATION} WHERE (CAST(:state AS text) IS NULL OR q.state = :state)"
            " AND (CAST(:source AS text) IS NULL OR q.instance_id = :source)"
            " AND (CAST(:entity_type AS text) IS NULL OR q.entity_type = :entity_type) AND q.id > :after"
            " ORDER BY q.id LIMIT :limit"
        ),
        {
            "state": asked.state,
            "source": asked.source,
            "entity_type": asked.entity_type,
            "after": after,
            "limit": limit,
        },
    )
    return tuple(_reservation(row) for row in rows)


def end_reservation(connection: Connection, ended: Reservation) -> None:
    """Write how and when a reservation ended; one that expired may be confirmed later."""
    connection.execute(
        text(
            "UPDATE reservation SET state = :state, source_key = :source_key, ended_at = :ended_at,"
            " ended_by = :ended_by WHERE id = :id"
        ),
        {
            "id": ended.id,
            "state": ended.state,
            "source_key": None if ended.source_key is None else str(ended.source_key),
            "ended_at": ended.ended_at,
            "ended_by": ended.ended_by,
        },
    )


def select_reviews(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[str, ...]:
    """List the open reviews in which any of these records stands."""
    rows = connection.execute(
        text(
            "SELECT id FROM review WHERE state = 'open' AND (left_id = ANY(:ids) OR right_id = ANY(:ids)) ORDER BY id"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple(rows.scalars())


def _reservation(row: Row[Any]) -> Reservation:
    return Reservation(
        id=ReservationId(row.id),
        entity_type=row.entity_type,
        source=row.instance_id,
        record_id=RecordId(row.record_id),
        golden_id=GoldenId(row.golden_id),
        state=row.state,
        reference=row.reference or "",
        recorded_at=row.recorded_at,
        who=row.who,
        expires_at=row.expires_at,
        source_key=None if row.source_key is None else SourceKey.parse(row.source_key),
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
