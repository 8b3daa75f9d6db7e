"""Which pairs of records an operation has to decide about, so that clustering agrees with it: pure.

What an operation joined it writes down as a star of `same`, what it parted as `different` for every pair across. Links
that earlier operations made across a new border are ended, and those on either side are tied together anew; what
somebody decided about two records in person is never ended in passing, it contradicts.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import networkx as nx

from mdm.decisions.model import Decision, Pair
from mdm.ids import EventId, RecordId

Part = frozenset[RecordId]


@dataclass(frozen=True, slots=True)
class Redrawn:
    """What a new border does to the links that cross it: those that end, and what ties each side together instead."""

    ended: tuple[Decision, ...]
    links: tuple[Pair, ...]


def ties(active: Sequence[Decision], record_ids: Iterable[RecordId]) -> tuple[Pair, ...]:
    """Tie records together around the oldest of them, but for those that `same` decisions among them connect already.

    What only the links of others connect is tied anew: they may be deleted, and join nothing then.
    """
    graph = nx.Graph()
    graph.add_nodes_from(record_ids)
    graph.add_edges_from(one.pair for one in active if one.joins and all(id_ in graph for id_ in one.pair))
    return _star(map(min, nx.connected_components(graph)))


def across(parts: Sequence[Iterable[RecordId]]) -> tuple[Pair, ...]:
    """Return every pair of records that stand in two different parts."""
    return tuple(
        sorted((min(pair), max(pair)) for one, other in combinations(parts, 2) for pair in product(one, other))
    )


def count_across(parts: Sequence[Part]) -> int:
    """Count what `across` returns without making it."""
    sizes = [len(part) for part in parts]
    return (sum(sizes) ** 2 - sum(size**2 for size in sizes)) // 2


def by_operation(decision: Decision) -> bool:
    """Tell whether a link was made by an operation on golden records, not by somebody about two records in person."""
    return bool(decision.operation)


def redraw(
    active: Sequence[Decision],
    parts: Sequence[Part],
    *,
    may_end: Callable[[Decision], bool] = by_operation,
    also: Iterable[Decision] = (),
) -> Redrawn:
    """Work out what becomes of `same` decisions where parts are divided from each other.

    active   all active decisions on these records, and on those that `same` decisions connect with them
    may_end  which of the links that cross a border end with it; the others stay, and contradict it
    also     decisions that end whether they cross or not, with nothing in their stead where no later link leans on them
    Records in no part go with those they are tied to, with the first part where that is open.
    """
    doomed = {one.id for one in also}
    links = [one for one in active if one.joins]
    side = _sides(links, parts)
    ended = [one for one in links if one.id in doomed or (may_end(one) and side[one.left_id] != side[one.right_id])]
    if not ended:
        return Redrawn((), ())
    gone = {one.id for one in ended}
    kept = [one for one in links if one.id not in gone]
    leaning = _leaning(kept, [one for one in ended if one.id in doomed])
    tied: list[Pair] = []
    for component in nx.connected_components(nx.Graph([one.pair for one in links])):
        for number in sorted({side[record] for record in component}):
            together = [record for record in component if side[record] == number]
            if not gone <= doomed or not leaning.isdisjoint(together):
                tied.extend(ties(kept, together))
    return Redrawn(tuple(ended), tuple(tied))


def _leaning(kept: Sequence[Decision], doomed: Sequence[Decision]) -> frozenset[RecordId]:
    """Return the records that later operations linked, and may have named for all that doomed links tied to them."""
    first = min(map(_since, doomed), default="")
    later = (one for one in kept if by_operation(one) and _since(one) > first)
    return frozenset(id_ for one in later for id_ in one.pair) if doomed else frozenset()


def _since(decision: Decision) -> str:
    """Give what decisions are ordered by in time: one that stands again is as old as the operation that made it."""
    return (decision.event_id or decision.id).partition("_")[2]


def without_resting(active: Sequence[Decision], event_id: EventId, present: Container[RecordId]) -> list[Decision]:
    """Leave out the links of records that belong to no golden record, where they stood before an event.

    What they tie to either side was apart before it all the same, so taking the event back has no need to end them.
    """
    return [
        one
        for one in active
        if not one.joins or not stood_before(one, event_id) or all(id_ in present for id_ in one.pair)
    ]


def stood_before(decision: Decision, event_id: EventId) -> bool:
    """Tell whether a decision was made before an event."""
    return _since(decision) < event_id.partition("_")[2]


def links_beside(active: Sequence[Decision], divisions: Sequence[Sequence[Part]]) -> list[list[Decision]]:
    """Return for each division the links among all that `same` decisions connect with a record of it."""
    links = [one for one in active if one.joins]
    leader: dict[RecordId, RecordId] = {}
    linked: dict[RecordId, list[Decision]] = {}
    for component in nx.connected_components(nx.Graph([one.pair for one in links])):
        leader |= dict.fromkeys(component, min(component))
    for one in links:
        linked.setdefault(leader[one.left_id], []).append(one)
    found = []
    for parts in divisions:
        near = sorted({leader[record] for part in parts for record in part if record in leader})
        found.append([one for record in near for one in linked[record]])
    return found


def _star(record_ids: Iterable[RecordId]) -> tuple[Pair, ...]:
    first, *others = sorted(record_ids)
    return tuple((first, other) for other in others)


def _sides(links: Sequence[Decision], parts: Sequence[Part]) -> Mapping[RecordId, int]:
    side = {record: number for number, part in enumerate(parts) for record in part}
    beside: dict[RecordId, list[RecordId]] = {}
    for one in links:
        beside.setdefault(one.left_id, []).append(one.right_id)
        beside.setdefault(one.right_id, []).append(one.left_id)
    waiting = side.keys() & beside.keys()
    while waiting:
        near = {other for record in waiting for other in beside[record]} - side.keys()
        for other in sorted(near):
            side[other] = min(side[record] for record in beside[other] if record in side)
        waiting = near
    return {record: side.get(record, 0) for record in {*side, *beside}}
