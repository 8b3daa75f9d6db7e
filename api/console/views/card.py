"""The review card as it is shown: from the card's values to one value that the template reads. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.console.drawings.described import Described
from api.console.drawings.graph import Graph, Link, Record, graph
from api.console.views import review_words
from api.console.views.card_choices import written
from api.console.views.card_rows import RowView, TableView, table_of
from api.console.views.review_words import EffectLine, HistoryLine, Speaker
from api.console.views.sources import mark_of, tone_of
from api.console.views.vocabulary import N_
from mdm.decisions.review_model import Review
from mdm.stewardship.card_model import Card, CardEdge, Choice, Column, Pick

_SUGGESTED: Final[Mapping[str, str]] = {"merge": "same", "apart": "different", "related": "related"}


@dataclass(frozen=True, slots=True)
class SystemView:
    """A system in the head of a column."""

    tone: str
    source: str
    title: str
    count: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnView:
    """The head of a column; `links` says how its record hangs together with the others of a cluster."""

    golden_id: str
    name: str
    record_key: str
    systems: tuple[SystemView, ...]
    links: str
    within: str
    is_survivor: bool


@dataclass(frozen=True, slots=True)
class GraphView:
    """The drawing, and its words."""

    drawn: Graph
    told: Described


@dataclass(frozen=True, slots=True)
class AnswerView:
    """A button: what it answers, its key and words; `twice` is what it asks to be pressed again for."""

    judgement: str
    key: str
    words: str
    is_suggested: bool
    twice: str = ""
    opens: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CardView:
    """Everything a card shows.

    state     "open", "closed", "claimed" (by somebody else), or "waiting" (for a second person)
    answers   the buttons that decide; none where nothing is to be decided
    risks     marks of the risks that the card tells: a merge names those that were seen
    choices   fields that carry what was chosen
    expected  fields that carry the versions that are looked at
    """

    review_id: str
    entity_type: str
    state: str
    question: str
    reason: str
    share: float | None
    likelihood: str
    tone: str
    due_at: datetime | None
    is_overdue: bool
    kind: str
    warnings: tuple[str, ...]
    risks: tuple[str, ...]
    waits_because: str
    refusal: tuple[str, ...]
    columns: tuple[ColumnView, ...]
    columns_left_out: int
    is_pair: bool
    table: TableView
    bits: float | None
    graph: GraphView
    effects: tuple[EffectLine, ...]
    survivor: str
    absorbed: str
    moving: str
    targets: str
    answers: tuple[AnswerView, ...]
    relations: tuple[tuple[str, str], ...]
    history: tuple[HistoryLine, ...]
    chosen: tuple[str, ...]
    choices: tuple[tuple[str, str], ...]
    expected: tuple[tuple[str, str], ...]
    is_complete: bool

    @property
    def rows(self) -> tuple[RowView, ...]:
        """List all rows."""
        return (*self.table.evidence, *self.table.others)


def card_view(card: Card, choices: Mapping[str, Choice], speaker: Speaker, now: datetime, *, who: str) -> CardView:
    """Turn a card into what is shown of it to somebody."""
    table = table_of(card, choices, speaker.words, now)
    titles = {row.attribute: row.title for row in card.rows}
    share = card.evidence.probability if card.evidence is not None else None
    likelihood, tone = review_words.likelihood(share, speaker) if share is not None else ("", "mid")
    review, effects = card.review, card.effects
    return CardView(
        review_id=review.id,
        entity_type=review.entity_type,
        state=state_of(card.review, who),
        question=review_words.question(card, speaker),
        reason=review_words.reason(card, speaker),
        share=share,
        likelihood=likelihood,
        tone=tone,
        due_at=review.due_at,
        is_overdue=review.due_at is not None and review.due_at < now,
        kind=speaker.words.word("review", review.kind),
        warnings=review_words.warnings(card, speaker),
        risks=tuple(risk.mark for risk in card.risks),
        waits_because=review_words.waits(card.waits_because, speaker),
        refusal=(card.refusal.message, card.refusal.remedy, *card.refusal.chain) if card.refusal else (),
        columns=tuple(_column(card, column, speaker) for column in card.columns),
        columns_left_out=card.columns_left_out,
        is_pair=card.asking == "one_or_two",
        table=table,
        bits=card.evidence.bits if card.evidence is not None else None,
        graph=graph_view(card, speaker),
        effects=review_words.effects(effects, titles, speaker),
        survivor=effects.survivor_id if effects is not None else "",
        absorbed=effects.absorbed_id if effects is not None else "",
        moving=review_words.children(card.children, speaker, moving=True),
        targets=speaker.listed([one.target_id for one in effects.targets]) if effects is not None else "",
        answers=_answers(card, speaker),
        relations=tuple((relation, speaker.words.word("relation", relation)) for relation in card.relations),
        history=review_words.history(card.history, card.answers, speaker),
        chosen=tuple(titles.get(name, name) for name in choices),
        choices=written(choices),
        expected=tuple((f"expected.{id_}", str(version)) for id_, version in card.expected.items()),
        is_complete=card.is_complete,
    )


def state_of(review: Review, who: str) -> str:
    """Say what somebody can do with the card of a review."""
    if review.state != "open":
        return "closed"
    if review.answer_id is not None:
        return "waiting"
    return "claimed" if review.claimed_by not in (None, who) else "open"


def still_fitting(card: Card, choices: Mapping[str, Choice]) -> dict[str, Choice]:
    """Keep of choices what fits a card: its attributes, and columns that it has."""
    can = {row.attribute for row in card.rows if row.can_choose}
    return {
        name: choice
        for name, choice in choices.items()
        if name in can and not (isinstance(choice, Pick) and choice.column >= len(card.columns))
    }


def graph_view(card: Card, speaker: Speaker) -> GraphView:
    """Draw the records of a card with what links them."""
    is_pair = card.asking == "one_or_two"
    names = [short_id(column.golden_id) for column in card.columns[:2]]
    records = [
        Record(
            key=str(place),
            mark=mark_of(node.source),
            tone=tone_of(node.source),
            title=f"{node.source_key}: {node.caption}",
            golden=names[node.side] if is_pair and node.side < len(names) else "",
        )
        for place, node in enumerate(card.graph.nodes)
    ]
    links = [Link(str(edge.left), str(edge.right), edge.probability, _is_weak(edge)) for edge in card.graph.edges]
    rows = tuple(
        (
            card.graph.nodes[edge.left].source_key,
            card.graph.nodes[edge.right].source_key,
            speaker.words.percent(edge.probability),
        )
        for edge in card.graph.edges[:30]
    )
    told = Described(
        title=speaker.text(N_("How the records connect")),
        sentence=speaker.ngettext("%(num)s record", "%(num)s records", len(records))
        % {"num": speaker.words.number(len(records))},
        head=(speaker.text(N_("Record")), speaker.text(N_("Record")), speaker.text(N_("Likelihood"))),
        rows=rows,
    )
    return GraphView(graph(records, links), told)


def short_id(golden_id: str) -> str:
    """Shorten a golden id to what tells it from others on one card."""
    prefix, _, rest = golden_id.partition("_")
    return f"{prefix.upper()} …{rest[-6:]}"


def _is_weak(edge: CardEdge) -> bool:
    return edge.is_weak or edge.is_vetoed or (edge.is_across and edge.probability < 0.5)


def _column(card: Card, column: Column, speaker: Speaker) -> ColumnView:
    links = ""
    if card.asking != "one_or_two" and column.links is not None:
        links = speaker.ngettext("%(num)s link", "%(num)s links", column.links) % {
            "num": speaker.words.number(column.links)
        }
        if column.strongest_bits is not None:
            links += f", {speaker.text(N_('strongest'))} {speaker.words.bits(column.strongest_bits)}"
    return ColumnView(
        golden_id=column.golden_id,
        name=column.name,
        record_key=column.record_key,
        systems=tuple(
            SystemView(tone_of(one.source), one.source, one.title, one.count, one.keys) for one in column.systems
        ),
        links=links,
        within=column.within.name if column.within is not None else "",
        is_survivor=card.effects is not None and card.effects.survivor_id == column.golden_id,
    )


def _part(card: Card, speaker: Speaker) -> str:
    """Say which records of a cluster are parted: the two that are asked about, which stand first."""
    return speaker.text(N_("Part the two") if len(card.columns) < 3 else N_("Part the first two"))


def _answers(card: Card, speaker: Speaker) -> tuple[AnswerView, ...]:
    suggested = _SUGGESTED[card.suggested]
    is_pair = card.asking == "one_or_two"
    refused = card.refusal.message if card.refusal is not None else ""
    found = [
        AnswerView(
            "same",
            "m",
            speaker.text(N_("Merge")) if is_pair else speaker.text(N_("Keep together")),
            suggested == "same",
            twice=review_words.twice(card, speaker),
            refused=refused,
        ),
        AnswerView(
            "different",
            "d",
            speaker.text(N_("Keep apart")) if is_pair else _part(card, speaker),
            suggested == "different",
        ),
    ]
    if card.relations:
        found.append(
            AnswerView("related", "r", speaker.text(N_("Related, not same")), suggested == "related", opens="relations")
        )
    return tuple(found)
