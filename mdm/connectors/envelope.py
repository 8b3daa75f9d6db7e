"""The envelope in which a golden version or a turn of a review is told to others: CloudEvents 1.0, in its JSON form.

It is thin by default: ids, version, and the names of the attributes that changed; who wants values asks the hub, and is
shown what he may see. A subscription may ask for the values too. Either way it stays below a bound: what does not fit
is left out and named in `left_out`, for the receiver to read by id. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

ENVELOPE_BYTES_MAX: Final = 20_000  # Standard Webhooks 1.0, "Payload size"
_SEQUENCE_DIGITS: Final = 19  # of a bigint: the extension asks for texts that sort as the numbers do
# What is left out first: the largest, and the easiest to read elsewhere.
_LEAVES: Final = ("values", "joined", "left", "moves", "parts", "changed", "details")
_DETAILS: Final = ("event_id", "forward_to", "parts", "moves", "joined", "left")
_SHAPE: Final = 2  # of `data`: raised when it says more, or something else


@dataclass(frozen=True, slots=True)
class Told:
    """What is told.

    id        the same in every attempt and at every target; the change feed numbers its rows by itself
    kind      as in the change feed, e.g. golden_record.changed
    subject   golden id or review id
    sequence  rises within a subject: the version of a golden record, the place of a review's turn
    version   of the golden record; None for a turn of a review
    changed   names of the attributes whose golden value is another than before
    details   of a golden record or of a turn of a review, as in the change feed
    values    of the golden version, where the subscription asks for them
    """

    id: str
    kind: str
    entity_type: str
    subject: str
    sequence: int
    at: datetime
    version: int | None = None
    changed: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] | None = None


def source_of(public_url: str | None, system: str) -> str:
    """Name this hub as the source of events: its own address, else the history that its database belongs to."""
    return public_url or f"urn:mdm:{system}"


def schema_of(kind: str) -> str:
    """Name the shape of `data` of a kind; another shape would get another number."""
    return f"urn:mdm:event:{kind}:{_SHAPE}"


def enclose(told: Told, *, source: str, bytes_max: int = ENVELOPE_BYTES_MAX) -> bytes:
    """Write the envelope; the same happening gives the same bytes, at most the bound."""
    told_part = _told_part(told)
    left_out: list[str] = []
    written = _written(told, told_part, source)
    for name in _LEAVES:
        if len(written) <= bytes_max:
            break
        if told_part.pop(name, None) is not None:
            left_out.append(name)
            written = _written(told, {**told_part, "left_out": left_out}, source)
    assert len(written) <= bytes_max, "an envelope of ids alone is too long"
    return written


def _told_part(told: Told) -> dict[str, Any]:
    """Give `data`, in one order."""
    if told.version is None:
        return {"review_id": told.subject, "entity_type": told.entity_type, "details": dict(told.details)}
    part: dict[str, Any] = {
        "golden_id": told.subject,
        "entity_type": told.entity_type,
        "version": told.version,
        "changed": sorted(told.changed),
    }
    part |= {name: told.details[name] for name in _DETAILS if told.details.get(name)}
    if told.values is not None:
        part["values"] = {name: told.values[name] for name in sorted(told.values)}
    return part


def _written(told: Told, part: Mapping[str, Any], source: str) -> bytes:
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": told.id,
            "source": source,
            "type": told.kind,
            "subject": told.subject,
            "time": told.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "dataschema": schema_of(told.kind),
            "datacontenttype": "application/json",
            "partitionkey": told.subject,
            "sequence": f"{told.sequence:0{_SEQUENCE_DIGITS}}",
            "data": part,
        }
    )
