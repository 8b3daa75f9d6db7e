"""What the model of the hub remembers, each fact as a value: what sources say, what is decided, what was merged."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

Key = str
Gid = str


@dataclass(frozen=True)
class Widget:
    """What a source says of one record."""

    codes: frozenset[str]
    name: str
    batch: str
    note: str
    time: int


class Said(NamedTuple):
    """One active decision: the event that it came with, and whether somebody made it about two records in person."""

    left: Key
    right: Key
    what: str
    event: str
    is_personal: bool = False


@dataclass(frozen=True)
class Merged:
    """One golden record was absorbed: what was before.

    leaving  its members; staying: those of the survivor
    seen     every record that had belonged to any golden record by then
    beside   what the survivor absorbed at once with it
    rested   what the survivor led to until then; None where it was active, retired or new
    """

    absorbed: Gid
    survivor: Gid
    leaving: frozenset[Key]
    staying: frozenset[Key]
    seen: frozenset[Key]
    acknowledged: frozenset[Gid]
    confirmed: frozenset[Gid]
    published: frozenset[tuple[Key, Gid]]
    forwards: Mapping[Gid, Gid]
    beside: frozenset[Gid]
    rested: Gid | None


PUT = frozenset({"merge", "split", "move", "dissolve", "restore", "decision", "revocation"})
"""Acts that put a record where somebody wanted it."""


class Refused(Exception):
    """The model will not have it."""
