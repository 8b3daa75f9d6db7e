"""The graph of a review card: records as nodes, what matches and what is decided between them, and where it is weak.

Pure. Bridges are told only where every record is drawn, since one that is left out may hold two parts together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matching.model import MATCH, VERDICTS
from mdm.decisions.model import Decision
from mdm.entities.model import EntityType
from mdm.ids import RecordId
from mdm.resolution.model import Edge
from mdm.resolution.strength import bridges_of
from mdm.sources.model import SourceRecord
from mdm.stewardship.card_model import (
    EDGES_MAX,
    NODES_MAX,
    TEXT_LENGTH_MAX,
    CardEdge,
    CardGraph,
    CardLink,
    CardNode,
    probability,
)


@dataclass(frozen=True, slots=True)
class Network:
    """What a graph is made of.

    side     the column of each record, for a cluster 0
    order    the records in the order in which they are drawn while there is room
    edges    strongest first
    """

    entity_type: EntityType
    records: Mapping[RecordId, SourceRecord]
    side: Mapping[RecordId, int]
    order: Sequence[RecordId]
    asked: frozenset[RecordId]
    edges: Sequence[Edge]
    decisions: Sequence[Decision]


def graph_of(network: Network) -> CardGraph:
    """Draw the records up to a bound, with all that stands between them."""
    drawn = [id_ for id_ in network.order if id_ in network.records][:NODES_MAX]
    place = {id_: number for number, id_ in enumerate(drawn)}
    edges = [edge for edge in network.edges if edge.left_id in place and edge.right_id in place][:EDGES_MAX]
    left_out = len(network.side) - len(drawn)
    links = [one for one in network.decisions if one.left_id in place and one.right_id in place]
    sames = [one.pair for one in links if one.joins]
    holding = sorted(
        (edge for edge in edges if not edge.is_vetoed and (edge.verdict == MATCH or _is_across(network, edge))),
        key=lambda edge: (edge.left_id, edge.right_id),
    )
    is_complete = not left_out and len(network.edges) < EDGES_MAX
    match_bits = network.entity_type.model.match_bits
    found = bridges_of(holding, sames, drawn, match_bits=match_bits) if is_complete else ()
    bridges = {(one.left_id, one.right_id): one for one in found}
    told = []
    for edge in edges:
        bridge = bridges.get((min(edge.left_id, edge.right_id), max(edge.left_id, edge.right_id)))
        told.append(
            CardEdge(
                place[edge.left_id],
                place[edge.right_id],
                edge.bits,
                probability(edge.bits),
                VERDICTS[edge.verdict],
                edge.is_vetoed,
                _is_across(network, edge),
                is_bridge=bridge is not None,
                is_weak=bridge is not None and bridge.is_weak,
                sides=bridge.sides if bridge is not None else None,
            )
        )
    return CardGraph(
        tuple(_node(network, network.records[id_]) for id_ in drawn),
        tuple(told),
        tuple(_link(one, place) for one in links),
        left_out,
    )


def strengths(edges: Sequence[Edge], record_ids: Sequence[RecordId]) -> dict[RecordId, tuple[int, float]]:
    """Count the joining edges of each record and give the bits of its strongest; (0, -inf) for one without any."""
    found = dict.fromkeys(record_ids, (0, float("-inf")))
    for edge in edges:
        if edge.verdict != MATCH or edge.is_vetoed:
            continue
        for record_id in (edge.left_id, edge.right_id):
            if record_id in found:
                count, best = found[record_id]
                found[record_id] = (count + 1, max(best, edge.bits))
    return found


def _is_across(network: Network, edge: Edge) -> bool:
    return network.side[edge.left_id] != network.side[edge.right_id]


def _node(network: Network, record: SourceRecord) -> CardNode:
    caption = network.entity_type.name_of(record.values)[:TEXT_LENGTH_MAX]
    side = network.side[record.id]
    return CardNode(record.id, str(record.key), record.key.instance, caption, side, record.id in network.asked)


def _link(one: Decision, place: Mapping[RecordId, int]) -> CardLink:
    return CardLink(
        place[one.left_id],
        place[one.right_id],
        one.verdict.judgement,
        one.verdict.relation,
        one.id,
        one.who,
        one.recorded_at,
        one.verdict.reason[:TEXT_LENGTH_MAX],
    )
