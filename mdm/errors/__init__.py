"""Every rule of the hub that can be broken, as one tree.

HubError
├── Refused                       the caller asked for something that cannot be done as asked
│   ├── InputInvalid              what came in has the wrong shape
│   │   ├── SourceKeyInvalid
│   │   ├── FieldsRejected
│   │   ├── SettingsInvalid
│   │   ├── EntityDeclarationInvalid
│   │   ├── RecipeInvalid
│   │   ├── MatchModelInvalid
│   │   ├── TargetDeclarationInvalid
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
│   │   ├── QueueUnknown
│   │   ├── BandUnknown
│   │   ├── ExceptionUnknown
│   │   ├── DealUnknown
│   │   ├── ReservationUnknown
│   │   ├── SourceEventUnknown
│   │   ├── TargetUnknown
│   │   ├── TargetReportUnknown
│   │   ├── BackfillUnknown
│   │   ├── MatchModelUnknown
│   │   ├── RulesProposalUnknown
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
│   │   ├── RiskUnconfirmed
│   │   ├── ReviewNotAnswered
│   │   ├── ApprovalPending
│   │   ├── ApprovalNeedsAnother
│   │   ├── BandOutdated
│   │   ├── MatchModelRefused
│   │   ├── RulesUnchanged
│   │   ├── SourceConflict
│   │   ├── AsOfBeyondHorizon
│   │   ├── CursorFromElsewhere
│   │   ├── IdempotencyInFlight
│   │   ├── IdempotencyMismatch
│   │   ├── ExceptionClosed
│   │   ├── ReservationClosed
│   │   ├── ReservationDiffers
│   │   ├── DealConflict
│   │   └── LeaseLost
│   ├── Unauthenticated
│   │   └── SignInRefused
│   ├── SignInThrottled
│   ├── RateExceeded
│   ├── LinkUnusable
│   ├── Forbidden
│   └── TooLarge
├── TouchedSetGrew                inner signal: roll back, lock more, repeat
├── LocksBusy                     inner signal: roll back, let others go on, repeat
├── RulesMoved                    inner signal: roll back, read the rules, repeat
└── Unavailable                   the world fails; says if and when to try again
    ├── DatabaseUnavailable
    │   └── OthersInTheWay
    └── TargetUnavailable

Each class has a stable `code`, one sentence on what happened and one on what to do (`remedy`); its facts are
attributes. Nothing here knows HTTP or exit codes: the edges map every class, and a test proves that none is left out.
"""

from mdm.errors.callers import (
    Forbidden,
    LinkUnusable,
    RateExceeded,
    SignInRefused,
    SignInThrottled,
    TooLarge,
    Unauthenticated,
)
from mdm.errors.conflicts import (
    ApprovalNeedsAnother,
    ApprovalPending,
    AsOfBeyondHorizon,
    BandOutdated,
    Conflict,
    CursorFromElsewhere,
    DealConflict,
    DecisionContradicts,
    ExceptionClosed,
    GoldenRecordRetired,
    IdempotencyInFlight,
    IdempotencyMismatch,
    LeaseLost,
    MatchModelRefused,
    OperationBlocked,
    PlanOutdated,
    ReservationClosed,
    ReservationDiffers,
    ReviewClaimed,
    ReviewClosed,
    ReviewNotAnswered,
    ReviewOutdated,
    RiskUnconfirmed,
    RulesUnchanged,
    SourceConflict,
    VersionOutdated,
)
from mdm.errors.missing import (
    ApiKeyUnknown,
    AttributeUnknown,
    BackfillUnknown,
    BandUnknown,
    DealUnknown,
    DecisionUnknown,
    EntityTypeUnknown,
    EventUnknown,
    ExceptionUnknown,
    GoldenRecordUnknown,
    MatchModelUnknown,
    NotFound,
    PersonUnknown,
    QueueUnknown,
    ReservationUnknown,
    ReviewUnknown,
    RulesProposalUnknown,
    SourceEventUnknown,
    SourceRecordUnknown,
    SourceUnknown,
    TargetReportUnknown,
    TargetUnknown,
)
from mdm.errors.roots import (
    DatabaseUnavailable,
    HubError,
    LocksBusy,
    OthersInTheWay,
    Refused,
    RulesMoved,
    TargetUnavailable,
    TouchedSetGrew,
    Unavailable,
    reason_of,
)
from mdm.errors.wrong_input import (
    CursorInvalid,
    EntityDeclarationInvalid,
    FieldFault,
    FieldsRejected,
    FileUnreadable,
    InputInvalid,
    MatchModelInvalid,
    RecipeInvalid,
    SettingsInvalid,
    SourceKeyInvalid,
    TargetDeclarationInvalid,
)

__all__ = [
    "ApiKeyUnknown",
    "ApprovalNeedsAnother",
    "ApprovalPending",
    "AsOfBeyondHorizon",
    "AttributeUnknown",
    "BackfillUnknown",
    "BandOutdated",
    "BandUnknown",
    "Conflict",
    "CursorFromElsewhere",
    "CursorInvalid",
    "DatabaseUnavailable",
    "DealConflict",
    "DealUnknown",
    "DecisionContradicts",
    "DecisionUnknown",
    "EntityDeclarationInvalid",
    "EntityTypeUnknown",
    "EventUnknown",
    "ExceptionClosed",
    "ExceptionUnknown",
    "FieldFault",
    "FieldsRejected",
    "FileUnreadable",
    "Forbidden",
    "GoldenRecordRetired",
    "GoldenRecordUnknown",
    "HubError",
    "IdempotencyInFlight",
    "IdempotencyMismatch",
    "InputInvalid",
    "LeaseLost",
    "LinkUnusable",
    "LocksBusy",
    "MatchModelInvalid",
    "MatchModelRefused",
    "MatchModelUnknown",
    "NotFound",
    "OperationBlocked",
    "OthersInTheWay",
    "PersonUnknown",
    "PlanOutdated",
    "QueueUnknown",
    "RateExceeded",
    "RecipeInvalid",
    "Refused",
    "ReservationClosed",
    "ReservationDiffers",
    "ReservationUnknown",
    "ReviewClaimed",
    "ReviewClosed",
    "ReviewNotAnswered",
    "ReviewOutdated",
    "ReviewUnknown",
    "RiskUnconfirmed",
    "RulesMoved",
    "RulesProposalUnknown",
    "RulesUnchanged",
    "SettingsInvalid",
    "SignInRefused",
    "SignInThrottled",
    "SourceConflict",
    "SourceEventUnknown",
    "SourceKeyInvalid",
    "SourceRecordUnknown",
    "SourceUnknown",
    "TargetDeclarationInvalid",
    "TargetReportUnknown",
    "TargetUnavailable",
    "TargetUnknown",
    "TooLarge",
    "TouchedSetGrew",
    "Unauthenticated",
    "Unavailable",
    "VersionOutdated",
    "reason_of",
]
