"""What happened to one golden record and to those it absorbed, newest first, and what of it can be taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mdm.entities.model import EntityType
from mdm.history.past import EventBrief
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.stewardship.card_model import Named
from mdm.stewardship.past import Chapter, Life, causes_of, life_of, story_of
from mdm.stewardship.record import name_all, references_in, told
from mdm.stewardship.record_model import VERSIONS_MAX, Changed, Happened, History
from mdm.stewardship.taking_back import UNDOABLE
from mdm.survivorship.model import GoldenVersion
from mdm.survivorship.service import golden_history


def history_of(hub: Hub, connection: Connection, golden_id: GoldenId) -> History:
    """Tell everything that happened to exactly this id, the stories of what it absorbed included.

    Raises GoldenRecordUnknown.
    """
    versions = golden_history(connection, golden_id, before=None, limit=VERSIONS_MAX)
    life, story = life_of(connection, golden_id), story_of(connection, golden_id)
    own = story.golden.id == golden_id
    chapters: dict[EventId, list[Chapter]] = {}
    for chapter in story.chapters if own else ():
        chapters.setdefault(chapter.event.id, []).append(chapter)
    briefs = causes_of(connection, {version.event_id for version in versions})
    briefs |= {chapter.event.id: chapter.event for each in chapters.values() for chapter in each}
    briefs |= {line.event.id: line.event for line in life.lines}
    entity_type = hub.entity_type(life.golden.entity_type)
    names = name_all(hub, connection, _named_in(entity_type, versions, chapters, life))
    writer = _Writer(entity_type, names, _by_event(versions), {one.version: one for one in versions}, life)
    undone = {one.undoes_id: one.id for one in briefs.values() if one.undoes_id is not None and one.root_id is None}
    ordered = sorted(briefs.values(), key=lambda one: (one.recorded_at, one.id), reverse=True)
    return History(
        tuple(writer.write(event, chapters.get(event.id, ()), undone.get(event.id)) for event in ordered),
        names,
        len(versions) < VERSIONS_MAX and story.is_complete and life.is_complete,
    )


def changes_between(
    entity_type: EntityType, before: GoldenVersion | None, after: GoldenVersion, names: Mapping[GoldenId, Named]
) -> tuple[Changed, ...]:
    """List the attributes that a version shows otherwise than an earlier one; None shows nothing."""
    earlier = before.values if before is not None else {}
    return tuple(
        Changed(
            name,
            attribute.title,
            told(entity_type, name, earlier.get(name), names),
            told(entity_type, name, after.values.get(name), names),
        )
        for name, attribute in entity_type.attributes.items()
        if earlier.get(name) != after.values.get(name)
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes down one event after the other."""

    entity_type: EntityType
    names: Mapping[GoldenId, Named]
    by_event: Mapping[str, GoldenVersion]
    by_number: Mapping[int, GoldenVersion]
    life: Life

    def write(self, event: EventBrief, chapters: Sequence[Chapter], undone_by: EventId | None) -> Happened:
        """Write down one event."""
        version = self.by_event.get(event.id)
        before = self.by_number.get(version.version - 1) if version is not None else None
        # The first version shows everything anew, and the last of one that ends nothing: both say no change of values.
        is_change = version is not None and before is not None and version.state == before.state == "active"
        changed: tuple[Changed, ...] = ()
        if version is not None and is_change:
            changed = changes_between(self.entity_type, before, version, self.names)
        return Happened(
            event=event,
            version=version.version if version is not None else None,
            state=version.state if version is not None else "",
            chapters=tuple(chapters),
            changed=changed,
            absorbed=self._resting(event.id),
            can_undo=event.kind in UNDOABLE and event.root_id is None and undone_by is None,
            undone_by=undone_by,
        )

    def _resting(self, event_id: EventId) -> tuple[GoldenId, ...]:
        """Name the golden ids that an event forwarded to this one, and that rest there still."""
        absorbed = {
            other
            for line in self.life.lines
            if line.event.id == event_id and line.step.kind == "survived"
            for other in line.step.others
        }
        return tuple(sorted(absorbed.intersection(self.life.absorbed)))


def _by_event(versions: Sequence[GoldenVersion]) -> dict[str, GoldenVersion]:
    """Give the last version that each event gave."""
    return {one.event_id: one for one in reversed(versions)}


def _named_in(
    entity_type: EntityType,
    versions: Sequence[GoldenVersion],
    chapters: Mapping[EventId, Sequence[Chapter]],
    life: Life,
) -> set[str]:
    found: set[str] = set()
    for version in versions:
        found |= references_in(entity_type, version.values)
    for each in chapters.values():
        found.update(chapter.golden_id for chapter in each)
        found.update(chapter.other for chapter in each if chapter.other is not None)
    found.update(other for line in life.lines for other in line.step.others)
    return found
