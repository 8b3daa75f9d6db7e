"""Use cases of people who look after deliveries: see what waits, tell again, leave out."""

from dataclasses import asdict

from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.delivery import lanes_store, standings_store
from mdm.delivery import orders_store as store
from mdm.delivery.model import Declaration
from mdm.delivery.orders_model import Asked, Depth, LaneFilter, LaneLine, Order, OutcomeLine, TargetLine
from mdm.delivery.targets import declarations, require_declaration
from mdm.errors import InputInvalid
from mdm.ids import GoldenId, new_delivery_order_id
from mdm.publishing import store as publishing_store


def target_lines(connection: Connection) -> tuple[TargetLine, ...]:
    """List every target with how it stands and how much waits for it."""
    declared = declarations(connection)
    standings = standings_store.select_standings(connection)
    depths = {
        row.target_id: Depth(row.ready, row.waiting, row.dead, row.failing, row.oldest_at)
        for row in store.select_depths(connection)
    }
    return tuple(
        TargetLine(
            target.id,
            declared[target.id].title if target.id in declared else target.id,
            target.kind,
            target.entity_types,
            standings.get(target.id),
            depths.get(target.id, Depth()),
        )
        for target in publishing_store.select_targets(connection)
    )


def lane_lines(
    connection: Connection,
    *,
    target_id: str | None = None,
    state: LaneFilter = "any",
    golden_id: GoldenId | None = None,
    after: str = "",
    limit: int = 100,
) -> tuple[LaneLine, ...]:
    """List lanes that have something to tell; `after` is `golden id, blank, target id` of the last one seen."""
    rows = store.select_lanes(
        connection, target_id=target_id, state=state, golden_id=golden_id, after=after, limit=limit
    )
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
    connection: Connection,
    *,
    target_id: str | None = None,
    golden_id: GoldenId | None = None,
    before: int | None = None,
    limit: int = 100,
) -> tuple[OutcomeLine, ...]:
    """List what became of messages, newest first."""
    rows = store.select_outcomes(connection, target_id=target_id, golden_id=golden_id, before=before, limit=limit)
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


def replay(connection: Connection, target_id: str, asked: Asked, *, reason: str, who: str) -> Order:
    """Tell a target again: what is parked, or, where a golden record or a range is named, what it was told then.

    Messages keep their ids. Raises TargetUnknown, InputInvalid without a reason.
    """
    declaration = _ordered(connection, target_id, reason, who)
    now = clock.instant(connection)
    lanes = store.revive_dead(connection, target_id, asked, now=now)
    if asked != Asked():
        lanes += store.tell_again(connection, target_id, asked, is_coalesced=declaration.events is None, now=now)
    return _keep(connection, Order(new_delivery_order_id(), target_id, "replay", lanes, reason), asked, who)


def skip(connection: Connection, target_id: str, asked: Asked, *, reason: str, who: str) -> Order:
    """Leave out what is parked, waits or fails: the target is not told of it. Raises as `replay` does."""
    _ordered(connection, target_id, reason, who)
    if asked.since is not None or asked.until is not None:
        raise InputInvalid("only what was not told can be left out", remedy="leave the range out", field="since")
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
