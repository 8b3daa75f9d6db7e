"""Use cases of reports on targets: begin one, keep what it found, read the newest."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final

import orjson
from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.model import REASON_LENGTH_MAX
from mdm.delivery import standings_store
from mdm.delivery.model import Declaration
from mdm.delivery.targets import declarations, require_declaration
from mdm.errors import InputInvalid
from mdm.gauges import DriftReading
from mdm.ids import new_target_report_id
from mdm.reconciliation import store
from mdm.reconciliation.model import DRIFT, Report, ReportKind, ReportState, Tally

_TOLD: Final = ("planned", "applied", "found", "repaired")


def begin(connection: Connection, declaration: Declaration, kind: ReportKind, *, who: str) -> Report:
    """Begin a report: it stands as `reading` until it is kept."""
    at = clock.instant(connection)
    report = Report(new_target_report_id(), declaration.id, kind, "reading", {}, {}, digest_of(declaration), at, who)
    store.insert_report(connection, report)
    return report


def begin_if_due(connection: Connection, declaration: Declaration, *, who: str) -> Report | None:
    """Begin a comparison when the last one is old enough; of several workers one begins it."""
    if declaration.reconcile.every is None:
        return None
    store.lock_target(connection, declaration.id)
    states = ("reading", "failed", "found", "repaired")
    last = store.select_reports(connection, declaration.id, "drift", states=states, limit=1)
    if last and last[0].recorded_at + declaration.reconcile.every > clock.instant(connection):
        return None
    return begin(connection, declaration, "drift", who=who)


def keep(connection: Connection, report: Report, state: ReportState, tally: Tally, *, reason: str = "") -> Report:
    """Keep what a report found; `reason` tells why it failed."""
    found = as_found(report, state, tally, reason=reason)
    store.update_report(connection, found)
    return found


def as_found(report: Report, state: ReportState, tally: Tally, *, reason: str = "") -> Report:
    """Give a report as it is once it found so much."""
    counts = {name: dict(found) for name, found in tally.counts.items()}
    examples = {name: dict(found) for name, found in tally.examples.items()}
    return replace(report, state=state, counts=counts, examples=examples, reason=reason[:REASON_LENGTH_MAX])


def newest(connection: Connection, target_id: str, kind: ReportKind) -> Report | None:
    """Give the newest report of a kind that is done; raises TargetUnknown."""
    require_records(connection, target_id)
    found = store.select_reports(connection, target_id, kind, states=_TOLD, limit=1)
    return found[0] if found else None


def readings_of_drift(connection: Connection) -> tuple[DriftReading, ...]:
    """Give what a scrape tells of the last comparison of each target, and of the one that is due."""
    now = clock.instant(connection)
    declared, standings = declarations(connection), standings_store.select_standings(connection)
    readings = []
    for row in store.select_last_drifts(connection):
        found: Mapping[str, Mapping[str, int]] = row.counts or {}
        counts = {finding: sum(one.get(finding, 0) for one in found.values()) for finding in DRIFT}
        standing, declaration = standings.get(row.target_id), declared.get(row.target_id)
        every = declaration.reconcile.every if declaration and standing and standing.state == "running" else None
        age_s = (now - row.recorded_at).total_seconds() if row.state else None
        overdue_s = max(0.0, (now - (row.recorded_at or row.begun_at) - every).total_seconds()) if every else None
        readings.append(DriftReading(row.target_id, counts if row.state else {}, row.state or "", age_s, overdue_s))
    return tuple(readings)


def require_plan(connection: Connection, declaration: Declaration) -> Report:
    """Give the plan of a backfill that somebody could look at; raises InputInvalid when there is none for this."""
    found = store.select_reports(connection, declaration.id, "backfill", states=("planned", "applied"), limit=1)
    if not found:
        problem = f"there is no plan of a backfill of {declaration.id}"
    elif found[0].declared != digest_of(declaration):
        problem = f"{declaration.id} is declared otherwise than when its backfill was planned"
    else:
        return found[0]
    raise InputInvalid(problem, remedy=f"look at `mdm targets backfill {declaration.id}` first", field="target")


def require_records(connection: Connection, target_id: str) -> Declaration:
    """Give the declaration of a target of records; raises TargetUnknown, and InputInvalid for another kind."""
    declaration = require_declaration(connection, target_id)
    if declaration.kind != "records":
        raise InputInvalid(
            f"{target_id} is a target of kind {declaration.kind}: it holds no records",
            remedy="name a target of kind records",
            field="target",
        )
    return declaration


def require_matched(connection: Connection, target_id: str) -> Declaration:
    """Give the declaration of a target whose records are matched; raises as `require_records`, and until they are."""
    declaration = require_records(connection, target_id)
    standing = standings_store.select_standing(connection, target_id)
    if standing is None or standing.state == "backfill":
        raise InputInvalid(
            f"the records of {target_id} are not matched yet",
            remedy=f"look at `mdm targets backfill {target_id}`, and apply it",
            field="target",
        )
    return declaration


def digest_of(declaration: Declaration) -> str:
    """Digest a declaration: a plan counts for the one that it was made for."""
    plain: Any = orjson.dumps(declaration, default=str, option=orjson.OPT_SORT_KEYS)
    return blake2b(plain, digest_size=16).hexdigest()
