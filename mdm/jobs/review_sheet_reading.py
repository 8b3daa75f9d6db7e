"""Read a review sheet back: what people decided in it, found by headings, with every fault by row.

The file may have come through any spreadsheet program: rows sorted, filtered or deleted, columns added or moved. It is
never trusted: its size is bounded before it is unpacked, its cells before they are laid out, and nothing that it links
to is followed. No database here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook

from mdm.decisions.model import RELATIONS, Judgement, Verdict
from mdm.decisions.relations import fitting
from mdm.errors import FileUnreadable
from mdm.ids import ReviewId
from mdm.jobs.review_sheet_model import (
    COMMENT,
    COMMENT_LENGTH_MAX,
    DECISION,
    JUDGEMENT_BY_WORD,
    RELATION,
    RELATION_WORDS,
    REVIEW_COLUMN,
    RISKS,
    ROWS_MAX,
    VERSIONS_COLUMN,
    RowAnswer,
    RowResult,
    SheetRow,
    read_versions,
)
from mdm.sources.files_gate import WorkbookBounds, check_workbook

# Chosen: 50,000 rows of a customer sheet with its forty columns fit twice; the rest is room for people's own columns.
BOUNDS: Final = WorkbookBounds(file_bytes=64_000_000, unpacked_bytes=256_000_000, columns=200, cells=5_000_000)
_WANTED: Final = (DECISION, RELATION, COMMENT, RISKS, REVIEW_COLUMN, VERSIONS_COLUMN)


@dataclass(frozen=True, slots=True)
class SheetRead:
    """The rows of a workbook, and the headings of each of its worksheets."""

    rows: tuple[SheetRow, ...]
    headings: Mapping[str, tuple[str, ...]]


def read_rows(path: Path) -> SheetRead:
    """Read all worksheets that `mdm review sheet export` wrote; others are passed over.

    Raises FileUnreadable for a file that is damaged, too large, or has no such worksheet.
    """
    check_workbook(path, BOUNDS)
    rows: list[SheetRow] = []
    headings: dict[str, tuple[str, ...]] = {}
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            for name in workbook.sheet_names:
                sheet = workbook.get_sheet_by_name(name)
                first = (sheet.start or (0, 0))[0]
                found = sheet.to_python(skip_empty_area=True)
                place = _heading_place(found)
                if place is None:
                    continue
                headings[name] = tuple(map(_text, found[place]))
                rows += _rows(name, found[place + 1 :], headings[name], number=first + place + 2)
    except (CalamineError, OSError, ValueError) as error:
        raise FileUnreadable(
            str(path), f"is damaged ({str(error)[:200]})", remedy="open it and save it again as .xlsx"
        ) from error
    if not headings:
        raise FileUnreadable(
            str(path),
            f"has no worksheet with the columns {REVIEW_COLUMN} and {VERSIONS_COLUMN}",
            remedy="write one with `mdm review sheet export`, and leave its hidden columns in",
        )
    if len(rows) > ROWS_MAX:
        raise FileUnreadable(str(path), f"has {len(rows):,} rows, more than {ROWS_MAX:,}", remedy="cut it in pieces")
    return SheetRead(tuple(rows), headings)


def answers_of(
    rows: Sequence[SheetRow], entity_type_by_review: Mapping[ReviewId, str]
) -> tuple[list[RowAnswer], list[RowResult]]:
    """Read what each row decides; give the answers that are whole, and what becomes of all other rows."""
    answers: list[RowAnswer] = []
    results: list[RowResult] = []
    for row in rows:
        if not row.decision:
            results.append(RowResult(row, "empty", "", _EMPTY_WITH_WORDS if row.relation or row.comment else ""))
            continue
        read = _answer(row, entity_type_by_review)
        if isinstance(read, RowAnswer):
            answers.append(read)
        else:
            results.append(read)
    return _without_repeats(answers, results), results


_EMPTY_WITH_WORDS: Final = "nothing is decided here, so the relation and the comment were not kept"


def _without_repeats(answers: Sequence[RowAnswer], results: list[RowResult]) -> list[RowAnswer]:
    """Keep one of the rows that say the same of a review; refuse those that contradict each other."""
    by_review: dict[ReviewId, list[RowAnswer]] = {}
    for one in answers:
        by_review.setdefault(one.review_id, []).append(one)
    kept = []
    for alike in by_review.values():
        first = alike[0]
        said = {(one.verdict.judgement, one.verdict.relation, tuple(sorted(one.expected.items()))) for one in alike}
        if len(said) > 1:
            numbers = " and ".join(f"{one.row.sheet} {one.row.number}" for one in alike)
            words = f"rows {numbers} decide differently about one review; leave one of them"
            results += [RowResult(one.row, "refused", "row_contradicts", words) for one in alike]
            continue
        kept.append(first)
        words = f"row {first.row.sheet} {first.row.number} says the same"
        results += [RowResult(one.row, "already", "row_repeated", words) for one in alike[1:]]
    return kept


def _answer(row: SheetRow, entity_type_by_review: Mapping[ReviewId, str]) -> RowAnswer | RowResult:
    if row.review_id not in entity_type_by_review:
        words = f"there is no review {row.review_id[:60]!r}" if row.review_id else "the hidden id of the review is gone"
        return RowResult(row, "refused", "review_unknown", f"{words}; export the sheet again")
    expected = read_versions(row.versions)
    if expected is None:
        words = "the hidden versions of the row are gone or damaged; export the sheet again"
        return RowResult(row, "refused", "versions_missing", words)
    judgement_word = _closest(row.decision, {**{word: word for word in JUDGEMENT_BY_WORD}, **_PLAIN})
    if judgement_word not in JUDGEMENT_BY_WORD:
        words = f"{row.decision[:60]!r} is no decision; {_meant(judgement_word, list(JUDGEMENT_BY_WORD))}"
        return RowResult(row, "refused", "decision_unknown", words)
    judgement = JUDGEMENT_BY_WORD[judgement_word]
    entity_type = entity_type_by_review[ReviewId(row.review_id)]
    relation = _relation(row, judgement, entity_type)
    if isinstance(relation, RowResult):
        return relation
    if len(row.comment) > COMMENT_LENGTH_MAX:
        words = f"the comment has {len(row.comment):,} characters, more than {COMMENT_LENGTH_MAX:,}"
        return RowResult(row, "refused", "comment_too_long", words)
    reason = row.comment.replace("\0", "") or "decided in a sheet"
    seen = frozenset(row.risks.replace(",", " ").split())
    return RowAnswer(row, ReviewId(row.review_id), expected, Verdict(judgement, reason, relation), seen)


_PLAIN: Final = {"same": "Merge", "different": "Keep apart", "separate": "Keep apart"}


def _relation(row: SheetRow, judgement: Judgement, entity_type: str) -> str | RowResult | None:
    fits = fitting(entity_type)
    offered = [RELATION_WORDS[relation] for relation in fits]
    if judgement != "related":
        if not row.relation:
            return None
        return RowResult(row, "refused", "relation_without_related", "a relation belongs to the decision Related only")
    if not row.relation:
        return RowResult(row, "refused", "relation_missing", f"Related needs a relation: {', '.join(offered)}")
    words = {RELATION_WORDS[relation]: relation for relation in RELATIONS} | {each: each for each in RELATIONS}
    found = _closest(row.relation, words)
    if found in fits:
        return found
    if found in RELATIONS:
        words_told = f"{row.relation[:60]!r} does not fit a {entity_type}; choose {', '.join(offered)}"
        return RowResult(row, "refused", "relation_misfit", words_told)
    return RowResult(
        row, "refused", "relation_unknown", f"{row.relation[:60]!r} is no relation; {_meant(found, offered)}"
    )


def _closest(words: str, known: Mapping[str, str]) -> str:
    """Give what a word stands for, in any case; else "?" and the nearest known one, or "?"."""
    folded = {" ".join(word.casefold().replace("_", " ").split()): meaning for word, meaning in known.items()}
    asked = " ".join(words.casefold().replace("_", " ").split())
    if asked in folded:
        return folded[asked]
    near = get_close_matches(asked[:80], folded, n=1, cutoff=0.6)
    return f"?{folded[near[0]]}" if near else "?"


def _meant(closest: str, offered: Sequence[str]) -> str:
    near = closest.removeprefix("?")
    return f"did you mean {RELATION_WORDS.get(near, near)!r}?" if near else f"choose {', '.join(offered)}"


def _heading_place(rows: Sequence[Sequence[Any]]) -> int | None:
    for place, cells in enumerate(rows[:20]):
        if {REVIEW_COLUMN, VERSIONS_COLUMN} <= {_text(cell).strip() for cell in cells}:
            return place
    return None


def _rows(name: str, rows: Sequence[Sequence[Any]], headings: Sequence[str], *, number: int) -> Iterator[SheetRow]:
    places = {heading.strip().casefold(): place for place, heading in reversed(list(enumerate(headings)))}
    wanted = [places.get(heading.casefold()) for heading in _WANTED]
    for at, cells in enumerate(rows, start=number):
        words = tuple(map(_text, cells))
        if not any(word.strip() for word in words):
            continue
        decision, relation, comment, risks, review_id, versions = (
            words[place].strip() if place is not None and place < len(words) else "" for place in wanted
        )
        yield SheetRow(name, at, review_id, versions, decision, relation, comment, risks, words)


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)
