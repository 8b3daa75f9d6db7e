"""The words of a review sheet, and what becomes of its rows: pure.

A sheet is written for people in a spreadsheet and read back with whatever they and their programs did to it, so all
that is read is found by its heading, never by its place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from mdm.decisions.model import Judgement, Verdict
from mdm.ids import ReviewId

Result = Literal["answered", "waits", "already", "empty", "refused"]

DECISION, RELATION, COMMENT, RISKS = "Decision", "Relation", "Comment", "Risks seen"
REVIEW_COLUMN, VERSIONS_COLUMN = "mdm:review", "mdm:versions"
"""Headings of the hidden columns: the id of the review, and the golden records with the versions that were shown."""
RESULT, MESSAGE = "Result", "What happened"
ABOUT: Final = "About"

JUDGEMENT_BY_WORD: Final[Mapping[str, Judgement]] = MappingProxyType(
    {"Merge": "same", "Keep apart": "different", "Related": "related", "Unsure": "unsure"}
)
RELATION_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "parent_of": "First is the parent of second",
        "sister_of": "Sisters",
        "acquired_by": "First was acquired by second",
        "succeeded_by": "First was succeeded by second",
        "phase_of": "First is a phase of second",
        "amendment_of": "First amends second",
        "renewal_of": "First renews second",
    }
)
ROWS_MAX: Final = 50_000
"""Rows of a sheet (chosen: more than a team decides in a month, and read in seconds)."""
CELL_LENGTH_MAX: Final = 1_000  # chosen: a cell shows a line; Excel's own bound is 32,767
COMMENT_LENGTH_MAX: Final = 2_000  # the bound of a comment on a review

# Control characters, and those that show nothing or turn the direction of what follows.
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_VERSION: Final = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row as it was read: what the hub wrote into it, and what a person did."""

    sheet: str
    number: int
    review_id: str
    versions: str
    decision: str
    relation: str
    comment: str
    risks: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row; `code` is "" unless it was refused."""

    row: SheetRow
    result: Result
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class SheetReport:
    """What became of a sheet, row by row in its order.

    headings  of each worksheet, for a copy with the results beside the rows
    """

    file: str
    results: tuple[RowResult, ...]
    headings: Mapping[str, tuple[str, ...]]
    is_dry_run: bool

    @property
    def counts(self) -> dict[Result, int]:
        """Count rows by what became of them."""
        words: tuple[Result, ...] = ("answered", "waits", "already", "empty", "refused")
        return {word: sum(one.result == word for one in self.results) for word in words}


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """A row that says something whole: the answer it asks for."""

    row: SheetRow
    review_id: ReviewId
    expected: Mapping[str, int]
    verdict: Verdict
    seen: frozenset[str] = frozenset()


def visible(words: str) -> str:
    """Mark what a reader would not see, and cut what is too long for a cell."""
    cut = words if len(words) <= CELL_LENGTH_MAX else f"{words[:CELL_LENGTH_MAX]}…"
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", cut)


def versions_text(versions: Mapping[str, int]) -> str:
    """Write golden records with their versions into one cell."""
    return " ".join(f"{golden_id}={version}" for golden_id, version in sorted(versions.items()))


def read_versions(words: str) -> dict[str, int] | None:
    """Read them back; None when the cell holds something else."""
    parted = [pair.rpartition("=") for pair in words.split()]
    if not parted or not all(golden_id and _VERSION.fullmatch(version) for golden_id, _, version in parted):
        return None
    return {golden_id: int(version) for golden_id, _, version in parted}
