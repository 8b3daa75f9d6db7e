"""Every rule of the hub that can be broken, as one tree.

HubError
├── Refused                       the caller asked for something that cannot be done as asked
│   ├── InputInvalid              what came in has the wrong shape
│   │   ├── SourceKeyInvalid
│   │   ├── SettingsInvalid
│   │   ├── EntityDeclarationInvalid
│   │   ├── MatchModelInvalid
│   │   ├── FileUnreadable
│   │   └── CursorInvalid
│   ├── NotFound
│   │   ├── EntityTypeUnknown
│   │   ├── SourceUnknown
│   │   ├── SourceRecordUnknown
│   │   ├── GoldenRecordUnknown
│   │   ├── EventUnknown
│   │   ├── AttributeUnknown
│   │   ├── DecisionUnknown
│   │   ├── ReviewUnknown
│   │   ├── BandUnknown
│   │   ├── ExceptionUnknown
│   │   ├── SourceEventUnknown
│   │   ├── TargetUnknown
│   │   ├── ApiKeyUnknown
│   │   └── PersonUnknown
│   ├── Conflict                  true when asked, yet against what the hub already holds
│   │   ├── DecisionContradicts
│   │   ├── PlanOutdated
│   │   │   └── VersionOutdated
│   │   ├── GoldenRecordRetired
│   │   ├── OperationBlocked
│   │   ├── ReviewClaimed
│   │   ├── ReviewClosed
│   │   ├── ReviewOutdated
│   │   ├── ReviewNotAnswered
│   │   ├── ApprovalPending
│   │   ├── ApprovalNeedsAnother
│   │   ├── BandOutdated
│   │   ├── SourceConflict
│   │   ├── AsOfBeyondHorizon
│   │   ├── CursorFromElsewhere
│   │   ├── IdempotencyInFlight
│   │   ├── IdempotencyMismatch
│   │   └── ExceptionClosed
│   ├── Unauthenticated
│   │   └── SignInRefused
│   ├── SignInThrottled
│   ├── LinkUnusable
│   ├── Forbidden
│   └── TooLarge
├── TouchedSetGrew                inner signal: roll back, lock more, repeat
└── Unavailable                   the world fails; says if and when to try again
    └── DatabaseUnavailable

Each class has a stable `code`, one sentence on what happened and one on what to do (`remedy`); its facts are
attributes. Nothing here knows HTTP or exit codes: the edges map every class, and a test proves that none is left out.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar


class HubError(Exception):
    """Something the hub refuses or cannot do now."""

    code: ClassVar[str] = "hub_error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        """Keep what happened and what to do next."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class Refused(HubError):
    """The caller asked for something that cannot be done as asked."""

    code = "refused"


class InputInvalid(Refused):
    """What came in has the wrong shape."""

    code = "input_invalid"

    def __init__(self, message: str, *, remedy: str = "", field: str = "") -> None:
        """Name the place in the input, when there is one."""
        super().__init__(message, remedy=remedy)
        self.field = field


class SourceKeyInvalid(InputInvalid):
    """A text is not a source key."""

    code = "source_key_invalid"

    def __init__(self, text: str) -> None:
        """Show the text and the shape it should have."""
        super().__init__(
            f"{text[:200]!r} is not a source key",
            remedy="write instance/object:native-id or instance/object/scope:native-id,"
            " as in salesforce-us/Account:0015g00000AbCdE",
        )
        self.text = text


class SettingsInvalid(InputInvalid):
    """The environment holds a setting that the hub cannot use."""

    code = "settings_invalid"


class EntityDeclarationInvalid(InputInvalid):
    """An entity declaration has faults; all of them are listed."""

    code = "entity_declaration_invalid"

    def __init__(self, faults: Sequence[str]) -> None:
        """List every fault as `file:line: what: what to write instead`."""
        super().__init__("\n".join(faults), remedy="mend the lines named above; `mdm schema` prints the JSON Schema")
        self.faults = tuple(faults)


class MatchModelInvalid(InputInvalid):
    """A match model contradicts itself or names something that does not exist."""

    code = "match_model_invalid"


class FileUnreadable(InputInvalid):
    """A file as a whole cannot be read as what it claims to be."""

    code = "file_unreadable"

    def __init__(self, path: str, reason: str, *, remedy: str) -> None:
        """Name the file, why it cannot be read, and what to do."""
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path
        self.reason = reason


class CursorInvalid(InputInvalid):
    """A page cursor was not made by this hub or was changed on the way."""

    code = "cursor_invalid"

    def __init__(self) -> None:
        super().__init__("the cursor is not one that this hub gave out", remedy="start without a cursor", field="after")


class NotFound(Refused):
    """Nothing has this name."""

    code = "not_found"
    noun: ClassVar[str] = "thing"
    hint: ClassVar[str] = "check the name"

    def __init__(self, name: str, *, remedy: str = "") -> None:
        """Keep the name that was asked for."""
        super().__init__(f"there is no {self.noun} {name[:200]!r}", remedy=remedy or self.hint)
        self.name = name


class EntityTypeUnknown(NotFound):
    """No entity type is declared under this name."""

    code, noun, hint = "entity_type_unknown", "entity type", "declare it in a YAML file or check the spelling"


class SourceUnknown(NotFound):
    """No source instance is registered under this id."""

    code, noun, hint = "source_unknown", "source instance", "register it with `mdm sources add`"


class SourceRecordUnknown(NotFound):
    """The hub has never seen this source key."""

    code, noun = "source_record_unknown", "source record"
    hint = "load the record first, or check instance, object and scope"


class GoldenRecordUnknown(NotFound):
    """This hub never gave out this golden id."""

    code, noun = "golden_record_unknown", "golden record"
    hint = "check the id, or search for a name with `mdm find`; ids that this hub gave out always resolve"


class EventUnknown(NotFound):
    """No change of identity has this id."""

    code, noun, hint = "event_unknown", "event", "look at the history of the golden record for the ids of its events"


class AttributeUnknown(NotFound):
    """The entity type declares no attribute of this name."""

    code, noun, hint = "attribute_unknown", "attribute", "`mdm show` lists those that a golden record has"


class DecisionUnknown(NotFound):
    """No decision has this id."""

    code, noun, hint = "decision_unknown", "decision", "list them with `mdm decisions list`"


class ReviewUnknown(NotFound):
    """No review has this id."""

    code, noun, hint = "review_unknown", "review", "list them with `mdm review list`"


class BandUnknown(NotFound):
    """No band of reviews has this id."""

    code, noun, hint = "band_unknown", "band", "look at a band first; its preview names the id"


class ExceptionUnknown(NotFound):
    """No exception has this id."""

    code, noun, hint = "exception_unknown", "exception", "list them with `mdm exceptions list`"


class SourceEventUnknown(NotFound):
    """No source event has this id."""

    code, noun, hint = "source_event_unknown", "source event", "list them with `mdm sources events`"


class TargetUnknown(NotFound):
    """No target has this id."""

    code, noun, hint = "target_unknown", "target", "list them with `mdm targets list`"


class ApiKeyUnknown(NotFound):
    """No API key has this id."""

    code, noun, hint = "api_key_unknown", "API key", "list them with `mdm keys list`"


class PersonUnknown(NotFound):
    """No person has this id or login."""

    code, noun, hint = "person_unknown", "person", "list them with `mdm people list`"


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


class Unauthenticated(Refused):
    """The caller did not prove who it is."""

    code = "unauthenticated"


class SignInRefused(Unauthenticated):
    """Somebody could not be signed in."""

    code = "sign_in_refused"


class SignInThrottled(Refused):
    """Too many attempts to sign in failed; the next one has to wait."""

    code = "sign_in_throttled"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            f"too many attempts failed; the next one may be made in {retry_after_s} s",
            remedy="wait, or ask an administrator for a one-time link",
        )
        self.retry_after_s = retry_after_s


class LinkUnusable(Refused):
    """A one-time link was used before, has expired, was replaced, or never was one."""

    code = "link_unusable"


class Forbidden(Refused):
    """The caller may not do this."""

    code = "forbidden"


class TooLarge(Refused):
    """The request is larger than the stated bound."""

    code = "too_large"


class TouchedSetGrew(HubError):
    """Other work reached more records after the locks were taken; roll back and repeat with the larger set."""

    code = "touched_set_grew"

    def __init__(self, golden_ids: frozenset[str]) -> None:
        """Carry the golden records to lock from the start next time."""
        super().__init__(f"{len(golden_ids)} golden records are touched, more than were locked", remedy="it is retried")
        self.golden_ids = golden_ids


class Unavailable(HubError):
    """Something the hub depends on does not answer."""

    code = "unavailable"

    def __init__(self, message: str, *, remedy: str = "", retry_after_s: float | None = None) -> None:
        """Say whether, and after how many seconds, to try again (None: not by itself)."""
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be started or reached."""

    code = "database_unavailable"
