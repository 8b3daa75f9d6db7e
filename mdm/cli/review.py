"""`mdm review`: the questions that wait for a steward."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson, Limit, MaybeEntity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matching.explain import Explanation, Step
    from mdm.decisions.review_model import Review, Weight
    from mdm.entities.model import EntityType, ReviewKind
    from mdm.hub import Hub

app = typer.Typer()

QUESTIONS = {
    "possible_match": "are these two the same?",
    "join": "two established golden records match: are they one?",
    "several_hits": "one record matches two established golden records: are they one?",
    "split": "one established golden record no longer holds together: is it one?",
    "unsure": "somebody was unsure: are these two the same?",
    "contradiction": "a source merged what a steward parted: are these two the same?",
    "weak_bridge": "one weak match holds two groups of records together: are they one?",
    "decay": "what linked this record grew weak: does it still belong?",
    "large_cluster": "this golden record has many members: is it one?",
    "duplicates_in_source": "a source that holds each thing once has it twice: are these two the same?",
    "flip_flop": "two systems keep replacing each other's value: which one holds?",
}

_WHY = {
    "unsure": "a steward was unsure; nothing joins these two until somebody decides",
    "split": "it is established, so its members stay together although they no longer match as one",
    "join": "both are established, so neither is joined to the other without a steward",
    "several_hits": "it went to the one it matches best; whether both are one, a steward decides",
    "contradiction": "a steward's decision outweighs what a source did to its own records",
    "weak_bridge": "matching is content, but this one match alone holds the two groups together",
    "decay": "a newer version of a record agrees less with those it was joined with",
    "large_cluster": "matching is content, but so many members are rare",
    "duplicates_in_source": "matching is content, but the source declared that it holds each thing once",
    "flip_flop": "no target is told of the value meanwhile; choose it for the golden record, or part the two",
}

Id = Annotated[str, typer.Argument(help="Id of the review.", metavar="ID")]
Kind = Annotated[str | None, typer.Option("--kind", help=f"Only this kind: {', '.join(QUESTIONS)}.")]
Source = Annotated[str | None, typer.Option("--source", "-s", help="Only with a record of this source instance.")]
BitsMin = Annotated[float | None, typer.Option(help="Only with at least so many bits.")]
BitsMax = Annotated[float | None, typer.Option(help="Only with at most so many bits.")]
StakeMin = Annotated[float | None, typer.Option(help="Only with at least so much at stake.")]
StakeMax = Annotated[float | None, typer.Option(help="Only with at most so much at stake.")]
Assignee = Annotated[str | None, typer.Option(help="Only assigned to this person or group:NAME.")]


def checked_kind(kind: str | None) -> "tuple[ReviewKind, ...]":
    """Read the kind of a filter; none means all."""
    from mdm.decisions.review_model import REVIEW_KINDS

    found = tuple(each for each in REVIEW_KINDS if each == kind)
    if kind is not None and not found:
        raise typer.BadParameter(f"choose one of {', '.join(QUESTIONS)}", param_hint="--kind")
    return found


@app.command("list")
def list_(
    *,
    entity: MaybeEntity = None,
    kind: Kind = None,
    state: Annotated[str, typer.Option(help="open or closed.")] = "open",
    source: Source = None,
    assignee: Assignee = None,
    claimed_by: Annotated[str | None, typer.Option(help="Only claimed by this steward.")] = None,
    due: Annotated[bool, typer.Option("--due", help="Only those whose time is up.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only with an answer that waits for a second.")] = False,
    bits_min: BitsMin = None,
    bits_max: BitsMax = None,
    stake_min: StakeMin = None,
    stake_max: StakeMax = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List reviews, what is most at stake first."""
    from mdm import clock
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.decisions.review_model import ReviewFilter
    from mdm.stewardship.reviews import count_reviews, list_reviews

    if state not in {"open", "closed"}:
        raise typer.BadParameter("choose open or closed", param_hint="--state")
    with session() as hub:
        asked = ReviewFilter(
            entity_types=(hub.entity_type(entity).name,) if entity else (),
            kinds=checked_kind(kind),
            state="open" if state == "open" else "closed",
            assignee=assignee,
            claimed_by=claimed_by,
            source=source,
            due_before=clock.now() if due else None,
            bits=(bits_min, bits_max),
            stake=(stake_min, stake_max),
            is_waiting=True if waiting else None,
        )
        found = list_reviews(hub, asked, limit=limit)
        total = count_reviews(hub, asked)
        names = _names(hub, found)
    if as_json:
        print_lines(found)
        return
    rows = [
        (
            *(each.id, f"{each.stake:.1f}", f"{each.bits:.1f}"),
            *(names.get(each.left_golden_id or "") or each.left_key, names.get(each.right_golden_id or "")),
            *(each.kind, each.due_at.date().isoformat() if each.due_at else "", each.claimed_by or each.assignee or ""),
            *(each.left_key, each.right_key),
        )
        for each in found
    ]
    columns = ["id", "stake", "bits", "left", "right", "kind", "due", "with", "left key", "right key"]
    print_list(columns, rows, of="reviews" if state == "open" else "closed reviews", total=total)


def _names(hub: "Hub", found: "Sequence[Review]") -> dict[str, str]:
    """Find what people call the golden records of these reviews."""
    from mdm.db.transaction import run
    from mdm.ids import GoldenId
    from mdm.survivorship.service import golden_versions

    ids = {GoldenId(id_) for each in found for id_ in (each.left_golden_id, each.right_golden_id) if id_}
    shown = run(hub.engine, lambda connection: golden_versions(connection, ids))
    return {id_: hub.entity_type(one.entity_type).name_of(one.values) for id_, one in shown.items()}


@app.command("counts")
def counts(entity: MaybeEntity = None, as_json: AsJson = False) -> None:
    """Count open reviews by kind and age, and tell your own pace."""
    from mdm.cli.output import print_json, print_table, print_text
    from mdm.cli.session import session, who
    from mdm.decisions.review_model import ReviewFilter
    from mdm.stewardship.reviews import count_by_kind, pace

    with session() as hub:
        asked = ReviewFilter(entity_types=(hub.entity_type(entity).name,) if entity else ())
        found, mine = count_by_kind(hub, asked), pace(hub, who=who())
    if as_json:
        print_json({"counts": found, "pace": mine})
        return
    columns = ["entity", "kind", "age", "reviews", "overdue", "claimed", "waiting"]
    print_table(
        columns,
        (
            (each.entity_type, each.kind, each.age, each.count, each.overdue, each.claimed, each.waiting)
            for each in found
        ),
    )
    median = f", {mine.seconds_median:.0f} s from claim to answer" if mine.seconds_median is not None else ""
    print_text(f"You answered {mine.answers} in 30 days{median}.")


@app.command("show")
def show(review: Id, as_json: AsJson = False) -> None:
    """Show one review: the question, and what the hub holds on both sides."""
    from mdm.cli.output import print_facts, print_json, print_table, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.ids import GoldenId, ReviewId
    from mdm.stewardship.reviews import explain_review, get_review, weigh_review, what_was_said
    from mdm.stewardship.risk_guard import risk_words, risks_of_review
    from mdm.survivorship.service import golden_version

    with session() as hub:
        found = get_review(hub, ReviewId(review))
        golden_ids = [GoldenId(id_) if id_ else None for id_ in (found.left_golden_id, found.right_golden_id)]
        sides = run(hub.engine, lambda connection: [id_ and golden_version(connection, id_) for id_ in golden_ids])
        explained = explain_review(hub, found)
        weight, risks = weigh_review(hub, found), risks_of_review(hub, found)
        comments, answers = what_was_said(hub, found.id)
        entity_type = hub.entity_type(found.entity_type)
    left, right = ((side.values if side else {}) for side in sides)
    why = _why(found, explained, entity_type)
    if as_json:
        told = {"review": found, "expected": found.versions, "weight": weight, "why": why, "left": left, "right": right}
        marked = [{"mark": one.mark, "risk": one} for one in risks]
        print_json({**told, "risks": marked, "explanation": explained, "comments": comments, "answers": answers})
        return
    named = {"left": entity_type.name_of(left), "right": entity_type.name_of(right)}
    print_facts({**_facts(found, why, named), "at stake": _at_stake(found, weight)})
    names = dict.fromkeys([*left, *right])
    print_text("")
    print_table(
        ["attribute", "left", "right"], ((name, _shown(left.get(name)), _shown(right.get(name))) for name in names)
    )
    if explained is not None:
        print_text(f"\nThe two records, from {explained.prior_bits:+.1f} bits before anything is compared:\n")
        print_table(["comparison", "level", "bits", "left", "right"], map(_step, explained.steps))
    for each in comments:
        print_text(f"\n{each.who}, {each.recorded_at:%Y-%m-%d %H:%M}: {each.comment}")
    for one in answers:
        print_text(f"\n{one.who} answered {one.verdict.relation or one.verdict.judgement}: {one.state}")
    for risk in risks:
        print_text(
            f"\nA merge has a risk: {', '.join(risk_words([risk]))}. Seen, it is taken with --risk-seen {risk.mark}"
        )
    expected = " ".join(f"--expect {golden_id}={version}" for golden_id, version in found.versions.items())
    print_text(f"\nAnswer: mdm review decide {found.id} same|different|related|unsure --reason … {expected}")


@app.command("claim")
def claim(review: Id, as_json: AsJson = False) -> None:
    """Keep a review from other stewards for a while; claiming your own again prolongs it."""
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.ids import ReviewId
    from mdm.stewardship import reviews

    with session() as hub:
        minutes = hub.settings.review_claim_minutes
        found = run(
            hub.engine, lambda connection: reviews.claim(connection, ReviewId(review), minutes=minutes, who=who())
        )
    _tell(found, f"{review} is yours for {minutes} minutes", as_json=as_json)


@app.command("release")
def release(review: Id, as_json: AsJson = False) -> None:
    """Give a claimed review back to the queue."""
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.ids import ReviewId
    from mdm.stewardship import reviews

    with session() as hub:
        found = run(hub.engine, lambda connection: reviews.release(connection, ReviewId(review), who=who()))
    _tell(found, f"{review} is free", as_json=as_json)


@app.command("assign")
def assign(
    review: Id,
    to: Annotated[str | None, typer.Option(help="A person, or group:NAME; left out: nobody.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a review the work of a person or a group."""
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.ids import ReviewId
    from mdm.stewardship import reviews

    with session() as hub:
        found = run(hub.engine, lambda connection: reviews.assign(connection, ReviewId(review), to))
    _tell(found, f"{review} is assigned to {to or 'nobody'}", as_json=as_json)


@app.command("comment")
def comment(
    review: Id, words: Annotated[str, typer.Argument(help="What you have to say.")], as_json: AsJson = False
) -> None:
    """Say something about a review; it stays as it is."""
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.ids import ReviewId
    from mdm.stewardship import reviews

    with session() as hub:
        said = run(hub.engine, lambda connection: reviews.comment(connection, ReviewId(review), words, who=who()))
    _tell(said, f"noted on {review}", as_json=as_json)


def _tell(document: object, sentence: str, *, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_text

    if as_json:
        print_json(document)
    else:
        print_text(sentence)


def _at_stake(found: "Review", weight: "Weight") -> str:
    return (
        f"{found.stake:.1f}: {weight.members} records in {weight.systems} systems, {weight.published} published keys,"
        f" {weight.children} records that point here"
    )


def _why(review: "Review", explained: "Explanation | None", entity_type: "EntityType") -> str:
    """Say what keeps the hub from deciding this by itself, by the records as they are now."""
    model = entity_type.model
    if review.kind in _WHY:
        return _WHY[review.kind]
    if explained is None:
        return "one of the two records is gone since"
    if explained.is_conflict:
        names = ", ".join(veto.name for veto in model.vetoes if veto.reach == "pair")
        return f"their own identifiers contradict each other, a veto ({names})"
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
        "due": found.due_at and found.due_at.isoformat(timespec="minutes"),
        "assigned to": found.assignee,
        "claimed by": found.claimed_by,
    }


def _shown(value: object) -> str:
    from mdm.cli.output import as_json

    return value if isinstance(value, str) else "" if value is None else as_json(value)
