"""Say what a target's records would become if it were told of everything now: pure planning, nothing is sent.

What a backfill is about to match is given as if it stood in the crosswalk and the ledger already.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mdm import clock
from mdm.db.transaction import reading
from mdm.delivery.ledger_store import select_keys
from mdm.delivery.model import Declaration, DueLane, OwnRecord, RecordSubscription, Sight
from mdm.delivery.sights import is_living, look, pointed_at
from mdm.delivery.wanted import Plan, plan_records
from mdm.hub import Hub
from mdm.ids import GoldenId, ReviewId
from mdm.reconciliation import store
from mdm.reconciliation.model import Tally
from mdm.reconciliation.remote_records import Place, in_order

GOLDENS_A_LOOK: Final = 500  # chosen: some milliseconds of reading, a few MB of values
_TO_BE_MADE: Final = ("", "to be made")
_FINDING: Final = {
    "create": "created",
    "deactivate": "deactivated",
    "merge": "merged",
    "reactivate": "reactivated",
    "release": "released",
}


@dataclass(slots=True)
class Matched:
    """What a backfill would match, as far as it was rehearsed.

    records  by golden id: the target's records that would belong to it
    values   of golden records whose values would change by it
    reviews  golden records that would be asked about with a record of the target
    gone     golden records that would forward to others
    minted   golden records that would come of the target's own records, by entity type
    behind   golden records of which something would be written in the target
    """

    records: dict[GoldenId, list[OwnRecord]] = field(default_factory=dict)
    values: dict[GoldenId, Mapping[str, Any]] = field(default_factory=dict)
    reviews: dict[GoldenId, ReviewId] = field(default_factory=dict)
    gone: set[GoldenId] = field(default_factory=set)
    minted: defaultdict[str, list[GoldenId]] = field(default_factory=lambda: defaultdict(list))
    behind: set[GoldenId] = field(default_factory=set)


def tell_prospects(
    hub: Hub, declaration: Declaration, matched: Matched, tally: Tally, on_look: Callable[[], None] = lambda: None
) -> None:
    """Count what would be created, filled, updated and so on in the target, with examples, and note who is behind.

    on_look  is called before each look at some hundreds of golden records
    """
    made: dict[GoldenId, tuple[str, str]] = {}
    for subscription in in_order(hub.declared, declaration):
        going: Iterable[Sight] = _sights(hub, declaration, subscription, matched, on_look)
        count_before = -1
        while True:
            waiting: list[Sight] = []
            for sight in going:
                plan = _plan(hub, subscription, sight, made)
                if plan.waits_for is not None:
                    waiting.append(sight)
                    continue
                if any(intent.change.kind == "create" for intent in plan.intents):
                    made[sight.golden_id] = _TO_BE_MADE
                if plan.intents:
                    matched.behind.add(sight.golden_id)
                _count(tally, subscription, sight, plan)
            if len(waiting) in {0, count_before}:
                break
            going, count_before = waiting, len(waiting)
        for sight in waiting:
            _count(tally, subscription, sight, _plan(hub, subscription, sight, made))


def lane_of(target_id: str, sight: Sight, at: Any) -> DueLane:
    """Make the lane of a target that was told of everything, for a plan that nobody carries out."""
    return DueLane(target_id, sight.golden_id, sight.version, 0, 0, None, at, is_forced=False, token="", leased_at=at)


def _sights(
    hub: Hub,
    declaration: Declaration,
    subscription: RecordSubscription,
    matched: Matched,
    on_look: Callable[[], None],
) -> Iterator[Sight]:
    after = ""
    while True:
        on_look()
        with reading(hub.engine) as connection:
            ids = store.select_active_goldens(connection, subscription.entity_type, after=after, limit=GOLDENS_A_LOOK)
        if not ids:
            break
        sights, _ = look(hub.engine, declaration, hub.declared, ids)
        for sight in sights.values():
            if sight.golden_id not in matched.gone:
                yield _as_matched(sight, matched)
        after = ids[-1]
    minted = matched.minted[subscription.entity_type]
    for start in range(0, len(minted), GOLDENS_A_LOOK):
        on_look()
        yield from _minted_sights(hub, declaration, subscription, minted[start : start + GOLDENS_A_LOOK], matched)


def _minted_sights(
    hub: Hub,
    declaration: Declaration,
    subscription: RecordSubscription,
    minted: Sequence[GoldenId],
    matched: Matched,
) -> Iterator[Sight]:
    """See golden records that were rehearsed only; what they point at may be there already."""
    name = subscription.entity_type
    pointed = {id_: pointed_at(declaration, hub.declared, name, matched.values[id_]) for id_ in minted}
    with reading(hub.engine) as connection:
        keys = select_keys(
            connection, declaration.id, declaration.instance, {one for many in pointed.values() for one in many}
        )
    for id_ in [one for one in minted if one not in matched.gone]:
        parents = {one: keys.get(one, []) for one in pointed[id_]}
        yield _as_matched(Sight(id_, name, "active", 1, matched.values[id_], (), parents), matched)


def _as_matched(sight: Sight, matched: Matched) -> Sight:
    fresh = {_place(one): one for one in matched.records.get(sight.golden_id, ())}
    kept = [fresh.pop(_place(one), one) for one in sight.records]
    records = (*kept, *fresh.values())
    lacks = not any(map(is_living, records))
    return replace(
        sight,
        values=matched.values.get(sight.golden_id, sight.values),
        records=records,
        parents={
            id_: [*keys, *((one.scope, one.native_id) for one in matched.records.get(id_, ()))]
            for id_, keys in sight.parents.items()
        },
        in_review=(sight.in_review or matched.reviews.get(sight.golden_id)) if lacks else None,
    )


def _plan(hub: Hub, subscription: RecordSubscription, sight: Sight, made: Mapping[GoldenId, tuple[str, str]]) -> Plan:
    parents = {id_: keys or [made[id_]] if id_ in made else keys for id_, keys in sight.parents.items()}
    lane = lane_of("", sight, clock.now())
    return plan_records(subscription, hub.entity_type(subscription.entity_type), replace(sight, parents=parents), lane)


def _count(tally: Tally, subscription: RecordSubscription, sight: Sight, plan: Plan) -> None:
    name, golden_id = subscription.entity_type, sight.golden_id
    if sight.is_reserved and not sight.records:
        tally.add(name, "reserved", golden_id=golden_id)
        return
    if plan.in_review is not None:
        tally.add(name, "waits_for_review", golden_id=golden_id, review_id=plan.in_review)
    elif plan.waits_for is not None:
        tally.add(name, "waits_for_parent", golden_id=golden_id, parent=plan.waits_for)
    elif plan.asks is not None:
        tally.add(name, "waits_for_id", golden_id=golden_id, owner=plan.asks)
    elif not plan.intents:
        tally.add(name, "not_told" if plan.outcome == "not_subscribed" else "as_it_is")
    fills = {rule.target_field for rule in subscription.fields if rule.owner == "fill"}
    borne = {_place(one): one.external_id for one in sight.records}
    for intent in plan.intents:
        change = intent.change
        example = {"golden_id": golden_id, "record": change.native_id, "fields": sorted(change.fields)}
        if change.kind == "update":
            if change.external_id not in {"", borne.get((change.object, change.scope, change.native_id))}:
                tally.add(name, "named", golden_id=golden_id, record=change.native_id)
            if change.fields.keys() & fills:
                tally.add(name, "filled", **{**example, "fields": sorted(change.fields.keys() & fills)})
            if change.fields.keys() - fills:
                tally.add(name, "updated", **{**example, "fields": sorted(change.fields.keys() - fills)})
        else:
            tally.add(name, _FINDING[change.kind], **example)


def _place(record: OwnRecord) -> Place:
    return record.object, record.scope, record.native_id
