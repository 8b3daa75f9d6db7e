"""Whether new decisions can hold beside the active ones, with the chain of facts that proves it when they cannot.

Records joined by `same` decisions form one group. A `same` contradicts any decision that parts its two groups; a
decision that parts two records contradicts the chain of `same` decisions between them.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

import networkx as nx

from mdm.decisions.model import Decision, Pair, Verdict
from mdm.errors import DecisionContradicts
from mdm.ids import RecordId


def require_consistent(active: Sequence[Decision], pairs: Sequence[Pair], verdict: Verdict) -> None:
    """Raise DecisionContradicts, naming every decision of the chain, when a verdict on these pairs cannot hold.

    active  all active decisions that touch the groups of any of the records, but for an `unsure` that is answered
    """
    parting = [decision for decision in active if not decision.joins]
    if verdict.judgement == "same" and not parting:
        return
    graph = nx.Graph()
    graph.add_nodes_from(record_id for pair in pairs for record_id in pair)
    for decision in active:
        if decision.joins:
            graph.add_edge(*decision.pair, decision=decision)
    if verdict.judgement == "same":
        _require_none_parted(graph, pairs, parting)
        return
    group = {record_id: n for n, part in enumerate(nx.connected_components(graph)) for record_id in part}
    for left_id, right_id in pairs:
        if group[left_id] == group[right_id]:
            raise DecisionContradicts(
                "the two records are decided to be the same", chain=_chain(graph, left_id, right_id)
            )


def _require_none_parted(graph: nx.Graph, pairs: Sequence[Pair], parting: Sequence[Decision]) -> None:
    graph.add_edges_from(pair for pair in pairs if not graph.has_edge(*pair))
    for decision in parting:
        first, second = decision.pair
        if first not in graph or second not in graph or not nx.has_path(graph, first, second):
            continue
        steps = list(pairwise(nx.shortest_path(graph, first, second)))
        asked = next((place for place, step in enumerate(steps) if "decision" not in graph.edges[step]), len(steps))
        # Told around the circle from the left of the first asked pair to its right.
        before, after = _told(graph, steps[:asked]), _told(graph, steps[asked:])
        is_forward = asked == len(steps) or steps[asked] in pairs
        chain = (*before[::-1], str(decision), *after[::-1]) if is_forward else (*after, str(decision), *before)
        raise DecisionContradicts("the two records are decided to be apart", chain=chain)


def parting_chain(
    active: Sequence[Decision], lefts: Collection[RecordId], rights: Collection[RecordId]
) -> tuple[Decision, ...]:
    """Return the decisions that part a record of one side from one of the other, in the order of the proof; () if none.

    One decision parts them, those before and after it say which records are the same as the two it names.
    active  all active decisions that touch the groups of any of these records
    """
    graph = nx.Graph()
    graph.add_nodes_from((*lefts, *rights))
    for decision in active:
        if decision.joins:
            graph.add_edge(*decision.pair, decision=decision)
    for decision in active:
        for first, second in () if decision.joins else (decision.pair, decision.pair[::-1]):
            before, after = _way(graph, lefts, first), _way(graph, rights, second)
            if before is not None and after is not None:
                return (*before, decision, *reversed(after))
    return ()


def _way(graph: nx.Graph, starts: Collection[RecordId], end: RecordId) -> tuple[Decision, ...] | None:
    """Find the shortest chain of `same` decisions from any of the records to one; None where there is none."""
    if end not in graph:
        return None
    near = nx.node_connected_component(graph, end)
    ways: list[list[RecordId]] = [nx.shortest_path(graph, start, end) for start in sorted(starts) if start in near]
    if not ways:
        return None
    _, shortest = min((len(way), way) for way in ways)
    return tuple(graph.edges[step]["decision"] for step in pairwise(shortest))


def _chain(graph: nx.Graph, start: RecordId, end: RecordId) -> tuple[str, ...]:
    return _told(graph, list(pairwise(nx.shortest_path(graph, start, end))))


def _told(graph: nx.Graph, steps: Sequence[Pair]) -> tuple[str, ...]:
    """Tell the decisions along a path; the steps that are only asked for are no facts."""
    return tuple(str(graph.edges[step]["decision"]) for step in steps if "decision" in graph.edges[step])
