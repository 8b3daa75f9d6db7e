"""Parameters that several commands share, so that they read the same everywhere."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

IN_JSON: Final = "mdm.in_json"  # key of the context's notes


def _note_json(context: typer.Context, value: bool) -> bool:
    """Remember that a program asks, so that an error is told in JSON too."""
    context.meta[IN_JSON] = value
    return value


AsJson = Annotated[bool, typer.Option("--json", callback=_note_json, help="Print JSON for programs.")]
Entity = Annotated[
    str, typer.Option("--entity", "-e", help="Entity type: customer, project, contract, resource or one of your own.")
]
MaybeEntity = Annotated[str | None, typer.Option("--entity", "-e", help="Only this entity type.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Answer as of this instant; a bare date is the end of that day UTC."),
]
ValidAt = Annotated[
    str | None,
    typer.Option(
        "--valid-at", help="Of what existed at this instant by the times of its sources; a bare date is its end, UTC."
    ),
]
Files = Annotated[
    list[str], typer.Argument(help="CSV (also .gz), Parquet, JSONL or XLSX files, or patterns.", metavar="FILE...")
]
Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        "-m",
        metavar="COLUMN=ATTRIBUTE",
        help="Map a column by hand, also to id, source, object, scope, source_time, deleted or merged_into;"
        " nothing after = lets it fill no attribute.",
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Entries to print at most.")]
OutFile = Annotated[Path, typer.Option("--out", "-o", help="File to write.")]


def parse_maps(maps: list[str] | None) -> dict[str, str]:
    """Read COLUMN=ATTRIBUTE pairs; a column may itself hold =."""
    pairs = [each.rpartition("=") for each in maps or ()]
    for column, _, _ in pairs:
        if not column:
            raise typer.BadParameter("write COLUMN=ATTRIBUTE, as in --map 'Kunden-Nr=id'", param_hint="--map")
    return {column.strip(): attribute.strip() for column, _, attribute in pairs}


def parse_value(text: str, option: str) -> Any:
    """Read a value by hand; one that begins with [ or { is JSON."""
    import json

    if not text.startswith(("[", "{")):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"this begins like JSON and is none: {error}", param_hint=option) from None


def parse_values(values: list[str] | None) -> dict[str, Any]:
    """Read ATTRIBUTE=VALUE pairs; None where nothing stands after the =, which empties the attribute."""
    found = {}
    for each in values or ():
        attribute, sign, text = each.partition("=")
        if not attribute.strip() or not sign:
            raise typer.BadParameter(f"{each!r} is not ATTRIBUTE=VALUE", param_hint="--value")
        found[attribute.strip()] = parse_value(text, "--value") if text else None
    return found


def parse_bytes(text: str | None, option: str) -> int | None:
    """Read an amount of memory, as 4GB or 500MB; a bare number is bytes."""
    if text is None:
        return None
    number = text.strip().upper().removesuffix("B").removesuffix("I")
    shift = {"K": 10, "M": 20, "G": 30, "T": 40}.get(number[-1:], 0)
    try:
        size = float(number[:-1] if shift else number) * (1 << shift)
    except ValueError:
        size = 0.0
    if not size >= 1:
        raise typer.BadParameter(f"{text!r} is no amount of memory; write 4GB or 500MB", param_hint=option)
    return int(size)


def parse_instant(text: str | None, option: str = "--as-of") -> datetime | None:
    """Read the instant of an option, as the one in the past that a question is about."""
    from mdm.clock import parse_as_of

    if text is None:
        return None
    try:
        return parse_as_of(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date or instant; write 2026-06-30 or 2026-06-30T12:00:00Z", param_hint=option
        ) from None


def parse_day(text: str | None, option: str) -> date | None:
    """Read a day of the world."""
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write 2026-06-30", param_hint=option) from None
