"""One golden record as people look at it: values and who lost, members, what points at it, what happened to it.

Texts of records stand in it as they were delivered, cut at a bound; words of the hub are names to be told in the
reader's language. Nothing here reads a database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from mdm.history.past import EventBrief, NameSaid
from mdm.identity.model import CauseKind, GoldenRecord
from mdm.ids import EventId, GoldenId
from mdm.stewardship.card_model import Named, Origin, Shown
from mdm.stewardship.override_lists import ListedOverride
from mdm.stewardship.past import Chapter

FAMILY_MAX: Final = 150  # chosen: rows of a hierarchy; two screens
GENERATIONS_MAX: Final = 6  # chosen: upwards and downwards; group structures of four levels are rare
RELATIONS_MAX: Final = 200  # chosen: relations of one golden record that are listed
VERSIONS_MAX: Final = 500  # chosen: versions of one golden record that its page tells of
MEMBERS_MAX: Final = 500  # chosen: as many records as a card works a result out of
LOSERS_MAX: Final = 50  # chosen: of one attribute


@dataclass(frozen=True, slots=True)
class Told:
    """A value in texts, and how many more there are."""

    values: tuple[Shown, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class LosingField:
    """What another record says of an attribute, and why that is not shown; `value` is the whole of it."""

    told: Told
    value: Any
    origin: Origin
    why: str


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute of a golden record.

    origin        where the value comes from; None where no record gives any
    losers        what else the members say, best first; of another time nothing is known of them
    losers_count  all of them
    override      the one that rules
    elsewhen      what is shown now, where another time is looked at and it was something else then
    """

    attribute: str
    title: str
    group: str | None
    told: Told
    origin: Origin | None
    losers: tuple[LosingField, ...] = ()
    losers_count: int = 0
    override: ListedOverride | None = None
    elsewhen: Told | None = None
    can_override: bool = False


@dataclass(frozen=True, slots=True)
class MemberSeen:
    """A source record that belongs to the golden record.

    name   what its source calls it; "" of another time, when only its key is known
    ended  why its source uses the key no more
    """

    source: str
    title: str
    object: str
    scope: str
    native_id: str
    source_key: str
    name: str = ""
    source_time: datetime | None = None
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """A golden record at one time.

    asked      the id that was asked for, which another may have absorbed
    as_of      None means now
    versions   how many it has had
    is_whole   False when members were left out
    """

    asked: GoldenRecord
    golden: GoldenRecord
    state: str
    version: int
    versions: int
    entity_type: str
    name: str
    completeness: float
    held: tuple[str, ...]
    recorded_from: datetime
    fields: tuple[Field, ...]
    members: tuple[MemberSeen, ...]
    members_count: int
    names: tuple[NameSaid, ...]
    overrides: tuple[ListedOverride, ...]
    as_of: datetime | None
    can_restore: bool
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Kin:
    """A record of a hierarchy, its parent by golden id ("" for the topmost), and by which attribute or relation."""

    named: Named
    parent_id: str
    by: str


@dataclass(frozen=True, slots=True)
class Related:
    """What a golden record is to another one by decision."""

    relation: str
    other: Named
    state: str
    reason: str
    who: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Pointing:
    """A golden record that points at the one shown, by which attribute, and its status where it has one."""

    named: Named
    by: str
    status: str
    code: str


@dataclass(frozen=True, slots=True)
class PointingPage:
    """Golden records of one entity type that point at the one shown: how many, and some, the newest first.

    next  the golden id to go on after; "" at the end
    """

    entity_type: str
    count: int
    open_count: int
    rows: tuple[Pointing, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Changed:
    """An attribute that a version shows otherwise than the one before it."""

    attribute: str
    title: str
    before: Told
    after: Told


@dataclass(frozen=True, slots=True)
class Happened:
    """One event in the life of a golden record.

    version    the one that it gave this id; None for what happened to a record that it absorbed later
    absorbed   golden ids that the event forwarded to this one and that rest there still: unmerging lets them return
    can_undo   somebody wanted it, and it was not taken back yet
    undone_by  who took it back
    """

    event: EventBrief
    version: int | None
    state: str
    chapters: tuple[Chapter, ...]
    changed: tuple[Changed, ...]
    absorbed: tuple[GoldenId, ...]
    can_undo: bool
    undone_by: EventId | None


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a golden record, newest first; names of the golden records that it tells of."""

    happened: tuple[Happened, ...]
    names: Mapping[GoldenId, Named]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class GoldenEffect:
    """A golden record that changes, and how.

    became  new, forwarded, retired, returned, changed; leads_on: it was forwarded before, and leads elsewhere now
    """

    named: Named
    became: str
    leads_to: GoldenId | None
    version: int
    version_before: int | None
    changed: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class EffectSeen:
    """What an operation would do, in words.

    moved      source key, golden id before and after
    others     names of golden records of other entity types that follow, by entity type
    """

    event_id: EventId
    kind: CauseKind
    moved: tuple[tuple[str, GoldenId | None, GoldenId | None], ...]
    goldens: tuple[GoldenEffect, ...]
    others: Mapping[str, tuple[Named, ...]]
    made: tuple[str, ...]
    ended: tuple[str, ...]
    targets: Mapping[str, int]
    expected: Mapping[GoldenId, int]


@dataclass(frozen=True, slots=True)
class Payload:
    """What a source delivered of a record last: its own columns, each with its text, and what was wrong with it.

    warnings  the attributes whose value was taken with a warning, each with the code of the reason
    """

    source_key: str
    entity_type: str
    state: str
    version: int
    source_time: datetime | None
    recorded_at: datetime
    columns: tuple[tuple[str, str], ...]
    warnings: tuple[tuple[str, str], ...]
