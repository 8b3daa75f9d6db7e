"""SQL that only the page of one golden record needs, one function a question: what points at it, and a payload."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey
from mdm.stewardship.card_risks import CLOSED


@dataclass(frozen=True, slots=True)
class PointingRow:
    """An active golden record whose value points at another one; the counts are of all alike."""

    parent_id: GoldenId
    golden_id: GoldenId
    values: dict[str, Any]
    count: int
    open_count: int


# The records of the asked ones, whatever points at them by key, and of these the golden records whose own value says
# so: a record may point at what its golden record does not show. Keys lead there by an index, values would not.
_POINTING = """
WITH own AS (SELECT golden_id, instance_id, native_id, entity_type, scope FROM source_record
              WHERE golden_id = ANY(:ids) AND state = 'active'),
     child AS (SELECT DISTINCT o.golden_id AS parent_id, c.golden_id FROM own o
                 JOIN source_reference f ON f.instance_id = o.instance_id AND f.native_id = o.native_id
                  AND f.entity_type = o.entity_type AND o.scope IN (f.scope, '')
                 JOIN source_record c ON c.id = f.record_id AND c.state = 'active' AND c.entity_type = :entity_type),
     pointing AS (SELECT c.parent_id, c.golden_id, v.values FROM child c
                    JOIN golden_version v ON v.golden_id = c.golden_id AND v.recorded_to IS NULL AND v.state = 'active'
                   WHERE EXISTS (SELECT FROM unnest(CAST(:attributes AS text[])) AS a
                                  WHERE v.values -> a @> to_jsonb(CAST(c.parent_id AS text))))
"""


def select_pointing(
    connection: Connection,
    golden_ids: Iterable[GoldenId],
    entity_type: str,
    attributes: Sequence[str],
    *,
    before: str = "",
    limit: int,
) -> tuple[PointingRow, ...]:
    """List golden records of an entity type that point at these by one of the attributes, the newest ids first.

    Of all alike it counts those that are open by their status too.
    before  the golden id to go on after; "" from the start
    """
    rows = connection.execute(
        text(
            _POINTING + " SELECT * FROM (SELECT p.*, count(*) OVER () AS n,"
            " count(*) FILTER (WHERE coalesce(p.values ->> 'status', '') <> ALL(:closed)) OVER () AS open_n"
            " FROM pointing p) AS counted"
            " WHERE :before = '' OR golden_id < :before ORDER BY golden_id DESC, parent_id LIMIT :limit"
        ),
        {
            "ids": [str(id_) for id_ in golden_ids],
            "entity_type": entity_type,
            "attributes": list(attributes),
            "closed": list(CLOSED),
            "before": before,
            "limit": limit,
        },
    )
    return tuple(
        PointingRow(GoldenId(row.parent_id), GoldenId(row.golden_id), row.values, row.n, row.open_n) for row in rows
    )


def select_payload(connection: Connection, key: SourceKey) -> Row[Any] | None:
    """Find what a source delivered last under a key: entity_type, state, version, fields, warnings, its times."""
    return connection.execute(
        text(
            "SELECT r.entity_type, r.state, r.version, r.golden_id, v.fields, v.warnings, r.source_time, r.recorded_at"
            " FROM source_record r JOIN source_record_version v ON v.record_id = r.id AND v.version = r.version"
            " WHERE r.instance_id = :instance AND r.object = :object AND r.scope = :scope AND r.native_id = :native_id"
        ),
        {"instance": key.instance, "object": key.object, "scope": key.scope, "native_id": key.native_id},
    ).one_or_none()
