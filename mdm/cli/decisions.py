"""`mdm decisions`: list what stewards decided, and take a decision back."""

from typing import Annotated

import typer

from mdm.cli.decide import changes_since, golden_ids, print_changes
from mdm.cli.options import AsJson, Limit, MaybeEntity

app = typer.Typer()


@app.command("list")
def list_(entity: MaybeEntity = None, limit: Limit = 100, as_json: AsJson = False) -> None:
    """List decisions in the order they were made, revoked ones too."""
    from mdm.cli.output import print_lines, print_table
    from mdm.cli.session import session
    from mdm.stewardship.service import list_decisions

    with session() as hub:
        found = list_decisions(hub, entity_type=entity and hub.entity_type(entity).name, limit=limit)
    if as_json:
        print_lines(found)
        return
    columns = ["id", "left", "right", "decided", "by", "reason", "state"]
    print_table(
        columns,
        (
            (
                *(each.id, each.left_key, each.right_key, each.verdict.relation or each.verdict.judgement),
                *(each.who, each.verdict.reason, "revoked" if each.revoked_at else "active"),
            )
            for each in found
        ),
    )


@app.command("revoke")
def revoke(
    decision: Annotated[str, typer.Argument(help="Id of the decision.", metavar="ID")], as_json: AsJson = False
) -> None:
    """Take a decision back; what only it held together or apart is clustered again."""
    from dataclasses import asdict

    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.ids import DecisionId
    from mdm.sources.model import SourceKey
    from mdm.stewardship import service as stewardship

    with session() as hub:
        found = stewardship.get_decision(hub, DecisionId(decision))
        before = golden_ids(hub, [SourceKey.parse(found.left_key), SourceKey.parse(found.right_key)])
        revoked = stewardship.revoke(hub, found.id, who=who())
        changes = changes_since(hub, before)
    if as_json:
        print_json({**asdict(revoked), "golden_ids": changes})
    elif found.revoked_at:
        print_text(f"{found.id} was revoked already, at {found.revoked_at.isoformat()}; nothing changed")
    else:
        print_text(f"revoked: {revoked}")
        print_changes(changes)
