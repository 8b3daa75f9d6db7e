"""A golden record as a graph: its members, what links them, where it could break, and what is decided among them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from matching.model import VERDICTS, Verdict
from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.entities.model import EntityType
from mdm.identity.model import GoldenRecord
from mdm.identity.service import resolve_golden
from mdm.ids import GoldenId, RecordId
from mdm.resolution import store as resolution_store
from mdm.resolution.model import Edge
from mdm.resolution.strength import Bridge, Cut, bridges_of, is_connected, minimum_cut
from mdm.sources import store as sources_store

NODES_MAX: Final = 1_000
"""Members that one graph shows, by source key (chosen: more can be neither drawn nor read)."""

EDGES_MAX: Final = 2_000
"""Edges that one graph shows, strongest first (chosen: 63 records linked each to each)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One member."""

    source_key: str
    source: str
    state: str
    record_id: RecordId


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """Two members that match or may match; a vetoed edge never joins.

    is_bridge  without it the golden record would fall apart
    is_weak    it carries less than such a bridge should, `bits_min`
    """

    left: str
    right: str
    bits: float
    verdict: Verdict
    is_vetoed: bool
    is_bridge: bool = False
    is_weak: bool = False
    bits_min: float | None = None


@dataclass(frozen=True, slots=True)
class MinimumCut:
    """The cheapest way to part the golden record: bits of the edges that would have to go, and the smaller part."""

    bits: float
    part: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything to draw a golden record with.

    is_complete   False when members or edges were left out; bridges and cut would then mislead and are left out too
    is_connected  whether joining edges and `same` decisions hold all members together; None when not complete
    """

    golden: GoldenRecord
    nodes: tuple[Node, ...]
    edges: tuple[GraphEdge, ...]
    decisions: tuple[Decision, ...]
    minimum_cut: MinimumCut | None
    is_connected: bool | None
    is_complete: bool


def graph_of(
    connection: Connection,
    entity_types: Mapping[str, EntityType],
    golden_id: GoldenId,
    *,
    edges_max: int = EDGES_MAX,
) -> Graph:
    """Draw what a golden id stands for; raises GoldenRecordUnknown."""
    golden = resolve_golden(connection, golden_id)
    members = sources_store.select_members(connection, [golden.id])
    nodes = tuple(Node(str(one.key), one.key.instance, one.state, one.id) for one in members[:NODES_MAX])
    keys = {node.record_id: node.source_key for node in nodes}
    edges = resolution_store.select_edges_among(connection, keys, limit=edges_max + 1)
    is_complete = len(members) <= NODES_MAX and len(edges) <= edges_max
    active = decisions_store.select_active_decisions(connection, keys)
    decisions = tuple(one for one in active if keys.keys() >= set(one.pair))
    sames = [one.pair for one in decisions if one.joins]
    joining = sorted(
        (one for one in edges if VERDICTS[one.verdict] == "match" and not one.is_vetoed),
        key=lambda edge: (edge.left_id, edge.right_id),
    )
    bridges: dict[tuple[RecordId, RecordId], Bridge] = {}
    cut: Cut | None = None
    if is_complete:
        match_bits = entity_types[golden.entity_type].model.match_bits
        found = bridges_of(joining, sames, keys, match_bits=match_bits)
        bridges = {(one.left_id, one.right_id): one for one in found}
        cut = minimum_cut(joining, sames, keys)
    return Graph(
        golden=golden,
        nodes=nodes,
        edges=tuple(_edge_told(edge, keys, bridges.get((edge.left_id, edge.right_id))) for edge in edges[:edges_max]),
        decisions=decisions,
        minimum_cut=_cut_told(cut, keys) if cut is not None else None,
        is_connected=is_connected(joining, sames, keys) if is_complete else None,
        is_complete=is_complete,
    )


def _edge_told(edge: Edge, keys: Mapping[RecordId, str], bridge: Bridge | None) -> GraphEdge:
    told = GraphEdge(keys[edge.left_id], keys[edge.right_id], edge.bits, VERDICTS[edge.verdict], edge.is_vetoed)
    if bridge is None:
        return told
    return replace(told, is_bridge=True, is_weak=bridge.is_weak, bits_min=round(bridge.bits_min, 6))


def _cut_told(cut: Cut, keys: Mapping[RecordId, str]) -> MinimumCut:
    edges = tuple((keys[left], keys[right]) for left, right in cut.edges)
    return MinimumCut(cut.bits, tuple(sorted(keys[id_] for id_ in cut.part)), edges)
