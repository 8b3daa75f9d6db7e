"""`mdm decide`: say what two source records are to each other."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson, parse_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mdm.hub import Hub
    from mdm.ids import GoldenId
    from mdm.sources.model import SourceKey


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
    *,
    reason: Annotated[str, typer.Option(help="Why, in a few words.")],
    relation: Annotated[
        str | None, typer.Option(help="For related: parent_of, sister_of, acquired_by, phase_of, amendment_of, …")
    ] = None,
    valid_from: Annotated[str | None, typer.Option(help="For related: the first day on which it holds.")] = None,
    valid_to: Annotated[str | None, typer.Option(help="For related: the last day on which it holds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide about two source records; every later run obeys.

    A contradiction is refused with the chain of facts that proves it.
    """
    from dataclasses import replace

    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.decisions.model import Verdict
    from mdm.sources.model import SourceKey
    from mdm.stewardship import service as stewardship

    keys = SourceKey.parse(left), SourceKey.parse(right)
    days = parse_day(valid_from, "--valid-from"), parse_day(valid_to, "--valid-to")
    verdict = Verdict(judgement.value, reason, relation, *days)
    with session() as hub:
        before = golden_ids(hub, keys)
        decision = stewardship.decide(hub, *keys, verdict, who=who())
        changes = changes_since(hub, before)
    if as_json:
        print_json({"id": decision.id, "judgement": judgement.value, "relation": relation, "golden_ids": changes})
        return
    print_text(str(replace(decision, left_key=left, right_key=right)))
    print_changes(changes)


def golden_ids(hub: "Hub", keys: "Sequence[SourceKey]") -> "dict[SourceKey, GoldenId]":
    """Find the golden records that source keys belong to now."""
    from mdm.db.transaction import run
    from mdm.identity.service import translate

    found = run(hub.engine, lambda connection: translate(connection, keys))
    return {key: found[key][0] for key in keys if key in found}


def changes_since(hub: "Hub", before: "Mapping[SourceKey, GoldenId]") -> list[dict[str, str]]:
    """Say which golden record each key belonged to, and belongs to now."""
    after = golden_ids(hub, list(before))
    return [{"key": str(key), "before": was, "after": after[key]} for key, was in before.items() if key in after]


def print_changes(changes: list[dict[str, str]]) -> None:
    """Print what moved, or that nothing did."""
    from mdm.cli.output import print_text

    moved = [change for change in changes if change["before"] != change["after"]]
    for change in moved:
        print_text(f"  {change['key']} moved from {change['before']} to {change['after']}")
    if not moved:
        print_text("  no golden record changed")
