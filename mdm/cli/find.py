"""`mdm find`: golden records by what they say."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson, Limit, MaybeEntity


def find(
    text: Annotated[str, typer.Argument(help="Words or parts of words, a source key or a golden id.")],
    entity: MaybeEntity = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Find golden records whose values or keys hold every word."""
    from mdm.cli.output import print_lines, print_list, tell
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.survivorship.service import find_golden

    with session() as hub:
        types = frozenset({hub.entity_type(entity).name}) if entity else None
        found = run(
            hub.engine, lambda connection: find_golden(connection, text, entity_types=types, after="", limit=limit + 1)
        )
        rows = [
            (each.golden_id, each.entity_type, hub.entity_type(each.entity_type).name_of(each.values), each.state)
            for each in found[:limit]
        ]
    if as_json:
        print_lines(found[:limit])
        return
    print_list(["golden id", "entity", "name", "state"], rows, of=f"golden records with {text!r}")
    if len(found) > limit:
        tell(f"the first {limit:,}, there are more; add a word, or --limit")
