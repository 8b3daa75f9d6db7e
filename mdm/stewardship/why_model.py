"""The values of `why`: a verdict in one sentence, and the evidence that it rests on."""

from dataclasses import dataclass
from typing import Literal

from matching.explain import Clash, Explanation
from matching.meet import RuleSeen
from mdm.ids import DecisionId, GoldenId, ReviewId
from mdm.resolution.pairing import BlockSeen

WhyKind = Literal[
    "same_record",
    "same_golden_record",
    "two_entity_types",
    "not_a_member",
    "decided_apart",
    "vetoed",
    "not_compared",
    "block_too_large",
    "below_review_line",
    "possible_match",
    "refused",
    "held",
    "deferred",
    "pending",
]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that were asked about: a record, chosen among the members where a golden id was named."""

    asked: str
    source_key: str
    entity_type: str
    state: str
    golden_id: GoldenId | None
    is_established: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the way between two members: an edge with its bits, or a decision that they are the same."""

    left: str
    right: str
    bits: float | None = None
    decision_id: DecisionId | None = None


@dataclass(frozen=True, slots=True)
class Opposition:
    """Two members of the clusters of the two records that must not share one, and why: a decision, or a veto."""

    left: str
    right: str
    decisions: tuple[str, ...] = ()
    clashes: tuple[Clash, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: `kind` and `sentence` are the verdict, all else is evidence, empty where it has no part in it.

    way         same golden record: from one to the other, each link as strong as can be
    rules       how both stand to each blocking rule
    decisions   the chain of decisions that parts them
    clashes     strong identifiers of the two themselves that contradict each other
    opposition  two members that keep the clusters of the two apart
    review_id   the open question between the two golden records
    """

    kind: WhyKind
    sentence: str
    left: Side
    right: Side
    match_bits: float | None = None
    review_bits: float | None = None
    explanation: Explanation | None = None
    rules: tuple[RuleSeen, ...] = ()
    blocks: tuple[BlockSeen, ...] = ()
    way: tuple[Link, ...] = ()
    decisions: tuple[str, ...] = ()
    clashes: tuple[Clash, ...] = ()
    opposition: Opposition | None = None
    review_id: ReviewId | None = None
    review_kind: str | None = None
