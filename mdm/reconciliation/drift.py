"""Compare what a target's records of one golden record hold with what they shall hold: pure.

What shall stand there is planned as a delivery plans it, from what does stand there: each change that such a plan asks
for is a difference, and what we knew of the record tells which side moved. Fields that are the target's own, or that it
has filled, and frozen attributes are in no plan, so they never differ.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mdm.delivery.external_ids import with_bearer_first
from mdm.delivery.model import DueLane, Held, OwnRecord, RecordSubscription, RemoteState, Sight
from mdm.delivery.sights import is_living
from mdm.delivery.wanted import Intent, plan_records
from mdm.entities.model import EntityType
from mdm.ids import GoldenId
from mdm.reconciliation.remote_records import Place

# missed     it holds what we knew, not what it shall
# edited     it was changed there, to something else than it shall hold
# lost       the crosswalk names a record that is not there, or out of use, or merged away
# forwarded  its external id names another golden record than it belongs to
# unnamed    it bears no external id, though it is the one that shall
# unknown    a record whose key the hub does not know
DriftKind = Literal["missed", "edited", "lost", "forwarded", "unnamed", "unknown"]
Lost = Literal["", "gone", "inactive", "merged"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A record as it stood there when it was read; hashes are salted as in the ledger, where it is known there."""

    held: Held
    external_id: str = ""
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference.

    seen    what stands there; None where nothing does
    known   what was known of it
    fields  of the target, that differ
    lost    how, where a record is lost
    """

    kind: DriftKind
    entity_type: str
    golden_id: GoldenId | None
    place: Place | None
    fields: tuple[str, ...] = ()
    lost: Lost = ""
    seen: Held | None = None
    known: Held | None = None
    merged_into: str = ""


def compare(
    subscription: RecordSubscription,
    entity_type: EntityType,
    sight: Sight,
    lane: DueLane,
    seen: Mapping[Place, Seen],
    goldens: Collection[str],
) -> tuple[Finding, ...]:
    """Find what differs of one golden record.

    lane     of a target that was told of everything
    goldens  external ids among those seen that name golden records
    """
    own = [one for one in sight.records if one.object == subscription.object]
    lost = tuple(_lost(subscription, sight, own, seen))
    stands = _as_it_stands(sight, subscription, seen)
    # Whose record bears its id is no excuse here: what is not there is missed.
    plan = plan_records(subscription, entity_type, replace(stands, namesakes=()), lane)
    if plan.outcome == "not_subscribed":
        return lost
    known = {place_of(one): one.held for one in own}
    found = [*lost]
    for intent in plan.intents:
        found += _differing(subscription, sight, intent, known, seen, has_lost=bool(lost))
    return (*found, *_forwarded(subscription, stands, own, seen, goldens))


def place_of(record: OwnRecord) -> Place:
    """Name the place of a record in its system."""
    return record.object, record.scope, record.native_id


def _as_it_stands(sight: Sight, subscription: RecordSubscription, seen: Mapping[Place, Seen]) -> Sight:
    """Put what stands there in place of what we knew."""
    records = []
    for one in sight.records:
        there = seen.get(place_of(one))
        if one.object != subscription.object:
            records.append(one)
        elif there is not None and not there.merged_into:
            # One that the hub did not take out of use is planned to be used again, which is the difference.
            accepted = one.held is not None and one.held.state == "inactive"
            out_of_use: RemoteState = "inactive" if accepted else "deactivated"
            held = there.held if there.held.state == "active" else replace(there.held, state=out_of_use)
            # Whose value it was tells whether it may stay, as long as that is what stands there.
            marks = one.held.written_for if one.held is not None else {}
            records.append(replace(one, held=replace(held, written_for=marks)))
    return replace(sight, records=tuple(records))


def _lost(
    subscription: RecordSubscription, sight: Sight, own: list[OwnRecord], seen: Mapping[Place, Seen]
) -> Iterator[Finding]:
    """Find records of the crosswalk that are not there any more; one that the hub merged away is where it shall be."""
    for one in own:
        there = seen.get(place_of(one))
        if (there is not None and not there.merged_into) or (one.held is not None and one.held.state == "merged"):
            continue
        lost: Lost = "merged" if there is not None else "gone"
        merged_into = there.merged_into if there is not None else ""
        yield Finding(
            "lost",
            subscription.entity_type,
            sight.golden_id,
            place_of(one),
            lost=lost,
            known=one.held,
            merged_into=merged_into,
        )


def _differing(
    subscription: RecordSubscription,
    sight: Sight,
    intent: Intent,
    known: Mapping[Place, Held | None],
    seen: Mapping[Place, Seen],
    *,
    has_lost: bool,
) -> Iterator[Finding]:
    change = intent.change
    place = (change.object, change.scope, change.native_id)
    if change.kind == "create":
        if not has_lost:
            yield Finding("missed", subscription.entity_type, sight.golden_id, None)
        return
    if place not in seen:
        return
    there, before = seen[place].held, known.get(place)
    finding = Finding("missed", subscription.entity_type, sight.golden_id, place, seen=there, known=before)
    if change.kind == "reactivate":
        yield replace(finding, kind="lost", lost="inactive")
    elif change.kind != "update":
        yield finding
    else:
        edited = sorted(name for name in change.fields if _was_edited(name, there, before))
        missed = sorted(change.fields.keys() - set(edited))
        if edited:
            yield replace(finding, kind="edited", fields=tuple(edited))
        if missed:
            yield replace(finding, fields=tuple(missed))
        if change.external_id and not seen[place].external_id:
            yield replace(finding, kind="unnamed")


def _was_edited(name: str, there: Held, before: Held | None) -> bool:
    return before is not None and name in before.hashes and before.hashes[name] != there.hashes.get(name)


def _forwarded(
    subscription: RecordSubscription,
    sight: Sight,
    own: list[OwnRecord],
    seen: Mapping[Place, Seen],
    goldens: Collection[str],
) -> Iterator[Finding]:
    """Find the record that stays of a golden record when it bears the id of another one."""
    kept = {place_of(one) for one in own if is_living(one) and _is_used(seen.get(place_of(one)))}
    staying = next(iter(with_bearer_first((one for one in sight.records if place_of(one) in kept), sight)), None)
    there = seen.get(place_of(staying)) if staying is not None else None
    if staying is None or there is None or there.external_id in {"", sight.golden_id}:
        return
    if there.external_id in goldens:
        place = place_of(staying)
        yield Finding(
            "forwarded", subscription.entity_type, sight.golden_id, place, seen=there.held, known=_known(own, place)
        )


def _known(own: list[OwnRecord], place: Place) -> Held | None:
    return next((one.held for one in own if place_of(one) == place), None)


def _is_used(there: Seen | None) -> bool:
    return there is not None and not there.merged_into and there.held.state == "active"
