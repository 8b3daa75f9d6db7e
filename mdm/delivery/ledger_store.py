"""SQL of the ledger: what the records of a target hold as far as we know, and all that a sight needs."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from mdm.connectors.model import Change
from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.decisions.review_model import HOLDING
from mdm.delivery.hashes import new_salt
from mdm.delivery.model import Held, OwnRecord
from mdm.delivery.writes import Asked
from mdm.delivery.written_for import standing_marks
from mdm.ids import GoldenId, ReviewId


def select_shown(connection: Connection, golden_ids: Collection[GoldenId]) -> dict[GoldenId, Row[Any]]:
    """Give of each golden record its state, version and the newest version that is not held back, with its values."""
    rows = connection.execute(
        text(
            "SELECT g.id, g.entity_type, g.state, g.version AS newest, v.version, v.values AS shown"
            " FROM golden_record g LEFT JOIN LATERAL (SELECT version, values FROM golden_version h"
            "  WHERE h.golden_id = g.id AND h.held = '[]' ORDER BY h.version DESC LIMIT 1) AS v ON true"
            " WHERE g.id = ANY(:ids)"
        ),
        {"ids": list(golden_ids)},
    )
    return {GoldenId(row.id): row for row in rows}


def select_reserved(connection: Connection, instance_id: str, golden_ids: Collection[GoldenId]) -> set[GoldenId]:
    """Return those of these golden records that somebody outside of the hub is about to create in an instance.

    Or in another one, where nothing else is known of the golden record: the create may be abandoned yet.
    """
    rows = connection.execute(
        text(
            "SELECT r.golden_id FROM reservation q JOIN source_record r ON r.id = q.record_id AND r.state = 'active'"
            " WHERE r.golden_id = ANY(:ids) AND q.state = 'open' AND NOT q.is_published AND (q.instance_id = :instance"
            "  OR NOT EXISTS (SELECT FROM source_record o WHERE o.golden_id = r.golden_id AND o.state = 'active'"
            "   AND NOT EXISTS (SELECT FROM reservation p"
            "    WHERE p.record_id = o.id AND p.state = 'open' AND NOT p.is_published)))"
        ),
        {"instance": instance_id, "ids": list(golden_ids)},
    )
    return set(map(GoldenId, rows.scalars()))


def select_own_records(
    connection: Connection, target_id: str, instance_id: str, golden_ids: Collection[GoldenId]
) -> dict[GoldenId, list[OwnRecord]]:
    """Give the living records that an instance has of golden records, the one first that the hub has known longest."""
    rows = connection.execute(
        text(
            "SELECT r.golden_id, r.object, r.scope, r.native_id, t.state, t.salt, t.held, t.intended, t.written,"
            " t.remote_version, t.external_id, t.written_at, t.written_for, t.unmergeable_into FROM source_record r"
            " LEFT JOIN target_record t ON t.target_id = :target AND t.object = r.object AND t.scope = r.scope"
            "  AND t.native_id = r.native_id WHERE r.golden_id = ANY(:ids) AND r.instance_id = :instance"
            " AND r.state = 'active' AND r.ended_because IS NULL ORDER BY r.id"
        ),
        {"target": target_id, "instance": instance_id, "ids": list(golden_ids)},
    )
    found: defaultdict[GoldenId, list[OwnRecord]] = defaultdict(list)
    for row in rows:
        held = held_of(row) if row.state is not None else None
        own = OwnRecord(row.object, row.scope, row.native_id, held, row.unmergeable_into or "")
        found[GoldenId(row.golden_id)].append(own)
    return dict(found)


def select_keys(
    connection: Connection, target_id: str, instance_id: str, golden_ids: Collection[GoldenId]
) -> dict[GoldenId, list[tuple[str, str]]]:
    """Give (scope, native id) of those records of golden records that others can point at, the one that stays first.

    What the hub took out of use, or knows to be gone, is none: it is brought back, or another one is made.
    """
    rows = connection.execute(
        text(
            "SELECT r.golden_id, r.scope, r.native_id FROM source_record r"
            " LEFT JOIN target_record t ON t.target_id = :target AND t.object = r.object AND t.scope = r.scope"
            "  AND t.native_id = r.native_id WHERE r.golden_id = ANY(:ids) AND r.instance_id = :instance"
            " AND r.state = 'active' AND r.ended_because IS NULL"
            " AND coalesce(t.state, 'active') NOT IN ('deactivated', 'merged', 'lost')"
            " ORDER BY t.external_id IS NOT DISTINCT FROM r.golden_id DESC, r.id"
        ),
        {"target": target_id, "instance": instance_id, "ids": list(golden_ids)},
    )
    found: defaultdict[GoldenId, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        found[GoldenId(row.golden_id)].append((row.scope, row.native_id))
    return dict(found)


def select_reviews_with(
    connection: Connection, instance_id: str, golden_ids: Collection[GoldenId]
) -> dict[GoldenId, ReviewId]:
    """Give the open review that asks whether a golden record is one of which an instance has a living record."""
    rows = connection.execute(
        text(
            "SELECT r.golden_id, min(q.id) AS review_id FROM source_record r"
            " JOIN review q ON q.state = 'open' AND r.id IN (q.left_id, q.right_id) AND q.kind <> ALL(:holding)"
            " JOIN source_record o ON o.id = CASE WHEN q.left_id = r.id THEN q.right_id ELSE q.left_id END"
            "  AND o.golden_id <> r.golden_id"
            " WHERE r.golden_id = ANY(:ids) AND EXISTS (SELECT FROM source_record t WHERE t.golden_id = o.golden_id"
            "  AND t.instance_id = :instance AND t.state = 'active' AND t.ended_because IS NULL) GROUP BY 1"
        ),
        {"ids": list(golden_ids), "instance": instance_id, "holding": list(HOLDING)},
    )
    return {GoldenId(row.golden_id): ReviewId(row.review_id) for row in rows}


def select_asked_about(connection: Connection, golden_ids: Collection[GoldenId]) -> dict[GoldenId, ReviewId]:
    """Give the golden records of which an open review asks whether they are one of these, with that review."""
    rows = connection.execute(
        text(
            "SELECT o.golden_id, min(q.id) AS review_id FROM source_record r"
            " JOIN review q ON q.state = 'open' AND r.id IN (q.left_id, q.right_id) AND q.kind <> ALL(:holding)"
            " JOIN source_record o ON o.id = CASE WHEN q.left_id = r.id THEN q.right_id ELSE q.left_id END"
            "  AND o.golden_id <> r.golden_id WHERE r.golden_id = ANY(:ids) GROUP BY 1"
        ),
        {"ids": list(golden_ids), "holding": list(HOLDING)},
    )
    return {GoldenId(row.golden_id): ReviewId(row.review_id) for row in rows}


def select_held(
    connection: Connection, target_id: str, keys: Sequence[tuple[str, str, str]], *, for_update: bool = False
) -> dict[tuple[str, str, str], Held]:
    """Give what is known of records by (object, scope, native id)."""
    rows = connection.execute(
        text(
            "SELECT t.object, t.scope, t.native_id, t.state, t.salt, t.held, t.intended, t.written, t.remote_version,"
            " t.external_id, t.written_at, t.written_for FROM target_record t"
            " JOIN jsonb_to_recordset(CAST(:keys AS jsonb)) AS k (object text, scope text, native_id text)"
            " USING (object, scope, native_id)"
            f" WHERE t.target_id = :target{' ORDER BY 1, 2, 3 FOR UPDATE OF t' if for_update else ''}"
        ),
        {
            "target": target_id,
            "keys": as_json([{"object": one[0], "scope": one[1], "native_id": one[2]} for one in keys]),
        },
    )
    return {(row.object, row.scope, row.native_id): held_of(row) for row in rows}


def upsert_held(connection: Connection, target_id: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what is known of records: entity_type, golden_id, held (Held), written_at, seen_at (None: as before)."""
    if not rows:
        return
    connection.execute(
        text(
            "INSERT INTO target_record (target_id, object, scope, native_id, entity_type, golden_id, state, salt,"
            " held, intended, written, remote_version, written_at, seen_at, external_id, written_for)"
            " SELECT :target, object, scope, native_id, entity_type, golden_id, state, decode(salt, 'hex'), held,"
            " nullif(intended, 'null'), written, remote_version, written_at, seen_at, external_id, written_for"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (object text, scope text, native_id text,"
            " entity_type text, golden_id text, state text, salt text, held jsonb, intended jsonb, written jsonb,"
            " remote_version text, written_at timestamptz, seen_at timestamptz, external_id text, written_for jsonb)"
            " ORDER BY object, scope, native_id"
            " ON CONFLICT (target_id, object, scope, native_id) DO UPDATE SET golden_id = excluded.golden_id,"
            " state = excluded.state, salt = excluded.salt, held = excluded.held, intended = excluded.intended,"
            " written = excluded.written, remote_version = excluded.remote_version, external_id = excluded.external_id,"
            " written_for = excluded.written_for, written_at = coalesce(excluded.written_at, target_record.written_at),"
            " seen_at = coalesce(excluded.seen_at, target_record.seen_at)"
        ),
        {"target": target_id, "rows": as_json([_row(one) for one in rows])},
    )


def note_unmergeable(connection: Connection, target_id: str, entity_type: str, refused: Change) -> None:
    """Keep that a target said of a merge that it cannot do it; all else of the record stays as it is noted."""
    connection.execute(
        text(
            "INSERT INTO target_record (target_id, object, scope, native_id, entity_type, golden_id, state, salt, held,"
            " written, remote_version, unmergeable_into) VALUES (:target, :object, :scope, :native_id, :type, '',"
            " 'active', :salt, '{}', '{}', '', :into) ON CONFLICT (target_id, object, scope, native_id)"
            " DO UPDATE SET unmergeable_into = excluded.unmergeable_into"
        ),
        {
            "target": target_id,
            "object": refused.object,
            "scope": refused.scope,
            "native_id": refused.native_id,
            "type": entity_type,
            "salt": new_salt(),
            "into": refused.into,
        },
    )


def restore_intended(connection: Connection, target_id: str, rows: Sequence[tuple[Held, Asked | None]]) -> None:
    """Put back what was intended of records, and the external ids that are not known, to how they were before.

    rows  each record as it was before, with what was noted as intended since; one noted otherwise is left as it is
    """
    if not rows:
        return
    connection.execute(
        text(
            "UPDATE target_record t SET intended = nullif(r.intended, 'null'),"
            " external_id = coalesce(t.external_id, r.external_id), written_for = r.written_for"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (object text, scope text, native_id text,"
            " intended jsonb, noted jsonb, external_id text, written_for jsonb) WHERE t.target_id = :target"
            " AND t.object = r.object AND t.scope = r.scope AND t.native_id = r.native_id"
            " AND t.intended IS NOT DISTINCT FROM nullif(r.noted, 'null')"
        ),
        {
            "target": target_id,
            "rows": as_json(
                [
                    {
                        "object": one.object,
                        "scope": one.scope,
                        "native_id": one.native_id,
                        "intended": _kept(one.intended),
                        "noted": _kept(noted),
                        "external_id": one.external_id,
                        "written_for": standing_marks(one),
                    }
                    for one, noted in rows
                ]
            ),
        },
    )


def held_of(row: Row[Any]) -> Held:
    """Read what is known of a record."""
    return Held(
        row.object,
        row.scope,
        row.native_id,
        row.state,
        bytes(row.salt),
        row.held,
        _read(row.intended),
        row.written,
        row.remote_version,
        row.external_id,
        row.written_at,
        row.written_for,
    )


def _kept(asked: Asked | None) -> dict[str, Any] | None:
    """Say what was asked of each field: one hash, or a list where several are in doubt."""
    return None if asked is None else {name: list(some) if len(some) > 1 else some[0] for name, some in asked.items()}


def _read(asked: Mapping[str, Any] | None) -> Asked | None:
    if asked is None:
        return None
    return {name: tuple(some) if isinstance(some, list) else (some,) for name, some in asked.items()}


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    held: Held = one["held"]
    return {
        "object": held.object,
        "scope": held.scope,
        "native_id": held.native_id,
        "entity_type": one["entity_type"],
        "golden_id": one["golden_id"],
        "state": held.state,
        "salt": held.salt,
        "held": held.hashes,
        "intended": _kept(held.intended),
        "written": held.written,
        "remote_version": held.remote_version,
        "external_id": held.external_id,
        "written_for": standing_marks(held),
        "written_at": one.get("written_at"),
        "seen_at": one.get("seen_at"),
    }
