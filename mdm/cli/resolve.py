"""`mdm resolve`: one key in another system's words."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson, AsOf, parse_instant


def resolve(
    key: Annotated[str, typer.Argument(help="Source key, as salesforce-us/Account:0015g, or a golden id.")],
    to: Annotated[str | None, typer.Option(help="Source instance whose keys are wanted; left out: all.")] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Say which golden record a key belongs to, and which keys the same thing has in another system."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.identity.service import crosswalk, golden_id_of, golden_record, resolve_golden
    from mdm.ids import GoldenId
    from mdm.sources.model import SourceKey
    from mdm.sources.service import require_instance

    at = parse_instant(as_of)
    source_key = SourceKey.parse(key) if "/" in key or ":" in key else None
    with session() as hub:
        if to is not None:
            run(hub.engine, lambda connection: require_instance(connection, to))
        if source_key is not None:
            named, _ = run(hub.engine, lambda connection: golden_id_of(connection, source_key, as_of=at))
        else:
            named = GoldenId(key)
        golden = run(hub.engine, lambda connection: (golden_record if at else resolve_golden)(connection, named))
        entries = run(hub.engine, lambda connection: crosswalk(connection, named, to=to, as_of=at))
    keys = [each.source_key for each in entries]
    if as_json:
        document = {"key": key, "golden_id": golden.id, "entity_type": golden.entity_type, "state": golden.state}
        forwarded = {"forwarded_from": named} if named != golden.id else {}
        print_json({**document, **forwarded, "to": to, "answer": _answer(keys), "keys": keys})
        return
    print_text(
        f"{golden.id}  {golden.entity_type}, {golden.state}{f', forwarded from {named}' if named != golden.id else ''}"
    )
    for each in keys or [f"no key in {to}" if to else "no keys"]:
        print_text(f"  {each}")


def _answer(keys: list[str]) -> str:
    return ("none", "one", "many")[min(len(keys), 2)]
