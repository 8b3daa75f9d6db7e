"""Reports on what a target holds: what a backfill would do or did, and how it differs from what it should hold."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

ReportKind = Literal["backfill", "drift"]
# ordered    it waits for a worker
# reading    it is being made; one that nobody ordered stays so when whoever made it crashed
# failed     the target could not be read, or its job was given up
# cancelled  somebody did not want it any more
ReportState = Literal["ordered", "reading", "failed", "cancelled", "planned", "applied", "found", "repaired"]
Aim = Literal["planned", "applied"]

DRIFT: Final = ("missed", "edited", "lost", "forwarded", "unnamed", "unknown")
"""Findings of a comparison that are a difference; what waits, or is left, is none."""
EXAMPLES_MAX: Final = 20  # chosen: what a person looks through before deciding; the counts are whole

Counts = Mapping[str, Mapping[str, int]]
Examples = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is.

    records_count  records of the entity type at hand that were read so far
    type_number    which type that is, of `types_count`, from 1
    """

    entity_type: str
    records_count: int
    type_number: int
    types_count: int


@dataclass(frozen=True, slots=True)
class Report:
    """One report.

    counts    by entity type and finding
    examples  the same, up to 20 of each: ids, keys and names of fields, never values
    declared  digest of the declaration that it was made for
    aim       of a job, the state that it is to come to; None: whoever asked waits for it
    progress  of a job that is read, how far it is
    attempt   how often a worker took the job up: the token that fences off whoever had it before
    reason    why it failed, or by whom it was cancelled
    """

    id: str
    target_id: str
    kind: ReportKind
    state: ReportState
    counts: Counts
    examples: Examples
    declared: str
    recorded_at: datetime
    who: str
    aim: Aim | None = None
    progress: Progress | None = None
    attempt: int = 0
    reason: str = ""

    @property
    def is_under_way(self) -> bool:
        """Tell whether it waits for a worker, or is being made."""
        return self.state in {"ordered", "reading"}

    def total(self, *findings: str) -> int:
        """Add up these findings over all entity types."""
        return sum(found.get(name, 0) for found in self.counts.values() for name in findings)


@dataclass(slots=True)
class Tally:
    """Counts findings and keeps the first examples of each."""

    counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    examples: defaultdict[str, dict[str, list[Mapping[str, Any]]]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, entity_type: str, finding: str, **example: Any) -> None:
        """Count one finding; empty facts of an example are left out."""
        self.counts[entity_type][finding] += 1
        kept = self.examples[entity_type].setdefault(finding, [])
        if len(kept) < EXAMPLES_MAX:
            kept.append({name: value for name, value in example.items() if value})
