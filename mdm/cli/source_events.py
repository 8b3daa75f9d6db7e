"""`mdm sources …` for what sources do to their own records: merged, re-keyed, out of sight, retired, migrated."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson, Limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mdm.source_events.model import EventKind, Noted, SourceFact

MaybeEntity = Annotated[
    str | None, typer.Option("--entity", "-e", help="Entity type, where the hub knows neither key yet.")
]
HappenedAt = Annotated[
    str | None,
    typer.Option("--at", help="When it happened by the source's clock; left out, what comes later counts."),
]
Reason = Annotated[str, typer.Option(help="Why, in a few words.")]
_OLD, _NEW = "old", "new"


def merged(
    loser: Annotated[str, typer.Argument(help="Source key that was given up.")],
    survivor: Annotated[str, typer.Argument(help="Source key that lives on.")],
    entity: MaybeEntity = None,
    at: HappenedAt = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Tell that a source merged two of its records: the loser's key leads to the survivor for ever."""
    _report([_fact("merged", loser, survivor, entity=entity, at=at, reason=reason)], as_json=as_json)


def rekeyed(
    old: Annotated[str, typer.Argument(help="Source key that the record had.")],
    new: Annotated[str, typer.Argument(help="Source key that it has now.")],
    entity: MaybeEntity = None,
    at: HappenedAt = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Tell that a record has a new key in its source; the old one leads to it for ever."""
    _report([_fact("re_keyed", old, new, entity=entity, at=at, reason=reason)], as_json=as_json)


def migrate(
    file: Annotated[Path, typer.Argument(help="File with source keys in the columns old and new, as CSV.")],
    entity: MaybeEntity = None,
    at: HappenedAt = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Tell the new keys of an instance that was migrated; every old key leads to its new one for ever."""
    from mdm.errors import FileUnreadable
    from mdm.sources.files import find_files, read_file
    from mdm.sources.files_faults import FileFault

    facts = []
    for path in find_files([file]):
        for number, row in read_file(path):
            if isinstance(row, FileFault) or not row.get(_OLD) or not row.get(_NEW):
                problem = f"line {number} has no old or no new key"
                raise FileUnreadable(str(path), problem, remedy="write the columns old and new, each with source keys")
            facts.append(
                _fact("instance_migrated", str(row[_OLD]), str(row[_NEW]), entity=entity, at=at, reason=reason)
            )
    _report(facts, as_json=as_json)


def lost(
    keys: Annotated[list[str], typer.Argument(help="Source keys that are out of sight.", metavar="KEY...")],
    vanished: Annotated[bool, typer.Option("--vanished", help="For a reason that nobody knows.")] = False,
    at: HappenedAt = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Tell that access to records was lost, or that they vanished; they stay what they are, and are marked."""
    kind: EventKind = "vanished" if vanished else "access_lost"
    _report([_fact(kind, key, at=at, reason=reason) for key in keys], as_json=as_json)


def regained(
    keys: Annotated[list[str], typer.Argument(help="Source keys that are in sight again.", metavar="KEY...")],
    at: HappenedAt = None,
    as_json: AsJson = False,
) -> None:
    """Tell that records are in sight again."""
    _report([_fact("access_regained", key, at=at) for key in keys], as_json=as_json)


def deleted(
    keys: Annotated[list[str], typer.Argument(help="Source keys of the records.", metavar="KEY...")],
    at: HappenedAt = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Tell that a source deleted records, as a delivery of the deletion would."""
    _report([_fact("deleted", key, at=at, reason=reason) for key in keys], as_json=as_json)


def retire(
    source: Annotated[str, typer.Argument(help="Id of the instance.", metavar="ID")],
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Retire an instance: its keys resolve and match for ever, and give no value where others do."""
    _report([_instance_fact("instance_retired", source, reason)], as_json=as_json)


def reinstate(
    source: Annotated[str, typer.Argument(help="Id of the instance.", metavar="ID")],
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Take an instance back from retirement; its records are what they were."""
    _report([_instance_fact("instance_returned", source, reason)], as_json=as_json)


def revoke(
    event: Annotated[str, typer.Argument(help="Id of the event, as sev_….", metavar="EVENT")], as_json: AsJson = False
) -> None:
    """Take an event back that was told by mistake; what only followed from it is undone."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.ids import SourceEventId
    from mdm.jobs.source_events import revoke as revoke_event

    with session() as hub:
        found = revoke_event(hub, SourceEventId(event), who=who())
    print_json(found) if as_json else print_text(f"{found.id} holds no more ({found.ended_because}): {found}")


def events(
    source: Annotated[str | None, typer.Option(help="Only of this instance.")] = None,
    key: Annotated[str | None, typer.Option(help="Only about this source key, on either side.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List what sources did to their own records, in the order the hub heard of it."""
    from mdm.cli.output import print_lines, print_table
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.source_events.service import list_events

    with session() as hub:
        found = run(hub.engine, lambda c: list_events(c, instance=source, source_key=key, limit=limit))
    if as_json:
        print_lines(found)
        return
    rows = (
        (one.id, str(one), one.happened_at, one.who, one.ended_because or ("waits" if one.is_waiting else ""))
        for one in found
    )
    print_table(["id", "event", "happened", "told by", "state"], rows)


def life(
    key: Annotated[str, typer.Argument(help="Source key, as salesforce-us/Account:0015g.")], as_json: AsJson = False
) -> None:
    """Tell the whole life of a key: deliveries, events, golden ids, decisions, in the order of time."""
    from mdm.cli.output import print_lines, print_table
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.source_events.life import life_of
    from mdm.sources.model import SourceKey

    source_key = SourceKey.parse(key)
    with session() as hub:
        moments = run(hub.engine, lambda connection: life_of(connection, source_key))
    if as_json:
        print_lines(moments)
    else:
        rows = ((one.at.isoformat(sep=" ", timespec="seconds"), one.kind, one.told, one.who) for one in moments)
        print_table(["when", "what", "told", "by"], rows)


def _fact(
    kind: "EventKind",
    key: str,
    other: str | None = None,
    *,
    entity: str | None = None,
    at: str | None,
    reason: str = "",
) -> "SourceFact":
    from mdm.cli.options import parse_instant
    from mdm.source_events.model import SourceFact
    from mdm.sources.model import SourceKey

    first = SourceKey.parse(key)
    second = None if other is None else SourceKey.parse(other)
    return SourceFact(kind, first.instance, first, second, entity, parse_instant(at, "--at"), reason)


def _instance_fact(kind: "EventKind", source: str, reason: str) -> "SourceFact":
    from mdm.source_events.model import SourceFact

    return SourceFact(kind, source, reason=reason)


def _report(facts: "Sequence[SourceFact]", *, as_json: bool) -> None:
    """Report facts and print what became of each; one that was rejected ends with exit code 4."""
    from mdm.cli.output import print_lines, print_text, tell
    from mdm.cli.session import session, who
    from mdm.jobs.source_events import report

    with session() as hub:
        noted = report(hub, facts, who=who())
    if as_json:
        print_lines(map(_document, noted))
    else:
        for one in noted:
            print_text(f"{one.status}: {one.fact}{f' ({one.id})' if one.id else ''}")
            for reason in one.reasons:
                tell(f"  {reason.message}; {reason.remedy}")
    if any(one.status == "rejected" for one in noted):
        raise typer.Exit(ExitCode.FOUND)


def _document(one: "Noted") -> dict[str, Any]:
    return {
        "status": one.status,
        "id": one.id,
        "kind": one.fact.kind,
        "source_key": str(one.fact.key) if one.fact.key else None,
        "other_key": str(one.fact.other) if one.fact.other else None,
        "golden_id": one.golden_id,
        "errors": one.reasons,
    }
