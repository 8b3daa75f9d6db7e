"""Whether a new decision can hold beside the active ones, with the chain of facts that proves it when it cannot.

Records joined by `same` decisions form one group. A `same` contradicts any decision that parts its two groups; a
decision that parts two records contradicts the chain of `same` decisions between them.
"""

from collections.abc import Sequence
from itertools import pairwise

import networkx as nx

from mdm.decisions.model import Decision, Verdict
from mdm.errors import DecisionContradicts
from mdm.ids import RecordId


def require_consistent(active: Sequence[Decision], left_id: RecordId, right_id: RecordId, verdict: Verdict) -> None:
    """Raise DecisionContradicts, naming every decision of the chain, when the new one cannot hold.

    active  all active decisions that touch the groups of either record, but for an `unsure` that the new one answers
    """
    graph = nx.Graph()
    graph.add_nodes_from((left_id, right_id))
    for decision in active:
        if decision.joins:
            graph.add_edge(*decision.pair, decision=decision)
    if verdict.judgement != "same":
        if nx.has_path(graph, left_id, right_id):
            raise DecisionContradicts(
                "the two records are decided to be the same", chain=_chain(graph, left_id, right_id)
            )
        return
    left_group, right_group = (nx.node_connected_component(graph, side) for side in (left_id, right_id))
    for decision in active:
        if decision.joins:
            continue
        for first, second in (decision.pair, decision.pair[::-1]):
            if first in left_group and second in right_group:
                chain = (*_chain(graph, left_id, first), str(decision), *_chain(graph, second, right_id))
                raise DecisionContradicts("the two records are decided to be apart", chain=chain)


def _chain(graph: nx.Graph, start: RecordId, end: RecordId) -> tuple[str, ...]:
    path = nx.shortest_path(graph, start, end)
    return tuple(str(graph.edges[step]["decision"]) for step in pairwise(path))
