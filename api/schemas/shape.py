"""What all requests and replies have in common: strictness, source keys, pages."""

import re
from datetime import datetime
from typing import Annotated, Final, Generic, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from mdm.clock import in_utc
from mdm.entities.model import Reason

Row = TypeVar("Row")

# 255: every vendor's keys are shorter, and an index entry holds it.
Word = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=False)]
NativeId = Annotated[str, StringConstraints(min_length=1, max_length=255)]
SourceId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Text = Annotated[str, StringConstraints(max_length=2000)]
_YEAR: Final = re.compile("[0-9]{4}-")


def _is_written(given: object) -> object:
    # Pydantic takes a number, and a text of digits, for seconds or milliseconds since 1970 by its size.
    if isinstance(given, datetime) or (isinstance(given, str) and _YEAR.match(given)):
        return given
    raise ValueError("an instant is written as a text like 2026-06-30T12:00:00Z")


def _with_zone(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset, as in 2026-06-30T12:00:00Z")
    return in_utc(instant)


Instant = Annotated[datetime, BeforeValidator(_is_written), AfterValidator(_with_zone)]


class Asked(BaseModel):
    """A request body; fields that no route knows are a mistake of the caller and are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(BaseModel):
    """A reply."""

    model_config = ConfigDict(frozen=True)


class SourceKeyTold(Told):
    """A key of one record of one source instance."""

    source: str = Field(examples=["netsuite-us"])
    object: str = Field(examples=["customer"])
    scope: str = Field(examples=[""])
    source_key: str = Field(examples=["10482"])


class Fault(Told):
    """One reason why something was not taken as it came."""

    place: str = Field(description="A field of the record.", examples=["country"])
    code: str = Field(description="Stable.", examples=["unknown_code"])
    message: str = Field(examples=["'Deutschlnd' is no country"])
    remedy: str = Field(examples=["send an ISO 3166 code or add a synonym for this source"])
    severity: str = Field(description="reject, warn or hold_publishing", examples=["warn"])

    @classmethod
    def of(cls, reason: Reason) -> Self:
        """Tell a reason of the hub."""
        return cls(
            place=reason.field,
            code=reason.code,
            message=reason.message,
            remedy=reason.remedy,
            severity=reason.severity,
        )


class Page(Told, Generic[Row]):
    """One page of a list, oldest first unless the route says otherwise."""

    rows: list[Row]
    next: str | None = Field(default=None, description="Pass it as `after`; absent on the last page.")
