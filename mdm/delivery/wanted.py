"""What the records of a target shall hold, and which changes bring them there: pure, from one sight to a plan.

Only effective changes are asked for: a field is written when its hash differs from what the record holds as far as we
know. Ids of requests are made from what is asked and what is known, so a repeat has the same id and a new attempt to
put a value back has another one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final

from mdm.connectors.model import REASON_LENGTH_MAX, Change, ChangeKind
from mdm.delivery.external_ids import id_to_give, is_renamed, lets_go, namesake_in, with_bearer_first
from mdm.delivery.hashes import hash_fields, hash_value, new_salt
from mdm.delivery.model import (
    DueLane,
    FieldRule,
    Held,
    Namesake,
    OutcomeKind,
    OwnRecord,
    RecordSubscription,
    Sight,
    WhereItCannot,
)
from mdm.delivery.written_for import holds_anothers, mark_of, marked, with_marks
from mdm.entities.model import EntityType
from mdm.ids import GoldenId, ReviewId


@dataclass(frozen=True, slots=True)
class Intent:
    """One change of one record, with what is known of the record once the change is carried out.

    held  without a native id where the record is yet to be made
    flag  hash of the target's own flag of use, where the change sets it
    otherwise  what is done in its place where the target answers that it cannot; None: that fails like any refusal
    """

    change: Change
    held: Held
    flag: Mapping[str, str] = field(default_factory=dict)
    otherwise: "SecondChoice | None" = None

    @property
    def writes(self) -> Mapping[str, str]:
        """Return the hashes of what is written, by field."""
        hashes = self.held.hashes
        return {**{name: hashes[name] for name in self.change.fields if name in hashes}, **self.flag}


@dataclass(frozen=True, slots=True)
class SecondChoice:
    """What is done with a record that its target cannot merge; `reason` says so to people."""

    intents: tuple[Intent, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for one lane: changes in order, or why there are none; with both a wait and changes, these come first.

    waits_for  the golden record that the target has to know first
    in_review  the review that has to be answered first
    asks       the golden record one of whose records there has to let go of this one's id first
    """

    intents: tuple[Intent, ...] = ()
    outcome: OutcomeKind = "no_change"
    reason: str = ""
    waits_for: GoldenId | None = None
    in_review: ReviewId | None = None
    asks: GoldenId | None = None

    @property
    def waits(self) -> bool:
        """Tell whether something else has to happen first."""
        return self.waits_for is not None or self.in_review is not None or self.asks is not None

    def with_second_choice(self, place: int) -> "Plan":
        """Put in the place of a change that the target cannot carry out what is done otherwise."""
        otherwise = self.intents[place].otherwise
        assert otherwise is not None, "only what has a second choice is replaced"
        intents = (*self.intents[:place], *otherwise.intents, *self.intents[place + 1 :])
        return replace(self, intents=intents, reason=_joined(self.reason, otherwise.reason))


@dataclass(frozen=True, slots=True)
class _Missing(Exception):
    """What a record points at has no record in the target yet."""

    golden_id: GoldenId


def plan_records(subscription: RecordSubscription, entity_type: EntityType, sight: Sight, lane: DueLane) -> Plan:
    """Plan what brings a target's records of one golden record to what they shall hold."""
    plan = _planned(subscription, entity_type, sight, lane)
    return replace(plan, intents=tuple(_with_flag(intent, subscription.use_flag) for intent in plan.intents))


def _with_flag(intent: Intent, flag: str) -> Intent:
    if intent.otherwise is not None:
        flagged = tuple(_with_flag(one, flag) for one in intent.otherwise.intents)
        intent = replace(intent, otherwise=replace(intent.otherwise, intents=flagged))
    if not flag or intent.change.kind not in {"deactivate", "reactivate"}:
        return intent
    return replace(intent, flag={flag: hash_value(intent.held.salt, flag, intent.change.kind == "deactivate")})


def _planned(subscription: RecordSubscription, entity_type: EntityType, sight: Sight, lane: DueLane) -> Plan:
    if sight.state != "active":
        return Plan(reason=f"it is {sight.state}: its records belong to another one, or are gone")
    living = [one for one in sight.records if one.held is None or one.held.state not in {"merged", "lost"}]
    if not fits(subscription.conditions, sight.values):
        reason = "it does not fit the conditions of the subscription"
        return _letting_go(Plan(outcome="not_subscribed", reason=reason), living, sight, lane)
    if not living and not subscription.creates:
        return Plan(outcome="not_subscribed", reason="the target does not have it, and the hub makes none there")
    if not living and sight.in_review is not None:
        reason = f"review {sight.in_review} asks whether a record of the target is this one"
        return Plan(in_review=sight.in_review, reason=reason)
    used = with_bearer_first((one for one in living if one.held is None or one.held.state != "inactive"), sight)
    if living and not used:
        return _letting_go(Plan(reason="its record there was taken out of use by its own people"), living, sight, lane)
    try:
        values = _fields(subscription, entity_type, sight, used[0].scope if used else subscription.scope)
    except _Missing as missing:
        plan = Plan(waits_for=missing.golden_id, reason="the target does not have yet what it points at")
        return _letting_go(plan, living, sight, lane)
    if used:
        return _bringing(subscription, sight, lane, values, (living, used))
    return _creating(subscription, sight, values, lane)


def fits(conditions: Mapping[str, tuple[str, ...]], values: Mapping[str, Any]) -> bool:
    """Tell whether one of the wanted values stands in each attribute that has a condition."""
    for attribute, wanted in conditions.items():
        value = values.get(attribute)
        present = value if isinstance(value, list) else [value]
        if not {str(one) for one in present if one is not None} & set(wanted):
            return False
    return True


_Values = Sequence[tuple[FieldRule, Any]]


def _bringing(
    subscription: RecordSubscription,
    sight: Sight,
    lane: DueLane,
    values: _Values,
    records: tuple[Sequence[OwnRecord], Sequence[OwnRecord]],
) -> Plan:
    """Bring the records that are there, and those of them that are used, to what they shall hold."""
    living, (staying, *others) = records
    given = id_to_give(sight, staying, living)
    # The record that stays is written with the id that it shall bear; where another one bears that, it lets go as well.
    freed = {_place(one): _freed(one, sight, lane) for one in living if one is not staying or not given}
    intents = [
        *(intent for intent in freed.values() if intent is not None),
        *_keeping(_as_freed(staying, freed), values, sight, lane, given, subscription.use_flag),
        *_settling(subscription, staying, [_as_freed(one, freed) for one in others], values, sight, lane),
    ]
    reason = _known_refusals(subscription, staying, others, lane)
    plan = Plan(tuple(intents), "delivered" if intents else "no_change", reason)
    namesake = namesake_in(sight, staying.object, staying.scope)
    if namesake is not None and is_renamed(_as_freed(staying, freed), str(sight.golden_id)):
        return replace(plan, asks=namesake.owner, reason=_joined(_asked(namesake), reason))
    return plan


def _fields(subscription: RecordSubscription, entity_type: EntityType, sight: Sight, scope: str) -> _Values:
    """Give what each field shall hold, in the target's own words and keys; frozen attributes are left out."""
    found = []
    for rule in subscription.fields:
        if rule.owner == "target" or rule.attribute in sight.frozen:
            continue
        value = sight.values.get(rule.attribute)
        attribute = entity_type.attributes[rule.attribute]
        if value is not None and attribute.reference is not None:
            pointed = [GoldenId(one) for one in (value if attribute.is_list else [value])]
            keys = [_own_key(sight.parents.get(one, ()), scope) for one in pointed]
            if None in keys and subscription.missing_parent == "wait":
                raise _Missing(pointed[keys.index(None)])
            kept = [key for key in keys if key is not None]
            value = kept if attribute.is_list else next(iter(kept), None)
        found.append((rule, in_its_words(rule, value)))
    return found


def _own_key(keys: Sequence[tuple[str, str]], scope: str) -> str | None:
    """Choose the key that a system uses for a golden record: in the same scope, else without scope, else the first."""
    ranked = sorted(keys, key=lambda key: (key[0] != scope, key[0] != ""))
    return ranked[0][1] if ranked else None


def in_its_words(rule: FieldRule, value: Any) -> Any:
    """Say a value in the target's own words; what is none of our codes stays as it is."""
    if isinstance(value, list):
        words = [rule.codes.get(str(one), one) if rule.codes else one for one in value]
        return next(iter(words), None) if rule.takes == "first" else words
    return rule.codes.get(str(value), value) if rule.codes and value is not None else value


def _creating(subscription: RecordSubscription, sight: Sight, values: _Values, lane: DueLane) -> Plan:
    namesake = namesake_in(sight, subscription.object, subscription.scope)
    if namesake is not None:
        return Plan(asks=namesake.owner, reason=_asked(namesake))
    return Plan((_creation(subscription, sight, values, lane),), "delivered")


def _asked(namesake: Namesake) -> str:
    record = f"{namesake.object} {namesake.native_id}"
    return f"{record} there bears its id, and belongs to {namesake.owner}, which is told first"


def _letting_go(plan: Plan, living: Sequence[OwnRecord], sight: Sight, lane: DueLane) -> Plan:
    """Let records that are not written let go of the ids of others all the same."""
    freed = [intent for one in living if (intent := _freed(one, sight, lane)) is not None]
    return replace(plan, intents=tuple(freed), outcome="delivered") if freed else plan


def _freed(record: OwnRecord, sight: Sight, lane: DueLane) -> Intent | None:
    if record.held is None or not lets_go(sight, record):
        return None
    return _intent("release", replace(record.held, external_id=""), {}, sight, lane)


def _as_freed(record: OwnRecord, freed: Mapping[tuple[str, str, str], Intent | None]) -> OwnRecord:
    intent = freed.get(_place(record))
    return record if intent is None else replace(record, held=intent.held)


def _place(record: OwnRecord) -> tuple[str, str, str]:
    return record.object, record.scope, record.native_id


def _creation(subscription: RecordSubscription, sight: Sight, values: _Values, lane: DueLane) -> Intent:
    """Make the record; until it is acknowledged every repeat has the same id, whatever its values are by then."""
    fields = {rule.target_field: value for rule, value in values if value not in (None, [])}
    salt = new_salt()
    series = f".{lane.series}" if lane.series else ""
    change = Change(
        request_id=f"{sight.golden_id}.create.{lane.acknowledged}{series}",
        kind="create",
        object=subscription.object,
        scope=subscription.scope,
        native_id="",
        fields=fields,
        external_id=str(sight.golden_id),
    )
    # A repeat may be answered with the record that an earlier attempt made, of other values: what is asked may stand
    # there, and nothing more is known of it. Else a new record has nothing in the fields that are not filled.
    everything = hash_fields(salt, {rule.target_field: value for rule, value in values})
    is_first = lane.attempts == 0
    held = Held(
        subscription.object,
        subscription.scope,
        "",
        "active",
        salt,
        everything if is_first else {},
        None if is_first else {name: (everything[name],) for name in fields},
        external_id=str(sight.golden_id),
        written_for=marked(everything, fields, mark_of(sight.golden_id, sight.version)),
    )
    return Intent(change, held)


def _keeping(
    record: OwnRecord, values: _Values, sight: Sight, lane: DueLane, given: str, use_flag: str
) -> Iterator[Intent]:
    """Bring one record to what it shall hold, and to the external id that it is given, if anything differs."""
    held = record.held or Held(record.object, record.scope, record.native_id, "active", new_salt(), {})
    if held.state == "deactivated" or _is_in_doubt(held, use_flag):
        held = replace(held, state="active")
        yield _intent("reactivate", held, {}, sight, lane)
    fields = {rule.target_field: value for rule, value in values if _is_due(rule, value, held, lane, sight.parted)}
    if fields or is_renamed(record, given):
        hashes = {**held.hashes, **hash_fields(held.salt, fields)}
        marks = with_marks(held.written_for, marked(hashes, fields, mark_of(sight.golden_id, sight.version)))
        after = replace(held, hashes=hashes, external_id=given or held.external_id, written_for=marks)
        yield _intent("update", after, fields, sight, lane, external_id=given)


def _is_in_doubt(held: Held, use_flag: str) -> bool:
    """Tell whether the hub asked to take a record out of use, or into use again, and was not answered."""
    return bool(use_flag) and use_flag in (held.intended or {})


def _intent(
    kind: ChangeKind,
    after: Held,
    fields: Mapping[str, Any],
    sight: Sight,
    lane: DueLane,
    **given: str,
) -> Intent:
    """Ask for one change of a record that is there; its id names all that makes it what it is."""
    marks = [kind, after.native_id, after.remote_version, *given.values(), str(lane.series or "")]
    known = "\0".join([*marks, *(f"{k}={v}" for k, v in sorted(after.hashes.items()))])
    request_id = f"{sight.golden_id}.{sight.version}.{blake2b(known.encode(), digest_size=8).hexdigest()}"
    change = Change(request_id, kind, after.object, after.scope, after.native_id, fields, **given)
    return Intent(change, after)


def _is_due(rule: FieldRule, value: Any, held: Held, lane: DueLane, parted: frozenset[tuple[str, str]]) -> bool:
    if value in (None, []) and not rule.clears:
        # A value of nobody any more is kept, one of another golden record's members is not.
        return rule.owner == "hub" and holds_anothers(rule, held, parted)
    there = held.hashes.get(rule.target_field)
    if rule.owner == "fill":
        return value not in (None, []) and there == hash_value(held.salt, rule.target_field, None)
    wanted = hash_value(held.salt, rule.target_field, value)
    # What was asked and never answered may stand there: a value that is wanted again is written over it.
    in_doubt = (held.intended or {}).get(rule.target_field, ())
    return lane.is_forced or there != wanted or any(one != wanted for one in in_doubt)


def _settling(
    subscription: RecordSubscription,
    staying: OwnRecord,
    others: Sequence[OwnRecord],
    values: _Values,
    sight: Sight,
    lane: DueLane,
) -> Iterator[Intent]:
    """Do with the other records of the same golden record what the policy says."""
    for record in others:
        if subscription.on_merge != "merge":
            yield from _settled(subscription.on_merge, subscription, record, values, sight, lane)
            continue
        instead = subscription.where_it_cannot
        otherwise = SecondChoice(
            tuple(_settled(instead, subscription, record, values, sight, lane)), _not_merged(record, instead)
        )
        if _is_known_unmergeable(record, staying, lane):
            yield from otherwise.intents
        elif _is_in_use(record, subscription) or record.unmergeable_into == staying.native_id:
            held = record.held or Held(record.object, record.scope, record.native_id, "active", new_salt(), {})
            merged = _intent("merge", replace(held, state="merged"), {}, sight, lane, into=staying.native_id)
            yield replace(merged, otherwise=otherwise)


def _settled(
    choice: WhereItCannot,
    subscription: RecordSubscription,
    record: OwnRecord,
    values: _Values,
    sight: Sight,
    lane: DueLane,
) -> Iterator[Intent]:
    """Keep another record of the same golden record up to date, take it out of use, or leave it."""
    if choice == "link":
        # Systems keep one record for an external id: the one that stays has it.
        yield from _keeping(record, values, sight, lane, "", subscription.use_flag)
    elif choice == "deactivate" and _is_in_use(record, subscription):
        held = record.held or Held(record.object, record.scope, record.native_id, "active", new_salt(), {})
        yield _intent("deactivate", replace(held, state="deactivated"), {}, sight, lane)


def _is_in_use(record: OwnRecord, subscription: RecordSubscription) -> bool:
    return record.held is None or record.held.state == "active" or _is_in_doubt(record.held, subscription.use_flag)


def _is_known_unmergeable(record: OwnRecord, staying: OwnRecord, lane: DueLane) -> bool:
    """Tell whether the target said of this pair that it cannot merge it; whoever tells it again asks it anew."""
    return record.unmergeable_into == staying.native_id and not lane.is_forced


def _known_refusals(
    subscription: RecordSubscription, staying: OwnRecord, others: Sequence[OwnRecord], lane: DueLane
) -> str:
    """Say which records stay unmerged with this version as with those before, and what they are instead."""
    known = [one for one in others if subscription.on_merge == "merge" and _is_known_unmergeable(one, staying, lane)]
    return _joined(*(_not_merged(one, subscription.where_it_cannot) for one in known))


_DONE_INSTEAD: Final[Mapping[WhereItCannot, str]] = {
    "link": "linked",
    "deactivate": "deactivated",
    "leave": "left as it is",
}


def _not_merged(record: OwnRecord, instead: WhereItCannot) -> str:
    return f"{record.object} {record.native_id} could not be merged there: {_DONE_INSTEAD[instead]} instead"


def _joined(*reasons: str) -> str:
    return "; ".join(filter(None, reasons))[:REASON_LENGTH_MAX]
