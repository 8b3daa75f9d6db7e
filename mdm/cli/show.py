"""`mdm show`: one golden record, where its values come from, and what its members say otherwise."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mdm.cli.options import AsJson, AsOf, parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mdm.entities.model import EntityType
    from mdm.survivorship.model import GoldenVersion, Losing


def show(
    key: Annotated[str, typer.Argument(help="Source key, as salesforce-us/Account:0015g, or a golden id.")],
    as_of: AsOf = None,
    life: Annotated[
        bool, typer.Option("--life", help="Tell the life of the id instead: minted, absorbed, forwarded, split, …")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a golden record: each value with its source and rule, the members, and the values that lost."""
    if life:
        if as_of is not None:
            raise typer.BadParameter("a life is told whole; leave --as-of out", param_hint="--life")
        _show_life(key, in_json=as_json)
        return
    from mdm import clock
    from mdm.cli.output import print_json
    from mdm.cli.session import session
    from mdm.cli.words import marked
    from mdm.db.transaction import run
    from mdm.identity.service import crosswalk, named_golden
    from mdm.survivorship.service import golden_version, losing_values

    at = parse_instant(as_of)
    with session() as hub:
        golden = run(hub.engine, lambda connection: named_golden(connection, key, as_of=at))
        version = run(hub.engine, lambda connection: golden_version(connection, golden.id, as_of=at))
        members = run(hub.engine, lambda connection: crosswalk(connection, golden.id, as_of=at))
        entity_type = hub.entity_type(golden.entity_type)
        # What lost is worked out from the members as they are now, so an earlier instant has no such list.
        lost = {} if at else run(hub.engine, lambda c: losing_values(c, entity_type, golden.id, at=clock.now()))
    keys = [member.source_key for member in members]
    ended = {member.source_key: member.ended for member in members if member.ended}
    if as_json:
        print_json({"golden_id": golden.id, "version": version, "members": keys, "ended": ended, "losing": lost})
    else:
        _print(golden.id, entity_type, version, [f"{each}{marked(ended.get(each))}" for each in keys], lost)


def _show_life(key: str, *, in_json: bool) -> None:
    """Show the life of exactly the id that is named, or of the one that a source key belongs to."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session
    from mdm.cli.story import print_life
    from mdm.db.transaction import snapshot
    from mdm.identity.service import named_golden
    from mdm.ids import GoldenId
    from mdm.stewardship.past import life_of

    with session() as hub, snapshot(hub.engine) as connection:
        named = named_golden(connection, key)
        told = life_of(connection, named.id if "/" in key or ":" in key else GoldenId(key))
    if in_json:
        print_json(told)
        return
    golden = told.golden
    forwarded = f" to {golden.forward_to}" if golden.forward_to else ""
    print_text(f"{golden.id}  {golden.entity_type}, {golden.state}{forwarded}")
    print_life(told)


def _print(
    golden_id: str,
    entity_type: "EntityType",
    version: "GoldenVersion | None",
    keys: "Sequence[str]",
    lost: "Mapping[str, Sequence[Losing]]",
) -> None:
    from mdm.cli.output import print_table, print_text

    if version is None:
        print_text(f"{golden_id}  {entity_type.name}, was not known then")
        return
    forwarded = f" to {version.forward_to}" if version.forward_to else ""
    print_text(f"{golden_id}  {entity_type.name}, {version.state}{forwarded}, version {version.version}\n")
    values, lineage = version.values, version.lineage
    names = [name for name in entity_type.attributes if name in values]
    rows = [(name, _shown(values[name]), *_origin(lineage.get(name, {}))) for name in names]
    print_table(["attribute", "value", "from", "rule"], rows)
    print_text("\nmembers")
    for each in keys or ["none"]:
        print_text(f"  {each}")
    others = [(name, _shown(one.value), one.record_key, one.why) for name, each in lost.items() for one in each]
    if others:
        print_text("")
        print_table(["not shown", "value", "from", "why"], others)


def _origin(lineage: "Mapping[str, Any]") -> tuple[str, str]:
    return str(lineage.get("record_key", "")), str(lineage.get("rule", ""))


def _shown(value: Any) -> str:
    """Write a value for people: a list one element a line, an object as its parts."""
    if isinstance(value, list):
        return "\n".join(map(_shown, value))
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values())
    return str(value)
