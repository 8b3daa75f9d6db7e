"""One golden record as people look at it, now or as of an instant: values, who lost, members, names, overrides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from mdm import clock
from mdm.entities.model import EntityType
from mdm.errors import GoldenRecordUnknown, SourceRecordUnknown
from mdm.history.past import NameSaid, PastMember
from mdm.hub import Hub
from mdm.identity.model import GoldenRecord
from mdm.identity.service import golden_record, source_key_hint
from mdm.ids import GoldenId
from mdm.sources import store as sources_store
from mdm.sources.model import SourceInstance, SourceKey, SourceRecord
from mdm.stewardship import record_store
from mdm.stewardship.card_cells import Known, shown
from mdm.stewardship.card_model import TEXT_LENGTH_MAX, Named, Origin
from mdm.stewardship.override_lists import ListedOverride, overrides_of_golden
from mdm.stewardship.overrides import overridden_with
from mdm.stewardship.record_model import (
    LOSERS_MAX,
    MEMBERS_MAX,
    Field,
    LosingField,
    MemberSeen,
    Payload,
    RecordSeen,
    Told,
)
from mdm.stewardship.then import Moment, members_of, names_of
from mdm.survivorship import store as survivorship_store
from mdm.survivorship.model import GoldenVersion, Losing
from mdm.survivorship.service import golden_version, losing_values

COLUMNS_MAX: Final = 300  # chosen: columns of one delivery that are shown


def see_record(hub: Hub, connection: Connection, golden_id: GoldenId, *, as_of: datetime | None = None) -> RecordSeen:
    """Look at what a golden id stands for: now, or as of a settled instant with the forward of that time.

    Raises GoldenRecordUnknown, also for an id that had not been given out then; AsOfBeyondHorizon.
    """
    asked = golden_record(connection, golden_id)
    golden, version = _standing(connection, asked, as_of)
    entity_type = hub.entity_type(golden.entity_type)
    instances = {one.id: one for one in sources_store.select_instances(connection)}
    records = sources_store.select_members(connection, [golden.id]) if as_of is None else ()
    members = (
        [_member(entity_type, instances, one) for one in records]
        if as_of is None
        else [_past(instances, one) for one in members_of(connection, golden.id, Moment(as_of)).members]
    )
    losing = losing_values(connection, entity_type, golden.id, at=clock.now()) if as_of is None else {}
    newest = version if as_of is None else golden_version(connection, golden.id)
    names = name_all(hub, connection, _pointed_at(entity_type, version, newest, losing))
    known = Known({one.id: one for one in records}, instances, names)
    overrides = overrides_of_golden(hub, connection, golden.id)
    teller = _Teller(entity_type, known, version, newest if as_of is not None else None, _ruling(overrides))
    by_key = {str(one.key): one for one in records}
    return RecordSeen(
        asked=asked,
        golden=golden,
        state=version.state,
        version=version.version,
        versions=golden.version,
        entity_type=entity_type.name,
        name=entity_type.name_of(version.values)[:TEXT_LENGTH_MAX] or _last_name(connection, entity_type, version),
        completeness=version.completeness,
        held=version.held,
        recorded_from=version.recorded_from,
        fields=tuple(teller.field(name, losing.get(name, ()), by_key) for name in entity_type.attributes),
        members=tuple(members[:MEMBERS_MAX]),
        members_count=len(members),
        names=_names(connection, entity_type, golden.id, as_of),
        overrides=overrides,
        as_of=as_of,
        can_restore=golden.state == "retired" and bool(sources_store.select_withdrawn(connection, golden.id)),
        is_whole=len(members) <= MEMBERS_MAX,
    )


def see_payload(connection: Connection, key: SourceKey) -> Payload:
    """Look at what a source delivered of a record last; raises SourceRecordUnknown."""
    row = record_store.select_payload(connection, key)
    if row is None:
        raise SourceRecordUnknown(str(key), remedy=source_key_hint(connection, key))
    columns = tuple((name[:TEXT_LENGTH_MAX], _text(value)) for name, value in [*row.fields.items()][:COLUMNS_MAX])
    warnings = tuple((field[:TEXT_LENGTH_MAX], code) for field, code, _ in row.warnings)
    return Payload(
        str(key), row.entity_type, row.state, row.version, row.source_time, row.recorded_at, columns, warnings
    )


def name_all(hub: Hub, connection: Connection, golden_ids: Iterable[str]) -> dict[GoldenId, Named]:
    """Name golden records by what people recognise them by; ids that were never given out are left out."""
    wanted = sorted(set(golden_ids))
    found = survivorship_store.select_versions(connection, map(GoldenId, wanted)) if wanted else {}
    return {id_: named(hub, id_, one.entity_type, one.values) for id_, one in found.items()}


def named(hub: Hub, golden_id: GoldenId, entity_type: str, values: Mapping[str, Any]) -> Named:
    """Name one golden record by its values."""
    declared = hub.declared.get(entity_type)
    return Named(golden_id, entity_type, declared.name_of(values)[:TEXT_LENGTH_MAX] if declared is not None else "")


def told(entity_type: EntityType, name: str, value: Any, names: Mapping[GoldenId, Named]) -> Told:
    """Tell a value in texts."""
    return Told(*shown(entity_type, name, value, Known({}, {}, names), _formless))


def references_in(entity_type: EntityType, values: Mapping[str, Any]) -> set[str]:
    """List the golden ids that values point at."""
    found: set[str] = set()
    for name, attribute in entity_type.attributes.items():
        if attribute.reference is not None and name in values:
            value = values[name]
            found.update(map(str, value if isinstance(value, list) else [value]))
    return found


def _standing(
    connection: Connection, asked: GoldenRecord, as_of: datetime | None
) -> tuple[GoldenRecord, GoldenVersion]:
    """Follow an id to what it stands for at the time, with what that shows."""
    if as_of is None:
        golden = asked if asked.forward_to is None else golden_record(connection, asked.forward_to)
        version = golden_version(connection, golden.id)
    else:
        golden, version = asked, golden_version(connection, asked.id, as_of=as_of)
        if version is not None and version.forward_to is not None:
            golden = golden_record(connection, version.forward_to)
            version = golden_version(connection, golden.id, as_of=as_of)
    if version is None:
        when = as_of.isoformat() if as_of is not None else "any time"
        raise GoldenRecordUnknown(asked.id, remedy=f"at {when} the hub had not given out this id")
    return golden, version


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells one attribute after the other; `newest` is what is shown now, where another time is looked at."""

    entity_type: EntityType
    known: Known
    version: GoldenVersion
    newest: GoldenVersion | None
    ruling: Mapping[str, ListedOverride]

    def field(self, name: str, losing: Iterable[Losing], by_key: Mapping[str, SourceRecord]) -> Field:
        """Tell one attribute."""
        attribute, line, lost = self.entity_type.attributes[name], self.version.lineage.get(name), [*losing]
        value = self.version.values.get(name)
        is_other = self.newest is not None and self.newest.values.get(name) != value
        return Field(
            attribute=name,
            title=attribute.title,
            group=attribute.group,
            told=self._told(name, value),
            origin=self.known.from_lineage(line),
            losers=tuple(self._loser(name, one, by_key) for one in lost[:LOSERS_MAX]),
            losers_count=len(lost),
            override=self.ruling.get(name),
            elsewhen=self._told(name, self.newest.values.get(name)) if is_other and self.newest else None,
            can_override=attribute.reference is None and bool(overridden_with(self.entity_type, name)),
        )

    def _told(self, name: str, value: Any) -> Told:
        return Told(*shown(self.entity_type, name, value, self.known, _formless))

    def _loser(self, name: str, one: Losing, by_key: Mapping[str, SourceRecord]) -> LosingField:
        record = by_key.get(one.record_key)
        source = one.record_key.partition("/")[0]
        instance = self.known.instances.get(source)
        origin = Origin(
            one.record_key, source, instance.title if instance else source, record.source_time if record else None
        )
        return LosingField(self._told(name, one.value), one.value, origin, one.why)


def _formless(_text: str) -> tuple[()]:
    """Tell no compare forms: nothing is compared here."""
    return ()


def _ruling(overrides: Iterable[ListedOverride]) -> dict[str, ListedOverride]:
    return {one.override.attribute: one for one in overrides if one.state in {"in_force", "masks_newer"}}


def _pointed_at(
    entity_type: EntityType,
    version: GoldenVersion,
    newest: GoldenVersion | None,
    losing: Mapping[str, Iterable[Losing]],
) -> set[str]:
    found = references_in(entity_type, version.values)
    if newest is not None:
        found |= references_in(entity_type, newest.values)
    for name, lost in losing.items():
        for one in lost:
            found |= references_in(entity_type, {name: one.value})
    return found


def _member(entity_type: EntityType, instances: Mapping[str, SourceInstance], record: SourceRecord) -> MemberSeen:
    key = record.key
    return MemberSeen(
        source=key.instance,
        title=_title(instances, key.instance),
        object=key.object,
        scope=key.scope,
        native_id=key.native_id,
        source_key=str(key),
        name=entity_type.name_of(record.values)[:TEXT_LENGTH_MAX],
        source_time=record.source_time,
        ended=record.ended_because,
    )


def _past(instances: Mapping[str, SourceInstance], one: PastMember) -> MemberSeen:
    return MemberSeen(
        source=one.source,
        title=_title(instances, one.source),
        object=one.object,
        scope=one.scope,
        native_id=one.native_id,
        source_key=one.source_key,
        ended=one.ended,
    )


def _title(instances: Mapping[str, SourceInstance], source: str) -> str:
    return instances[source].title if source in instances else source


def _names(
    connection: Connection, entity_type: EntityType, golden_id: GoldenId, as_of: datetime | None
) -> tuple[NameSaid, ...]:
    """List the names that were said by the time, each once a record; what is said no more is among them."""
    return names_of(connection, entity_type, golden_id, Moment(as_of)).names


def _last_name(connection: Connection, entity_type: EntityType, version: GoldenVersion) -> str:
    """Find the name that a golden record had before it showed nothing any more."""
    if version.state == "active" or version.version < 2:
        return ""
    earlier = survivorship_store.select_history(connection, version.golden_id, before=version.version, limit=1)
    return entity_type.name_of(earlier[0].values)[:TEXT_LENGTH_MAX] if earlier else ""


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value[:TEXT_LENGTH_MAX]
    return "" if value is None else orjson.dumps(value).decode()[:TEXT_LENGTH_MAX]
