"""What a steward can ask for, as values: operations on golden records, in whose name, and what an operation does.

Each operation is one value, so that a command, a route, a review and a bulk job ask in the same words, and so that the
same one can be rehearsed first and carried out then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mdm.decisions.model import Decision, Verdict
from mdm.identity.model import CauseKind
from mdm.ids import EventId, GoldenId
from mdm.sources.model import SourceKey
from mdm.survivorship.model import GoldenVersion


@dataclass(frozen=True, slots=True)
class By:
    """In whose name and why an operation is done.

    expected  the version of each golden record on which the operation was decided, of those that follow too; where any
              of them moved on, the operation is refused
    """

    who: str
    reason: str
    expected: Mapping[GoldenId, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Merge:
    """Make two golden records one.

    survivor  whose id stays; None leaves it to the rule: confirmed, else oldest
    values    what the result shall show in place of what the rules choose: overrides by attribute
    """

    first: GoldenId
    second: GoldenId
    survivor: GoldenId | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergeAll:
    """Make each of many pairs of golden records one, as one operation that is taken back as a whole or one by one."""

    pairs: tuple[tuple[GoldenId, GoldenId], ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """Decide that two golden records are different, related, or perhaps the same: it binds all their members."""

    first: GoldenId
    second: GoldenId
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Unmerge:
    """Take a merge back: the absorbed golden records return with their ids, and stay apart from now on.

    returning  the one that returns, where the event absorbed several; None lets all of them return
    """

    event_id: EventId
    returning: GoldenId | None = None


@dataclass(frozen=True, slots=True)
class UnmergeRecord:
    """Take one record out of its golden record; it gets back the id that was its own (a linear unmerge).

    out_of  the golden record that the record has to be a member of; None for whichever it belongs to
    """

    key: SourceKey
    out_of: GoldenId | None = None


@dataclass(frozen=True, slots=True)
class UnmergeBranch:
    """Take back the last merge of a record's golden record: what had come together before leaves together.

    out_of  the golden record that the record has to be a member of; None for whichever it belongs to
    """

    key: SourceKey
    out_of: GoldenId | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """Divide a golden record anew; members that no part names stay together as one more part."""

    golden_id: GoldenId
    parts: tuple[frozenset[SourceKey], ...]


@dataclass(frozen=True, slots=True)
class Move:
    """Take one record out of its golden record and into another one.

    out_of  the golden record that the record has to be a member of; None for whichever it belongs to
    """

    key: SourceKey
    to: GoldenId
    out_of: GoldenId | None = None


@dataclass(frozen=True, slots=True)
class Dissolve:
    """Let every record of a golden record stand alone."""

    golden_id: GoldenId


@dataclass(frozen=True, slots=True)
class Confirm:
    """Say that a golden record is right as it is: its members stay together, and its id survives."""

    golden_id: GoldenId


@dataclass(frozen=True, slots=True)
class Retire:
    """End a golden record that tells of no real thing; its records are kept, updated, and belong to nothing."""

    golden_id: GoldenId


@dataclass(frozen=True, slots=True)
class Restore:
    """Bring back a golden record that a steward retired, under the same id."""

    golden_id: GoldenId


@dataclass(frozen=True, slots=True)
class Undo:
    """Take an operation back as if it had not been done: what it decided is no decision any more."""

    event_id: EventId


Operation = (
    Merge
    | MergeAll
    | Judge
    | Unmerge
    | UnmergeRecord
    | UnmergeBranch
    | Split
    | Move
    | Dissolve
    | Confirm
    | Retire
    | Restore
    | Undo
)


@dataclass(frozen=True, slots=True)
class MovedRecord:
    """A record whose golden record changes; None where it belongs to none."""

    entity_type: str
    source_key: str
    before: GoldenId | None
    after: GoldenId | None


@dataclass(frozen=True, slots=True)
class ChangedGolden:
    """A golden record that gets a new version; `before` is None for one that is minted."""

    before: GoldenVersion | None
    after: GoldenVersion


@dataclass(frozen=True, slots=True)
class Effect:
    """What an operation does, or would do: a rehearsal shows the same, but for ids that are minted then.

    moved    records that change their golden record, those of children too
    goldens  golden records that change, those that follow too
    made     decisions that bind from now on
    ended    decisions that bind no more
    targets  how many messages each target gets
    """

    event_id: EventId
    kind: CauseKind
    entity_type: str
    moved: tuple[MovedRecord, ...]
    goldens: tuple[ChangedGolden, ...]
    made: tuple[Decision, ...]
    ended: tuple[Decision, ...]
    targets: Mapping[str, int]
