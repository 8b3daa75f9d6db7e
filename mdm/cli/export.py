"""`mdm export`: tables for other systems."""

from pathlib import Path
from typing import Annotated

import typer

from mdm.cli.options import AsJson, AsOf, MaybeEntity, parse_instant
from mdm.cli.words import counted

app = typer.Typer()
COLUMNS = ("entity_type", "golden_id", "from_key", "to_key")


@app.command("crosswalk")
def crosswalk(
    source: Annotated[str, typer.Option("--from", help="Source instance whose keys are translated.")],
    to: Annotated[str, typer.Option("--to", help="Source instance whose keys are wanted.")],
    entity: MaybeEntity = None,
    as_of: AsOf = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="CSV, JSONL or XLSX file; left out: CSV on stdout.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the pairs of keys that mean the same in two systems; a key without a partner there is left out."""
    import sys
    from dataclasses import asdict

    from mdm.cli.output import print_json, print_lines, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.identity.service import crosswalk_pairs
    from mdm.publishing.files import require_place, write_csv, write_rows
    from mdm.sources.service import require_instance

    at = parse_instant(as_of)
    if out is not None:
        require_place(out)
    with session() as hub:
        run(hub.engine, lambda connection: [require_instance(connection, name) for name in (source, to)])
        name = entity and hub.entity_type(entity).name
        found = run(hub.engine, lambda connection: crosswalk_pairs(connection, source, to, entity_type=name, as_of=at))
    rows = ({column: str(value) for column, value in asdict(each).items()} for each in found)
    if out is not None:
        count = write_rows(out, COLUMNS, rows)
        print_json({"pairs": count, "out": out}) if as_json else print_text(f"{counted(count, 'pair')}; {out}")
    elif as_json:
        print_lines(rows)
    else:
        write_csv(sys.stdout, COLUMNS, rows)


@app.command("snapshot")
def snapshot(
    to: Annotated[
        str,
        typer.Option("--to", help="A folder, or s3://bucket/prefix?region=…; credentials as its own tools find them."),
    ],
    entity: Annotated[
        list[str] | None, typer.Option("--entity", "-e", help="Only this entity type; repeat it. Left out: all.")
    ] = None,
    file_format: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
    is_whole: Annotated[
        bool, typer.Option("--whole", help="Write everything again, also where a delta would do.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write golden records and crosswalk as files: the first time all, then what changed; manifest.json comes last."""
    from typing import get_args

    from mdm.cli.output import print_lines, print_text
    from mdm.cli.session import session
    from mdm.connectors.snapshot import open_place
    from mdm.publishing.snapshot import write_snapshot
    from mdm.publishing.snapshot_files import FileFormat

    if file_format not in get_args(FileFormat):
        raise typer.BadParameter(f"{file_format!r} is none of {', '.join(get_args(FileFormat))}", param_hint="--format")
    place = open_place(to)
    with session() as hub:
        types = [hub.entity_type(name) for name in entity or sorted(hub.declared)]
        for each in types:
            written = write_snapshot(
                hub.engine,
                each,
                place,
                file_format="csv" if file_format == "csv" else "parquet",
                is_whole=is_whole,
            )
            if as_json:
                print_lines([written])
            elif written.kind == "unchanged":
                print_text(f"{each.name}: nothing changed")
            else:
                rows = " and ".join(counted(one.rows, "row") for one in written.files)
                print_text(f"{each.name}: {written.kind} {written.generation} with {rows} in {place.where}")
