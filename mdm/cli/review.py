"""`mdm review`: the questions that wait for a steward."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson, Limit, MaybeEntity

if TYPE_CHECKING:
    from mdm.decisions.model import Review

app = typer.Typer(help="Questions that wait for a steward.", no_args_is_help=True)

QUESTIONS = {
    "possible_match": "are these two the same?",
    "join": "two established golden records match: are they one?",
    "split": "one established golden record no longer holds together: is it one?",
    "unsure": "somebody was unsure: are these two the same?",
}


@app.command("list")
def list_(
    entity: MaybeEntity = None,
    state: Annotated[str, typer.Option(help="open or closed.")] = "open",
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List reviews, the likeliest match first."""
    from mdm.cli.output import print_lines, print_table
    from mdm.cli.session import session
    from mdm.stewardship.service import list_reviews

    if state not in {"open", "closed"}:
        raise typer.BadParameter("choose open or closed", param_hint="--state")
    with session() as hub:
        found = list_reviews(hub, entity_type=entity and hub.entity_type(entity).name, state=state, limit=limit)
    if as_json:
        print_lines(found)
        return
    columns = ["id", "kind", "left", "right", "bits"]
    print_table(columns, ((each.id, each.kind, each.left_key, each.right_key, f"{each.bits:.1f}") for each in found))


@app.command("show")
def show(
    review: Annotated[str, typer.Argument(help="Id of the review.", metavar="ID")], as_json: AsJson = False
) -> None:
    """Show one review: the question, and what the hub holds on both sides."""
    from mdm.cli.output import print_facts, print_json, print_table, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.ids import GoldenId, ReviewId
    from mdm.stewardship.service import get_review
    from mdm.survivorship.service import golden_version

    with session() as hub:
        found = get_review(hub, ReviewId(review))
        golden_ids = [GoldenId(id_) if id_ else None for id_ in (found.left_golden_id, found.right_golden_id)]
        sides = run(hub.engine, lambda connection: [id_ and golden_version(connection, id_) for id_ in golden_ids])
    left, right = ((side.values if side else {}) for side in sides)
    if as_json:
        print_json({"review": found, "left": left, "right": right})
        return
    print_facts(_facts(found))
    names = dict.fromkeys([*left, *right])
    print_text("")
    print_table(
        ["attribute", "left", "right"], ((name, _shown(left.get(name)), _shown(right.get(name))) for name in names)
    )
    print_text(f"\nAnswer: mdm decide same|different|related|unsure {found.left_key} {found.right_key} --reason …")


def _facts(found: "Review") -> dict[str, object]:
    return {
        "review": found.id,
        "question": f"{found.kind}: {QUESTIONS[found.kind]}",
        "left": f"{found.left_key}  {found.left_golden_id or ''}",
        "right": f"{found.right_key}  {found.right_golden_id or ''}",
        "bits": f"{found.bits:.1f}",
        "state": found.state if not found.closed_because else f"{found.state}, {found.closed_because}",
    }


def _shown(value: object) -> str:
    from mdm.cli.output import as_json

    return value if isinstance(value, str) else "" if value is None else as_json(value)
