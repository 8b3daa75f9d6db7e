"""Publish: tell the change feed and every subscribed target of each golden version, in the transaction that made it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from mdm import clock
from mdm.decisions.review_model import ReviewChange
from mdm.errors import CursorFromElsewhere, CursorInvalid
from mdm.failpoints import failpoint
from mdm.identity.model import IdentityPlan
from mdm.ids import EventId, RecordId
from mdm.publishing import store
from mdm.publishing.details import kinds_and_details, moved_in, told
from mdm.publishing.model import Event, News
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey
from mdm.survivorship.model import GoldenVersion


def publish(connection: Connection, news: News, *, event_id: EventId, at: datetime, who: str) -> Mapping[str, int]:
    """Append an event for each golden version, with the records that moved, and queue a message for each target.

    event_id  of the change of identity or values that made the versions

    Returns how many messages each target gets.
    """
    if not news.versions:
        return {}
    rows = [
        {
            "kind": kind,
            "entity_type": version.entity_type,
            "golden_id": version.golden_id,
            "version": version.version,
            "details": details,
            "is_regrouped": _is_regrouped(news.plan, version) or "follows" in details,
        }
        for version, (kind, details) in zip(news.versions, kinds_and_details(news, event_id), strict=True)
    ]
    queued = store.insert_news(connection, rows, at=at, who=who)
    failpoint("publish.queued")
    return queued


def publish_reviews(connection: Connection, changes: Sequence[ReviewChange], *, who: str) -> None:
    """Append an event for each turn of a review. Targets are told of golden records only."""
    if changes:
        store.insert_review_events(connection, changes, at=clock.recording_instant(connection), who=who)
        failpoint("publish.reviews")


def changes(connection: Connection, *, after: str | None, limit: int) -> tuple[tuple[Event, ...], str]:
    """Read the change feed after a cursor; return the events and the cursor to go on with, also when there are none.

    Raises CursorInvalid for a text that is no cursor, CursorFromElsewhere for one of another history of the database.
    """
    position = position_of(connection, after) if after else (0, 0)
    events = store.select_events(connection, after=position, limit=limit)
    keys = keys_of_moved(connection, [event.details for event in events])
    shown = tuple(
        event if event.golden_id is None else replace(event, details=told(event.details, event.golden_id, keys))
        for event in events
    )
    return shown, cursor_of(connection, events[-1].position if events else position)


def keys_of_moved(connection: Connection, details: Iterable[Mapping[str, Any]]) -> Mapping[RecordId, SourceKey]:
    """Read the source keys with which the moves in details of events are told."""
    ids = sorted({id_ for one in details for id_ in moved_in(one)})
    return sources_store.select_keys(connection, ids) if ids else {}


def cursor_of(connection: Connection, position: tuple[int, int]) -> str:
    """Write a position of the feed as the cursor that goes on after it: the event there is named by its instant too."""
    mark = store.select_event_mark(connection, position) or 0
    return f"{store.select_system(connection)}.{position[0]}.{position[1]}.{mark}"


def position_of(connection: Connection, cursor: str) -> tuple[int, int]:
    """Read a cursor; raises CursorInvalid and CursorFromElsewhere as `changes` does.

    A copy of the files that was put back has the same system and timeline: there the event that the cursor names was
    never written, or is another one by now.
    """
    parts = cursor.split(".")
    if len(parts) not in {4, 5} or not all(part.isascii() and part.isdecimal() and len(part) < 20 for part in parts):
        raise CursorInvalid
    position = int(parts[2]), int(parts[3])
    mark = store.select_event_mark(connection, position) if position != (0, 0) else 0
    is_here = mark is not None and parts[4:] in ([], [str(mark)])
    if not is_here or ".".join(parts[:2]) != store.select_system(connection):
        raise CursorFromElsewhere
    return position


def _is_regrouped(plan: IdentityPlan, version: GoldenVersion) -> bool:
    """Tell whether records moved between golden records: what an undo would take back."""
    id_ = version.golden_id
    return version.state != "active" or any(
        move.before and move.after and move.before != move.after and id_ in (move.before, move.after)
        for move in plan.moves
    )
