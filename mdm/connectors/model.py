"""What a connector is to the hub: a system whose records can be read and written, or a place that messages are sent to.

A connector speaks one vendor's protocol and nothing else: it knows no database of the hub, no golden record and no
policy. What it is asked to do carries an id that stays the same for every repeat; it says what became of each thing, in
order, and never raises for what a system answers. Which answers are tried again, and when, is for its caller to decide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol

# throttled     slow down (429, or 503 with Retry-After): nothing is wrong with the thing itself
# unavailable   the system failed or did not answer (5xx, refused connection, DNS, TLS, timeout before the request left)
# unclear       it may have been done (the connection ended or ran out of time after the request left, or the answer
#               names another id): ask again with the same request id
# refused       it will never be taken as it is (400, 404, 413, 422, a rule of the system): a person has to look
# unsupported   the system does not do such a thing at all, be it what it may: a merge has a second choice then
# ambiguous     the system knows several records for one key (Salesforce answers 300): a person has to look
# taken         another record bears the external id, or what was answered is the record of another golden record: it is
#               tried again once that one has let go of it
# not_allowed   credentials or permissions (401, 403): every other thing will fail the same way
# moved         a redirect (3xx), which is never followed
# gone          the place is closed for good (410)
FailureKind = Literal[
    "throttled",
    "unavailable",
    "unclear",
    "refused",
    "unsupported",
    "ambiguous",
    "taken",
    "not_allowed",
    "moved",
    "gone",
]

REASON_LENGTH_MAX: Final = 500  # characters of an answer that are kept, where it may be a page of HTML
CONCURRENCY: Final = 4  # what D365 bears by default; NetSuite less, which its declaration says


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done, as far as we know; `reason` is one line for a person, without readable values.

    retry_after_s  seconds the system asks to wait, where it says so
    records        native ids of the records that the answer names: those that are in the way, or that it is about
    """

    kind: FailureKind
    reason: str
    retry_after_s: float | None = None
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Something was done: the system's own id of the record or message, and its version where it has one.

    differing  fields that the record holds otherwise than was asked: it was there before, a repeat found it changed
               since, or its system writes values in a way of its own
    """

    request_id: str
    native_id: str = ""
    version: str = ""
    differing: tuple[str, ...] = ()


# release  take its external id away, so that another record can have it
ChangeKind = Literal["create", "update", "deactivate", "reactivate", "merge", "release"]


@dataclass(frozen=True, slots=True)
class Change:
    """What one record of a system shall become.

    request_id   the same for every repeat of this change, so that a system that can will do it once
    native_id    of the record; empty to create one
    fields       values by the system's own field names: only those to write
    external_id  the golden id, for systems that keep one beside their own; empty to leave it as it is
    into         native id of the record that survives, for a merge
    """

    request_id: str
    kind: ChangeKind
    object: str
    scope: str
    native_id: str
    fields: Mapping[str, Any]
    external_id: str = ""
    into: str = ""


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """A record as its system shows it now.

    merged_into  native id of the survivor, where the system merged this one away
    external_id  the golden id that was written to it, where the system keeps one
    """

    object: str
    scope: str
    native_id: str
    fields: Mapping[str, Any]
    version: str
    changed_at: datetime
    is_active: bool = True
    merged_into: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of records in the order of their changes; `cursor` leads on, and stands still at the end."""

    records: Sequence[RemoteRecord]
    cursor: str
    is_last: bool


class CallFailed(Exception):
    """A read that gave no answer carries its failure here; a write answers with it, one for each change."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.reason}")
        self.failure = failure


class RecordSystem(Protocol):
    """A CRM, PSA or ERP whose records the hub reads and writes."""

    def write(self, changes: Sequence[Change]) -> Sequence[Receipt | Failure]:
        """Carry out changes and say what became of each, in their order."""

    def read(self, object_: str, native_ids: Sequence[str], *, scope: str = "") -> Mapping[str, RemoteRecord]:
        """Read records by native id, of one legal entity if it is named; those it does not have are left out.

        Raises CallFailed.
        """

    def changed(self, object_: str, *, after: str, limit: int) -> Page:
        """Read a page of records changed after a cursor; an empty one is the beginning. Raises CallFailed."""

    def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class Message:
    """One golden version, or one turn of a review, to tell: a CloudEvents envelope in its JSON form.

    id       the same for every attempt
    kind     as in the change feed, e.g. golden_record.changed
    subject  golden id or review id: messages of one subject are in order
    body     the envelope as bytes
    """

    id: str
    kind: str
    entity_type: str
    subject: str
    body: bytes


class Meter(Protocol):
    """What is told before a system is called, to count it, or to let the call wait; threads share it."""

    def __call__(self, calls: int, /) -> None:
        """Come back when so many calls may be made."""


def unmetered(calls: int) -> None:
    """Let calls be made without counting them."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much a system is asked: so many calls at a time, and a meter that is told before each."""

    concurrency: int = CONCURRENCY
    meter: Meter = unmetered


class MessageSink(Protocol):
    """A webhook, a broker: somewhere messages are sent to."""

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt | Failure]:
        """Send messages, those of one subject in order, and say what became of each, in their order.

        After a failure the later messages of the same subject are not sent; they fail in the same way.
        """

    def close(self) -> None:
        """Let go of connections, and of what was not confirmed."""
