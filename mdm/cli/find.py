"""`mdm find`: golden records by whatever is known of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson, Limit, MaybeEntity

if TYPE_CHECKING:
    from mdm.stewardship.found import Why


def find(
    text: Annotated[
        str,
        typer.Argument(help="A name, also misspelled; a source key, golden id, tax id or phone, or how it begins."),
    ],
    entity: MaybeEntity = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Find golden records by a name, a key, a number or an id in any spelling, and say why each was found."""
    from mdm.access.limits import Limits
    from mdm.cli.output import print_lines, print_list, tell
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.stewardship.find import find as search
    from mdm.survivorship.service import golden_versions

    with session() as hub:
        chosen = hub.entity_type(entity).name if entity else None
        found = search(hub, text, limits=Limits.none(hub.declared), entity_type=chosen, limit=limit)
        versions = run(
            hub.engine, lambda connection: golden_versions(connection, {hit.golden_id for hit in found.hits})
        )
    if as_json:
        print_lines({**_told(versions[hit.golden_id]), "found": hit} for hit in found.hits)
        return
    rows = [
        (hit.golden_id, hit.entity_type, hit.name, hit.state, _why(hit.reasons[0], hit.forwarded_from))
        for hit in found.hits
    ]
    print_list(["golden id", "entity", "name", "state", "found by"], rows, of=f"golden records with {text!r}")
    if not found.is_complete:
        tell(f"the first {len(rows):,}, there are more; add a word, or --limit")


def _told(version: object) -> dict[str, object]:
    """Give what is told of a version, by name."""
    from dataclasses import fields

    return {one.name: getattr(version, one.name) for one in fields(version)}  # type: ignore[arg-type]


def _why(why: "Why", forwarded_from: str | None) -> str:
    if forwarded_from is not None:
        return f"{forwarded_from}, which was merged into it"
    systems = ", ".join(sorted({key.partition("/")[0] for key in why.source_keys}))
    gone = ", which was deleted there" if why.is_gone else ""
    if why.by in {"golden_id", "source_key"} or not why.attribute:
        return f"{why.shown}{gone}"
    return f"{why.attribute} {why.shown}{f' ({systems})' if systems else ''}"
