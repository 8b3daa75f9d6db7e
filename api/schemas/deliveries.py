"""Shapes of deliveries: what waits for targets, what became of it, what people order."""

from typing import Any

from pydantic import Field

from api.schemas.operations import GoldenIdText, Reason
from api.schemas.shape import Asked, Instant, SourceId, Told
from mdm.delivery.model import LaneState, OutcomeKind
from mdm.delivery.orders_model import LaneLine, OrderKind, OutcomeLine, SkipFilter


class DeliveryTold(Told):
    """One golden record that a target has yet to be told of."""

    target: str = Field(examples=["netsuite-us"])
    golden_id: str = Field(examples=["cus_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    entity_type: str
    state: LaneState
    version: int = Field(description="The newest version to tell.")
    version_told: int = Field(description="The newest one that it was told, or that was left out; 0 is none.")
    attempts: int = Field(description="Failed ones in a row.")
    due_at: Instant
    queued_at: Instant
    failing_since: Instant | None = None
    failure: str | None = Field(default=None, description="Kind of the last failure.", examples=["refused"])
    reason: str | None = Field(default=None, examples=["422 Unprocessable Content"])
    waits_for: str | None = Field(default=None, description="The golden id that the target has to know first.")

    @classmethod
    def of(cls, line: LaneLine) -> "DeliveryTold":
        """Tell a lane."""
        return cls(
            target=line.target_id,
            golden_id=line.golden_id,
            entity_type=line.entity_type,
            state=line.state,
            version=line.head,
            version_told=line.acknowledged,
            attempts=line.attempts,
            due_at=line.due_at,
            queued_at=line.queued_at,
            failing_since=line.failing_since,
            failure=line.failure_kind,
            reason=line.failure_reason,
            waits_for=line.waits_for,
        )


class OutcomeTold(Told):
    """What became of the messages of one golden record up to a version."""

    id: int
    target: str
    golden_id: str
    version: int
    outcome: OutcomeKind
    attempts: int
    failure: str | None = None
    reason: str
    details: dict[str, Any] = Field(description="Ids and names of fields there; never values.")
    queued_at: Instant
    recorded_at: Instant
    who: str

    @classmethod
    def of(cls, line: OutcomeLine) -> "OutcomeTold":
        """Tell an outcome."""
        return cls(
            id=line.id,
            target=line.target_id,
            golden_id=line.golden_id,
            version=line.version,
            outcome=line.outcome,
            attempts=line.attempts,
            failure=line.failure_kind,
            reason=line.reason,
            details=dict(line.details),
            queued_at=line.queued_at,
            recorded_at=line.recorded_at,
            who=line.who,
        )


class ReplayAsked(Asked):
    """What a target shall be told again: all that is dead, or one golden record, or what happened in a range."""

    target: SourceId
    golden_id: GoldenIdText | None = None
    since: Instant | None = Field(default=None, description="Told or given up at this instant or later.")
    until: Instant | None = None
    reason: Reason = Field(examples=["the field is longer now"])


class SkipAsked(Asked):
    """What a target shall not be told."""

    target: SourceId
    golden_id: GoldenIdText | None = None
    state: SkipFilter = Field(default="dead", description="`any` is dead, failing and waiting ones together.")
    reason: Reason = Field(examples=["a test record"])


class OrderTold(Told):
    """What was ordered, and how many golden records it reached or would reach."""

    id: str | None = Field(default=None, description="Absent of a dry run.")
    dry_run: bool = False
    target: str
    kind: OrderKind
    golden_records: int
