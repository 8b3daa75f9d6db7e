"""Compare a whole target with what it should hold: read all that is there, then look at every golden record.

What moves meanwhile is no difference: a lane on its way will bring it, and a record that was written or seen since the
reading began is left to the next comparison.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from mdm import clock
from mdm.connectors.model import RecordSystem, RemoteRecord
from mdm.db.transaction import reading, run
from mdm.delivery import ledger_store
from mdm.delivery.hashes import new_salt
from mdm.delivery.lanes import Clock
from mdm.delivery.model import Declaration, RecordSubscription
from mdm.delivery.sights import look
from mdm.hub import Hub
from mdm.reconciliation import store
from mdm.reconciliation.drift import Finding, Seen, compare
from mdm.reconciliation.model import Tally
from mdm.reconciliation.prospects import GOLDENS_A_LOOK, lane_of
from mdm.reconciliation.remote_records import Place, as_seen, in_order, place_of, read_all
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey

OnPage = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Drift:
    """All that differs, and the same counted with examples; what waits is counted only."""

    findings: tuple[Finding, ...]
    tally: Tally


def find_drift(
    hub: Hub,
    declaration: Declaration,
    system: RecordSystem,
    *,
    on_page: OnPage = lambda _, __: None,
    now: Clock = clock.instant,
) -> Drift:
    """Compare a target of records with what it should hold. Raises TargetUnavailable.

    now  the clock by which its relay notes what was written
    """
    tally = Tally()
    findings: list[Finding] = []
    for subscription in in_order(hub.declared, declaration):
        started = run(hub.engine, now)
        seen: dict[Place, Seen] = {}
        for records in read_all(system, declaration.id, subscription.object):
            seen |= _seen(hub, declaration, subscription, records)
            on_page(subscription.entity_type, len(seen))
        tally.counts[subscription.entity_type]["compared"] += len(seen)
        for finding in _compare_all(hub, declaration, subscription, seen, started, tally):
            findings.append(finding)
            _count(declaration, tally, finding)
        for finding in _unknown(hub, declaration, subscription, seen):
            if subscription.unknown == "leave":
                tally.add(subscription.entity_type, "left_alone", record=_printed(declaration, finding))
            else:
                findings.append(finding)
                _count(declaration, tally, finding)
    return Drift(tuple(findings), tally)


def _seen(
    hub: Hub, declaration: Declaration, subscription: RecordSubscription, records: Sequence[RemoteRecord]
) -> dict[Place, Seen]:
    with reading(hub.engine) as connection:
        known = ledger_store.select_held(connection, declaration.id, [place_of(one) for one in records])
    found = {}
    for record in records:
        before = known.get(place_of(record))
        held = as_seen(subscription, record, before.salt if before is not None else new_salt())
        found[place_of(record)] = Seen(held, record.external_id, record.merged_into)
    return found


def _compare_all(
    hub: Hub,
    declaration: Declaration,
    subscription: RecordSubscription,
    seen: Mapping[Place, Seen],
    started: datetime,
    tally: Tally,
) -> Iterator[Finding]:
    name = subscription.entity_type
    after = ""
    while True:
        with reading(hub.engine) as connection:
            ids = store.select_active_goldens(connection, name, after=after, limit=GOLDENS_A_LOOK)
        if not ids:
            return
        sights, _ = look(hub.engine, declaration, hub.declared, ids)
        named = {seen[p].external_id for p in _places(sights.values()) if p in seen} - {""}
        with reading(hub.engine) as connection:
            lanes = store.select_lanes(connection, declaration.id, ids)
            touched = store.select_touched(connection, declaration.id, ids, declaration.instance, since=started)
            goldens = frozenset(store.select_goldens(connection, name, named)) if named else frozenset()
        for sight in sights.values():
            lane = lane_of(declaration.id, sight, started)
            found = compare(subscription, hub.entity_type(name), sight, lane, seen, goldens)
            if found and (sight.golden_id in touched or _is_on_its_way(lanes.get(sight.golden_id))):
                tally.add(name, "waiting", golden_id=sight.golden_id)
            elif found and lanes[sight.golden_id].is_left_out:
                tally.add(name, "left_out", golden_id=sight.golden_id)
            else:
                yield from found
        after = ids[-1]


def _places(sights: Any) -> Iterator[Place]:
    for sight in sights:
        for one in sight.records:
            yield one.object, one.scope, one.native_id


def _is_on_its_way(lane: Row[Any] | None) -> bool:
    """Tell whether a lane will bring it; a parked one will not."""
    return lane is None or (lane.acknowledged < lane.head and lane.state != "dead")


def _unknown(
    hub: Hub, declaration: Declaration, subscription: RecordSubscription, seen: Mapping[Place, Seen]
) -> Iterator[Finding]:
    """Find records in use whose key the hub does not know, or took for deleted."""
    places = [place for place, one in seen.items() if one.held.state == "active"]
    for start in range(0, len(places), GOLDENS_A_LOOK):
        some = {SourceKey(declaration.instance, *place): place for place in places[start : start + GOLDENS_A_LOOK]}
        with reading(hub.engine) as connection:
            heads = sources_store.select_heads(connection, list(some))
        for key, place in some.items():
            head = heads.get(key)
            if head is None or (head.state != "active" and head.ended_because is None):
                yield Finding("unknown", subscription.entity_type, None, place, seen=seen[place].held)


def _count(declaration: Declaration, tally: Tally, finding: Finding) -> None:
    tally.add(
        finding.entity_type,
        finding.kind,
        golden_id=finding.golden_id,
        record=_printed(declaration, finding),
        fields=list(finding.fields),
        lost=finding.lost,
    )


def _printed(declaration: Declaration, finding: Finding) -> str:
    return str(SourceKey(declaration.instance, *finding.place)) if finding.place is not None else ""
