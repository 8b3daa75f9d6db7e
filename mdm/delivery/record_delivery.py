"""Tell a system of records what changed: plan, note what is intended, write outside of any transaction, keep the rest.

The order is what makes a crash harmless. What is intended stands in the ledger before it is sent, so that a change that
comes back by ingest is known as ours. A record that was made is bound to its golden record, and the ledger raised,
before its lane is settled: a crash in between asks again with the same ids, and the system answers as it did.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from mdm.connectors.model import Failure, Receipt, RecordSystem
from mdm.db.transaction import run
from mdm.delivery import ledger_store
from mdm.delivery.binding import bind_key
from mdm.delivery.freezing import freeze_quarrels
from mdm.delivery.lanes import WAITING, failed
from mdm.delivery.model import Declaration, Done, DueLane, Held, Later, Settlement, Sight
from mdm.delivery.sights import look
from mdm.delivery.wanted import Intent, Plan, plan_records
from mdm.delivery.writes import with_writes
from mdm.errors import DecisionContradicts
from mdm.failpoints import failpoint
from mdm.hub import Hub, Work, carry
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey

RESERVED = timedelta(minutes=1)  # chosen: most creates are confirmed within seconds, the others are expired by a worker
HELD_BACK = timedelta(hours=1)  # a version that is held back; the next one makes its lane due at once


@dataclass(frozen=True, slots=True)
class _Told:
    """One lane with what was asked of the system, and what it answered to each change, as far as it was asked."""

    lane: DueLane
    sight: Sight
    intents: tuple[Intent, ...]
    answers: tuple[Receipt | Failure, ...]

    @property
    def failure(self) -> Failure | None:
        """Return what the system did not do, the first of it."""
        return next((one for one in self.answers if isinstance(one, Failure)), None)


def deliver_records(
    hub: Hub, declaration: Declaration, system: RecordSystem, lanes: Sequence[DueLane], *, now: datetime
) -> tuple[list[Settlement], list[Failure]]:
    """Bring the records of leased lanes to what they shall hold; return how each lane is settled, and all failures."""
    freeze_quarrels(hub, lanes)
    sights, held_back = look(hub.engine, declaration, hub.declared, [lane.golden_id for lane in lanes])
    settlements: list[Settlement] = []
    asked: list[tuple[DueLane, Sight, tuple[Intent, ...]]] = []
    for lane in lanes:
        sight = sights.get(lane.golden_id)
        if sight is None:
            settlements.append(Later(lane, now + HELD_BACK, None, "its newest version is held back"))
            continue
        if sight.is_reserved and not sight.records:
            settlements.append(Later(lane, now + RESERVED, None, "somebody reserved it there, and creates it"))
            continue
        plan = _plan(hub, declaration, sight, lane)
        if plan.waits:
            waits = Later(lane, now + WAITING, None, plan.reason, waits_for=plan.waits_for)
            settlements.append(waits)
        elif plan.intents:
            asked.append((lane, sight, plan.intents))
        else:
            settlements.append(Done(lane, sight.version, plan.outcome, plan.reason))
    told = _tell(hub, declaration, system, asked, now)
    settlements.extend(_settlement(one, now) for one in told)
    settlements = [_unless_held_back(one, held_back, now) for one in settlements]
    return settlements, [one.failure for one in told if one.failure is not None]


def _plan(hub: Hub, declaration: Declaration, sight: Sight, lane: DueLane) -> Plan:
    subscription = declaration.records.get(sight.entity_type)
    if subscription is None:
        return Plan(outcome="not_subscribed", reason="the target is not told of this entity type any more")
    return plan_records(subscription, hub.entity_type(sight.entity_type), sight, lane)


def _tell(
    hub: Hub,
    declaration: Declaration,
    system: RecordSystem,
    asked: Sequence[tuple[DueLane, Sight, tuple[Intent, ...]]],
    now: datetime,
) -> list[_Told]:
    """Send round after round the next change of every lane, so that the changes of one lane are in order."""
    if not asked:
        return []
    run(hub.engine, partial(_note_intended, target_id=declaration.id, asked=asked))
    failpoint("delivery.intended")
    answers: defaultdict[GoldenId, list[Receipt | Failure]] = defaultdict(list)
    going = list(asked)
    for place in range(max(len(intents) for _, _, intents in asked)):
        going = [one for one in going if len(one[2]) > place]
        changes = [intents[place].change for _, _, intents in going]
        for (lane, _, _), answer in zip(list(going), system.write(changes), strict=True):
            answers[lane.golden_id].append(answer)
        going = [one for one in going if isinstance(answers[one[0].golden_id][-1], Receipt)]
    failpoint("delivery.sent")
    told = [_Told(lane, sight, intents, tuple(answers[lane.golden_id])) for lane, sight, intents in asked]
    return [_keep(hub, declaration, one, now) for one in told]


def _note_intended(
    connection: Connection, *, target_id: str, asked: Sequence[tuple[DueLane, Sight, tuple[Intent, ...]]]
) -> None:
    """Note the hashes of what is about to be written in records that are there; one yet to be made has no place."""
    rows = []
    for _, sight, intents in asked:
        known = {(one.object, one.scope, one.native_id): one.held for one in sight.records}
        for intent in intents:
            held = intent.held
            if held.native_id and intent.change.fields:
                before = known.get((held.object, held.scope, held.native_id)) or replace(held, hashes={})
                written = {name: held.hashes[name] for name in intent.change.fields}
                rows.append(_ledger_row(sight, replace(before, intended=written)))
    ledger_store.upsert_held(connection, target_id, rows)


def _keep(hub: Hub, declaration: Declaration, told: _Told, now: datetime) -> _Told:
    """Keep what the system acknowledged: bind records that were made, and raise the ledger."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}  # of two changes of one record the later counts
    for intent, answer in zip(told.intents, told.answers, strict=False):
        if isinstance(answer, Failure):
            continue
        written = {name: intent.held.hashes[name] for name in intent.change.fields if name in intent.held.hashes}
        writes = with_writes(intent.held.written, written, at=now)
        held = replace(intent.held, intended=None, remote_version=answer.version, written=writes)
        if intent.change.kind == "create":
            # A record that was there already, or that an earlier attempt made, may hold other values than we asked for.
            known = {name: hash_ for name, hash_ in held.hashes.items() if name not in answer.differing}
            held = replace(held, native_id=answer.native_id, hashes=known)
            refusal = _bind(hub, declaration, told, held)
            if refusal is not None:
                return replace(told, answers=(refusal,))
        rows[held.object, held.scope, held.native_id] = _ledger_row(told.sight, held) | {"written_at": now}
    if rows:
        kept = list(rows.values())
        run(hub.engine, lambda connection: ledger_store.upsert_held(connection, declaration.id, kept))
    return told


def _bind(hub: Hub, declaration: Declaration, told: _Told, held: Held) -> Failure | None:
    key = SourceKey(declaration.instance, held.object, held.scope, held.native_id)
    sight = told.sight

    def act(work: Work) -> None:
        bind_key(work, sight.entity_type, key, sight.golden_id, reason=f"made there for {sight.golden_id}")

    try:
        carry(hub, act, who=f"target {declaration.id}")
    except DecisionContradicts as error:
        return Failure("ambiguous", f"{key} was made for {sight.golden_id}, but {error.message.split(':')[0]}")
    failpoint("delivery.bound")
    return None


def _settlement(told: _Told, now: datetime) -> Settlement:
    if told.failure is not None:
        return failed(told.lane, told.failure, now=now)
    changes = [intent.change for intent in told.intents]
    details = {
        "kinds": sorted({change.kind for change in changes}),
        "records": sorted(
            {one.native_id for one in told.answers if isinstance(one, Receipt)}
            | {change.native_id for change in changes if change.native_id}
        ),
        "fields": sorted({name for change in changes for name in change.fields}),
    }
    if _is_taken_over(told):
        return Later(told.lane, now, None, "the record was there already: its values are compared next")
    return Done(told.lane, told.sight.version, "delivered", details=details)


def _is_taken_over(told: _Told) -> bool:
    """Tell whether a record that was to be made was there already, with values of its own or of an earlier attempt."""
    made = any(intent.change.kind == "create" for intent in told.intents)
    differs = any(one.differing for one in told.answers if isinstance(one, Receipt))
    return made and (differs or told.lane.attempts > 0)


def _unless_held_back(one: Settlement, held_back: frozenset[GoldenId], now: datetime) -> Settlement:
    """Let a lane wait whose newest version is held back, with what it was told until then."""
    if isinstance(one, Done) and one.lane.golden_id in held_back:
        return Later(one.lane, now + HELD_BACK, None, "its newest version is held back", told=one.version)
    return one


def _ledger_row(sight: Sight, held: Held) -> dict[str, Any]:
    return {"entity_type": sight.entity_type, "golden_id": sight.golden_id, "held": held}
