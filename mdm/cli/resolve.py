"""`mdm resolve`: one key in another system's words."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson, AsOf, ValidAt, parse_instant


def resolve(
    key: Annotated[str, typer.Argument(help="Source key, as salesforce-us/Account:0015g, or a golden id.")],
    to: Annotated[str | None, typer.Option(help="Source instance whose keys are wanted; left out: all.")] = None,
    as_of: AsOf = None,
    valid_at: ValidAt = None,
    as_json: AsJson = False,
) -> None:
    """Say which golden record a key belongs to, and which keys the same thing has in another system."""
    from mdm.cli.output import print_json, print_text, tell
    from mdm.cli.session import session
    from mdm.cli.words import marked
    from mdm.db.transaction import reading
    from mdm.identity.service import golden_id_of
    from mdm.ids import GoldenId
    from mdm.sources.model import SourceKey
    from mdm.sources.service import require_instance
    from mdm.stewardship.then import Moment, members_of, record_at

    moment = Moment(parse_instant(as_of), parse_instant(valid_at, "--valid-at"))
    source_key = SourceKey.parse(key) if "/" in key or ":" in key else None
    with session() as hub, reading(hub.engine) as connection:
        if to is not None:
            require_instance(connection, to)
        if source_key is None:
            named = GoldenId(key)
        elif moment.valid_at is None:
            named, _ = golden_id_of(connection, source_key, as_of=moment.as_of)
        else:
            named = record_at(connection, source_key, moment.valid_at, as_of=moment.as_of).golden_id
        found = members_of(connection, named, moment)
    standing = found.standing
    members = [each for each in found.members if to is None or (each.source == to and each.ended is None)]
    keys = [each.source_key for each in members]
    ended = {each.source_key: each.ended for each in members if each.ended}
    if as_json:
        document = {
            "key": key,
            "golden_id": standing.golden_id,
            "entity_type": standing.entity_type,
            "state": standing.state,
        }
        forwarded = {"forwarded_from": named} if named != standing.golden_id else {}
        undated = {"undated": found.undated} if moment.valid_at is not None else {}
        print_json(
            {**document, **forwarded, "to": to, "answer": _answer(keys), "keys": keys, "ended": ended, **undated}
        )
        return
    forwarded_from = f", forwarded from {named}" if named != standing.golden_id else ""
    print_text(f"{standing.golden_id}  {standing.entity_type}, {standing.state}{forwarded_from}")
    for each in keys or [f"no key in {to}" if to else "no keys"]:
        print_text(f"  {each}{marked(ended.get(each))}")
    if found.undated:
        tell(f"nothing can be said of {', '.join(found.undated)}: the source gives no times")


def _answer(keys: list[str]) -> str:
    return ("none", "one", "many")[min(len(keys), 2)]
