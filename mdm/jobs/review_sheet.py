"""Write reviews into a workbook for people who decide in a spreadsheet.

One row a review, both sides' values beside each other. Only the cells for the decision, the relation, the comment and
the risks that were seen can be edited; hidden columns hold the id of the review and the golden versions that it was
written with. Every value is text: nothing that a record holds becomes a formula, a link or a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

from mdm.db.transaction import snapshot
from mdm.decisions import reviews_store
from mdm.decisions.review_model import Place, Ranking, ReviewFilter
from mdm.entities.model import EntityType
from mdm.errors import InputInvalid
from mdm.hub import Hub
from mdm.jobs.review_sheet_look import Look, add_about, add_page, guide, opened, write_day, write_text
from mdm.jobs.review_sheet_model import (
    COMMENT,
    DECISION,
    MESSAGE,
    RELATION,
    RESULT,
    REVIEW_COLUMN,
    RISKS,
    ROWS_MAX,
    VERSIONS_COLUMN,
    SheetReport,
    versions_text,
)
from mdm.stewardship.short_facts import ShortFacts, short_facts, telling_attributes

PAGE: Final = 500  # chosen: reviews that are read at once
ATTRIBUTES_MAX: Final = 14  # chosen: twice as many columns; the card shows all
_BEFORE: Final = (DECISION, RELATION, COMMENT, "Question", "Score (bits)", "Stake", "Due", "Why", RISKS)


@dataclass(frozen=True, slots=True)
class SheetWritten:
    """How many rows were written, by entity type."""

    rows: Mapping[str, int]


def write_sheet(hub: Hub, asked: ReviewFilter, out: Path | IO[bytes], *, ranking: Ranking = "riskiest") -> SheetWritten:
    """Write the open reviews that a filter lets through, a worksheet for each entity type.

    Raises InputInvalid when there are more than a sheet may hold.
    """
    if asked.state != "open":
        raise InputInvalid("a sheet holds open reviews", remedy="leave the state out", field="state")
    names = asked.entity_types or tuple(sorted(hub.declared))
    types = [hub.entity_type(name) for name in names]
    with snapshot(hub.engine) as connection:
        count = reviews_store.count_reviews(connection, asked)
    if count > ROWS_MAX:
        raise InputInvalid(
            f"{count:,} reviews are too many for a sheet, which holds {ROWS_MAX:,}",
            remedy="choose fewer: by entity type, kind, score, stake or source",
            field="filter",
        )
    with opened(out) as look:
        written = {}
        for entity_type in types:
            if rows := _write_type(look, entity_type, _pages(hub, asked, entity_type, ranking)):
                written[entity_type.name] = rows
        add_about(look, is_empty=not written)
    return SheetWritten(written)


def write_results(report: SheetReport, out: Path | IO[bytes]) -> None:
    """Write the rows of a sheet that was read, each with what became of it."""
    with opened(out) as look:
        for name, headings in report.headings.items():
            rows = [one for one in report.results if one.row.sheet == name]
            page = add_page(look, name, [RESULT, MESSAGE, *headings], frozen=2)
            for number, one in enumerate(rows, start=1):
                for place, words in enumerate((one.result, one.message, *one.row.cells)):
                    write_text(page, look, (number, place), words)
            page.autofilter(0, 0, max(1, len(rows)), len(headings) + 1)


def _pages(hub: Hub, asked: ReviewFilter, entity_type: EntityType, ranking: Ranking) -> Iterator[Sequence[ShortFacts]]:
    """Read page after page; values and versions of a page are of one moment."""
    narrowed = replace(asked, entity_types=(entity_type.name,))
    after: Place | None = None
    seen: set[str] = set()
    while True:
        with snapshot(hub.engine) as connection:
            found = reviews_store.select_reviews(connection, narrowed, ranking=ranking, after=after, limit=PAGE)
            fresh = [review for review in found if review.id not in seen]
            facts = short_facts(connection, entity_type, fresh) if fresh else ()
        yield facts
        if len(found) < PAGE:
            return
        after = found[-1].place_in(ranking)
        seen.update(review.id for review in fresh)


def _write_type(look: Look, entity_type: EntityType, pages: Iterator[Sequence[ShortFacts]]) -> int:
    first = next(pages)
    if not first:
        return 0
    attributes = telling_attributes(entity_type)[:ATTRIBUTES_MAX]
    titles = [entity_type.attributes[name].title for name in attributes]
    headings = [*_BEFORE, *(f"{title} · {side}" for title in titles for side in ("first", "second"))]
    headings += ["Key · first", "Key · second", REVIEW_COLUMN, VERSIONS_COLUMN]
    page = add_page(look, entity_type.title, headings, frozen=len((DECISION, RELATION, COMMENT)))
    rows = 0
    for facts in (first, *pages):
        for one in facts:
            rows += 1
            if rows > ROWS_MAX:  # more were opened while the first ones were written
                break
            _write_row(page, look, rows, one, attributes)
    rows = min(rows, ROWS_MAX)
    guide(look, page, entity_type.name, headings=headings, pairs_from=len(_BEFORE), rows=rows)
    return rows


def _write_row(page: Any, look: Look, row: int, one: ShortFacts, attributes: Sequence[str]) -> None:
    review = one.review
    for place in (0, 1, 2, _BEFORE.index(RISKS)):
        page.write_blank(row, place, None, look.edited)
    write_text(page, look, (row, 3), review.kind.replace("_", " "))
    page.write_number(row, 4, round(review.bits, 1), look.number)
    page.write_number(row, 5, round(review.stake, 1), look.number)
    write_day(page, look, (row, 6), review.due_at)
    write_text(page, look, (row, 7), one.why)
    place = len(_BEFORE)
    for name in attributes:
        write_text(page, look, (row, place), one.left.get(name, ""))
        write_text(page, look, (row, place + 1), one.right.get(name, ""))
        place += 2
    for words in (review.left_key, review.right_key, review.id, versions_text(review.versions)):
        write_text(page, look, (row, place), words)
        place += 1
