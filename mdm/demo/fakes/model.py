"""The values of the fakes: what an object allows, a record, a request and its reply.

A character is data; what it does to a record stands in records.py, what it says over HTTP in answers.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

FieldKind = Literal["text", "email", "number", "date", "flag", "country", "currency", "terms", "reference"]


@dataclass(frozen=True, slots=True)
class Field:
    """What one field takes; a reference names the object that has to hold its value as a native id."""

    kind: FieldKind = "text"
    is_required: bool = False
    length_max: int = 255
    object: str = ""


@dataclass(frozen=True, slots=True)
class ObjectRules:
    """What one object of a system allows.

    id_prefix      what its ids begin with, where ids tell the object
    is_scoped      whether records belong to a legal entity, where the system has several
    duplicates     groups of fields: a record equal to another in all fields of a group is a duplicate by the rule
    periods        pairs of dates of which the first is not after the second
    fixed_in_use   fields that stay as they are once another record refers to the record
    """

    fields: Mapping[str, Field]
    id_prefix: str = ""
    is_scoped: bool = False
    can_merge: bool = False
    duplicates: tuple[tuple[str, ...], ...] = ()
    periods: tuple[tuple[str, str], ...] = ()
    fixed_in_use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Character:
    """One kind of system.

    inactive_field         the flag that says a record is out of use; deactivating sets it
    make_id                native id from the prefix of an object and a counter
    is_external_id_unique  whether two records of one object and scope may hold the same external id
    """

    name: str
    objects: Mapping[str, ObjectRules]
    inactive_field: str
    make_id: Callable[[str, int], str]
    is_external_id_unique: bool


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands; the sequence orders all changes of a system.

    fields       only those that hold something
    changed_by   "hub" for the hub's key, else the user's name
    merged_into  native id of the record that survived it
    """

    object: str
    scope: str
    native_id: str
    fields: Mapping[str, Any]
    version: int
    sequence: int
    changed_at: datetime
    changed_by: str
    is_active: bool = True
    merged_into: str = ""
    external_id: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Give what tells the record from all others."""
        return self.object, self.scope, self.native_id


Effect = Literal["created", "changed", "unchanged", "known", "repeated", "merged"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write; `changed` are the fields that are other than before, None where one was cleared.

    known     the record with this external id was there before; nothing was written
    repeated  the idempotency key was seen before; nothing was written
    """

    record: Record
    effect: Effect
    changed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldFault:
    """Why the value of one field is not taken."""

    field: str
    code: str
    message: str


class Refused(Exception):
    """A request the system does not carry out: status and code of the reply, and what a person reads.

    Messages hold values of records, as the vendors' do; who keeps a message keeps values.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        faults: tuple[FieldFault, ...] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.faults = faults
        self.facts = dict(facts or {})


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came over the wire; names of headers in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as it goes over the wire."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
