"""Shapes of reports on what targets hold."""

from typing import Any, Literal

from pydantic import Field, StrictBool

from api.schemas.shape import Asked, Instant, Told
from mdm.reconciliation.model import Aim, Report, ReportState

Counts = dict[str, dict[str, int]]


class BackfillAsked(Asked):
    """A backfill of a target."""

    dry_run: StrictBool = Field(default=True, description="Say what would happen, and keep it as the plan.")
    wait: StrictBool = Field(
        default=True, description="Answer when it is done; false: order it, for a worker to do, and answer at once."
    )


class ReconcileAsked(Asked):
    """A comparison of a target with what it should hold, and what to do about it."""

    repair: Literal["none", "republish", "ingest"] = "none"


class ProgressTold(Told):
    """How far a backfill is that is being read."""

    entity_type: str = Field(examples=["customer"])
    records: int = Field(description="Records of this type that were read so far.")
    type_number: int = Field(description="Which of the types that is, from 1.")
    types: int = Field(description="Types that are read one after the other.")


class ReportTold(Told):
    """What a backfill would do or did, or how a target differs from what it should hold."""

    id: str = Field(examples=["trp_01jq7d0v6b9r4m2k8x5c3t1hzw"])
    target_id: str = Field(examples=["netsuite-us"])
    kind: Literal["backfill", "drift"]
    state: ReportState = Field(
        description="A backfill that was ordered is `ordered`, then `reading`, and ends as `planned`, `applied`,"
        " `failed` or `cancelled`; a comparison is `found` or `repaired`."
    )
    aim: Aim | None = Field(default=None, description="Of a backfill that was ordered: what it is to come to.")
    progress: ProgressTold | None = None
    reason: str | None = Field(default=None, description="Why it failed; of a cancelled one, who did so.")
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
                "aim": report.aim,
                "progress": _progress(report),
                "reason": report.reason or None,
                "counts": report.counts,
                "planned": planned.counts if planned is not None else None,
                "examples": report.examples,
                "recorded_at": report.recorded_at,
                "who": report.who,
            }
        )


def _progress(report: Report) -> dict[str, Any] | None:
    at = report.progress
    if at is None:
        return None
    return {
        "entity_type": at.entity_type,
        "records": at.records_count,
        "type_number": at.type_number,
        "types": at.types_count,
    }
