"""`mdm load`: take files of a source system along the path."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson, Entity, Files, Maps, parse_maps

if TYPE_CHECKING:
    from mdm.hub import Hub
    from mdm.jobs.model import LoadReport
    from mdm.sources.model import SourceInstance

REASONS_SHOWN = 10  # chosen: what fits under the summary


def load(  # noqa: PLR0917 -- the signature of a command is its interface
    files: Files,
    source: Annotated[str, typer.Option("--source", "-s", help="Source instance the records come from.")],
    entity: Entity,
    source_object: Annotated[
        str, typer.Option("--object", help="Object of the source, as Account; left out: the vendor's own.")
    ] = "",
    scope: Annotated[str, typer.Option(help="Legal entity or subsidiary that is part of the keys, as usmf.")] = "",
    maps: Maps = None,
    create_source: Annotated[
        str | None, typer.Option(metavar="SYSTEM", help="Register the source as this system when it is new.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge every row, store nothing.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with exit code 4 when a row or record was not taken.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load records from files.

    New ones are stored and matched, repeats change nothing, faulty ones wait as exceptions.
    """
    from mdm.cli.output import progress
    from mdm.cli.session import session, who
    from mdm.errors import FileUnreadable
    from mdm.jobs.load import judge_files, load_files
    from mdm.jobs.model import LoadReport
    from mdm.sources.rows import FileOrigin

    with session() as hub, progress("reading") as shown:
        entity_type = hub.entity_type(entity)
        instance = _instance(hub, source, create_source, dry_run=dry_run)
        origin = FileOrigin(instance, entity_type, source_object, scope, parse_maps(maps))

        report = LoadReport()

        def on_batch(report: "LoadReport") -> None:
            shown.update(shown.task_ids[0], description=f"{report.records_count:,} records")

        try:
            if dry_run:
                judge_files(hub, files, origin, report, on_batch=on_batch)
            else:
                load_files(hub, files, origin, report, who=who(), on_batch=on_batch)
        except FileUnreadable:
            if report.records_count or report.faults_count or report.files_not_read:  # the files before were taken
                _tell_all(report, is_dry=dry_run, as_json=as_json)
            raise
    _tell_all(report, is_dry=dry_run, as_json=as_json)
    if report.is_empty_handed or (strict and (report.faults_count or report.statuses["rejected"])):
        raise typer.Exit(ExitCode.FOUND)


def _tell_all(report: "LoadReport", *, is_dry: bool, as_json: bool) -> None:
    from mdm.cli.output import print_json

    if as_json:
        print_json(_document(report))
    else:
        _print(report, is_dry=is_dry)


def _instance(hub: "Hub", source: str, create_source: str | None, *, dry_run: bool) -> "SourceInstance":
    """Return the registered instance; register it on the way when that is asked for and it is new."""
    from mdm.cli.output import tell
    from mdm.cli.session import who
    from mdm.db.transaction import run
    from mdm.errors import SourceUnknown
    from mdm.jobs.registering import system_warnings
    from mdm.sources.model import SourceInstance, system_name
    from mdm.sources.service import instances, register, require_instance

    known = {one.id: one for one in run(hub.engine, instances)}
    system = None if create_source is None else system_name(create_source)
    if system is not None and (source not in known or known[source].system != system):
        created = SourceInstance(source, system, source)
        if not dry_run or source in known:
            run(hub.engine, lambda connection: register(connection, created, who=who()))
        for warning in system_warnings(hub.declared, system):
            tell(f"{warning.message}; {warning.remedy}")
        return created
    if source not in known:
        raise SourceUnknown(
            source,
            remedy=f"register it with `mdm sources add {source}`, or load with --create-source SYSTEM;"
            f" known are {', '.join(known) or 'none yet'}",
        )
    return run(hub.engine, lambda connection: require_instance(connection, source))


def _document(report: "LoadReport") -> dict[str, Any]:
    return {
        "records": report.records_count,
        "statuses": dict(report.statuses),
        "outcomes": dict(report.outcomes),
        "in_review": report.in_review,
        "example_key": report.example_key,
        "columns": {"used": report.columns_used, "not_used": list(report.columns_unused)},
        "reasons": [_reason(report, kind, n) for kind, n in report.reasons.most_common()],
        "faults_count": report.faults_count,
        "faults": report.faults,
        "notes": report.notes,
        "repeats_count": report.repeats_count,
        "repeats": report.repeats,
        "reviews_opened": report.reviews_opened,
        "files_not_read": list(report.files_not_read),
        "closest_types": list(report.closest_types),
    }


def _reason(report: "LoadReport", kind: tuple[str, str], count: int) -> dict[str, Any]:
    """Tell a reason, and what helps where it rejects, in the words of the first record that met it."""
    told: dict[str, Any] = {"field": kind[0], "code": kind[1], "count": count}
    if kind in report.rejections:
        told |= {"message": report.rejections[kind].message, "remedy": report.rejections[kind].remedy}
    return told


def _tell_rows(report: "LoadReport") -> None:
    """Name the rows and the files that were left out."""
    from mdm.cli.output import tell

    for found in (*report.notes, *report.faults):
        tell(f"{found.message}; {found.remedy}")
    if report.faults_count > len(report.faults):
        tell(f"… and {report.faults_count - len(report.faults):,} more rows that cannot be read")
    for found in report.repeats:
        tell(f"{found.message}; {found.remedy}")
    if report.repeats_count > len(report.repeats):
        tell(f"… and {report.repeats_count - len(report.repeats):,} more rows whose id came before")
    if report.files_not_read:
        tell(f"not read, as they come after the file that cannot be read: {', '.join(report.files_not_read)}")


def _print(report: "LoadReport", *, is_dry: bool) -> None:
    from mdm.cli.output import print_facts, print_table, print_text, tell
    from mdm.cli.words import looks_like

    _tell_rows(report)
    counts = [("records", report.records_count), *sorted(report.statuses.items())]
    if not is_dry:
        counts += [
            (f"golden record {outcome}", n) for outcome, n in sorted(report.outcomes.items()) if outcome != "none"
        ]
        counts.append(("reviews opened", report.reviews_opened))
    counts.append(("rows not readable", report.faults_count))
    print_table(["what", "count"], [(name, f"{n:,}") for name, n in counts if n or name == "records"])
    used = [f"{column} → {name}" for column, name in report.columns_used.items()]
    print_text("")
    print_facts(
        {
            "columns": ", ".join(used) or None,
            "not used": ", ".join(column for column in report.columns_unused if column not in report.columns_used)
            or None,
            "a key": report.example_key and f"{report.example_key}  (mdm show {report.example_key})",
        }
    )
    if not report.files_not_read and not report.records_count and not report.faults_count:
        tell("The files have no rows.")
    if report.reasons:
        print_text("")
        shown = report.reasons.most_common(REASONS_SHOWN)
        print_table(["field", "reason", "records"], [(name, code, f"{n:,}") for (name, code), n in shown])
        for rejection in [report.rejections[kind] for kind, _ in shown if kind in report.rejections]:
            tell(f"{rejection.field}: {rejection.message}; {rejection.remedy}")
        print_text("\n`mdm exceptions list` shows each of them." if not is_dry else "\nNothing was stored.")
    elif is_dry:
        print_text("\nNothing was stored.")
    if report.reviews_opened:
        print_text("\n`mdm review list` shows the questions for a steward.")
    if report.is_empty_handed:
        closest = looks_like(report.closest_types, "load")
        tell(f"No row was taken; {closest or 'the reasons above say why'}.")
