"""Find out which external ids records of a target bear that the hub did not hear of.

Who enters a record tells none, so that one that the hub made, and whose answer was lost, comes back like any other. It
is read once, by the lane that is about to bring it to what it shall hold: from then on the ledger knows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final

from sqlalchemy import Connection

from mdm.connectors.model import CallFailed, Failure, RecordSystem, RemoteRecord
from mdm.delivery.external_ids_store import Place, note_external_ids
from mdm.delivery.fencing import fenced
from mdm.delivery.model import Declaration, DueLane, OwnRecord, Sight
from mdm.delivery.retry import RULES
from mdm.delivery.sights import is_living, look
from mdm.hub import Hub
from mdm.ids import GoldenId

FAILURES_IN_A_ROW_MAX: Final = 2  # chosen: one may be a record that cannot be read


def with_external_ids(
    hub: Hub,
    declaration: Declaration,
    system: RecordSystem,
    sights: Mapping[GoldenId, Sight],
    lanes: Sequence[DueLane],
) -> tuple[dict[GoldenId, Sight], dict[GoldenId, Failure]]:
    """Read the external ids that are not known, and look again at whom they belong to.

    Returns the sights, and for golden records whose records could not be read why the target did not answer.
    """
    asked: defaultdict[tuple[str, str, str], dict[str, GoldenId]] = defaultdict(dict)
    for sight, record in _unknown(declaration, sights.values()):
        asked[sight.entity_type, record.object, record.scope][record.native_id] = sight.golden_id
    failures: dict[GoldenId, Failure] = {}
    is_learnt = False
    for (entity_type, object_, scope), golden_id_by_key in asked.items():
        found, failed = _read(system, object_, scope, list(golden_id_by_key))
        # What the target says of one record is for its lane to hear when it is written.
        at_fault = {key: one for key, one in failed.items() if RULES[one.kind].fault == "target"}
        failures.update({golden_id_by_key[key]: one for key, one in at_fault.items()})
        borne: dict[GoldenId, dict[Place, str | None]] = {}
        for native_id in golden_id_by_key.keys() - failed.keys():
            there = found.get(native_id)
            external_id = "" if there is None or there.merged_into else there.external_id
            borne.setdefault(golden_id_by_key[native_id], {})[object_, scope, native_id] = external_id
        note = partial(_note, target_id=declaration.id, entity_type=entity_type, borne=borne)
        fenced(hub.engine, [lane for lane in lanes if lane.golden_id in borne], note)
        is_learnt = is_learnt or bool(borne)
    if not is_learnt:
        return dict(sights), failures
    # All of them: what one record bears decides about others as well, and time went by.
    again, _ = look(hub.engine, declaration, hub.declared, list(sights))
    return {**sights, **again}, failures


def _note(
    connection: Connection,
    held: AbstractSet[GoldenId],
    *,
    target_id: str,
    entity_type: str,
    borne: Mapping[GoldenId, Mapping[Place, str | None]],
) -> None:
    some = {place: external_id for id_ in held for place, external_id in borne[id_].items()}
    note_external_ids(connection, target_id, entity_type, some)


def _read(
    system: RecordSystem, object_: str, scope: str, native_ids: Sequence[str]
) -> tuple[Mapping[str, RemoteRecord], dict[str, Failure]]:
    """Read records at once; where that fails one by one, so that a record that cannot be read stands alone.

    Two in a row that the target as a whole does not answer: the others are not asked for.
    """
    try:
        return system.read(object_, native_ids, scope=scope), {}
    except CallFailed as failed:
        if len(native_ids) == 1:
            return {}, {native_ids[0]: failed.failure}
    found: dict[str, RemoteRecord] = {}
    failures: dict[str, Failure] = {}
    in_a_row: list[Failure] = []
    for native_id in native_ids:
        if len(in_a_row) == FAILURES_IN_A_ROW_MAX:
            failures[native_id] = in_a_row[-1]
            continue
        try:
            found.update(system.read(object_, [native_id], scope=scope))
            in_a_row = []
        except CallFailed as failed:
            failures[native_id] = failed.failure
            in_a_row = [*in_a_row, failed.failure] if RULES[failed.failure.kind].fault == "target" else []
    return found, failures


def _unknown(declaration: Declaration, sights: Iterable[Sight]) -> Iterator[tuple[Sight, OwnRecord]]:
    for sight in sights:
        if sight.state == "active" and sight.entity_type in declaration.records:
            for record in sight.records:
                if is_living(record) and record.external_id is None:
                    yield sight, record
