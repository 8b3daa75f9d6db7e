"""Questions, waiting answers and sheets for tests of the queue's pages."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review
from mdm.hub import Hub, carry
from mdm.jobs.service import deliver
from mdm.stewardship import reviews
from mdm.stewardship.bands import Intended, answer_each
from tests.hubs import WIDGETS, delivery

# The application of these tests knows the widgets, too.
WITH_WIDGETS: dict[str, Any] = {"pool_size": 4, "password_memory_kib": 8, "password_passes": 1, "entities": (WIDGETS,)}
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def ask_about_clients(hub: Hub, *names: str) -> list[Review]:
    """Send two clients of each name, and give the reviews that ask whether they are one, by name."""
    for number, name in enumerate(names):
        two = [
            delivery(f"crm-{place}/Account:{number}", "customer", legal_name=name, city="Hull")
            for place in ("east", "west")
        ]
        deliver(hub, two, who="test")
    by_key = {one.left_key: one for one in reviews.list_reviews(hub)}
    return [by_key[f"crm-east/Account:{number}"] for number in range(len(names))]


def propose(hub: Hub, *asked: Review, who: str = "sam", reason: str = "the same street") -> None:
    """Give answers that wait for a second person."""
    intended = [Intended(one.id, one.versions, Verdict("same", reason)) for one in asked]
    carry(hub, lambda work: answer_each(work, intended, bulk_id="", waits_because="looked at together"), who=who)


def decided(content: bytes, decide: Callable[[int, Mapping[str, Any]], Mapping[str, str]]) -> bytes:
    """Fill in a workbook as another program saves it: each row's number from 0 and cells give what changes in it."""
    headings, *rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Clients")
        sheet.write_row(0, 0, headings)
        for number, row in enumerate(rows):
            cells = dict(zip(map(str, headings), row, strict=True))
            for place, value in enumerate({**cells, **decide(number, cells)}.values()):
                sheet.write(number + 1, place, value)
    return out.getvalue()


def saved(content: bytes, path: Path) -> list[list[Any]]:
    """Give the rows of a downloaded workbook."""
    path.write_bytes(content)
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
