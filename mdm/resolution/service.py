"""Standardise, block, compare, decide and cluster stored records: the middle of the path, one transaction at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from sqlalchemy import Connection

from matching.keys import blocking_keys
from matching.model import MATCH, NON_MATCH, MatchModel
from matching.online import conflict_signatures, conflicting, judge
from matching.records import Forms, records_from_rows
from matching.standardise import standardise as standardise_columns
from mdm import clock
from mdm.db.locks import lock_keys
from mdm.decisions import reviews, reviews_store
from mdm.decisions.model import Constraints
from mdm.decisions.review_model import GUARDS, OpenReview, Question, QuestionKey, ReviewChange
from mdm.decisions.service import constraints
from mdm.entities.mapping import match_row, paths_of
from mdm.entities.model import EntityType
from mdm.failpoints import failpoint
from mdm.identity import store as identity_store
from mdm.identity.model import NO_WISHES, Wishes
from mdm.identity.plan import Situation, parts_by_wish, parts_returned, plan_identity, rejoined
from mdm.identity.service import GoldenLocks
from mdm.ids import GoldenId, RecordId, new_golden_id
from mdm.resolution import store
from mdm.resolution.guards import Look, guard_questions, several_hits
from mdm.resolution.model import Blocked, Bounds, Clustered, Decided, Edge, Scene
from mdm.resolution.partition import Group, Partition, Touched, partition
from mdm.sources import store as sources_store
from mdm.sources.model import Arrival, SourceRecord
from mdm.sources.service import parents_of, pointed_at


class ChunkTooWide(Exception):
    """The records stand under more blocking keys than one transaction may lock."""


def load(
    connection: Connection, entity_type: EntityType, record_ids: Iterable[RecordId], locks: GoldenLocks
) -> tuple[SourceRecord, ...]:
    """Load changed records, each with the golden parent it is matched within as that stands under a lock.

    The parent it was matched within before is locked too: whoever matches there must not meet the record any more.
    """
    ids = tuple(record_ids)
    if entity_type.within is not None:
        parents = parents_of(connection, entity_type, ids)
        while locks.hold(connection, {GoldenId(id_) for both in parents.values() for id_ in both if id_}):
            parents = parents_of(connection, entity_type, ids)
        sources_store.update_contexts(connection, {id_: now for id_, (_, now) in parents.items()})
    return sources_store.select_records(connection, ids)


def hold(connection: Connection, arrivals: Sequence[Arrival], locks: GoldenLocks) -> tuple[GoldenId, ...]:
    """Lock the golden records that stored records belong to, and return them as they stand under the locks."""
    golden_ids = tuple({arrival.golden_id for arrival in arrivals if arrival.golden_id is not None})
    while locks.hold(connection, golden_ids):
        golden_ids = sources_store.select_golden_ids(connection, [arrival.record_id for arrival in arrivals])
    return tuple(sorted(golden_ids))


def standardise(entity_type: EntityType, records: Sequence[SourceRecord]) -> Forms:
    """Return the compare forms of records, in their order."""
    return _forms(entity_type, records, entity_type.model)


def block(
    connection: Connection, entity_type: EntityType, records: Sequence[SourceRecord], forms: Forms, bounds: Bounds
) -> Blocked:
    """Put changed records under their blocking keys and find their candidates.

    The keys, old and new, are locked first: whoever could find one of these records, or be found by it, waits. Keys of
    children hold only within their parent, whose lock `load` took: there is no need to lock any, however many children
    follow one customer. Raises ChunkTooWide when there are more keys than one transaction may lock.
    """
    found = blocking_keys(forms, entity_type.model)
    keys = {
        (records[position].id, key)
        for position, key in zip(found.records.tolist(), found.keys.tolist(), strict=True)
        if records[position].state == "active"
    }
    ids = [record.id for record in records]
    before = store.select_keys(connection, ids)
    if entity_type.within is None:
        wanted = {key for _, key in keys | before}
        if len(wanted) > bounds.locks_max and len(records) > 1:
            raise ChunkTooWide
        lock_keys(connection, wanted)
    if before - keys:
        store.delete_keys(connection, entity_type.name, sorted(before - keys))
    if keys - before:
        store.insert_keys(connection, entity_type.name, sorted(keys - before))
    failpoint("block.keyed")
    pairs, deferred = store.select_candidates(connection, entity_type.name, ids, size_max=bounds.block_size_emergency)
    if deferred or any(record.is_deferred for record in records):
        sources_store.update_deferred(connection, ids, deferred=deferred)
    return Blocked(pairs, deferred)


def compare(connection: Connection, entity_type: EntityType, blocked: Blocked) -> tuple[Edge, ...]:
    """Compare candidate pairs and return those that match or may."""
    records = sources_store.select_records(connection, {id_ for pair in blocked.pairs for id_ in pair})
    failpoint("compare.searched")
    if not records:
        return ()
    forms = standardise(entity_type, records)
    position = {record.id: index for index, record in enumerate(records)}
    left = np.array([position[pair[0]] for pair in blocked.pairs], dtype=np.int32)
    right = np.array([position[pair[1]] for pair in blocked.pairs], dtype=np.int32)
    judged = judge(forms, left, right, entity_type.model)
    vetoed = conflicting(conflict_signatures(forms, entity_type.model), left, right)
    columns = zip(blocked.pairs, judged.bits.tolist(), judged.verdicts.tolist(), vetoed.tolist(), strict=True)
    return tuple(Edge(*pair, bits, verdict, veto) for pair, bits, verdict, veto in columns if verdict != NON_MATCH)


def decide(
    connection: Connection, entity_type: EntityType, records: Sequence[SourceRecord], edges: Sequence[Edge]
) -> Decided:
    """Keep the edges of changed records in place of their old ones; return what that touched and weakened."""
    ids = [record.id for record in records]
    before = store.delete_edges(connection, ids)
    if edges:
        store.keep_model(connection, entity_type.model)
        store.insert_edges(connection, entity_type.name, edges, model_version=entity_type.model.version)
    failpoint("decide.stored")
    now = {(edge.left_id, edge.right_id): edge for edge in edges}
    changed = frozenset(ids)
    return Decided(
        frozenset(_other_end(edge, changed) for edge in before)
        | frozenset(id_ for edge in edges if edge.verdict == MATCH for id_ in (edge.left_id, edge.right_id)),
        tuple(edge for edge in before if _joins(edge) and not _still_joins(edge, now)),
    )


def cluster(
    connection: Connection,
    entity_type: EntityType,
    seeds: Iterable[RecordId],
    locks: GoldenLocks,
    bounds: Bounds,
    wishes: Wishes = NO_WISHES,
) -> Clustered:
    """Plan what the part of the graph around the seeds becomes under the law of clusters and an operation's wishes.

    Its golden records are locked, and those that it points at, then the part is read again: whatever another writer
    committed meanwhile is seen. Who moves what a record points at looks for followers under the same lock, so that
    either this writer sees the move or the other one sees the follower.
    """
    seeds = frozenset(seeds)
    around = _reach(connection, seeds, bounds)
    while True:
        goldens = identity_store.select_goldens_around(connection, around | seeds)
        if not locks.hold(connection, goldens.keys() | pointed_at(connection, seeds)):
            break
        around = _reach(connection, seeds, bounds)
    failpoint("merge.locked")
    members = identity_store.select_members(connection, around | seeds)
    situation = Situation(entity_type.name, members, goldens, wishes)
    held, scene = _hold(connection, entity_type, around, bounds, situation)
    if len(around) > bounds.component_records_max:
        # One is enough: from it the worker follows the component.
        one = [max(seeds & around, default=max(around))]
        sources_store.update_deferred(connection, one, deferred=one)
    refreshed = sorted(
        {member.golden_id for id_, member in members.items() if id_ in seeds and member.golden_id is not None}
    )
    plan = plan_identity(situation, held.groups, mint=lambda: new_golden_id(entity_type.id_prefix), refreshed=refreshed)
    failpoint("cluster.planned")
    return Clustered(plan, around | seeds, tuple(_splits(held)), scene)


def refresh_reviews(
    connection: Connection, entity_type: EntityType, clustered: Clustered, *, weakened: Sequence[Edge], who: str
) -> tuple[ReviewChange, ...]:
    """Open a review for each question that the touched part raises now, and close those whose cause is gone."""
    opened = reviews_store.select_open_reviews(connection, clustered.records)
    questions = several_hits(store.select_questions(connection, clustered.records), clustered.scene)
    if clustered.scene.is_whole:
        look = Look(clustered.scene, entity_type.reviews.guards, weakened, opened)
        guarded = _unanswered(connection, guard_questions(look), opened)
    else:
        guarded = tuple(_kept(opened))
    asked = reviews.Asked((*questions, *clustered.splits, *guarded), opened)
    if reviews.is_settled(asked):
        return ()
    return reviews.settle(connection, entity_type, asked, at=clock.recording_instant(connection), who=who)


def _other_end(edge: Edge, changed: frozenset[RecordId]) -> RecordId:
    return edge.right_id if edge.left_id in changed else edge.left_id


def _joins(edge: Edge) -> bool:
    return edge.verdict == MATCH and not edge.is_vetoed


def _still_joins(before: Edge, now: Mapping[tuple[RecordId, RecordId], Edge]) -> bool:
    edge = now.get((before.left_id, before.right_id))
    return edge is not None and _joins(edge) and edge.bits >= before.bits


def _unanswered(
    connection: Connection, questions: Sequence[Question], opened: Mapping[QuestionKey, OpenReview]
) -> tuple[Question, ...]:
    """Leave out golden records whose size a steward found right, until they are half as large again."""
    new = [one for one in questions if one.kind == "large_cluster" and one.key not in opened]
    answered = {one.key: reviews_store.select_size_answered(connection, one.subject["record_ids"]) for one in new}
    return tuple(
        one for one in questions if one.key not in answered or 2 * one.subject["records"] > 3 * answered[one.key]
    )


def _kept(opened: Mapping[QuestionKey, OpenReview]) -> Iterable[Question]:
    """Ask on what was asked about whole golden records: of a part that is cut off nothing can be said of them."""
    for (kind, left_id, right_id), review in opened.items():
        if kind in GUARDS or kind == "split":
            yield Question(kind, left_id, right_id, review.bits, review.subject)


def _reach(connection: Connection, seeds: frozenset[RecordId], bounds: Bounds) -> frozenset[RecordId]:
    """Follow golden records, joining edges and `same` decisions from the seeds until nothing new is found.

    A part beyond the bound is cut off there, but no golden record is: each is met whole.
    """
    seen: frozenset[RecordId] = frozenset()
    frontier = seeds
    while frontier and len(seen) <= bounds.component_records_max:
        found = store.select_neighbours(connection, frontier)
        frontier = found - seen - seeds
        seen |= found
    return seen | store.select_fellows(connection, frontier) if frontier else seen


def _hold(
    connection: Connection,
    entity_type: EntityType,
    around: frozenset[RecordId],
    bounds: Bounds,
    situation: Situation,
) -> tuple[Partition, Scene]:
    """Apply the law of clusters to the part around the seeds.

    In one that is cut off at the bound every golden record counts as established: what is held stays, but for what
    decisions ask, and new records attach. The worker looks again, further.
    """
    records = sorted(sources_store.select_records(connection, around), key=lambda record: str(record.key))
    is_whole = len(around) <= bounds.component_records_max
    by_golden: dict[GoldenId, set[RecordId]] = {}
    for record in records:
        if record.golden_id is not None:
            by_golden.setdefault(record.golden_id, set()).add(record.id)
    parts = [
        (golden_id, part)
        for golden_id, ids in sorted(by_golden.items())
        if (golden := situation.goldens[golden_id]).state == "active"
        for part, standing in parts_by_wish(
            golden, frozenset(id_ for id_ in ids if situation.members[id_].golden_id == golden_id), situation.wishes
        )
        if standing.is_established or not is_whole
    ]
    present = {record.id for record in records}
    established = [part & present for part in (*rejoined(parts, situation.wishes), *parts_returned(situation).values())]
    signatures = None
    if entity_type.model.vetoes and records:
        signatures = conflict_signatures(_forms(entity_type, records, *_vetoing(entity_type)), entity_type.model)
    touched = Touched(
        ids=tuple(record.id for record in records),
        keys=tuple(str(record.key) for record in records),
        edges=store.select_joining_edges(connection, around) if len(around) > 1 else (),
        constraints=constraints(connection, around) if len(around) > 1 else Constraints((), ()),
        signatures=signatures,
        established=tuple(filter(None, established)),
    )
    if is_whole:
        held = partition(entity_type, touched)
        return held, _scene(held, touched, records)
    held = replace(partition(replace(entity_type, policy="hold", merge_bits=None), touched), proposals=())
    return held, Scene(is_whole=False)


def _scene(held: Partition, touched: Touched, records: Sequence[SourceRecord]) -> Scene:
    members = frozenset().union(*touched.established)
    return Scene(
        groups=held.groups,
        established=frozenset(group for group in held.groups if not members.isdisjoint(group)),
        edges=touched.edges,
        musts=touched.constraints.musts,
        split=tuple(part for proposal, parts in held.proposals if proposal.kind == "split" for part in parts),
        duplicate_free={record.id: record.key.instance for record in records if record.duplicate_free},
    )


def _splits(held: Partition) -> Iterable[Question]:
    for proposal, parts in held.proposals:
        if proposal.kind == "split":
            first, second = (min(part) for part in parts[:2])
            yield Question("split", first, second, 0.0, {"parts": [_listed(part) for part in parts]})


def _listed(part: Group) -> list[str]:
    return sorted(map(str, part))


def _forms(
    entity_type: EntityType, records: Sequence[SourceRecord], model: MatchModel, paths: Sequence[str] | None = None
) -> Forms:
    contexts = [record.context for record in records] if entity_type.within is not None else None
    rows = [match_row(entity_type, record.values, paths=paths) for record in records]
    keys = [str(record.key) for record in records]
    return standardise_columns(
        records_from_rows(keys, [record.key.instance for record in records], rows, contexts), model
    )


@cache
def _vetoing(entity_type: EntityType) -> tuple[MatchModel, tuple[str, ...]]:
    """Reduce a model to the features that vetoes need, and name what they are made of."""
    model = entity_type.model
    needed = {veto.feature for veto in model.vetoes}
    features = tuple(feature for feature in model.features if feature.name in needed)
    return replace(model, features=features, blocking=(), comparisons=(), rules=()), paths_of(features)
