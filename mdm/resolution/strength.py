"""How well a golden record holds together: the way between two members, its bridges and its minimum cut. Pure.

The graph is made of joining edges, which carry their bits, and of `same` decisions, which hold whatever the bits say.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log2
from typing import Final

import networkx as nx

from mdm.ids import RecordId
from mdm.resolution.model import Edge

CUT_RECORDS_MAX: Final = 500
"""Records of which a minimum cut is worked out (chosen: 500 with 2,000 edges take 2 s)."""

Pair = tuple[RecordId, RecordId]


@dataclass(frozen=True, slots=True)
class Bridge:
    """An edge whose loss would part the golden record, in `sides` of so many records.

    bits_min  what it should carry at least: one wrong bridge makes every pair across it wrong, so that it is asked for
              the match line and log2 of the number of those pairs more
    """

    left_id: RecordId
    right_id: RecordId
    bits: float
    sides: tuple[int, int]
    bits_min: float

    @property
    def is_weak(self) -> bool:
        """Tell whether it carries less than it should."""
        return self.bits < self.bits_min


@dataclass(frozen=True, slots=True)
class Cut:
    """The cheapest way to part a golden record: the bits of the edges that would have to go, and the smaller side."""

    bits: float
    part: frozenset[RecordId]
    edges: tuple[Pair, ...]


def way_between(edges: Sequence[Edge], sames: Collection[Pair], start: RecordId, end: RecordId) -> tuple[Pair, ...]:
    """Find the way between two records whose weakest edge is as strong as can be, the shortest of these; () if none."""
    graph = _graph(edges, sames)
    if start not in graph or end not in graph or not nx.has_path(graph, start, end):
        return ()
    # In a maximum spanning tree the way between any two has the strongest weakest edge that there is.
    tree = nx.maximum_spanning_tree(graph, weight="bits")
    weakest = min(tree.edges[step]["bits"] for step in pairwise(nx.shortest_path(tree, start, end)))
    strong = nx.Graph((one, other) for one, other, bits in graph.edges(data="bits") if bits >= weakest)
    return tuple(pairwise(nx.shortest_path(strong, start, end)))


def bridges_of(
    edges: Sequence[Edge], sames: Collection[Pair], members: Collection[RecordId], *, match_bits: float
) -> tuple[Bridge, ...]:
    """List the edges that alone hold two parts of a golden record together, weakest first; decisions are none."""
    graph = _graph(edges, sames)
    graph.add_nodes_from(members)
    found = []
    for one, other in nx.bridges(graph):
        bits = graph.edges[one, other]["bits"]
        if bits == inf:
            continue
        left, right = min(one, other), max(one, other)
        sides = _sides(graph, left, right)
        found.append(Bridge(left, right, bits, sides, match_bits + log2(sides[0] * sides[1])))
    return tuple(sorted(found, key=lambda bridge: (bridge.bits - bridge.bits_min, bridge.left_id, bridge.right_id)))


def minimum_cut(edges: Sequence[Edge], sames: Collection[Pair], members: Collection[RecordId]) -> Cut | None:
    """Find the cheapest cut of a golden record, records decided to be the same kept together.

    None when there is nothing to cut: one record, all decided to be the same, or more than CUT_RECORDS_MAX.
    """
    units = nx.Graph(sames)
    units.add_nodes_from(members)
    unit = {record: min(part) for part in nx.connected_components(units) for record in part}
    graph = nx.Graph()
    graph.add_nodes_from(unit[record] for record in members)
    for edge in edges:
        one, other = unit[edge.left_id], unit[edge.right_id]
        if one != other:
            before = graph.edges[one, other]["bits"] if graph.has_edge(one, other) else 0.0
            # A rule may let a pair match that has no bits of its own; it holds as little as can be, yet it holds.
            graph.add_edge(one, other, bits=before + max(edge.bits, 0.0))
    if not 1 < len(graph) <= CUT_RECORDS_MAX:
        return None
    if not nx.is_connected(graph):
        loose = min(nx.connected_components(graph), key=lambda part: (len(part), min(part)))
        bits, sides = 0.0, (loose, set(graph) - loose)
    else:
        bits, sides = nx.stoer_wagner(graph, weight="bits")
    parts = [frozenset(record for record in members if unit[record] in side) for side in map(set, sides)]
    part = min(parts, key=lambda side: (len(side), min(side)))
    crossing = tuple(
        sorted((edge.left_id, edge.right_id) for edge in edges if (edge.left_id in part) != (edge.right_id in part))
    )
    return Cut(round(float(bits), 6), part, crossing)


def is_connected(edges: Sequence[Edge], sames: Collection[Pair], members: Collection[RecordId]) -> bool:
    """Tell whether joining edges and `same` decisions hold all members together, or there is but one."""
    graph = _graph(edges, sames)
    graph.add_nodes_from(members)
    return len(graph) < 2 or bool(nx.is_connected(graph))


def carrying(
    edges: Sequence[Edge], sames: Collection[Pair], members: Collection[RecordId], arriving: Collection[RecordId]
) -> tuple[Pair, ...]:
    """List the strongest links that bring arriving records in, one for each that is linked at all."""
    graph = nx.Graph()
    # Those who were members hold together already: they are one node.
    home = object()
    inside = frozenset(members) | frozenset(arriving)

    def node(record: RecordId) -> object:
        return record if record in arriving else home

    weighted = [*((edge.left_id, edge.right_id, edge.bits) for edge in edges), *((*pair, inf) for pair in sames)]
    for one, other, bits in sorted(weighted, key=lambda link: (-link[2], link[0], link[1])):
        first, second = node(one), node(other)
        if one in inside and other in inside and first is not second and not graph.has_edge(first, second):
            graph.add_edge(first, second, bits=bits, pair=(one, other))
    tree = nx.maximum_spanning_edges(graph, weight="bits", data=True) if len(graph) else ()
    return tuple(sorted(link["pair"] for _, _, link in tree))


def _graph(edges: Sequence[Edge], sames: Collection[Pair]) -> nx.Graph:
    graph = nx.Graph()
    for edge in edges:
        graph.add_edge(edge.left_id, edge.right_id, bits=edge.bits)
    for one, other in sames:
        graph.add_edge(one, other, bits=inf)
    return graph


def _sides(graph: nx.Graph, left: RecordId, right: RecordId) -> tuple[int, int]:
    without = graph.copy()
    without.remove_edge(left, right)
    return len(nx.node_connected_component(without, left)), len(nx.node_connected_component(without, right))
