"""Values of the audit log: which tables it records, entries, checkpoints, and what a verification finds. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

# What a fault of the log is called:
#   edited      an entry or its seal is not what was sealed
#   deleted     an entry or a seal is gone
#   inserted    an entry stands in the chain that was not sealed there
#   reordered   entries stand at other positions than they were sealed at
#   truncated   the end of the log is gone, while the rows it told of are still there
#   restored    the end of the log is gone, and the rows agree: an older backup
#   rewritten   the chain verifies, yet it is not the one that a checkpoint signed
#   unaudited   a row, or its present form, that no entry tells of
#   row_gone    an entry tells of a row that is not there
#   salt_gone   the salt of a digest is gone, and no entry says that it was erased
#   unguarded   a trigger that records changes or refuses them is missing, altered or switched off
#   forged      a checkpoint that no known key signed, or that cannot be read
#   foreign     a checkpoint of another hub
FaultKind = Literal[
    "edited",
    "deleted",
    "inserted",
    "reordered",
    "truncated",
    "restored",
    "rewritten",
    "unaudited",
    "row_gone",
    "salt_gone",
    "unguarded",
    "forged",
    "foreign",
]


@dataclass(frozen=True, slots=True)
class Audited:
    """A table whose every change has its entry; the same words as in the migration that says so.

    key       the column that names a row
    related   columns with ids that an entry repeats
    left_out  columns that change without an entry
    ended     the column that says since when a row no longer holds
    """

    table: str
    key: str = "id"
    related: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    ended: str | None = None


AUDITED: Final[Sequence[Audited]] = (
    Audited("api_key", left_out=("last_used_at",), ended="revoked_at"),
    Audited("source_instance", left_out=("is_settled",)),
    Audited("source_event", related=("instance_id", "event_id")),  # one may be overtaken when it is told
    Audited("target"),
    Audited("match_model", "version", related=("entity_type",)),
    Audited("survivorship_rules", "version", related=("entity_type",)),
    Audited("rule_activation", related=("entity_type", "model_version", "survivorship_version")),
    Audited("rule_proposal", related=("entity_type", "model_version", "survivorship_version")),
    Audited("rematch", related=("entity_type",), left_out=("position", "done", "found"), ended="ended_at"),
    Audited("identity_event", related=("root_id", "undoes_id")),
    Audited("decision", related=("left_id", "right_id", "event_id", "revoked_event_id"), ended="revoked_at"),
    Audited("value_override", related=("record_id", "event_id", "ended_event_id"), ended="ended_at"),
    Audited("review_answer", related=("review_id", "event_id")),
    Audited("review_comment", related=("review_id",)),
    Audited("person", left_out=("locale", "theme", "has_shortcuts", "signed_in_at"), ended="disabled_at"),
    Audited("person_link", related=("person_id",), ended="ended_at"),
    Audited("sign_in_attempt", related=("person_id", "session_id"), left_out=("address",)),
    Audited("target_standing", "target_id"),
    Audited("delivery_order", related=("target_id",)),
    Audited("saved_queue", ended="ended_at"),
    Audited("review_band", left_out=("position", "answered", "skipped")),
    Audited("attribute_freeze", related=("golden_id", "review_id"), ended="ended_at"),
    Audited(
        "deal",
        related=("record_id", "reservation_id", "customer_id", "exception_id"),
        left_out=("next_at", "lease_token", "lease_until"),
    ),
    Audited("reservation", related=("record_id", "instance_id"), ended="ended_at"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change as the log tells it: who did what to which row; `position` is None until it is sealed."""

    id: int
    position: int | None
    recorded_at: datetime
    who: str
    action: str
    subject_id: str
    related: tuple[str, ...]
    changed: tuple[str, ...]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the chain as it is stored; `written` is the entry it seals, None when that is gone."""

    position: int
    entry_id: int
    leaf: bytes
    hash: bytes
    written: bytes | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the sealer came: which hub, the last link, and the transactions that may still hold unsealed entries.

    floor    transactions from this one on; None when every entry has to be looked at
    running  earlier ones that were still running
    now      the snapshot to note once all that it shows is sealed
    """

    hub_id: UUID
    size: int
    head: bytes
    last_xid: int | None
    floor: int | None
    running: tuple[int, ...]
    now: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a hub signs: at this instant the log had this size and ended with this hash."""

    hub_id: UUID
    size: int
    head: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not verify: what happened, where, and in words."""

    kind: FaultKind
    place: str
    told: str


@dataclass(frozen=True, slots=True)
class Tail:
    """Entries that are not sealed yet."""

    count: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Sealed:
    """How far the log is sealed.

    count      sealed entries
    sealed_at  when the last of them was made; newest_at the newest entry of all, sealed or not
    """

    count: int
    sealed_at: datetime | None
    newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification looked at, and every fault.

    rows         rows whose digest was compared
    erased       rows whose digest tells nothing any more, since their subject was erased
    checkpoints  how many were compared, and up to which position the newest goes
    """

    hub_id: UUID
    sealed: int
    head: bytes
    unsealed: Tail
    rows: int
    erased: int
    checkpoints: int
    checkpoint_size: int
    faults: tuple[Fault, ...]
