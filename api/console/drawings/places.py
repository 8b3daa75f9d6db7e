"""Where the records of a graph stand: each group in a cell of a row or grid, its records on a column, circle or web."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt
from typing import Final

import networkx as nx

from api.console.drawings.described import placed

Spot = tuple[float, float]

PADDING: Final = 10.0  # around a hull
CAPTION: Final = 18.0  # for the name below the records of a hull
CIRCLE_MAX: Final = 12  # chosen: more records than this stand as a web
SPRING_SEED: Final = 7  # chosen once; the same web for ever
SPRING_ROUNDS: Final = 30  # chosen: 40 records take some 20 ms


@dataclass(frozen=True, slots=True)
class Hull:
    """Hold the rounded box around a golden record and its name; "" for a part of a cluster."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Cell:
    x: float
    y: float
    width: float
    height: float


def laid_out(
    groups: Sequence[tuple[str, Sequence[str]]], links: Sequence[tuple[str, str]], width: float, radius: float
) -> tuple[dict[str, Spot], tuple[Hull, ...], float]:
    """Place every record; give the places, the hulls (none around a single nameless group) and the height."""
    cells, height = _cells([len(members) for _, members in groups], width, radius)
    is_named = any(name for name, _ in groups)
    spots: dict[str, Spot] = {}
    middle = width / 2
    for (name, members), cell in zip(groups, cells, strict=True):
        room = _Cell(cell.x, cell.y, cell.width, cell.height - (CAPTION if name else 0.0))
        lean = 0.0 if len(groups) == 1 else 1.0 if cell.x + cell.width / 2 < middle else -1.0
        spots |= _inside(_ordered(members, links), links, room, radius, lean)
    hulls = tuple(
        Hull(name, placed(cell.x), placed(cell.y), placed(cell.width), placed(cell.height))
        for (name, _), cell in zip(groups, cells, strict=True)
    )
    return spots, hulls if is_named or len(groups) > 1 else (), placed(height)


def _cells(counts: Sequence[int], width: float, radius: float) -> tuple[list[_Cell], float]:
    """Cut the picture into cells, in rows of up to three; a larger group gets a wider cell."""
    if not counts:
        return [], 4 * radius
    columns = min(len(counts), 3 if len(counts) != 4 else 2)
    rows = [counts[start : start + columns] for start in range(0, len(counts), columns)]
    cells: list[_Cell] = []
    top = PADDING
    gap = 2.6 * radius if len(counts) > 1 else 0.0
    for row in rows:
        room = width - 2 * PADDING - gap * (len(row) - 1)
        shares = [max(sqrt(count), 1.4) for count in row]
        widths = [room * share / sum(shares) for share in shares]
        height = max(_height(count, each, radius) for count, each in zip(row, widths, strict=True))
        left = PADDING
        for each in widths:
            cells.append(_Cell(left, top, each, height))
            left += each + gap
        top += height + (gap if len(counts) > 3 else PADDING)
    return cells, top - (gap if len(counts) > 3 else PADDING) + PADDING


def _height(count: int, width: float, radius: float) -> float:
    """Give a cell the height that its records need: a column of them, a circle, or a web with room around each."""
    if count <= 3:
        return 4.2 * radius + (4.4 if count == 2 else 3.4 * max(count - 1, 1)) * radius
    if count <= CIRCLE_MAX:
        around = count * 3.6 * radius / pi
        return max(around, 6.5 * radius) + 3.6 * radius
    return max(count * (4.2 * radius) ** 2 / (width - 2 * radius), 10 * radius) + 3 * radius


def _ordered(members: Sequence[str], links: Sequence[tuple[str, str]]) -> list[str]:
    """Order records so that linked ones stand beside each other: from the first, along the links."""
    web = nx.Graph()
    web.add_nodes_from(members)
    web.add_edges_from(pair for pair in links if pair[0] in web and pair[1] in web)
    return [key for part in nx.connected_components(web) for key in _walk(web, [m for m in members if m in part])]


def _walk(web: "nx.Graph[str]", members: Sequence[str]) -> list[str]:
    return list(nx.dfs_preorder_nodes(web, members[0], sort_neighbors=sorted))


def _inside(
    members: Sequence[str], links: Sequence[tuple[str, str]], cell: _Cell, radius: float, lean: float
) -> dict[str, Spot]:
    """Place the records of one group in its cell."""
    x, y = cell.x + cell.width / 2, cell.y + cell.height / 2
    if len(members) == 1:
        return {members[0]: (placed(x), placed(y))}
    if len(members) <= 3:
        return _column(members, cell, radius, lean)
    if len(members) <= CIRCLE_MAX:
        across, down = cell.width / 2 - 1.6 * radius, cell.height / 2 - 1.6 * radius
        turn = 2 * pi / len(members)
        return {
            key: (placed(x + across * sin(turn * (place + 0.5))), placed(y - down * cos(turn * (place + 0.5))))
            for place, key in enumerate(members)
        }
    return _web(members, links, cell, radius)


def _column(members: Sequence[str], cell: _Cell, radius: float, lean: float) -> dict[str, Spot]:
    """Place two or three records below each other; the middle one stands out to the other side, so no line hides it."""
    x = cell.x + cell.width / 2
    top, bottom = cell.y + 1.9 * radius, cell.y + cell.height - 1.9 * radius
    step = (bottom - top) / (len(members) - 1)
    shift = min(1.3 * radius, cell.width / 2 - 1.3 * radius)
    return {
        key: (
            placed(x + (lean or 1.0) * shift * (1 if place % 2 else -1) * (len(members) > 2)),
            placed(top + place * step),
        )
        for place, key in enumerate(members)
    }


def _web(members: Sequence[str], links: Sequence[tuple[str, str]], cell: _Cell, radius: float) -> dict[str, Spot]:
    """Place many records by their links, then push apart those that would cover each other."""
    web = nx.Graph()
    web.add_nodes_from(members)
    web.add_edges_from(pair for pair in links if pair[0] in web and pair[1] in web)
    found = nx.spring_layout(web, seed=SPRING_SEED, iterations=SPRING_ROUNDS, k=2.2 / sqrt(len(members)))
    left, right = cell.x + 1.6 * radius, cell.x + cell.width - 1.6 * radius
    top, bottom = cell.y + 1.6 * radius, cell.y + cell.height - 1.6 * radius
    wide, high = _spread(found, 0), _spread(found, 1)
    spots = {key: [left + (right - left) * wide[key], top + (bottom - top) * high[key]] for key in members}
    for _ in range(40):
        if not _push(spots, (left, right, top, bottom), 2.5 * radius):
            break
    return {key: (placed(spot[0]), placed(spot[1])) for key, spot in spots.items()}


def _spread(found: Mapping[str, Sequence[float]], axis: int) -> dict[str, float]:
    """Spread places along one axis: half by where they are, half by their rank, so that no corner is crowded."""
    order = sorted(found, key=lambda key: (float(found[key][axis]), key))
    low, high = float(found[order[0]][axis]), float(found[order[-1]][axis])
    span = (high - low) or 1.0
    return {
        key: 0.5 * (float(found[key][axis]) - low) / span + 0.5 * rank / max(len(order) - 1, 1)
        for rank, key in enumerate(order)
    }


def _push(spots: Mapping[str, list[float]], bounds: tuple[float, float, float, float], apart: float) -> bool:
    """Push apart every two that are too near, half the way each; tell whether any were."""
    keys = list(spots)
    left, right, top, bottom = bounds
    moved = False
    for place, key in enumerate(keys):
        for other in keys[place + 1 :]:
            x, y = spots[other][0] - spots[key][0], spots[other][1] - spots[key][1]
            distance = sqrt(x * x + y * y)
            if distance >= apart:
                continue
            moved = True
            x, y = (x / distance, y / distance) if distance else (1.0, 0.0)
            by = (apart - distance) / 2 + 0.01
            for spot, way in ((spots[key], -1), (spots[other], 1)):
                spot[0] = min(max(spot[0] + way * by * x, left), right)
                spot[1] = min(max(spot[1] + way * by * y, top), bottom)
    return moved
