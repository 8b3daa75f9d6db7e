"""SQL of what a target of messages is told: the versions of golden records that it does not know yet."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.delivery.model import DueLane
from mdm.ids import GoldenId

VERSIONS_MAX = 20  # of one golden record in one turn (chosen: a busy one must not hold up the others)


def select_tellings(connection: Connection, lanes: Sequence[DueLane]) -> dict[GoldenId, list[Row[Any]]]:
    """Give the versions of each golden record after the one that is acknowledged, up to a bound, in their order.

    The acknowledged one comes first, where there is one, to compare with. A version that is held back ends the list:
    what comes after it has to wait.
    """
    asked = [{"golden_id": one.golden_id, "acknowledged": one.acknowledged, "head": one.head} for one in lanes]
    rows = connection.execute(
        text(
            "SELECT r.golden_id, r.acknowledged, v.version, v.state, v.forward_to, v.values AS shown, v.checksum,"
            " v.completeness, v.held, e.kind, e.entity_type, e.details, e.recorded_at, e.who"
            " FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS r (golden_id text, acknowledged int, head int)"
            " JOIN golden_version v ON v.golden_id = r.golden_id AND v.version BETWEEN r.acknowledged"
            f" AND least(r.head, r.acknowledged + {VERSIONS_MAX})"
            " JOIN event e ON e.golden_id = v.golden_id AND e.version = v.version"
            " ORDER BY r.golden_id, v.version"
        ),
        {"asked": as_json(asked)},
    )
    found: defaultdict[GoldenId, list[Row[Any]]] = defaultdict(list)
    ended = set()
    for row in rows:
        if row.held and row.version > row.acknowledged:
            ended.add(row.golden_id)
        if row.golden_id not in ended:
            found[GoldenId(row.golden_id)].append(row)
    return dict(found)
