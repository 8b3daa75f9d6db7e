"""Answers about another time: as of an instant the hub recorded, and at an instant of the world.

`as_of` asks what the hub held then; past the safe horizon it is refused, and up to it the answer never changes.
`valid_at` asks of the records that existed then by their source: memberships are those known now (or as of an instant),
and a record counts when the newest version that its source dates at or before the instant is no deletion. Of a record
whose source gives no times nothing can be said; such keys are listed, or refused where one alone was asked.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.entities.model import EntityType
from mdm.errors import GoldenRecordUnknown, InputInvalid, SourceRecordUnknown
from mdm.history import past_store as store
from mdm.history.past import NameSaid, PastMember, PastStanding, VersionSaid
from mdm.identity.service import golden_record, require_settled, resolve_golden
from mdm.ids import GoldenId, RecordId
from mdm.sources.model import SourceKey

VERSIONS_MAX: Final = 5_000
"""Versions of source records that the names of one golden record are read from (chosen: 100 members of 50 versions)."""

FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)
"""Later than anything the hub recorded: what it knows now."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The instants a question is about, either or both; neither is the present.

    as_of     recorded time: what the hub held
    valid_at  the world's: what existed
    """

    as_of: datetime | None = None
    valid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """The members of a golden record at a moment.

    standing  the golden record that the id asked for stood for
    undated   members of which `valid_at` cannot be answered, since their source gives no times
    """

    standing: PastStanding
    members: tuple[PastMember, ...]
    undated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """The names that members of a golden record gave it, each with when it was said; by source key, oldest first."""

    standing: PastStanding
    names: tuple[NameSaid, ...]
    is_complete: bool


def standing_of(connection: Connection, golden_id: GoldenId, moment: Moment) -> PastStanding:
    """Say what a golden id stood for: itself, or the one it forwarded to then; raises GoldenRecordUnknown.

    An id that had not been given out then is as unknown as one that never was.
    """
    at = _settled(connection, moment)
    if moment.as_of is None:
        golden = resolve_golden(connection, golden_id)
        return PastStanding(golden.id, golden.entity_type, golden.state, golden.forward_to, golden.version)
    golden_record(connection, golden_id)
    found = store.select_standing(connection, golden_id, as_of=at)
    if found is not None and found.forward_to is not None:
        found = store.select_standing(connection, found.forward_to, as_of=at)
    if found is None:
        raise GoldenRecordUnknown(golden_id, remedy=f"at {at.isoformat()} the hub had not given out this id")
    return found


def members_of(connection: Connection, golden_id: GoldenId, moment: Moment) -> Membership:
    """List the members of what a golden id stood for; raises GoldenRecordUnknown, AsOfBeyondHorizon, InputInvalid."""
    at = _settled(connection, moment)
    standing = standing_of(connection, golden_id, moment)
    if moment.valid_at is None:
        return Membership(standing, store.select_members_then(connection, standing.golden_id, as_of=at))
    family = store.select_family(connection, standing.golden_id, at=at)
    members, undated = store.select_members_valid(connection, family, at=at, valid_at=moment.valid_at)
    return Membership(standing, members, undated)


def record_at(connection: Connection, key: SourceKey, valid_at: datetime, *, as_of: datetime | None) -> PastStanding:
    """Find what a source key belonged to among what existed at an instant of the world.

    Raises SourceRecordUnknown when its source says that it did not exist then, InputInvalid when it gives no times.
    """
    moment = Moment(as_of, valid_at)
    at = _settled(connection, moment)
    named = {"instance_id": key.instance, "object": key.object, "scope": key.scope, "native_id": key.native_id}
    found = store.select_record_valid(connection, named, at=at, valid_at=valid_at)
    if found is None:
        raise SourceRecordUnknown(str(key))
    golden_id, _, state, is_dated = found
    if not is_dated:
        raise InputInvalid(
            f"{key.instance} gives no times for {key}, so valid_at has no meaning for it",
            remedy="ask with as_of, which is the hub's own time, or deliver the record with its source_time",
            field="valid_at",
        )
    if state != "active":
        said = "had been deleted" if state == "deleted" else "was not there yet"
        raise SourceRecordUnknown(
            str(key), remedy=f"by the times of {key.instance} it {said} at {valid_at.isoformat()}"
        )
    return standing_of(connection, golden_id, Moment(as_of))


def names_of(connection: Connection, entity_type: EntityType, golden_id: GoldenId, moment: Moment) -> Names:
    """List the names that a golden record goes by or went by, each with since when and until when its source said so.

    Names are the attributes of the match model's first feature: legal, trading and former names of a customer. With
    valid_at, those said at that instant; without source times a name is told, but is valid at no instant.
    """
    at = _settled(connection, moment)
    standing = standing_of(connection, golden_id, moment)
    family = store.select_family(connection, standing.golden_id, at=at)
    record_ids = store.select_record_ids(connection, family, at=at)
    versions = store.select_versions_said(connection, record_ids, at=at, limit=VERSIONS_MAX + 1)
    named = entity_type.model.features[0].attributes if entity_type.model.features else ()
    names = _names(versions[:VERSIONS_MAX], named)
    if moment.valid_at is not None:
        names = [name for name in names if _holds(name, moment.valid_at)]
    return Names(standing, tuple(names), len(versions) <= VERSIONS_MAX)


def _settled(connection: Connection, moment: Moment) -> datetime:
    """Give the instant of recorded time that is meant, and refuse instants that mean nothing."""
    require_settled(connection, moment.as_of)
    now = clock.now()
    if moment.valid_at is not None and moment.valid_at > now:
        raise InputInvalid(
            f"valid_at {moment.valid_at.isoformat()} lies in the future, of which no source has said anything",
            remedy="ask for an instant up to now, or leave valid_at out for what holds now",
            field="valid_at",
        )
    return moment.as_of or FOR_EVER


def _names(versions: tuple[VersionSaid, ...], attributes: tuple[str, ...]) -> list[NameSaid]:
    """Read from versions in their order, record by record, which names were said from when to when.

    A name is said since the first version with a time that says it, also where an earlier one gave none.
    """
    said: list[NameSaid] = []
    running: dict[tuple[RecordId, str, str], NameSaid] = {}
    for version in versions:
        held = {} if version.state == "deleted" else _held(version, attributes)
        ended = [name for name in running if name[0] == version.record_id and name[1:] not in held]
        said += [
            replace(running.pop(name), said_to=version.source_time, recorded_to=version.recorded_at) for name in ended
        ]
        for attribute, value in held:
            begun = NameSaid(attribute, value, version.source_key, version.source_time, None, version.recorded_at, None)
            found = running.setdefault((version.record_id, attribute, value), begun)
            if found.said_from is None:
                running[version.record_id, attribute, value] = replace(found, said_from=version.source_time)
    said += running.values()
    return sorted(said, key=lambda name: (name.source_key, name.recorded_from, name.attribute, name.value))


def _held(version: VersionSaid, attributes: tuple[str, ...]) -> dict[tuple[str, str], None]:
    found: dict[tuple[str, str], None] = {}
    for attribute in attributes:
        given = version.values.get(attribute)
        for value in given if isinstance(given, list) else [given]:
            if isinstance(value, str):
                found[attribute, value] = None
    return found


def _holds(name: NameSaid, valid_at: datetime) -> bool:
    if name.said_from is None or name.said_from > valid_at:
        return False
    # A name that is said no more, by a source that does not tell since when, ended at an unknown time: it is left out.
    return name.is_said or (name.said_to is not None and name.said_to > valid_at)
