"""The values of survivorship: what members contribute, what stewards override, what survives and where it came from.

Everything here is frozen and plain; the functions that decide stand in `rules`. Attribute values are what the mapping
of a source record gives: text, a list of texts, or a list of objects with texts; a missing value has no key.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson

from mdm.decisions.model import Term
from mdm.entities.model import Origin
from mdm.ids import GoldenId

State = Literal["in_force", "masks_newer", "superseded", "ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one member brings to its golden record.

    source_rank  standing of the source instance, 1 before 2; decides only between values of equal time
    source_time  when the source says it last changed the record; None = unknown, older than every known time
    changed_at   by attribute, when this value last changed in its source, where that is known better than source_time
    invalid      attributes whose value fails a validation of the entity type
    verified     attributes whose value was verified outside the hub, for example against a register
    is_ended     its source gave it up: it says nothing while any other member lives
    """

    record_key: str
    record_id: str
    origin: Origin
    source_rank: int
    source_time: datetime | None
    values: Mapping[str, Any]
    changed_at: Mapping[str, datetime] = field(default_factory=dict)
    invalid: frozenset[str] = frozenset()
    verified: frozenset[str] = frozenset()
    is_ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A steward's own value for one attribute, anchored on a source record; value None blanks the attribute.

    until   the first instant at which an override of term "until" no longer holds
    masked  `rules.fingerprint` of what the anchor record held when the override was made
    """

    attribute: str
    value: Any
    term: Term
    author: str
    reason: str
    record_key: str
    recorded_at: datetime
    until: datetime | None = None
    masked: str | None = None
    override_id: str = ""


@dataclass(frozen=True, slots=True)
class OverrideStanding:
    """How an override fares now; "masks_newer" holds too, but a source has said something else since."""

    override: Override
    state: State
    newer_record_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a golden value comes from.

    record_key   the record that won, or the anchor of the override
    rule         strategy that let it win, "override" for a steward's value
    agreeing     other records that hold the very same value, sorted
    elements     for a union, per element of the value, the records that gave it, first the one whose form is shown
    """

    record_key: str
    record_id: str
    rule: str
    agreeing: tuple[str, ...] = ()
    elements: tuple[tuple[str, ...], ...] = ()
    override: Override | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the form in which lineage is stored and shown, without any value."""
        shown: dict[str, Any] = {"record_key": self.record_key, "record_id": self.record_id, "rule": self.rule}
        if self.agreeing:
            shown["agreeing"] = list(self.agreeing)
        if self.elements:
            shown["elements"] = [list(record_keys) for record_keys in self.elements]
        if self.override is not None:
            until = self.override.until
            shown["override"] = {
                "override_id": self.override.override_id,
                "author": self.override.author,
                "reason": self.override.reason,
                "term": self.override.term,
                "until": until.isoformat() if until else None,
            }
        return shown


@dataclass(frozen=True, slots=True)
class GoldenValues:
    """What a golden record shows at one instant; `values` and `lineage` keep the declared order of attributes.

    An attribute blanked by an override has lineage and no value.
    at              the instant asked for; trust is worked out for it
    next_change_at  first later instant at which decay or the end of an override changes a winner, with nothing new
    """

    values: Mapping[str, Any]
    lineage: Mapping[str, Lineage]
    next_change_at: datetime | None
    at: datetime
    overrides: tuple[OverrideStanding, ...] = ()


@dataclass(frozen=True, slots=True)
class Losing:
    """A value that a member holds and the golden record does not show."""

    value: Any
    record_key: str
    why: str


def canonical_bytes(values: Any) -> bytes:
    """Write values as JSON with sorted keys and no spaces: equal values give equal bytes, so checksums compare."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def masked_hash(record_key: str, attribute: str, value: Any) -> str | None:
    """Fingerprint what a record holds for an attribute, None for nothing; the key salts it against being joined on."""
    if value is None:
        return None
    return hashlib.sha256(canonical_bytes([record_key, attribute, value])).hexdigest()


@dataclass(frozen=True, slots=True)
class GoldenVersion:
    """One version of a golden record as it is stored: what it showed from one instant until another (None: still).

    held  reasons why this version is not published yet; empty when it is
    """

    golden_id: GoldenId
    entity_type: str
    version: int
    state: Literal["active", "forwarded", "retired"]
    forward_to: GoldenId | None
    values: Mapping[str, Any]
    lineage: Mapping[str, Any]
    completeness: float
    held: tuple[str, ...]
    recorded_from: datetime
    recorded_to: datetime | None
    event_id: str
    who: str
