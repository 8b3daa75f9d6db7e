"""SQL of whose values the hub wrote: which fields hold what was said by members that belong elsewhere by now."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.delivery.model import FieldRule
from mdm.delivery.written_for import givers, is_of_others, read_mark
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey


def select_parted(
    connection: Connection, asked: Mapping[GoldenId, Collection[tuple[FieldRule, str]]]
) -> dict[GoldenId, frozenset[tuple[str, str]]]:
    """Give (field, mark) of values that were said by members which belong to other golden records now.

    asked  by golden record, the fields of its records with the marks of what may stand there
    """
    lineages = _select_lineages(connection, {mark for some in asked.values() for _, mark in some})
    parts = {
        (golden_id, rule.target_field, mark): givers(lineages.get(mark, {}), rule)
        for golden_id, some in asked.items()
        for rule, mark in some
    }
    belonging = _select_belonging(connection, {key for one in parts.values() for keys in one for key in keys})
    found: dict[GoldenId, set[tuple[str, str]]] = {}
    for (golden_id, field, mark), one in parts.items():
        if is_of_others(one, golden_id, belonging):
            found.setdefault(golden_id, set()).add((field, mark))
    return {golden_id: frozenset(some) for golden_id, some in found.items()}


def _select_lineages(connection: Connection, marks: Collection[str]) -> dict[str, Mapping[str, object]]:
    named = {mark: read_mark(mark) for mark in marks}
    rows = connection.execute(
        text(
            "SELECT m.mark, v.lineage FROM jsonb_to_recordset(CAST(:marks AS jsonb))"
            " AS m (mark text, golden_id text, version integer) JOIN golden_version v USING (golden_id, version)"
        ),
        {"marks": as_json([{"mark": m, "golden_id": id_, "version": number} for m, (id_, number) in named.items()])},
    )
    return {row.mark: row.lineage for row in rows}


def _select_belonging(connection: Connection, printed: Collection[str]) -> dict[str, GoldenId]:
    """Give the golden record that each key belongs to, or to which that forwards."""
    keys = {one: SourceKey.parse(one) for one in printed}
    rows = connection.execute(
        text(
            "SELECT k.printed, coalesce(g.forward_to, g.id) AS golden_id FROM jsonb_to_recordset(CAST(:keys AS jsonb))"
            " AS k (printed text, instance_id text, object text, scope text, native_id text)"
            " JOIN source_record r USING (instance_id, object, scope, native_id)"
            " JOIN golden_record g ON g.id = r.golden_id"
        ),
        {
            "keys": as_json(
                [
                    {
                        "printed": one,
                        "instance_id": key.instance,
                        "object": key.object,
                        "scope": key.scope,
                        "native_id": key.native_id,
                    }
                    for one, key in keys.items()
                ]
            )
        },
    )
    return {row.printed: GoldenId(row.golden_id) for row in rows}
