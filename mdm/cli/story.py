"""`mdm story` and `mdm event`: how a golden record came together, and everything that one event did."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.options import AsJson
from mdm.cli.words import counted

if TYPE_CHECKING:
    from mdm.history.past import EventBrief
    from mdm.stewardship.past import Chapter, Life

_WORDS = {
    "created": "created with",
    "attached": "attached",
    "merged": "merged in",
    "moved_in": "moved in",
    "returned": "returned",
    "left": "left",
    "moved_out": "moved out",
    "merged_away": "merged away",
    "split": "split off",
}
_AWAY = frozenset({"split", "moved_out", "merged_away"})


def story(
    key: Annotated[str, typer.Argument(help="Source key, as salesforce-us/Account:0015g, or a golden id.")],
    as_json: AsJson = False,
) -> None:
    """Tell how a golden record came together, step by step: which records, when, by whom, and what carried them."""
    from mdm.cli.output import print_json, print_text, tell
    from mdm.cli.session import session
    from mdm.db.transaction import snapshot
    from mdm.identity.service import named_golden
    from mdm.stewardship.past import story_of

    with session() as hub, snapshot(hub.engine) as connection:
        told = story_of(connection, named_golden(connection, key).id)
    if as_json:
        print_json(told)
        return
    print_text(f"{told.golden.id}  {told.golden.entity_type}, {told.golden.state}")
    for chapter in told.chapters:
        _print_chapter(chapter, told.golden.id)
    if not told.is_complete:
        tell("the first steps only; there are more events than one story tells")


def event(
    event: Annotated[str, typer.Argument(help="Id of the event, evt_….", metavar="ID")], as_json: AsJson = False
) -> None:
    """Tell one event of identity: who and why, every record and golden id that it moved, and what followed."""
    from mdm.cli.output import print_json, print_table, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import snapshot
    from mdm.ids import EventId
    from mdm.stewardship.past import tell_event

    with session() as hub, snapshot(hub.engine) as connection:
        told = tell_event(connection, EventId(event))
    if as_json:
        print_json(told)
        return
    print_text(f"{told.event.id}  {told.event.entity_type}, {because(told.event)}")
    for word, others in (("follows from", told.event.root_id), ("takes back", told.event.undoes_id)):
        if others:
            print_text(f"{word} {others}")
    for other in told.undone_by:
        print_text(f"taken back by {other}")
    if told.moves:
        print_text("")
        moves = [(move.source_key, move.before or "none", move.after or "none") for move in told.moves]
        print_table(["record", "before", "after"], moves)
    if told.turns:
        print_text("")
        rows = [
            (
                turn.golden_id,
                "not minted" if turn.before is None else _standing(turn.before.state, turn.before.forward_to),
                _standing(turn.after.state, turn.after.forward_to),
            )
            for turn in told.turns
        ]
        print_table(["golden id", "before", "after"], rows)
    for word, decisions in (("decided", told.made), ("revoked", told.revoked)):
        for decision in decisions:
            print_text(f"{word}: {decision}")
    for follower in told.followers:
        print_text(f"followed by {follower.id}  {follower.entity_type}")


def print_life(told: "Life") -> None:
    """Print the life of a golden id, one line a step."""
    from mdm.cli.output import print_text, tell

    for line in told.lines:
        others = f" {', '.join(line.step.others)}" if line.step.others else ""
        print_text(f"  {line.event.recorded_at:%Y-%m-%d %H:%M:%S}  {_LIFE[line.step.kind]}{others}")
        print_text(f"      {because(line.event)}  {line.event.id}")
    if told.absorbed:
        print_text(f"leads here now: {', '.join(told.absorbed)}")
    if not told.is_complete:
        tell("the first steps only; there are more events than one life tells")


_LIFE = {
    "minted": "minted",
    "survived": "survived, absorbing",
    "forwarded": "absorbed, forwards to",
    "forwarded_anew": "its survivor was absorbed, forwards to",
    "split": "split, parting with",
    "restored": "restored",
    "retired": "retired",
    "confirmed": "confirmed",
    "unconfirmed": "no longer confirmed",
}


def because(event: "EventBrief") -> str:
    """Say who acted, in what kind of act, and why."""
    return f"{event.kind} by {event.who}{f': {event.reason}' if event.reason else ''}"


def _print_chapter(chapter: "Chapter", golden_id: str) -> None:
    from mdm.cli.output import print_text

    where = "" if chapter.golden_id == golden_id else f" ({chapter.golden_id})"
    word = _WORDS.get(chapter.kind, _LIFE.get(chapter.kind, chapter.kind))
    other = f" {'to' if chapter.kind in _AWAY else 'from'} {chapter.other}" if chapter.other else ""
    at = f"{chapter.event.recorded_at:%Y-%m-%d %H:%M:%S}"
    print_text(f"\n{at}  {word} {', '.join(chapter.record_keys)}{other}{where}".rstrip())
    print_text(f"    {because(chapter.event)}  {chapter.event.id}, now {counted(chapter.members_count, 'member')}")
    for carrier in chapter.carriers:
        link = carrier.decision_id or f"{carrier.bits:.1f} bits"
        print_text(f"    carried by {carrier.left} = {carrier.right} ({link})")


def _standing(state: str, forward_to: str | None) -> str:
    return state if forward_to is None else f"{state} to {forward_to}"
