"""What a steward should see although the law of clusters is content: pure, from the touched part to questions.

A guard never changes who belongs together. It looks at whole golden records: two groups that one weak edge holds, a
member that lost its best evidence, more members than expected, two records of a source that promised to have none
twice. `several_hits` tells apart, among the joins, the record that matches two established golden records.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import networkx as nx

from mdm.decisions.review_model import OpenReview, Question, QuestionKey
from mdm.entities.model import ReviewGuards
from mdm.ids import RecordId
from mdm.resolution.model import Edge, Scene

Group = frozenset[RecordId]
_BRIDGE_SIDE_MIN = 2  # chosen: a single record at the end of an edge is what the match line judges already


@dataclass(frozen=True, slots=True)
class Look:
    """What the guards look at.

    weakened  edges that joined before this transaction and do no more, or with fewer bits, as they were
    opened    reviews that stand open, so that a question keeps the pair of records it was asked with
    """

    scene: Scene
    guards: ReviewGuards
    weakened: Sequence[Edge]
    opened: Mapping[QuestionKey, OpenReview]


def guard_questions(look: Look) -> tuple[Question, ...]:
    """List what the guards ask about the golden records of the touched part."""
    questions: list[Question] = []
    split = {id_ for part in look.scene.split for id_ in part}
    for group in look.scene.groups:
        if len(group) < 2:
            continue
        linked = _linked(group, look.scene.musts)
        edges = [edge for edge in look.scene.edges if edge.left_id in group and edge.right_id in group]
        questions += _weak_bridges(look.guards, group, edges, linked)
        questions += _duplicates(look, group, linked)
        questions += _too_large(look, group)
        questions += _still_quarrelling(look, group)
        if group.isdisjoint(split):
            questions += _decayed(look, group, edges, linked)
    return tuple(questions)


def several_hits(asked: Iterable[Question], scene: Scene) -> tuple[Question, ...]:
    """Name the joins of two established golden records where one record matches both and nothing else connects them.

    Such a record went to the golden record that it matches best. Whether it belongs to the other, or both are one, is
    another question than a join of two that match by themselves.
    """
    return tuple(_hit(question, scene) if question.kind == "join" else question for question in asked)


def _hit(question: Question, scene: Scene) -> Question:
    home = {id_: group for group in scene.groups for id_ in group if id_ in {question.left_id, question.right_id}}
    left, right = home.get(question.left_id), home.get(question.right_id)
    if left is None or right is None or not {left, right} <= scene.established:
        return question
    between = [
        {edge.left_id, edge.right_id}
        for edge in scene.edges
        if (edge.left_id in left and edge.right_id in right) or (edge.left_id in right and edge.right_id in left)
    ]
    shared = set.intersection(*between) if between else set()
    for record_id in sorted(shared):
        own = left if record_id in left else right
        if any(_other_end(edge, record_id) in own for edge in scene.edges):
            return replace(question, kind="several_hits", subject={**question.subject, "record_id": record_id})
    return question


def _other_end(edge: Edge, record_id: RecordId) -> RecordId | None:
    if record_id == edge.left_id:
        return edge.right_id
    return edge.left_id if record_id == edge.right_id else None


def _linked(group: Group, musts: Iterable[tuple[RecordId, RecordId]]) -> nx.Graph:
    """Return the graph of what is decided to be the same within a group."""
    graph = nx.Graph()
    graph.add_nodes_from(group)
    graph.add_edges_from(pair for pair in musts if pair[0] in group and pair[1] in group)
    return graph


def _weak_bridges(guards: ReviewGuards, group: Group, edges: Sequence[Edge], linked: nx.Graph) -> Iterable[Question]:
    """Ask about each edge below the bound without which two groups of several records would not hang together."""
    line = guards.bridge_bits
    if line is None or len(group) < 2 * _BRIDGE_SIDE_MIN or all(edge.bits >= line for edge in edges):
        return
    graph = nx.Graph(linked.edges)
    weak = {}
    for edge in edges:
        pair = (edge.left_id, edge.right_id)
        if edge.bits < line and not graph.has_edge(*pair):
            weak[frozenset(pair)] = edge
        graph.add_edge(*pair)
    for bridge in sorted(map(frozenset, nx.bridges(graph)), key=sorted):
        if bridge not in weak:
            continue
        left_id, right_id = sorted(bridge)
        graph.remove_edge(left_id, right_id)
        sides = sorted(len(nx.node_connected_component(graph, id_)) for id_ in (left_id, right_id))
        graph.add_edge(left_id, right_id)
        if sides[0] >= _BRIDGE_SIDE_MIN:
            yield Question("weak_bridge", left_id, right_id, weak[bridge].bits, {"sides": sides})


def _duplicates(look: Look, group: Group, linked: nx.Graph) -> Iterable[Question]:
    """Ask about two records of one source that declared to hold each thing once, unless they are decided the same."""
    by_source: dict[str, list[RecordId]] = {}
    for record_id in group & look.scene.duplicate_free.keys():
        by_source.setdefault(look.scene.duplicate_free[record_id], []).append(record_id)
    for source, record_ids in sorted(by_source.items()):
        units = {min(nx.node_connected_component(linked, id_)): id_ for id_ in sorted(record_ids, reverse=True)}
        if len(units) > 1:
            first, second = _kept(look, "duplicates_in_source", frozenset(units.values())) or sorted(units.values())[:2]
            yield Question(
                "duplicates_in_source", first, second, 0.0, {"source": source, "record_ids": sorted(record_ids)}
            )


def _too_large(look: Look, group: Group) -> Iterable[Question]:
    if look.guards.records_max is not None and len(group) > look.guards.records_max:
        first, second = _kept(look, "large_cluster", group) or (min(group), max(group))
        yield Question("large_cluster", first, second, 0.0, {"records": len(group), "record_ids": sorted(group)})


def _still_quarrelling(look: Look, group: Group) -> Iterable[Question]:
    """Return the open questions about values that systems replace for each other; they stand until answered."""
    for (kind, left_id, right_id), review in sorted(look.opened.items(), key=lambda entry: entry[0]):
        if kind == "flip_flop" and left_id in group and right_id in group:
            yield Question(kind, left_id, right_id, review.bits, review.subject)


def _decayed(look: Look, group: Group, edges: Sequence[Edge], linked: nx.Graph) -> Iterable[Question]:
    """Ask about each member whose strongest edge within the golden record is gone or lost as many bits as declared."""
    margin = look.guards.decay_bits
    if margin is None:
        return
    now = _strongest(edges, group)
    found: dict[QuestionKey, Question] = {}
    for question in (*_still_decayed(look, group), *_newly_decayed(look, group, now)):
        best = now.get(question.subject["record_id"])
        is_decayed = best is None or question.subject["bits_before"] - best.bits >= margin
        if is_decayed and not nx.has_path(linked, question.left_id, question.right_id):
            subject = {**question.subject, "still_matches": best is not None}
            found.setdefault(question.key, replace(question, bits=best.bits if best else 0.0, subject=subject))
    yield from found.values()


def _still_decayed(look: Look, group: Group) -> Iterable[Question]:
    """Return the open questions about decay in a group: whether they still stand is looked at anew."""
    for (kind, left_id, right_id), review in sorted(look.opened.items(), key=lambda entry: entry[0]):
        if kind == "decay" and left_id in group and right_id in group:
            yield Question(kind, left_id, right_id, review.bits, review.subject)


def _newly_decayed(look: Look, group: Group, now: Mapping[RecordId, Edge]) -> Iterable[Question]:
    """Return each member that lost an edge, with the bits of the strongest it had: one lost, or one it still has."""
    for record_id, lost in sorted(_strongest(look.weakened, group).items()):
        before = max(lost.bits, now[record_id].bits if record_id in now else lost.bits)
        subject = {"record_id": record_id, "bits_before": before}
        yield Question("decay", lost.left_id, lost.right_id, 0.0, subject)


def _strongest(edges: Iterable[Edge], group: Group) -> dict[RecordId, Edge]:
    """Return the strongest of these edges for each member, of those within the group."""
    best: dict[RecordId, Edge] = {}
    for edge in edges:
        if edge.left_id in group and edge.right_id in group:
            for record_id in (edge.left_id, edge.right_id):
                if record_id not in best or edge.bits > best[record_id].bits:
                    best[record_id] = edge
    return best


def _kept(look: Look, kind: str, among: frozenset[RecordId]) -> tuple[RecordId, RecordId] | None:
    """Return the pair with which such a question about these records is open, so that it stays the same review."""
    pairs = sorted(key[1:] for key in look.opened if key[0] == kind and among.issuperset(key[1:]))
    return pairs[0] if pairs else None
