"""How a review sheet looks and what may be edited in it: formats, drop-downs, protection, colours, the page About.

Every text is written as a text. One that a spreadsheet might take for a formula once somebody edits the cell carries
the mark of a quoted text besides.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from mdm.decisions.relations import fitting
from mdm.jobs.review_sheet_model import (
    ABOUT,
    COMMENT_LENGTH_MAX,
    JUDGEMENT_BY_WORD,
    RELATION_WORDS,
    RESULT,
    REVIEW_COLUMN,
    VERSIONS_COLUMN,
    visible,
)

_OPTIONS: Final[Mapping[str, Any]] = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_DECISION_COLOURS: Final = {"Merge": "#D5EFDB", "Keep apart": "#F9D9D6", "Related": "#D9E6F9", "Unsure": "#FBEFC9"}
_RESULT_COLOURS: Final = {"answered": "#D5EFDB", "waits": "#FBEFC9", "already": "#ECECEC", "refused": "#F9D9D6"}
_ALIKE, _UNLIKE, _LATE = "#EAF6ED", "#FDF1DC", "#F9D9D6"
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n")  # beginnings that a spreadsheet may take for a formula
_SHEET_NAME_MAX: Final = 31  # Excel's bound
_WIDTHS: Final = {"Decision": 13, "Relation": 26, "Comment": 30, "Why": 48, "Question": 16, "What happened": 60}

_ABOUT_LINES: Final = (
    "Each row asks: are these two one?",
    "Choose in the column Decision: Merge, Keep apart, Related, or Unsure. Leave it empty to decide later.",
    "For Related, choose in the column Relation how. First and second are the two sides of the row.",
    "The column Comment is kept with the decision as its reason.",
    "A merge with a risk, such as two different tax numbers, is refused by name: look at it on its card.",
    "To merge all the same, copy the marks that the refusal names into the column Risks seen, and read the file again.",
    "You may sort, filter, hide or delete rows and add columns of your own; leave all other cells as they are.",
    "Then read the file back with mdm review sheet import FILE; with --dry-run it only tells what would happen.",
    "A row whose records changed since, or that somebody answered, is refused by name; the others are taken.",
    "Reading a file twice changes nothing the second time.",
    "Marks such as ⟨U+200B⟩ stand for characters that cannot be seen.",
)


@dataclass(frozen=True, slots=True)
class Look:
    """A workbook that is being written, and its formats."""

    workbook: Any
    head: Any
    text: Any
    risky: Any
    edited: Any
    number: Any
    day: Any


@contextmanager
def opened(out: Path | IO[bytes]) -> Iterator[Look]:
    """Give a workbook to write; it is closed at the end."""
    with xlsxwriter.Workbook(str(out) if isinstance(out, Path) else out, dict(_OPTIONS)) as workbook:
        yield Look(
            workbook,
            head=workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#E8EAED"}),
            text=workbook.add_format({"num_format": "@", "valign": "top"}),
            risky=workbook.add_format({"num_format": "@", "valign": "top", "quote_prefix": True}),
            edited=workbook.add_format({"num_format": "@", "valign": "top", "locked": False, "bg_color": "#FFFDF2"}),
            number=workbook.add_format({"num_format": "0.0", "valign": "top"}),
            day=workbook.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
        )


def add_page(look: Look, title: str, headings: Sequence[str], *, frozen: int) -> Any:
    """Add a worksheet with its headings, the first columns frozen beside them."""
    page = look.workbook.add_worksheet(_free_name(look.workbook, title))
    for place, heading in enumerate(headings):
        options = {"hidden": True} if heading in {REVIEW_COLUMN, VERSIONS_COLUMN} else {}
        page.set_column(place, place, _WIDTHS.get(heading, 18), None, options)
        page.write_string(0, place, visible(heading), look.head)
    page.freeze_panes(1, frozen)
    if headings[0] == RESULT:
        for word, colour in _RESULT_COLOURS.items():
            _colour(look, page, (1, 0, 60_000, 0), {"type": "cell", "criteria": "==", "value": f'"{word}"'}, colour)
    return page


def write_text(page: Any, look: Look, at: tuple[int, int], words: str) -> None:
    """Write a text as a text, whatever it looks like."""
    if words:
        page.write_string(*at, visible(words), look.risky if words.startswith(_RISKY) else look.text)


def write_day(page: Any, look: Look, at: tuple[int, int], instant: datetime | None) -> None:
    """Write the day of an instant, UTC."""
    if instant is not None:
        page.write_datetime(*at, instant.astimezone(UTC).replace(tzinfo=None), look.day)


def guide(look: Look, page: Any, entity_type: str, *, headings: Sequence[str], pairs_from: int, rows: int) -> None:
    """Say what may be edited in the rows of a type, offer the words for it, and colour what tells something."""
    page.autofilter(0, 0, rows, len(headings) - 1)
    page.protect("", _ALLOWED)
    _offer(page, (1, 0, rows, 0), list(JUDGEMENT_BY_WORD), "A decision", "Merge, Keep apart, Related or Unsure.")
    words = [RELATION_WORDS[relation] for relation in fitting(entity_type)]
    _offer(page, (1, 1, rows, 1), words, "A relation", "Only for Related; choose one of the list.")
    bound = {"validate": "length", "criteria": "<=", "value": COMMENT_LENGTH_MAX, "error_title": "Too long"}
    page.data_validation(1, 2, rows, 2, bound)
    for word, colour in _DECISION_COLOURS.items():
        _colour(look, page, (1, 0, rows, 2), {"type": "formula", "criteria": f'=$A2="{word}"'}, colour)
    page.conditional_format(1, 4, rows, 4, {"type": "data_bar", "bar_solid": True, "bar_color": "#9DB8E0"})
    _colour(look, page, (1, 6, rows, 6), {"type": "formula", "criteria": '=AND($G2<>"",$G2<TODAY())'}, _LATE)
    for place in range(pairs_from, len(headings) - 4, 2):
        left, right = (f"${xl_col_to_name(column)}2" for column in (place, place + 1))
        both = f'{left}<>"",{right}<>""'
        area = (1, place, rows, place + 1)
        _colour(look, page, area, {"type": "formula", "criteria": f"=AND({both},{left}={right})"}, _ALIKE)
        _colour(look, page, area, {"type": "formula", "criteria": f"=AND({both},{left}<>{right})"}, _UNLIKE)


def add_about(look: Look, *, is_empty: bool) -> None:
    """Add the page that explains the workbook."""
    page = look.workbook.add_worksheet(ABOUT)
    page.set_column(0, 0, 110, look.workbook.add_format({"text_wrap": True, "valign": "top"}))
    lines = ("No open review passes this filter.",) if is_empty else _ABOUT_LINES
    for row, line in enumerate(lines):
        page.write_string(row, 0, line)
    page.protect()


_ALLOWED: Final = {
    "autofilter": True,
    "sort": True,
    "format_columns": True,
    "format_rows": True,
    "delete_rows": True,
    "insert_columns": True,
}


def _offer(page: Any, area: tuple[int, int, int, int], words: Sequence[str], title: str, hint: str) -> None:
    rule = {"validate": "list", "source": list(words), "error_title": title, "error_message": hint}
    page.data_validation(*area, rule)


def _colour(look: Look, page: Any, area: tuple[int, int, int, int], rule: Mapping[str, Any], colour: str) -> None:
    page.conditional_format(*area, {**rule, "format": look.workbook.add_format({"bg_color": colour})})


def _free_name(workbook: Any, title: str) -> str:
    """Make a name that a worksheet may have and no other one has."""
    plain = "".join(" " if each in "[]:*?/\\'" or not each.isprintable() else each for each in title).strip()
    plain = plain[:_SHEET_NAME_MAX] or "Reviews"
    taken = {page.get_name().lower() for page in workbook.worksheets()} | {ABOUT.lower(), "history"}
    name, number = plain, 1
    while name.lower() in taken:
        number += 1
        name = f"{plain[: _SHEET_NAME_MAX - 4]} {number}"
    return name
