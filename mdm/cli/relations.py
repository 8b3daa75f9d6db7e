"""`mdm relations`: what a golden record is to others."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson, parse_day


def relations(
    key: Annotated[str, typer.Argument(help="Source key or golden id.")],
    valid_at: Annotated[
        str | None, typer.Option(help="Only what holds in the world on this day; all when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the relations of a golden record: parent_of, child_of, sister_of and their like.

    `mdm decide related` makes one, `mdm decisions revoke` takes it back.
    """
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.identity.service import named_golden
    from mdm.stewardship.relations import relations_of
    from mdm.survivorship.service import golden_versions

    day = parse_day(valid_at, "--valid-at")
    with session() as hub:
        golden = run(hub.engine, lambda connection: named_golden(connection, key))
        found = run(hub.engine, lambda connection: relations_of(connection, golden.id, valid_at=day))
        shown = run(hub.engine, lambda connection: golden_versions(connection, {one.golden_id for one in found}))
        names = {id_: hub.entity_type(one.entity_type).name_of(one.values) for id_, one in shown.items()}
    if as_json:
        print_lines({"of": golden.id, "relation": one} for one in found)
        return
    rows = []
    for one in found:
        said = one.decision.verdict
        days = f"{said.valid_from or ''} to {said.valid_to or ''}" if said.valid_from or said.valid_to else "always"
        rows.append((one.decision.id, one.relation, names.get(one.golden_id), one.golden_id, days, one.state))
    print_list(["decision", "is", "of", "golden id", "valid", "state"], rows, of="relations")
