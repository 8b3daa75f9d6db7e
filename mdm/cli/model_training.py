"""`mdm model train`: a match model learnt from stewards, a file of pairs or identifiers, with a report in pictures."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mdm.cli.models import app, print_version
from mdm.cli.options import AsJson, Entity


@app.command("train")
def train(  # noqa: PLR0917 -- the signature of a command is its interface
    entity: Entity,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV, JSONL, Parquet or XLSX file with the columns left, right (source keys) and judgement."),
    ] = None,
    identifiers: Annotated[
        bool,
        typer.Option(
            "--identifiers", help="Learn from tax numbers and the like that records share; nobody need have decided."
        ),
    ] = False,
    why: Annotated[str, typer.Option("--why", help="Why, in a few words.")] = "",
    report: Annotated[Path | None, typer.Option(help="HTML file for the report with its pictures.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of whatever is drawn.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Learn a match model from stewards' decisions, from a file of pairs or from identifiers; nothing is activated.

    In each way it learns too what is common among all records of the hub: words, switchboards, crowded blocks.
    """
    from mdm.cli.output import print_json, print_text, progress
    from mdm.cli.session import session, who
    from mdm.modelling.learner import Learner
    from mdm.modelling.picture import write_report
    from mdm.modelling.training import Lesson, Means, read_labels
    from mdm.modelling.training import train as learn

    if labels and identifiers:
        raise typer.BadParameter("a model is learnt from labels or from identifiers", param_hint="--identifiers")
    lesson = Lesson(entity, why, "identifiers" if identifiers else "decisions")
    if labels:
        lesson = Lesson(entity, why, "labels", read_labels(labels))
    with session() as hub:
        with progress("reading records") as shown:
            able = len(os.sched_getaffinity(0))
            means = Means(processes=able, tell=lambda words: shown.update(shown.task_ids[0], description=words))
            made = learn(hub, lesson, Learner(seed), who=who(), means=means)
        place = report or Path(f"model-{entity}-{made.version}.html")
        write_report(place, made)
    if as_json:
        print_json({"version": made.version, "report": made.report, "pictures": str(place)})
        return
    print_version(made)
    print_text(f"\nPictures: {place}")
    print_text(f"Nothing was activated. `mdm model diff declared {made.version[:8]} --consequences` says what it would")
    print_text(f'change, `mdm model activate {made.version[:8]} --why "…"` lets it hold.')
