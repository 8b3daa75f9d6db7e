"""Match what a target holds before anything is written there: planned first, looked at, then applied.

Planning takes every record along the way that applying takes it, and takes it back. Applying is cut into pages, each of
which may be repeated: one that was interrupted is begun again. Only when all are through does the target run; then its
lanes create, fill and update by what it declares.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.model import RecordSystem, RemoteRecord
from mdm.db.locks import lock_keys
from mdm.db.transaction import run
from mdm.delivery import ledger_store, orders, standings_store
from mdm.delivery.binding import bind_key
from mdm.delivery.hashes import new_salt
from mdm.delivery.model import Declaration, OwnRecord, RecordSubscription
from mdm.delivery.targets import end_backfill
from mdm.errors import DecisionContradicts, reason_of
from mdm.hub import UNBRACKETED, Bracket, Hub, Work, carry
from mdm.ids import GoldenId
from mdm.jobs.claims import Claim, MatchKeys, claim_all, read_match_keys
from mdm.jobs.model import Outcome, Outcomes
from mdm.jobs.service import deliver, rehearse_deliveries
from mdm.reconciliation import service as reports
from mdm.reconciliation.model import Aim, Report, Tally
from mdm.reconciliation.prospects import Matched, tell_prospects
from mdm.reconciliation.remote_records import as_seen, column_map_of, in_order, note_seen, read_all
from mdm.sources.model import SourceKey
from mdm.sources.service import meeting_point

OnPage = Callable[[str, int], None]
"""Is told of every page that was read, before anything is done with it: entity type, and records read so far."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a caller wants told on the way, and kept with the effect.

    on_look  is called before each look at some golden records, once all pages are read
    """

    on_page: OnPage = lambda _, __: None
    on_look: Callable[[], None] = lambda: None
    bracket: Bracket[Report] = UNBRACKETED


AROUND_NOTHING: Final = Around()
_UNMATCHED: Final = frozenset({"unknown", "ambiguous"})


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one record, or would."""

    claim: Claim
    finding: str
    golden_id: GoldenId | None


@dataclass(slots=True)
class Run:
    """One run over the records of a target, page by page.

    minted  golden records that came of its records
    """

    hub: Hub
    declaration: Declaration
    who: str
    tally: Tally = field(default_factory=Tally)
    matched: Matched = field(default_factory=Matched)
    minted: set[GoldenId] = field(default_factory=set)


def plan_backfill(
    hub: Hub,
    target_id: str,
    system: RecordSystem,
    *,
    who: str,
    around: Around = AROUND_NOTHING,
) -> Report:
    """Say of every record of a target what it is, and what would be written there; keep it as the plan.

    Raises TargetUnknown, InputInvalid, TargetUnavailable.
    """
    return _report(_Asked(hub, target_id, system, who, around), "planned")


def apply_backfill(
    hub: Hub,
    target_id: str,
    system: RecordSystem,
    *,
    who: str,
    around: Around = AROUND_NOTHING,
) -> tuple[Report, Report]:
    """Match every record of a target, then let it run; return the plan that was seen, and what was done.

    Raises TargetUnknown, TargetUnavailable, and InputInvalid without a plan for what is declared now.
    """

    def seen(connection: Connection) -> Report:
        return reports.require_plan(connection, reports.require_records(connection, target_id))

    plan = run(hub.engine, seen)
    done = _report(_Asked(hub, target_id, system, who, around), "applied")
    return plan, done


PageTaken = Callable[[Run, RecordSubscription, Sequence[Claim]], Sequence[Taken]]


@dataclass(frozen=True, slots=True)
class _Asked:
    hub: Hub
    target_id: str
    system: RecordSystem
    who: str
    around: Around


def _report(asked: _Asked, aim: Aim) -> Report:
    hub = asked.hub

    def begin(connection: Connection) -> tuple[Declaration, Report]:
        asked.around.bracket.before(connection)
        declaration = reports.require_records(connection, asked.target_id)
        return declaration, reports.begin(connection, declaration, "backfill", who=asked.who)

    declaration, report = run(hub.engine, begin)
    going = Run(hub, declaration, asked.who)
    try:
        match_all(going, asked.system, aim, asked.around)
    except BaseException as error:
        reason = reason_of(error)
        run(hub.engine, lambda connection: reports.keep(connection, report, "failed", going.tally, reason=reason))
        raise

    def end(connection: Connection) -> Report:
        end_run(connection, going, aim)
        return reports.keep(connection, report, aim, going.tally)

    return run(hub.engine, lambda connection: asked.around.bracket.around(connection, lambda: end(connection)))


def match_all(going: Run, system: RecordSystem, aim: Aim, around: Around) -> None:
    """Match every record of a target, for good or to be taken back, and count what comes of it in the run's tally.

    Raises TargetUnavailable, and what the caller raises on the way.
    """
    for subscription in in_order(going.hub.declared, going.declaration):
        _all_pages(going, subscription, system, take_page if aim == "applied" else _rehearse_page, around.on_page)
    tell_prospects(going.hub, going.declaration, going.matched, going.tally, around.on_look)


def end_run(connection: Connection, going: Run, aim: Aim) -> None:
    """Let a target run once its records are matched for good, and be told again of what it was told of and lacks."""
    if aim == "applied":
        now = clock.instant(connection)
        orders.tell_settled(
            connection, going.declaration.id, going.matched.behind, who=going.who, reason="its backfill", now=now
        )
    standing = standings_store.select_standing(connection, going.declaration.id)
    if aim == "applied" and standing is not None and standing.state == "backfill":
        end_backfill(connection, going.declaration.id, who=going.who)


def _all_pages(
    going: Run, subscription: RecordSubscription, system: RecordSystem, act: PageTaken, on_page: OnPage
) -> None:
    match_keys = read_match_keys(going.hub, subscription)
    count = 0
    for records in read_all(system, going.declaration.id, subscription.object):
        count += len(records)
        on_page(subscription.entity_type, count)
        for taken in take_records(going, subscription, records, match_keys, act):
            claim = taken.claim
            going.tally.add(
                subscription.entity_type,
                taken.finding,
                record=str(claim.key),
                golden_id=taken.golden_id,
                candidates=list(claim.candidates),
            )


def take_records(
    going: Run,
    subscription: RecordSubscription,
    records: Sequence[RemoteRecord],
    match_keys: MatchKeys,
    act: PageTaken,
) -> list[Taken]:
    """Take some records; those that are out of use there and unknown here are left alone."""
    claims = claim_all(going.hub, going.declaration, subscription, records, match_keys)
    taken = [Taken(one, "left_alone", None) for one in claims if one.by == "left_alone"]
    rest = [one for one in claims if one.by != "left_alone"]
    return [*taken, *(act(going, subscription, rest) if rest else ())]


def take_page(going: Run, subscription: RecordSubscription, claims: Sequence[Claim]) -> Sequence[Taken]:
    """Bind the records of a page that say what they are, deliver all, and note in the ledger what they hold."""
    contradicted = _bind_all(going, subscription, claims)
    left: list[Taken] = []
    if subscription.unknown == "leave":
        rehearsed = _rehearse_page(_aside(going), subscription, claims)
        left = [one for one in rehearsed if one.finding in _UNMATCHED]
        keys = {one.claim.key for one in left}
        claims = [one for one in claims if one.key not in keys]
    outcomes = deliver(
        going.hub, [one.delivery for one in claims], who=going.who, column_map=column_map_of(subscription)
    )
    taken = _findings(going, claims, outcomes, contradicted)
    seen = [
        (one.claim.record, one.golden_id)
        for one in taken
        if one.golden_id is not None and not one.claim.record.merged_into
    ]
    note = partial(note_seen, declaration=going.declaration, subscription=subscription, seen=seen)
    run(going.hub.engine, note)
    return [*taken, *left]


def _aside(going: Run) -> Run:
    """Give a run of its own for a rehearsal on the way, which counts nothing."""
    return Run(going.hub, going.declaration, going.who, minted=set(going.minted))


def _rehearse_page(going: Run, subscription: RecordSubscription, claims: Sequence[Claim]) -> Sequence[Taken]:
    wanted = _wanted(claims)
    contradicted: set[SourceKey] = set()

    def first(work: Work, keys: Sequence[SourceKey]) -> None:
        contradicted.update(_bind(work, subscription, {key: wanted[key] for key in keys if key in wanted}))

    def then(work: Work, outcomes: Outcomes) -> None:
        for version in work.written:
            if version.state == "active":
                going.matched.values[version.golden_id] = version.values
            else:
                going.matched.gone.add(version.golden_id)
        asked = [one.golden_id for one in outcomes.values() if one.in_review and one.golden_id is not None]
        if asked:
            going.matched.reviews.update(ledger_store.select_asked_about(work.connection, asked))

    outcomes = rehearse_deliveries(
        going.hub,
        [one.delivery for one in claims],
        who=going.who,
        column_map=column_map_of(subscription),
        first=first,
        then=then,
    )
    taken = _findings(going, claims, outcomes, frozenset(contradicted))
    kept = [one for one in taken if not (subscription.unknown == "leave" and one.finding in _UNMATCHED)]
    fresh = going.minted & going.matched.values.keys()
    going.matched.minted[subscription.entity_type] += sorted(fresh.intersection(one.golden_id for one in kept))
    for one in kept:
        if one.golden_id is not None and not one.claim.record.merged_into:
            record = one.claim.record
            held = as_seen(subscription, record, new_salt())
            own = OwnRecord(record.object, record.scope, record.native_id, held)
            going.matched.records.setdefault(one.golden_id, []).append(own)
    return taken


def _findings(
    going: Run, claims: Sequence[Claim], outcomes: Sequence[Outcome], contradicted: frozenset[SourceKey]
) -> list[Taken]:
    going.minted.update(one.golden_id for one in outcomes if one.outcome == "created" and one.golden_id is not None)
    return [
        Taken(claim, _finding(going.minted, claim, outcome, contradicted), outcome.golden_id)
        for claim, outcome in zip(claims, outcomes, strict=True)
    ]


def _finding(minted: set[GoldenId], claim: Claim, outcome: Outcome, contradicted: frozenset[SourceKey]) -> str:
    if outcome.status == "rejected":
        return "rejected"
    if claim.by == "known" or (claim.by in {"linked", "match_key"} and claim.key not in contradicted):
        return claim.by
    if outcome.golden_id not in minted:
        return "matched"
    if outcome.in_review:
        return "possible_match"
    return "ambiguous" if claim.by == "ambiguous" else "unknown"


def _wanted(claims: Sequence[Claim]) -> Mapping[SourceKey, GoldenId]:
    return {one.key: one.golden_id for one in claims if one.by in {"linked", "match_key"} and one.golden_id is not None}


def _bind_all(going: Run, subscription: RecordSubscription, claims: Sequence[Claim]) -> frozenset[SourceKey]:
    """Bind keys to what they say they are; return those of which a steward says otherwise."""
    wanted = list(_wanted(claims).items())
    size = going.hub.settings.chunk_records
    found: frozenset[SourceKey] = frozenset()
    for start in range(0, len(wanted), size):
        chunk = dict(wanted[start : start + size])
        found |= carry(going.hub, partial(_bind, subscription=subscription, wanted=chunk), who=going.who)
    return found


def _bind(
    work: Work, subscription: RecordSubscription, wanted: Mapping[SourceKey, GoldenId] = MappingProxyType({})
) -> frozenset[SourceKey]:
    """Bind keys in the transaction at hand; one that a decision forbids is left to the path."""
    if not wanted:
        return frozenset()
    name = subscription.entity_type
    lock_keys(work.connection, [meeting_point(name, key) for key in wanted])
    work.locks.hold(work.connection, sorted(wanted.values()))
    refused = set()
    for key, golden_id in sorted(wanted.items()):
        try:
            with work.connection.begin_nested():
                bind_key(work, name, key, golden_id, reason=f"{key} is {golden_id} by what the target says")
        except DecisionContradicts:
            refused.add(key)
    return frozenset(refused)
