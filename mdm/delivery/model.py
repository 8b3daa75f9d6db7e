"""Values of delivery: declared targets, lanes that are due, what became of them, and what a target's records hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from mdm.connectors.model import FailureKind
from mdm.delivery.schedule import ALWAYS, Schedule
from mdm.ids import GoldenId, ReviewId

# hub     the hub writes it, and puts it back when somebody replaced it
# fill    the hub writes it where the target has nothing
# target  the target's own: never written, also not when a record is created
Owner = Literal["hub", "fill", "target"]
# What becomes of the records that a target has besides the one that stays, once they are one golden record:
# link (they are kept up to date as well), deactivate, merge (where the system can), leave (they are not touched).
OnMerge = Literal["link", "deactivate", "merge", "leave"]
# The second choice of `merge`: what becomes of a record of which the system answered that it cannot merge it.
WhereItCannot = Literal["link", "deactivate", "leave"]
MissingParent = Literal["wait", "leave_out"]
TargetKind = Literal["file", "records", "webhook", "nats", "rabbitmq", "kafka"]
# backfill   its records are not matched yet: nothing is sent
# draining   what waits is sent, then it is paused
# stopped    the hub stopped it, a person has to look; disabled: the place is closed for good
StandingState = Literal["backfill", "running", "draining", "paused", "stopped", "disabled"]
LaneState = Literal["ready", "waiting", "dead"]
OutcomeKind = Literal["delivered", "no_change", "not_subscribed", "undone", "skipped", "dead"]
# deactivated, merged   by the hub
# inactive              taken out of use by its own people: left alone, and none is made in its place
# lost                  not there any more
RemoteState = Literal["active", "deactivated", "inactive", "merged", "lost"]
# What becomes of records of the target that match no golden record: they become golden records, or are left alone.
Unknown = Literal["ingest", "leave"]
# none       what a comparison finds is only told
# republish  what the hub wrote there, or should have, is written again where it differs
# ingest     what was changed there is delivered; what does not survive is put back
Repair = Literal["none", "republish", "ingest"]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one attribute stands in a target: in which field, whose it is, and in whose words.

    codes  the target's own word for a code of ours
    takes   of a list: all values, or the first one
    clears  whether the field is emptied once no member says anything any more; else it keeps what it has
    """

    attribute: str
    target_field: str
    owner: Owner = "hub"
    codes: Mapping[str, str] = field(default_factory=dict)
    takes: Literal["all", "first"] = "all"
    clears: bool = False


@dataclass(frozen=True, slots=True)
class RecordSubscription:
    """What a target gets of one entity type.

    scope       legal entity or subsidiary where new records are made
    creates     whether the hub makes records that the target does not have
    conditions  values of which one must stand, by attribute; all attributes must fit
    match_on    attributes that tell, all together, which golden record a record of the target is
    unknown     what becomes of its records that match none
    use_flag    the field by which the target itself says that a record is out of use; "": it has none that it delivers
    where_it_cannot  with `on_merge: merge`, what becomes of a record that the target cannot merge
    """

    entity_type: str
    object: str
    scope: str
    creates: bool
    conditions: Mapping[str, tuple[str, ...]]
    on_merge: OnMerge
    missing_parent: MissingParent
    fields: tuple[FieldRule, ...]
    match_on: tuple[str, ...] = ()
    unknown: Unknown = "ingest"
    use_flag: str = ""
    where_it_cannot: WhereItCannot = "link"


@dataclass(frozen=True, slots=True)
class EventSubscription:
    """Which messages a target gets: kinds of the change feed (none: all), thin or with these values."""

    entity_types: tuple[str, ...]
    kinds: tuple[str, ...]
    conditions: Mapping[str, tuple[str, ...]]
    payload: Literal["thin", "full"]


@dataclass(frozen=True, slots=True)
class Rate:
    """How much a target may be asked: calls a second, kept over all processes, and how many at once after a pause."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Reconcile:
    """How often a target is compared with what it should hold (None: when asked), and what is done about it."""

    every: timedelta | None = None
    repair: Repair = "none"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A target as its YAML file declares it.

    connection   connector, url and so on; secrets are named by the environment variable that holds them
    instance     the source instance whose records a target of kind `records` has; "" for the others
    undo_window  how long news of merges and splits wait, so that an undo in time is never seen
    failing_for  how long a target may fail as a whole before it is stopped
    schedule     when it may be told: what changes outside of its hours waits for them
    """

    id: str
    title: str
    kind: TargetKind
    connection: Mapping[str, Any]
    instance: str
    rate: Rate
    undo_window: timedelta
    failing_for: timedelta
    records: Mapping[str, RecordSubscription]
    events: EventSubscription | None
    reconcile: Reconcile = Reconcile()
    schedule: Schedule = ALWAYS

    @property
    def entity_types(self) -> tuple[str, ...]:
        """List the entity types that it is told of."""
        return self.events.entity_types if self.events is not None else tuple(sorted(self.records))


@dataclass(frozen=True, slots=True)
class Stance:
    """A state of a target, and why."""

    state: StandingState
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a target stands, and how its last calls went.

    opens_at  until then the circuit is open
    tokens    calls that its rate allowed at tokens_at
    failure_kind, failure_reason  of the last failure, while it fails; "" where nothing is known of it
    after     while it waits for its backfill: how it stood before, and stands again; None: it runs then
    """

    target_id: str
    state: StandingState
    reason: str
    since: datetime
    who: str
    failures: int = 0
    failing_since: datetime | None = None
    opens_at: datetime | None = None
    succeeded_at: datetime | None = None
    tokens: float = 0.0
    tokens_at: datetime | None = None
    failure_kind: FailureKind | Literal["unopened", ""] = ""
    failure_reason: str = ""
    after: Stance | None = None

    @property
    def is_told(self) -> bool:
        """Tell whether it is told what waits, as far as its hours and its rest let."""
        return self.state in {"running", "draining"}

    @property
    def is_failing(self) -> bool:
        """Tell whether it is to be told, and does not answer or cannot be."""
        return self.is_told and self.failures > 0


@dataclass(frozen=True, slots=True)
class DueLane:
    """A lane that was leased: what its target does not know yet of one golden record.

    attempts       failed ones in a row
    queued_at      since when its oldest message waits
    leased_at      of what was told since then, whoever has it may not have known
    series         of the ids of its requests: another one once an answer was about the record of another golden record,
                   or something else was seen than what was asked for without an answer
    is_taken_over  from a lease that ran out
    """

    target_id: str
    golden_id: GoldenId
    head: int
    acknowledged: int
    attempts: int
    failing_since: datetime | None
    queued_at: datetime
    is_forced: bool
    token: str
    leased_at: datetime
    series: int = 0
    is_taken_over: bool = False

    @property
    def may_be_told(self) -> bool:
        """Tell whether somebody tried before, and may have told the target without noting it."""
        return self.is_taken_over or self.attempts > 0


@dataclass(frozen=True, slots=True)
class Done:
    """A target is done with a lane up to a version."""

    lane: DueLane
    version: int
    outcome: OutcomeKind
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Later:
    """A lane is told again at an instant; `told` are versions that did arrive before the failure.

    waits_for  the golden record that the target has to know first; then nothing failed
    """

    lane: DueLane
    due_at: datetime
    kind: FailureKind | None
    reason: str
    told: int | None = None
    waits_for: GoldenId | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """A lane is parked until a person looks; the others go on."""

    lane: DueLane
    kind: FailureKind
    reason: str
    told: int | None = None


Settlement = Done | Later | Dead


@dataclass(frozen=True, slots=True)
class Held:
    """What the hub knows of one record of a target: salted hashes by field, never values.

    intended  hashes of all that was asked of a field since it last was answered, the newest last; None when nothing was
    written   by field, what the hub wrote there
    external_id  that it bears; None: that is not known
    written_at   when the hub last wrote to it, or asked to, be it an id alone; None: never
    written_for  by field and hash of a value that the hub wrote or asked for: as which version of which golden record
    """

    object: str
    scope: str
    native_id: str
    state: RemoteState
    salt: bytes
    hashes: Mapping[str, str]
    intended: Mapping[str, tuple[str, ...]] | None = None
    written: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remote_version: str = ""
    external_id: str | None = None
    written_at: datetime | None = None
    written_for: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Namesake:
    """A record of a target that bears the id of one golden record and belongs to another one, the owner."""

    object: str
    scope: str
    native_id: str
    owner: GoldenId


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """A record that a target has of a golden record, with what is known to stand in it; None: nothing is known.

    unmergeable_into  native id of the record into which the target said that it cannot merge this one; "": it never did
    """

    object: str
    scope: str
    native_id: str
    held: Held | None
    unmergeable_into: str = ""

    @property
    def external_id(self) -> str | None:
        """Give the external id that it bears; None: that is not known."""
        return self.held.external_id if self.held is not None else None


@dataclass(frozen=True, slots=True)
class Sight:
    """All that decides what a target's records shall hold of one golden record, seen at one instant.

    version  the newest one that is not held back
    records  those that the target has of it, the one first that the hub has known longest
    parents  by golden id that it points at: (scope, native id) of the records that the target has of that
    is_reserved  somebody outside of the hub is about to create it there, or elsewhere and nobody else knows it yet
    in_review  where the target has none: an open review that asks whether one of its records is this one
    namesakes  records of other golden records that bear its id
    claimed    of the external ids that its records bear: the ids of other active golden records
    parted     (field, golden record and version that it was written for) of values that left with who had said them
    """

    golden_id: GoldenId
    entity_type: str
    state: str
    version: int
    values: Mapping[str, Any]
    records: tuple[OwnRecord, ...]
    parents: Mapping[GoldenId, Sequence[tuple[str, str]]]
    frozen: frozenset[str] = frozenset()
    is_reserved: bool = False
    in_review: ReviewId | None = None
    namesakes: tuple[Namesake, ...] = ()
    claimed: frozenset[str] = frozenset()
    parted: frozenset[tuple[str, str]] = frozenset()
