"""Values of what systems deliver: source keys, deliveries, source records and what became of each delivery."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, Protocol, Self

from mdm.entities.model import Origin, Reason
from mdm.errors import SourceKeyInvalid
from mdm.ids import ExceptionId, GoldenId, RecordId

NATIVE_ID_LENGTH_MAX: Final = (
    255  # chosen: every vendor's keys are shorter, and a B-tree entry holds it with room to spare
)
_NO_TEXT: Final = r"\0\ud800-\udfff"  # NUL and halves of characters, which no text column keeps
_PLACE: Final = rf"[^/:{_NO_TEXT}]{{1,100}}"
_INSTANCE: Final = r"[a-z0-9][a-z0-9-]{0,62}"
HUB: Final = "hub"
"""The built-in source instance: records that the hub makes itself, as for a reservation; nobody delivers to it."""
_KEY: Final = re.compile(
    rf"(?P<instance>{_INSTANCE})/(?P<object>{_PLACE})(?:/(?P<scope>{_PLACE}))?:(?P<native_id>[^{_NO_TEXT}]+)"
)

RecordState = Literal["active", "deleted", "withdrawn"]
EndedBecause = Literal["merged", "re_keyed", "instance_migrated", "instance_retired"]
UnseenBecause = Literal["access_lost", "vanished"]
Status = Literal["created", "updated", "unchanged", "stale", "rejected"]


def is_instance_id(text: str) -> bool:
    """Tell whether a text can name a source instance: lower-case letters, digits and hyphens, at most 63."""
    return re.fullmatch(_INSTANCE, text) is not None


def system_name(text: str) -> str:
    """Fold the name of a system as declarations name it: trimmed, lower case."""
    return text.strip().lower()


@dataclass(frozen=True, slots=True, order=True)
class SourceKey:
    """Names one record of one object of one source instance; unique as a whole.

    Printed as `instance/object:native id`, or `instance/object/scope:native id` where a legal entity or subsidiary
    is part of the key. The native id is kept byte for byte.
    """

    instance: str
    object: str
    scope: str
    native_id: str

    def __str__(self) -> str:
        """Print the key the way people and systems write it."""
        place = f"{self.object}/{self.scope}" if self.scope else self.object
        return f"{self.instance}/{place}:{self.native_id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a printed key; raises SourceKeyInvalid."""
        found = _KEY.fullmatch(text)
        if found is None or len(found["native_id"]) > NATIVE_ID_LENGTH_MAX:
            raise SourceKeyInvalid(text)
        return cls(found["instance"], found["object"], found["scope"] or "", found["native_id"])


@dataclass(frozen=True, slots=True)
class SourceInstance:
    """One installation of a source system; its id never changes, also when it is renamed.

    system      as declarations name it, see `system_name`

    retired_at  since when all its records count as ended; None while it lives
    """

    id: str
    system: str
    title: str
    rank: int = 100
    duplicate_free: bool = False
    retired_at: datetime | None = None


class Systems(Protocol):
    """By registered source instance: the system of which it is an installation."""

    def __contains__(self, instance: object, /) -> bool:
        """Tell whether an instance of this id is registered."""

    def __getitem__(self, instance: str, /) -> str:
        """Return its system."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record as a system sent it; `fields` are its own columns, a deletion needs none.

    merged_into    the key that survived, where the system gave this one up in a merge; then nothing else counts
    reason         why it was deleted, where that is known
    source_column  the column of a file that named the instance; "" where the caller named it
    """

    key: SourceKey
    entity_type: str
    fields: Mapping[str, Any]
    source_time: datetime | None = None
    is_deletion: bool = False
    merged_into: SourceKey | None = None
    reason: str = ""
    source_column: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceKey:
    """What a record points at: a native id of the same instance, in the record's own scope or in none."""

    attribute: str
    entity_type: str
    instance: str
    scope: str
    native_id: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A delivery that fits its entity type, mapped and ready to be stored.

    system  of which its source instance is an installation
    """

    delivery: Delivery
    values: Mapping[str, Any]
    undeclared: Mapping[str, Any]
    references: tuple[ReferenceKey, ...]
    warnings: tuple[Reason, ...]
    content_hash: bytes
    system: str = ""

    @property
    def state(self) -> RecordState:
        """Tell what the record is once this delivery is stored."""
        return "deleted" if self.delivery.is_deletion else "active"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A delivery that cannot be stored, with every reason."""

    delivery: Delivery
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """The newest version of a source record, as the later stages need it.

    duplicate_free      its source promised to hold each thing once
    context             golden id of the parent it is matched within, "" while that is unknown
    invalid_attributes  those with a value that fails a validation
    holds               codes of the validations that hold its golden record back from publishing
    ended_because       why its source uses it no more, though it is still a member; None while it lives
    is_deferred         it waits for a wider search
    system              of which its source instance is an installation
    """

    id: RecordId
    key: SourceKey
    entity_type: str
    state: RecordState
    version: int
    source_time: datetime | None
    golden_id: GoldenId | None
    values: Mapping[str, Any]
    source_rank: int
    duplicate_free: bool = False
    context: str = ""
    invalid_attributes: frozenset[str] = frozenset()
    holds: tuple[str, ...] = ()
    ended_because: EndedBecause | None = None
    is_deferred: bool = False
    system: str = ""

    @property
    def origin(self) -> Origin:
        """Return the instance that it comes from, with its system."""
        return Origin(self.key.instance, self.system)


@dataclass(frozen=True, slots=True)
class WholeMember:
    """A member with all that its golden record is worked out of and found by.

    undeclared      the columns that no attribute claims
    has_references  it points at other records
    is_overridden   an override in force is anchored on it
    """

    record: SourceRecord
    undeclared: Mapping[str, Any]
    has_references: bool
    is_overridden: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """What storing one accepted delivery did; only created and updated ones go on along the path.

    has_facts       its source said something of its key, or retired, which may make it ended or let it live again
    has_exceptions  an earlier delivery of its key waits for somebody to mend it
    before          of an updated record that was matched and still is to be: what its last version said
    """

    record_id: RecordId
    key: SourceKey
    status: Status
    golden_id: GoldenId | None
    has_facts: bool = False
    has_exceptions: bool = False
    before: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class DeliveryException:
    """A delivery that waits for somebody to mend it; `column_map` is how its columns were mapped by hand.

    note  why it was dismissed; "" where nobody said
    """

    id: ExceptionId
    kind: Literal["rejected", "warning"]
    entity_type: str
    source_key: str
    fields: Mapping[str, Any]
    source_time: datetime | None
    reasons: tuple[Reason, ...]
    state: Literal["open", "replayed", "dismissed", "superseded"]
    recorded_at: datetime
    is_deletion: bool = False
    column_map: Mapping[str, str] = field(default_factory=dict)
    closed_at: datetime | None = None
    closed_by: str = ""
    note: str = ""
