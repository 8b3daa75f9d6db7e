"""SQL that only the review card needs, one function a question: children by side, and what happened lately."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.ids import EventId, GoldenId
from mdm.stewardship.card_model import Happened


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A golden record that points at another one; `count` and `open_count` are of all alike, this one among them."""

    parent_id: GoldenId
    golden_id: GoldenId
    entity_type: str
    values: dict[str, Any]
    count: int
    open_count: int


def select_children(
    connection: Connection, golden_ids: Sequence[GoldenId], *, closed: Iterable[str], limit: int
) -> tuple[ChildRow, ...]:
    """Count by parent and entity type the golden records that point at these, and load the newest of each.

    closed  words of the attribute `status` that say that a record is over
    """
    rows = connection.execute(
        text(
            "WITH own AS (SELECT golden_id, instance_id, native_id, entity_type, scope FROM source_record"
            "  WHERE golden_id = ANY(:ids) AND state = 'active'),"
            " child AS (SELECT DISTINCT o.golden_id AS parent_id, c.golden_id, c.entity_type FROM own o"
            "  JOIN source_reference f ON f.instance_id = o.instance_id AND f.native_id = o.native_id"
            "   AND f.entity_type = o.entity_type AND o.scope IN (f.scope, '')"
            "  JOIN source_record c ON c.id = f.record_id AND c.state = 'active' AND c.golden_id <> ALL(:ids)),"
            " ranked AS (SELECT c.parent_id, c.golden_id, c.entity_type, v.values,"
            "   count(*) OVER w AS n, count(*) FILTER (WHERE coalesce(v.values ->> 'status', '') <> ALL(:closed))"
            "   OVER w AS open_n, row_number() OVER (PARTITION BY c.parent_id, c.entity_type ORDER BY c.golden_id DESC)"
            "   AS place FROM child c JOIN golden_version v ON v.golden_id = c.golden_id AND v.recorded_to IS NULL"
            "  WINDOW w AS (PARTITION BY c.parent_id, c.entity_type))"
            " SELECT * FROM ranked WHERE place <= :limit ORDER BY parent_id, entity_type, place"
        ),
        {"ids": [str(id_) for id_ in golden_ids], "closed": list(closed), "limit": limit},
    )
    return tuple(
        ChildRow(GoldenId(row.parent_id), GoldenId(row.golden_id), row.entity_type, row.values, row.n, row.open_n)
        for row in rows
    )


def select_happened(connection: Connection, golden_ids: Iterable[GoldenId], *, limit: int) -> tuple[Happened, ...]:
    """List the versions that golden records got, newest first, with the events that made them."""
    rows = connection.execute(
        text(
            "SELECT v.golden_id, v.version, v.state, v.forward_to, v.recorded_from, v.who, v.event_id, e.kind,"
            " left(e.cause, :length) AS cause FROM golden_version v JOIN identity_event e ON e.id = v.event_id"
            " WHERE v.golden_id = ANY(:ids) ORDER BY v.recorded_from DESC, v.golden_id, v.version DESC LIMIT :limit"
        ),
        {"ids": [str(id_) for id_ in golden_ids], "limit": limit, "length": 2_000},
    )
    return tuple(
        Happened(
            golden_id=GoldenId(row.golden_id),
            version=row.version,
            state=row.state,
            forward_to=GoldenId(row.forward_to) if row.forward_to else None,
            kind=row.kind,
            reason=row.cause,
            event_id=EventId(row.event_id),
            recorded_at=row.recorded_from,
            who=row.who,
        )
        for row in rows
    )
