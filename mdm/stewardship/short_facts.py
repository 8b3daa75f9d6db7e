"""Reviews in short, many at a time: both names, both sides' values, and why the two look alike, in one line.

What a sheet shows in a row and a band in its sample. The values are the golden ones; where a review asks whether one
golden record is one, they are those of its two records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from matching.explain import Explanation
from mdm.decisions.review_model import Review
from mdm.entities.model import EntityType
from mdm.ids import GoldenId
from mdm.resolution.search import explain_pairs
from mdm.sources import store as sources_store
from mdm.survivorship.service import golden_versions

STEPS_MAX: Final = 6  # chosen: what fits a line; the card shows all


@dataclass(frozen=True, slots=True)
class ShortFacts:
    """One review in short.

    left, right  values of both sides by attribute, as people read them
    why          what speaks for and against, strongest first, in bits
    """

    review: Review
    left_name: str
    right_name: str
    left: Mapping[str, str]
    right: Mapping[str, str]
    why: str


def telling_attributes(entity_type: EntityType) -> tuple[str, ...]:
    """Order the attributes of a type: what its match model gives most bits for first, then as declared."""
    model = entity_type.model
    attributes_by_feature = {feature.name: feature.attributes for feature in model.features}
    bits: dict[str, float] = {}
    for comparison in model.comparisons:
        best = max(level.bits for level in comparison.levels)
        for path in attributes_by_feature[comparison.feature]:
            name = path.partition(".")[0]
            bits[name] = max(bits.get(name, 0.0), best)
    named = model.features[0].attributes[0] if model.features else ""
    declared = list(entity_type.attributes)
    return tuple(sorted(declared, key=lambda name: (name != named, -bits.get(name, 0.0), declared.index(name))))


def short_facts(connection: Connection, entity_type: EntityType, reviews: Sequence[Review]) -> tuple[ShortFacts, ...]:
    """Read reviews of one entity type in short, in their order, with a handful of statements for all of them."""
    golden_ids = {GoldenId(id_) for review in reviews for id_ in (review.left_golden_id, review.right_golden_id) if id_}
    golden = golden_versions(connection, golden_ids)
    records = sources_store.select_records(connection, {id_ for review in reviews for id_ in review.pair})
    values_by_record = {record.id: record.values for record in records}
    explained = explain_pairs(entity_type, records, [review.pair for review in reviews])
    found = []
    for review, explanation in zip(reviews, explained, strict=True):
        sides = []
        for record_id, golden_id in zip(review.pair, (review.left_golden_id, review.right_golden_id), strict=True):
            shown = golden.get(GoldenId(golden_id)) if golden_id else None
            is_one = review.left_golden_id == review.right_golden_id
            sides.append(values_by_record.get(record_id, {}) if is_one or shown is None else shown.values)
        left, right = sides
        found.append(
            ShortFacts(
                review,
                entity_type.name_of(left),
                entity_type.name_of(right),
                {name: value_text(value) for name, value in left.items()},
                {name: value_text(value) for name, value in right.items()},
                _why(explanation),
            )
        )
    return tuple(found)


def value_text(value: Any) -> str:
    """Write a value as people read it: several one after the other, a structure by its fields."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {value_text(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(value_text, value))
    return "" if value is None else str(value)


def _why(explanation: Explanation | None) -> str:
    if explanation is None:
        return ""
    steps = [(step.bits + step.frequency_bits, step) for step in explanation.steps]
    telling = sorted((one for one in steps if abs(one[0]) >= 0.05), key=lambda one: (-abs(one[0]), one[1].comparison))
    words = [
        f"{step.comparison.replace('_', ' ')} {step.level.replace('_', ' ')} {bits:+.1f}"
        for bits, step in telling[:STEPS_MAX]
    ]
    return "; ".join(["vetoed" if explanation.is_conflict else "", *words]).strip("; ")
