"""`mdm review`: the questions that wait for a steward."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson, Limit, MaybeEntity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matching.explain import Explanation, Step
    from mdm.decisions.model import Review
    from mdm.entities.model import EntityType

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
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.ids import GoldenId
    from mdm.stewardship.service import count_reviews, list_reviews
    from mdm.survivorship.service import golden_versions

    if state not in {"open", "closed"}:
        raise typer.BadParameter("choose open or closed", param_hint="--state")
    with session() as hub:
        entity_type = entity and hub.entity_type(entity).name
        found = list_reviews(hub, entity_type=entity_type, state=state, limit=limit)
        total = count_reviews(hub, entity_type=entity_type, state=state)
        ids = {GoldenId(id_) for each in found for id_ in (each.left_golden_id, each.right_golden_id) if id_}
        shown = run(hub.engine, lambda connection: golden_versions(connection, ids))
        names = {id_: hub.entity_type(one.entity_type).name_of(one.values) for id_, one in shown.items()}
    if as_json:
        print_lines(found)
        return

    def side(golden_id: str | None, key: str) -> str:
        return names.get(GoldenId(golden_id or "")) or key

    rows = [
        (
            *(each.id, f"{each.bits:.1f}", side(each.left_golden_id, each.left_key)),
            *(side(each.right_golden_id, each.right_key), each.kind, each.left_key, each.right_key),
        )
        for each in found
    ]
    columns = ["id", "bits", "left", "right", "kind", "left key", "right key"]
    print_list(columns, rows, of="reviews" if state == "open" else "closed reviews", total=total)


@app.command("show")
def show(
    review: Annotated[str, typer.Argument(help="Id of the review.", metavar="ID")], as_json: AsJson = False
) -> None:
    """Show one review: the question, and what the hub holds on both sides."""
    from mdm.cli.output import print_facts, print_json, print_table, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.ids import GoldenId, ReviewId
    from mdm.stewardship.service import explain_review, get_review
    from mdm.survivorship.service import golden_version

    with session() as hub:
        found = get_review(hub, ReviewId(review))
        golden_ids = [GoldenId(id_) if id_ else None for id_ in (found.left_golden_id, found.right_golden_id)]
        sides = run(hub.engine, lambda connection: [id_ and golden_version(connection, id_) for id_ in golden_ids])
        explained = explain_review(hub, found)
        entity_type = hub.entity_type(found.entity_type)
    left, right = ((side.values if side else {}) for side in sides)
    why = _why(found, explained, entity_type)
    if as_json:
        print_json({"review": found, "why": why, "left": left, "right": right, "explanation": explained})
        return
    named = {"left": entity_type.name_of(left), "right": entity_type.name_of(right)}
    print_facts(_facts(found, why, named))
    names = dict.fromkeys([*left, *right])
    print_text("")
    print_table(
        ["attribute", "left", "right"], ((name, _shown(left.get(name)), _shown(right.get(name))) for name in names)
    )
    if explained is not None:
        print_text(f"\nThe two records, from {explained.prior_bits:+.1f} bits before anything is compared:\n")
        print_table(["comparison", "level", "bits", "left", "right"], map(_step, explained.steps))
    print_text(f"\nAnswer: mdm decide same|different|related|unsure {found.left_key} {found.right_key} --reason …")


def _why(review: "Review", explained: "Explanation | None", entity_type: "EntityType") -> str:
    """Say what keeps the hub from deciding this by itself, by the records as they are now."""
    model = entity_type.model
    if review.kind == "unsure":
        return "a steward was unsure; nothing joins these two until somebody decides"
    if review.kind == "split":
        return "it is established, so its members stay together although they no longer match as one"
    if review.kind == "join":
        return "both are established, so neither is joined to the other without a steward"
    if explained is None:
        return "one of the two records is gone since"
    if explained.is_conflict:
        return f"their own identifiers contradict each other, a veto ({', '.join(veto.name for veto in model.vetoes)})"
    lines = f"review from {model.review_bits:g} bits, match from {model.match_bits:g}"
    if explained.verdict == "match":
        return "the two match, but joining them would bring together records that conflict, or pass a guard"
    if explained.bits < model.match_bits:
        return f"{explained.bits:.1f} bits are not enough for a match ({lines})"
    bounds = {rule.name for rule in model.rules if rule.bound == "at_most"}
    rules = ", ".join(name for name in explained.rules if name in bounds)
    return f"{explained.bits:.1f} bits would do ({lines}), but a rule holds them back: {rules}"


def _step(step: "Step") -> tuple[str, str, str, str, str]:
    bits = step.bits + step.frequency_bits
    return step.comparison, step.level, f"{bits:+.1f}", ", ".join(step.left), ", ".join(step.right)


def _facts(found: "Review", why: str, named: "Mapping[str, str]") -> dict[str, object]:
    return {
        "review": found.id,
        "question": f"{found.kind}: {QUESTIONS[found.kind]}",
        "why": why,
        "left": f"{named['left']}  {found.left_key}  {found.left_golden_id or ''}",
        "right": f"{named['right']}  {found.right_key}  {found.right_golden_id or ''}",
        "bits": f"{found.bits:.1f}",
        "state": found.state if not found.closed_because else f"{found.state}, {found.closed_because}",
    }


def _shown(value: object) -> str:
    from mdm.cli.output import as_json

    return value if isinstance(value, str) else "" if value is None else as_json(value)
