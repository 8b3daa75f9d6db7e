"""Lanes at work: lease what is due of a target, settle what was told, and let a target rest, stop or go on.

Leases and due times are by the database's clock, or by the clock that a caller gives. A lease that ran out is leased
again; whoever had it settles nothing any more, since its token is another one.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, Final, Literal

from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.model import REASON_LENGTH_MAX, Failure, FailureKind
from mdm.db.actor import name_actor
from mdm.delivery import lanes_store as store
from mdm.delivery import standings_store
from mdm.delivery.model import Dead, Declaration, Done, DueLane, Later, Rate, Settlement, Standing
from mdm.delivery.retry import RULES, next_attempt, rest_until
from mdm.failpoints import failpoint
from mdm.identity import store as identity_store
from mdm.identity.service import GoldenLocks
from mdm.ids import GoldenId
from mdm.telemetry import DELIVERIES, DELIVERY_SECONDS

# Chosen: what waits for a parent is woken by it, and what waits for a review by the version that an answer makes. This
# is for what was missed, and for an answer that makes none: "different" lets the record be made ten minutes later.
WAITING: Final = timedelta(minutes=10)

Clock = Callable[[Connection], datetime]


def lease(
    connection: Connection,
    declaration: Declaration,
    *,
    limit: int,
    lasting: timedelta,
    calls_per_lane: float = 1.0,
    now: Clock = clock.instant,
) -> tuple[DueLane, ...]:
    """Lease up to so many due lanes of a target, and no more than its rate lets; each takes one call of it.

    None while it rests, is not running, or is outside of its hours. After a circuit was open one lane goes first. A
    target that is drained and has nothing left that can be told is paused.
    """
    standing = standings_store.select_standing(connection, declaration.id)
    if standing is None or not standing.is_told:
        return ()
    instant = now(connection)
    if standing.opens_at is not None and standing.opens_at > instant:
        return ()
    if standing.state == "draining" and not store.has_due_before(
        connection, declaration.id, instant=standing.since, now=instant
    ):
        settled = replace(standing, state="paused", since=instant, reason=f"drained; {standing.reason}".rstrip("; "))
        standings_store.upsert_standing(connection, settled, burst=declaration.rate.burst)
        return ()
    if not declaration.schedule.is_open_at(instant):
        return ()
    limit = min(
        1 if standing.opens_at is not None else limit, _allowed(declaration.rate, standing, instant, calls_per_lane)
    )
    if not limit:
        return ()
    lanes = store.lease(
        connection, declaration.id, token=token_hex(8), now=instant, until=instant + lasting, limit=limit
    )
    taken = _take(connection, declaration, len(lanes), instant)
    if taken < len(lanes):  # another process was quicker
        pause = timedelta(seconds=1 / declaration.rate.per_second)
        store.give_back(connection, lanes[taken:], due_at=instant + pause)
    failpoint("delivery.leased")
    return lanes[:taken]


def settle(
    connection: Connection,
    declaration: Declaration,
    settlements: Sequence[Settlement],
    *,
    failures: Sequence[Failure] = (),
    answered: bool = True,
    now: Clock = clock.instant,
) -> frozenset[GoldenId]:
    """Settle lanes, and how the target as a whole does; returns the golden ids whose lease still held.

    failures  what the target as a whole did not answer, or could not
    answered  whether it answered anything at all
    """
    instant = now(connection)
    rows = [_row(one, instant) for one in settlements]
    kept = store.settle_done(connection, [r for r in rows if r["state"] == "done"], now=instant)
    kept |= store.settle_failed(connection, [r for r in rows if r["state"] != "done"], now=instant)
    outcomes = [_outcome(one) for one in settlements if one.lane.golden_id in kept and not isinstance(one, Later)]
    store.insert_outcomes(connection, outcomes, at=instant, who=f"target {declaration.id}")
    _note_health(connection, declaration, failures, instant, answered=answered)
    _wake(connection, declaration, settlements, kept, instant)
    failpoint("delivery.settled")
    for outcome in outcomes:
        DELIVERIES.labels(declaration.id, outcome["outcome"]).inc()
    queued_at = [
        one.lane.queued_at
        for one in settlements
        if isinstance(one, Done) and one.outcome == "delivered" and one.lane.golden_id in kept
    ]
    _observe_seconds(connection, declaration, queued_at, instant)
    return frozenset(map(GoldenId, kept))


def charge(connection: Connection, declaration: Declaration, calls: int, *, now: Clock = clock.instant) -> float:
    """Charge a target's rate with calls beyond those of the leases; returns what it allows then, below 0 for less."""
    rate = declaration.rate
    return store.charge(
        connection, declaration.id, calls=calls, per_second=rate.per_second, burst=rate.burst, now=now(connection)
    )


def tell_mended(connection: Connection, golden_ids: Sequence[GoldenId], *, now: Clock = clock.instant) -> None:
    """Let every target be told again of golden records that it may have refused: what it refused was mended."""
    store.revive(connection, golden_ids, now=now(connection))


def note_unopened(connection: Connection, declaration: Declaration, reason: str, *, now: Clock = clock.instant) -> None:
    """Note that the connector of a target could not be made: it fails as one that does not answer, and is let rest so.

    No lane was tried, so none uses up an attempt. A target that is not to be told any more is left as it stands.
    """
    standing = standings_store.select_standing(connection, declaration.id)
    if standing is not None and standing.is_told:
        failure = Failure("unavailable", reason[:REASON_LENGTH_MAX])
        _note_failure(connection, declaration, failure, "unopened", instant=now(connection), must_stop=False)


def rests(connection: Connection, declaration: Declaration, *, now: Clock = clock.instant) -> bool:
    """Tell whether a target is let rest, so that nothing is tried now."""
    standing = standings_store.select_standing(connection, declaration.id)
    return standing is not None and standing.opens_at is not None and standing.opens_at > now(connection)


def establish(connection: Connection, prefixes: Sequence[str], delivered: Sequence[Done]) -> None:
    """Note what a target acknowledged as established: golden records that still are as it was told of them."""
    fresh = identity_store.select_unpublished(connection, [one.lane.golden_id for one in delivered])
    if not fresh:
        return
    GoldenLocks(prefixes).hold(connection, sorted(fresh))
    goldens = identity_store.select_goldens(connection, fresh)
    versions = {one.lane.golden_id: one.version for one in delivered}
    same = [id_ for id_, golden in goldens.items() if golden.state == "active" and golden.version == versions[id_]]
    if same:
        identity_store.mark_published(connection, same, at=clock.recording_instant(connection))


def failed(lane: DueLane, failure: Failure, *, now: datetime, told: int | None = None) -> Later | Dead:
    """Say what becomes of a lane after a failure: later, or parked."""
    due_at = next_attempt(failure, attempts=lane.attempts, now=now, chance=random.random())  # noqa: S311 -- jitter
    if due_at is None:
        return Dead(lane, failure.kind, failure.reason, told)
    return Later(lane, due_at, failure.kind, failure.reason, told)


def _allowed(rate: Rate, standing: Standing, now: datetime, calls_per_lane: float) -> int:
    """Say how many lanes of so many calls the rate of a target allows now: one where it allows a call at all."""
    elapsed_s = max(0.0, (now - standing.tokens_at).total_seconds()) if standing.tokens_at is not None else 0.0
    calls = min(rate.burst, standing.tokens + rate.per_second * elapsed_s)
    return max(1, int(calls / calls_per_lane)) if calls >= 1 else 0


def _take(connection: Connection, declaration: Declaration, wanted: int, now: datetime) -> int:
    if not wanted:
        return 0
    rate = declaration.rate
    return store.take_tokens(
        connection, declaration.id, wanted=wanted, per_second=rate.per_second, burst=rate.burst, now=now
    )


def _note_health(
    connection: Connection, declaration: Declaration, failures: Sequence[Failure], now: datetime, *, answered: bool
) -> None:
    whole = [failure for failure in failures if RULES[failure.kind].fault == "target"]
    worst = next((one for one in whole if RULES[one.kind].consequence in {"stop", "disable"}), None)
    if answered and worst is None and not any(one.kind == "throttled" for one in whole):
        if not whole:
            standings_store.note_success(connection, declaration.id, now=now)
        return
    if not whole:
        return
    failure = worst or whole[-1]
    _note_failure(connection, declaration, failure, failure.kind, instant=now, must_stop=worst is not None)


def _note_failure(
    connection: Connection,
    declaration: Declaration,
    failure: Failure,
    kind: FailureKind | Literal["unopened"],
    *,
    instant: datetime,
    must_stop: bool,
) -> None:
    standing = standings_store.select_standing(connection, declaration.id)
    if standing is None:
        return  # it was removed meanwhile
    # What a whole batch ran into at once is one failure of the target.
    count = standing.failures + (0 if failure.kind == "throttled" else 1)
    opens_at = rest_until(failure, failures=count, now=instant)
    failing = replace(standing, failures=count, failure_kind=kind, failure_reason=failure.reason)
    standings_store.note_failure(connection, failing, opens_at=opens_at, now=instant)
    failing_for = instant - (standing.failing_since or instant)
    if must_stop or failing_for >= declaration.failing_for:
        disabled = RULES[failure.kind].consequence == "disable"
        reason = failure.reason if must_stop else f"it fails for {failing_for}: {failure.reason}"
        name_actor(connection, f"target {declaration.id}")
        standings_store.upsert_standing(
            connection,
            Standing(
                declaration.id, "disabled" if disabled else "stopped", reason, instant, f"target {declaration.id}"
            ),
            burst=declaration.rate.burst,
        )


def _wake(
    connection: Connection,
    declaration: Declaration,
    settlements: Sequence[Settlement],
    kept: frozenset[str],
    instant: datetime,
) -> None:
    """Let what waits for what was told be due now: what waited before, and what was settled here and was overtaken.

    What somebody may have told before without noting it counts as told, whatever there was left to tell.
    Of two processes, one that told something and one that notes a wait for it, the second to come here sees what the
    first one did. From here on no lane is waited for: whoever leases lanes waits for the pulse with them locked.
    """
    told = [
        one.lane.golden_id
        for one in settlements
        if isinstance(one, Done) and (one.outcome == "delivered" or one.lane.may_be_told)
    ]
    waits = [
        _wait(one) for one in settlements if isinstance(one, Later) and one.waits_for and one.lane.golden_id in kept
    ]
    if declaration.events is not None or not (told or waits):
        return  # messages wait for nothing
    standings_store.lock_pulse(connection, declaration.id)
    store.wake_waiting(connection, declaration.id, told, now=instant)
    store.wake_overtaken(connection, waits, now=instant)


def _observe_seconds(
    connection: Connection, declaration: Declaration, queued_at: Sequence[datetime], instant: datetime
) -> None:
    """Measure how long what was delivered could have been told: neither outside of hours, nor before it was let run."""
    standing = standings_store.select_standing(connection, declaration.id) if queued_at else None
    if standing is None:
        return
    seconds = DELIVERY_SECONDS.labels(declaration.id)
    # One that was paused while this was on its way stands so for less long than what was told took.
    runs_since = standing.since if standing.is_told else datetime.min.replace(tzinfo=UTC)
    for queued in queued_at:
        since = declaration.schedule.tellable_since(max(queued, runs_since), instant)
        seconds.observe(max(0.0, (instant - since).total_seconds()))


def _row(one: Settlement, instant: datetime) -> dict[str, Any]:
    lane = one.lane
    row: dict[str, Any] = {"target_id": lane.target_id, "golden_id": lane.golden_id, "token": lane.token}
    if isinstance(one, Done):
        return row | {"state": "done", "version": one.version}
    row |= {"kind": one.kind, "reason": one.reason, "told": one.told, "waits_for": None, "due_at": None}
    if isinstance(one, Dead):
        return row | {"state": "dead", "attempts": lane.attempts + 1}
    counts = one.kind is not None and RULES[one.kind].counts
    # What is due again at once waits for nothing.
    state = "waiting" if one.kind is None and one.due_at > instant else "ready"
    attempts = lane.attempts + 1 if counts else lane.attempts if one.told is None else 0
    return row | {"state": state, "due_at": one.due_at, "attempts": attempts, "waits_for": one.waits_for}


def _wait(one: Later) -> dict[str, Any]:
    lane = one.lane
    row = {"target_id": lane.target_id, "golden_id": lane.golden_id}
    return row | {"waits_for": one.waits_for, "leased_at": lane.leased_at}


def _outcome(one: Done | Dead) -> dict[str, Any]:
    return {
        "target_id": one.lane.target_id,
        "golden_id": one.lane.golden_id,
        "version": one.version if isinstance(one, Done) else one.lane.head,
        "outcome": one.outcome if isinstance(one, Done) else "dead",
        "attempts": one.lane.attempts + 1,
        "kind": None if isinstance(one, Done) else one.kind,
        "reason": one.reason,
        "details": one.details if isinstance(one, Done) else {},
        "queued_at": one.lane.queued_at,
    }
