"""Two stored records side by side: how blocking, comparing and vetoes see them, and what stands between their clusters.

The same functions as on the path, on the records as they are now; nothing is written.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from matching.block import BLOCK_SIZE_EMERGENCY
from matching.cluster import Edges, propose
from matching.explain import Clash, Explanation, chain_clashes, clashes, explain
from matching.meet import Meetings, meet
from matching.model import MATCH, VERDICTS
from matching.online import conflict_signatures, conflicting, judge
from mdm.decisions.service import constraints
from mdm.entities.model import EntityType
from mdm.ids import RecordId
from mdm.resolution import store
from mdm.resolution.model import Bounds, Edge
from mdm.resolution.service import standardise
from mdm.sources import store as sources_store
from mdm.sources.model import SourceRecord

SIDE_MAX: Final = 500
"""Members of one golden record that are looked at for a conflict or the likest pair (chosen: 250,000 pairs, 1 s)."""


@dataclass(frozen=True, slots=True)
class BlockSeen:
    """A block in which both records stand; one that is too large is not searched."""

    rule: str
    size: int
    is_too_large: bool


@dataclass(frozen=True, slots=True)
class PairSeen:
    """All that matching says of two records.

    blocks       those that both stand in
    is_deferred  one of the two waits for a wider search
    edge         the edge that stands between them now
    """

    explanation: Explanation
    meetings: Meetings
    blocks: tuple[BlockSeen, ...]
    clashes: tuple[Clash, ...]
    is_deferred: bool
    edge: Edge | None

    @property
    def was_compared(self) -> bool:
        """Tell whether blocking brings the two together."""
        return self.edge is not None or any(not block.is_too_large for block in self.blocks)


@dataclass(frozen=True, slots=True)
class VetoBetween:
    """Two records, one of each side, whose strong identifiers contradict each other, or what parts chains."""

    left_id: RecordId
    right_id: RecordId
    clashes: tuple[Clash, ...]


def look_at_pair(
    connection: Connection, entity_type: EntityType, left: SourceRecord, right: SourceRecord, bounds: Bounds
) -> PairSeen:
    """Block and compare two records as they are now."""
    model = entity_type.model
    forms = standardise(entity_type, [left, right])
    meetings = meet(forms, 0, 1, model)
    is_deferred = bool(store.select_deferred_among(connection, [left.id, right.id]))
    # The worker that looks again at what was deferred searches wider blocks, as `reevaluate_deferred` does.
    wide = max(bounds.block_size_emergency, model.block_size_max * BLOCK_SIZE_EMERGENCY)
    size_max = bounds.block_size_emergency if is_deferred else wide
    sizes = store.select_block_sizes(connection, entity_type.name, meetings.keys, size_max=size_max)
    return PairSeen(
        explanation=explain(forms, 0, 1, model),
        meetings=meetings,
        blocks=tuple(
            BlockSeen(rule.rule, sizes[key], sizes[key] > size_max)
            for rule in meetings.rules
            for key in rule.keys
            if key in sizes
        ),
        clashes=clashes(forms, 0, 1, model),
        is_deferred=is_deferred,
        edge=store.select_strongest_edge(connection, [left.id], [right.id]),
    )


def likest_pair(
    connection: Connection, entity_type: EntityType, lefts: Sequence[RecordId], rights: Sequence[RecordId]
) -> tuple[RecordId, RecordId] | None:
    """Find the pair across two sides that speaks loudest for joining them: the strongest edge, else the most bits."""
    edge = store.select_strongest_edge(connection, lefts, rights)
    if edge is not None:
        return (edge.left_id, edge.right_id) if edge.left_id in set(lefts) else (edge.right_id, edge.left_id)
    ours, theirs = (sources_store.select_records(connection, sorted(side)[:SIDE_MAX]) for side in (lefts, rights))
    if not ours or not theirs:
        return None
    forms = standardise(entity_type, [*ours, *theirs])
    left, right = _crossed(len(ours), len(theirs))
    judged = judge(forms, left, right, entity_type.model)
    best = np.lexsort((right, left, -judged.bits))[0]
    return ours[int(left[best])].id, theirs[int(right[best]) - len(ours)].id


def veto_between(
    connection: Connection, entity_type: EntityType, lefts: Collection[RecordId], rights: Collection[RecordId]
) -> VetoBetween | None:
    """Find two records, one of each side, that a veto keeps apart; those with the smallest keys of several."""
    if not entity_type.model.vetoes:
        return None
    ours, theirs = (
        sorted(sources_store.select_records(connection, sorted(side)[:SIDE_MAX]), key=lambda record: str(record.key))
        for side in (lefts, rights)
    )
    forms = standardise(entity_type, [*ours, *theirs])
    left, right = _crossed(len(ours), len(theirs))
    model = entity_type.model
    signatures = conflict_signatures(forms, model)
    found = np.flatnonzero(conflicting(signatures, left, right))
    named = clashes
    if not len(found):  # none that holds two records apart: one along chains, if any
        found = np.flatnonzero(conflicting(replace(signatures, chained_from=np.iinfo(np.int32).max), left, right))
        named = chain_clashes
    if not len(found):
        return None
    first, second = int(left[found[0]]), int(right[found[0]])
    return VetoBetween(ours[first].id, theirs[second - len(ours)].id, named(forms, first, second, model))


def proposed_clusters(
    connection: Connection, entity_type: EntityType, seeds: Collection[RecordId], bounds: Bounds
) -> tuple[frozenset[RecordId], ...] | None:
    """Return C of the part of the graph around the seeds; None when it is larger than one transaction looks through."""
    around, frontier = frozenset[RecordId](), frozenset(seeds)
    while frontier:
        found = store.select_neighbours(connection, frontier)
        frontier, around = found - around, around | found
        if len(around) > bounds.component_records_max:
            return None
    records = sorted(sources_store.select_records(connection, around), key=lambda record: str(record.key))
    position = {record.id: place for place, record in enumerate(records)}
    asked = constraints(connection, around)
    musts = [(position[one], position[other]) for one, other in asked.musts]
    labels = propose(
        [str(record.key) for record in records],
        _edges(store.select_joining_edges(connection, around), position),
        musts=_pairs(musts),
        conflicts=_pairs(_lifted([(position[one], position[other]) for one, other in asked.conflicts], musts)),
        signatures=conflict_signatures(standardise(entity_type, records), entity_type.model)
        if entity_type.model.vetoes and records
        else None,
    )
    clusters: dict[int, set[RecordId]] = {}
    for record, label in zip(records, labels.tolist(), strict=True):
        clusters.setdefault(label, set()).add(record.id)
    return tuple(map(frozenset, clusters.values()))


def is_match(seen: PairSeen) -> bool:
    """Tell whether the two match by themselves, vetoes aside."""
    return VERDICTS.index(seen.explanation.verdict) == MATCH


def _crossed(first: int, second: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Pair every position of one side with every one of the other, which stands behind it."""
    left = np.repeat(np.arange(first, dtype=np.int32), second)
    right = np.tile(np.arange(first, first + second, dtype=np.int32), first)
    return left, right


def _lifted(conflicts: Sequence[tuple[int, int]], musts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Let a decision part all that is decided to be the same as either of its records, by the law of clusters."""
    graph = nx.Graph(musts)
    graph.add_nodes_from(record for pair in conflicts for record in pair)
    unit = {record: part for part in nx.connected_components(graph) for record in part}
    return sorted({pair for left, right in conflicts for pair in product(unit[left], unit[right])})


def _pairs(pairs: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    return np.array(pairs, dtype=np.int32).reshape(-1, 2)


def _edges(edges: Sequence[Edge], position: dict[RecordId, int]) -> Edges:
    placed = [(*sorted((position[edge.left_id], position[edge.right_id])), edge.bits) for edge in edges]
    left, right, bits = zip(*placed, strict=True) if placed else ((), (), ())
    return Edges(np.array(left, np.int32), np.array(right, np.int32), np.array(bits, np.float64))
