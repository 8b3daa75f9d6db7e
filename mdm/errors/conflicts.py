"""What was asked is well formed, yet against what the hub already holds."""

from collections.abc import Sequence
from datetime import datetime

from mdm.errors.roots import Refused


class Conflict(Refused):
    """The request is well formed, yet against what the hub already holds."""

    code = "conflict"


class DecisionContradicts(Conflict):
    """A new decision cannot hold beside the active ones; the chain proves it."""

    code = "decision_contradicts"

    def __init__(self, message: str, *, chain: Sequence[str]) -> None:
        """Give the chain of facts, each in one line."""
        super().__init__(f"{message}: {'; '.join(chain)}", remedy="revoke one decision of the chain, or decide anew")
        self.chain = tuple(chain)


class PlanOutdated(Conflict):
    """The records changed after the plan was made."""

    code = "plan_outdated"

    def __init__(self, golden_id: str, *, planned: str, found: str) -> None:
        """Name the first golden record that is no longer as planned."""
        super().__init__(
            f"golden record {golden_id} is {found}, the plan expected {planned}",
            remedy="make the plan again and look at the difference",
        )
        self.golden_id = golden_id


class VersionOutdated(PlanOutdated):
    """The golden record is no longer in the version that the caller saw."""

    code = "version_outdated"

    def __init__(self, golden_id: str, *, expected: int, found: str) -> None:
        """Name the version that was expected, and what stands now."""
        super().__init__(golden_id, planned=f"version {expected}", found=found)
        self.message = f"golden record {golden_id} is {found}, not version {expected} any more"
        self.args = (self.message,)
        self.remedy = "read it again, look at what changed, and ask again with its present version"


class GoldenRecordRetired(Conflict):
    """The golden record has no members any more, so that nothing can be said of it."""

    code = "golden_record_retired"

    def __init__(self, golden_id: str) -> None:
        super().__init__(
            f"golden record {golden_id} is retired: it has no members left",
            remedy="ask again once one of its records has come back",
        )
        self.golden_id = golden_id


class OperationBlocked(Conflict):
    """What came later stands in the way of taking an event back."""

    code = "operation_blocked"

    def __init__(self, event_id: str, *, because: str, blocking: Sequence[str], remedy: str) -> None:
        """Name the event, and what blocks it: a later event, or decisions."""
        super().__init__(f"event {event_id} cannot be taken back: {because}", remedy=remedy)
        self.event_id = event_id
        self.blocking = tuple(blocking)


class ReviewClaimed(Conflict):
    """Another steward has claimed the review."""

    code = "review_claimed"

    def __init__(self, review_id: str, *, by: str, until: datetime) -> None:
        """Name who has it, and until when."""
        super().__init__(
            f"review {review_id} is claimed by {by} until {until.isoformat(timespec='seconds')}",
            remedy=f"take another one, or ask {by} to release it",
        )
        self.by = by
        self.until = until


class ReviewClosed(Conflict):
    """The review is closed: somebody answered it, or its cause is gone."""

    code = "review_closed"

    def __init__(self, review_id: str, *, because: str) -> None:
        super().__init__(f"review {review_id} is closed: {because}", remedy="undo its answer, or take another one")


class ReviewOutdated(Conflict):
    """The records of a review changed since they were read."""

    code = "review_outdated"

    def __init__(self, review_id: str, *, changes: Sequence[str]) -> None:
        super().__init__(
            f"review {review_id} is not as you read it: {'; '.join(changes)}",
            remedy="read the review again and answer what it says now",
        )
        self.changes = tuple(changes)


class RiskUnconfirmed(Conflict):
    """The merge has a risk that whoever answers has not confirmed to have seen."""

    code = "risk_unconfirmed"

    def __init__(self, review_id: str, *, risks: Sequence[str], marks: Sequence[str]) -> None:
        """Name the kinds and the marks of the risks that were not confirmed."""
        told = ", ".join(dict.fromkeys(risk.replace("_", " ") for risk in risks))
        super().__init__(
            f"a merge for review {review_id} has risks that were not confirmed: {told}",
            remedy=f"look at them on the card, and confirm them with the answer: {' '.join(marks)}",
        )
        self.risks = tuple(risks)
        self.marks = tuple(marks)


class ReviewNotAnswered(Conflict):
    """There is no answer of this steward that could be taken back or approved."""

    code = "review_not_answered"


class ApprovalPending(Conflict):
    """An answer to the review waits for a second person."""

    code = "approval_pending"


class ApprovalNeedsAnother(Conflict):
    """Whoever gave an answer may not approve or reject it."""

    code = "approval_needs_another"


class BandOutdated(Conflict):
    """What the preview of a band showed no longer holds, or the band is settled."""

    code = "band_outdated"


class SourceConflict(Conflict):
    """A source instance is registered under this id with other facts."""

    code = "source_conflict"


class AsOfBeyondHorizon(Conflict):
    """The instant asked for is not yet settled."""

    code = "as_of_beyond_horizon"

    def __init__(self, as_of: datetime, horizon: datetime) -> None:
        super().__init__(
            f"as_of {as_of.isoformat()} is later than the safe horizon {horizon.isoformat()}",
            remedy="ask for an instant up to the horizon, or leave as_of out for the present state",
        )
        self.as_of = as_of
        self.horizon = horizon


class CursorFromElsewhere(Conflict):
    """A feed cursor belongs to another database history, as after a restore."""

    code = "cursor_from_elsewhere"

    def __init__(self) -> None:
        super().__init__(
            "the cursor belongs to another history of this database",
            remedy="read the present state again, then start without a cursor",
        )


class IdempotencyInFlight(Conflict):
    """A call with the same Idempotency-Key is still running."""

    code = "idempotency_in_flight"


class IdempotencyMismatch(Conflict):
    """The Idempotency-Key was used before with another request."""

    code = "idempotency_mismatch"


class ExceptionClosed(Conflict):
    """The exception was replayed or dismissed before."""

    code = "exception_closed"


class ReservationClosed(Conflict):
    """The reservation ended before, or another caller holds it."""

    code = "reservation_closed"


class ReservationDiffers(Conflict):
    """The caller holds a reservation under this reference for other values."""

    code = "reservation_differs"


class DealConflict(Conflict):
    """The deal is not where it would have to be for this."""

    code = "deal_conflict"


class MatchModelRefused(Conflict):
    """Rules are not activated, since what they would do looks wrong; every reason is told."""

    code = "match_model_refused"

    def __init__(self, version: str, reasons: Sequence[str]) -> None:
        """Name the version and all that speaks against it."""
        super().__init__(
            f"{version} is not activated: {'; '.join(reasons)}",
            remedy="look at what it would change; a lead may force it with a reason",
        )
        self.reasons = tuple(reasons)


class RulesUnchanged(Conflict):
    """The rules asked for hold already, or there are none to go back to."""

    code = "rules_unchanged"


class LeaseLost(Conflict):
    """Somebody else works on it by now; what was begun here is taken back."""

    code = "lease_lost"
