"""`mdm model train`: a match model learnt from stewards' decisions or a file of pairs, with a report in pictures."""

from pathlib import Path
from typing import Annotated

import typer

from mdm.cli.models import app, print_version
from mdm.cli.options import AsJson, Entity


@app.command("train")
def train(
    entity: Entity,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV, JSONL, Parquet or XLSX file with the columns left, right (source keys) and judgement."),
    ] = None,
    why: Annotated[str, typer.Option("--why", help="Why, in a few words.")] = "",
    report: Annotated[Path | None, typer.Option(help="HTML file for the report with its pictures.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of whatever is drawn.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Learn a match model from stewards' decisions, or from a file of pairs; it is kept, and never activated."""
    from mdm.cli.output import print_json, print_text, progress
    from mdm.cli.session import session, who
    from mdm.modelling.learner import learner
    from mdm.modelling.picture import write_report
    from mdm.modelling.training import Lesson, read_labels
    from mdm.modelling.training import train as learn

    pairs = read_labels(labels) if labels else None
    with session() as hub:
        with progress("learning"):
            made = learn(hub, Lesson(entity, why, pairs), learner(seed), who=who())
        place = report or Path(f"model-{entity}-{made.version}.html")
        write_report(place, made)
    if as_json:
        print_json({"version": made.version, "report": made.report, "pictures": str(place)})
        return
    print_version(made)
    print_text(f"\nPictures: {place}")
    print_text(f"Nothing was activated. `mdm model diff declared {made.version[:8]} --consequences` says what it would")
    print_text(f'change, `mdm model activate {made.version[:8]} --why "…"` lets it hold.')
