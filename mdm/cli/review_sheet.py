"""`mdm review sheet`: decisions in bulk by spreadsheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson, MaybeEntity
from mdm.cli.review import Assignee, Kind, Source, StakeMax, StakeMin, checked_kind
from mdm.cli.review_answers import app as reviews_app

if TYPE_CHECKING:
    from mdm.jobs.review_sheet_model import SheetReport

app = reviews_app  # one group of commands in three files
sheets = typer.Typer(
    help="Decide in a spreadsheet: write reviews into a workbook, read the decisions back.", no_args_is_help=True
)
app.add_typer(sheets, name="sheet")

File = Annotated[Path, typer.Argument(help="The workbook, .xlsx.", metavar="FILE")]


@sheets.command("export")
def export(
    file: File,
    *,
    entity: MaybeEntity = None,
    kind: Kind = None,
    source: Source = None,
    assignee: Assignee = None,
    score_min: Annotated[float | None, typer.Option("--min-score", help="Only with at least so many bits.")] = None,
    score_max: Annotated[float | None, typer.Option("--max-score", help="Only with at most so many bits.")] = None,
    stake_min: StakeMin = None,
    stake_max: StakeMax = None,
    order: Annotated[str, typer.Option(help="useful, oldest or riskiest first.")] = "useful",
    as_json: AsJson = False,
) -> None:
    """Write open reviews into a workbook, one row a review, a worksheet for each entity type."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session
    from mdm.decisions.review_model import RANKINGS, ReviewFilter
    from mdm.jobs.review_sheet import write_sheet

    ranking = next((each for each in RANKINGS if each == order), None)
    if ranking is None:
        raise typer.BadParameter(f"choose one of {', '.join(RANKINGS)}", param_hint="--order")
    with session() as hub:
        asked = ReviewFilter(
            entity_types=(hub.entity_type(entity).name,) if entity else (),
            kinds=checked_kind(kind),
            assignee=assignee,
            source=source,
            bits=(score_min, score_max),
            stake=(stake_min, stake_max),
        )
        written = write_sheet(hub, asked, file, ranking=ranking)
    if as_json:
        print_json({"file": file, "rows": written.rows})
        return
    told = ", ".join(f"{count} of {name}" for name, count in written.rows.items()) or "none"
    print_text(f"{file}: {told}. Decide in it, then: mdm review sheet import {file} --dry-run")


@sheets.command("import")
def import_(
    file: File,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would happen, and do nothing.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Workbook for the rows with what became of each.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Carry out the decisions in a workbook; a row that cannot be taken is refused by name, the others are taken."""
    from mdm.cli.output import tell
    from mdm.cli.session import session, who
    from mdm.jobs.review_sheet import write_results
    from mdm.jobs.review_sheet_carrying import read_sheet

    with session() as hub:
        report = read_sheet(
            hub,
            file,
            who=who(),
            dry_run=dry_run,
            progress=lambda done, asked: tell(f"{done} of {asked} decisions"),
        )
    if out is not None:
        write_results(report, out)
    _tell(report, as_json=as_json)
    counts = report.counts
    if counts["refused"] and not (counts["answered"] or counts["waits"] or counts["already"]):
        raise typer.Exit(ExitCode.REFUSED)


def _tell(report: "SheetReport", *, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_text

    refused = [one for one in report.results if one.result == "refused"]
    if as_json:
        rows = [
            {
                "sheet": one.row.sheet,
                "row": one.row.number,
                "review_id": one.row.review_id,
                "result": one.result,
                "code": one.code,
                "message": one.message,
            }
            for one in report.results
        ]
        print_json({"file": report.file, "dry_run": report.is_dry_run, "counts": report.counts, "rows": rows})
        return
    would = "would be " if report.is_dry_run else ""
    counts = report.counts
    print_text(
        f"{would}answered: {counts['answered']}; {would}waiting for a second person: {counts['waits']}; answered so"
        f" before: {counts['already']}; without a decision: {counts['empty']}; refused: {counts['refused']}"
    )
    for one in refused:
        print_text(f"refused: {one.row.sheet} row {one.row.number}: {one.message}")
