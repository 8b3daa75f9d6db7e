"""Shapes of deliveries. A record that is malformed by itself does not spoil its batch."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StringConstraints, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from api.errors import HttpRefusal, read_pointer
from api.schemas.shape import Asked, Fault, Instant, NativeId, SourceId, Told, Word

FIELDS_COUNT_MAX = 1_000


class SourceRecordAsked(Asked):
    """One record as its system holds it now."""

    entity_type: Word = Field(examples=["customer"])
    source: SourceId = Field(description="Source instance.", examples=["salesforce-emea"])
    object: Word = Field(description="Record type in the source.", examples=["Account"])
    scope: Annotated[str, StringConstraints(max_length=100)] = Field(
        default="", description="Legal entity or subsidiary where it is part of the key.", examples=[""]
    )
    source_key: NativeId = Field(description="The system's own id.", examples=["0015g00000AbCdEAAV"])
    source_time: Instant | None = Field(
        default=None,
        description="When the source last changed it; older than what the hub holds is stale.",
        examples=["2026-06-30T12:00:00Z"],
    )
    deleted: StrictBool = Field(default=False, description="The source deleted it; `fields` may be empty.")
    merged_into: NativeId | None = Field(
        default=None,
        description="The id that survived when the source merged this record into another one of the same object and"
        " scope; nothing else of the record counts then.",
    )
    fields: dict[Annotated[str, StringConstraints(min_length=1, max_length=255)], Any] = Field(
        default_factory=dict,
        max_length=FIELDS_COUNT_MAX,
        description="Its columns under their own names.",
        examples=[{"Name": "Müller & Söhne GmbH", "BillingCountry": "DE", "VAT_Number__c": "DE123456788"}],
    )


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record of a batch that has no shape the hub knows; the others go on."""

    faults: tuple[Fault, ...]


def _keep_going(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, HttpRefusal):
        return Malformed((_unkept(value),))
    try:
        return validate(value)
    except ValidationError as error:
        return Malformed(
            tuple(_fault(dict(fault)) for fault in error.errors(include_url=False, include_input=False)[:20])
        )


def _unkept(refusal: HttpRefusal) -> Fault:
    place = ".".join(read_pointer(refusal.place or ""))
    return Fault(place=place, code=refusal.code, message=refusal.detail, remedy=refusal.remedy, severity="reject")


def _fault(fault: dict[str, Any]) -> Fault:
    return Fault(
        place=".".join(str(step) for step in fault["loc"]),
        code="malformed",
        message=str(fault["msg"]),
        remedy="see the shape of a source record in the API docs",
        severity="reject",
    )


class SourceRecordsAsked(Asked):
    """Up to 1,000 records; each is taken or refused by itself."""

    records: list[Annotated[SourceRecordAsked, WrapValidator(_keep_going)]] = Field(min_length=1)


class SourceRecordTold(Told):
    """What became of one delivered record."""

    status: Literal["created", "updated", "unchanged", "stale", "rejected"] = Field(
        description="stale: older than the record, or than the rejected delivery of it that waits; it changes nothing."
    )
    golden_id: str | None = Field(default=None, examples=["cus_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    outcome: Literal["created", "attached", "moved", "kept", "none"] = Field(
        description="created: a golden record was minted for it; attached: it joined one; moved: it changed from one to"
        " another; kept: it stays where it was; none: it belongs to none.",
        examples=["attached"],
    )
    in_review: bool = Field(default=False, description="A steward is asked about it.")
    errors: list[Fault] = Field(
        default_factory=list, description="Reasons of a rejection, or warnings about a record that was taken."
    )


class SourceRecordsTold(Told):
    """One answer for each record, in the order of the request."""

    results: list[SourceRecordTold]
