"""Shapes of targets: declarations, how each stands, what waits for it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.operations import Reason
from api.schemas.shape import Asked, Instant, Told
from mdm.delivery.changes import Applied
from mdm.delivery.model import Standing, StandingState, TargetKind
from mdm.delivery.orders_model import TargetLine

Content = Annotated[
    dict[str, Any],
    Field(
        description="The declaration, as `mdm schema target` describes it.",
        examples=[
            {
                "target": "news",
                "title": "Changes of clients",
                "kind": "webhook",
                "connection": {"url": "https://example.com/hook", "secret": "MDM_SECRET_NEWS"},
                "events": {"entities": ["customer"]},
            }
        ],
    ),
]


class StandAsked(Asked):
    """Why a target is paused, resumed or drained."""

    reason: Reason = Field(examples=["they restore a backup"])


class StandingTold(Told):
    """How a target stands, and how its last calls went."""

    state: StandingState
    reason: str
    since: Instant
    who: str
    failures: int = Field(description="Calls in a row that the target as a whole did not answer.")
    failing_since: Instant | None = None
    failure: str | None = Field(
        default=None,
        description="Of the last failure, while it fails: its kind, or unopened where its connector cannot be made.",
    )
    failure_reason: str | None = Field(default=None, description="Why, in words.")
    rests_until: Instant | None = Field(default=None, description="Until then nothing is sent.")
    answered_at: Instant | None = Field(default=None, description="When it answered last.")
    state_after: StandingState | None = Field(
        default=None, description="How it stands once its records are matched, where it does not run then."
    )

    @classmethod
    def of(cls, standing: Standing) -> "StandingTold":
        """Tell a standing."""
        return cls(
            state=standing.state,
            reason=standing.reason,
            since=standing.since,
            who=standing.who,
            failures=standing.failures,
            failing_since=standing.failing_since,
            failure=standing.failure_kind or None,
            failure_reason=standing.failure_reason or None,
            rests_until=standing.opens_at,
            answered_at=standing.succeeded_at,
            state_after=standing.after.state if standing.after is not None else None,
        )


class DepthTold(Told):
    """Golden records that a target has yet to be told of, by the state of their lane."""

    ready: int
    failing: int = Field(description="Ready ones whose last attempt failed.")
    waiting: int = Field(description="For another golden record, or for a version that is held back.")
    dead: int = Field(description="Parked until somebody looks.")


class TargetTold(Told):
    """A target, how it stands, and what waits for it."""

    id: str = Field(examples=["netsuite-us"])
    title: str
    kind: TargetKind
    entity_types: list[str] = Field(examples=[["customer", "project"]])
    standing: StandingTold | None = Field(default=None, description="Absent for a folder of files.")
    depth: DepthTold
    oldest_s: float | None = Field(
        default=None,
        description="Seconds for which the oldest message could have been told; dead and waiting ones do not count,"
        " nor the time before the target was let run.",
    )
    told_again_at: Instant | None = Field(
        default=None, description="Outside of its hours: when they begin. Until then nothing is sent."
    )
    declaration: dict[str, Any]

    @classmethod
    def of(cls, line: TargetLine) -> "TargetTold":
        """Tell a target."""
        depth = line.depth
        return cls(
            id=line.id,
            title=line.title,
            kind=line.kind,
            entity_types=list(line.entity_types),
            standing=StandingTold.of(line.standing) if line.standing is not None else None,
            depth=DepthTold(ready=depth.ready, failing=depth.failing, waiting=depth.waiting, dead=depth.dead),
            oldest_s=line.oldest_s,
            told_again_at=line.told_again_at,
            declaration=dict(line.configuration),
        )


class TargetsTold(Told):
    """Every target that the caller may see, by id."""

    rows: list[TargetTold]


class DifferenceTold(Told):
    """One place of a declaration that is not as it was."""

    place: str = Field(examples=["records.customer.creates"])
    before: Any = None
    after: Any = None


class AppliedTold(Told):
    """What a declaration did, or would do."""

    dry_run: bool = False
    id: str
    change: Literal["new", "changed", "unchanged"]
    differences: list[DifferenceTold]
    queued: int = Field(description="Golden records that it was never told of, and that wait for it now.")
    needs_backfill: bool = Field(description="Its records have to be matched before anything is written there.")
    warnings: list[str] = Field(description="Secrets that the hub's environment does not hold; the worker's may.")

    @classmethod
    def of(cls, applied: Applied, *, is_dry: bool) -> "AppliedTold":
        """Tell what applying did."""
        return cls(
            dry_run=is_dry,
            id=applied.target_id,
            change=applied.change,
            differences=[
                DifferenceTold(place=one.place, before=one.before, after=one.after) for one in applied.differences
            ],
            queued=applied.queued,
            needs_backfill=applied.needs_backfill,
            warnings=list(applied.warnings),
        )


class RemovedTold(Told):
    """A target that is forgotten."""

    id: str
    state: Literal["removed"] = "removed"
