"""What the scenarios ask of a system, in words of no system; each adapter says them with its system's documented calls.

Only the standard library is used here: the same file runs in the environment of every system.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Judgement = Literal["same", "different"]


class NoSuchOperation(Exception):
    """The system documents no operation of this kind."""


class Refused(Exception):
    """The system refused what was asked; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Record:
    """A company as one installation of a source system delivers it; an equal tax number or website joins two."""

    source: str
    key: str
    name: str
    tax: str = ""
    website: str = ""
    phone: str = ""

    @property
    def label(self) -> str:
        """Return the key that is unique among all sources."""
        return f"{self.source}/{self.key}"

    @property
    def fields(self) -> dict[str, str]:
        """Return the columns that have a value."""
        given = {"name": self.name, "tax": self.tax, "website": self.website, "phone": self.phone}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge that was done: the id that lives on, the other one, and what the system needs to take it back."""

    survivor: str
    absorbed: str
    token: Any = None


class System(Protocol):
    """One freshly emptied system. What an adapter leaves out, the system does not offer."""

    def deliver(self, records: Sequence[Record]) -> None:
        """Run the system's pipeline over exactly these records, the way its documentation advises."""
        raise NoSuchOperation

    def holder(self, record: Record) -> str:
        """Look up by source key: the id of the entity that holds the record."""
        raise NoSuchOperation

    def members(self, entity: str) -> frozenset[str]:
        """Look up by an id that was given out at some time: the labels of the records it answers with."""
        raise NoSuchOperation

    def values(self, entity: str) -> Mapping[str, Any]:
        """Give the golden values that the system shows for an entity; several values are a sorted list."""
        raise NoSuchOperation

    def merge(self, first: str, second: str) -> Merge:
        """Join two entities by hand; the first one is the one to keep where the caller has a say."""
        raise NoSuchOperation

    def undo(self, merge: Merge) -> None:
        """Take back exactly this merge."""
        raise NoSuchOperation

    def moved(self, merge: Merge) -> frozenset[str]:
        """Read from the system's history which records a merge moved."""
        raise NoSuchOperation

    def take_out(self, record: Record) -> None:
        """Let one record leave its entity."""
        raise NoSuchOperation

    def decide(self, first: Record, second: Record, judgement: Judgement) -> None:
        """Record a steward's decision about two records."""
        raise NoSuchOperation

    def dissolve(self, entity: str) -> None:
        """Take an entity apart into its records."""
        raise NoSuchOperation

    def asks(self, first: Record, second: Record) -> bool:
        """Tell whether a question about these two records waits for a steward."""
        raise NoSuchOperation

    def add_child(self, key: str, parent: Record) -> None:
        """Deliver something of another type that points at a record."""
        raise NoSuchOperation

    def parent_of(self, key: str) -> str:
        """Give the id of the entity that a child points at now."""
        raise NoSuchOperation

    def deliver_at_once(self, records: Sequence[Record]) -> None:
        """Deliver each record in a thread of its own, all at the same instant."""
        raise NoSuchOperation

    def remark(self) -> str:
        """Give what else a reader should know of what was just played; nothing for most."""
        return ""
