"""Shapes of overrides: a steward's own values."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.schemas.shape import Asked, Fault, Instant, Told

OverrideTerm = Literal["for_ever", "until_source_changes", "until"]
OverrideState = Literal["in_force", "masks_newer", "superseded", "at_rest", "ended"]


class OverrideAsked(Asked):
    """A steward's own value for one attribute."""

    value: Any = Field(
        description="Read as if a source had delivered it: codes by any of their words, lists as lists; null blanks"
        " the attribute.",
        examples=["Müller & Söhne GmbH"],
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)] = Field(examples=["register extract"])
    term: OverrideTerm = Field(
        default="for_ever",
        description="`until_source_changes` ends when the masked record says something else, `until` at an instant.",
    )
    until: Instant | None = Field(default=None, description="For the term `until`: the first instant without it.")


class OverrideTold(Told):
    """An override and how it fares now."""

    id: str = Field(examples=["ovr_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    golden_id: str | None = Field(default=None, description="Of its record, now.")
    entity_type: str
    attribute: str = Field(examples=["legal_name"])
    value: Any = Field(default=None, description="Absent when it blanks the attribute.")
    record_key: str = Field(description="The record that it follows.", examples=["netsuite-us/customer:10482"])
    state: OverrideState = Field(
        description="`masks_newer` holds, yet a source has said something else since; `superseded` by a later one;"
        " `at_rest` while its record is out of the hub."
    )
    newer_record_keys: list[str] | None = Field(default=None, description="Who has said something else since.")
    term: OverrideTerm
    until: Instant | None = None
    reason: str
    who: str
    recorded_at: Instant
    event_id: str | None = None
    ended_at: Instant | None = None
    ended_by: str | None = Field(default=None, description="`hub` when its own term was over.")
    ended_event_id: str | None = None


class OverridesTold(Told):
    """The overrides of one golden record, those that stand first, then the latest first."""

    golden_id: str
    rows: list[OverrideTold]


class OverrideChangeTold(Told):
    """What setting or clearing an override did."""

    golden_id: str
    entity_type: str
    version: int = Field(description="Of the golden record, afterwards.")
    is_changed: bool = Field(description="False when all stood as asked.")
    made: list[str] = Field(description="Ids; several where attributes move together, as those of an address.")
    ended: list[str] = Field(description="Ids of those that it superseded or cleared.")
    changed: list[str] = Field(description="Attributes that show something else.")
    warnings: list[Fault]


class OverridePreviewTold(OverrideChangeTold):
    """What setting or clearing an override would do; nothing was done, and ids will be others."""

    before: dict[str, Any] = Field(description="What changed attributes show now; null for nothing.")
    after: dict[str, Any]
