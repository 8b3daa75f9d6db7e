"""Find how targets differ from what they should hold, and mend it by the policy of each.

republish  what the hub is to have written is written again where it differs, by an order in the audit log
ingest     what was changed there is delivered like any other news, then what does not survive is put back

Both deliver records that the hub does not know, and the end of those that are gone. Repeating a repair is harmless.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from sqlalchemy import Connection

from mdm.connectors.model import RecordSystem, RemoteRecord
from mdm.db.transaction import run
from mdm.delivery import ledger_store, orders, standings_store
from mdm.delivery.connect import open_records
from mdm.delivery.model import Declaration, Held, RecordSubscription, Repair
from mdm.delivery.targets import declarations
from mdm.errors import HubError
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.backfill import AROUND_NOTHING, Around, Run, take_page, take_records
from mdm.jobs.claims import read_match_keys
from mdm.jobs.service import deliver
from mdm.reconciliation import service as reports
from mdm.reconciliation.drift import Finding
from mdm.reconciliation.model import Report, ReportState, Tally
from mdm.reconciliation.remote_records import Place, column_map_of, place_of, read_all, read_some
from mdm.reconciliation.survey import Drift, find_drift
from mdm.sources.model import Delivery, SourceKey
from mdm.telemetry import logger

READ_ONE_BY_ONE_MAX: Final = 200  # chosen: more than that are found sooner page by page
# A key that is not listed may be a lost right to read: nobody ends more than this share of a target unasked.
LOST_SHARE_MAX: Final = 0.02
LOST_MAX: Final = 20


def reconcile(
    hub: Hub,
    target_id: str,
    system: RecordSystem,
    *,
    who: str,
    repair: Repair = "none",
    around: Around = AROUND_NOTHING,
) -> Report:
    """Compare a target with what it should hold, mend what differs, and keep the report of what was found.

    Raises TargetUnknown, TargetUnavailable, and InputInvalid for a target of another kind or before its backfill.
    """

    def begin(connection: Connection) -> tuple[Declaration, Report]:
        around.bracket.before(connection)
        declaration = reports.require_matched(connection, target_id)
        return declaration, reports.begin(connection, declaration, "drift", who=who)

    declaration, report = run(hub.engine, begin)
    return _Reconciling(hub, declaration, system, report, who, is_asked=True).go(repair, around)


def reconcile_due(hub: Hub, *, who: str = "worker") -> int:
    """Reconcile the targets whose last comparison is older than they declare; return how many."""
    done = 0
    standings = run(hub.engine, standings_store.select_standings)
    for name, declaration in run(hub.engine, declarations).items():
        if name not in standings or standings[name].state != "running":
            continue
        report = run(hub.engine, partial(reports.begin_if_due, declaration=declaration, who=who))
        if report is not None and _reconcile_alone(hub, declaration, report, who):
            done += 1
    return done


def _reconcile_alone(hub: Hub, declaration: Declaration, report: Report, who: str) -> bool:
    """Reconcile one target; one that cannot be read holds up no other, and is read again when it is due again."""
    try:
        with open_records(hub, declaration) as system:
            going = _Reconciling(hub, declaration, system, report, who, is_asked=False)
            going.go(declaration.reconcile.repair, AROUND_NOTHING)
    except HubError as error:
        logger(__name__).warning("target not reconciled", target=declaration.id, code=error.code)
        return False
    return True


def is_too_many(gone: int, compared: int) -> bool:
    """Tell whether so many records are gone that a person has to ask for their end."""
    return gone > max(LOST_MAX, LOST_SHARE_MAX * compared)


@dataclass(frozen=True, slots=True)
class _Reconciling:
    """One reconciliation of one target; `is_asked` tells that a person wants it."""

    hub: Hub
    declaration: Declaration
    system: RecordSystem
    report: Report
    who: str
    is_asked: bool

    def go(self, repair: Repair, around: Around) -> Report:
        engine = self.hub.engine
        drift = Drift((), Tally())
        try:
            drift = find_drift(self.hub, self.declaration, self.system, on_page=around.on_page)
            if repair != "none" and drift.findings:
                self._mend(drift, repair)
        except BaseException:
            run(engine, lambda connection: reports.keep(connection, self.report, "failed", drift.tally))
            raise
        state: ReportState = "repaired" if repair != "none" and drift.findings else "found"

        def end(connection: Connection) -> Report:
            return reports.keep(connection, self.report, state, drift.tally)

        return run(engine, lambda connection: around.bracket.around(connection, lambda: end(connection)))

    def _mend(self, drift: Drift, repair: Repair) -> None:
        by_type: defaultdict[str, list[Finding]] = defaultdict(list)
        for finding in drift.findings:
            by_type[finding.entity_type].append(finding)
        told_again: set[GoldenId] = set()
        for name, findings in by_type.items():
            subscription = self.declaration.records[name]
            self._deliver(subscription, findings, repair)
            gone = self._end_gone(subscription, findings, drift)
            self._set_ledger(findings, repair)
            told_again |= {
                one.golden_id for one in findings if one.golden_id is not None and _is_told_again(one, repair, gone)
            }
        if told_again:
            self._order(told_again)
            drift.tally.counts["*"]["ordered"] = len(told_again)

    def _deliver(self, subscription: RecordSubscription, findings: Sequence[Finding], repair: Repair) -> None:
        """Deliver what the hub does not know: whole records, merges made there and, by policy, changes."""
        kinds = {"unknown", "edited"} if repair == "ingest" else {"unknown"}
        places = {one.place for one in findings if one.place and (one.kind in kinds or one.lost == "merged")}
        if not places:
            return
        records = list(self._read_again(subscription, places).values())
        going = Run(self.hub, self.declaration, self.who)
        take_records(going, subscription, records, read_match_keys(self.hub, subscription), take_page)

    def _end_gone(
        self, subscription: RecordSubscription, findings: Sequence[Finding], drift: Drift
    ) -> frozenset[Place]:
        """Deliver the end of records that are not there, neither listed nor read one by one."""
        gone = {one.place for one in findings if one.place and one.lost == "gone"}
        counts = drift.tally.counts[subscription.entity_type]
        if not gone:
            return frozenset()
        if not self.is_asked and is_too_many(len(gone), counts["compared"]):
            counts["lost_too_many"] = len(gone)
            return frozenset()
        ended = frozenset(gone - self._read_again(subscription, gone).keys())
        deliveries = [
            Delivery(
                SourceKey(self.declaration.instance, *place),
                subscription.entity_type,
                {},
                is_deletion=True,
                reason="it is not there any more",
            )
            for place in sorted(ended)
        ]
        if deliveries:
            deliver(self.hub, deliveries, who=self.who, column_map=column_map_of(subscription))
        return ended

    def _read_again(self, subscription: RecordSubscription, places: Iterable[Place]) -> Mapping[Place, RemoteRecord]:
        wanted = set(places)
        object_, target_id = subscription.object, self.declaration.id
        if len(wanted) <= READ_ONE_BY_ONE_MAX and not any(scope for _, scope, _ in wanted):
            found: Iterable[RemoteRecord] = read_some(
                self.system, target_id, object_, sorted(native_id for _, _, native_id in wanted)
            ).values()
        else:
            found = (one for page in read_all(self.system, target_id, object_) for one in page)
        return {place_of(one): one for one in found if place_of(one) in wanted}

    def _set_ledger(self, findings: Sequence[Finding], repair: Repair) -> None:
        """Let the ledger say what stands there in the fields that differ, so that only these are written."""
        mended = [one for one in findings if one.seen is not None and _is_ledger_wrong(one, repair)]
        if not mended:
            return

        def act(connection: Connection) -> None:
            keys = sorted({one.place for one in mended if one.place is not None})
            now = ledger_store.select_held(connection, self.declaration.id, keys, for_update=True)
            rows: dict[Place, dict[str, object]] = {}
            for one in mended:
                assert one.place is not None, "what was seen has a place"
                assert one.seen is not None, "what was not seen is not noted"
                before = now.get(one.place)
                if _moved_on(before, one.known):
                    continue  # somebody wrote or heard of it since: the next comparison tells
                held = rows[one.place]["held"] if one.place in rows else before or replace(one.seen, hashes={})
                assert isinstance(held, Held), "a row holds what is held"
                rows[one.place] = {
                    "entity_type": one.entity_type,
                    "golden_id": one.golden_id,
                    "held": _as_found(held, one, repair),
                }
            ledger_store.upsert_held(connection, self.declaration.id, list(rows.values()))

        run(self.hub.engine, act)

    def _order(self, told_again: Collection[GoldenId]) -> None:
        reason = f"drift, as {self.report.id} tells"

        def act(connection: Connection) -> None:
            orders.republish(connection, self.declaration.id, told_again, who=self.who, reason=reason)

        run(self.hub.engine, act)


def _is_told_again(finding: Finding, repair: Repair, gone: frozenset[Place]) -> bool:
    if finding.lost == "gone":
        return finding.place in gone
    return not (finding.lost == "inactive" and repair == "ingest")


def _is_ledger_wrong(finding: Finding, repair: Repair) -> bool:
    if finding.kind == "edited":
        return repair == "republish"  # what is delivered is noted on its way in
    return finding.kind in {"missed", "forwarded", "unnamed"} or finding.lost == "inactive"


def _moved_on(now: Held | None, known: Held | None) -> bool:
    if now is None or known is None:
        return now is not known
    return (now.hashes, now.state, now.written) != (known.hashes, known.state, known.written)


def _as_found(held: Held, finding: Finding, repair: Repair) -> Held:
    assert finding.seen is not None, "only what was seen is noted"
    hashes = {**held.hashes, **{name: finding.seen.hashes[name] for name in finding.fields}}
    if finding.kind in {"forwarded", "unnamed"}:
        return replace(held, hashes=hashes, external_id=finding.seen.external_id)
    if finding.lost == "inactive":
        return replace(held, hashes=hashes, state="inactive" if repair == "ingest" else "deactivated")
    return replace(held, hashes=hashes)
