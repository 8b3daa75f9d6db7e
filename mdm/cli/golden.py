"""`mdm golden`: what stewards do to golden records, each with a dry run that shows what it would do."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson, parse_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mdm.hub import Hub
    from mdm.ids import GoldenId
    from mdm.stewardship.model import Effect, Operation

app = typer.Typer()

Golden = Annotated[str, typer.Argument(help="Golden id, or the source key of one of its records.", metavar="GOLDEN")]
Key = Annotated[str, typer.Argument(help="Source key of the record.", metavar="KEY")]
Event = Annotated[str, typer.Argument(help="Id of the event, as `mdm golden events` lists it.", metavar="EVENT")]
Reason = Annotated[str, typer.Option(help="Why, in a few words.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")]
Expect = Annotated[
    list[str] | None,
    typer.Option(
        "--expect-version",
        metavar="GOLDEN=N",
        help="The version in which you saw a golden record that this touches; refused when it moved on. Repeat it.",
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--value",
        metavar="ATTRIBUTE=VALUE",
        help="An attribute of the result edited by hand, as `mdm override set` takes it; nothing after = empties it."
        " Repeat it.",
    ),
]


@app.command("merge")
def merge(
    first: Golden,
    second: Golden,
    *,
    reason: Reason,
    survivor: Annotated[str | None, typer.Option(help="Whose id stays; else the confirmed or older one's.")] = None,
    value: Values = None,
    expect: Expect = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make two golden records one; every later run keeps them together."""
    from mdm.stewardship.model import Merge

    values = parse_values(value)

    def asked(hub: "Hub") -> "Operation":
        kept = _named(hub, survivor) if survivor else None
        return Merge(_named(hub, first), _named(hub, second), kept, values)

    _do(asked, reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("unmerge")
def unmerge(
    event: Event,
    reason: Reason,
    returning: Annotated[str | None, typer.Option(help="The id that returns, where several were absorbed.")] = None,
    expect: Expect = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take a merge back exactly; the two stay apart from now on."""
    from mdm.ids import EventId, GoldenId
    from mdm.stewardship.model import Unmerge

    operation = Unmerge(EventId(event), GoldenId(returning) if returning else None)
    _do(lambda _: operation, reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("take-out")
def take_out(
    key: Key,
    reason: Reason,
    branch: Annotated[bool, typer.Option(help="Also what had come together with it before the last merge.")] = False,
    expect: Expect = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take one record out of its golden record for good, or the branch that came with it."""
    from mdm.sources.model import SourceKey
    from mdm.stewardship.model import UnmergeBranch, UnmergeRecord

    parsed = SourceKey.parse(key)
    operation = UnmergeBranch(parsed) if branch else UnmergeRecord(parsed)
    _do(lambda _: operation, reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("split")
def split(
    golden: Golden,
    reason: Reason,
    part: Annotated[
        list[str],
        typer.Option("--part", help="Source keys of one part, parted by blanks; repeat it. The rest is one more part."),
    ],
    expect: Expect = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Divide a golden record anew; parts that came from elsewhere get their own ids back."""
    from mdm.sources.model import SourceKey
    from mdm.stewardship.model import Split

    parts = tuple(frozenset(map(SourceKey.parse, each.split())) for each in part)
    _do(lambda hub: Split(_named(hub, golden), parts), reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("move")
def move(
    key: Key, to: Golden, reason: Reason, expect: Expect = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Take one record out of its golden record and into another one."""
    from mdm.sources.model import SourceKey
    from mdm.stewardship.model import Move

    parsed = SourceKey.parse(key)
    _do(lambda hub: Move(parsed, _named(hub, to)), reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("dissolve")
def dissolve(
    golden: Golden, reason: Reason, expect: Expect = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Let every record of a golden record stand alone."""
    from mdm.stewardship.model import Dissolve

    _do(lambda hub: Dissolve(_named(hub, golden)), reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("confirm")
def confirm(
    golden: Golden, reason: Reason, expect: Expect = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Say that a golden record is right: its members stay together, its id survives."""
    from mdm.stewardship.model import Confirm

    _do(lambda hub: Confirm(_named(hub, golden)), reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("retire")
def retire(
    golden: Golden, reason: Reason, expect: Expect = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """End a golden record that tells of no real thing; its records are kept and belong to nothing."""
    from mdm.stewardship.model import Retire

    _do(lambda hub: Retire(_named(hub, golden)), reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("restore")
def restore(
    golden: Golden, reason: Reason, expect: Expect = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Bring back a golden record that a steward retired, under the same id."""
    from mdm.ids import GoldenId
    from mdm.stewardship.model import Restore

    _do(lambda _: Restore(GoldenId(golden)), reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("undo")
def undo(event: Event, reason: Reason, expect: Expect = None, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Take an operation back as if it had not been done."""
    from mdm.ids import EventId
    from mdm.stewardship.model import Undo

    _do(lambda _: Undo(EventId(event)), reason, expect, dry_run=dry_run, as_json=as_json)


@app.command("events")
def events(golden: Golden, as_json: AsJson = False) -> None:
    """List what happened to a golden record, oldest first, with the ids to take it back by."""
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.stewardship.service import events_of

    with session() as hub:
        found = events_of(hub, _named(hub, golden))
    if as_json:
        print_lines(found)
        return
    rows = [
        (one.id, f"{one.recorded_at:%Y-%m-%d %H:%M:%S}", one.cause.kind, one.who, one.cause.reason) for one in found
    ]
    print_list(["event", "when", "what", "who", "why"], rows, of="events", total=len(rows))


def _named(hub: "Hub", name: str) -> "GoldenId":
    """Find the golden record that an id or a source key names."""
    from mdm.db.transaction import run
    from mdm.identity.service import named_golden

    return run(hub.engine, lambda connection: named_golden(connection, name)).id


def _expected(hub: "Hub", expect: list[str] | None) -> "dict[GoldenId, int]":
    """Read GOLDEN=N pairs; an id is expected as it was seen, also when it leads elsewhere since."""
    from mdm.ids import GoldenId

    expected = {}
    for each in expect or ():
        name, _, number = each.rpartition("=")
        if not name or not number.isdecimal() or len(number) > 9:
            raise typer.BadParameter(f"{each!r} is not GOLDEN=N, as in cus_01k8=3", param_hint="--expect-version")
        expected[_named(hub, name) if "/" in name else GoldenId(name)] = int(number)
    return expected


def _do(
    asked: "Callable[[Hub], Operation]", reason: str, expect: list[str] | None, *, dry_run: bool, as_json: bool
) -> None:
    from mdm.cli.output import print_json
    from mdm.cli.session import session, who
    from mdm.stewardship.model import By
    from mdm.stewardship.operations import perform, preview

    with session() as hub:
        operation, by = asked(hub), By(who(), reason, _expected(hub, expect))
        effect = preview(hub, operation, by) if dry_run else perform(hub, operation, by)
    if as_json:
        print_json({"dry_run": dry_run, "effect": effect})
        return
    _print(effect, is_dry=dry_run)


def _print(effect: "Effect", *, is_dry: bool) -> None:
    from mdm.cli.output import print_table, print_text

    said = f"dry run, nothing was changed: {effect.kind}" if is_dry else f"{effect.kind} done; event {effect.event_id}"
    print_text(said)
    if effect.moved:
        print_text("")
        moved = ((each.source_key, each.before or "none", each.after or "none") for each in effect.moved)
        print_table(["record", "from", "to"], moved)
    rows: list[tuple[str, str, str, str, str]] = []
    for one in effect.goldens:
        named = (one.after.golden_id, _standing(one.after.state, one.after.forward_to))
        # What a golden record that ends showed before is of no use to anybody; where it leads is.
        before = one.before.values if one.before and one.after.state == "active" else {}
        differences = _differences(before, one.after.values)
        rows += [(*named, name, _shown(was), _shown(now)) for name, was, now in differences] or [(*named, "", "", "")]
    if rows:
        print_text("")
        print_table(["golden record", "is then", "attribute", "before", "after"], rows)
    print_text(f"\ndecisions made {len(effect.made)}, ended {len(effect.ended)}")
    for target, count in effect.targets.items():
        print_text(f"target {target}: {count} messages")
    if not is_dry:
        print_text(f"Take it back: mdm golden undo {effect.event_id} --reason …")


def _differences(before: "Mapping[str, object]", after: "Mapping[str, object]") -> "list[tuple[str, object, object]]":
    names = dict.fromkeys([*before, *after])
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _standing(state: str, forward_to: str | None) -> str:
    return f"{state} to {forward_to}" if forward_to else state


def _shown(value: object) -> str:
    from mdm.cli.output import as_json

    return value if isinstance(value, str) else "" if value is None else as_json(value)
