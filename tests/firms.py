"""The demo firm for tests: its records as deliveries, and what a hub made of them in words free of golden ids.

Two hubs hold the same when their standings are equal: the partition up to renaming of golden ids, the values byte for
byte.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import text

from mdm.db.transaction import transaction
from mdm.demo.firm import DemoFirm, DemoRecord
from mdm.hub import Hub
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register

Standing = Mapping[str, tuple[tuple[str, ...], bytes]]
"""By the smallest source key of each active golden record: all its source keys, and what it shows."""


def deliveries_of(records: Sequence[DemoRecord]) -> list[Delivery]:
    """Give records as their systems deliver them."""
    return [
        Delivery(
            SourceKey(one.instance, one.object, one.scope, one.native_id), one.entity_type, one.fields, one.source_time
        )
        for one in records
    ]


def register_systems(hub: Hub, firm: DemoFirm) -> None:
    """Register the source instances of the firm."""
    with transaction(hub.engine) as connection:
        for one in firm.instances:
            instance = SourceInstance(one.id, one.system, one.title, one.rank, one.duplicate_free)
            register(connection, instance, who="test")


def standing_of(hub: Hub) -> Standing:
    """Read what a hub holds now, every golden id replaced by the smallest source key of its golden record."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT id, instance_id, object, scope, native_id, golden_id FROM source_record WHERE state = 'active'"
            )
        ).all()
        versions = connection.execute(
            text(
                "SELECT golden_id, values, lineage, completeness, held FROM golden_version"
                " WHERE recorded_to IS NULL AND state = 'active'"
            )
        ).all()
    name_by_id = {row.id: str(SourceKey(*row[1:5])) for row in rows}
    members: dict[str, list[str]] = {}
    for row in rows:
        members.setdefault(row.golden_id, []).append(name_by_id[row.id])
    name_by_id |= {golden_id: min(keys) for golden_id, keys in members.items()}
    assert {row.golden_id for row in versions} == members.keys()
    return {
        name_by_id[row.golden_id]: (
            tuple(sorted(members[row.golden_id])),
            orjson.dumps(_renamed(tuple(row)[1:], name_by_id), option=orjson.OPT_SORT_KEYS),
        )
        for row in versions
    }


def differences(first: Standing, second: Standing) -> list[str]:
    """Say where two standings differ, for the message of an assertion; a dozen at most."""
    names = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    return [f"{name}: {first.get(name)} <> {second.get(name)}" for name in names[:12]]


def _renamed(value: Any, name_by_id: Mapping[str, str]) -> Any:
    """Put names in place of ids, however deep they stand."""
    if isinstance(value, dict):
        return {key: _renamed(inner, name_by_id) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(inner, name_by_id) for inner in value]
    return name_by_id.get(value, value) if isinstance(value, str) else value
