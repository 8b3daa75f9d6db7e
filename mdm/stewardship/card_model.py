"""The review card as one frozen value: everything a steward looks at to decide, and nothing about how it is drawn.

Texts of records stand in it as they were delivered, cut at a bound; words of the hub (kinds, verdicts, attributes) are
names to be told in the reader's language. Nothing here reads a database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from matching.explain import Step
from matching.model import Verdict as ModelVerdict
from mdm.decisions.model import Judgement
from mdm.decisions.review_model import Answer, Comment, Review
from mdm.ids import DecisionId, EventId, GoldenId, RecordId
from mdm.stewardship.card_consequences import ChoiceFault, Effects, Refusal, Risk

COLUMNS_MAX: Final = 12  # chosen: more do not stand beside each other on a screen
NODES_MAX: Final = 40  # chosen: more can be neither drawn nor read
MEMBERS_MAX: Final = 500  # chosen: records of which one card works out the result, as a load of 500 takes 100 ms
EDGES_MAX: Final = 2_000  # as for the graph of a golden record
TEXT_LENGTH_MAX: Final = 2_000  # chosen: a paragraph; a cell shows a few lines
TEXTS_MAX: Final = 20  # chosen: values of one list in one cell
KEYS_MAX: Final = 20  # chosen: source keys that one system names
HISTORY_MAX: Final = 20  # chosen: what happened lately
CHILDREN_MAX: Final = 5  # chosen: projects or contracts of one side that are named, the newest first
CHAIN_MAX: Final = 20  # chosen: links of a proof

Asking = Literal["one_or_two", "belongs_together"]
CellVerdict = Literal["same", "near", "different", "missing", "not_compared", "reference"]
Suggested = Literal["merge", "apart", "related"]


@dataclass(frozen=True, slots=True)
class Pick:
    """A steward takes the value of a column, the first is 0; of a group that moves together all of it."""

    column: int


@dataclass(frozen=True, slots=True)
class Typed:
    """A steward types a value: text, or texts for a list; None blanks the attribute."""

    value: Any


Choice = Pick | Typed


@dataclass(frozen=True, slots=True)
class Named:
    """A golden record by name, for a line that leads to it."""

    golden_id: GoldenId
    entity_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Form:
    """What the matcher sees of a text for one feature; what it ignores is what the text has more than that."""

    feature: str
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One value as it was delivered, cut at TEXT_LENGTH_MAX.

    length  of the whole text
    title   of a code, in the words of its list
    fields  of a structure, as an address among several: name and text
    names   the golden record that a reference leads to
    """

    text: str
    length: int
    title: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    names: Named | None = None
    forms: tuple[Form, ...] = ()

    @property
    def is_cut(self) -> bool:
        """Tell whether the text goes on."""
        return self.length > len(self.text)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a shown value comes from: a source record and the rule that let it win, or a steward's override.

    also_in  other records that hold the very same value
    """

    source_key: str
    source: str
    title: str
    source_time: datetime | None
    rule: str = ""
    also_in: int = 0
    override_by: str = ""
    override_reason: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column shows for an attribute.

    verdict      this cell against the other column, of a cluster against its first column, which is the reference
    is_compared  the value is the compared record's own; else it is what the golden record shows
    is_shown     the golden record shows this very value now
    """

    verdict: CellVerdict
    values: tuple[Shown, ...] = ()
    left_out: int = 0
    origin: Origin | None = None
    is_compared: bool = False
    is_shown: bool = True


@dataclass(frozen=True, slots=True)
class After:
    """What the golden record shows after the merge; of a cluster, what it shows now.

    changes    for each column, whether its golden record shows something else now
    is_chosen  a steward's choice gives it
    """

    values: tuple[Shown, ...]
    left_out: int
    origin: Origin | None
    changes: tuple[bool, ...] = ()
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute over all columns.

    is_evidence  comparisons of it count; the other attributes stand below
    counted_in   the attribute in whose row this one is compared too, as trading names with the legal name
    is_alike     all columns that hold a value hold the same one
    bits         of its comparisons, rarity included; None where none counts
    before       the running sum above this row; the prior stands above the first
    after        the running sum below it; that of the last is the bits of the card
    can_choose   False for what points at another record
    """

    attribute: str
    title: str
    semantic_type: str
    is_list: bool
    group: str | None
    is_evidence: bool
    counted_in: str | None
    verdict: CellVerdict
    is_alike: bool
    bits: float | None
    before: float | None
    after: float | None
    steps: tuple[Step, ...]
    cells: tuple[Cell, ...]
    result: After | None
    can_choose: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the reason in one sentence: an attribute, and how it speaks; `column` is the one that has it."""

    verdict: CellVerdict
    attribute: str
    title: str
    bits: float
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The comparison of the two records that stand for the question, as they are now.

    bits        what the prior and all rows add up to
    rules       names of the match rules that hold of them, whatever the bits
    parts       what agrees, nearly agrees, differs and is missing, strongest first
    left_key    the record compared of the first column, and so on
    """

    prior_bits: float
    bits: float
    probability: float
    verdict: ModelVerdict
    rules: tuple[str, ...]
    is_vetoed: bool
    match_bits: float
    review_bits: float
    left_key: str
    right_key: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class SystemKeys:
    """The records of one source instance: how many, and the first of their keys."""

    source: str
    title: str
    count: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A golden record, or one record of a cluster, in the order of the cells.

    name          what people recognise it by
    record_key    the record, in a cluster; the compared one, of a golden record
    bits_to_first match weight against the first column, in a cluster
    links         edges that hold the record in its cluster, and the bits of the strongest
    within        the golden record it is matched within, as a project within its client
    """

    golden_id: GoldenId
    version: int
    is_established: bool
    is_confirmed: bool
    name: str
    record_key: str
    records_count: int
    systems: tuple[SystemKeys, ...]
    bits_to_first: float | None = None
    links: int | None = None
    strongest_bits: float | None = None
    within: Named | None = None


@dataclass(frozen=True, slots=True)
class CardNode:
    """A record in the graph; `side` is its golden record's column, 0 for all of a cluster."""

    record_id: RecordId
    source_key: str
    source: str
    caption: str
    side: int
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class CardEdge:
    """Two records that match or may, by their places among the nodes.

    is_across  between two columns; else within one golden record
    is_bridge  without it two parts would not hang together; `is_weak`: it carries less than such a bridge should
    """

    left: int
    right: int
    bits: float
    probability: float
    verdict: ModelVerdict
    is_vetoed: bool
    is_across: bool
    is_bridge: bool = False
    is_weak: bool = False
    sides: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class CardLink:
    """Two records that somebody decided about, by their places among the nodes."""

    left: int
    right: int
    judgement: Judgement
    relation: str | None
    decision_id: DecisionId
    who: str
    recorded_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class CardGraph:
    """The records, what links them and what is decided of them; `left_out` counts records that are not drawn."""

    nodes: tuple[CardNode, ...]
    edges: tuple[CardEdge, ...]
    links: tuple[CardLink, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class ChildGroup:
    """Golden records of one entity type that point at a column; the newest of them by name.

    is_open  counts those whose status is not closed
    moves    the golden record they belong to would be another one
    """

    entity_type: str
    column: int
    count: int
    open_count: int
    moves: bool
    named: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Happened:
    """A version that one of the golden records got, and the event that made it."""

    golden_id: GoldenId
    version: int
    state: str
    forward_to: GoldenId | None
    kind: str
    reason: str
    event_id: EventId
    recorded_at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class Card:
    """Everything a review card shows.

    asking        whether two golden records are one, or whether the records of one belong together
    evidence      None when one of the two compared records is gone
    columns_left_out  records of a cluster that have no column; those with the weakest links have one
    result        False where the result of a merge is not worked out: no merge is asked, refused, or too many records
    values        what to send with the answer, so that the merge shows what was chosen
    waits_because why a merge would wait for a second person; "" when it would not
    relations     relations that make sense, read from the first column to the second
    is_complete   False when a bound left something out
    """

    review: Review
    entity_title: str
    asking: Asking
    evidence: Evidence | None
    columns: tuple[Column, ...]
    columns_left_out: int
    rows: tuple[Row, ...]
    graph: CardGraph
    effects: Effects | None
    children: tuple[ChildGroup, ...]
    refusal: Refusal | None
    faults: tuple[ChoiceFault, ...]
    risks: tuple[Risk, ...]
    suggested: Suggested
    relations: tuple[str, ...]
    comments: tuple[Comment, ...]
    answers: tuple[Answer, ...]
    history: tuple[Happened, ...]
    waits_because: str
    is_complete: bool
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def expected(self) -> Mapping[str, int]:
        """Return the golden versions to send back with the answer, so that it is refused when they moved."""
        return self.review.versions


def probability(bits: float) -> float:
    """Return the odds of bits as a probability."""
    return float(1.0 / (1.0 + 2.0 ** -max(-60.0, min(60.0, bits))))
