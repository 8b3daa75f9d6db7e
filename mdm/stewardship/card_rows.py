"""The rows of a review card: evidence with its waterfall first, then what the merge decides too. Pure.

The running sum starts at the prior and adds up, row by row, to exactly what the match model gives the pair.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from matching.explain import Explanation, Step
from matching.model import MISSING, FeatureSpec
from matching.online import judge
from matching.records import Forms
from mdm.entities.model import Attribute, EntityType
from mdm.stewardship.card_cells import FormsOf, Held, Known, shown
from mdm.stewardship.card_model import After, Cell, CellVerdict, Part, Row

_ORDER: Final[Mapping[str, int]] = {"same": 0, "near": 1, "different": 2, "missing": 3}


@dataclass(frozen=True, slots=True)
class Table:
    """What the rows are made of.

    columns  what each column holds by attribute
    forms    compare forms of the columns' records, in their order, and whatever stands behind them
    is_pair  two golden records side by side, else the records of one
    results  what each attribute shows afterwards
    """

    entity_type: EntityType
    known: Known
    columns: Sequence[Mapping[str, Held]]
    forms: Forms
    forms_of: FormsOf
    explanation: Explanation | None
    is_pair: bool
    results: Mapping[str, After]


def rows_of(table: Table) -> tuple[Row, ...]:
    """Give the rows: what counts as evidence in the declared order, each with its running sum, then all others."""
    placed = _placed(table)
    verdicts = _column_verdicts(table)
    evidence: list[Row] = []
    others: list[Row] = []
    for name, attribute in table.entity_type.attributes.items():
        steps = tuple(placed.get(name, ()))
        if not any(name in held for held in table.columns) and name not in table.results and not _counts(steps):
            continue
        row = _row(table, attribute, steps, verdicts.get(name))
        (evidence if row.is_evidence else others).append(row)
    return (*_summed(table, evidence), *others)


def parts_of(rows: Iterable[Row]) -> tuple[Part, ...]:
    """Say in parts why the two may be one: what agrees, nearly agrees, differs and is missing, strongest first."""
    parts = []
    for row in rows:
        if not row.is_evidence or row.verdict not in _ORDER:
            continue
        having = [place for place, cell in enumerate(row.cells[:2]) if cell.values]
        if row.verdict == "missing" and len(having) != 1:
            continue
        column = having[0] if row.verdict == "missing" else None
        parts.append(Part(row.verdict, row.attribute, row.title, row.bits or 0.0, column))
    return tuple(sorted(parts, key=lambda part: (_ORDER[part.verdict], -abs(part.bits))))


def _placed(table: Table) -> dict[str, list[Step]]:
    """Put each comparison into the row of one attribute that its feature reads: one that both sides hold, if any."""
    placed: dict[str, list[Step]] = {}
    if table.explanation is not None:
        homes = {feature.name: _home(feature, table.columns[:2]) for feature in table.entity_type.model.features}
        for comparison, step in zip(table.entity_type.model.comparisons, table.explanation.steps, strict=True):
            placed.setdefault(homes[comparison.feature], []).append(step)
    return placed


def _home(feature: FeatureSpec, columns: Sequence[Mapping[str, Held]]) -> str:
    names = [path.partition(".")[0] for path in feature.attributes]
    return min(names, key=lambda name: (-sum(name in held for held in columns), names.index(name)))


def _counts(steps: Sequence[Step]) -> bool:
    return any(step.bits or step.frequency_bits for step in steps)


def _row(table: Table, attribute: Attribute, steps: tuple[Step, ...], verdicts: Sequence[CellVerdict] | None) -> Row:
    name = attribute.name
    verdict = _verdict(table, steps)
    cells = tuple(
        _cell(table, column, name, verdict if table.is_pair or verdicts is None else verdicts[column])
        for column in range(len(table.columns))
    )
    values = [held[name].value for held in table.columns if name in held and held[name].value is not None]
    return Row(
        attribute=name,
        title=attribute.title,
        semantic_type=attribute.semantic_type,
        is_list=attribute.is_list,
        group=attribute.group,
        is_evidence=bool(steps),
        counted_in=None if steps else _counted_in(table, name),
        verdict=verdict,
        is_alike=all(_folded(value) == _folded(values[0]) for value in values[1:]),
        bits=float(_sum(steps)) if _counts(steps) else None,
        before=None,
        after=None,
        steps=steps,
        cells=cells,
        result=table.results.get(name),
        can_choose=table.is_pair and attribute.reference is None,
    )


def _cell(table: Table, column: int, name: str, verdict: CellVerdict) -> Cell:
    held = table.columns[column].get(name)
    if held is None or held.value is None:
        return Cell("missing", origin=held.origin if held else None)
    values, left_out = shown(
        table.entity_type, name, held.value, table.known, lambda text: table.forms_of(column, name, text)
    )
    return Cell(verdict, values, left_out, held.origin, held.is_compared, held.is_shown)


def _verdict(table: Table, steps: Sequence[Step]) -> CellVerdict:
    """Sum up the comparisons of a row; of several of one feature the first speaks."""
    if not steps:
        return "not_compared"
    feature_of = {one.name: one.feature for one in table.entity_type.model.comparisons}
    first: dict[str, CellVerdict] = {}
    for step in steps:
        first.setdefault(feature_of[step.comparison], _said(step))
    said = {verdict for verdict in first.values() if verdict != "missing"}
    if not said:
        return "missing"
    if len(said) == 1:
        return said.pop()
    return "near" if _sum(steps) > 0 else "different"


def _said(step: Step) -> CellVerdict:
    if not step.left or not step.right:
        return "missing"
    if not set(step.left).isdisjoint(step.right):
        return "same"
    if step.level == "missing":
        return "not_compared"
    return "near" if step.bits > 0 else "different"


def _column_verdicts(table: Table) -> dict[str, list[CellVerdict]]:
    """Compare, in a cluster, each record with that of the first column: by attribute, a verdict for each column."""
    count = len(table.columns)
    if table.is_pair or count < 2:
        return {}
    model = table.entity_type.model
    right = np.arange(1, count, dtype=np.int32)
    judged = judge(table.forms, np.zeros(count - 1, dtype=np.int32), right, model)
    found: dict[str, list[CellVerdict]] = {}
    homes = {feature.name: _home(feature, table.columns[:2]) for feature in model.features}
    for place, comparison in enumerate(model.comparisons):
        name = homes[comparison.feature]
        if name in found:
            continue
        column = table.forms.features[comparison.feature]
        first, verdicts = set(column.of(0)), list[CellVerdict](["reference"])
        for other in range(1, count):
            level = int(judged.vectors[other - 1, place])
            if not first.isdisjoint(column.of(other)):
                verdicts.append("same")
            elif level == MISSING:
                verdicts.append("missing" if not first or not column.of(other) else "not_compared")
            else:
                verdicts.append("near" if comparison.levels[level].bits > 0 else "different")
        found[name] = verdicts
    return found


def _counted_in(table: Table, name: str) -> str | None:
    compared = {comparison.feature for comparison in table.entity_type.model.comparisons}
    for feature in table.entity_type.model.features:
        if feature.name in compared and name in {path.partition(".")[0] for path in feature.attributes}:
            return _home(feature, table.columns[:2])
    return None


def _summed(table: Table, rows: Sequence[Row]) -> tuple[Row, ...]:
    if table.explanation is None:
        return tuple(rows)
    reached = _exact(table.explanation.prior_bits)
    summed = []
    for row in rows:
        before, reached = reached, reached + _sum(row.steps)
        summed.append(replace(row, before=float(before), after=float(reached)))
    return tuple(summed)


def _sum(steps: Iterable[Step]) -> Decimal:
    return sum((_exact(step.bits) + _exact(step.frequency_bits) for step in steps), Decimal(0))


def _exact(bits: float) -> Decimal:
    """Read a figure of a waterfall as the decimal of six places that it stands for."""
    return Decimal(str(bits)).quantize(Decimal("0.000001"))


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split()).casefold()
    return sorted(map(str, map(_folded, value))) if isinstance(value, list) else value
