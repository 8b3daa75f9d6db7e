"""Shapes of reports on what targets hold."""

from typing import Any, Literal

from pydantic import Field, StrictBool

from api.schemas.shape import Asked, Instant, Told
from mdm.reconciliation.model import Report

Counts = dict[str, dict[str, int]]


class BackfillAsked(Asked):
    """A backfill of a target."""

    dry_run: StrictBool = Field(default=True, description="Say what would happen, and keep it as the plan.")


class ReconcileAsked(Asked):
    """A comparison of a target with what it should hold, and what to do about it."""

    repair: Literal["none", "republish", "ingest"] = "none"


class ReportTold(Told):
    """What a backfill would do or did, or how a target differs from what it should hold."""

    id: str = Field(examples=["trp_01jq7d0v6b9r4m2k8x5c3t1hzw"])
    target_id: str = Field(examples=["netsuite-us"])
    kind: Literal["backfill", "drift"]
    state: Literal["planned", "applied", "found", "repaired"]
    counts: Counts = Field(
        description="By entity type and finding.", examples=[{"customer": {"compared": 2_000, "edited": 3, "lost": 1}}]
    )
    planned: Counts | None = Field(default=None, description="Of a backfill that was applied: what its plan said.")
    examples: dict[str, dict[str, list[dict[str, Any]]]] = Field(
        description="The first 20 of each: ids, keys and names of fields."
    )
    recorded_at: Instant
    who: str

    @classmethod
    def of(cls, report: Report, planned: Report | None = None) -> "ReportTold":
        """Tell a report, beside the plan that was seen before."""
        return cls.model_validate(
            {
                "id": report.id,
                "target_id": report.target_id,
                "kind": report.kind,
                "state": report.state,
                "counts": report.counts,
                "planned": planned.counts if planned is not None else None,
                "examples": report.examples,
                "recorded_at": report.recorded_at,
                "who": report.who,
            }
        )
