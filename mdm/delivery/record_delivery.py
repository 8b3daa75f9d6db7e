"""Tell a system of records what changed: plan, note what is intended, write outside of any transaction, keep the rest.

The order is what makes a crash harmless. What is intended stands in the ledger before it is sent, so that a change that
comes back by ingest is known as ours. A record that was made is bound to its golden record, and the ledger raised,
before its lane is settled: a crash in between asks again with the same ids, and the system answers as it did. Whoever
was slower than its lease neither asks any more nor writes to the ledger: the one that took over knows better.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from mdm.connectors.model import Change, Failure, Receipt, RecordSystem
from mdm.db.transaction import run
from mdm.delivery import ledger_store
from mdm.delivery.binding import bind_key
from mdm.delivery.external_ids_store import Place
from mdm.delivery.fencing import fenced
from mdm.delivery.freezing import freeze_quarrels
from mdm.delivery.lanes import WAITING, failed
from mdm.delivery.model import Declaration, Done, DueLane, Held, Later, Settlement, Sight
from mdm.delivery.orders import ask_to_let_go
from mdm.delivery.retry import LEAVES_DOUBT
from mdm.delivery.sights import look
from mdm.delivery.taken import is_about_ids, settle_taken
from mdm.delivery.unknown_ids import with_external_ids
from mdm.delivery.wanted import Intent, Plan, plan_records
from mdm.delivery.writes import Asked, with_asked, with_writes
from mdm.delivery.written_for import with_marks
from mdm.errors import DecisionContradicts
from mdm.failpoints import failpoint
from mdm.hub import Hub, Work, carry
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey

RESERVED = timedelta(minutes=1)  # chosen: most creates are confirmed within seconds, the others are expired by a worker
HELD_BACK = timedelta(hours=1)  # a version that is held back; the next one makes its lane due at once

_Refused = tuple[Held, Asked | None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One lane with what is asked of the system."""

    lane: DueLane
    sight: Sight
    plan: Plan

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Return the changes that are asked for, in their order."""
        return self.plan.intents


@dataclass(frozen=True, slots=True)
class _Told:
    """What the system answered to each change of a lane, as far as it was asked.

    owner  the golden record one of whose records was in the way
    """

    asked: _Asked
    answers: tuple[Receipt | Failure, ...]
    owner: GoldenId | None = None

    @property
    def failure(self) -> Failure | None:
        """Return what the system did not do, the last that it was asked."""
        return next((one for one in self.answers if isinstance(one, Failure)), None)

    @property
    def following(self) -> Intent | None:
        """Return what is asked next; None once all is answered, or something was not done."""
        done = len(self.answers)
        return self.asked.intents[done] if self.failure is None and done < len(self.asked.intents) else None

    def with_second_choice(self) -> "_Told":
        """Ask for the second choice in the place of what follows, which the system cannot do."""
        plan = self.asked.plan.with_second_choice(len(self.answers))
        return replace(self, asked=replace(self.asked, plan=plan))


def deliver_records(
    hub: Hub, declaration: Declaration, system: RecordSystem, lanes: Sequence[DueLane], *, now: datetime
) -> tuple[list[Settlement], list[Failure]]:
    """Bring the records of leased lanes to what they shall hold; return how each lane is settled, and all failures."""
    freeze_quarrels(hub, lanes)
    sights, held_back = look(hub.engine, declaration, hub.declared, [lane.golden_id for lane in lanes])
    sights, unread = with_external_ids(hub, declaration, system, sights, lanes)
    settlements: list[Settlement] = []
    asked: list[_Asked] = []
    owners: set[GoldenId] = set()
    for lane in lanes:
        sight = sights.get(lane.golden_id)
        if sight is None:
            settlements.append(Later(lane, now + HELD_BACK, None, "its newest version is held back"))
            continue
        if sight.is_reserved and not sight.records:
            settlements.append(Later(lane, now + RESERVED, None, "somebody reserved it, and creates it"))
            continue
        if lane.golden_id in unread:
            settlements.append(failed(lane, unread[lane.golden_id], now=now))
            continue
        plan = _plan(hub, declaration, sight, lane)
        if sight.state == "active":  # its id is its own, also where no record is given it now
            owners.update(one.owner for one in sight.namesakes)
        if plan.intents:
            asked.append(_Asked(lane, sight, plan))
        elif plan.waits:
            settlements.append(_waiting(lane, plan, now))
        else:
            settlements.append(Done(lane, sight.version, plan.outcome, plan.reason))
    told = _tell(hub, declaration, system, asked, now)
    _ask_owners(hub, declaration, owners | {one.owner for one in told if one.owner is not None}, now)
    settlements.extend(_settlement(one, now) for one in told)
    settlements = [_unless_held_back(one, held_back, now) for one in settlements]
    return settlements, [*unread.values(), *(one.failure for one in told if one.failure is not None)]


def _waiting(lane: DueLane, plan: Plan, now: datetime) -> Later:
    return Later(lane, now + WAITING, None, plan.reason, waits_for=plan.waits_for or plan.asks)


def _ask_owners(hub: Hub, declaration: Declaration, owners: Collection[GoldenId], now: datetime) -> None:
    """Have golden records told again whose records there bear the ids of others, so that they let go of them."""
    if owners:
        reason = "a record there bears the id of another golden record"
        run(hub.engine, partial(ask_to_let_go, target_id=declaration.id, owners=owners, reason=reason, now=now))


def _plan(hub: Hub, declaration: Declaration, sight: Sight, lane: DueLane) -> Plan:
    subscription = declaration.records.get(sight.entity_type)
    if subscription is None:
        return Plan(outcome="not_subscribed", reason="the target is not told of this entity type any more")
    return plan_records(subscription, hub.entity_type(sight.entity_type), sight, lane)


def _tell(
    hub: Hub, declaration: Declaration, system: RecordSystem, asked: Sequence[_Asked], now: datetime
) -> list[_Told]:
    """Send round after round the next change of every lane, so that the changes of one lane are in order."""
    asked = _noted(hub, asked, partial(_note_intended, target_id=declaration.id, now=now))
    failpoint("delivery.intended")
    told = [_Told(one, ()) for one in asked]
    while due := [(place, intent) for place, one in enumerate(told) if (intent := one.following) is not None]:
        unmergeable: dict[GoldenId, Change] = {}
        answers = system.write([intent.change for _, intent in due])
        for (place, intent), answer in zip(due, answers, strict=True):
            if isinstance(answer, Failure) and answer.kind == "unsupported" and intent.otherwise is not None:
                told[place] = told[place].with_second_choice()
                unmergeable[_golden_id(told[place])] = intent.change
            else:
                told[place] = replace(told[place], answers=(*told[place].answers, answer))
        going_on = [one.asked for one in told if one.following is not None or _golden_id(one) in unmergeable]
        note = partial(_note_unmerged, target_id=declaration.id, changes=unmergeable, now=now)
        lost = {one.lane.golden_id for one in going_on} - {one.lane.golden_id for one in _noted(hub, going_on, note)}
        told = [one for one in told if _golden_id(one) not in lost]
    failpoint("delivery.sent")
    return [_with_owner(hub, declaration, _keep(hub, declaration, one, now)) for one in told]


def _noted(hub: Hub, asked: Sequence[_Asked], note: Callable[[Connection, Sequence[_Asked]], None]) -> Sequence[_Asked]:
    """Note in the ledger what is asked of these lanes; return those whose lease held. Of others nothing is noted."""

    def of_held(connection: Connection, held: AbstractSet[GoldenId]) -> None:
        note(connection, [one for one in asked if one.lane.golden_id in held])

    held = fenced(hub.engine, [one.lane for one in asked], of_held)
    return [one for one in asked if one.lane.golden_id in held]


def _golden_id(told: _Told) -> GoldenId:
    return told.asked.lane.golden_id


def _note_unmerged(
    connection: Connection,
    asked: Sequence[_Asked],
    *,
    target_id: str,
    changes: Mapping[GoldenId, Change],
    now: datetime,
) -> None:
    """Keep which records cannot be merged, and what is intended instead, before the next changes are sent."""
    refused = [one for one in asked if one.lane.golden_id in changes]
    _note_intended(connection, refused, target_id=target_id, now=now)
    for one in refused:
        ledger_store.note_unmergeable(connection, target_id, one.sight.entity_type, changes[one.lane.golden_id])


def _note_intended(connection: Connection, asked: Sequence[_Asked], *, target_id: str, now: datetime) -> None:
    """Note the hashes of what is about to be written in records that are there; one yet to be made has no place.

    The external id that a record is given is not known until it is acknowledged.
    """
    rows: dict[Place, dict[str, Any]] = {}
    for one in asked:
        known = {(own.object, own.scope, own.native_id): own.held for own in one.sight.records}
        for intent in one.intents:
            held, place = intent.held, _place(intent.held)
            before = known.get(place) or replace(held, hashes={}, external_id=None)
            is_given = held.external_id != before.external_id
            if held.native_id and (intent.writes or is_given):
                earlier = rows[place]["held"] if place in rows else before
                marks = with_marks(earlier.written_for, held.written_for)
                asked_now = with_asked(earlier.intended, intent.writes) or None
                noted = replace(before, intended=asked_now, written_for=marks)
                is_given = is_given or earlier.external_id is None
                noted = replace(noted, external_id=None) if is_given else noted
                rows[place] = _ledger_row(one.sight, noted) | {"written_at": now}
    ledger_store.upsert_held(connection, target_id, list(rows.values()))


def _keep(hub: Hub, declaration: Declaration, told: _Told, now: datetime) -> _Told:
    """Keep what the system acknowledged: bind records that were made, and raise the ledger."""
    rows: dict[Place, dict[str, Any]] = {}  # of two changes of one record the later counts
    for intent, answer in zip(told.asked.intents, told.answers, strict=False):
        if isinstance(answer, Failure):
            continue
        place = _place(intent.held)
        before = rows[place]["held"] if place in rows else intent.held
        # What was asked earlier without an answer, and not again now, may stand there still.
        in_doubt = {name: hash_ for name, hash_ in (before.intended or {}).items() if name not in intent.writes}
        writes = with_writes(before.written, intent.writes, at=now)
        held = replace(intent.held, intended=in_doubt or None, remote_version=answer.version, written=writes)
        if intent.change.kind == "create":
            # A record that was there already, or that an earlier attempt made, may hold other values than we asked for.
            known = {name: hash_ for name, hash_ in held.hashes.items() if name not in answer.differing}
            held = replace(held, native_id=answer.native_id, hashes=known)
            refusal = _bind(hub, declaration, told.asked.sight, held)
            if refusal is not None:
                return replace(told, answers=(refusal,))
        rows[_place(held)] = _ledger_row(told.asked.sight, held) | {"written_at": now}
    _keep_doubt(told, rows)
    kept, refused = list(rows.values()), _refused(told, rows)
    if kept or refused:
        note = partial(_note_answers, target_id=declaration.id, kept=kept, refused=refused)
        _noted(hub, [told.asked], lambda connection, _: note(connection))
    return told


def _keep_doubt(told: _Told, rows: dict[Place, dict[str, Any]]) -> None:
    """Keep what was asked last and not answered in a record that had answered to an earlier change of the same lane."""
    if told.failure is None or told.failure.kind not in LEAVES_DOUBT:
        return
    unanswered = told.asked.intents[len(told.answers) - 1]
    place = _place(unanswered.held)
    if place in rows:
        held: Held = rows[place]["held"]
        asked = with_asked(held.intended, unanswered.writes) or None
        external_id = held.external_id if held.external_id == unanswered.held.external_id else None
        marks = with_marks(held.written_for, unanswered.held.written_for)
        rows[place]["held"] = replace(held, intended=asked, external_id=external_id, written_for=marks)


def _note_answers(
    connection: Connection, *, target_id: str, kept: Sequence[Mapping[str, Any]], refused: Sequence[_Refused]
) -> None:
    ledger_store.upsert_held(connection, target_id, kept)
    ledger_store.restore_intended(connection, target_id, refused)


def _refused(told: _Told, answered: Collection[Place]) -> list[_Refused]:
    """Give as they were before the records that the system would not change, or was not asked to after a failure.

    Each with what was noted as intended.
    """
    if told.failure is None:
        return []
    intents, failed_at = told.asked.intents, len(told.answers) - 1
    in_doubt = intents[failed_at : failed_at + 1] if told.failure.kind in LEAVES_DOUBT else ()
    untouched = [intent.held for intent in intents[failed_at + len(in_doubt) :] if intent.held.native_id]
    left = {*answered, *(_place(intent.held) for intent in in_doubt)}
    known = {(own.object, own.scope, own.native_id): own.held for own in told.asked.sight.records}
    before = {
        place: known.get(place) or replace(held, external_id=None)
        for held in untouched
        if (place := _place(held)) not in left
    }
    noted = {place: with_asked(held.intended, {}) for place, held in before.items()}
    for intent in intents:
        place = _place(intent.held)
        if place in noted:
            noted[place] = with_asked(noted[place], intent.writes)
    return [(held, noted[place] or None) for place, held in before.items()]


def _place(held: Held) -> Place:
    return held.object, held.scope, held.native_id


def _bind(hub: Hub, declaration: Declaration, sight: Sight, held: Held) -> Failure | None:
    key = SourceKey(declaration.instance, held.object, held.scope, held.native_id)

    def act(work: Work) -> None:
        bind_key(work, sight.entity_type, key, sight.golden_id, reason=f"made there for {sight.golden_id}")

    try:
        carry(hub, act, who=f"target {declaration.id}")
    except DecisionContradicts as error:
        reason = f"{key} was made for {sight.golden_id}, but {error.message.split(':')[0]}"
        return Failure("taken", reason, records=(held.native_id,))
    failpoint("delivery.bound")
    return None


def _with_owner(hub: Hub, declaration: Declaration, told: _Told) -> _Told:
    """Find out whose the records are that a failure names, where one bears the id that was to be written."""
    failure = told.failure
    if failure is None or not is_about_ids(failure):
        return told
    place = len(told.answers) - 1
    asked, change = told.asked, told.asked.intents[place].change
    found: list[tuple[Failure, GoldenId | None]] = []

    def settle(connection: Connection, _: AbstractSet[GoldenId]) -> None:
        found[:] = [settle_taken(connection, declaration, asked.lane, asked.sight, change, failure)]

    if not fenced(hub.engine, [asked.lane], settle):
        return told
    ((settled, owner),) = found
    return replace(told, answers=(*told.answers[:place], settled), owner=owner)


def _settlement(told: _Told, now: datetime) -> Settlement:
    lane, plan = told.asked.lane, told.asked.plan
    if told.failure is not None:
        settled = failed(lane, told.failure, now=now)
        return replace(settled, waits_for=told.owner) if isinstance(settled, Later) else settled
    if plan.waits:
        return _waiting(lane, plan, now)
    changes = [intent.change for intent in plan.intents]
    details = {
        "kinds": sorted({change.kind for change in changes}),
        "records": sorted(
            {one.native_id for one in told.answers if isinstance(one, Receipt)}
            | {change.native_id for change in changes if change.native_id}
        ),
        "fields": sorted({name for change in changes for name in change.fields}),
    }
    if _is_taken_over(told):
        return Later(lane, now, None, "the record was there already: its values are compared next")
    return Done(lane, told.asked.sight.version, plan.outcome, plan.reason, details=details)


def _is_taken_over(told: _Told) -> bool:
    """Tell whether a record that was to be made was there already, with values of its own or of an earlier attempt."""
    made = any(intent.change.kind == "create" for intent in told.asked.intents)
    differs = any(one.differing for one in told.answers if isinstance(one, Receipt))
    return made and (differs or told.asked.lane.attempts > 0)


def _unless_held_back(one: Settlement, held_back: frozenset[GoldenId], now: datetime) -> Settlement:
    """Let a lane wait whose newest version is held back, with what it was told until then."""
    if isinstance(one, Done) and one.lane.golden_id in held_back:
        return Later(one.lane, now + HELD_BACK, None, "its newest version is held back", told=one.version)
    return one


def _ledger_row(sight: Sight, held: Held) -> dict[str, Any]:
    return {"entity_type": sight.entity_type, "golden_id": sight.golden_id, "held": held}
