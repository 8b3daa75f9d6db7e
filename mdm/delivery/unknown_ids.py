"""Find out which external ids records of a target bear that the hub did not hear of.

Who enters a record tells none, so that one that the hub made, and whose answer was lost, comes back like any other. It
is read once, by the lane that is about to bring it to what it shall hold: from then on the ledger knows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from mdm.connectors.model import CallFailed, Failure, RecordSystem
from mdm.db.transaction import run
from mdm.delivery.external_ids_store import Place, note_external_ids
from mdm.delivery.model import Declaration, OwnRecord, Sight
from mdm.delivery.retry import RULES
from mdm.delivery.sights import is_living, look
from mdm.hub import Hub
from mdm.ids import GoldenId


def with_external_ids(
    hub: Hub, declaration: Declaration, system: RecordSystem, sights: Mapping[GoldenId, Sight]
) -> tuple[dict[GoldenId, Sight], dict[GoldenId, Failure]]:
    """Read the external ids that are not known, and look again at whom they belong to.

    Returns the sights, and for golden records whose records could not be read why the target did not answer.
    """
    asked: defaultdict[tuple[str, str, str], dict[str, GoldenId]] = defaultdict(dict)
    for sight, record in _unknown(declaration, sights.values()):
        asked[sight.entity_type, record.object, record.scope][record.native_id] = sight.golden_id
    failures: dict[GoldenId, Failure] = {}
    learnt: set[GoldenId] = set()
    for (entity_type, object_, scope), golden_id_by_key in asked.items():
        try:
            found = system.read(object_, list(golden_id_by_key), scope=scope)
        except CallFailed as failed:
            # What the target says of one record is for its lane to hear when it is written.
            if RULES[failed.failure.kind].fault == "target":
                failures.update(dict.fromkeys(golden_id_by_key.values(), failed.failure))
            continue
        borne: dict[Place, str | None] = {}
        for native_id in golden_id_by_key:
            there = found.get(native_id)
            borne[object_, scope, native_id] = "" if there is None or there.merged_into else there.external_id
        run(hub.engine, partial(note_external_ids, target_id=declaration.id, entity_type=entity_type, borne=borne))
        learnt.update(golden_id_by_key.values())
    again, _ = look(hub.engine, declaration, hub.declared, sorted(learnt)) if learnt else ({}, frozenset())
    return {**sights, **again}, failures


def _unknown(declaration: Declaration, sights: Iterable[Sight]) -> Iterator[tuple[Sight, OwnRecord]]:
    for sight in sights:
        if sight.state == "active" and sight.entity_type in declaration.records:
            for record in sight.records:
                if is_living(record) and record.external_id is None:
                    yield sight, record
