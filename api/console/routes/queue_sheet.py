"""Decisions in a spreadsheet: what is shown as a workbook, and the workbook back: tried first, then carried out.

Nothing of an upload is kept: the browser sends the same file again to carry it out, with the digest of what was
tried, and a file that changed in between is only tried again. The results are part of the answer, to be saved.
"""

import tempfile
from base64 import b64encode
from datetime import UTC
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response

from api.console.page import PageRoute
from api.console.queue_page import query_of, require_types, seen_filter
from api.console.render import page
from api.console.views.queue_filter import asked_of, read_chosen
from api.console.visit import SentFile, TheVisit, Visit
from mdm import clock
from mdm.errors import FileUnreadable, InputInvalid, TooLarge
from mdm.jobs.review_sheet import write_results, write_sheet
from mdm.jobs.review_sheet_carrying import read_sheet
from mdm.jobs.review_sheet_model import SheetReport
from mdm.jobs.review_sheet_reading import read_rows

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DECISIONS_MAX: Final = 2_000  # chosen: about a minute of a request; larger sheets are read by the command
ROWS_SHOWN: Final = 200  # chosen: those refused first; the sheet of results has all
_ORDER: Final = ("refused", "waits", "answered", "already")


@router.get("/queue/sheet")
def download(visit: TheVisit, request: Request) -> Response:
    """Give what the filter lets through as a workbook to decide in."""
    names = require_types(visit)
    chosen = read_chosen(query_of(request), names)
    asked = asked_of(chosen, names)
    written = BytesIO()
    write_sheet(visit.hub, seen_filter(visit, asked), written, ranking=asked.ranking)
    name = f"reviews-{clock.now().astimezone(UTC):%Y-%m-%d}.xlsx"
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return Response(written.getvalue(), media_type=MEDIA_TYPE, headers=headers)


@router.post("/queue/sheet")
def upload(visit: TheVisit) -> Response:
    """Tell what would become of each row of a workbook; with the digest of what was tried, carry it out."""
    names = require_types(visit)
    sent = visit.form.files.get("sheet")
    if sent is None or not sent.content:
        raise InputInvalid("there is no file", remedy="choose the workbook that you saved", field="sheet")
    digest = sha256(sent.content).hexdigest()
    tried = visit.form.one("tried")
    report = _read(visit, sent, names, dry_run=tried != digest)
    shown = sorted((one for one in report.results if one.result != "empty"), key=lambda one: _ORDER.index(one.result))
    return page(
        visit,
        "queue_sheet.html",
        report=report,
        file_name=sent.name,
        digest=digest,
        is_other=bool(tried) and tried != digest,
        rows=shown[:ROWS_SHOWN],
        rows_left_out=max(0, len(shown) - ROWS_SHOWN),
        results="" if report.is_dry_run and not shown else _results(report),
        media_type=MEDIA_TYPE,
    )


def _read(visit: Visit, sent: SentFile, names: tuple[str, ...], *, dry_run: bool) -> SheetReport:
    """Read a workbook from a folder of its own, under a name that is ours."""
    with tempfile.TemporaryDirectory(prefix="mdm-sheet-") as folder:
        path = Path(folder) / "sheet.xlsx"
        path.write_bytes(sent.content)
        try:
            decided = sum(bool(row.decision) for row in read_rows(path).rows)
            if decided > DECISIONS_MAX:
                raise TooLarge(
                    f"the file decides {decided:,} rows, and a page takes {DECISIONS_MAX:,}",
                    remedy="send it in parts, or let `mdm review sheet import` read it",
                )
            return read_sheet(visit.hub, path, who=visit.who, dry_run=dry_run, entity_types=names)
        except FileUnreadable as error:
            raise FileUnreadable("the file", error.reason, remedy=error.remedy) from error


def _results(report: SheetReport) -> str:
    written = BytesIO()
    write_results(report, written)
    return b64encode(written.getvalue()).decode()
