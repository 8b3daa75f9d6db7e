"""`mdm override`: a steward's own values, set, cleared and listed."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mdm.cli.options import AsJson, Limit, MaybeEntity, parse_value

if TYPE_CHECKING:
    from mdm.hub import Hub
    from mdm.ids import GoldenId
    from mdm.stewardship.overrides import OverrideChange

app = typer.Typer()

Key = Annotated[str, typer.Argument(help="Source key or golden id.")]
Attribute = Annotated[str, typer.Argument(help="Attribute, as `mdm show` names it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]
ExpectVersion = Annotated[
    int | None, typer.Option(min=1, help="Refuse when the golden record is in another version by now.")
]
State = Literal["in_force", "masks_newer", "superseded", "at_rest", "ended"]


@app.command("set")
def set_(
    key: Key,
    attribute: Attribute,
    value: Annotated[str | None, typer.Argument(help="The value; one that begins with [ or { is read as JSON.")] = None,
    *,
    reason: Annotated[str, typer.Option(help="Why, in a few words.")],
    blank: Annotated[bool, typer.Option("--blank", help="Show nothing, in place of a value.")] = False,
    until_source_changes: Annotated[
        bool, typer.Option("--until-source-changes", help="Hold until the masked record says something else.")
    ] = False,
    until: Annotated[
        str | None, typer.Option(help="Hold until this instant; a bare date is the end of that day UTC.")
    ] = None,
    expect_version: ExpectVersion = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Set a value of your own on a golden record; it follows the record whose value it masks.

    Attributes that move together, as those of an address, are held together. What was set there before ends.
    """
    from mdm.cli.session import session, who
    from mdm.decisions.model import Lasting
    from mdm.stewardship.overrides import Wish, preview_override, set_override

    if (value is None) != blank:
        raise typer.BadParameter("give a value, or --blank in its place", param_hint="VALUE")
    if until_source_changes and until is not None:
        raise typer.BadParameter("choose one of --until and --until-source-changes", param_hint="--until")
    end = _instant(until)
    lasting = Lasting("until_source_changes" if until_source_changes else "until" if end else "for_ever", end)
    wish = Wish(attribute, None if value is None else parse_value(value, "VALUE"), reason, lasting)
    act = preview_override if dry_run else set_override
    with session() as hub:
        change = act(hub, _golden_id(hub, key), wish, who=who(), expected_version=expect_version)
    _print(change, as_json=as_json, is_rehearsed=dry_run)


@app.command("clear")
def clear(
    key: Key,
    attribute: Attribute,
    expect_version: ExpectVersion = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """End what is overridden on an attribute, so that its sources decide again."""
    from mdm.cli.session import session, who
    from mdm.stewardship.overrides import clear_override, preview_clearing

    act = preview_clearing if dry_run else clear_override
    with session() as hub:
        change = act(hub, _golden_id(hub, key), attribute, who=who(), expected_version=expect_version)
    _print(change, as_json=as_json, is_rehearsed=dry_run)


@app.command("list")
def list_(
    key: Annotated[str | None, typer.Argument(help="Source key or golden id; all of the hub when left out.")] = None,
    state: Annotated[
        State | None, typer.Option(help="Only those that fare so; masks_newer is what to work through.")
    ] = None,
    entity: MaybeEntity = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List overrides and how each fares; of one golden record those that ended too."""
    from mdm.cli.output import print_lines, print_list, tell
    from mdm.cli.session import session
    from mdm.stewardship.override_lists import list_overrides, overrides_of

    with session() as hub:
        types = frozenset({hub.entity_type(entity).name}) if entity else None
        following: str | None = None
        if key is not None:
            found = tuple(one for one in overrides_of(hub, _golden_id(hub, key)) if state in (None, one.state))[:limit]
        else:
            found, following = list_overrides(hub, state=state, entity_types=types, after="", limit=limit)
            while following is not None and len(found) < limit:
                wanted = limit - len(found)
                more, following = list_overrides(hub, state=state, entity_types=types, after=following, limit=wanted)
                found += more
    if as_json:
        print_lines(found)
        return
    rows = []
    for one in found:
        made = one.override
        since = f"{one.state}: {', '.join(one.newer_record_keys)}" if one.newer_record_keys else one.state
        shown = _shown(made.value)
        rows.append((made.golden_id, made.attribute, shown, since, made.record_key, made.who, made.reason))
    print_list(["golden id", "attribute", "value", "state", "follows", "by", "reason"], rows, of="overrides")
    if following is not None:
        tell(f"the first {limit:,}; --limit shows more")


def _golden_id(hub: "Hub", key: str) -> "GoldenId":
    from mdm.db.transaction import run
    from mdm.identity.service import named_golden

    return run(hub.engine, lambda connection: named_golden(connection, key).id)


def _instant(text: str | None) -> Any:
    from mdm.clock import parse_as_of

    if text is None:
        return None
    try:
        return parse_as_of(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date or instant; write 2027-06-30 or 2027-06-30T12:00:00Z", param_hint="--until"
        ) from None


def _print(change: "OverrideChange", *, as_json: bool, is_rehearsed: bool) -> None:
    from mdm.cli.output import print_json, print_text, tell

    if as_json:
        print_json({"change": change, "is_changed": change.is_changed, "dry_run": is_rehearsed})
        return
    if not change.is_changed:
        print_text(f"{change.golden_id} stands so already, in version {change.version}; nothing changed")
        return
    print_text(f"{change.golden_id}  {'would be' if is_rehearsed else 'is now'} version {change.version}")
    for name, value in (change.after or {}).items():
        print_text(f"  {name}: {_shown((change.before or {}).get(name))} → {_shown(value)}")
    for one in change.made:
        print_text(f"  set: {one.attribute}, following {one.record_key}")
    if change.ended:
        print_text(f"  ended: {', '.join(change.ended)}")
    for warning in change.warnings:
        tell(f"Warning: {warning.field}: {warning.message}")


def _shown(value: Any) -> str:
    from mdm.cli.output import as_json

    return value if isinstance(value, str) else "nothing" if value is None else as_json(value)
