"""What became of deliveries: plain values for callers and reports."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mdm.entities.model import Reason
from mdm.ids import GoldenId
from mdm.sources.files_faults import FileFault
from mdm.sources.model import SourceKey, Status

FAULTS_MAX = 20  # chosen: unreadable rows that a report names; the rest is counted

Identity = Literal["created", "attached", "moved", "kept", "none"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery.

    outcome    created: a golden record was minted for it; attached: it joined one; moved: it changed from one to
    another; kept: it stays where it was; none: it belongs to none (rejected, deleted)
    in_review  a steward is asked about it
    errors     reasons of a rejection, or warnings of an accepted record
    """

    key: SourceKey
    status: Status
    golden_id: GoldenId | None
    outcome: Identity
    in_review: bool = False
    errors: tuple[Reason, ...] = ()


Outcomes = dict[int, Outcome]
"""What became of deliveries, by their place in the call."""


@dataclass(slots=True)
class LoadReport:
    """Counts of a load so far."""

    statuses: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # (field, code) of rejections and warnings
    rejections: dict[tuple[str, str], Reason] = field(default_factory=dict)  # (field, code) → the first of its kind
    in_review: int = 0
    faults_count: int = 0
    example_key: str | None = None  # the first record that was taken: how its key is written
    columns_used: dict[str, str] = field(default_factory=dict)  # column → attribute or part of the key
    columns_unused: dict[str, None] = field(default_factory=dict)  # in the order of the files
    faults: list[FileFault] = field(default_factory=list)  # the first FAULTS_MAX rows that could not be read
    notes: list[FileFault] = field(default_factory=list)  # how files as a whole were read where that is a guess
    repeats_count: int = 0
    repeats: list[FileFault] = field(default_factory=list)  # the first FAULTS_MAX rows whose id an earlier row has
    reviews_opened: int = 0
    columns: dict[str, None] = field(default_factory=dict)  # every column met, in the order of the files
    files_not_read: tuple[str, ...] = ()  # what comes after a file that cannot be read
    closest_types: tuple[str, ...] = ()  # when no row was taken: the entity types that the columns look more like

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count some outcomes."""
        for outcome in outcomes:
            self.statuses[outcome.status] += 1
            self.show(outcome.key, is_taken=outcome.status != "rejected")
            self.outcomes[outcome.outcome] += 1
            self.note_reasons(outcome.errors)
            self.in_review += outcome.in_review

    def note_reasons(self, reasons: Iterable[Reason]) -> None:
        """Count why a record was rejected or warned of, and keep the first rejection of each kind."""
        for reason in reasons:
            self.reasons[reason.field, reason.code] += 1
            if reason.severity == "reject":
                self.rejections.setdefault((reason.field, reason.code), reason)

    def show(self, key: SourceKey, *, is_taken: bool) -> None:
        """Keep the key of the first record that is taken."""
        if is_taken and self.example_key is None:
            self.example_key = str(key)

    def note_columns(self, columns: Iterable[str], used: Mapping[str, str]) -> None:
        """Keep what columns fill, and those that fill nothing."""
        self.columns_used |= used
        self.columns_unused |= dict.fromkeys(column for column in columns if column not in used)

    def note(self, found: FileFault) -> None:
        """Count a row that could not be read, and keep the first ones."""
        self.faults_count += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(found)

    def forget(self, path: str, code: str, count: int) -> None:
        """Take back the faults of one kind in a file, which is refused as a whole for them."""
        self.faults_count -= count
        self.faults = [found for found in self.faults if (found.path, found.code) != (path, code)]

    def note_repeat(self, found: FileFault) -> None:
        """Count a row that comes after another one of the same id, and keep the first ones."""
        self.repeats_count += 1
        if len(self.repeats) < FAULTS_MAX:
            self.repeats.append(found)

    @property
    def is_empty_handed(self) -> bool:
        """Tell whether there were rows and none was taken: each was rejected, or could not be read."""
        return self.records_count == self.statuses["rejected"] and self.records_count + self.faults_count > 0

    @property
    def records_count(self) -> int:
        """Count the records seen."""
        return sum(self.statuses.values())
