"""`mdm export`: tables for other systems."""

from pathlib import Path
from typing import Annotated

import typer

from mdm.cli.options import AsJson, AsOf, MaybeEntity, parse_instant
from mdm.cli.words import counted

app = typer.Typer(help="Export tables for other systems.", no_args_is_help=True)
COLUMNS = ("entity_type", "golden_id", "from_key", "to_key")


@app.callback()
def export() -> None:
    """Export tables for other systems."""


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
