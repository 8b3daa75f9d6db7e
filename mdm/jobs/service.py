"""Deliver: judge a batch, then take it along the path in transactions of a few dozen records."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from sqlalchemy import Connection

from matching.block import BLOCK_SIZE_EMERGENCY
from mdm import clock
from mdm.activation.model import DEAL
from mdm.activation.service import look_at, take_up_mended
from mdm.db.statement import text
from mdm.db.transaction import run
from mdm.delivery.inbound import Heard, without_echoes
from mdm.entities.model import Reason
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry, rehearse
from mdm.identity.model import Cause, IdentityPlan
from mdm.ids import ExceptionId, GoldenId
from mdm.jobs.known_instances import KnownInstances
from mdm.jobs.merges import take_merges
from mdm.jobs.model import Identity, Outcome, Outcomes
from mdm.jobs.rejections import queued, rejected_by_turn
from mdm.pipeline import apply, reevaluate, resolve
from mdm.resolution.model import Bounds
from mdm.resolution.service import ChunkTooWide
from mdm.resolution.warming import make_ready
from mdm.sources import exceptions, exceptions_store
from mdm.sources import store as sources_store
from mdm.sources.model import HUB, Accepted, Arrival, Delivery, DeliveryException, Rejected, SourceKey, Systems
from mdm.sources.service import BUILT_IN, judge, split_known
from mdm.survivorship import store as survivorship_store
from mdm.telemetry import EXCEPTIONS, RECORDS

DUE_MAX = 40  # chosen: as many golden records as a chunk has records
COMPONENT_WIDER = 10  # chosen: 20,000 records of a component for the worker, where an online call stops at 2,000


def deliver(
    hub: Hub,
    deliveries: Sequence[Delivery],
    *,
    who: str,
    column_map: Mapping[str, str] = MappingProxyType({}),
    bracket: Bracket[tuple[Outcome, ...]] = UNBRACKETED,
) -> tuple[Outcome, ...]:
    """Take deliveries along the path and say what became of each, in their order.

    Rejected ones wait in the exception queue and hold nobody else up. An exact repeat is found before any lock is taken
    and changes nothing; what was mended after an earlier delivery of the same content stands as mended.
    """
    make_ready(hub.declared.values())
    known = KnownInstances(hub)
    judged = _as_mended(hub, [_judge(hub, one, known, column_map) for one in deliveries], known)
    early, late = rejected_by_turn(judged)
    outcomes: Outcomes = {}
    if early:
        outcomes = run(hub.engine, partial(_queue, rejected=early, column_map=column_map, who=who, bracket=bracket))
    accepted = [(index, one) for index, one in enumerate(judged) if isinstance(one, Accepted)]
    waiting = deque(_chunks(accepted, hub.settings.chunk_records)) or deque([[]])
    while waiting:
        chunk = waiting.popleft()
        act = partial(_deliver_chunk, chunk=chunk, column_map=column_map, late={} if waiting else late)
        closing = Bracket(bracket.before, UNBRACKETED.after if waiting else _telling_all(bracket, outcomes))
        try:
            found = carry(hub, act, who=who, bracket=closing)
        except ChunkTooWide:
            if len(chunk) < 2:
                raise
            half = len(chunk) // 2
            waiting.extendleft((chunk[half:], chunk[:half]))
        else:
            outcomes |= found
    told = _in_order(outcomes)
    _count(hub, deliveries, told)
    return told


def _count(hub: Hub, deliveries: Sequence[Delivery], outcomes: Sequence[Outcome]) -> None:
    """Count for the metrics what became of deliveries; what names no entity type of this hub counts as one."""
    for delivery, outcome in zip(deliveries, outcomes, strict=True):
        entity_type = delivery.entity_type if delivery.entity_type in hub.declared else "unknown"
        RECORDS.labels(entity_type, outcome.status).inc()
        if outcome.status == "rejected":
            for code in sorted({reason.code for reason in outcome.errors}):
                EXCEPTIONS.labels(entity_type, code).inc()


def replay(hub: Hub, exception_id: ExceptionId, *, who: str, bracket: Bracket[Outcome] = UNBRACKETED) -> Outcome:
    """Send the delivery of an open exception along the path once more; raises ExceptionUnknown, ExceptionClosed.

    A rejected delivery closes as replayed in the transaction that takes it now, else it stays open with the reasons of
    this attempt.
    """
    found = run(hub.engine, lambda connection: _require_open(connection, exception_id, bracket))
    if found.entity_type == DEAL:
        return _replay_deal(hub, found, who=who, bracket=bracket)
    delivery = exceptions.delivery_of(found)
    known = KnownInstances(hub)
    judged = _judge(hub, delivery, known, found.column_map)
    if isinstance(judged, Rejected):
        refused = Outcome(delivery.key, "rejected", None, "none", errors=judged.reasons)

        def keep(connection: Connection) -> Outcome:
            exceptions.keep(connection, found=found, reasons=judged.reasons)
            return refused

        return run(hub.engine, lambda connection: bracket.around(connection, lambda: keep(connection)))

    def close(connection: Connection, outcomes: tuple[Outcome, ...]) -> None:
        _close_if_open(connection, found, outcome=outcomes[0], who=who)
        bracket.after(connection, outcomes[0])

    (outcome,) = deliver(hub, [delivery], who=who, column_map=found.column_map, bracket=Bracket(bracket.before, close))
    return outcome


def rehearse_deliveries(
    hub: Hub,
    deliveries: Sequence[Delivery],
    *,
    who: str,
    column_map: Mapping[str, str],
    first: Callable[[Work, Sequence[SourceKey]], None],
    then: Callable[[Work, Outcomes], None],
) -> tuple[Outcome, ...]:
    """Say what delivering would do, chunk by chunk, by doing it and taking it back.

    What one chunk would bring is unknown to the next one, as twins and parents are that come with it.

    first  what is done before a chunk of these keys
    then   looks at what became of a chunk before it is taken back
    """
    make_ready(hub.declared.values())
    known = KnownInstances(hub)
    judged = _as_mended(hub, [_judge(hub, one, known, column_map) for one in deliveries], known)
    rejected = {index: one for index, one in enumerate(judged) if isinstance(one, Rejected)}
    outcomes: Outcomes = {}
    if rejected:
        queue = partial(queued, rejected=rejected, column_map=column_map, who=who)
        outcomes = rehearse(hub, lambda work: queue(work.connection), who=who)
    accepted = [(index, one) for index, one in enumerate(judged) if isinstance(one, Accepted)]

    def act(work: Work, chunk: Sequence[tuple[int, Accepted]]) -> Outcomes:
        first(work, [one.delivery.key for _, one in chunk])
        found = _deliver_chunk(work, chunk, column_map)
        then(work, found)
        return found

    waiting = deque(_chunks(accepted, hub.settings.chunk_records))
    while waiting:
        chunk = waiting.popleft()
        try:
            outcomes |= rehearse(hub, partial(act, chunk=chunk), who=who)
        except ChunkTooWide:
            if len(chunk) < 2:
                raise
            half = len(chunk) // 2
            waiting.extendleft((chunk[half:], chunk[:half]))
    return _in_order(outcomes)


def try_delivery(hub: Hub, found: DeliveryException, *, who: str) -> Outcome:
    """Say what a replay of an exception with these fields would do now, by doing it and taking it back."""
    if found.entity_type == DEAL:
        return _deal_outcome(found, look_at(hub, found))
    delivery = exceptions.delivery_of(found)
    judged = _judge(hub, delivery, KnownInstances(hub), found.column_map)
    if isinstance(judged, Rejected):
        return Outcome(delivery.key, "rejected", None, "none", errors=judged.reasons)
    return rehearse(hub, partial(_deliver_chunk, chunk=[(0, judged)], column_map=found.column_map), who=who)[0]


def _replay_deal(hub: Hub, found: DeliveryException, *, who: str, bracket: Bracket[Outcome]) -> Outcome:
    """Take up a deal whose facts were mended."""
    closing: Bracket[tuple[Reason, ...]] = Bracket(
        bracket.before, lambda connection, left: bracket.after(connection, _deal_outcome(found, left))
    )
    return _deal_outcome(found, take_up_mended(hub, found, who=who, bracket=closing))


def _deal_outcome(found: DeliveryException, reasons: tuple[Reason, ...]) -> Outcome:
    return Outcome(
        SourceKey.parse(found.source_key), "rejected" if reasons else "created", None, "none", errors=reasons
    )


def refresh_due(hub: Hub, *, who: str = "worker") -> int:
    """Work out again the golden records whose values change by now without news; return how many were due."""

    def act(work: Work) -> int:
        due = survivorship_store.select_due(work.connection, tuple(work.declared), at=clock.now(), limit=DUE_MAX)
        work.locks.hold(work.connection, sorted(golden_id for _, golden_id in due))
        for name in sorted({name for name, _ in due}):
            ids = tuple(sorted(golden_id for type_name, golden_id in due if type_name == name))
            apply(work, work.declared[name], IdentityPlan(name, refreshed=ids), cause=Cause("decay"))
        return len(due)

    return carry(hub, act, who=who)


def reevaluate_deferred(hub: Hub, *, who: str = "worker") -> int:
    """Match again some of the records that were too much for their own transaction; return how many are settled now.

    Their blocks may be as large as in bulk, so that both find the same candidates, and their component is followed
    further.
    """
    records_max = hub.settings.chunk_records
    while True:
        try:
            return carry(hub, partial(_reevaluate_some_deferred, records_max=records_max), who=who)
        except ChunkTooWide:
            records_max //= 2


def _reevaluate_some_deferred(work: Work, *, records_max: int) -> int:
    waiting = sources_store.select_deferred(work.connection, tuple(work.declared), limit=records_max)
    if not waiting:
        return 0
    entity_type = work.declared[waiting[0].entity_type]
    ids = [record.id for record in waiting if record.entity_type == entity_type.name]
    block_size_max = max(work.bounds.block_size_emergency, entity_type.model.block_size_max * BLOCK_SIZE_EMERGENCY)
    bounds = Bounds(work.bounds.locks_max, block_size_max, work.bounds.component_records_max * COMPONENT_WIDER)
    reevaluate(replace(work, bounds=bounds), entity_type, ids, cause=Cause("deferred"))
    return len(ids) - sources_store.count_deferred(work.connection, ids)


def _judge(hub: Hub, delivery: Delivery, known: Systems, column_map: Mapping[str, str]) -> Accepted | Rejected:
    if delivery.entity_type not in hub.declared:
        declared = ", ".join(sorted(hub.declared))
        reason = Reason(
            "entity_type",
            "entity_type_unknown",
            f"there is no entity type {delivery.entity_type[:100]!r}",
            f"declared are {declared}",
            "reject",
        )
        return Rejected(delivery, (reason,))
    if HUB in {delivery.key.instance, delivery.merged_into and delivery.merged_into.instance}:
        return Rejected(delivery, (BUILT_IN,))
    return judge(hub.declared[delivery.entity_type], delivery, known_instances=known, column_map=column_map)


def _as_mended(hub: Hub, judged: Sequence[Accepted | Rejected], known: Systems) -> list[Accepted | Rejected]:
    """Put what somebody mended and replayed in place of the same faulty content delivered again."""
    found = list(judged)
    faulty = [index for index, one in enumerate(judged) if isinstance(one, Rejected) or one.warnings]
    if faulty:
        deliveries = [judged[index].delivery for index in faulty]
        mended = run(hub.engine, lambda connection: exceptions.mended_before(connection, deliveries))
        for position, exception in mended.items():
            delivery = replace(exceptions.delivery_of(exception), source_time=deliveries[position].source_time)
            found[faulty[position]] = _judge(hub, delivery, known, exception.column_map)
    return found


def _queue(
    connection: Connection,
    rejected: Mapping[int, Rejected],
    *,
    column_map: Mapping[str, str],
    who: str,
    bracket: Bracket[tuple[Outcome, ...]],
) -> Outcomes:
    bracket.before(connection)
    return queued(connection, rejected, column_map=column_map, who=who)


def _require_open(connection: Connection, exception_id: ExceptionId, bracket: Bracket[Outcome]) -> DeliveryException:
    bracket.before(connection)
    found = exceptions.require(connection, exception_id)
    exceptions.require_open(found)
    return found


def _telling_all(bracket: Bracket[tuple[Outcome, ...]], earlier: Outcomes) -> Callable[[Connection, Outcomes], None]:
    """Turn `after` of all deliveries into one of the last chunk, whose transaction it belongs to."""
    return lambda connection, last: bracket.after(connection, _in_order(earlier | last))


def _in_order(outcomes: Outcomes) -> tuple[Outcome, ...]:
    return tuple(outcomes[index] for index in sorted(outcomes))


def _deliver_chunk(
    work: Work,
    chunk: Sequence[tuple[int, Accepted]],
    column_map: Mapping[str, str],
    late: Mapping[int, Rejected] = MappingProxyType({}),
) -> Outcomes:
    """Take one chunk of one entity type along the path in the transaction at hand, merges of its records last.

    late  rejected deliveries that came after what was taken of their keys
    """
    merged = [(index, one.delivery) for index, one in chunk if one.delivery.merged_into is not None]
    chunk = [(index, one) for index, one in chunk if one.delivery.merged_into is None]
    heard = _hear(work, chunk, column_map)
    fresh, arrivals, misfits = split_known(work.connection, [one for _, one in heard.news])
    exceptions.settle_repeats(
        work.connection, [one.delivery for _, one in heard.news if one.delivery.key in arrivals], who=work.who
    )
    arrivals |= {arrival.key: arrival for arrival in heard.echoes.values()}
    if fresh:
        stored = resolve(work, work.declared[fresh[0].delivery.entity_type], fresh)
        arrivals |= {arrival.key: arrival for arrival in stored}
        changed = {arrival.key: arrival for arrival in stored if arrival.status in {"created", "updated"}}
        settled = [
            one for one in fresh if (own := changed.get(one.delivery.key)) and (own.has_exceptions or one.warnings)
        ]
        if settled:
            exceptions.settle(work.connection, settled, column_map=column_map, who=work.who)
    misfit_by_key = {one.delivery.key: one for one in misfits}
    taken = [(index, one) for index, one in chunk if one.delivery.key not in misfit_by_key]
    rejected = {index: misfit_by_key[one.delivery.key] for index, one in chunk if one.delivery.key in misfit_by_key}
    rejected.update(late)
    return (
        _outcomes(work, taken, arrivals)
        | queued(work.connection, rejected, column_map=column_map, who=work.who)
        | take_merges(work, merged)
    )


def _hear(work: Work, chunk: Sequence[tuple[int, Accepted]], column_map: Mapping[str, str]) -> Heard:
    if not chunk:
        return Heard((), {})
    entity_type = work.declared[chunk[0][1].delivery.entity_type]
    return without_echoes(work.connection, entity_type, chunk, column_map=column_map)


def _chunks(accepted: Iterable[tuple[int, Accepted]], size: int) -> Iterator[list[tuple[int, Accepted]]]:
    """Cut into runs of one entity type and distinct keys, in order: a key that comes twice is two deliveries."""
    chunk: list[tuple[int, Accepted]] = []
    keys: set[SourceKey] = set()
    for index, one in accepted:
        delivery = one.delivery
        is_other = bool(chunk) and chunk[0][1].delivery.entity_type != delivery.entity_type
        if is_other or delivery.key in keys or len(chunk) == size:
            yield chunk
            chunk, keys = [], set()
        chunk.append((index, one))
        keys.add(delivery.key)
    if chunk:
        yield chunk


def _outcomes(
    work: Work, chunk: Sequence[tuple[int, Accepted]], arrivals: Mapping[SourceKey, Arrival]
) -> dict[int, Outcome]:
    """Say where the records of a chunk stand now; of those that share a new golden record the first created it."""
    rows = work.connection.execute(
        text(
            "SELECT r.id, m.golden_id, EXISTS (SELECT FROM review q WHERE q.state = 'open'"
            " AND (q.left_id = r.id OR q.right_id = r.id)) AS in_review FROM source_record r"
            " JOIN membership m ON m.record_id = r.id AND m.recorded_to IS NULL WHERE r.id = ANY(:ids)"
        ),
        {"ids": [str(arrival.record_id) for arrival in arrivals.values()]},
    )
    standing = {row.id: row for row in rows}
    minted = {golden_id for plan in work.carried_out for golden_id in plan.minted}
    found = {}
    for index, one in chunk:
        arrival = arrivals[one.delivery.key]
        row = standing.get(arrival.record_id)
        golden_id = GoldenId(row.golden_id) if row is not None else None
        identity = _identity(arrival, golden_id, is_minted=golden_id in minted)
        if identity == "created":
            minted.discard(golden_id)
        found[index] = Outcome(
            one.delivery.key,
            arrival.status,
            golden_id,
            identity,
            in_review=bool(row is not None and row.in_review),
            errors=one.warnings,
        )
    return found


def _identity(arrival: Arrival, golden_id: GoldenId | None, *, is_minted: bool) -> Identity:
    if golden_id is None:
        return "none"
    if arrival.golden_id is None:
        return "created" if is_minted else "attached"
    return "kept" if arrival.golden_id == golden_id else "moved"


def _close_if_open(connection: Connection, found: DeliveryException, *, outcome: Outcome, who: str) -> None:
    # What was taken superseded it already; a replay is the better word.
    is_waiting = exceptions.require(connection, found.id).state in {"open", "superseded"}
    if outcome.status != "rejected" and is_waiting:
        exceptions_store.close_exception(connection, found.id, state="replayed", who=who)
