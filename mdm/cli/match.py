"""`mdm match`: match files, without a server and without a database."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson, Files, Maps, OutFile, parse_bytes, parse_maps
from mdm.cli.words import counted, looks_like

if TYPE_CHECKING:
    from mdm.entities.model import EntityType
    from mdm.jobs.files_asked import FilesAsked


class Backend(StrEnum):
    """Where the work is done."""

    memory = "memory"
    duckdb = "duckdb"
    spark = "spark"


Learn = Annotated[
    bool,
    typer.Option(
        "--learn/--as-declared",
        help="Let tax numbers and the like in the files teach what agreement is worth (too few change nothing), or"
        " weigh as the model declares.",
    ),
]


_ORIGINS = {
    "declared": "weights as declared",
    "too_few_identifiers": "weights as declared, since too few identifiers agree",
    "learnt": "weights learnt from the identifiers",
}


@dataclass(slots=True)
class _Asked:
    """What a run was asked for, and the rows it left out."""

    files: "FilesAsked"
    threads: int
    is_reported: bool
    faults: list[Any] = field(default_factory=list)

    @property
    def entity(self) -> str:
        """Name the entity type."""
        return self.files.entity_type.name


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
    memory_max: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory to stay within, as 4GB: larger files are matched through the disk."),
    ] = None,
    backend: Annotated[
        Backend | None,
        typer.Option(
            help="Where to match: in memory, through DuckDB on the disk, or on Spark. The answer is the same."
        ),
    ] = None,
    master: Annotated[
        str | None, typer.Option(help="Master of Spark, as local[2] or spark://host:7077; left out: spark-submit's.")
    ] = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder that all workers of Spark see, for the files' rows on the way.")
    ] = None,
    learn: Learn = True,
    as_json: AsJson = False,
) -> None:
    """Find out which rows of files mean the same.

    Writes id, source, cluster_id and name, one line a row; needs no server and no database. With --backend spark a FILE
    may be the address of Parquet that the workers read, as s3a://bucket/clients.parquet.
    """
    from mdm.cli.output import as_json as written
    from mdm.cli.output import print_json, print_text, tell
    from mdm.jobs.files_asked import FilesAsked
    from mdm.jobs.match_files import parents_of, read_partition
    from mdm.publishing.files import require_place, writing

    for path in filter(None, (out, report, pairs)):
        require_place(path)
    chosen = _chosen(entity, model)
    able = threads or len(os.sched_getaffinity(0))
    parents = parents_of(read_partition(within)) if within else None
    asked = _Asked(FilesAsked(files, chosen, parse_maps(maps), parents, learn), able, bool(report) or as_json)
    limit = parse_bytes(memory_max, "--memory-max")
    way = backend or _way(asked, limit)
    if way is Backend.spark:
        told = _on_spark(asked, (master, work), out, pairs)
    elif way is Backend.duckdb:
        told = _through_disk(asked, limit or _half_of_memory(), out, pairs)
    else:
        told = _in_memory(asked, out, pairs)
    told["rows_left_out"] = sum(fault.leaves_out for fault in asked.faults)
    if report is not None:
        with writing(report):
            report.write_text(written(told) + "\n", encoding="utf-8")
    if as_json:
        print_json(told)
    else:
        print_text(_summary(told, out))
    if not told["records"] and told["rows_left_out"]:
        tell("No row could be read; the reasons above say why.")
        raise typer.Exit(ExitCode.FOUND)


def _chosen(entity: str | None, model: Path | None) -> "EntityType":
    """Find the entity type that was named, or that a file declares."""
    from mdm.entities.service import entity_type, entity_type_of_file
    from mdm.settings import load_settings

    folders = load_settings().entities
    if model is None and entity is None:
        raise typer.BadParameter("name an entity type, or a --model that declares one", param_hint="--entity")
    chosen = entity_type_of_file(model, folders) if model else entity_type(entity or "", folders)
    if entity not in {None, chosen.name}:
        raise typer.BadParameter(f"{model} declares {chosen.name}, not {entity}", param_hint="--entity")
    return chosen


def _summary(told: dict[str, Any], out: Path) -> str:
    memory = f", {told['peak_memory_mb']:,} MB" if "peak_memory_mb" in told else ""
    return (
        f"{counted(told['records'], 'record')}, {counted(told['clusters'], 'cluster')},"
        f" {counted(told['pairs']['match'], 'matching pair')},"
        f" {told['pairs']['possible_match']:,} possible; {_ORIGINS[told['weights']['origin']]};"
        f" {told['seconds']} s{memory}; {out}"
    )


def _way(asked: _Asked, limit: int | None) -> Backend:
    """Match in memory what fits there."""
    from mdm.jobs.match_spilled import is_larger

    if limit is None or not is_larger(asked.files, limit):
        return Backend.memory
    return Backend.duckdb


def _half_of_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _in_memory(asked: _Asked, out: Path, pairs: Path | None) -> dict[str, Any]:
    from mdm.jobs.match_files import match_files, report_of, write_clusters, write_pairs

    with _listening(asked) as listen:
        found = match_files(asked.files, threads=asked.threads, listen=listen)
    _tell_gaps(asked, found.rows.columns, found.numbered)
    write_clusters(out, found)
    if pairs is not None:
        write_pairs(pairs, found)
    told = report_of(found, entity=asked.entity, threads=asked.threads, with_model=asked.is_reported)
    return told | {"weights": asked.files.weights(found.result.model)}


def _through_disk(asked: _Asked, limit: int, out: Path, pairs: Path | None) -> dict[str, Any]:
    from mdm.jobs.match_spilled import match_spilled, report_of, write_clusters, write_pairs

    with (
        _listening(asked) as listen,
        match_spilled(asked.files, bounds=(limit, asked.threads), listen=listen) as found,
    ):
        _tell_gaps(asked, found.columns, found.numbered)
        write_clusters(out, found)
        if pairs is not None:
            write_pairs(pairs, found)
        told = report_of(found, entity=asked.entity, threads=asked.threads)
        return told | {"weights": asked.files.weights(found.found.result.model)}


def _on_spark(asked: _Asked, place: tuple[str | None, Path | None], out: Path, pairs: Path | None) -> dict[str, Any]:
    try:
        from mdm.jobs.match_spark import match_on_spark, report_of, write_clusters, write_pairs
    except ModuleNotFoundError as missing:
        raise typer.BadParameter(
            f"{missing.name} is not installed; install mdm-hub[spark]", param_hint="--backend"
        ) from missing
    with (
        _listening(asked) as listen,
        match_on_spark(asked.files, place=place, listen=listen) as found,
    ):
        _tell_gaps(asked, None, found.numbered)
        write_clusters(out, found)
        if pairs is not None:
            write_pairs(pairs, found)
        told = report_of(found, entity=asked.entity)
        return told | {"weights": asked.files.weights(found.found.model)}


@contextmanager
def _listening(asked: _Asked) -> Iterator[tuple[Callable[[Any], None], Callable[[Any], None]]]:
    """Show each finished stage, and keep the rows that cannot be read."""
    from mdm.cli.output import progress

    with progress("read") as shown:

        def on_stage(stage: Any) -> None:
            shown.update(shown.task_ids[0], description=f"{stage.name} done, {stage.count:,}")
            shown.console.print(
                f"{stage.name:<12} {stage.seconds:8.2f} s {stage.count:>12,}", style="dim"
            ) if shown.console.is_terminal else None

        yield on_stage, asked.faults.append


def _tell_gaps(asked: _Asked, columns: Mapping[str, Sequence[str]] | None, numbered: tuple[Path, ...]) -> None:
    """Say which rows were left out, and what the files do not have.

    columns  attribute → the columns that fill it; None where the files lie where only others read them
    """
    from mdm.cli.output import tell

    entity = asked.entity
    for fault in sorted(asked.faults, key=lambda fault: fault.leaves_out)[:20]:  # how whole files were read comes first
        tell(f"{fault.message}; {fault.remedy}")
    if columns is not None and (lacking := asked.files.lacking_names(columns)):
        gap = f"No column of the files fills {' or '.join(lacking)}" if columns else "No column of the files is known"
        tell(f"{gap} of a {entity}; {_closest(asked) or f'`mdm schema --entity {entity}` lists what is'}.")
    for path in numbered:
        tell(f"{path} has no column that holds an id: its rows are numbered from 1; name one with --map COLUMN=id")


def _closest(asked: _Asked) -> str:
    """Say which other entity types the columns look like, "" for none."""
    from mdm.entities.columns import closest_types
    from mdm.entities.service import entity_types
    from mdm.jobs.match_files import first_columns
    from mdm.settings import load_settings

    declared = entity_types(load_settings().entities)
    return looks_like(closest_types(declared, first_columns(asked.files), asked.entity), "match")
