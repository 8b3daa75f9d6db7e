"""`mdm review decide, undo, approve, reject, bulk`: answers to the questions that wait for a steward."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.decide import Judgement
from mdm.cli.options import AsJson
from mdm.cli.review import (
    Assignee,
    BitsMax,
    BitsMin,
    Id,
    Kind,
    Source,
    StakeMax,
    StakeMin,
    checked_kind,
)
from mdm.cli.review import app as reviews_app

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from mdm.decisions.model import Verdict
    from mdm.stewardship.answers import Given
    from mdm.stewardship.bands import BulkGiven, Chosen
    from mdm.stewardship.tally import Tally

app = reviews_app  # one group of commands in two files

Reason = Annotated[str, typer.Option(help="Why, in a few words.")]
Relation = Annotated[
    str | None, typer.Option(help="For related: parent_of, sister_of, acquired_by, phase_of, amendment_of, …")
]
From = Annotated[str | None, typer.Option("--valid-from", help="For related: since this day.")]
To = Annotated[str | None, typer.Option("--valid-to", help="For related: until this day.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would happen, and do nothing.")]


@app.command("decide")
def decide(
    review: Id,
    judgement: Annotated[Judgement, typer.Argument(help="What the two are.")],
    *,
    reason: Reason,
    relation: Relation = None,
    valid_from: From = None,
    valid_to: To = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(metavar="GOLDEN=VERSION", help="As `mdm review show` told; refused when that moved on."),
    ] = None,
    risk_seen: Annotated[
        list[str] | None,
        typer.Option(metavar="MARK", help="A risk of a merge that you have seen, as `mdm review show` told it."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Answer a review; what follows is carried out at once, or waits for a second person."""
    from mdm.cli.session import session, who
    from mdm.decisions.model import Verdict
    from mdm.ids import ReviewId
    from mdm.stewardship import answers
    from mdm.stewardship.dealing import Deal, answer_card

    verdict = Verdict(judgement.value, reason, relation, _day(valid_from), _day(valid_to))
    with session() as hub:
        deal = Deal(verdict, _expected(expect), seen=frozenset(risk_seen or ()))
        if dry_run:
            given = answers.rehearse_answer(
                hub, ReviewId(review), verdict, expected=deal.expected, seen=deal.seen, who=who()
            )
        else:
            given = answer_card(hub, ReviewId(review), deal, who=who())
    _tell(given, dry_run=dry_run, as_json=as_json)


@app.command("undo")
def undo(
    review: Annotated[str | None, typer.Argument(help="Id of the review; left out: your last.", metavar="[ID]")] = None,
    as_json: AsJson = False,
) -> None:
    """Take your last answer back, or that to a certain review, and open the review again."""
    from mdm.cli.session import session, who
    from mdm.ids import ReviewId
    from mdm.stewardship import answers

    with session() as hub:
        given = answers.undo(hub, review_id=ReviewId(review) if review else None, who=who())
    _tell(given, as_json=as_json)


@app.command("approve")
def approve(review: Id, as_json: AsJson = False) -> None:
    """Carry out the answer of somebody else that waits for a second person."""
    from mdm.cli.session import session, who
    from mdm.ids import ReviewId
    from mdm.stewardship import answers

    with session() as hub:
        given = answers.approve(hub, ReviewId(review), who=who())
    _tell(given, as_json=as_json)


@app.command("reject")
def reject(review: Id, as_json: AsJson = False) -> None:
    """Turn down the answer of somebody else that waits for a second person; the review stays open."""
    from mdm.cli.session import session, who
    from mdm.ids import ReviewId
    from mdm.stewardship import answers

    with session() as hub:
        given = answers.reject(hub, ReviewId(review), who=who())
    _tell(given, as_json=as_json)


@app.command("bulk")
def bulk(
    judgement: Annotated[Judgement | None, typer.Argument(help="What each two are; not with --apply.")] = None,
    *,
    entity: Annotated[str | None, typer.Option("--entity", "-e", help="Entity type of the reviews.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why, in a few words.")] = None,
    relation: Relation = None,
    kind: Kind = None,
    source: Source = None,
    assignee: Assignee = None,
    bits_min: BitsMin = None,
    bits_max: BitsMax = None,
    stake_min: StakeMin = None,
    stake_max: StakeMax = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File for the set that was looked at.")] = None,
    apply: Annotated[Path | None, typer.Option("--apply", help="Answer the set in this file, exactly.")] = None,
    as_json: AsJson = False,
) -> None:
    """Answer many reviews alike: first a dry run that writes the set to a file, then that file with --apply.

    Reviews that moved since the dry run are left and named.
    """
    from mdm.cli.session import session, who
    from mdm.decisions.model import Verdict
    from mdm.decisions.review_model import ReviewFilter
    from mdm.stewardship import bands

    if apply is not None:
        verdict, chosen = _read_set(apply)
        with session() as hub:
            given = bands.answer_many(hub, chosen, verdict, who=who())
        _tell_bulk(given, dry_run=False, as_json=as_json)
        return
    if judgement is None or entity is None or reason is None:
        raise typer.BadParameter("a dry run needs a judgement, --entity and --reason", param_hint="JUDGEMENT")
    verdict = Verdict(judgement.value, reason, relation)
    with session() as hub:
        asked = ReviewFilter(
            entity_types=(hub.entity_type(entity).name,),
            kinds=checked_kind(kind),
            assignee=assignee,
            source=source,
            bits=(bits_min, bits_max),
            stake=(stake_min, stake_max),
        )
        given = bands.rehearse_bulk(hub, asked, verdict, who=who())
    if out is not None:
        _write_set(out, verdict, given)
    _tell_bulk(given, dry_run=True, as_json=as_json)


def _expected(pairs: list[str] | None) -> dict[str, int] | None:
    if not pairs:
        return None
    parted = [pair.partition("=") for pair in pairs]
    if not all(golden_id and version.isdecimal() for golden_id, _, version in parted):
        raise typer.BadParameter("write GOLDEN=VERSION, as `mdm review show` prints it", param_hint="--expect")
    return {golden_id: int(version) for golden_id, _, version in parted}


def _day(text: str | None) -> "date | None":
    from datetime import date

    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day; write 2026-06-30", param_hint="--valid-from") from None


def _tell(given: "Given", *, dry_run: bool = False, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_text

    if as_json:
        print_json({**vars_of(given), "dry_run": dry_run})
        return
    answer = given.answer
    state = f"waits for a second person: {given.waits_because}" if given.waits_because else answer.state
    word = "would be " if dry_run and not given.waits_because else ""
    print_text(f"{answer.review_id} {answer.verdict.relation or answer.verdict.judgement}: {word}{state}")
    _tell_effects(given.effects)


def vars_of(value: object) -> dict[str, object]:
    """Give the fields of a value by name, unchanged."""
    from dataclasses import fields

    return {part.name: getattr(value, part.name) for part in fields(value)}  # type: ignore[arg-type]


def _tell_bulk(given: "BulkGiven", *, dry_run: bool, as_json: bool) -> None:
    from mdm.cli.output import print_json, print_table, print_text

    if as_json:
        print_json({**vars_of(given), "dry_run": dry_run})
        return
    verb = "would be answered" if dry_run else "answered"
    waits = f", each waits for a second person: {given.waits_because}" if given.waits_because else ""
    print_text(f"{len(given.answered)} of {len(given.chosen)} reviews {verb}{waits}")
    _tell_effects(given.effects)
    if given.sample and dry_run:
        rows = [(each.id, each.kind, f"{each.bits:.1f}", each.left_key, each.right_key) for each in given.sample]
        print_table(["id", "kind", "bits", "left key", "right key"], rows)
    for one in given.left:
        print_text(f"left: {one.review_id}: {one.message}")


def _tell_effects(effects: "Sequence[Tally]") -> None:
    from mdm.cli.output import print_text

    for one in effects:
        print_text(
            f"  {one.entity_type}: {one.records} records move; golden records: {one.created} created,"
            f" {one.forwarded} forwarded, {one.restored} restored, {one.retired} retired"
        )


def _write_set(path: Path, verdict: "Verdict", given: "BulkGiven") -> None:
    from mdm.cli.output import as_json

    path.write_text(as_json({"verdict": verdict, "reviews": given.chosen}), encoding="utf-8")


def _read_set(path: Path) -> "tuple[Verdict, list[Chosen]]":
    import json

    from mdm.decisions.model import Verdict
    from mdm.ids import ReviewId
    from mdm.stewardship.bands import Chosen

    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        said = written["verdict"]
        verdict = Verdict(said["judgement"], said["reason"], said["relation"])
        chosen = [Chosen(ReviewId(one["review_id"]), dict(one["expected"])) for one in written["reviews"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(f"{path} is no set that --out wrote: {error}", param_hint="--apply") from None
    return verdict, chosen
