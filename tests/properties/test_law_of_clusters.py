"""The law of clusters: the fast implementation agrees with a slow, readable one on 20,000 small random graphs.

With policy merge the held partition P is the proposed partition C; with policy hold P becomes C once all proposals are
accepted, in any order.
"""

import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from matching.cluster import Edges, Held, Limits, Proposal, hold, propose
from matching.online import Signatures

GRAPHS_PER_CHUNK = 1_000
CHUNKS = range(20)
Pair = tuple[int, int]


@dataclass(frozen=True)
class Graph:
    """A case: records by position, printed keys in no order, and what stands between the records."""

    keys: tuple[str, ...]
    edges: dict[Pair, float]
    musts: tuple[Pair, ...]
    foes: frozenset[Pair]
    numbers: tuple[dict[str, frozenset[str]], ...]
    established: tuple[frozenset[int], ...]
    lands: tuple[str, ...] = ()


def ordered(left: int, right: int) -> Pair:
    return (left, right) if left < right else (right, left)


def random_graph(seed: int) -> Graph:
    rnd = random.Random(seed)
    size = rnd.randint(2, 9)
    keys = tuple(rnd.sample([f"crm/Account:{n:02d}" for n in range(40)], size))
    pairs = list(itertools.combinations(range(size), 2))
    numbers = tuple(
        {scope: frozenset(rnd.sample("123", rnd.randint(1, 2))) for scope in ("de", "fr") if rnd.random() < 0.25}
        for _ in keys
    )
    drawn = frozenset(pair for pair in pairs if rnd.random() < 0.1)
    musts = tuple(pair for pair in pairs if rnd.random() < 0.08)
    bound = parts_of(size, musts)
    foes = frozenset(pair for pair in drawn if not any(set(pair) <= part for part in bound))
    pool, established = rnd.sample(range(size), size), []
    while pool and rnd.random() < 0.7:
        cut = rnd.randint(1, min(3, len(pool)))
        established.append(frozenset(pool[:cut]))
        pool = pool[cut:]
    edges = {pair: float(rnd.randint(1, 4)) for pair in pairs if rnd.random() < 0.45}
    return Graph(keys, edges, musts, foes, numbers, tuple(established))


def parts_of(size: int, links: Iterable[Pair]) -> list[frozenset[int]]:
    parts = [frozenset([record]) for record in range(size)]
    for left, right in links:
        touched = [part for part in parts if left in part or right in part]
        parts = [part for part in parts if part not in touched] + [frozenset().union(*touched)]
    return parts


def at_odds(graph: Graph, left: int, right: int) -> bool:
    shared = graph.numbers[left].keys() & graph.numbers[right].keys()
    return ordered(left, right) in graph.foes or any(
        not graph.numbers[left][scope] & graph.numbers[right][scope] for scope in shared
    )


def with_lands(graph: Graph, seed: int) -> Graph:
    """Give records countries that part chains; "" for those that leave theirs open."""
    rnd = random.Random(seed)
    return replace(graph, lands=tuple(rnd.choice(("", "", "at", "ch", "it")) for _ in graph.keys))


def is_bridged(graph: Graph, pair: Pair, ours: Iterable[int], theirs: Iterable[int]) -> bool:
    """Tell whether a record that leaves its country open would join sides that know theirs and share none."""
    if not graph.lands or all(graph.lands[record] for record in pair):
        return False
    first, second = ({graph.lands[record] for record in side} - {""} for side in (ours, theirs))
    return bool(first) and bool(second) and not first & second


def slow_propose(graph: Graph) -> set[frozenset[int]]:
    parts = parts_of(len(graph.keys), graph.musts)
    by_strength = sorted(
        graph.edges, key=lambda pair: (-graph.edges[pair], *sorted(graph.keys[record] for record in pair))
    )
    for left, right in by_strength:
        ours = next(part for part in parts if left in part)
        theirs = next(part for part in parts if right in part)
        if ours is theirs or is_bridged(graph, (left, right), ours, theirs):
            continue
        if not any(at_odds(graph, a, b) for a in ours for b in theirs):
            parts = [part for part in parts if part not in (ours, theirs)] + [ours | theirs]
    return set(parts)


def slow_hold(graph: Graph, clusters: set[frozenset[int]]) -> set[frozenset[int]]:
    def first_key(members: Iterable[int]) -> str:
        return min(graph.keys[record] for record in members)

    held = {first_key(members): set(members) for members in graph.established}
    owner = {record: first_key(members) for members in graph.established for record in members}
    units = parts_of(len(graph.keys), graph.musts)
    loose = []
    for cluster in sorted(clusters, key=first_key):
        left: set[int] = set()
        inside = sorted({owner[record] for record in cluster if record in owner})
        for unit in sorted(
            (unit for unit in units if unit <= cluster), key=lambda unit: first_key(unit - owner.keys() or unit)
        ):
            free = unit - owner.keys()
            homes = sorted({owner[record] for record in unit if record in owner}) or [
                home for home in inside if not any(at_odds(graph, a, b) for a in free for b in held[home])
            ]
            if unit & owner.keys():
                held[homes[0]] |= free
            elif homes:
                pull = {
                    home: max(graph.edges.get(ordered(a, b), 0.0) for a in free for b in held[home]) for home in homes
                }
                held[min(homes, key=lambda home: (-pull[home], home))] |= free
            else:
                left |= free
        if left:
            loose.append(frozenset(left))
    return {frozenset(members) for members in held.values()} | set(loose)


def limits_of(graph: Graph, order: list[int]) -> tuple[list[str], Edges, Limits]:
    """Write a graph as the implementation takes it, with the records and edges in another order."""
    place = {record: position for position, record in enumerate(order)}
    rows = [(*ordered(place[left], place[right]), bits) for (left, right), bits in graph.edges.items()]
    random.Random(len(order)).shuffle(rows)
    edges = Edges(
        *(np.array([row[n] for row in rows], dtype=kind) for n, kind in enumerate((np.int32, np.int32, np.float64)))
    )
    numbers = [dict(graph.numbers[record]) for record in order]
    for known, record in zip(numbers, order, strict=True):
        if graph.lands and graph.lands[record]:
            known["land"] = frozenset({graph.lands[record]})
    limits: Limits = {
        "musts": as_pairs((place[left], place[right]) for left, right in graph.musts),
        "conflicts": as_pairs((place[left], place[right]) for left, right in sorted(graph.foes)),
        "signatures": signatures_of(numbers),
    }
    return [graph.keys[record] for record in order], edges, limits


def fast_propose(graph: Graph, order: list[int]) -> set[frozenset[int]]:
    """Propose with the records in another order, and name the result by the old positions."""
    keys, edges, limits = limits_of(graph, order)
    return members_of(keys, propose(keys, edges, **limits), order)


def fast_hold(graph: Graph) -> tuple[set[frozenset[int]], Held]:
    """Propose and hold."""
    order = list(range(len(graph.keys)))
    keys, edges, limits = limits_of(graph, order)
    labels = propose(keys, edges, **limits)
    return members_of(keys, labels, order), hold(keys, edges, labels, graph.established, **limits)


def members_of(keys: list[str], labels: np.ndarray, order: list[int]) -> set[frozenset[int]]:
    """Give the members of each label, which is to be the one with the smallest key."""
    members: dict[int, list[int]] = {}
    for position, label in enumerate(labels.tolist()):
        members.setdefault(label, []).append(position)
    for label, positions in members.items():
        assert keys[label] == min(keys[position] for position in positions)
    return {frozenset(order[position] for position in positions) for positions in members.values()}


def as_pairs(pairs: Iterable[Pair]) -> np.ndarray:
    return np.array(list(pairs), dtype=np.int32).reshape(-1, 2)


def signatures_of(numbers: list[dict[str, frozenset[str]]]) -> Signatures:
    contents: list[frozenset[str]] = []
    scopes, sets, offsets = [], [], [0]
    for scoped in numbers:
        for scope, values in sorted(scoped.items()):
            if values not in contents:
                contents.append(values)
            scopes.append(("de", "fr", "land").index(scope))
            sets.append(contents.index(values))
        offsets.append(len(scopes))
    rows = np.array(scopes, np.int32), np.array(sets, np.int32)
    return Signatures(np.array(offsets), *rows, tuple(contents), chained_from=2)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_the_proposed_partition_is_the_one_the_law_asks_for_in_every_order(chunk: int) -> None:
    for seed in range(chunk * GRAPHS_PER_CHUNK, (chunk + 1) * GRAPHS_PER_CHUNK):
        graph = random_graph(seed)
        records = list(range(len(graph.keys)))

        shuffled = random.Random(seed + 1).sample(records, len(records))

        assert fast_propose(graph, shuffled) == slow_propose(graph), seed


@pytest.mark.parametrize("chunk", CHUNKS)
def test_no_record_that_leaves_its_country_open_joins_two_in_any_order(chunk: int) -> None:
    for seed in range(chunk * GRAPHS_PER_CHUNK, (chunk + 1) * GRAPHS_PER_CHUNK):
        graph = with_lands(random_graph(seed), seed)
        records = list(range(len(graph.keys)))

        shuffled = random.Random(seed + 1).sample(records, len(records))

        assert fast_propose(graph, shuffled) == slow_propose(graph), seed


@pytest.mark.parametrize("chunk", CHUNKS)
def test_the_held_partition_keeps_established_groups_and_attaches_free_records(chunk: int) -> None:
    for seed in range(chunk * GRAPHS_PER_CHUNK, (chunk + 1) * GRAPHS_PER_CHUNK):
        graph = random_graph(seed)

        clusters, held = fast_hold(graph)

        assert clusters == slow_propose(graph), seed
        assert set(held.groups) - {frozenset()} == slow_hold(graph, clusters), seed
        assert held.proposals or set(held.groups) == clusters, f"{seed}: no open proposal means P = C"
        joins = [proposal for proposal in held.proposals if proposal.kind == "join"]
        assert [proposal.members for proposal in joins] == [
            cluster
            for cluster in sorted(clusters, key=lambda cluster: min(graph.keys[record] for record in cluster))
            if sum(bool(cluster & group) for group in held.groups) > 1
        ], seed
        assert {proposal.members for proposal in held.proposals if proposal.kind == "split"} == {
            group for group in held.groups if sum(bool(cluster & group) for cluster in clusters) > 1
        }, seed


@pytest.mark.parametrize("chunk", CHUNKS)
def test_writing_down_what_the_partition_says_does_not_change_it(chunk: int) -> None:
    for seed in range(chunk * GRAPHS_PER_CHUNK, (chunk + 1) * GRAPHS_PER_CHUNK):
        graph, rnd = random_graph(seed), random.Random(seed)
        clusters = slow_propose(graph)
        pairs = list(itertools.combinations(range(len(graph.keys)), 2))
        together = {pair for pair in pairs if any(set(pair) <= cluster for cluster in clusters)}

        said_same = graph.musts + tuple(pair for pair in sorted(together) if rnd.random() < 0.5)
        said_different = graph.foes | {pair for pair in pairs if pair not in together and rnd.random() < 0.5}
        written = Graph(graph.keys, graph.edges, said_same, said_different, graph.numbers, ())

        assert fast_propose(written, list(range(len(graph.keys)))) == clusters, seed


@pytest.mark.parametrize("chunk", CHUNKS)
def test_accepting_all_proposals_in_any_order_gives_the_partition_that_merging_gives(chunk: int) -> None:
    """A steward's answer writes down what C says of the clusters it is about, and moves neither C nor what is open."""
    for seed in range(chunk * GRAPHS_PER_CHUNK, (chunk + 1) * GRAPHS_PER_CHUNK):
        graph, rnd = random_graph(seed), random.Random(seed)
        merged, held = fast_hold(graph)

        answers = 0
        while held.proposals:
            graph, answers = accepted(graph, rnd.choice(held.proposals), merged), answers + 1
            clusters, held = fast_hold(graph)
            assert clusters == merged, f"{seed}: accepting does not move C"
            assert answers <= len(graph.keys), f"{seed}: there is an end to the proposals"

        assert set(held.groups) - {frozenset()} == merged, seed


def accepted(graph: Graph, proposal: Proposal, clusters: set[frozenset[int]]) -> Graph:
    """Confirm each cluster that a proposal is about as a golden record, and write down what it joins and parts."""
    for cluster in clusters:
        if not cluster & proposal.members:
            continue
        pairs = [(pair, len(cluster.intersection(pair))) for pair in itertools.combinations(range(len(graph.keys)), 2)]
        inside = tuple(pair for pair, shared in pairs if shared == 2)
        across = {pair for pair, shared in pairs if shared == 1}
        rest = tuple(left for group in graph.established if (left := group - cluster))
        graph = replace(graph, musts=graph.musts + inside, foes=graph.foes | across, established=(*rest, cluster))
    return graph
