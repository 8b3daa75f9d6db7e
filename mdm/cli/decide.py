"""`mdm decide`: say what two source records are to each other."""

from enum import StrEnum
from typing import Annotated

import typer

from mdm.cli.options import AsJson


class Judgement(StrEnum):
    """What a steward may say of two records."""

    SAME = "same"
    DIFFERENT = "different"
    RELATED = "related"
    UNSURE = "unsure"


def decide(
    judgement: Annotated[Judgement, typer.Argument(help="What the two records are.")],
    left: Annotated[str, typer.Argument(help="Source key of the one record.")],
    right: Annotated[str, typer.Argument(help="Source key of the other.")],
    reason: Annotated[str, typer.Option(help="Why, in a few words.")],
    relation: Annotated[
        str | None, typer.Option(help="For related: parent_of, sister_of, acquired_by, phase_of, amendment_of, …")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide about two source records; every later run obeys.

    A contradiction is refused with the chain of facts that proves it.
    """
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.decisions.model import Verdict
    from mdm.identity.service import translate
    from mdm.sources.model import SourceKey
    from mdm.stewardship import service as stewardship

    keys = SourceKey.parse(left), SourceKey.parse(right)
    verdict = Verdict(judgement.value, reason, relation)
    with session() as hub:
        before = run(hub.engine, lambda connection: translate(connection, keys))
        decision = stewardship.decide(hub, *keys, verdict, who=who())
        after = run(hub.engine, lambda connection: translate(connection, keys))
    golden_ids = {str(key): (before[key][0], after[key][0]) for key in keys if key in before and key in after}
    if as_json:
        changes = [{"key": key, "before": was, "after": now} for key, (was, now) in golden_ids.items()]
        print_json({"id": decision.id, "judgement": judgement.value, "relation": relation, "golden_ids": changes})
        return
    print_text(f"{left} and {right} are {relation or judgement.value} ({decision.id})")
    moved = {key: ids for key, ids in golden_ids.items() if ids[0] != ids[1]}
    for key, (was, now) in moved.items():
        print_text(f"  {key} moved from {was} to {now}")
    if not moved:
        print_text("  no golden record changed")
