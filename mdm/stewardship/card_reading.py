"""What a review card is made of, read in one snapshot: one statement, more only where very much hangs on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.decisions.review_model import Answer, Comment, Review
from mdm.entities.model import EntityType
from mdm.errors import EntityTypeUnknown, ReviewUnknown
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
from mdm.survivorship.model import Contribution, GoldenVersion, Override
from mdm.survivorship.service import as_one


class Declares(Protocol):
    """Whatever knows the declared entity types: the hub, or the work of a transaction."""

    @property
    def declared(self) -> Mapping[str, EntityType]:
        """Return them by name."""


_LIMITS: Final = card_store.Limits(MEMBERS_MAX, EDGES_MAX, CHILDREN_MAX, HISTORY_MAX)


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
    published      keys of the members that a target took
    told           the document that almost all of it was read from
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
    published: int = 0
    told: str = ""
    waits_because: str = ""

    @property
    def is_pair(self) -> bool:
        """Tell whether two golden records are asked about."""
        return len(self.golden_ids) == 2

    @property
    def mark(self) -> str:
        """Name in few letters all that the card is made of, but for whose it is and its place in the queue.

        Another mark where anything else is; "" for a card that one statement did not read whole.
        """
        if not self.is_whole:
            return ""
        review = replace(self.review, claimed_by=None, claimed_until=None, stake=0.0, usefulness=0.0)
        told = f"{self.told}{review}{self.nearby}{self.waits_because}{len(self.decisions)}"
        return blake2b(told.encode(), digest_size=16).hexdigest()

    @property
    def sides(self) -> tuple[frozenset[RecordId], ...]:
        """Return the members of each golden record."""
        return tuple(self.member_ids.get(golden_id, frozenset()) for golden_id in self.golden_ids)


def read(declares: Declares, connection: Connection, review_id: ReviewId) -> Reading:
    """Read a review and all around it; raises ReviewUnknown."""
    pointing = _pointing(declares.declared)
    found = card_store.select_card(connection, review_id, closed=CLOSED, pointing=pointing, limits=_LIMITS)
    if found is None:
        raise ReviewUnknown(review_id)
    review, entity_type = found.review, _declared(declares, found.review.entity_type)
    both = (review.left_golden_id, review.right_golden_id)
    golden_ids = tuple(dict.fromkeys(GoldenId(id_) for id_ in both if id_ is not None))
    goldens = {id_: found.stands[id_].golden for id_ in golden_ids}
    versions = {id_: found.stands[id_].version for id_ in golden_ids}
    member_ids = {id_: found.stands[id_].member_ids for id_ in golden_ids}
    every = frozenset().union(*member_ids.values())
    linked = strengths(found.edges, sorted(every))
    order = _order(review, every, linked, is_pair=len(golden_ids) == 2)
    loaded = found.records
    if loaded is None:
        loaded = sources_store.select_records(connection, order[:NODES_MAX])
    survivor = min(goldens.values(), key=survival_order, default=None)
    contributions, overrides = (
        as_one(entity_type, loaded, survivor.id, found.resolved, found.overrides) if survivor else ((), ())
    )
    sides = tuple(member_ids.get(golden_id, frozenset()) for golden_id in golden_ids)
    decisions = _standing(connection, found.decisions, every)
    elsewhere = bound_elsewhere(decisions, sides) if len(sides) == 2 else frozenset()
    named = [*found.names, *((row.golden_id, row.entity_type, row.values) for row in found.children)]
    named += [(one.golden_id, one.entity_type, one.values) for one in versions.values()]
    return Reading(
        review=review,
        entity_type=entity_type,
        golden_ids=golden_ids,
        goldens=goldens,
        versions=versions,
        member_ids=member_ids,
        order=order,
        strengths=linked,
        records={record.id: record for record in loaded},
        contributions=contributions,
        overrides=overrides,
        edges=found.edges,
        around=found.decisions,
        decisions=decisions,
        nearby=_between(connection, every, elsewhere),
        children=found.children,
        happened=found.happened,
        comments=found.comments,
        answers=found.answers,
        instances={one.id: one for one in found.instances},
        targets=found.targets,
        names={golden_id: _named(declares.declared, golden_id, type_, values) for golden_id, type_, values in named},
        is_whole=len(loaded) == len(every),
        survivor_id=survivor.id if survivor else None,
        published=found.published,
        told=found.told,
    )


@cache
def _attributes_pointing(entity_types: tuple[EntityType, ...]) -> tuple[str, ...]:
    found = {name for one in entity_types for name, attribute in one.attributes.items() if attribute.reference}
    return tuple(sorted(found))


def _pointing(declared: Mapping[str, EntityType]) -> tuple[str, ...]:
    """Name the attributes whose values are golden ids."""
    return _attributes_pointing(tuple(declared.values()))


def _declared(declares: Declares, name: str) -> EntityType:
    if name not in declares.declared:
        raise EntityTypeUnknown(name, remedy=f"declared are {', '.join(sorted(declares.declared))}")
    return declares.declared[name]


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


def _named(
    declared: Mapping[str, EntityType], golden_id: GoldenId, entity_type: str, values: Mapping[str, Any]
) -> Named:
    found = declared.get(entity_type)
    name = found.name_of(values)[:TEXT_LENGTH_MAX] if found is not None else ""
    return Named(golden_id, entity_type, name)
