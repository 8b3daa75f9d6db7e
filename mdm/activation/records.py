"""Records that the hub makes itself: source records of the instance `hub`, taken along the path like any other."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from mdm.entities.model import Reason
from mdm.errors import FieldFault, FieldsRejected
from mdm.hub import Work
from mdm.identity import crosswalk_store
from mdm.ids import GoldenId
from mdm.pipeline import resolve
from mdm.sources.model import Accepted, Delivery, Rejected, SourceKey
from mdm.sources.service import judge, register_hub, systems


def put_record(work: Work, entity_type_name: str, key: SourceKey, fields: Mapping[str, Any]) -> GoldenId:
    """Store a record of the hub, or its next version, and return where it belongs; raises FieldsRejected."""
    register_hub(work.connection)
    known = systems(work.connection)
    entity_type = work.declared[entity_type_name]
    judged = judge(entity_type, Delivery(key, entity_type_name, fields), known_instances=known, column_map={})
    if isinstance(judged, Rejected):
        raise FieldsRejected([fault_of(reason) for reason in judged.reasons])
    resolve(work, entity_type, [judged])
    return crosswalk_store.select_golden_ids(work.connection, [key], as_of=None)[key][0]


def end_record(work: Work, entity_type_name: str, key: SourceKey, *, reason: str) -> None:
    """Take a record of the hub out of it; its golden record is retired if nothing else is in it."""
    entity_type = work.declared[entity_type_name]
    delivery = Delivery(key, entity_type_name, {}, is_deletion=True, reason=reason)
    judged = judge(entity_type, delivery, known_instances={key.instance: ""}, column_map={})
    assert isinstance(judged, Accepted), "a deletion has no values that could be wrong"
    resolve(work, entity_type, [judged])


def keys_in(connection: Connection, golden_id: GoldenId, source: str | None) -> tuple[SourceKey, ...]:
    """List the live keys of a golden record in one source instance, or in all."""
    entries = crosswalk_store.select_crosswalk(connection, golden_id, to=source, as_of=None)
    return tuple(SourceKey(one.source, one.object, one.scope, one.native_id) for one in entries if one.ended is None)


def fault_of(reason: Reason) -> FieldFault:
    """Say a reason of a rejection as a fault of the fields that were sent."""
    return FieldFault(reason.field, reason.code, reason.message, reason.remedy)
