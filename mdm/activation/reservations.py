"""Idempotent create: ask before a record is created in a system, so that of many callers one creates it.

Whoever is about to create a record in a source instance asks here. Matching decides, as for every record that arrives:
it is there, it is reserved for the caller, or it may be one of those that are there. A reservation is a source record
of the built-in instance `hub`; it has a golden id at once, and later callers meet it like any other record. It ends
when the new key is confirmed, when it is abandoned, or when its time is over.

For one golden record and one source instance there is one open reservation at a time: whoever would be the second is
told who holds it. A caller gets its own back by the same reference, or by a repeat of the same Idempotency-Key.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from mdm import clock
from mdm.activation import reservations_store as store
from mdm.activation.records import end_record, fault_of, keys_in
from mdm.activation.reservation_model import (
    MINUTES_MAX,
    REFERENCE_LENGTH_MAX,
    RETRY_AFTER_S,
    Confirmed,
    Reservation,
    ReservationFilter,
    Resolved,
    Wanted,
    key_of,
)
from mdm.db.locks import key_hash, lock_keys
from mdm.db.transaction import reading, run
from mdm.entities.model import EntityType, Origin
from mdm.errors import (
    FieldsRejected,
    InputInvalid,
    ReservationClosed,
    ReservationDiffers,
    ReservationUnknown,
)
from mdm.failpoints import failpoint
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry
from mdm.identity import crosswalk_store
from mdm.ids import GoldenId, RecordId, ReviewId, new_reservation_id
from mdm.pipeline import resolve, take_facts
from mdm.resolution.model import Candidate, Sought
from mdm.resolution.search import search
from mdm.source_events import service as source_events
from mdm.source_events.model import SourceFact
from mdm.sources import store as sources_store
from mdm.sources.model import HUB, Accepted, Delivery, Rejected, SourceKey
from mdm.sources.service import judge, register_hub, require_instance, systems
from mdm.telemetry import RESERVATIONS

DUE_MAX = 40  # chosen: reservations that one turn of the worker ends, each in a transaction of its own


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a caller wants, judged and ready to be stored."""

    entity_type: EntityType
    wanted: Wanted
    accepted: Accepted
    who: str


class _Found(Exception):
    """Carries the answer past the rollback of what was stored only to see what it matches."""

    def __init__(self, answer: Resolved) -> None:
        """Keep the answer."""
        super().__init__()
        self.answer = answer


def resolve_or_reserve(hub: Hub, wanted: Wanted, *, who: str, bracket: Bracket[Resolved] = UNBRACKETED) -> Resolved:
    """Say whether a record exists that somebody is about to create, and reserve it for the caller if it does not.

    Raises FieldsRejected with every reason against the fields, and ReservationDiffers when the caller holds other
    values under the same reference.
    """
    asked = _judged(hub, wanted, who)
    try:
        answer = carry(hub, partial(_reserve, hub, asked=asked), who=who, bracket=bracket)
    except _Found as found:
        answer = _answer_found(hub, asked, found.answer, bracket)
    RESERVATIONS.labels(asked.entity_type.name, answer.status).inc()
    return answer


def confirm(
    hub: Hub, reservation_id: str, key: SourceKey, *, who: str, bracket: Bracket[Confirmed] = UNBRACKETED
) -> Confirmed:
    """End a reservation with the key that the record was created under: the key belongs to what was reserved.

    Telling the same again changes nothing. One that expired may be confirmed still: its golden record comes back.
    Raises ReservationUnknown, ReservationClosed, and InputInvalid for a key that cannot be the new one.
    """

    def act(work: Work) -> Confirmed:
        found = _locked(work.connection, reservation_id)
        if found.state == "abandoned" or found.source_key not in {None, key}:
            ended = f"is confirmed with {found.source_key}" if found.source_key else "was abandoned"
            raise ReservationClosed(
                f"reservation {found.id} {ended}",
                remedy="deliver the record that was created; matching finds where it belongs",
            )
        if found.source_key is None:
            found = _confirm(work, found, key)
        (golden_id, _) = crosswalk_store.select_golden_ids(work.connection, [key], as_of=None)[key]
        return Confirmed(found, golden_id)

    return carry(hub, act, who=who, bracket=bracket)


def abandon(hub: Hub, reservation_id: str, *, who: str, bracket: Bracket[Reservation] = UNBRACKETED) -> Reservation:
    """End a reservation without a key; one that ended so before is left alone.

    Its golden record is retired if nothing else is in it; the id still resolves. Raises ReservationUnknown, and
    ReservationClosed for one that is confirmed.
    """
    return carry(hub, partial(abandon_within, reservation_id=reservation_id), who=who, bracket=bracket)


def abandon_within(work: Work, reservation_id: str) -> Reservation:
    """Do the same in the transaction at hand."""
    found = _locked(work.connection, reservation_id)
    if found.state == "confirmed":
        raise ReservationClosed(
            f"reservation {found.id} is confirmed with {found.source_key}",
            remedy="delete that record in its source, and tell the hub",
        )
    return found if found.state != "open" else _end(work, found, "abandoned")


def expire_due(hub: Hub, *, who: str = "worker") -> int:
    """End some reservations whose time is over; return how many.

    One whose golden record got a key of its source instance meanwhile was fulfilled: that key confirms it.
    """

    def act(work: Work) -> int:
        found = store.select_due(work.connection, at=clock.now())
        if found is None:
            return 0
        keys = keys_in(work.connection, found.golden_id, found.source)
        if keys:
            _confirm(work, found, keys[0])
        else:
            _end(work, found, "expired")
        return 1

    done = 0
    while done < DUE_MAX and carry(hub, act, who=who):
        done += 1
    return done


def require_reservation(connection: Connection, reservation_id: str) -> Reservation:
    """Return one reservation; raises ReservationUnknown."""
    found = store.select_reservation(connection, reservation_id)
    if found is None:
        raise ReservationUnknown(reservation_id)
    return found


def list_reservations(
    connection: Connection, asked: ReservationFilter, *, after: str = "", limit: int = 100
) -> tuple[Reservation, ...]:
    """List reservations in the order they were made."""
    return store.select_reservations(connection, asked, after=after, limit=limit)


def standing_of(connection: Connection, found: Reservation) -> Resolved:
    """Say how it stands with a reservation now: still to be created, in question, or there by now."""
    keys = keys_in(connection, found.golden_id, found.source)
    if found.state == "confirmed" or keys:
        return Resolved("existing", found.golden_id, found, keys=keys)
    reviews = _reviews(connection, found.record_id)
    if reviews:
        return Resolved("review", found.golden_id, found, reviews=reviews, retry_after_s=RETRY_AFTER_S)
    return Resolved("reserved", found.golden_id, found)


def _judged(hub: Hub, wanted: Wanted, who: str) -> _Asked:
    """Judge the fields as the source would deliver them: its codes, and its own keys in references."""
    entity_type = hub.entity_type(wanted.entity_type)
    _require_bounds(wanted)
    with reading(hub.engine) as connection:
        require_instance(connection, wanted.source)
        known = systems(connection)
    place = SourceKey(wanted.source, "reservation", "", "new")
    judged = judge(entity_type, Delivery(place, entity_type.name, wanted.fields), known_instances=known, column_map={})
    if isinstance(judged, Rejected):
        raise FieldsRejected([fault_of(reason) for reason in judged.reasons])
    return _Asked(entity_type, wanted, judged, who)


def _require_bounds(wanted: Wanted) -> None:
    if wanted.source == HUB:
        raise InputInvalid(
            "nothing is created in the source instance hub but by the hub itself",
            remedy="name the instance in which you are about to create the record",
            field="source",
        )
    if len(wanted.reference) > REFERENCE_LENGTH_MAX:
        raise InputInvalid(
            f"a reference has {REFERENCE_LENGTH_MAX} characters at most",
            remedy="send the key of what the create follows from, as an opportunity",
            field="reference",
        )
    if wanted.minutes is not None and not 1 <= wanted.minutes <= MINUTES_MAX:
        raise InputInvalid(
            f"{wanted.minutes} minutes is no time for a reservation",
            remedy=f"ask for 1 to {MINUTES_MAX} minutes",
            field="minutes",
        )


def _reserve(hub: Hub, work: Work, *, asked: _Asked) -> Resolved:
    """Store a reservation and see what it matches; raises _Found with the answer where nothing is to be created."""
    wanted, connection = asked.wanted, work.connection
    _hold_others_back(connection, asked)
    earlier = _earlier(connection, asked)
    if earlier is not None:
        return _with_evidence(hub, connection, asked, earlier)
    register_hub(connection)
    reservation_id = new_reservation_id()
    delivery = Delivery(key_of(reservation_id), asked.entity_type.name, wanted.fields)
    (arrival,) = resolve(work, asked.entity_type, [replace(asked.accepted, delivery=delivery)])
    record_id = arrival.record_id
    (golden_id, _) = crosswalk_store.select_golden_ids(connection, [delivery.key], as_of=None)[delivery.key]
    is_new = any(golden_id in plan.minted for plan in work.carried_out)
    if not is_new:
        there = _there(connection, golden_id, wanted.source)
        if there is not None:
            raise _Found(there)
    at = clock.recording_instant(connection)
    minutes = wanted.minutes or hub.settings.reservation_minutes
    made = Reservation(
        reservation_id,
        asked.entity_type.name,
        wanted.source,
        record_id,
        golden_id,
        "open",
        wanted.reference,
        at,
        asked.who,
        at + timedelta(minutes=minutes),
    )
    store.insert_reservation(connection, made, is_published=wanted.is_published)
    failpoint("reservation.stored")
    reviews = _reviews(connection, record_id)
    if is_new and reviews:
        answer = Resolved("review", golden_id, made, is_new, reviews=reviews, retry_after_s=RETRY_AFTER_S)
    else:
        answer = Resolved("reserved", golden_id, made, is_new, reviews=reviews)
    return _with_evidence(hub, connection, asked, answer)


def _answer_found(hub: Hub, asked: _Asked, answer: Resolved, bracket: Bracket[Resolved]) -> Resolved:
    """Answer in a transaction of its own, where nothing of the attempt is left that the evidence could be about."""

    def act(connection: Connection) -> Resolved:
        return bracket.around(connection, lambda: _with_evidence(hub, connection, asked, answer))

    return run(hub.engine, act)


def _hold_others_back(connection: Connection, asked: _Asked) -> None:
    """Wait for whoever asks for the very same, or under the same reference; those who are alike meet while matching."""
    wanted = asked.wanted
    place = (asked.entity_type.name, wanted.source)
    keys = [key_hash("reservation", *place, asked.accepted.content_hash.hex())]
    if wanted.reference:
        keys.append(key_hash("reservation", *place, asked.who, wanted.reference))
    lock_keys(connection, keys)


def _earlier(connection: Connection, asked: _Asked) -> Resolved | None:
    """Find what was reserved before under this reference, or for this very content."""
    wanted, content_hash = asked.wanted, asked.accepted.content_hash
    place = {"entity_type": asked.entity_type.name, "source": wanted.source}
    if wanted.reference:
        own = store.select_held(connection, who=asked.who, reference=wanted.reference, **place)
        if (
            own is not None
            and own.state == "open"
            and store.select_content_hash(connection, own.record_id) != (content_hash)
        ):
            raise ReservationDiffers(
                f"you hold reservation {own.id} under the reference {own.reference!r} for other values",
                remedy="confirm or abandon it first, or use another reference for another record",
            )
        if own is not None:
            return standing_of(connection, own)
    alike = store.select_alike(connection, content_hash=content_hash, **place)
    return None if alike is None else _told_to_others(connection, alike)


def _there(connection: Connection, golden_id: GoldenId, source: str) -> Resolved | None:
    """Say that a golden record has a key in a source, or that somebody creates it there; None when neither."""
    keys = keys_in(connection, golden_id, source)
    if keys:
        return Resolved("existing", golden_id, keys=keys)
    held = store.select_open_on(connection, golden_id, source=source)
    return None if held is None else _told_to_others(connection, held)


def _told_to_others(connection: Connection, held: Reservation) -> Resolved:
    keys = keys_in(connection, held.golden_id, held.source)
    return Resolved("existing", held.golden_id, held, keys=keys, retry_after_s=None if keys else RETRY_AFTER_S)


def _confirm(work: Work, found: Reservation, key: SourceKey) -> Reservation:
    """Let the key of a new record take the place of the reservation's own."""
    _require_fitting(work.connection, found, key)
    fact = SourceFact("re_keyed", found.key.instance, found.key, key, found.entity_type)
    take_facts(work, work.declared[found.entity_type], [fact])
    return _ended(work, replace(found, state="confirmed", source_key=key))


def _require_fitting(connection: Connection, found: Reservation, key: SourceKey) -> None:
    if key.instance != found.source:
        raise InputInvalid(
            f"reservation {found.id} is for {found.source}, and {key} is a key of {key.instance}",
            remedy=f"confirm it with the key that {found.source} gave",
            field="source_key",
        )
    heads = sources_store.select_heads(connection, [found.key, key])
    judged = source_events.judge(
        SourceFact("re_keyed", found.key.instance, found.key, key, found.entity_type),
        types={known: head.entity_type for known, head in heads.items()},
        known_instances=frozenset(systems(connection)),
    )
    if not isinstance(judged, str):
        raise FieldsRejected([replace(fault_of(reason), place="source_key") for reason in judged])


def _end(work: Work, found: Reservation, state: str) -> Reservation:
    """Take the record that stands for a reservation out of the hub."""
    end_record(work, found.entity_type, found.key, reason=state)
    return _ended(work, replace(found, state="abandoned" if state == "abandoned" else "expired"))


def _ended(work: Work, found: Reservation) -> Reservation:
    ended = replace(found, ended_at=clock.recording_instant(work.connection), ended_by=work.who)
    store.end_reservation(work.connection, ended)
    failpoint("reservation.ended")
    work.counts.append(RESERVATIONS.labels(ended.entity_type, ended.state))
    return require_reservation(work.connection, ended.id)


def _locked(connection: Connection, reservation_id: str) -> Reservation:
    found = store.select_reservation(connection, reservation_id, for_update=True)
    if found is None:
        raise ReservationUnknown(reservation_id)
    return found


def _reviews(connection: Connection, record_id: RecordId) -> tuple[ReviewId, ...]:
    return tuple(map(ReviewId, store.select_reviews(connection, [record_id])))


def _with_evidence(hub: Hub, connection: Connection, asked: _Asked, answer: Resolved) -> Resolved:
    """Add the golden records that it is or may be, with the evidence, as far as the caller may read them."""
    readable = asked.wanted.readable
    if answer.status == "reserved" or (readable is not None and not readable):
        return answer
    sought = Sought(asked.wanted.fields, Origin(asked.wanted.source, asked.accepted.system))
    found = search(connection, asked.entity_type, sought, bounds=hub.bounds, sources=readable)
    return replace(answer, candidates=tuple(one for one in found.candidates if _belongs(one, answer)))


def _belongs(candidate: Candidate, answer: Resolved) -> bool:
    """Of what exists the evidence for itself counts, of what is in question that for the others."""
    return (candidate.golden_id == answer.golden_id) is (answer.status == "existing")
