"""`mdm match`: match files, without a server and without a database."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mdm.cli.options import AsJson, Files, Maps, OutFile, parse_maps
from mdm.cli.words import counted

if TYPE_CHECKING:
    from mdm.jobs.match_files import FileMatch


def match(  # noqa: PLR0917 -- the signature of a command is its interface
    files: Files,
    out: OutFile,
    entity: Annotated[
        str | None, typer.Option("--entity", "-e", help="Entity type; left out: the one that --model declares.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="YAML file with an entity declaration of your own.")] = None,
    within: Annotated[
        Path | None, typer.Option(help="Clusters of the parents (id, source, cluster_id), for projects and contracts.")
    ] = None,
    maps: Maps = None,
    report: Annotated[Path | None, typer.Option(help="JSON file for seconds and counts of each stage.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="Parquet file for the scored pairs with their levels.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; left out: one for each processor.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find out which rows of files mean the same.

    Writes id, source, cluster_id and name, one line a row; needs no server and no database.
    """
    from mdm.cli.output import as_json as written
    from mdm.cli.output import print_json, print_text, progress
    from mdm.entities.service import entity_type, entity_type_of_file
    from mdm.jobs.match_files import match_files, parents_of, read_partition, report_of, write_clusters, write_pairs
    from mdm.publishing.files import require_place, writing
    from mdm.settings import load_settings

    for path in filter(None, (out, report, pairs)):
        require_place(path)
    folders = load_settings().entities
    if model is None and entity is None:
        raise typer.BadParameter("name an entity type, or a --model that declares one", param_hint="--entity")
    chosen = entity_type_of_file(model, folders) if model else entity_type(entity or "", folders)
    if entity not in (None, chosen.name):
        raise typer.BadParameter(f"{model} declares {chosen.name}, not {entity}", param_hint="--entity")
    count = threads or len(os.sched_getaffinity(0))
    faults: list[Any] = []
    with progress("read") as shown:

        def on_stage(stage: Any) -> None:
            shown.update(shown.task_ids[0], description=f"{stage.name} done, {stage.count:,}")
            shown.console.print(
                f"{stage.name:<12} {stage.seconds:8.2f} s {stage.count:>12,}", style="dim"
            ) if shown.console.is_terminal else None

        found = match_files(
            files,
            chosen,
            column_map=parse_maps(maps),
            parents=parents_of(read_partition(within)) if within else None,
            threads=count,
            listen=(on_stage, faults.append),
        )
    _tell_gaps(found, chosen.name, faults)
    write_clusters(out, found)
    if pairs is not None:
        write_pairs(pairs, found)
    told = {**report_of(found, entity=chosen.name, threads=count), "rows_left_out": len(faults)}
    if report is not None:
        with writing(report):
            report.write_text(written(told) + "\n", encoding="utf-8")
    if as_json:
        print_json(told)
    else:
        print_text(
            f"{counted(told['records'], 'record')}, {counted(told['clusters'], 'cluster')},"
            f" {counted(told['pairs']['match'], 'matching pair')},"
            f" {told['pairs']['possible_match']:,} possible; {told['seconds']} s, {told['peak_memory_mb']:,} MB; {out}"
        )


def _tell_gaps(found: "FileMatch", entity: str, faults: list[Any]) -> None:
    """Say which rows were left out, and what the files do not have."""
    from mdm.cli.output import tell

    for fault in faults[:20]:
        tell(f"{fault.message}; {fault.remedy}")
    if not found.rows.columns:
        tell(f"No column of the file is one of {entity}'s; `mdm schema --entity {entity}` lists them.")
    for path in found.numbered:
        tell(f"{path} has no column that holds an id: its rows are numbered from 1; name one with --map COLUMN=id")
