"""What a review card is made of, read in one snapshot: about ten statements, whatever the golden records hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from mdm.decisions import answers_store, reviews
from mdm.decisions import service as decisions_service
from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.decisions.review_model import Answer, Comment, Review
from mdm.entities.model import EntityType
from mdm.hub import Hub
from mdm.identity.model import GoldenRecord
from mdm.identity.plan import survival_order
from mdm.ids import GoldenId, RecordId, ReviewId
from mdm.publishing.model import Target
from mdm.resolution import store as resolution_store
from mdm.resolution.model import Edge
from mdm.sources import store as sources_store
from mdm.sources.model import SourceInstance, SourceRecord
from mdm.stewardship import card_store
from mdm.stewardship.card_graph import strengths
from mdm.stewardship.card_model import (
    CHILDREN_MAX,
    EDGES_MAX,
    HISTORY_MAX,
    MEMBERS_MAX,
    NODES_MAX,
    TEXT_LENGTH_MAX,
    Happened,
    Named,
)
from mdm.stewardship.card_risks import CLOSED, bound_elsewhere
from mdm.survivorship import store as survivorship_store
from mdm.survivorship.model import Contribution, GoldenVersion, Override
from mdm.survivorship.service import as_one


@dataclass(frozen=True, slots=True)
class Reading:
    """The review and all around it.

    golden_ids     the golden records of its two records: two, or one twice asked about
    member_ids     all their members, also those that are not loaded
    order          the members in the order in which they are shown while there is room
    records        those that are loaded
    contributions  what the loaded members contribute, as of one golden record, the survivor's
    around         active decisions around the members, also on records that are out of the hub at present
    decisions      those of them on records that are in it
    nearby         edges of a side with records that the other is decided apart from
    is_whole       every member is loaded
    waits_because  why a merge would wait for a second person, where that was asked; "" when it would not
    """

    review: Review
    entity_type: EntityType
    golden_ids: tuple[GoldenId, ...]
    goldens: Mapping[GoldenId, GoldenRecord]
    versions: Mapping[GoldenId, GoldenVersion]
    member_ids: Mapping[GoldenId, frozenset[RecordId]]
    order: tuple[RecordId, ...]
    strengths: Mapping[RecordId, tuple[int, float]]
    records: Mapping[RecordId, SourceRecord]
    contributions: tuple[Contribution, ...]
    overrides: tuple[Override, ...]
    edges: tuple[Edge, ...]
    around: tuple[Decision, ...]
    decisions: tuple[Decision, ...]
    nearby: tuple[Edge, ...]
    children: tuple[card_store.ChildRow, ...]
    happened: tuple[Happened, ...]
    comments: tuple[Comment, ...]
    answers: tuple[Answer, ...]
    instances: Mapping[str, SourceInstance]
    targets: tuple[Target, ...]
    names: Mapping[GoldenId, Named]
    is_whole: bool
    survivor_id: GoldenId | None = None
    waits_because: str = ""

    @property
    def is_pair(self) -> bool:
        """Tell whether two golden records are asked about."""
        return len(self.golden_ids) == 2

    @property
    def sides(self) -> tuple[frozenset[RecordId], ...]:
        """Return the members of each golden record."""
        return tuple(self.member_ids.get(golden_id, frozenset()) for golden_id in self.golden_ids)


def read(hub: Hub, connection: Connection, review_id: ReviewId) -> Reading:
    """Read a review and all around it; raises ReviewUnknown."""
    review = reviews.require(connection, review_id)
    entity_type = hub.entity_type(review.entity_type)
    both = (review.left_golden_id, review.right_golden_id)
    golden_ids = tuple(dict.fromkeys(GoldenId(id_) for id_ in both if id_ is not None))
    stands = card_store.select_stands(connection, golden_ids)
    goldens = {id_: stands[id_].golden for id_ in golden_ids}
    versions = {id_: stands[id_].version for id_ in golden_ids}
    member_ids = {id_: stands[id_].member_ids for id_ in golden_ids}
    every = frozenset().union(*member_ids.values())
    edges = resolution_store.select_edges_among(connection, every, limit=EDGES_MAX)
    found = strengths(edges, sorted(every))
    order = _order(review, every, found, is_pair=len(golden_ids) == 2)
    loaded = sources_store.select_records(connection, order if len(order) <= MEMBERS_MAX else order[:NODES_MAX])
    records = {record.id: record for record in loaded}
    survivor = min(goldens.values(), key=survival_order, default=None)
    contributions, overrides = as_one(connection, entity_type, loaded, survivor.id) if survivor else ((), ())
    sides = tuple(member_ids.get(golden_id, frozenset()) for golden_id in golden_ids)
    around = tuple(decisions_service.decisions_around(connection, every))
    decisions = _standing(connection, around, every)
    children = card_store.select_children(connection, golden_ids, closed=CLOSED, limit=CHILDREN_MAX)
    happened, is_said = card_store.select_happened(connection, golden_ids, review_id, limit=HISTORY_MAX)
    instances, targets = card_store.select_places(connection)
    elsewhere = bound_elsewhere(decisions, sides) if len(sides) == 2 else frozenset()
    return Reading(
        review=review,
        entity_type=entity_type,
        golden_ids=golden_ids,
        goldens=goldens,
        versions=versions,
        member_ids=member_ids,
        order=order,
        strengths=found,
        records=records,
        contributions=contributions,
        overrides=overrides,
        edges=edges,
        around=around,
        decisions=decisions,
        nearby=_between(connection, every, elsewhere),
        children=children,
        happened=happened,
        comments=answers_store.select_comments(connection, review_id) if is_said else (),
        answers=answers_store.select_answers(connection, review_id) if is_said else (),
        instances={one.id: one for one in instances},
        targets=targets,
        names={
            **_names(hub, connection, entity_type, [*versions.values()], contributions, loaded),
            **{row.golden_id: _named(hub, row.golden_id, row.entity_type, row.values) for row in children},
        },
        is_whole=len(records) == len(every),
        survivor_id=survivor.id if survivor else None,
    )


def _order(
    review: Review, every: frozenset[RecordId], found: Mapping[RecordId, tuple[int, float]], *, is_pair: bool
) -> tuple[RecordId, ...]:
    """Put the two records that are asked about first; then the strongest of a pair, the weakest of a cluster."""
    asked = [id_ for id_ in dict.fromkeys(review.pair) if id_ in every]
    sign = -1 if is_pair else 1
    others = sorted(every.difference(asked), key=lambda id_: (sign * found[id_][1], sign * found[id_][0], id_))
    return (*asked, *others)


def _standing(connection: Connection, around: Sequence[Decision], every: frozenset[RecordId]) -> tuple[Decision, ...]:
    """Leave out decisions on records that are no members now: they bind nobody until those return."""
    outside = {record_id for one in around for record_id in one.pair} - every
    standing = every | decisions_store.select_active_ids(connection, outside) if outside else every
    return tuple(one for one in around if standing.issuperset(one.pair))


def _between(connection: Connection, every: frozenset[RecordId], elsewhere: frozenset[RecordId]) -> tuple[Edge, ...]:
    if not elsewhere:
        return ()
    found = resolution_store.select_edges_among(connection, every | elsewhere, limit=EDGES_MAX)
    return tuple(edge for edge in found if (edge.left_id in elsewhere) != (edge.right_id in elsewhere))


def _names(
    hub: Hub,
    connection: Connection,
    entity_type: EntityType,
    versions: Sequence[GoldenVersion],
    contributions: Sequence[Contribution],
    records: Sequence[SourceRecord],
) -> dict[GoldenId, Named]:
    """Name the golden records that any value points at, and those that the records are matched within."""
    references = [name for name, one in entity_type.attributes.items() if one.reference is not None]
    values = [one.values for one in versions] + [one.values for one in contributions]
    wanted = {id_ for held in values for name in references for id_ in _listed(held.get(name))}
    wanted |= {record.context for record in records if record.context}
    if not wanted:
        return {}
    found = survivorship_store.select_versions(connection, map(GoldenId, sorted(wanted)))
    return {id_: _named(hub, id_, one.entity_type, one.values) for id_, one in found.items()}


def _named(hub: Hub, golden_id: GoldenId, entity_type: str, values: Mapping[str, Any]) -> Named:
    declared = hub.declared.get(entity_type)
    name = declared.name_of(values)[:TEXT_LENGTH_MAX] if declared is not None else ""
    return Named(golden_id, entity_type, name)


def _listed(value: Any) -> Iterable[str]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []
