"""Records as a graph: who is joined with whom, how strongly, and by which weak bridge; golden records as hulls.

The layout is computed without chance: the same records give the same picture. Each golden record has a hull of its
own; a cluster that is none yet is parted where only weak links hold it together. Up to 40 records are drawn, those with
the weakest links first; links beyond a bound are left out, the strong ones that join nothing new before all others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import networkx as nx

from api.console.drawings.described import placed
from api.console.drawings.places import Hull, Spot, laid_out
from api.console.drawings.tags import Tag, tags

NODES_MAX: Final = 40  # the most that can be told apart in a panel of 330 pixels
EDGES_MAX: Final = 120  # chosen
WIDTH: Final = 328.0  # of the panel beside the review card


@dataclass(frozen=True, slots=True)
class Record:
    """Hold a record to draw: key, two letters for its system, colour, title, and its golden record if any."""

    key: str
    mark: str
    tone: str
    title: str
    golden: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Hold a link of two records: the share from 0 to 1 by which they match, and whether it is a weak bridge."""

    left: str
    right: str
    share: float
    is_weak: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """Hold a record where it is drawn."""

    record: Record
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Edge:
    """Hold a link where it is drawn; `is_across` tells that it leads from one hull to another."""

    link: Link
    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    is_across: bool
    percent: int


@dataclass(frozen=True, slots=True)
class Graph:
    """Hold the picture: its size, the radius of a node, hulls, edges (weak ones last, on top), tags, nodes."""

    width: float
    height: float
    radius: float
    hulls: tuple[Hull, ...]
    edges: tuple[Edge, ...]
    tags: tuple[Tag, ...]
    nodes: tuple[Node, ...]
    nodes_left_out: int
    edges_left_out: int


def graph(records: Sequence[Record], links: Sequence[Link], *, width: float = WIDTH) -> Graph:
    """Draw records and the links between them; links to records that are not there are left out."""
    chosen = _chosen(records, links)
    keys = {record.key for record in chosen}
    inside = [link for link in links if link.left in keys and link.right in keys and link.left != link.right]
    kept = _kept(inside)
    groups = _groups(chosen, inside)
    radius = _radius(len(chosen))
    spots, hulls, height = laid_out(groups, [(link.left, link.right) for link in kept], width, radius)
    group_of = {key: number for number, (_, members) in enumerate(groups) for key in members}
    edges = tuple(_edge(link, spots, group_of) for link in sorted(kept, key=lambda link: (link.is_weak, link.share)))
    return Graph(
        width=width,
        height=height,
        radius=radius,
        hulls=hulls,
        edges=edges,
        tags=tags([(edge.x1, edge.y1, edge.x2, edge.y2, edge.percent, _rank(edge)) for edge in edges], spots, radius),
        nodes=tuple(Node(record, *spots[record.key]) for record in chosen),
        nodes_left_out=len(records) - len(chosen),
        edges_left_out=len(inside) - len(kept),
    )


def _chosen(records: Sequence[Record], links: Sequence[Link]) -> list[Record]:
    """Take all records, or of too many those with the weakest links."""
    if len(records) <= NODES_MAX:
        return list(records)
    weakest: dict[str, tuple[bool, float]] = {}
    for link in links:
        for key in (link.left, link.right):
            weakest[key] = min(weakest.get(key, (True, 2.0)), (not link.is_weak, link.share))
    order = sorted(range(len(records)), key=lambda place: (weakest.get(records[place].key, (True, 2.0)), place))
    return [records[place] for place in sorted(order[:NODES_MAX])]


def _kept(links: Sequence[Link]) -> list[Link]:
    """Take all links, or of too many the weak ones, those that hold the picture together, then the strongest."""
    if len(links) <= EDGES_MAX:
        return list(links)
    joined: nx.utils.UnionFind[str] = nx.utils.UnionFind()
    ranked = []
    for link in sorted(links, key=lambda link: (-link.share, link.left, link.right)):
        is_new = joined[link.left] != joined[link.right]
        joined.union(link.left, link.right)
        ranked.append((not link.is_weak, not is_new, -link.share, link.left, link.right, link))
    return [each[-1] for each in sorted(ranked, key=lambda each: each[:-1])[:EDGES_MAX]]


def _groups(records: Sequence[Record], links: Sequence[Link]) -> list[tuple[str, list[str]]]:
    """Part the records by golden record; where they have none, by what holds together without weak links."""
    if any(record.golden for record in records):
        names = list(dict.fromkeys(record.golden for record in records))
        return [(name, [record.key for record in records if record.golden == name]) for name in names]
    strong = nx.Graph()
    strong.add_nodes_from(record.key for record in records)
    strong.add_edges_from((link.left, link.right) for link in links if not link.is_weak)
    order = {record.key: place for place, record in enumerate(records)}
    found = [sorted(part, key=order.__getitem__) for part in nx.connected_components(strong)]
    return [("", part) for part in sorted(found, key=lambda part: order[part[0]])]


def _radius(count: int) -> float:
    return 15.0 if count <= 8 else 12.0 if count <= 16 else 9.0


def _edge(link: Link, spots: Mapping[str, Spot], group_of: Mapping[str, int]) -> Edge:
    (x1, y1), (x2, y2) = spots[link.left], spots[link.right]
    share = min(max(link.share, 0.0), 1.0)
    percent = round(100 * share)
    if 0 < share < 1:
        percent = min(max(percent, 1), 99)
    is_across = group_of[link.left] != group_of[link.right]
    return Edge(link, x1, y1, x2, y2, placed(1.5 + 2 * max(share - 0.5, 0.0)), is_across, percent)


def _rank(edge: Edge) -> int:
    """Say how much an edge wants its tag: a weak bridge most, then what joins two golden records, then the rest."""
    return 0 if edge.link.is_weak else 1 if edge.is_across else 2
