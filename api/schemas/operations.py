"""Shapes of what stewards do to golden records, and of what that does."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from api.schemas.decisions import Judgement, PrintedKey, Relation
from api.schemas.shape import Asked, Told

Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
GoldenIdText = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class OperationAsked(Asked):
    """Why a steward does this."""

    reason: Reason = Field(examples=["same VAT id, seen in the register"])
    expected_versions: dict[GoldenIdText, int] = Field(
        default_factory=dict,
        max_length=1000,
        description="The version of each golden record as you saw it, of those that follow too: the versions of a dry"
        " run less one, but of those that it mints. When one moved on, the request is refused: 412.",
        examples=[{"cus_01hzy3v7k2m4n6p8q0r2s4t6v8": 3}],
    )


class MergeAsked(OperationAsked):
    """Make another golden record one with this one."""

    other: GoldenIdText = Field(description="Golden id to merge with.", examples=["cus_01hzy3v7k2m4n6p8q0r2s4t6v9"])
    survivor: GoldenIdText | None = Field(
        default=None, description="Whose id stays; left out, the confirmed one's, else the older one's."
    )
    values: dict[str, Any] = Field(
        default_factory=dict, description="Attributes edited by hand: they become overrides of the result."
    )


class JudgeAsked(OperationAsked):
    """Decide what another golden record is to this one; it binds all members of both."""

    other: GoldenIdText
    judgement: Judgement
    relation: Relation | None = Field(default=None, description="Needed for `related`; reads this, relation, other.")


class SplitAsked(OperationAsked):
    """Divide a golden record anew."""

    parts: list[list[PrintedKey]] = Field(
        min_length=1,
        max_length=100,
        description="Source keys of each part; members that no part names stay together as one more.",
        examples=[[["netsuite-us/customer:10482"]]],
    )


class MoveAsked(OperationAsked):
    """Take a record out of its golden record and into this one."""

    source_key: PrintedKey


class UnmergeRecordAsked(OperationAsked):
    """Take a record, or the branch that came with it, out of this golden record."""

    source_key: PrintedKey
    branch: bool = Field(
        default=False,
        description="Also what had come together with the record before the last merge; else the record alone.",
    )


class UnmergeAsked(OperationAsked):
    """Take a merge back."""

    returning: GoldenIdText | None = Field(
        default=None, description="The golden id that returns, where the event absorbed several; left out, all of them."
    )


class MovedTold(Told):
    """A record that changes its golden record."""

    entity_type: str
    source_key: str
    before: str | None = None
    after: str | None = None


class ChangedTold(Told):
    """A golden record that gets a new version; `before` is absent where it is minted, values where you may not read."""

    id: str
    entity_type: str
    status: str
    forwarded_to: str | None = None
    version: int
    before: dict[str, Any] | None = Field(default=None, description="Values before.")
    after: dict[str, Any] | None = Field(
        default=None, description="Values from now on; absent of an entity type that the key may not read."
    )


class BoundTold(Told):
    """A decision that an operation makes or ends."""

    id: str
    judgement: str
    left: str
    right: str


class EffectTold(Told):
    """What an operation does; of a dry run, what it would do, but for ids that are minted then."""

    event_id: str = Field(description="Names the operation; undo it or take it back by this id.")
    kind: str
    dry_run: Literal[True] | None = None
    moved: list[MovedTold]
    golden_records: list[ChangedTold]
    decisions_made: list[BoundTold]
    decisions_ended: list[BoundTold]
    targets: dict[str, int] = Field(description="How many messages each target gets.")
