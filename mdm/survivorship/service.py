"""Survive: work out golden values wherever members, rules or overrides changed; what differs becomes a version."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection

from mdm.decisions import overrides_store
from mdm.decisions.model import Signature
from mdm.entities.mapping import completeness
from mdm.entities.model import EntityType
from mdm.errors import SourceKeyInvalid
from mdm.failpoints import failpoint
from mdm.identity import crosswalk_store
from mdm.identity import store as identity_store
from mdm.identity.model import GoldenRecord
from mdm.identity.service import golden_record, require_settled, resolve_golden
from mdm.ids import EventId, GoldenId, RecordId
from mdm.sources import references_store
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey, SourceRecord, WholeMember
from mdm.survivorship import search_store, store
from mdm.survivorship.model import Contribution, GoldenValues, GoldenVersion, Losing, Override, canonical_bytes
from mdm.survivorship.rules import losers
from mdm.survivorship.rules import survive as work_out
from mdm.survivorship.search_terms import search_row
from mdm.survivorship.search_words import patterns

Members = Mapping[GoldenId, Sequence[SourceRecord]]


def survive(
    connection: Connection,
    entity_type: EntityType,
    golden_ids: Sequence[GoldenId],
    *,
    event_id: EventId,
    at: datetime,
    who: str,
) -> tuple[GoldenVersion, ...]:
    """Work out golden records from all their members and append a version for each that differs from its last.

    An override whose term is over by then ends for good. The caller holds the locks. Returns the versions written, by
    golden id.
    """
    if not golden_ids:
        return ()
    before = store.select_goldens_and_checksums(connection, golden_ids)
    whole = sources_store.select_members_whole(connection, golden_ids)
    contests = _contests(
        connection,
        entity_type,
        [member.record for member in whole],
        pointing=[member.record.id for member in whole if member.has_references],
        overridden=[member.record.id for member in whole if member.is_overridden],
    )
    searchable = _searchable(whole)
    rows, unchanged, found_by = [], {}, {}
    lapsed: list[str] = []
    for golden_id, (golden, checksum) in before.items():
        contributions, overrides, held = contests.get(golden_id, ((), (), ()))
        survived = work_out(entity_type, contributions, overrides, at)
        lapsed += (one.override.override_id for one in survived.overrides if one.state == "ended")
        row = _row(entity_type, golden, survived, contributions, held)
        if checksum == row["checksum"]:
            unchanged[golden_id] = row["next_change_at"]
        else:
            rows.append(row)
        if golden_id in searchable:
            found_by[golden_id] = search_row(entity_type, golden_id, row["values"], searchable[golden_id])
    if lapsed:
        signed = Signature(at, overrides_store.BY_THE_HUB, event_id)
        overrides_store.end_overrides(connection, lapsed, signed=signed)
    if unchanged:
        store.update_next_changes(connection, unchanged)
    if lost := before.keys() - found_by.keys():
        search_store.delete_search_words(connection, lost)
    if found_by:
        search_store.upsert_search_rows(connection, entity_type.name, found_by)
    if not rows:
        return ()
    written = store.insert_versions(connection, rows, event_id=event_id, at=at, who=who)
    failpoint("survive.stored")
    return tuple(sorted(written, key=attrgetter("golden_id")))


def golden_version(
    connection: Connection, golden_id: GoldenId, *, as_of: datetime | None = None
) -> GoldenVersion | None:
    """Return what a golden record shows now, or showed at a settled instant (None before it was minted).

    Raises GoldenRecordUnknown for an id that was never given out. A forwarded id is not followed here.
    """
    golden_record(connection, golden_id)
    require_settled(connection, as_of)
    return store.select_version(connection, golden_id, as_of=as_of)


def golden_versions(connection: Connection, golden_ids: Iterable[GoldenId]) -> Mapping[GoldenId, GoldenVersion]:
    """Return what golden records show now, by id; an id that was never given out is left out."""
    return store.select_versions(connection, sorted(golden_ids))


def golden_history(
    connection: Connection, golden_id: GoldenId, *, before: int | None, limit: int
) -> tuple[GoldenVersion, ...]:
    """List the versions of exactly this id, newest first, those below `before`; raises GoldenRecordUnknown."""
    golden_record(connection, golden_id)
    return store.select_history(connection, golden_id, before=before, limit=limit)


def find_golden(
    connection: Connection, question: str, *, entity_types: frozenset[str] | None, after: str, limit: int
) -> tuple[GoldenVersion, ...]:
    """List golden records by id whose words hold every word asked for; no word lists all.

    A golden id, forwarded or not, and a printed source key find exactly what they name.
    entity_types  those to look among; None means all
    """
    named = _named(connection, question.strip())
    if named is not None and (entity_types is None or named.entity_type in entity_types):
        version = store.select_version(connection, named.id, as_of=None)
        return (version,) if version is not None and version.golden_id > after else ()
    asked = patterns(question)
    if question.strip() and not asked:
        return ()
    return search_store.search(connection, asked, entity_types=entity_types, after=after, limit=limit)


def _named(connection: Connection, question: str) -> GoldenRecord | None:
    found = identity_store.select_goldens(connection, [GoldenId(question)]).get(GoldenId(question))
    if found is None:
        try:
            key = SourceKey.parse(question)
        except SourceKeyInvalid:
            return None
        golden_ids = crosswalk_store.select_golden_ids(connection, [key], as_of=None)
        return golden_record(connection, golden_ids[key][0]) if key in golden_ids else None
    return resolve_golden(connection, found.id)


def contests_of(
    connection: Connection, entity_type: EntityType, golden_ids: Iterable[GoldenId]
) -> dict[GoldenId, tuple[tuple[Contribution, ...], tuple[Override, ...]]]:
    """Gather what the members of golden records contribute, and the overrides on them, where there are any."""
    contests = _contests(connection, entity_type, sources_store.select_members(connection, golden_ids))
    return {id_: (contributions, overrides) for id_, (contributions, overrides, _) in contests.items()}


def as_one(
    entity_type: EntityType,
    members: Sequence[SourceRecord],
    golden_id: GoldenId,
    resolved: Mapping[tuple[RecordId, str, int], GoldenId],
    overrides: Mapping[RecordId, Sequence[Override]],
) -> tuple[tuple[Contribution, ...], tuple[Override, ...]]:
    """Gather what records would contribute as the members of one golden record, and the overrides on them.

    golden_id  the id they would have; what points at one that they have now would point at it
    resolved   what they point at, as `references_store.select_resolved_references` tells it
    """
    moved = {member.golden_id for member in members}
    references = {place: golden_id if target in moved else target for place, target in resolved.items()}
    contributions = tuple(
        _contribution(entity_type, replace(member, golden_id=golden_id), references) for member in members
    )
    ruling = [replace(one, record_key=str(member.key)) for member in members for one in overrides.get(member.id, ())]
    return contributions, tuple(ruling)


def losing_values(
    connection: Connection, entity_type: EntityType, golden_id: GoldenId, *, at: datetime
) -> dict[str, list[Losing]]:
    """List by attribute what members hold and the golden record does not show, and why."""
    members = sources_store.select_members(connection, [golden_id])
    contributions, overrides, _ = _contests(connection, entity_type, members).get(golden_id, ((), (), ()))
    return losers(entity_type, contributions, work_out(entity_type, contributions, overrides, at))


def recompute(connection: Connection, entity_type: EntityType, golden: GoldenRecord, *, at: datetime) -> bytes:
    """Return the checksum that the newest version of a golden record must have, computed from its members anew."""
    members = sources_store.select_members(connection, [golden.id])
    contributions, overrides, held = _contests(connection, entity_type, members).get(golden.id, ((), (), ()))
    checksum: bytes = _row(
        entity_type, golden, work_out(entity_type, contributions, overrides, at), contributions, held
    )["checksum"]
    return checksum


def _contests(
    connection: Connection,
    entity_type: EntityType,
    members: Sequence[SourceRecord],
    *,
    pointing: Sequence[RecordId] | None = None,
    overridden: Sequence[RecordId] | None = None,
) -> dict[GoldenId, tuple[tuple[Contribution, ...], tuple[Override, ...], tuple[str, ...]]]:
    """Gather for each golden record what its members contribute, the overrides on them, and why publishing is held.

    pointing, overridden  the members that point at anything, that have overrides, where that is known
    """
    ids = [member.id for member in members]
    pointing, overridden = ids if pointing is None else pointing, ids if overridden is None else overridden
    references = references_store.select_resolved_references(connection, pointing) if pointing else {}
    overrides = store.select_overrides(connection, overridden) if overridden else {}
    found: dict[GoldenId, tuple[list[Contribution], list[Override], list[str]]] = {}
    for member in members:
        assert member.golden_id is not None, "a member has a golden record"
        contributions, ruling, held = found.setdefault(member.golden_id, ([], [], []))
        contributions.append(_contribution(entity_type, member, references))
        ruling.extend(replace(one, record_key=str(member.key)) for one in overrides.get(member.id, ()))
        if member.ended_because is None:
            held.extend(f"{member.key} {code}" for code in member.holds)
    return {id_: (tuple(given), tuple(ruling), tuple(sorted(held))) for id_, (given, ruling, held) in found.items()}


def _searchable(whole: Sequence[WholeMember]) -> dict[GoldenId, list[tuple[Any, ...]]]:
    """Gather by golden record what its members say, declared or not."""
    found: dict[GoldenId, list[tuple[Any, ...]]] = {}
    for one in whole:
        member, key = one.record, one.record.key
        assert member.golden_id is not None, "a member has a golden record"
        said = (key.instance, key.object, key.scope, key.native_id, member.values, one.undeclared)
        found.setdefault(member.golden_id, []).append(said)
    return found


def _contribution(
    entity_type: EntityType, member: SourceRecord, references: Mapping[tuple[RecordId, str, int], GoldenId]
) -> Contribution:
    return Contribution(
        record_key=str(member.key),
        record_id=member.id,
        origin=member.origin,
        source_rank=member.source_rank,
        source_time=member.source_time,
        values=_with_resolved_references(entity_type, member, references),
        invalid=member.invalid_attributes,
        is_ended=member.ended_because is not None,
    )


def _with_resolved_references(
    entity_type: EntityType, member: SourceRecord, references: Mapping[tuple[RecordId, str, int], GoldenId]
) -> Mapping[str, Any]:
    """Put golden ids in place of the keys that a record points at.

    A key that the hub has not seen yet is no value, and nothing is its own parent: a branch that was merged into its
    head office points at nobody any more.
    """
    values = dict(member.values)
    for attribute in entity_type.attributes.values():
        if attribute.reference is None or attribute.name not in values:
            continue
        given = values.pop(attribute.name)
        keys = given if attribute.is_list else [given]
        resolved = [references.get((member.id, attribute.name, position)) for position in range(len(keys))]
        golden_ids = [
            str(golden_id) for golden_id in dict.fromkeys(resolved) if golden_id not in {None, member.golden_id}
        ]
        if golden_ids:
            values[attribute.name] = golden_ids if attribute.is_list else golden_ids[0]
    return values


def _row(
    entity_type: EntityType,
    golden: GoldenRecord,
    survived: GoldenValues,
    contributions: Sequence[Contribution],
    held: Sequence[str],
) -> dict[str, Any]:
    values = dict(survived.values)
    lineage = {name: line.to_json() for name, line in survived.lineage.items()}
    members = sorted(f"{one.record_key} ended" if one.is_ended else one.record_key for one in contributions)
    forward_to = golden.forward_to and str(golden.forward_to)
    content = canonical_bytes([golden.state, forward_to, golden.is_confirmed, values, lineage, members, list(held)])
    return {
        "golden_id": golden.id,
        "state": golden.state,
        "forward_to": golden.forward_to,
        "values": values,
        "lineage": lineage,
        "completeness": completeness(entity_type, values),
        "held": list(held),
        "checksum": hashlib.sha256(content).digest(),
        "rules_version": entity_type.version,
        "next_change_at": survived.next_change_at,
    }
