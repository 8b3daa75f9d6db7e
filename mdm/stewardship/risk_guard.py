"""Nobody merges past a risk unseen: whoever answers that two are the same names the marks of the risks there are.

The card tells them beside its values; for everybody else they are looked for here, for one review or for many at once.
What is told is the same, mark by mark, so a risk that was seen in one place is confirmed in any other.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mdm.db.transaction import plan_once, snapshot
from mdm.decisions import service as decisions_service
from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.decisions.review_model import Review
from mdm.errors import RiskUnconfirmed
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.identity.model import GoldenRecord
from mdm.ids import DecisionId, GoldenId, RecordId, ReviewId
from mdm.resolution import store as resolution_store
from mdm.resolution.model import Edge
from mdm.resolution.service import standardise
from mdm.sources import store as sources_store
from mdm.sources.model import SourceRecord
from mdm.stewardship.card import risks_now
from mdm.stewardship.card_consequences import Risk
from mdm.stewardship.card_model import EDGES_MAX, MEMBERS_MAX
from mdm.stewardship.card_reading import Declares, read
from mdm.stewardship.card_risks import Merging, bound_elsewhere, risks_of

Risks = Mapping[ReviewId, tuple[Risk, ...]]


def risks_of_one(declares: Declares, connection: Connection, review_id: ReviewId) -> tuple[Risk, ...]:
    """List the reasons why a merge for a review is dangerous, as its card tells them."""
    plan_once(connection)
    return risks_now(read(declares, connection, review_id))


def risks_of_review(hub: Hub, review: Review) -> tuple[Risk, ...]:
    """List them for whoever looks at a review; none where it is closed."""
    if review.state != "open":
        return ()
    with snapshot(hub.engine) as connection:
        return risks_of_one(hub, connection, review.id)


def risks_of_many(declares: Declares, connection: Connection, reviews: Sequence[Review]) -> Risks:
    """List the same for each of many reviews, with as few statements as for one where little hangs on each.

    Two established golden records, and very large ones, are looked at one by one.
    """
    pairs = [review for review in reviews if len(review.versions) > 1]
    found: dict[ReviewId, tuple[Risk, ...]] = {review.id: () for review in reviews}
    if not pairs:
        return found
    around = _around(connection, pairs)
    alone = {review.id for review in pairs if around.wants_a_look(review)}
    for review_id in sorted(alone):
        found[review_id] = risks_of_one(declares, connection, review_id)
    for name in sorted({review.entity_type for review in pairs if review.id not in alone}):
        alike = [one for one in pairs if one.entity_type == name and one.id not in alone]
        members = {id_ for one in alike for side in around.sides(one) for id_ in side}
        records = [around.records[id_] for id_ in sorted(members)]
        forms = standardise(declares.declared[name], records)
        positions = {record.id: place for place, record in enumerate(records)}
        for review in alike:
            left, right = around.sides(review)
            decisions = around.decisions_on(left | right)
            merging = Merging(
                review=review,
                entity_type=declares.declared[name],
                sides=(left, right),
                goldens=[around.goldens[id_] for id_ in review.versions],
                decisions=decisions,
                nearby=_nearby(connection, left | right, bound_elsewhere(decisions, (left, right))),
                forms=forms,
                positions=positions,
                children=(),
            )
            found[review.id] = risks_of(merging)
    return found


def risk_words(risks: Sequence[Risk]) -> tuple[str, ...]:
    """Say the kinds of risks in words."""
    return tuple(dict.fromkeys(risk.kind.replace("_", " ") for risk in risks))


def require_seen(review: Review, risks: Sequence[Risk], seen: Collection[str]) -> None:
    """Refuse a merge with a risk that is not among those seen; raises RiskUnconfirmed that names it.

    What is decided apart is no risk to take: the merge itself is refused, with the proof. Only the answer to a
    contradiction ends such a decision.
    """
    taken = [risk for risk in risks if risk.kind != "decided_apart" or review.kind == "contradiction"]
    unseen = [risk for risk in taken if risk.mark not in seen]
    if unseen:
        raise RiskUnconfirmed(review.id, risks=[one.kind for one in unseen], marks=[one.mark for one in unseen])


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around many reviews: golden records, their members, and the active decisions by record."""

    goldens: Mapping[str, GoldenRecord]
    member_ids: Mapping[str, frozenset[RecordId]]
    records: Mapping[RecordId, SourceRecord]
    decisions: Mapping[RecordId, Sequence[Decision]]
    standing: frozenset[RecordId]

    def sides(self, review: Review) -> tuple[frozenset[RecordId], frozenset[RecordId]]:
        """Give the members of both golden records of a review."""
        both = (review.left_golden_id, review.right_golden_id)
        left, right = (self.member_ids.get(str(id_), frozenset()) for id_ in both)
        return left, right

    def wants_a_look(self, review: Review) -> bool:
        """Tell whether a review is looked at by itself: what points at its golden records counts, or they are large."""
        are_established = all(self.goldens[id_].is_established for id_ in review.versions)
        return are_established or sum(map(len, self.sides(review))) > MEMBERS_MAX

    def decisions_on(self, record_ids: frozenset[RecordId]) -> tuple[Decision, ...]:
        """Give the decisions on records and on all that decisions of being the same connect with them, oldest first."""
        seen: set[RecordId] = set()
        frontier = set(record_ids)
        found: dict[DecisionId, Decision] = {}
        while frontier:
            seen |= frontier
            here = {one.id: one for record_id in frontier for one in self.decisions.get(record_id, ())}
            found |= here
            frontier = {record_id for one in here.values() if one.joins for record_id in one.pair} - seen
        return tuple(found[id_] for id_ in sorted(found) if self.standing.issuperset(found[id_].pair))


def _around(connection: Connection, reviews: Sequence[Review]) -> _Around:
    golden_ids = sorted({GoldenId(id_) for review in reviews for id_ in review.versions})
    member_ids = identity_store.select_member_ids(connection, golden_ids)
    every = frozenset(id_ for ids in member_ids.values() for id_ in ids)
    decisions: dict[RecordId, list[Decision]] = {}
    for one in decisions_service.decisions_around(connection, every):
        for record_id in one.pair:
            decisions.setdefault(record_id, []).append(one)
    outside = decisions.keys() - every
    return _Around(
        goldens={str(id_): one for id_, one in identity_store.select_goldens(connection, golden_ids).items()},
        member_ids={str(id_): frozenset(ids) for id_, ids in member_ids.items()},
        records={record.id: record for record in sources_store.select_records(connection, every)},
        decisions=decisions,
        standing=every | (decisions_store.select_active_ids(connection, outside) if outside else frozenset()),
    )


def _nearby(connection: Connection, members: frozenset[RecordId], elsewhere: frozenset[RecordId]) -> Sequence[Edge]:
    if not elsewhere:
        return ()
    found = resolution_store.select_edges_among(connection, members | elsewhere, limit=EDGES_MAX)
    return [edge for edge in found if (edge.left_id in elsewhere) != (edge.right_id in elsewhere)]
