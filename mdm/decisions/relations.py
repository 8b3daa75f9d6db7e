"""Relations between golden records, as the decisions on their records make them: read from one side, without circles.

Pure. A relation follows its two records through merge, split and move, so that two may meet on the same golden records;
where they speak of the same days the later one is in force.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import networkx as nx

from mdm.decisions.model import INVERSES, RELATIONS, SYMMETRIC, RelatedPair, Relation, Verdict
from mdm.errors import DecisionContradicts
from mdm.ids import GoldenId

# Relations that make sense between two golden records of a type (docs/reference/glossary.md); other types may use all.
_FITTING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "customer": ("parent_of", "sister_of", "acquired_by", "succeeded_by"),
        "project": ("phase_of", "succeeded_by", "sister_of"),
        "contract": ("amendment_of", "renewal_of", "succeeded_by"),
        "resource": ("succeeded_by",),
    }
)


def fitting(entity_type: str) -> tuple[str, ...]:
    """Name the relations that two golden records of a type may have."""
    return _FITTING.get(entity_type, RELATIONS)


def read_from(golden_id: GoldenId, pairs: Sequence[RelatedPair]) -> tuple[Relation, ...]:
    """Read relations from the side of one golden record, by relation, other golden record and validity.

    What several decisions say of the same two, as when whole golden records were decided about, is one relation. One
    between two records of the same golden record says nothing and is left out.
    """
    said: dict[tuple[object, ...], list[RelatedPair]] = {}
    for one in sorted(pairs, key=_rank):
        if one.left_golden_id != one.right_golden_id and golden_id in (one.left_golden_id, one.right_golden_id):
            said.setdefault(_statement(one), []).append(one)
    latest = [alike[-1] for alike in said.values()]
    relations = []
    for *earlier, one in said.values():
        decision, is_left = one.decision, one.left_golden_id == golden_id
        relation = decision.verdict.relation or ""
        relations.append(
            Relation(
                decision=decision,
                relation=relation if is_left else INVERSES[relation],
                golden_id=one.right_golden_id if is_left else one.left_golden_id,
                own_key=decision.left_key if is_left else decision.right_key,
                other_key=decision.right_key if is_left else decision.left_key,
                state="superseded" if any(_supersedes(other, one) for other in latest) else "in_force",
                also=tuple(other.decision.id for other in earlier),
            )
        )
    return tuple(sorted(relations, key=_place))


def overlap(first: Verdict, second: Verdict) -> bool:
    """Tell whether two verdicts are both valid on some day."""
    return _begins(first) <= _ends(second) and _begins(second) <= _ends(first)


def require_no_circle(above: Sequence[RelatedPair], left_id: GoldenId, right_id: GoldenId, verdict: Verdict) -> None:
    """Raise DecisionContradicts, naming each decision of the chain, when on some day a relation leads to its start.

    above  the active pairs of this relation that lead to the left side, one after the other
    """
    if left_id == right_id:
        return
    relevant = [one for one in above if overlap(one.decision.verdict, verdict)]
    # On a line of days, what holds all at once holds all on the day on which the last of them begins.
    begins = sorted({_begins(verdict), *(_begins(one.decision.verdict) for one in relevant)})
    for day in begins:
        if not _begins(verdict) <= day <= _ends(verdict):
            continue
        graph = nx.DiGraph()
        graph.add_nodes_from((left_id, right_id))
        for one in relevant:
            if one.holds_at(day):
                graph.add_edge(one.left_golden_id, one.right_golden_id, decision=one.decision)
        if nx.has_path(graph, right_id, left_id):
            path = nx.shortest_path(graph, right_id, left_id)
            chain = [str(graph.edges[step]["decision"]) for step in pairwise(path)]
            raise DecisionContradicts(f"{verdict.relation} would lead back to where it began", chain=chain)


def _statement(one: RelatedPair) -> tuple[object, ...]:
    """Give what a decision says of two golden records, whichever of their records it binds."""
    verdict = one.decision.verdict
    sides: object = (one.left_golden_id, one.right_golden_id)
    if verdict.relation in SYMMETRIC:
        sides = frozenset((one.left_golden_id, one.right_golden_id))
    return verdict.relation, sides, verdict.valid_from, verdict.valid_to


def _supersedes(later: RelatedPair, earlier: RelatedPair) -> bool:
    """Tell whether a later relation speaks of the same two golden records, in the same or the other direction."""
    sides = {earlier.left_golden_id, earlier.right_golden_id}
    return (
        {later.left_golden_id, later.right_golden_id} == sides
        and later.decision.verdict.relation == earlier.decision.verdict.relation
        and _rank(later) > _rank(earlier)
        and overlap(later.decision.verdict, earlier.decision.verdict)
    )


def _rank(one: RelatedPair) -> tuple[datetime, str]:
    return one.decision.recorded_at, one.decision.id


def _place(one: Relation) -> tuple[str, str, date, str]:
    return one.relation, one.golden_id, _begins(one.decision.verdict), one.decision.id


def _begins(verdict: Verdict) -> date:
    return verdict.valid_from or date.min


def _ends(verdict: Verdict) -> date:
    return verdict.valid_to or date.max
