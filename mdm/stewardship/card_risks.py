"""Why a merge is dangerous, what the evidence suggests, and which relations make sense: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matching.online import by_scope
from matching.records import Forms
from mdm.decisions.closure import parting_chain
from mdm.decisions.model import INVERSES, RELATIONS, SYMMETRIC, Decision
from mdm.decisions.review_model import HOLDING, Review
from mdm.entities.model import EntityType
from mdm.identity.model import GoldenRecord
from mdm.ids import RecordId
from mdm.resolution.model import Edge
from mdm.stewardship.card_consequences import Risk
from mdm.stewardship.card_model import CHAIN_MAX, ChildGroup, Evidence, Suggested

CLOSED: Final = ("completed", "cancelled", "expired", "terminated", "inactive", "closed")
"""Words of the attribute `status` that say that a record is over (those of the shipped code lists)."""

BINDING: Final = ("contract",)
"""Entity types whose open records make it dear to find out later that two golden records were not one."""

_RELATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "customer": ("sister_of", "parent_of", "acquired_by", "succeeded_by"),
    "project": ("phase_of", "succeeded_by", "sister_of"),
    "contract": ("amendment_of", "renewal_of", "succeeded_by"),
    "resource": (),
}
NEARBY_MAX: Final = 3  # chosen: cannot-links to third golden records that one card tells


@dataclass(frozen=True, slots=True)
class Merging:
    """What the risks are looked for in.

    positions  place of each record among the forms
    nearby     edges between a side and records that the other side is decided apart from
    """

    review: Review
    entity_type: EntityType
    sides: tuple[frozenset[RecordId], frozenset[RecordId]]
    goldens: Sequence[GoldenRecord]
    decisions: Sequence[Decision]
    nearby: Sequence[Edge]
    forms: Forms
    positions: Mapping[RecordId, int]
    children: Sequence[ChildGroup]


def risks_of(merging: Merging) -> tuple[Risk, ...]:
    """List the reasons why the two golden records should not be merged without a second thought."""
    found = [*_identifiers(merging), *_apart(merging), *_nearby(merging)]
    binding = [group for group in merging.children if group.entity_type in BINDING and group.open_count]
    is_both = {group.column for group in binding} == {0, 1} and all(one.is_established for one in merging.goldens)
    if is_both:
        found.append(Risk("both_established", count=sum(group.open_count for group in binding)))
    if merging.review.kind == "contradiction":
        found.append(Risk("contradiction"))
    return tuple(found)


def suggestion(review: Review, evidence: Evidence | None, risks: Sequence[Risk], relations: Sequence[str]) -> Suggested:
    """Suggest an answer: the side on which the odds are; never a merge that has a risk."""
    likely = evidence is not None and evidence.bits >= 0 and not evidence.is_vetoed
    if review.kind in HOLDING:
        return "merge" if likely else "apart"
    if risks and likely_related(evidence, risks) and relations:
        return "related"
    return "merge" if likely and not risks else "apart"


def likely_related(evidence: Evidence | None, risks: Sequence[Risk]) -> bool:
    """Tell whether much speaks for two golden records although something stands against one."""
    told = {one.kind for one in risks}
    return evidence is not None and evidence.bits >= evidence.review_bits and "decided_apart" not in told


def relations_of(entity_type: EntityType) -> tuple[str, ...]:
    """Name the relations that make sense between two of an entity type, read from either side; any where unknown."""
    names = _RELATIONS.get(entity_type.name, RELATIONS)
    return tuple(word for name in names for word in ((name,) if name in SYMMETRIC else (name, INVERSES[name])))


def bound_elsewhere(decisions: Sequence[Decision], sides: Sequence[frozenset[RecordId]]) -> frozenset[RecordId]:
    """Return the records of neither side that one of them is decided apart from."""
    inside = frozenset().union(*sides)
    return frozenset(
        record_id
        for one in decisions
        if not one.joins and not inside.isdisjoint(one.pair)
        for record_id in one.pair
        if record_id not in inside
    )


def _identifiers(merging: Merging) -> list[Risk]:
    """Find strong identifiers, valid ones, of which both sides hold some and share none."""
    found = []
    features = {feature.name: feature for feature in merging.entity_type.model.features}
    for veto in (veto for veto in merging.entity_type.model.vetoes if veto.reach == "pair"):
        column = merging.forms.features[veto.feature]
        left, right = (
            {
                (scope, value)
                for record_id in side
                if record_id in merging.positions
                for scope, values in by_scope(column.of(merging.positions[record_id])).items()
                for value in values
            }
            for side in merging.sides
        )
        if not left or not right or left & right:
            continue
        shared = {scope for scope, _ in left} & {scope for scope, _ in right}
        attribute = features[veto.feature].attributes[0].partition(".")[0]
        found.append(
            Risk(
                "identifiers_clash" if shared else "identifiers_of_two_scopes",
                attribute,
                tuple(sorted(_told(*one) for one in left))[:CHAIN_MAX],
                tuple(sorted(_told(*one) for one in right))[:CHAIN_MAX],
            )
        )
    return found


def _told(scope: str, value: str) -> str:
    return f"{scope}:{value}" if scope else value


def _apart(merging: Merging) -> list[Risk]:
    # What somebody was unsure of parts nobody for good: the merge would answer it.
    sure = [one for one in merging.decisions if one.verdict.judgement != "unsure"]
    chain = parting_chain(sure, *merging.sides)
    return [Risk("decided_apart", chain=tuple(map(str, chain[:CHAIN_MAX])))] if chain else []


def _nearby(merging: Merging) -> list[Risk]:
    """Find records that one side is decided apart from and that the other side matches or may match."""
    found = []
    for own, other in (merging.sides, merging.sides[::-1]):
        for edge in merging.nearby:
            third = next((id_ for id_ in (edge.left_id, edge.right_id) if id_ not in own | other), None)
            if third is None or other.isdisjoint((edge.left_id, edge.right_id)):
                continue
            chain = parting_chain(merging.decisions, own, [third])
            if chain:
                found.append(Risk("cannot_link_nearby", chain=tuple(map(str, chain[:CHAIN_MAX]))))
    return found[:NEARBY_MAX]
