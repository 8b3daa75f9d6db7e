"""Tell a place of messages each golden version, in order for each golden record, thin or with values.

News of a merge or split that was taken back within the target's undo window is never sent: the versions from there to
the one that is again as before are passed over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Row

from mdm.connectors.envelope import source_of
from mdm.connectors.model import Failure, Message, MessageSink, Receipt
from mdm.db.transaction import reading
from mdm.delivery.lanes import failed
from mdm.delivery.messages import message_of
from mdm.delivery.model import Declaration, Done, DueLane, EventSubscription, Later, OutcomeKind, Settlement
from mdm.delivery.tellings_store import select_tellings
from mdm.delivery.wanted import fits
from mdm.failpoints import failpoint
from mdm.hub import Hub
from mdm.publishing import store as publishing_store
from mdm.publishing.service import keys_of_moved

# Whoever asks for changes is told of splits too: a split is a change, and nobody may miss that records left.
_AS_ASKED_FOR: Final = {"golden_record.split": {"golden_record.split", "golden_record.changed"}}
HELD_BACK = timedelta(hours=1)  # a version that is held back; the next one makes its lane due at once


@dataclass(frozen=True, slots=True)
class _Telling:
    """What one lane is told in this turn: messages by version, and how far it is done when all of them arrive."""

    lane: DueLane
    messages: tuple[tuple[int, Message], ...]
    version: int
    outcome: OutcomeKind


def deliver_events(
    hub: Hub, declaration: Declaration, sink: MessageSink, lanes: Sequence[DueLane], *, now: datetime
) -> tuple[list[Settlement], list[Failure]]:
    """Send what leased lanes were not told; return how each lane is settled, and all failures."""
    subscription = declaration.events
    assert subscription is not None, "a target of messages has them"
    with reading(hub.engine) as connection:
        found = select_tellings(connection, lanes)
        source = source_of(hub.settings.public_url, publishing_store.select_system(connection))
        keys = keys_of_moved(connection, [row.details for rows in found.values() for row in rows])
    write = partial(message_of, source=source, payload=subscription.payload, key_by_record=keys)
    settlements: list[Settlement] = []
    tellings = []
    for lane in lanes:
        rows = found.get(lane.golden_id, [])
        telling = _telling(subscription, lane, rows, write, is_undone=bool(declaration.undo_window))
        if telling is None:
            settlements.append(Later(lane, now + HELD_BACK, None, "its next version is held back"))
        else:
            tellings.append(telling)
    messages = [message for telling in tellings for _, message in telling.messages]
    answers = dict(zip([one.id for one in messages], sink.send(messages), strict=True)) if messages else {}
    failpoint("delivery.sent")
    failures = []
    for telling in tellings:
        settlement, failure = _settled(telling, answers, now)
        settlements.append(settlement)
        if failure is not None:
            failures.append(failure)
    return settlements, failures


def _telling(
    subscription: EventSubscription,
    lane: DueLane,
    rows: Sequence[Row[Any]],
    write: Callable[[Row[Any], Row[Any] | None], Message],
    *,
    is_undone: bool,
) -> _Telling | None:
    fresh = [row for row in rows if row.version > lane.acknowledged]
    if not fresh:
        return None
    lasting = without_undone(rows, lane.acknowledged) if is_undone else fresh
    told = [row for row in lasting if _is_told(subscription, row)]
    before = {after.version: row for row, after in pairwise(rows)}
    messages = tuple((row.version, write(row, before.get(row.version))) for row in told)
    outcome: OutcomeKind = "delivered" if messages else "not_subscribed" if lasting else "undone"
    return _Telling(lane, messages, fresh[-1].version, outcome)


def without_undone(rows: Sequence[Row[Any]], acknowledged: int) -> list[Row[Any]]:
    """Leave out versions that changed what a golden record consists of, up to the one that is again as before."""
    kept: list[Row[Any]] = []
    place = 0
    while place < len(rows):
        row = rows[place]
        before = rows[place - 1] if place else None
        undone = next((i for i in range(len(rows) - 1, place, -1) if before and _alike(before, rows[i])), None)
        if row.version > acknowledged and undone is not None and _is_regrouped(row):
            place = undone + 1
            continue
        if row.version > acknowledged:
            kept.append(row)
        place += 1
    return kept


def _alike(one: Row[Any], other: Row[Any]) -> bool:
    return (one.state, one.forward_to, one.checksum) == (other.state, other.forward_to, other.checksum)


def _is_regrouped(row: Row[Any]) -> bool:
    return row.state != "active" or any(row.details.get(name) for name in ("joined", "left", "follows"))


def _is_told(subscription: EventSubscription, row: Row[Any]) -> bool:
    if subscription.kinds and not _AS_ASKED_FOR.get(row.kind, {row.kind}) & set(subscription.kinds):
        return False
    # What ended is told to whoever may have known it, whatever its last values were.
    return row.state != "active" or fits(subscription.conditions, row.shown)


def _settled(
    telling: _Telling, answers: dict[str, Receipt | Failure], now: datetime
) -> tuple[Settlement, Failure | None]:
    told = None
    for version, message in telling.messages:
        answer = answers[message.id]
        if isinstance(answer, Failure):
            return failed(telling.lane, answer, now=now, told=told), answer
        told = version
    return Done(telling.lane, telling.version, telling.outcome, details={"messages": len(telling.messages)}), None
