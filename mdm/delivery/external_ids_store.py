"""SQL of the external ids that the records of a target bear, as far as is known."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.delivery.hashes import new_salt
from mdm.delivery.model import Namesake
from mdm.ids import GoldenId

Place = tuple[str, str, str]


def select_namesakes(
    connection: Connection, target_id: str, instance_id: str, golden_ids: Collection[GoldenId]
) -> dict[GoldenId, list[Namesake]]:
    """Give the records of other active golden records that bear the id of one of these."""
    rows = connection.execute(
        text(
            "SELECT t.external_id, t.object, t.scope, t.native_id, g.id AS owner FROM target_record t"
            " JOIN source_record r ON r.instance_id = :instance AND r.object = t.object AND r.scope = t.scope"
            "  AND r.native_id = t.native_id AND r.state = 'active' AND r.ended_because IS NULL"
            " JOIN golden_record g ON g.id = r.golden_id AND g.state = 'active'"
            " WHERE t.target_id = :target AND t.external_id = ANY(:ids) AND t.state NOT IN ('merged', 'lost')"
            " AND g.id <> t.external_id ORDER BY t.object, t.scope, t.native_id"
        ),
        {"target": target_id, "instance": instance_id, "ids": list(golden_ids)},
    )
    found: defaultdict[GoldenId, list[Namesake]] = defaultdict(list)
    for row in rows:
        namesake = Namesake(row.object, row.scope, row.native_id, GoldenId(row.owner))
        found[GoldenId(row.external_id)].append(namesake)
    return dict(found)


def select_active(connection: Connection, external_ids: Collection[str]) -> frozenset[str]:
    """Give those of these external ids that are the ids of active golden records."""
    rows = connection.execute(
        text("SELECT id FROM golden_record WHERE id = ANY(:ids) AND state = 'active'"), {"ids": list(external_ids)}
    )
    return frozenset(rows.scalars())


def select_owners(
    connection: Connection, instance_id: str, object_: str, scope: str, native_ids: Sequence[str]
) -> dict[Place, GoldenId]:
    """Give the active golden records that records of an object and scope belong to, by object, scope and native id."""
    rows = connection.execute(
        text(
            "SELECT r.native_id, g.id FROM source_record r"
            " JOIN golden_record g ON g.id = r.golden_id AND g.state = 'active'"
            " WHERE r.instance_id = :instance AND r.object = :object AND r.scope = :scope AND r.native_id = ANY(:ids)"
            " AND r.state = 'active' AND r.ended_because IS NULL"
        ),
        {"instance": instance_id, "object": object_, "scope": scope, "ids": list(native_ids)},
    )
    return {(object_, scope, row.native_id): GoldenId(row.id) for row in rows}


def note_external_ids(
    connection: Connection, target_id: str, entity_type: str, borne: Mapping[Place, str | None]
) -> None:
    """Keep which external id records bear, None: that it is not known; all else of them stays as it is noted."""
    rows = [
        {"object": place[0], "scope": place[1], "native_id": place[2], "salt": new_salt(), "external_id": external_id}
        for place, external_id in borne.items()
    ]
    if not rows:
        return
    connection.execute(
        text(
            "INSERT INTO target_record (target_id, object, scope, native_id, entity_type, golden_id, state, salt, held,"
            " written, remote_version, external_id) SELECT :target, object, scope, native_id, :type, '', 'active',"
            " decode(salt, 'hex'), '{}', '{}', '', external_id FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
            " AS r (object text, scope text, native_id text, salt text, external_id text)"
            " ORDER BY object, scope, native_id ON CONFLICT (target_id, object, scope, native_id)"
            " DO UPDATE SET external_id = excluded.external_id"
        ),
        {"target": target_id, "type": entity_type, "rows": as_json(rows)},
    )
