"""The comparison table of a review card: rows with their cells in segments, their step of the waterfall, their result.

Pure: from the values of the card to what a template shows. Colours are told by letters and signs too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.console.drawings.waterfall import Bar, Waterfall, waterfall
from api.console.views.differences import Value, code_differences, column_differences, differences
from api.console.views.segments import Segment, is_different, segments
from api.console.views.sources import mark_of, tone_of
from api.console.views.words import Words
from mdm.stewardship.card_model import Card, Cell, Choice, Origin, Pick, Row, Shown, Typed

# What is compared by position: numbers people copy, where two swapped digits should both show.
_CODES: Final = frozenset({"tax_id", "identifier", "phone", "date", "number"})
_LISTED_MAX: Final = 4  # chosen: more values of one cell are counted


@dataclass(frozen=True, slots=True)
class ValueView:
    """One value in segments."""

    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class OriginView:
    """Where a value comes from: colour and letters, age, how many more say the same, and all of it in a sentence."""

    tone: str
    mark: str
    age: str
    more: int
    title: str


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell: its values, where they come from, and whether the result shows them.

    pick       the key that takes its value, None where nothing is to be chosen
    is_chosen  a steward took it
    is_winner  the result shows it, and not the other one
    """

    values: tuple[ValueView, ...]
    left_out: int
    origin: OriginView | None
    pick: int | None = None
    is_chosen: bool = False
    is_winner: bool = False
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class ResultView:
    """What stands after the merge: values, where from, by which rule, or whose choice it is."""

    values: tuple[str, ...]
    left_out: int
    origin: OriginView | None
    rule: str
    is_chosen: bool
    is_new: bool


@dataclass(frozen=True, slots=True)
class RowView:
    """One row.

    sign       "same", "near", "different" or "missing"
    is_quiet   nothing in it differs: "Differences only" hides it
    bar        its step of the waterfall
    why        its comparisons: name, level, bits
    typed      the text with which typing begins, a line for each value of a list
    """

    attribute: str
    title: str
    sign: str
    is_evidence: bool
    is_quiet: bool
    bar: Bar | None
    why: tuple[tuple[str, str, float], ...]
    cells: tuple[CellView, ...]
    result: ResultView | None
    can_choose: bool
    is_list: bool
    typed: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """All rows, and the waterfall that runs through those of the evidence."""

    evidence: tuple[RowView, ...]
    others: tuple[RowView, ...]
    fall: Waterfall | None


def table_of(card: Card, choices: Mapping[str, Choice], said: Words, now: datetime) -> TableView:
    """Turn the rows of a card into rows to show."""
    evidence = [row for row in card.rows if row.is_evidence]
    fall = None
    if card.evidence is not None:
        fall = waterfall(
            card.evidence.prior_bits,
            [(row.title, row.bits or 0.0) for row in evidence],
            match_bits=card.evidence.match_bits,
            review_bits=card.evidence.review_bits,
        )
    bars: Sequence[Bar | None] = fall.steps if fall is not None else [None] * len(evidence)
    faults = {fault.attribute: f"{fault.message}. {fault.remedy}" for fault in card.faults}
    maker = _Maker(card, choices, said, now, faults)
    return TableView(
        evidence=tuple(maker.row(row, bar) for row, bar in zip(evidence, bars, strict=True)),
        others=tuple(maker.row(row, None) for row in card.rows if not row.is_evidence),
        fall=fall,
    )


def origin_of(origin: Origin, said: Words, now: datetime) -> OriginView:
    """Say where a value comes from."""
    age = said.age(origin.source_time, now) if origin.source_time else ""
    parts = [origin.title, origin.source_key]
    if origin.source_time:
        parts.append(said.moment(origin.source_time).replace("\u202f", " "))
    if origin.override_by:
        parts.append(f"{said.word('rule', 'override')}: {origin.override_by}, {origin.override_reason}")
    return OriginView(tone_of(origin.source), mark_of(origin.source), age, origin.also_in, ", ".join(parts))


class _Maker:
    """Makes rows; holds what all of them need."""

    def __init__(
        self,
        card: Card,
        choices: Mapping[str, Choice],
        said: Words,
        now: datetime,
        faults: Mapping[str, str],
    ) -> None:
        self.card, self.choices, self.said, self.now, self.faults = card, choices, said, now, faults

    def row(self, row: Row, bar: Bar | None) -> RowView:
        """Make one row."""
        sides = _compared(row)
        chosen = self.choices.get(row.attribute)
        result = self._result(row)
        wins = _winners(row)
        cells = tuple(
            self._cell(row, cell, values, place, chosen, wins)
            for place, (cell, values) in enumerate(zip(row.cells, sides, strict=True))
        )
        sign = _sign(row, sides)
        return RowView(
            attribute=row.attribute,
            title=row.title,
            sign=sign,
            is_evidence=row.is_evidence,
            is_quiet=sign in {"same", "missing"} and row.is_alike and not (result and result.is_chosen),
            bar=bar,
            why=tuple(
                (
                    self.said.word("comparison", step.comparison),
                    self.said.word("level", step.level),
                    step.bits + step.frequency_bits,
                )
                for step in row.steps
            ),
            cells=cells,
            result=result,
            can_choose=row.can_choose,
            is_list=row.is_list,
            typed=_typed(row, chosen),
            fault=self.faults.get(row.attribute, ""),
        )

    def _cell(
        self,
        row: Row,
        cell: Cell,
        values: tuple[ValueView, ...],
        place: int,
        chosen: Choice | None,
        wins: frozenset[int],
    ) -> CellView:
        can_pick = row.can_choose and row.result is not None and bool(cell.values)
        return CellView(
            values=values[:_LISTED_MAX],
            left_out=cell.left_out + max(0, len(values) - _LISTED_MAX),
            origin=origin_of(cell.origin, self.said, self.now) if cell.origin else None,
            pick=place + 1 if can_pick else None,
            is_chosen=chosen == Pick(place),
            is_winner=place in wins,
            verdict=cell.verdict,
        )

    def _result(self, row: Row) -> ResultView | None:
        after = row.result
        if after is None:
            return None
        origin = after.origin
        rule = "override" if origin is not None and origin.override_by else (origin.rule if origin else "")
        return ResultView(
            values=tuple(_text(value) for value in after.values[:_LISTED_MAX]),
            left_out=after.left_out + max(0, len(after.values) - _LISTED_MAX),
            origin=origin_of(origin, self.said, self.now) if origin else None,
            rule=self.said.word("rule", rule) if rule else "",
            is_chosen=after.is_chosen,
            is_new=bool(after.changes) and all(after.changes),
        )


def _sign(row: Row, sides: Sequence[Sequence[ValueView]]) -> str:
    """Say how the values of a row compare; where no comparison speaks, whether what stands there differs."""
    if row.is_evidence and row.verdict in {"same", "near", "different"}:
        return row.verdict
    if not all(cell.values for cell in row.cells):
        return "missing"
    return "different" if any(is_different(one.segments) for side in sides for one in side) else "same"


def _winners(row: Row) -> frozenset[int]:
    """Name the columns whose value the result shows, where another column with a value does not."""
    if row.result is None or not row.result.values:
        return frozenset()
    shown = [value.text for value in row.result.values]
    having = [place for place, cell in enumerate(row.cells) if cell.values]
    wins = {place for place in having if [value.text for value in row.cells[place].values] == shown}
    return frozenset(wins) if len(wins) < len(having) else frozenset()


def _compared(row: Row) -> tuple[tuple[ValueView, ...], ...]:
    """Mark the differences of all cells of a row; a structure and a reference are shown as they are."""
    compare = code_differences if row.semantic_type in _CODES else differences
    if not row.is_list:
        found = column_differences(
            _values(row, [cell.values[0] if cell.values else None for cell in row.cells]), compare
        )
        return tuple(
            (ValueView(parts),) if cell.values else () for cell, parts in zip(row.cells, found.columns, strict=True)
        )
    if len(row.cells) != 2:
        return tuple(tuple(_as_is(value) for value in cell.values) for cell in row.cells)
    left, right = row.cells[0].values, row.cells[1].values
    marked: tuple[dict[int, ValueView], dict[int, ValueView]] = ({}, {})
    is_told = row.verdict != "same"
    for here, there in _partners(left, right, is_told=is_told):
        mine, other = _values(row, [left[here], right[there]])
        ours, theirs = compare(mine or Value(""), other or Value(""))
        marked[0][here], marked[1][there] = ValueView(ours), ValueView(theirs)
    return tuple(
        tuple(own.get(place) or _as_is(value) for place, value in enumerate(values))
        for own, values in zip(marked, (left, right), strict=True)
    )


def _partners(left: Sequence[Shown], right: Sequence[Shown], *, is_told: bool) -> list[tuple[int, int]]:
    """Pair the values of two lists: those that read the same to the matcher, then, where it says so, the others."""
    free = list(range(len(right)))
    pairs = []
    alone = []
    for here, value in enumerate(left):
        match = next((there for there in free if _reads_as(value, right[there])), None)
        if match is None:
            alone.append(here)
        else:
            free.remove(match)
            pairs.append((here, match))
    return [*pairs, *zip(alone, free, strict=False)] if is_told else pairs


def _reads_as(left: Shown, right: Shown) -> bool:
    ours, theirs = _value(left), _value(right)
    return left.text == right.text or (bool(ours.form) and ours.form == theirs.form)


def _values(row: Row, shown: Sequence[Shown | None]) -> list[Value | None]:
    """Give values to compare; of a row that differs, a form that tells no difference is not what it was compared as."""
    values = [_value(one) if one is not None else None for one in shown]
    forms = {value.form for value in values if value is not None}
    if row.verdict == "different" and len(forms) == 1:
        return [Value(value.text) if value is not None else None for value in values]
    return values


def _value(shown: Shown) -> Value:
    text = _text(shown)
    form = next((one.forms[0] for one in shown.forms if one.forms), "") if text == shown.text else ""
    return Value(text, form)


def _text(shown: Shown) -> str:
    """Say a value as people read it: a code in words, a reference by the name of what it leads to."""
    return (shown.names.name if shown.names is not None else "") or shown.title or shown.text


def _as_is(shown: Shown) -> ValueView:
    return ValueView(segments([(_text(shown), "same")]))


def _typed(row: Row, chosen: Choice | None) -> str:
    """Give the text with which typing begins: what was typed before, else what the result shows."""
    if isinstance(chosen, Typed):
        value = chosen.value
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
    return "\n".join(value.text for value in row.result.values) if row.result is not None else ""
