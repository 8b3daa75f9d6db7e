"""SQL of freezes: the histories in which quarrels are found, what is frozen, and what is told once it is not."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.decisions.review_model import QuestionKey
from mdm.delivery.flip_flop import Seen
from mdm.ids import GoldenId, RecordId, ReviewId


def select_histories(
    connection: Connection, golden_ids: Sequence[GoldenId], *, since: datetime, versions_min: int
) -> dict[GoldenId, list[Seen]]:
    """Give the versions since an instant of golden records that have so many, in their order."""
    rows = connection.execute(
        text(
            "SELECT v.golden_id, v.version, v.recorded_from, v.values AS shown, v.lineage, e.kind FROM golden_version v"
            " JOIN identity_event e ON e.id = v.event_id WHERE v.golden_id IN"
            " (SELECT golden_id FROM golden_version WHERE golden_id = ANY(:ids) AND recorded_from >= :since"
            "  GROUP BY 1 HAVING count(*) >= :least) AND v.recorded_from >= :since ORDER BY v.golden_id, v.version"
        ),
        {"ids": list(golden_ids), "since": since, "least": versions_min},
    )
    found: defaultdict[GoldenId, list[Seen]] = defaultdict(list)
    for row in rows:
        found[GoldenId(row.golden_id)].append(
            Seen(
                row.version,
                row.recorded_from,
                row.shown,
                {name: one.get("record_id", "") for name, one in row.lineage.items()},
                {name: one.get("record_key", "") for name, one in row.lineage.items()},
                row.kind == "ingest",
            )
        )
    return dict(found)


def select_frozen(connection: Connection, golden_ids: Collection[GoldenId]) -> dict[GoldenId, frozenset[str]]:
    """Give the attributes of golden records that are frozen, also under an id that forwards to them."""
    rows = connection.execute(
        text(
            "SELECT coalesce(g.forward_to, g.id) AS golden_id, array_agg(f.attribute) AS attributes"
            " FROM attribute_freeze f JOIN golden_record g ON g.id = f.golden_id"
            " WHERE f.ended_at IS NULL AND (g.id = ANY(:ids) OR g.forward_to = ANY(:ids)) GROUP BY 1"
        ),
        {"ids": list(golden_ids)},
    )
    return {GoldenId(row.golden_id): frozenset(row.attributes) for row in rows}


def select_settled(connection: Connection, golden_ids: Collection[GoldenId]) -> dict[GoldenId, dict[str, datetime]]:
    """Give by golden record and attribute when its last freeze ended."""
    rows = connection.execute(
        text(
            "SELECT coalesce(g.forward_to, g.id) AS golden_id, f.attribute, max(f.ended_at) AS ended_at"
            " FROM attribute_freeze f JOIN golden_record g ON g.id = f.golden_id"
            " WHERE f.ended_at IS NOT NULL AND (g.id = ANY(:ids) OR g.forward_to = ANY(:ids)) GROUP BY 1, 2"
        ),
        {"ids": list(golden_ids)},
    )
    found: defaultdict[GoldenId, dict[str, datetime]] = defaultdict(dict)
    for row in rows:
        found[GoldenId(row.golden_id)][row.attribute] = row.ended_at
    return dict(found)


def select_living(connection: Connection, golden_id: GoldenId, record_ids: Sequence[RecordId]) -> Row[Any] | None:
    """Give an active golden record that holds these records still."""
    return connection.execute(
        text(
            "SELECT g.id, g.entity_type FROM golden_record g WHERE g.id = :golden AND g.state = 'active'"
            " AND (SELECT count(*) FROM source_record r WHERE r.id = ANY(:records) AND r.golden_id = g.id) = :count"
        ),
        {"golden": golden_id, "records": list(record_ids), "count": len(record_ids)},
    ).one_or_none()


def select_open_review(connection: Connection, key: QuestionKey) -> ReviewId | None:
    """Find the open review of a question."""
    row = connection.execute(
        text("SELECT id FROM review WHERE kind = :kind AND left_id = :left AND right_id = :right AND state = 'open'"),
        {"kind": key[0], "left": key[1], "right": key[2]},
    ).one_or_none()
    return ReviewId(row.id) if row is not None else None


def insert_freeze(connection: Connection, row: Mapping[str, Any], *, at: datetime, who: str) -> bool:
    """Freeze an attribute of a golden record; False when it is frozen already."""
    found = connection.execute(
        text(
            "INSERT INTO attribute_freeze (id, golden_id, attribute, reason, review_id, recorded_at, who) VALUES (:id,"
            " :golden_id, :attribute, :reason, :review_id, :at, :who) ON CONFLICT (golden_id, attribute)"
            " WHERE ended_at IS NULL DO NOTHING RETURNING id"
        ),
        {**row, "at": at, "who": who},
    )
    return found.one_or_none() is not None


def select_untold(connection: Connection, golden_id: GoldenId) -> tuple[str, ...]:
    """List the systems of records that are told of a golden record, and so not of what is frozen of it."""
    rows = connection.execute(
        text(
            "SELECT l.target_id FROM delivery_lane l JOIN target t ON t.id = l.target_id AND t.kind = 'records'"
            " WHERE l.golden_id = :golden ORDER BY 1"
        ),
        {"golden": golden_id},
    )
    return tuple(rows.scalars())


def end_answered(connection: Connection, *, at: datetime, who: str, limit: int) -> tuple[GoldenId, ...]:
    """End freezes whose review is closed, or gone; return their golden ids, or what those forward to."""
    rows = connection.execute(
        text(
            "UPDATE attribute_freeze f SET ended_at = :at, ended_by = :who FROM golden_record g"
            " WHERE g.id = f.golden_id AND f.id IN (SELECT e.id FROM attribute_freeze e"
            "  LEFT JOIN review r ON r.id = e.review_id WHERE e.ended_at IS NULL AND r.state IS DISTINCT FROM 'open'"
            "  ORDER BY e.id LIMIT :limit) RETURNING coalesce(g.forward_to, g.id) AS golden_id"
        ),
        {"at": at, "who": who, "limit": limit},
    )
    return tuple(GoldenId(row.golden_id) for row in rows)


def tell_again(connection: Connection, golden_ids: Sequence[GoldenId], *, now: datetime) -> dict[str, int]:
    """Let systems of records be told again of golden records; return by target how many."""
    if not golden_ids:
        return {}
    rows = connection.execute(
        text(
            "WITH told AS (UPDATE delivery_lane l SET acknowledged = least(l.acknowledged, l.head - 1), due_at = :now"
            "  FROM target t WHERE t.id = l.target_id AND t.kind = 'records' AND l.golden_id = ANY(:ids)"
            "  AND l.acknowledged = l.head RETURNING l.target_id)"
            " SELECT target_id, count(*) AS lanes FROM told GROUP BY 1 ORDER BY 1"
        ),
        {"ids": list(golden_ids), "now": now},
    )
    return {row.target_id: row.lanes for row in rows}


def insert_thaw(connection: Connection, id_: str, target_id: str, *, lanes: int, at: datetime) -> None:
    """Keep that a target is told again of what is frozen no more."""
    connection.execute(
        text(
            "INSERT INTO delivery_order (id, target_id, kind, asked, lanes, reason, recorded_at, who) VALUES (:id,"
            " :target, 'replay', '{}', :lanes, 'what was frozen is settled', :at, 'worker')"
        ),
        {"id": id_, "target": target_id, "lanes": lanes, "at": at},
    )
