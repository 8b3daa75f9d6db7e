"""The law of clusters on named records: pure, from edges and decisions to the groups that the hub holds.

Established golden records keep their members, with two exceptions that are a steward's own word: a decision that parts
two of their members parts them along C, and a decision that joins two golden records joins them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from matching.cluster import Edges, Limits, Proposal, hold, propose
from matching.online import Signatures
from mdm.decisions.model import Constraints
from mdm.entities.model import EntityType
from mdm.ids import RecordId
from mdm.resolution.model import Edge

Group = frozenset[RecordId]


@dataclass(frozen=True, slots=True)
class Touched:
    """All that decides the partition of the touched part.

    ids          active records, ordered by source key
    keys         their printed source keys
    edges        edges of verdict match among them, none vetoed
    signatures   strong identifiers, in the order of `ids`
    established  members of established golden records
    """

    ids: tuple[RecordId, ...]
    keys: tuple[str, ...]
    edges: tuple[Edge, ...]
    constraints: Constraints
    signatures: Signatures | None
    established: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Partition:
    """The held partition P, and the proposals that stand between it and C."""

    groups: tuple[Group, ...]
    proposals: tuple[tuple[Proposal, tuple[Group, ...]], ...]


def partition(entity_type: EntityType, touched: Touched) -> Partition:
    """Return P of the touched part under the policy of its entity type."""
    position = {record_id: index for index, record_id in enumerate(touched.ids)}
    musts = _pairs(touched.constraints.musts, position)
    conflicts = _lifted(_pairs(touched.constraints.conflicts, position), musts)
    limits: Limits = {"musts": musts, "conflicts": conflicts, "signatures": touched.signatures}
    edges = _edges(touched.edges, position)
    proposed = propose(touched.keys, edges, **limits)
    # Policy merge without a line of its own knows nothing established: P is C.
    holds = entity_type.policy == "hold" or entity_type.merge_bits is not None
    bound = [frozenset(position[id_] for id_ in members) for members in touched.established if holds]
    bound = _joined(bound, musts.tolist())
    if entity_type.merge_bits is not None:
        strong = _edges([edge for edge in touched.edges if edge.bits >= entity_type.merge_bits], position)
        bound = _joined(bound, list(enumerate(propose(touched.keys, strong, **limits).tolist())))
    bound = _parted(bound, proposed, conflicts)
    held = hold(touched.keys, edges, proposed, bound, **limits)
    return Partition(
        tuple(_named(group, touched.ids) for group in held.groups if group),
        tuple((proposal, tuple(_named(part, touched.ids) for part in proposal.parts)) for proposal in held.proposals),
    )


def _lifted(conflicts: NDArray[np.int32], musts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Let a decision that parts two records part all that is decided to be the same as either of them."""
    graph = nx.Graph(musts.tolist())
    graph.add_nodes_from(conflicts.ravel().tolist())
    unit = {record: part for part in nx.connected_components(graph) for record in part}
    lifted = {(one, other) for left, right in conflicts.tolist() for one in unit[left] for other in unit[right]}
    return np.array(sorted(lifted), dtype=np.int32).reshape(-1, 2)


def _parted(
    bound: Sequence[frozenset[int]], proposed: NDArray[np.int32], conflicts: NDArray[np.int32]
) -> list[frozenset[int]]:
    """Part an established group along C where a decision runs through it."""
    parted = []
    for members in bound:
        if not any(left in members and right in members for left, right in conflicts.tolist()):
            parted.append(members)
            continue
        parts: dict[int, set[int]] = {}
        for member in members:
            parts.setdefault(int(proposed[member]), set()).add(member)
        parted.extend(map(frozenset, parts.values()))
    return parted


def _joined(bound: Sequence[frozenset[int]], links: Iterable[Sequence[int]]) -> list[frozenset[int]]:
    """Join established groups that links between records connect, directly or through free records."""
    graph = nx.Graph()
    graph.add_edges_from(links)
    for members in bound:
        nx.add_path(graph, sorted(members))
        graph.add_nodes_from(members)
    established = frozenset().union(*bound)
    return [
        frozenset(part & established) for part in map(frozenset, nx.connected_components(graph)) if part & established
    ]


def _edges(edges: Sequence[Edge], position: Mapping[RecordId, int]) -> Edges:
    one = np.fromiter((position[edge.left_id] for edge in edges), dtype=np.int32, count=len(edges))
    other = np.fromiter((position[edge.right_id] for edge in edges), dtype=np.int32, count=len(edges))
    bits = np.fromiter((edge.bits for edge in edges), dtype=np.float64, count=len(edges))
    return Edges(np.minimum(one, other), np.maximum(one, other), bits)


def _pairs(pairs: Sequence[tuple[RecordId, RecordId]], position: Mapping[RecordId, int]) -> NDArray[np.int32]:
    placed = [(position[left], position[right]) for left, right in pairs]
    return np.array(placed, dtype=np.int32).reshape(-1, 2)


def _named(group: frozenset[int], ids: Sequence[RecordId]) -> Group:
    return frozenset(ids[index] for index in group)
