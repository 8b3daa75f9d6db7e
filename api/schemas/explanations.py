"""Shapes of explanations: why, stories, lives, events, graphs, members and names at a time."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from api.schemas.golden_records import GoldenStatus
from api.schemas.shape import Told


class Shown(Told):
    """A reply that is read off a value of the hub."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class SideTold(Shown):
    """One of the two records asked about."""

    asked: str = Field(description="The key or golden id as it was asked.")
    source_key: str = Field(description="The record; of a golden id, the member that speaks loudest for joining.")
    entity_type: str
    state: str = Field(description="active, deleted or withdrawn")
    golden_id: str | None = None
    is_established: bool


class PartTold(Shown):
    """One part of a blocking rule: the texts that each side gives to it."""

    feature: str
    transform: str
    left: list[str]
    right: list[str]
    is_shared: bool


class RuleTold(Shown):
    """How the two stand to one blocking rule."""

    rule: str
    meeting: Literal["met", "differ", "missing", "stopped", "apart"] = Field(
        description="met: they share a key. differ, missing: a part differs, or one side has none. stopped: what they"
        " agree in is too common. apart: they agree, but are matched within different parents."
    )
    parts: list[PartTold]


class BlockTold(Shown):
    """A block that both stand in."""

    rule: str
    size: int = Field(description="Records in it; one too large is counted no further than one past the bound.")
    is_too_large: bool


class StepTold(Shown):
    """One comparison: bits + frequency_bits is what it adds."""

    comparison: str
    level: str
    bits: float
    frequency_bits: float
    left: list[str]
    right: list[str]


class WaterfallTold(Shown):
    """The evidence: prior_bits and every step's bits and frequency_bits add up to bits exactly, in six decimals."""

    prior_bits: float
    steps: list[StepTold]
    bits: float
    verdict: Literal["match", "possible_match", "non_match"]
    rules: list[str] = Field(description="Rules that hold, beside the weight.")


class ClashTold(Shown):
    """Strong identifiers of one scope that have nothing in common."""

    veto: str
    scope: str
    left: list[str]
    right: list[str]


class LinkTold(Shown):
    """An edge with its bits, or a decision that the two are the same."""

    left: str
    right: str
    bits: float | None = None
    decision_id: str | None = None


class OppositionTold(Shown):
    """Two members that must not share a golden record, and why."""

    left: str
    right: str
    decisions: list[str]
    clashes: list[ClashTold]


class WhyTold(Shown):
    """Why two records are one, or why not: a verdict in one sentence, and what it rests on."""

    kind: str = Field(examples=["not_compared"])
    sentence: str
    left: SideTold
    right: SideTold
    match_bits: float | None = Field(default=None, description="The match line.")
    review_bits: float | None = Field(default=None, description="The review line.")
    explanation: WaterfallTold | None = Field(default=None, description="The pair as it compares now.")
    rules: list[RuleTold]
    blocks: list[BlockTold]
    way: list[LinkTold] = Field(description="One golden record: the strongest way from one to the other.")
    decisions: list[str] = Field(description="The chain of decisions that parts them.")
    clashes: list[ClashTold]
    opposition: OppositionTold | None = None
    review_id: str | None = Field(default=None, description="The open question between their golden records.")
    review_kind: str | None = None


class EventBriefTold(Shown):
    """An event of identity: what kind of act, why, by whom, after which other one."""

    id: str = Field(examples=["evt_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    entity_type: str
    kind: str = Field(examples=["decision"])
    reason: str
    root_id: str | None = Field(default=None, description="The event that this one followed from.")
    undoes_id: str | None = Field(default=None, description="The event that this one took back.")
    recorded_at: datetime
    who: str


class MoveTold(Shown):
    """A record that changed its golden record; absent: it had none, or has none."""

    source_key: str
    before: str | None = None
    after: str | None = None


class StandingTold(Shown):
    """What a golden id stands for."""

    state: GoldenStatus
    forward_to: str | None = None
    is_confirmed: bool
    is_acknowledged: bool


class TurnTold(Shown):
    """A golden id whose standing changed; `before` is absent for one that was minted."""

    golden_id: str
    before: StandingTold | None = None
    after: StandingTold


class DecisionBriefTold(Shown):
    """A decision of an operation, in one line."""

    id: str
    said: str


class EventTold(Shown):
    """Everything that one event did."""

    event: EventBriefTold
    moves: list[MoveTold]
    turns: list[TurnTold]
    refreshed: list[str] = Field(description="Golden records whose values alone were worked out again.")
    followers: list[EventBriefTold]
    undone_by: list[str]
    decisions_made: list[DecisionBriefTold]
    decisions_revoked: list[DecisionBriefTold]


class LifeStepTold(Shown):
    """One thing that happened to the id."""

    kind: str = Field(
        description="minted, survived (it absorbed others), forwarded (it was absorbed), forwarded_anew (its survivor"
        " was absorbed in turn), split, restored, retired, confirmed or unconfirmed",
        examples=["forwarded"],
    )
    others: list[str] = Field(description="The golden ids it happened with.")
    event: EventBriefTold


class LifeTold(Shown):
    """The life of exactly this golden id."""

    id: str
    entity_type: str
    status: GoldenStatus
    forwarded_to: str | None = None
    is_confirmed: bool
    is_acknowledged: bool
    steps: list[LifeStepTold]
    absorbed: list[str] = Field(description="Ids that lead to this one now.")
    is_complete: bool


class ChapterTold(Shown):
    """Records that came to a golden id or left it in one event; or what happened to the id alone."""

    kind: str = Field(
        description="created, attached, merged, moved_in, returned, left, moved_out, merged_away, split; or confirmed,"
        " unconfirmed, retired, restored",
        examples=["attached"],
    )
    golden_id: str = Field(description="The id it happened to: an absorbed one until its merge.")
    record_keys: list[str]
    other: str | None = Field(default=None, description="Where the records came from, or went to.")
    carriers: list[LinkTold] = Field(description="The strongest links that stand now and brought them in.")
    members_count: int = Field(description="Members afterwards.")
    event: EventBriefTold


class StoryTold(Shown):
    """How a golden record came together, oldest first."""

    id: str
    entity_type: str
    status: GoldenStatus
    forwarded_from: str | None = None
    chapters: list[ChapterTold]
    is_complete: bool


class NodeTold(Shown):
    """One member."""

    source_key: str
    source: str
    state: str


class GraphEdgeTold(Shown):
    """Two members that match or may match."""

    left: str
    right: str
    bits: float
    verdict: Literal["match", "possible_match", "non_match"]
    is_vetoed: bool
    is_bridge: bool
    is_weak: bool = Field(description="A bridge with fewer bits than it should carry.")
    bits_min: float | None = Field(
        default=None, description="What a bridge should carry: the match line, and log2 of the pairs across it."
    )


class GraphDecisionTold(Shown):
    """A decision between two members."""

    id: str
    judgement: str
    left: str
    right: str


class CutTold(Shown):
    """The cheapest way to part the golden record."""

    bits: float
    part: list[str] = Field(description="The smaller part.")
    edges: list[tuple[str, str]]


class GraphTold(Shown):
    """A golden record as nodes and edges."""

    id: str
    entity_type: str
    forwarded_from: str | None = None
    nodes: list[NodeTold]
    edges: list[GraphEdgeTold]
    decisions: list[GraphDecisionTold]
    minimum_cut: CutTold | None = None
    is_connected: bool | None = None
    is_complete: bool = Field(
        description="False when weaker edges or members were left out; there are then no bridges and no cut."
    )


class MemberTold(Shown):
    """A member at the instant asked for."""

    source: str
    object: str
    scope: str
    source_key: str = Field(examples=["netsuite-us/customer:10482"])
    said_at: datetime | None = Field(default=None, description="When its source said what counts at `valid_at`.")


class MembersTold(Shown):
    """The members of a golden record at a moment."""

    golden_id: str
    entity_type: str
    status: GoldenStatus
    forwarded_from: str | None = None
    members: list[MemberTold]
    undated: list[str] | None = Field(
        default=None, description="Members of which `valid_at` cannot be answered: their source gives no times."
    )


class NameTold(Shown):
    """A name, and when a source said it; by the source's own clock, and by the hub's."""

    attribute: str
    value: str
    source_key: str
    said_from: datetime | None = None
    said_to: datetime | None = None
    recorded_from: datetime
    recorded_to: datetime | None = None


class NamesTold(Shown):
    """The names that a golden record goes by or went by."""

    golden_id: str
    entity_type: str
    forwarded_from: str | None = None
    names: list[NameTold]
    is_complete: bool
