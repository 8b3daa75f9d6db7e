"""SQL of the resolution room, one function a question."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection

from matching.model import MatchModel
from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.decisions.review_model import Question
from mdm.ids import RecordId
from mdm.resolution.model import Edge

EDGES_AMONG: Final = (
    "SELECT left_id, right_id, bits, verdict, is_vetoed FROM edge WHERE left_id = ANY(:ids) AND right_id ="
    " ANY(:ids) ORDER BY bits DESC, left_id, right_id LIMIT :limit"
)

# Of many members of one golden record its other members are asked for once.
_FELLOWS = (
    "SELECT id FROM source_record WHERE state = 'active' AND golden_id = ANY(ARRAY("
    "SELECT DISTINCT golden_id FROM source_record WHERE id = ANY(:ids)))"
)


def keep_model(connection: Connection, model: MatchModel) -> None:
    """Keep the definition of a model when it is first used; a version is a hash of it, so it never changes."""
    known = text("SELECT FROM match_model WHERE version = :version")
    if connection.execute(known, {"version": model.version}).one_or_none() is not None:
        return
    definition = {part.name: getattr(model, part.name) for part in fields(model)}
    connection.execute(
        text(
            "INSERT INTO match_model (version, entity_type, definition, recorded_at, who)"
            " VALUES (:version, :entity_type, CAST(:definition AS jsonb), now(), 'hub')"
            " ON CONFLICT (version) DO NOTHING"
        ),
        {"version": model.version, "entity_type": model.entity_type, "definition": as_json(definition)},
    )


def select_keys(connection: Connection, record_ids: Iterable[RecordId]) -> frozenset[tuple[RecordId, int]]:
    """Return the blocking keys under which each of these records stands now."""
    rows = connection.execute(
        text("SELECT record_id, key FROM blocking_key WHERE record_id = ANY(:ids)"),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return frozenset((RecordId(row.record_id), row.key) for row in rows)


def delete_keys(connection: Connection, entity_type: str, keys: Collection[tuple[RecordId, int]]) -> None:
    """Take records away from under blocking keys."""
    connection.execute(
        text(
            "DELETE FROM blocking_key b USING unnest(CAST(:keys AS bigint[]), CAST(:ids AS text[])) AS k (key,"
            " record_id) WHERE b.entity_type = :entity_type AND b.key = k.key AND b.record_id = k.record_id"
        ),
        {"entity_type": entity_type, "keys": [key for _, key in keys], "ids": [str(id_) for id_, _ in keys]},
    )


def insert_keys(connection: Connection, entity_type: str, keys: Collection[tuple[RecordId, int]]) -> None:
    """Put records under blocking keys."""
    connection.execute(
        text(
            "INSERT INTO blocking_key (entity_type, key, record_id)"
            " SELECT :entity_type, key, record_id FROM unnest(CAST(:keys AS bigint[]), CAST(:ids AS text[]))"
            " AS k (key, record_id)"
        ),
        {"entity_type": entity_type, "keys": [key for _, key in keys], "ids": [str(id_) for id_, _ in keys]},
    )


def select_candidates(
    connection: Connection, entity_type: str, record_ids: Sequence[RecordId], *, size_max: int
) -> tuple[tuple[tuple[RecordId, RecordId], ...], frozenset[RecordId]]:
    """Find the pairs that share a key of at most `size_max` records, and the records that stand under a larger one."""
    rows = connection.execute(
        text(
            "WITH mine AS MATERIALIZED (SELECT key, record_id FROM blocking_key WHERE record_id = ANY(:ids)),"
            " block AS MATERIALIZED (SELECT k.key, (SELECT count(*) FROM (SELECT FROM blocking_key b"
            "   WHERE b.entity_type = :entity_type AND b.key = k.key LIMIT :size_max + 1) AS capped) AS size"
            "   FROM (SELECT DISTINCT key FROM mine) AS k)"
            " SELECT DISTINCT least(m.record_id, b.record_id) AS left_id, greatest(m.record_id, b.record_id) AS"
            " right_id"
            "   FROM mine m JOIN block USING (key) JOIN blocking_key b ON b.entity_type = :entity_type AND b.key ="
            " m.key"
            "    AND b.record_id <> m.record_id WHERE block.size <= :size_max"
            " UNION ALL SELECT DISTINCT record_id, NULL FROM mine JOIN block USING (key) WHERE block.size > :size_max"
        ),
        {"entity_type": entity_type, "ids": [str(id_) for id_ in record_ids], "size_max": size_max},
    ).all()
    pairs = tuple(sorted((RecordId(row.left_id), RecordId(row.right_id)) for row in rows if row.right_id is not None))
    return pairs, frozenset(RecordId(row.left_id) for row in rows if row.right_id is None)


def select_sharing(
    connection: Connection,
    entity_type: str,
    keys: Sequence[int],
    *,
    sources: frozenset[str] | None,
    size_max: int,
    limit: int,
) -> tuple[tuple[RecordId, ...], bool]:
    """Find the records under any of these keys, those that share the most first, and tell whether some were left out.

    sources  source instances to look among; None looks among all
    Left out are keys with more than `size_max` records, and whoever comes after the first `limit` records.
    """
    rows = connection.execute(
        text(
            "WITH held AS (SELECT k.key, b.record_id, count(*) OVER (PARTITION BY k.key) AS size"
            "   FROM (SELECT DISTINCT key FROM unnest(CAST(:keys AS bigint[])) AS a (key)) AS k"
            "   CROSS JOIN LATERAL (SELECT record_id FROM blocking_key b WHERE b.entity_type = :entity_type"
            "     AND b.key = k.key LIMIT :size_max + 1) AS b)"
            " (SELECT h.record_id FROM held h JOIN source_record r ON r.id = h.record_id WHERE h.size <= :size_max"
            "   AND (CAST(:sources AS text[]) IS NULL OR r.instance_id = ANY(:sources))"
            "   GROUP BY h.record_id ORDER BY count(*) DESC, h.record_id LIMIT :limit + 1)"
            " UNION ALL (SELECT NULL FROM held WHERE size > :size_max LIMIT 1)"
        ),
        {
            "entity_type": entity_type,
            "keys": list(keys),
            "sources": None if sources is None else sorted(sources),
            "size_max": size_max,
            "limit": limit,
        },
    ).scalars()
    found = list(rows)
    ids = [RecordId(id_) for id_ in found if id_ is not None]
    return tuple(ids[:limit]), None in found or len(ids) > limit


def delete_edges(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[Edge, ...]:
    """Take the edges of changed records away, and return them."""
    rows = connection.execute(
        text(
            "DELETE FROM edge WHERE left_id = ANY(:ids) OR right_id = ANY(:ids)"
            " RETURNING left_id, right_id, bits, verdict, is_vetoed"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple(Edge(RecordId(row[0]), RecordId(row[1]), *row[2:]) for row in rows)


def insert_edges(connection: Connection, entity_type: str, edges: Sequence[Edge], *, model_version: str) -> None:
    """Write edges between records that have none."""
    rows = [
        {
            "left_id": edge.left_id,
            "right_id": edge.right_id,
            "bits": edge.bits,
            "verdict": edge.verdict,
            "is_vetoed": edge.is_vetoed,
        }
        for edge in edges
    ]
    connection.execute(
        text(
            "INSERT INTO edge (left_id, right_id, entity_type, bits, verdict, is_vetoed, model_version)"
            " SELECT left_id, right_id, :entity_type, bits, verdict, is_vetoed, :model_version"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (left_id text, right_id text, bits float, verdict"
            " smallint, is_vetoed boolean)"
        ),
        {"rows": as_json(rows), "entity_type": entity_type, "model_version": model_version},
    )


def select_neighbours(connection: Connection, record_ids: Iterable[RecordId]) -> frozenset[RecordId]:
    """Return the active records one step away, by golden record, joining edge or `same`, and the active ones given."""
    rows = connection.execute(
        text(
            "SELECT id FROM source_record WHERE id = ANY(:ids) AND state = 'active'"
            f" UNION {_FELLOWS}"
            " UNION SELECT right_id FROM edge WHERE left_id = ANY(:ids) AND verdict = 2 AND NOT is_vetoed"
            " UNION SELECT left_id FROM edge WHERE right_id = ANY(:ids) AND verdict = 2 AND NOT is_vetoed"
            " UNION SELECT d.right_id FROM decision d WHERE d.left_id = ANY(:ids) AND d.judgement = 'same'"
            "  AND d.revoked_at IS NULL AND (SELECT r.state FROM source_record r WHERE r.id = d.right_id) = 'active'"
            " UNION SELECT d.left_id FROM decision d WHERE d.right_id = ANY(:ids) AND d.judgement = 'same'"
            "  AND d.revoked_at IS NULL AND (SELECT r.state FROM source_record r WHERE r.id = d.left_id) = 'active'"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return frozenset(RecordId(id_) for id_ in rows.scalars())


def select_fellows(connection: Connection, record_ids: Iterable[RecordId]) -> frozenset[RecordId]:
    """Return the active members of the golden records that these records have."""
    rows = connection.execute(text(_FELLOWS), {"ids": [str(id_) for id_ in record_ids]})
    return frozenset(RecordId(id_) for id_ in rows.scalars())


def select_joining_edges(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[Edge, ...]:
    """Return the edges among these records that join: verdict match, not vetoed.

    The ids are joined as rows: to look every end up in a list of a thousand takes time by its third power (November
    2026: 40 golden records of 80 members were read in .16 s, and in .8 s by `= ANY`).
    """
    rows = connection.execute(
        text(
            "WITH asked AS MATERIALIZED (SELECT unnest(CAST(:ids AS text[])) AS id)"
            " SELECT e.left_id, e.right_id, e.bits, e.verdict, e.is_vetoed"
            " FROM asked l JOIN edge e ON e.left_id = l.id JOIN asked r ON r.id = e.right_id"
            " WHERE e.verdict = 2 AND NOT e.is_vetoed ORDER BY e.left_id, e.right_id"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    ).all()
    return tuple(Edge(RecordId(row[0]), RecordId(row[1]), *row[2:]) for row in rows)


def select_edges_among(connection: Connection, record_ids: Iterable[RecordId], *, limit: int) -> tuple[Edge, ...]:
    """Return the edges among these records, possible matches and vetoed ones too, strongest first."""
    return edges_of(connection.execute(text(EDGES_AMONG), {"ids": [str(id_) for id_ in record_ids], "limit": limit}))


def edges_of(rows: Iterable[Any]) -> tuple[Edge, ...]:
    """Read rows of `EDGES_AMONG`."""
    return tuple(
        Edge(RecordId(row.left_id), RecordId(row.right_id), row.bits, row.verdict, row.is_vetoed) for row in rows
    )


def select_strongest_edge(connection: Connection, lefts: Iterable[RecordId], rights: Iterable[RecordId]) -> Edge | None:
    """Return the strongest edge between a record of one side and one of the other: matches first, vetoed ones last."""
    row = connection.execute(
        text(
            "SELECT left_id, right_id, bits, verdict, is_vetoed FROM edge WHERE (left_id = ANY(:lefts) AND right_id ="
            " ANY(:rights)) OR (left_id = ANY(:rights) AND right_id = ANY(:lefts))"
            " ORDER BY is_vetoed, verdict DESC, bits DESC, left_id, right_id LIMIT 1"
        ),
        {"lefts": [str(id_) for id_ in lefts], "rights": [str(id_) for id_ in rights]},
    ).one_or_none()
    return None if row is None else Edge(RecordId(row[0]), RecordId(row[1]), *row[2:])


def select_block_sizes(
    connection: Connection, entity_type: str, keys: Iterable[int], *, size_max: int
) -> dict[int, int]:
    """Count the records under each blocking key, up to one more than `size_max`; a key without any is left out."""
    rows = connection.execute(
        text(
            "SELECT k.key, (SELECT count(*) FROM (SELECT FROM blocking_key b WHERE b.entity_type = :entity_type"
            "  AND b.key = k.key LIMIT :size_max + 1) AS capped) AS size"
            " FROM unnest(CAST(:keys AS bigint[])) AS k (key)"
        ),
        {"entity_type": entity_type, "keys": list(keys), "size_max": size_max},
    )
    return {row.key: row.size for row in rows if row.size}


def select_deferred_among(connection: Connection, record_ids: Iterable[RecordId]) -> frozenset[RecordId]:
    """Return those of these records that wait for a wider search."""
    rows = connection.execute(
        text("SELECT id FROM source_record WHERE id = ANY(:ids) AND is_deferred"),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return frozenset(map(RecordId, rows.scalars()))


def select_questions(connection: Connection, record_ids: Iterable[RecordId]) -> tuple[Question, ...]:
    """Find what stands open between golden records of these records and others: the strongest edge of each two.

    Two golden records that a decision parts are no question, but for `unsure`, which is one until it is answered, also
    where there is no edge. That a source holds two records for one which a decision parts is a contradiction, until a
    steward has answered that too.
    """
    rows = connection.execute(
        text(
            "WITH touching AS MATERIALIZED (SELECT left_id, right_id, bits, verdict FROM edge"
            "  WHERE (left_id = ANY(:ids) OR right_id = ANY(:ids)) AND NOT is_vetoed),"
            # Many edges of a wide cluster end at few records: each is looked up once, by its id.
            " ends AS MATERIALIZED (SELECT s.id, s.golden_id FROM"
            "  (SELECT left_id AS id FROM touching UNION SELECT right_id FROM touching) AS k"
            "  CROSS JOIN LATERAL (SELECT id, golden_id FROM source_record WHERE id = k.id OFFSET 0) AS s),"
            " open AS (SELECT e.left_id, e.right_id, e.bits, e.verdict, least(l.golden_id, r.golden_id) AS first,"
            "   greatest(l.golden_id, r.golden_id) AS second"
            "  FROM touching e JOIN ends l ON l.id = e.left_id JOIN ends r ON r.id = e.right_id"
            "  WHERE l.golden_id <> r.golden_id"
            " UNION ALL SELECT d.left_id, d.right_id, 0, 0, least(l.golden_id, r.golden_id),"
            "   greatest(l.golden_id, r.golden_id)"
            "  FROM decision d JOIN source_record l ON l.id = d.left_id JOIN source_record r ON r.id = d.right_id"
            "  WHERE d.revoked_at IS NULL AND d.judgement = 'unsure' AND l.state = 'active' AND r.state = 'active'"
            "    AND (d.left_id = ANY(:ids) OR d.right_id = ANY(:ids))),"
            " strongest AS (SELECT DISTINCT ON (first, second) * FROM open"
            "  ORDER BY first, second, verdict DESC, bits DESC, left_id, right_id)"
            " SELECT s.left_id, s.right_id, s.bits, s.first, s.second,"
            "   CASE WHEN d.judgements @> ARRAY['unsure'] THEN 'unsure' WHEN s.verdict = 2 THEN 'join' ELSE"
            " 'possible_match' END AS kind"
            " FROM strongest s CROSS JOIN LATERAL (SELECT array_agg(d.judgement) AS judgements FROM decision d"
            "   JOIN source_record a ON a.id = d.left_id JOIN source_record b ON b.id = d.right_id"
            "  WHERE d.revoked_at IS NULL AND d.judgement <> 'same' AND a.state = 'active' AND b.state = 'active'"
            "    AND least(a.golden_id, b.golden_id) = s.first"
            "    AND greatest(a.golden_id, b.golden_id) = s.second AND a.golden_id IN (s.first, s.second)) AS d"
            " WHERE d.judgements IS NULL OR d.judgements @> ARRAY['unsure']"
            " UNION ALL SELECT l.id, n.id, 0, least(l.golden_id, n.golden_id), greatest(l.golden_id, n.golden_id),"
            "   'contradiction' FROM source_record l JOIN source_record n ON n.id = l.successor_id"
            "  WHERE (l.id = ANY(:ids) OR l.successor_id = ANY(:ids)) AND l.golden_id <> n.golden_id"
            "    AND l.state = 'active' AND n.state = 'active' AND NOT EXISTS (SELECT FROM review q"
            "     JOIN review_answer a ON a.review_id = q.id AND a.state = 'carried_out'"
            "     WHERE q.kind = 'contradiction' AND q.left_id = least(l.id, n.id)"
            "      AND q.right_id = greatest(l.id, n.id))"
            " ORDER BY 1, 2"
        ),
        {"ids": [str(id_) for id_ in record_ids]},
    )
    return tuple(
        Question(
            row.kind, RecordId(row.left_id), RecordId(row.right_id), row.bits, {"golden_ids": [row.first, row.second]}
        )
        for row in rows
    )
