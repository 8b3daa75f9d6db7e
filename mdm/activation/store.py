"""SQL of deals, one function a question."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row

from mdm.activation.model import (
    STATES,
    STUCK,
    Deal,
    DealFilter,
    DealName,
    Ids,
    Progress,
    StateCount,
    StepCount,
    StepTurn,
)
from mdm.db.statement import text
from mdm.db.types import as_json
from mdm.ids import DealId, ExceptionId, GoldenId, ReservationId
from mdm.sources.model import SourceKey

_DEAL = "SELECT d.* FROM deal d"
_STUCK = ", ".join(f"'{because}'" for because in STUCK)
_HELD_UP = (
    "(d.standing IN ('incomplete', 'failing', 'failed', 'taking_back')"
    f" OR d.standing = 'waiting' AND d.because IN ({_STUCK}))"
)


def insert_deal(connection: Connection, deal: Deal) -> None:
    """Keep a new deal."""
    connection.execute(
        text(
            "INSERT INTO deal (id, recipe, opportunity, state, standing, step, done, attempts, because, is_ending,"
            " has_project, has_contract, since, entered_at, lease_token, recorded_at, who)"
            " VALUES (:id, :recipe, :opportunity, :state, :standing, :step, '{}', 0, '', false, false, false,"
            " CAST(:since AS jsonb), :recorded_at, 0, :recorded_at, :who)"
        ),
        {
            "id": deal.id,
            "recipe": deal.recipe,
            "opportunity": str(deal.opportunity),
            "state": deal.progress.state,
            "standing": deal.progress.standing,
            "step": deal.progress.step,
            "since": as_json({str(state): at for state, at in deal.since.items()}),
            "recorded_at": deal.recorded_at,
            "who": deal.who,
        },
    )


def select_deal(connection: Connection, deal_id: str, *, for_update: bool = False) -> Deal | None:
    """Find one deal; `for_update` keeps others from changing it."""
    lock = " FOR UPDATE" if for_update else ""
    row = connection.execute(text(f"{_DEAL} WHERE d.id = :id{lock}"), {"id": deal_id}).one_or_none()
    return _deal(row) if row is not None else None


def select_by_opportunity(connection: Connection, opportunity: SourceKey) -> Deal | None:
    """Find the deal of an opportunity that is not cancelled."""
    query = text(f"{_DEAL} WHERE d.opportunity = :opportunity AND d.state <> 'cancelled'")
    row = connection.execute(query, {"opportunity": str(opportunity)}).one_or_none()
    return _deal(row) if row is not None else None


def update_deal(connection: Connection, deal: Deal) -> None:
    """Write how far a deal is, and give up the lease on it."""
    progress, ids = deal.progress, deal.ids
    connection.execute(
        text(
            "UPDATE deal SET state = :state, standing = :standing, step = :step, done = :done, attempts = :attempts,"
            " because = :because, is_ending = :is_ending, billing = :billing, reservation_id = :reservation_id,"
            " customer_id = :customer_id, has_project = :has_project, has_contract = :has_contract,"
            " record_id = (SELECT r.id FROM source_record r WHERE (r.instance_id, r.object, r.scope, r.native_id) ="
            "  (:instance, :object, '', :id)), exception_id = :exception_id, approved_by = :approved_by,"
            " since = CAST(:since AS jsonb), entered_at = :entered_at, next_at = :next_at, lease_until = NULL,"
            " ended_by = :ended_by WHERE id = :id"
        ),
        {
            "id": deal.id,
            "instance": deal.contract_key.instance,
            "object": deal.contract_key.object,
            "state": progress.state,
            "standing": progress.standing,
            "step": progress.step,
            "done": list(progress.done),
            "attempts": progress.attempts,
            "because": progress.because,
            "is_ending": progress.is_ending,
            "billing": deal.billing,
            "reservation_id": ids.reservation_id,
            "customer_id": ids.customer_id,
            "has_project": ids.has_project,
            "has_contract": ids.has_contract,
            "exception_id": deal.exception_id,
            "approved_by": deal.approved_by,
            "since": as_json({str(state): at for state, at in deal.since.items()}),
            "entered_at": deal.entered_at,
            "next_at": deal.next_at,
            "ended_by": deal.ended_by,
        },
    )


def update_next(connection: Connection, deal_id: DealId, next_at: datetime | None) -> None:
    """Look at a waiting deal again later, and give up the lease on it."""
    connection.execute(
        text("UPDATE deal SET next_at = :next_at, lease_until = NULL WHERE id = :id"),
        {"id": deal_id, "next_at": next_at},
    )


def lease(connection: Connection, *, at: datetime, until: datetime, deal_id: str | None) -> Deal | None:
    """Take a deal that is due, or this one, unless somebody else works on it; the token fences off whoever did before.

    By chance: one that fails again and again must not hold up others.
    """
    row = connection.execute(
        text(
            "UPDATE deal d SET lease_token = d.lease_token + 1, lease_until = :until WHERE d.id = (SELECT id FROM deal"
            " WHERE (CAST(:id AS text) IS NULL OR id = :id) AND next_at <= :at"
            " AND (lease_until IS NULL OR lease_until < :at) ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING d.*"
        ),
        {"at": at, "until": until, "id": deal_id},
    ).one_or_none()
    return _deal(row) if row is not None else None


def insert_turns(connection: Connection, deal_id: DealId, turns: Sequence[StepTurn]) -> None:
    """Append what happened to steps of a deal."""
    if not turns:
        return
    rows = [
        {"step": one.step, "turn": one.turn, "because": one.because, "at": one.recorded_at, "who": one.who}
        for one in turns
    ]
    connection.execute(
        text(
            "INSERT INTO deal_turn (deal_id, step, turn, because, recorded_at, who)"
            " SELECT :id, step, turn, because, at, who FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (step text,"
            " turn text, because text, at timestamptz, who text)"
        ),
        {"id": deal_id, "rows": as_json(rows)},
    )


def select_turns(connection: Connection, deal_id: DealId) -> tuple[StepTurn, ...]:
    """List what happened to the steps of a deal, oldest first."""
    rows = connection.execute(
        text("SELECT step, turn, recorded_at, who, because FROM deal_turn WHERE deal_id = :id ORDER BY id"),
        {"id": deal_id},
    )
    return tuple(StepTurn(*row) for row in rows)


def select_deals(
    connection: Connection, asked: DealFilter, *, at: datetime, after: str, limit: int
) -> tuple[Deal, ...]:
    """List deals by id, which is the order in which they came in; the cancelled only when they are asked for."""
    rows = connection.execute(
        text(
            f"{_DEAL} WHERE CASE WHEN CAST(:state AS text) IS NULL THEN d.state <> 'cancelled' ELSE d.state = :state"
            f" END AND (CAST(:before AS timestamptz) IS NULL OR d.entered_at <= :before) AND (NOT :held OR {_HELD_UP})"
            " AND d.id > :after ORDER BY d.id LIMIT :limit"
        ),
        {
            "state": asked.state,
            "before": None if asked.older_than is None else at - asked.older_than,
            "held": asked.is_held_up,
            "after": after,
            "limit": limit,
        },
    )
    return tuple(_deal(row) for row in rows)


def select_oldest(connection: Connection, state: str, *, limit: int) -> tuple[Deal, ...]:
    """List the deals of a state, those that are held up first, then the longest in it."""
    rows = connection.execute(
        text(f"{_DEAL} WHERE d.state = :state ORDER BY {_HELD_UP} DESC, d.entered_at, d.id LIMIT :limit"),
        {"state": state, "limit": limit},
    )
    return tuple(_deal(row) for row in rows)


def count_deals(connection: Connection) -> tuple[StateCount, ...]:
    """Count the deals of each state, in the order of states."""
    rows = connection.execute(
        text(
            f"SELECT d.state, count(*) AS n, count(*) FILTER (WHERE {_HELD_UP}) AS held_up,"
            " min(d.entered_at) AS oldest_at FROM deal d WHERE d.state <> 'cancelled' GROUP BY 1"
        )
    )
    found = {row.state: StateCount(row.state, row.n, row.held_up, row.oldest_at) for row in rows}
    return tuple(found.get(state, StateCount(state, 0, 0, None)) for state in STATES)


def count_steps(connection: Connection) -> tuple[StepCount, ...]:
    """Count the deals at each step, by their state and how they stand."""
    rows = connection.execute(
        text(
            "SELECT d.state, d.step, d.standing, count(*) AS n FROM deal d"
            " WHERE d.state <> 'cancelled' AND d.step IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
    )
    return tuple(StepCount(row.state, row.step, row.standing, row.n) for row in rows)


def count_older(connection: Connection, state: str, *, than: timedelta, at: datetime) -> int:
    """Count the deals that are in a state for longer than this."""
    query = text("SELECT count(*) FROM deal WHERE state = :state AND entered_at < :before")
    return int(connection.execute(query, {"state": state, "before": at - than}).scalar_one())


def select_names(connection: Connection, deals: Sequence[Deal]) -> dict[DealId, DealName]:
    """Read what people call these deals: contract, client, amount, as their golden records hold them now."""
    rows = [
        {"deal_id": one.id, "native_id": one.id, "customer_id": one.ids.customer_id, "object": one.contract_key.object}
        for one in deals
    ]
    found = connection.execute(
        text(
            "SELECT w.deal_id, c.values ->> 'name' AS name, c.values ->> 'value' AS amount, c.values ->> 'currency' AS"
            " currency, k.values ->> 'legal_name' AS client"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS w (deal_id text, native_id text, customer_id text,"
            " object text)"
            " LEFT JOIN source_record r ON (r.instance_id, r.object, r.scope, r.native_id) = ('hub', w.object, '',"
            "  w.native_id)"
            # The last version that held a name: of a cancelled deal no record is left that would say one, though what
            # the system that bills created for it may be there still.
            " LEFT JOIN LATERAL (SELECT v.values FROM golden_version v WHERE v.golden_id = r.golden_id"
            "  AND v.state = 'active' AND v.values ->> 'name' IS NOT NULL ORDER BY v.version DESC LIMIT 1) AS c ON true"
            " LEFT JOIN golden_record a ON a.id = w.customer_id"
            " LEFT JOIN golden_record b ON b.id = coalesce(a.forward_to, a.id) AND b.state = 'active'"
            " LEFT JOIN golden_version k ON k.golden_id = b.id AND k.version = b.version"
        ),
        {"rows": as_json(rows)},
    )
    return {
        DealId(row.deal_id): DealName(row.name or "", row.client or "", row.amount or "", row.currency or "")
        for row in found
    }


def select_parents(connection: Connection, golden_id: GoldenId, *, depth_max: int) -> tuple[tuple[str, ...], bool]:
    """Follow the parents of a golden customer upwards: their ids, and whether they lead back to where it began.

    A parent that resolves to no golden record ends the chain with "".
    """
    seen: list[str] = []
    at: str | None = golden_id
    while at is not None and len(seen) < depth_max:
        row = connection.execute(
            text(
                "SELECT coalesce(v.values ->> 'parent', CASE WHEN EXISTS (SELECT FROM source_record r JOIN"
                " source_reference f ON f.record_id = r.id WHERE r.golden_id = g.id AND r.state = 'active'"
                " AND f.attribute = 'parent') THEN '' END) AS parent FROM golden_record g JOIN golden_version v"
                " ON v.golden_id = g.id AND v.version = g.version WHERE g.id = :id AND g.state = 'active'"
            ),
            {"id": at},
        ).one_or_none()
        if row is None:
            return (*seen, ""), False
        if row.parent == golden_id or row.parent in seen:
            return (*seen, row.parent), True
        at = row.parent
        if at is not None:
            seen.append(at)
    return tuple(seen), False


def select_facts(connection: Connection, key: SourceKey) -> dict[str, Any] | None:
    """Return the facts of a deal as the last version of its contract record that was no deletion holds them."""
    row = connection.execute(
        text(
            "SELECT v.fields FROM source_record r JOIN source_record_version v ON v.record_id = r.id"
            " WHERE (r.instance_id, r.object, r.scope, r.native_id) = (:instance, :object, :scope, :native_id)"
            " AND v.state <> 'deleted' ORDER BY v.version DESC LIMIT 1"
        ),
        {"instance": key.instance, "object": key.object, "scope": key.scope, "native_id": key.native_id},
    ).one_or_none()
    return None if row is None else dict(row.fields.get("deal") or {})


def require_golden(connection: Connection, key: SourceKey) -> GoldenId:
    """Return the golden record that a record of the hub belongs to."""
    query = text(
        "SELECT golden_id FROM source_record WHERE (instance_id, object, scope, native_id) = (:instance, :object,"
        " :scope, :native_id)"
    )
    found = connection.execute(
        query, {"instance": key.instance, "object": key.object, "scope": key.scope, "native_id": key.native_id}
    ).scalar_one()
    return GoldenId(found)


def fence(connection: Connection, deal_id: DealId) -> None:
    """Take a deal away from whoever works on it."""
    connection.execute(text("UPDATE deal SET lease_token = lease_token + 1 WHERE id = :id"), {"id": deal_id})


def _deal(row: Row[Any]) -> Deal:
    return Deal(
        id=DealId(row.id),
        recipe=row.recipe,
        opportunity=SourceKey.parse(row.opportunity),
        progress=Progress(row.state, row.standing, row.step, tuple(row.done), row.attempts, row.because, row.is_ending),
        ids=Ids(
            None if row.reservation_id is None else ReservationId(row.reservation_id),
            None if row.customer_id is None else GoldenId(row.customer_id),
            row.has_project,
            row.has_contract,
        ),
        billing=row.billing,
        recorded_at=row.recorded_at,
        who=row.who,
        since=dict(sorted(((state, datetime.fromisoformat(at)) for state, at in row.since.items()), key=itemgetter(1))),
        next_at=row.next_at,
        exception_id=None if row.exception_id is None else ExceptionId(row.exception_id),
        lease_token=row.lease_token,
        approved_by=row.approved_by,
        ended_by=row.ended_by,
    )
