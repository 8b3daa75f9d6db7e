"""What rules would make of the hub's records: golden records joined and split, questions opened. Pure.

The law of clusters on the records read, with what is established and decided: the partition that bringing every record
to these rules would end with. Nothing is locked and nothing is written.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.cluster import Edges, propose_counting
from matching.model import MATCH, NON_MATCH
from matching.online import conflict_signatures
from matching.records import Forms
from mdm.entities.model import EntityType
from mdm.ids import RecordId
from mdm.modelling.evidence import Gathered
from mdm.modelling.scoring import Scored
from mdm.resolution.model import Edge
from mdm.resolution.partition import Group, Touched, partition

EXAMPLES_MAX = 12  # chosen: as many as somebody reads


@dataclass(frozen=True, slots=True)
class Example:
    """Golden records that would change: their ids as they are now, and a name from each part that they would make."""

    golden_ids: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """One run of rules over the records read, for comparison.

    records     source records read that stand for the hub
    goldens     golden records they make
    largest     members of the largest of them
    candidates  pairs compared; matches, possible: those at or above the lines, vetoed ones left out
    refused     joins that a conflict kept apart
    questions   pairs of golden records that a steward would be asked about, and established ones that fall apart
    """

    records: int
    goldens: int
    largest: int
    candidates: int
    matches: int
    possible: int
    refused: int
    questions: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules would change.

    share   of the hub's records that was looked at; the counts are of these
    joined  golden records that would go up in another one
    split   golden records that would fall apart
    moved   source records that would change their golden record
    """

    version: str
    share: float
    figures: Figures
    joined: int
    split: int
    moved: int
    joins: tuple[Example, ...]
    splits: tuple[Example, ...]

    def scaled(self, count: int) -> int:
        """Give a count for the whole hub: the count itself when all of it was looked at."""
        return round(count / self.share) if self.share else count


def try_rules(entity_type: EntityType, gathered: Gathered, forms: Forms, scored: Scored) -> Trial:
    """Work out what the records would be under an entity type's rules.

    scored  pairs under its model (positions among the records)
    """
    model, records = entity_type.model, gathered.records
    verdicts = scored.verdicts(model.review_bits, model.match_bits)
    verdicts[scored.vetoed & (verdicts != NON_MATCH)] = NON_MATCH
    ids = tuple(record.id for record in records)
    signatures = conflict_signatures(forms, model) if model.vetoes and records else None
    is_edge = verdicts == MATCH
    edges = tuple(
        Edge(ids[left], ids[right], bits, MATCH, is_vetoed=False)
        for left, right, bits in zip(
            scored.left[is_edge].tolist(), scored.right[is_edge].tolist(), scored.bits[is_edge].tolist(), strict=True
        )
    )
    touched = Touched(
        ids=ids,
        keys=tuple(str(record.key) for record in records),
        edges=edges,
        constraints=gathered.constraints,
        signatures=signatures,
        established=_established(gathered),
    )
    held = partition(entity_type, touched)
    drawn = frozenset(ids[place] for place in np.flatnonzero(gathered.is_drawn))
    groups = [group for group in held.groups if not drawn.isdisjoint(group)]
    _, refused = propose_counting(
        touched.keys,
        Edges(scored.left[is_edge], scored.right[is_edge], scored.bits[is_edge]),
        musts=np.empty((0, 2), np.int32),
        conflicts=np.empty((0, 2), np.int32),
        signatures=signatures,
    )
    splits = sum(1 for proposal, _ in held.proposals if proposal.kind == "split")
    figures = Figures(
        records=len(drawn),
        goldens=len(groups),
        largest=max(map(len, groups), default=0),
        candidates=len(scored.bits),
        matches=int(is_edge.sum()),
        possible=int((verdicts != NON_MATCH).sum() - is_edge.sum()),
        refused=len(refused),
        questions=_questions(verdicts, scored, held.groups, gathered) + splits,
    )
    return _compared(entity_type, gathered, groups, figures)


def _compared(entity_type: EntityType, gathered: Gathered, groups: Iterable[Group], figures: Figures) -> Trial:
    names = {record.id: entity_type.name_of(record.values) for record in gathered.records}
    parts: dict[str, list[Group]] = defaultdict(list)
    joined = moved = 0
    joins: list[Example] = []
    for group in groups:
        held = _by_golden(gathered.standing, group)
        for golden_id in held:
            parts[golden_id].append(held[golden_id])
        stays = max(held, key=lambda id_: (len(held[id_]), id_), default=None)
        moved += sum(len(members) for id_, members in held.items() if id_ != stays)
        if len(held) > 1:
            joined += len(held) - 1
            joins.append(Example(tuple(sorted(held)), _named(names, (held[id_] for id_ in sorted(held)))))
    apart = {id_: found for id_, found in sorted(parts.items()) if len(found) > 1}
    splits = [Example((id_,), _named(names, found)) for id_, found in apart.items()]
    return Trial(
        version=entity_type.version,
        share=gathered.share,
        figures=figures,
        joined=joined,
        split=len(apart),
        moved=moved,
        joins=tuple(sorted(joins, key=lambda one: (-len(one.golden_ids), one.golden_ids))[:EXAMPLES_MAX]),
        splits=tuple(splits[:EXAMPLES_MAX]),
    )


def _established(gathered: Gathered) -> tuple[Group, ...]:
    members: dict[str, set[RecordId]] = defaultdict(set)
    for record_id, (golden_id, is_established) in gathered.standing.items():
        if is_established:
            members[golden_id].add(record_id)
    return tuple(frozenset(members[golden_id]) for golden_id in sorted(members))


def _questions(verdicts: NDArray[np.int8], scored: Scored, groups: Iterable[Group], gathered: Gathered) -> int:
    """Count the pairs of golden records with something between them that no decision parts."""
    group_of = {record_id: number for number, group in enumerate(groups) for record_id in group}
    ids = [record.id for record in gathered.records]
    place = np.array([group_of.get(id_, -1) for id_ in ids], dtype=np.int64)
    open_ = verdicts != NON_MATCH
    if not gathered.is_drawn.all():
        open_ &= gathered.is_drawn[scored.left] | gathered.is_drawn[scored.right]
    first, second = place[scored.left[open_]], place[scored.right[open_]]
    asked = {(min(pair), max(pair)) for pair in zip(first.tolist(), second.tolist(), strict=True) if pair[0] != pair[1]}
    parted = {
        tuple(sorted((group_of.get(left, -1), group_of.get(right, -1))))
        for left, right in gathered.constraints.conflicts
    }
    return len(asked - parted)


def _by_golden(standing: Mapping[RecordId, tuple[str, bool]], group: Group) -> dict[str, Group]:
    found: dict[str, set[RecordId]] = defaultdict(set)
    for record_id in group:
        if record_id in standing:
            found[standing[record_id][0]].add(record_id)
    return {golden_id: frozenset(members) for golden_id, members in found.items()}


def _named(names: Mapping[RecordId, str], parts: Iterable[Group]) -> tuple[str, ...]:
    return tuple(names[min(part)] for part in parts)
