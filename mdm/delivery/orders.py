"""Use cases of people who look after deliveries: see what waits, tell again, leave out."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.delivery import lanes_store, standings_store
from mdm.delivery import orders_store as store
from mdm.delivery.model import Declaration, Standing
from mdm.delivery.orders_model import (
    Asked,
    Depth,
    LaneFilter,
    LaneLine,
    Order,
    OrderKind,
    OutcomeLine,
    Past,
    TargetLine,
)
from mdm.delivery.schedule import ALWAYS, Schedule
from mdm.delivery.targets import declarations, require_declaration
from mdm.errors import InputInvalid, TargetUnknown
from mdm.ids import GoldenId, new_delivery_order_id
from mdm.publishing import store as publishing_store

EVERYTHING: Final = Past()


def target_lines(connection: Connection) -> tuple[TargetLine, ...]:
    """List every target with how it stands and how much waits for it."""
    declared = declarations(connection)
    standings = standings_store.select_standings(connection)
    depths = _depths(connection)
    now = clock.instant(connection)
    lines = []
    for target in publishing_store.select_targets(connection):
        title = declared[target.id].title if target.id in declared else target.configuration["folder"]
        depth = depths.get(target.id, Depth())
        schedule = declared[target.id].schedule if target.id in declared else ALWAYS
        standing = standings.get(target.id)
        lines.append(
            TargetLine(
                target.id,
                title,
                target.kind,
                target.entity_types,
                target.configuration,
                standing,
                depth,
                _lateness(standing, depth, schedule, now),
                _told_again_at(standing, schedule, now),
            )
        )
    return tuple(lines)


def target_line(connection: Connection, target_id: str) -> TargetLine:
    """Give one target with how it stands; raises TargetUnknown."""
    found = next((line for line in target_lines(connection) if line.id == target_id), None)
    if found is None:
        raise TargetUnknown(target_id)
    return found


def lane_lines(
    connection: Connection,
    target_ids: Sequence[str],
    *,
    state: LaneFilter = "any",
    golden_id: GoldenId | None = None,
    after: tuple[str, str] = ("", ""),
    limit: int = 100,
) -> tuple[LaneLine, ...]:
    """List lanes of targets that have something to tell; `after` is target and golden id of the last one seen."""
    rows = store.select_lanes(connection, target_ids, state=state, golden_id=golden_id, after=after, limit=limit)
    return tuple(
        LaneLine(
            row.target_id,
            GoldenId(row.golden_id),
            row.entity_type,
            row.state,
            row.head,
            row.acknowledged,
            row.attempts,
            row.due_at,
            row.recorded_at,
            row.failing_since,
            row.failure_kind,
            row.failure_reason,
            GoldenId(row.waits_for) if row.waits_for else None,
        )
        for row in rows
    )


def outcome_lines(
    connection: Connection, target_ids: Sequence[str], asked: Past = EVERYTHING, *, limit: int = 100
) -> tuple[OutcomeLine, ...]:
    """List what became of messages to targets, newest first."""
    rows = store.select_outcomes(connection, target_ids, asked, limit=limit)
    return tuple(
        OutcomeLine(
            row.id,
            row.target_id,
            GoldenId(row.golden_id),
            row.version,
            row.outcome,
            row.attempts,
            row.failure_kind,
            row.reason,
            row.details,
            row.queued_at,
            row.recorded_at,
            row.who,
        )
        for row in rows
    )


def reach(connection: Connection, target_id: str, kind: OrderKind, asked: Asked) -> int:
    """Count the golden records that an order would reach now, and change nothing; raises as the order itself does."""
    require_declaration(connection, target_id)
    if kind == "replay":
        _require_order(asked)
        return store.count_replayed(connection, target_id, asked, with_told=asked.names_told)
    _require_no_range(asked)
    return store.count_skipped(connection, target_id, asked)


def replay(connection: Connection, target_id: str, asked: Asked, *, reason: str, who: str) -> Order:
    """Tell a target again: all that is parked; or what it was told, or was parked, of a golden record or in a range.

    Messages keep their ids. Raises TargetUnknown, InputInvalid without a reason or for a range that ends too early.
    """
    declaration = _ordered(connection, target_id, reason, who)
    _require_order(asked)
    now = clock.instant(connection)
    lanes = 0
    # What was told before and is parked now is reached once: telling it again takes it out of the parked ones.
    if asked.names_told:
        lanes += store.tell_again(connection, target_id, asked, is_coalesced=declaration.events is None, now=now)
    lanes += store.revive_dead(connection, target_id, asked, now=now)
    return _keep(connection, Order(new_delivery_order_id(), target_id, "replay", lanes, reason), asked, who)


def skip(connection: Connection, target_id: str, asked: Asked, *, reason: str, who: str) -> Order:
    """Leave out what is parked, waits or fails: the target is not told of it. Raises as `replay` does."""
    _ordered(connection, target_id, reason, who)
    _require_no_range(asked)
    left_out = store.skip(connection, target_id, asked)
    rows = [
        {
            "target_id": target_id,
            "golden_id": row.golden_id,
            "version": row.head,
            "outcome": "skipped",
            "attempts": 0,
            "kind": None,
            "reason": reason,
            "details": {},
            "queued_at": row.recorded_at,
        }
        for row in left_out
    ]
    lanes_store.insert_outcomes(connection, rows, at=clock.instant(connection), who=who)
    return _keep(connection, Order(new_delivery_order_id(), target_id, "skip", len(rows), reason), asked, who)


def republish(
    connection: Connection, target_id: str, differing: Collection[GoldenId], *, who: str, reason: str
) -> Order:
    """Let a target be told again of golden records of which it holds something else: only what differs is written."""
    _ordered(connection, target_id, reason, who)
    lanes = store.tell_where_it_differs(connection, target_id, differing, now=clock.instant(connection))
    return _keep(connection, Order(new_delivery_order_id(), target_id, "republish", lanes, reason), Asked(), who)


def ask_to_let_go(
    connection: Connection, target_id: str, owners: Collection[GoldenId], *, reason: str, now: datetime
) -> None:
    """Let a target be told again of golden records, one of whose records there bears the id of another one."""
    tell_settled(connection, target_id, owners, who=f"target {target_id}", reason=reason, now=now)


def tell_settled(
    connection: Connection, target_id: str, golden_ids: Collection[GoldenId], *, who: str, reason: str, now: datetime
) -> None:
    """Let a target be told again of those golden records that it was told of; what waits or is parked does so on."""
    lanes = store.tell_settled_again(connection, target_id, golden_ids, now=now)
    if lanes:
        name_actor(connection, who)
        order = Order(new_delivery_order_id(), target_id, "republish", lanes, reason)
        _keep(connection, order, Asked(), who)


def _depths(connection: Connection) -> dict[str, Depth]:
    found: dict[str, Depth] = {}
    for row in store.select_depths(connection):
        depth = found.get(row.target_id, Depth())
        if row.state == "ready":
            depth = replace(depth, ready=row.lanes, failing=row.failing, oldest_at=row.oldest_at)
        elif row.state == "waiting":
            depth = replace(depth, waiting=row.lanes)
        else:
            depth = replace(depth, dead=row.lanes)
        found[row.target_id] = depth
    return found


def _lateness(standing: Standing | None, depth: Depth, schedule: Schedule, now: datetime) -> float | None:
    """Say for how long the oldest message could have been told; None while all of them wait for an undo or for hours.

    What waited before the present hours began, or before the target was let run, is late from then on. One that is not
    to be told is not late.
    """
    is_told = standing is None or standing.is_told  # a folder of files has no standing: it is always told
    if depth.oldest_at is None or depth.oldest_at > now or not is_told or not schedule.is_open_at(now):
        return None
    since = depth.oldest_at if standing is None else max(depth.oldest_at, standing.since)
    return (now - schedule.tellable_since(since, now)).total_seconds()


def _told_again_at(standing: Standing | None, schedule: Schedule, now: datetime) -> datetime | None:
    is_told = standing is not None and standing.is_told
    return schedule.opens_next(now) if is_told and not schedule.is_open_at(now) else None


def _require_no_range(asked: Asked) -> None:
    if asked.is_range:
        raise InputInvalid("only what was not told can be left out", remedy="leave the range out", field="since")


def _require_order(asked: Asked) -> None:
    if asked.since is not None and asked.until is not None and asked.since > asked.until:
        raise InputInvalid(
            f"the range begins at {asked.since.isoformat()}, after its end at {asked.until.isoformat()}",
            remedy="let since be no later than until",
            field="since",
        )


def _ordered(connection: Connection, target_id: str, reason: str, who: str) -> Declaration:
    declaration = require_declaration(connection, target_id)
    if not reason.strip():
        raise InputInvalid("say why", remedy="give a reason of one sentence", field="reason")
    name_actor(connection, who)
    return declaration


def _keep(connection: Connection, order: Order, asked: Asked, who: str) -> Order:
    row = {
        "id": order.id,
        "target_id": order.target_id,
        "kind": order.kind,
        "asked": {name: str(value) for name, value in asdict(asked).items() if value is not None},
        "lanes": order.lanes,
        "reason": order.reason,
        "at": clock.instant(connection),
        "who": who,
    }
    store.insert_order(connection, row)
    return order
