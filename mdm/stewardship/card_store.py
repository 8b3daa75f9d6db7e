"""SQL that only the review card needs, one function a question: children by side, and what happened lately."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.identity.model import GoldenRecord
from mdm.ids import EventId, GoldenId, RecordId, ReviewId
from mdm.publishing.model import Target
from mdm.sources.model import SourceInstance
from mdm.stewardship.card_model import Happened
from mdm.survivorship.model import GoldenVersion


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A golden record that points at another one; `count` and `open_count` are of all alike, this one among them."""

    parent_id: GoldenId
    golden_id: GoldenId
    entity_type: str
    values: dict[str, Any]
    count: int
    open_count: int


@dataclass(frozen=True, slots=True)
class Stand:
    """A golden record as it stands, with what it shows and the ids of its members."""

    golden: GoldenRecord
    version: GoldenVersion
    member_ids: frozenset[RecordId]


def select_stands(connection: Connection, golden_ids: Iterable[GoldenId]) -> dict[GoldenId, Stand]:
    """Load golden records with their newest versions and their members' ids."""
    rows = connection.execute(
        text(
            "SELECT g.id, g.entity_type, g.state, g.forward_to, g.version, g.is_confirmed, g.is_acknowledged, v.values,"
            " v.lineage, v.completeness, v.held, v.recorded_from, v.event_id, v.who,"
            " ARRAY(SELECT r.id FROM source_record r WHERE r.golden_id = g.id AND r.state = 'active') AS member_ids"
            " FROM golden_record g JOIN golden_version v ON v.golden_id = g.id AND v.recorded_to IS NULL"
            " WHERE g.id = ANY(:ids)"
        ),
        {"ids": [str(id_) for id_ in golden_ids]},
    )
    return {GoldenId(row.id): _stand(row) for row in rows}


def select_places(connection: Connection) -> tuple[tuple[SourceInstance, ...], tuple[Target, ...]]:
    """List the source instances and the targets, by id."""
    rows = connection.execute(
        text(
            "SELECT id, system, title, rank, duplicate_free, retired_at, CAST(NULL AS jsonb) AS entity_types,"
            " CAST(NULL AS jsonb) AS configuration, false AS is_target FROM source_instance"
            " UNION ALL SELECT id, kind, NULL, NULL, NULL, NULL, entity_types, configuration, true FROM target"
            " ORDER BY id"
        )
    ).all()
    return (
        tuple(SourceInstance(*row[:6]) for row in rows if not row.is_target),
        tuple(Target(row.id, row.system, tuple(row.entity_types), row.configuration) for row in rows if row.is_target),
    )


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


def select_happened(
    connection: Connection, golden_ids: Iterable[GoldenId], review_id: ReviewId, *, limit: int
) -> tuple[tuple[Happened, ...], bool]:
    """List the versions that golden records got, newest first, with the events that made them.

    Tells also whether anything was said to the review: a comment or an answer.
    """
    rows = connection.execute(
        text(
            "SELECT v.golden_id, v.version, v.state, v.forward_to, v.recorded_from, v.who, v.event_id, e.kind,"
            " left(e.cause, :length) AS cause, EXISTS (SELECT FROM review_comment c WHERE c.review_id = :review_id)"
            " OR EXISTS (SELECT FROM review_answer a WHERE a.review_id = :review_id) AS is_said"
            " FROM golden_version v JOIN identity_event e ON e.id = v.event_id"
            " WHERE v.golden_id = ANY(:ids) ORDER BY v.recorded_from DESC, v.golden_id, v.version DESC LIMIT :limit"
        ),
        {"ids": [str(id_) for id_ in golden_ids], "review_id": review_id, "limit": limit, "length": 2_000},
    ).all()
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
    ), not rows or rows[0].is_said


def _stand(row: Row[Any]) -> Stand:
    golden_id, forward_to = GoldenId(row.id), GoldenId(row.forward_to) if row.forward_to else None
    return Stand(
        GoldenRecord(
            id=golden_id,
            entity_type=row.entity_type,
            state=row.state,
            forward_to=forward_to,
            version=row.version,
            is_confirmed=row.is_confirmed,
            is_acknowledged=row.is_acknowledged,
        ),
        GoldenVersion(
            golden_id=golden_id,
            entity_type=row.entity_type,
            version=row.version,
            state=row.state,
            forward_to=forward_to,
            values=row.values,
            lineage=row.lineage,
            completeness=row.completeness,
            held=tuple(row.held),
            recorded_from=row.recorded_from,
            recorded_to=None,
            event_id=row.event_id,
            who=row.who,
        ),
        frozenset(map(RecordId, row.member_ids)),
    )
