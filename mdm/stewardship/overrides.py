"""Use cases of overrides: a steward's own value for one attribute, for a stated term.

An override is anchored on the record whose value it masks, else on the oldest member, and follows it through merge,
split and move; when two meet, the later rules. Attributes that move together are overridden together, so that no
address is stitched from two hands. Within one golden record a new override ends those that stood on its attribute.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import Connection

from mdm import clock
from mdm.decisions import overrides_store
from mdm.decisions.model import FOR_EVER, Grounds, Lasting, Signature, StoredOverride
from mdm.decisions.review_model import Answer
from mdm.entities.mapping import read_value
from mdm.entities.model import EntityType, Reason
from mdm.entities.validation import validate
from mdm.errors import AttributeUnknown, EntityTypeUnknown, GoldenRecordRetired, InputInvalid, VersionOutdated
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry, rehearse
from mdm.identity.model import Cause, GoldenRecord, IdentityPlan
from mdm.identity.service import resolve_golden
from mdm.ids import EventId, GoldenId, OverrideId, RecordId, new_event_id, new_override_id
from mdm.pipeline import apply
from mdm.sources import store as sources_store
from mdm.survivorship.model import Contribution, GoldenVersion, Override
from mdm.survivorship.rules import fingerprint
from mdm.survivorship.rules import survive as work_out
from mdm.survivorship.service import contests_of, golden_versions

REASON_LENGTH_MAX: Final = 2_000  # chosen: as for decisions


@dataclass(frozen=True, slots=True)
class Wish:
    """What a steward asks for: this value (None blanks the attribute), why, and for how long."""

    attribute: str
    value: Any
    reason: str
    lasting: Lasting = FOR_EVER


@dataclass(frozen=True, slots=True)
class OverrideChange:
    """What setting or clearing an override did to a golden record; nothing when all stood as asked.

    before, after  by attribute that changed, what the golden record showed and shows; None for nothing
    version        of the golden record, afterwards
    warnings       rules of the entity type that the new values break, none of which refuses a record
    """

    golden_id: GoldenId
    entity_type: str
    version: int
    made: tuple[StoredOverride, ...] = ()
    ended: tuple[OverrideId, ...] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    warnings: tuple[Reason, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Tell whether any override was made or ended."""
        return bool(self.made or self.ended)


def set_override(
    hub: Hub,
    golden_id: GoldenId,
    wish: Wish,
    *,
    who: str,
    expected_version: int | None = None,
    bracket: Bracket[OverrideChange] = UNBRACKETED,
) -> OverrideChange:
    """Set a steward's value on an attribute of a golden record; one that stands so already is left alone.

    A forwarded id means its survivor, unless a version is expected of it. Raises GoldenRecordUnknown, AttributeUnknown,
    InputInvalid (value, term, reason), GoldenRecordRetired, VersionOutdated.
    """
    return carry(hub, lambda work: _set(work, golden_id, wish, expected_version), who=who, bracket=bracket)


def preview_override(
    hub: Hub, golden_id: GoldenId, wish: Wish, *, who: str, expected_version: int | None = None
) -> OverrideChange:
    """Say what `set_override` would do: the very act, rolled back. The ids in it will be others."""
    return rehearse(hub, lambda work: _set(work, golden_id, wish, expected_version), who=who)


def clear_override(
    hub: Hub,
    golden_id: GoldenId,
    attribute: str,
    *,
    who: str,
    expected_version: int | None = None,
    bracket: Bracket[OverrideChange] = UNBRACKETED,
) -> OverrideChange:
    """End every override on an attribute of a golden record, also one that a later one superseded.

    Raises GoldenRecordUnknown, AttributeUnknown, VersionOutdated.
    """
    return carry(hub, lambda work: _clear(work, golden_id, attribute, expected_version), who=who, bracket=bracket)


def preview_clearing(
    hub: Hub, golden_id: GoldenId, attribute: str, *, who: str, expected_version: int | None = None
) -> OverrideChange:
    """Say what `clear_override` would do: the very act, rolled back."""
    return rehearse(hub, lambda work: _clear(work, golden_id, attribute, expected_version), who=who)


def set_overrides(
    connection: Connection,
    entity_type: EntityType,
    anchor: RecordId,
    values: Mapping[str, Any],
    *,
    grounds: Grounds,
    signed: Signature,
) -> tuple[StoredOverride, ...]:
    """Write several overrides on one record, within an operation that refreshes its golden record afterwards.

    Values are read as if a source had delivered them, None blanks. Where only some attributes of a group are given, the
    others are held at what the record has. What was overridden on this record for them ends; what stands on other
    records is superseded. Raises AttributeUnknown, InputInvalid.
    """
    made = _written(connection, entity_type, anchor, values, grounds=grounds, signed=signed)
    overrides_store.end_overrides_on(connection, anchor, [one.attribute for one in made], signed=signed)
    overrides_store.insert_overrides(connection, made)
    return made


def hold_overrides(
    connection: Connection,
    entity_type: EntityType,
    anchor: RecordId,
    values: Mapping[str, Any],
    *,
    grounds: Grounds,
    answer: Answer,
) -> None:
    """Keep values for an answer that waits for a second person, as overrides that never hold: they end as they begin.

    They end by the answer, which is how they are found again. Raises AttributeUnknown, InputInvalid.
    """
    signed = Signature(answer.recorded_at, answer.who)
    made = _written(connection, entity_type, anchor, values, grounds=grounds, signed=signed)
    overrides_store.insert_overrides(connection, made)
    ending = Signature(answer.recorded_at, answer.id)
    overrides_store.end_overrides(connection, [one.id for one in made], signed=ending)


def end_overrides_of(connection: Connection, event_id: EventId, *, signed: Signature) -> tuple[OverrideId, ...]:
    """End the overrides that an operation made, as far as they still stand."""
    return overrides_store.end_overrides_of(connection, event_id, signed=signed)


def reinstate_overrides_ended_by(connection: Connection, event_id: EventId) -> tuple[StoredOverride, ...]:
    """Give back the overrides that an operation ended and that is taken back, as new rows that rank as the old ones.

    Each stands in the name of its author again, with the reason and the instant of the old one, so that whichever was
    the later of two still is, and evidence that was newer still is; it belongs to the operation that first made it, so
    that this one can be taken back too. One whose own term was over by then stays ended.
    """
    given_back = tuple(
        replace(one, id=new_override_id(), ended_at=None, ended_by=None, ended_event_id=None)
        for one in overrides_store.select_ended_by(connection, event_id)
    )
    if given_back:
        overrides_store.insert_overrides(connection, given_back)
    return given_back


def read_overriding(entity_type: EntityType, attribute: str, given: Any) -> Any:
    """Read a steward's value as a delivered one is read; raises AttributeUnknown, InputInvalid with what is wrong."""
    _require_overridable(entity_type, attribute)
    if given is None:
        return None
    value, faults = read_value(entity_type, attribute, given)
    if faults:
        problems = "; ".join(fault.message for fault in faults)
        raise InputInvalid(f"the value cannot be taken: {problems}", remedy=faults[0].remedy, field="value")
    if value is None:
        raise InputInvalid(
            f"{attribute}: the value says nothing",
            remedy="give a value, or blank the attribute: null over HTTP, --blank on the command line",
            field="value",
        )
    return value


def overridden_with(entity_type: EntityType, attribute: str) -> tuple[str, ...]:
    """Name the attributes that are overridden together with this one; what a record points at is none of them."""
    names = entity_type.moving_with(attribute)
    return tuple(name for name in names if entity_type.attributes[name].reference is None)


def newly_broken(entity_type: EntityType, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Reason, ...]:
    """Give the rules that the new values break and the old ones did not; raises InputInvalid for one that refuses."""
    known = {(fault.field, fault.code) for fault in validate(entity_type, before)}
    faults = tuple(fault for fault in validate(entity_type, after) if (fault.field, fault.code) not in known)
    for fault in faults:
        if fault.severity == "reject":
            raise InputInvalid(fault.message, remedy=fault.remedy, field=fault.field)
    return faults


def _set(work: Work, golden_id: GoldenId, wish: Wish, expected_version: int | None) -> OverrideChange:
    golden, entity_type = _held(work, golden_id, expected_version)
    value = read_overriding(entity_type, wish.attribute, wish.value)
    if golden.state == "retired":
        raise GoldenRecordRetired(golden.id)
    at = clock.recording_instant(work.connection)
    _require_well_formed(wish, at)
    contributions, overrides = contests_of(work.connection, entity_type, [golden.id])[golden.id]
    names = overridden_with(entity_type, wish.attribute)
    before = work_out(entity_type, contributions, overrides, at)
    standing = {one.override.attribute: one.override for one in before.overrides if one.state == "in_force"}
    masking = {one.override.attribute: one.override for one in before.overrides if one.state == "masks_newer"}
    if all(_is_as_wished(standing.get(name), wish) for name in names) and standing[wish.attribute].value == value:
        return OverrideChange(golden.id, entity_type.name, golden.version)
    kept = {name: one.value for name, one in (standing | masking).items() if name in names}
    signed = Signature(at, work.who, new_event_id())
    grounds = Grounds(wish.reason.strip(), wish.lasting)
    ended = _end(work, overrides, names, signed)
    made = set_overrides(
        work.connection,
        entity_type,
        _anchor(entity_type, contributions, [one for one in overrides if one.attribute not in names], names, at),
        kept | {wish.attribute: wish.value},
        grounds=grounds,
        signed=signed,
    )
    after = _refresh(work, golden, entity_type, Cause("override", grounds.reason, event_id=signed.event_id))
    warnings = newly_broken(entity_type, before.values, after.values)
    return _change(before.values, after, made=made, ended=ended, warnings=warnings)


def _clear(work: Work, golden_id: GoldenId, attribute: str, expected_version: int | None) -> OverrideChange:
    golden, entity_type = _held(work, golden_id, expected_version)
    _require_overridable(entity_type, attribute)
    names = overridden_with(entity_type, attribute)
    contests = contests_of(work.connection, entity_type, [golden.id])
    _, overrides = contests.get(golden.id, ((), ()))
    standing = golden_versions(work.connection, [golden.id])[golden.id]
    if not any(one.attribute in names for one in overrides):
        return OverrideChange(golden.id, entity_type.name, golden.version)
    reason = f"the override of {' and '.join(names)} was cleared"
    signed = Signature(clock.recording_instant(work.connection), work.who, new_event_id())
    ended = _end(work, overrides, names, signed)
    after = _refresh(work, golden, entity_type, Cause("override", reason, event_id=signed.event_id))
    return _change(standing.values, after, ended=ended)


def _held(work: Work, golden_id: GoldenId, expected_version: int | None) -> tuple[GoldenRecord, EntityType]:
    """Lock what a golden id stands for, and see that it is in the version that the caller saw."""
    golden = resolve_golden(work.connection, golden_id)
    while work.locks.hold(work.connection, [golden.id]):
        golden = resolve_golden(work.connection, golden_id)
    if expected_version is not None and golden.id != golden_id:
        raise VersionOutdated(golden_id, expected=expected_version, found=f"forwarded to {golden.id}")
    if expected_version is not None and golden.version != expected_version:
        raise VersionOutdated(golden_id, expected=expected_version, found=f"version {golden.version}")
    if golden.entity_type not in work.declared:
        raise EntityTypeUnknown(golden.entity_type)
    return golden, work.declared[golden.entity_type]


def _anchor(
    entity_type: EntityType,
    contributions: Sequence[Contribution],
    others: Sequence[Override],
    names: Sequence[str],
    at: datetime,
) -> RecordId:
    """Find the record whose value shows when nothing is overridden here, else the oldest member."""
    lineage = work_out(entity_type, contributions, others, at).lineage
    masked = next((lineage[name].record_id for name in names if name in lineage), None)
    return RecordId(masked or min(one.record_id for one in contributions))


def _end(work: Work, overrides: Iterable[Override], names: Sequence[str], signed: Signature) -> tuple[OverrideId, ...]:
    ids = [one.override_id for one in overrides if one.attribute in names]
    return overrides_store.end_overrides(work.connection, ids, signed=signed)


def _refresh(work: Work, golden: GoldenRecord, entity_type: EntityType, cause: Cause) -> GoldenVersion:
    apply(work, entity_type, IdentityPlan(entity_type.name, refreshed=(golden.id,)), cause=cause)
    return golden_versions(work.connection, [golden.id])[golden.id]


def _written(
    connection: Connection,
    entity_type: EntityType,
    anchor: RecordId,
    values: Mapping[str, Any],
    *,
    grounds: Grounds,
    signed: Signature,
) -> tuple[StoredOverride, ...]:
    read = {name: read_overriding(entity_type, name, given) for name, given in values.items()}
    (record,) = sources_store.select_records(connection, [anchor])
    names = dict.fromkeys(other for name in read for other in overridden_with(entity_type, name))
    return tuple(
        StoredOverride(
            id=new_override_id(),
            record_id=anchor,
            attribute=name,
            value=read[name] if name in read else record.values.get(name),
            lasting=grounds.lasting,
            masked=fingerprint(entity_type, name, str(record.key), record.values),
            reason=grounds.reason,
            recorded_at=signed.at,
            who=signed.who,
            event_id=signed.event_id,
            record_key=str(record.key),
            entity_type=entity_type.name,
            golden_id=record.golden_id,
        )
        for name in names
    )


def _change(before: Mapping[str, Any], after: GoldenVersion, **done: Any) -> OverrideChange:
    names = [name for name in {**before, **after.values} if before.get(name) != after.values.get(name)]
    return OverrideChange(
        after.golden_id,
        after.entity_type,
        after.version,
        before={name: before.get(name) for name in names},
        after={name: after.values.get(name) for name in names},
        **done,
    )


def _is_as_wished(standing: Override | None, wish: Wish) -> bool:
    return standing is not None and Lasting(standing.term, standing.until) == wish.lasting


def _require_overridable(entity_type: EntityType, attribute: str) -> None:
    if attribute not in entity_type.attributes:
        near = get_close_matches(attribute, entity_type.attributes, n=1)
        choice = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(entity_type.attributes)}"
        raise AttributeUnknown(attribute, remedy=choice)
    if entity_type.attributes[attribute].reference is not None:
        raise InputInvalid(
            f"{attribute} points at another record, and what a record points at only its source can say",
            remedy="correct it in the source; two golden records are joined or related by a decision",
            field="attribute",
        )


def _require_well_formed(wish: Wish, at: datetime) -> None:
    if not wish.reason.strip() or len(wish.reason) > REASON_LENGTH_MAX:
        raise InputInvalid(
            f"an override needs a reason of 1 to {REASON_LENGTH_MAX:,} characters",
            remedy="say in a few words why",
            field="reason",
        )
    until = wish.lasting.until
    if (wish.lasting.term == "until") != (until is not None):
        raise InputInvalid(
            "an end belongs to the term 'until', and only to it",
            remedy="name the instant, or choose another term" if until is None else "leave it out, or write until",
            field="until",
        )
    if until is not None and until <= at:
        raise InputInvalid(
            f"the override would have ended at {until.isoformat()}", remedy="name an instant to come", field="until"
        )
