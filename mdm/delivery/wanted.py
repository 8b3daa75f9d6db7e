"""What the records of a target shall hold, and which changes bring them there: pure, from one sight to a plan.

Only effective changes are asked for: a field is written when its hash differs from what the record holds as far as we
know. Ids of requests are made from what is asked and what is known, so a repeat has the same id and a new attempt to
put a value back has another one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from mdm.connectors.model import Change, ChangeKind
from mdm.delivery.hashes import hash_fields, hash_value, new_salt
from mdm.delivery.model import (
    DueLane,
    FieldRule,
    Held,
    OutcomeKind,
    OwnRecord,
    RecordSubscription,
    Sight,
)
from mdm.entities.model import EntityType
from mdm.ids import GoldenId, ReviewId


@dataclass(frozen=True, slots=True)
class Intent:
    """One change of one record, with what is known of the record once the change is carried out.

    held  without a native id where the record is yet to be made
    """

    change: Change
    held: Held


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for one lane: changes in order, or why there are none.

    waits_for  the golden record that the target has to know first
    in_review  the review that has to be answered first
    """

    intents: tuple[Intent, ...] = ()
    outcome: OutcomeKind = "no_change"
    reason: str = ""
    waits_for: GoldenId | None = None
    in_review: ReviewId | None = None

    @property
    def waits(self) -> bool:
        """Tell whether something else has to happen first."""
        return self.waits_for is not None or self.in_review is not None


@dataclass(frozen=True, slots=True)
class _Missing(Exception):
    """What a record points at has no record in the target yet."""

    golden_id: GoldenId


def plan_records(subscription: RecordSubscription, entity_type: EntityType, sight: Sight, lane: DueLane) -> Plan:
    """Plan what brings a target's records of one golden record to what they shall hold."""
    if sight.state != "active":
        return Plan(reason=f"it is {sight.state}: its records belong to another one, or are gone")
    if not fits(subscription.conditions, sight.values):
        return Plan(outcome="not_subscribed", reason="it does not fit the conditions of the subscription")
    living = [one for one in sight.records if one.held is None or one.held.state not in {"merged", "lost"}]
    if not living and not subscription.creates:
        return Plan(outcome="not_subscribed", reason="the target does not have it, and the hub makes none there")
    if not living and sight.in_review is not None:
        reason = f"review {sight.in_review} asks whether a record of the target is this one"
        return Plan(in_review=sight.in_review, reason=reason)
    used = [one for one in living if one.held is None or one.held.state != "inactive"]
    if living and not used:
        return Plan(reason="its record there was taken out of use by its own people")
    scope = used[0].scope if used else subscription.scope
    try:
        values = _fields(subscription, entity_type, sight, scope)
    except _Missing as missing:
        return Plan(waits_for=missing.golden_id, reason="the target does not have yet what it points at")
    if not used:
        return Plan((_creation(subscription, sight, values, lane),), "delivered")
    staying, *others = used
    intents = [*_keeping(staying, values, sight, lane), *_settling(subscription, staying, others, values, sight, lane)]
    return Plan(tuple(intents), "delivered" if intents else "no_change")


def fits(conditions: Mapping[str, tuple[str, ...]], values: Mapping[str, Any]) -> bool:
    """Tell whether one of the wanted values stands in each attribute that has a condition."""
    for attribute, wanted in conditions.items():
        value = values.get(attribute)
        present = value if isinstance(value, list) else [value]
        if not {str(one) for one in present if one is not None} & set(wanted):
            return False
    return True


_Values = Sequence[tuple[FieldRule, Any]]


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


def _creation(subscription: RecordSubscription, sight: Sight, values: _Values, lane: DueLane) -> Intent:
    """Make the record; until it is acknowledged every repeat has the same id, whatever its values are by then."""
    fields = {rule.target_field: value for rule, value in values if value not in (None, [])}
    salt = new_salt()
    change = Change(
        request_id=f"{sight.golden_id}.create.{lane.acknowledged}",
        kind="create",
        object=subscription.object,
        scope=subscription.scope,
        native_id="",
        fields=fields,
        external_id=str(sight.golden_id),
    )
    # A repeat may be answered with the record that an earlier attempt made, of other values: nothing is known of it.
    # Else a new record has nothing in the fields that are not filled.
    everything = {rule.target_field: value for rule, value in values}
    hashes = hash_fields(salt, everything) if lane.attempts == 0 else {}
    return Intent(change, Held(subscription.object, subscription.scope, "", "active", salt, hashes))


def _keeping(record: OwnRecord, values: _Values, sight: Sight, lane: DueLane) -> Iterator[Intent]:
    """Bring one record to what it shall hold, if anything differs."""
    held = record.held or Held(record.object, record.scope, record.native_id, "active", new_salt(), {})
    if held.state == "deactivated":
        held = replace(held, state="active")
        yield _intent("reactivate", held, {}, sight)
    fields = {rule.target_field: value for rule, value in values if _is_due(rule, value, held, lane)}
    if fields:
        after = replace(held, hashes={**held.hashes, **hash_fields(held.salt, fields)})
        yield _intent("update", after, fields, sight)


def _intent(kind: ChangeKind, after: Held, fields: Mapping[str, Any], sight: Sight, *, into: str = "") -> Intent:
    """Ask for one change of a record that is there; its id names all that makes it what it is."""
    known = "\0".join(
        [kind, after.native_id, after.remote_version, *(f"{k}={v}" for k, v in sorted(after.hashes.items()))]
    )
    request_id = f"{sight.golden_id}.{sight.version}.{blake2b(known.encode(), digest_size=8).hexdigest()}"
    change = Change(request_id, kind, after.object, after.scope, after.native_id, fields, str(sight.golden_id), into)
    return Intent(change, after)


def _is_due(rule: FieldRule, value: Any, held: Held, lane: DueLane) -> bool:
    if value in (None, []) and not rule.clears:
        return False
    there = held.hashes.get(rule.target_field)
    if rule.owner == "fill":
        return value not in (None, []) and there == hash_value(held.salt, rule.target_field, None)
    return lane.is_forced or there != hash_value(held.salt, rule.target_field, value)


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
        if subscription.on_merge == "link":
            # Systems keep one record for an external id: the one that stays has it.
            yield from (_unnamed(intent) for intent in _keeping(record, values, sight, lane))
        elif subscription.on_merge != "leave" and (record.held is None or record.held.state == "active"):
            held = record.held or Held(record.object, record.scope, record.native_id, "active", new_salt(), {})
            if subscription.on_merge == "merge":
                yield _intent("merge", replace(held, state="merged"), {}, sight, into=staying.native_id)
            else:
                yield _intent("deactivate", replace(held, state="deactivated"), {}, sight)


def _unnamed(intent: Intent) -> Intent:
    return replace(intent, change=replace(intent.change, external_id=""))
