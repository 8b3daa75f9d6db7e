"""The values of the demo firm: its source instances, their records in delivery order, and what is true about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class DemoInstance:
    """One installation of a source system; a lower rank is trusted more, and rank 1 is the most trusted."""

    id: str
    system: str
    title: str
    rank: int
    duplicate_free: bool


@dataclass(frozen=True, slots=True)
class DemoRecord:
    """One record as its system delivers it, beside the truth about it.

    fields  the vendor's column names; an empty field is absent
    truth   the true entity behind the record: records of equal truth belong to one golden record
    traps   names of traps.TRAPS that this record is part of
    """

    instance: str
    object: str
    scope: str
    native_id: str
    entity_type: str
    fields: Mapping[str, Any]
    source_time: datetime
    truth: str
    traps: frozenset[str]

    @property
    def key(self) -> str:
        """Print the source key."""
        return f"{self.instance}/{self.object}{'/' + self.scope if self.scope else ''}:{self.native_id}"


@dataclass(frozen=True, slots=True)
class TrueRelation:
    """A true relation between two entities, read "first kind second": a parent_of b, b acquired_by a, a client_of p.

    kind  parent_of, sister_of, acquired_by, succeeded_by, phase_of, amendment_of, renewal_of; client_of names the
          customer of a project or contract
    """

    kind: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class DemoFirm:
    """The whole firm; records stand in the order in which the systems deliver them."""

    instances: tuple[DemoInstance, ...]
    records: tuple[DemoRecord, ...]
    relations: tuple[TrueRelation, ...]
