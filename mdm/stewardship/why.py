"""Why two records are one, or why not: one verdict in a sentence, and the evidence that it rests on.

The reasons are tried in the order in which the path would meet them, so that the first that holds is the one that
decided. Where none holds the answer says so as well; there is no unexplained "no".
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from mdm.decisions import store as decisions_store
from mdm.decisions.model import Decision
from mdm.decisions.service import parting
from mdm.entities.model import EntityType
from mdm.errors import GoldenRecordUnknown, InputInvalid, SourceRecordUnknown
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.identity.model import GoldenRecord
from mdm.identity.service import source_key_hint
from mdm.ids import GoldenId, RecordId, ReviewId
from mdm.resolution import store as resolution_store
from mdm.resolution.pairing import (
    PairSeen,
    is_match,
    likest_pair,
    look_at_pair,
    proposed_clusters,
    veto_between,
)
from mdm.resolution.strength import way_between
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey, SourceRecord
from mdm.stewardship import why_words
from mdm.stewardship.why_model import Link, Opposition, Side, Why

Sight = Callable[[str], bool]


def everything(_entity_type: str) -> bool:
    """See records of every entity type: what the command line does."""
    return True


@dataclass(frozen=True, slots=True)
class _Asked:
    """A name as it was resolved: one record, or the members of a golden record to choose one from."""

    name: str
    records: Mapping[RecordId, SourceRecord]
    golden: GoldenRecord | None
    entity_type: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """What a reason looks at."""

    hub: Hub
    connection: Connection
    entity_type: EntityType
    left: SourceRecord
    right: SourceRecord
    seen: PairSeen
    goldens: Mapping[GoldenId, GoldenRecord]
    members: tuple[tuple[RecordId, ...], tuple[RecordId, ...]]
    keys: dict[RecordId, str] = field(default_factory=dict)

    def name(self, record_id: RecordId) -> str:
        """Print the key of a record that any of the reasons names."""
        if record_id not in self.keys:
            self.keys.update({one.id: str(one.key) for one in self.load([record_id])})
        return self.keys[record_id]

    def load(self, record_ids: Collection[RecordId]) -> tuple[SourceRecord, ...]:
        """Load records by id."""
        return sources_store.select_records(self.connection, record_ids)


def why(hub: Hub, connection: Connection, left: str, right: str, *, may_see: Sight = everything) -> Why:
    """Say why two records, each named by its source key or by a golden id, are one or are not.

    For a golden id, the member that speaks loudest for joining is looked at.
    may_see  tells of an entity type whether the asker may know its records; others are as unknown as if they never were
    Raises SourceKeyInvalid,
    SourceRecordUnknown, GoldenRecordUnknown, InputInvalid for a golden record without any record.
    """
    first, second = (_asked(connection, name, may_see) for name in (left, right))
    if first.entity_type != second.entity_type and first.records and second.records:
        ours, theirs = (_side(connection, one, min(one.records)) for one in (first, second))
        return Why("two_entity_types", why_words.two_entity_types(ours, theirs), ours, theirs)
    entity_type = hub.entity_type(first.entity_type)
    pair = _chosen(connection, entity_type, first, second)
    ours, theirs = _side(connection, first, pair[0]), _side(connection, second, pair[1])
    if pair[0] == pair[1]:
        return Why("same_record", f"both names mean the record {ours.source_key}", ours, theirs)
    if ours.state != "active" or theirs.state != "active":
        return Why("not_a_member", why_words.not_a_member(ours, theirs), ours, theirs)
    looked = _look(hub, connection, entity_type, pair)
    model = entity_type.model
    found = _reasoned(looked, ours, theirs)
    return replace(
        found,
        match_bits=model.match_bits,
        review_bits=model.review_bits,
        explanation=looked.seen.explanation,
        rules=looked.seen.meetings.rules,
        blocks=looked.seen.blocks,
        clashes=looked.seen.clashes,
    )


def _asked(connection: Connection, name: str, may_see: Sight) -> _Asked:
    if "/" in name or ":" in name:
        key = SourceKey.parse(name)
        heads = sources_store.select_heads(connection, [key])
        if key not in heads or not may_see(heads[key].entity_type):
            raise SourceRecordUnknown(name, remedy=source_key_hint(connection, key))
        records = sources_store.select_records(connection, [RecordId(heads[key].id)])
        return _Asked(name, {one.id: one for one in records}, None, records[0].entity_type)
    goldens = identity_store.select_goldens(connection, [GoldenId(name)])
    golden = goldens.get(GoldenId(name))
    if golden is None or not may_see(golden.entity_type):
        raise GoldenRecordUnknown(name, remedy="this is neither a key nor a golden id; search with `mdm find`")
    if golden.forward_to is not None:
        golden = identity_store.select_goldens(connection, [golden.forward_to])[golden.forward_to]
    members = sources_store.select_members(connection, [golden.id])
    return _Asked(name, {one.id: one for one in members}, golden, golden.entity_type)


def _chosen(
    connection: Connection, entity_type: EntityType, first: _Asked, second: _Asked
) -> tuple[RecordId, RecordId]:
    """Choose one record of each side: itself, or the member that is likest to the other side."""
    for one in (first, second):
        if not one.records:
            raise InputInvalid(
                f"golden record {one.name} has no members, so there is nothing to compare",
                remedy="name a source key; `mdm story` tells who left it",
            )
    # Where one side lies within the other, a golden record and its own member, the member is compared with the rest.
    lefts, rights = set(first.records), set(second.records)
    if first.golden is not None and rights < lefts:
        lefts -= rights
    elif second.golden is not None and lefts < rights:
        rights -= lefts
    if len(lefts) == len(rights) == 1:
        return min(lefts), min(rights)
    if lefts == rights:
        raise InputInvalid(
            f"{first.name} and {second.name} are one golden record", remedy="name two of its records by their keys"
        )
    found = likest_pair(connection, entity_type, sorted(lefts), sorted(rights))
    assert found is not None, "both sides have records"
    return found


def _side(connection: Connection, asked: _Asked, record_id: RecordId) -> Side:
    (record,) = sources_store.select_records(connection, [record_id])
    golden_id = record.golden_id if record.state == "active" else None
    goldens = identity_store.select_goldens(connection, [golden_id] if golden_id else [])
    is_established = golden_id is not None and goldens[golden_id].is_established
    return Side(asked.name, str(record.key), record.entity_type, record.state, golden_id, is_established)


def _look(hub: Hub, connection: Connection, entity_type: EntityType, pair: tuple[RecordId, RecordId]) -> _Pair:
    by_id = {record.id: record for record in sources_store.select_records(connection, pair)}
    left, right = by_id[pair[0]], by_id[pair[1]]
    assert left.golden_id is not None, "an active record has a golden record"
    assert right.golden_id is not None, "an active record has a golden record"
    fellows = sources_store.select_members(connection, {left.golden_id, right.golden_id})
    members = tuple(
        tuple(sorted(one.id for one in fellows if one.golden_id == golden_id))
        for golden_id in (left.golden_id, right.golden_id)
    )
    return _Pair(
        hub,
        connection,
        entity_type,
        left,
        right,
        look_at_pair(connection, entity_type, left, right, hub.bounds),
        identity_store.select_goldens(connection, {left.golden_id, right.golden_id}),
        (members[0], members[1]),
        {one.id: str(one.key) for one in (*fellows, left, right)},
    )


def _reasoned(pair: _Pair, left: Side, right: Side) -> Why:
    """Find the first reason that holds, in the order of the path."""
    if left.golden_id == right.golden_id:
        return _together(pair, left, right)
    assert left.golden_id is not None, "an active record has a golden record"
    assert right.golden_id is not None, "an active record has a golden record"
    reviews = decisions_store.select_reviews_between(pair.connection, left.golden_id, right.golden_id, limit=1)
    review_id, review_kind = reviews[0] if reviews else (None, None)
    found = _apart(pair, left, right, review_id, review_kind)
    return replace(found, review_id=review_id, review_kind=review_kind)


def _together(pair: _Pair, left: Side, right: Side) -> Why:
    members = pair.members[0]
    edges = resolution_store.select_joining_edges(pair.connection, members)
    active = decisions_store.select_active_decisions(pair.connection, members)
    sames = [one for one in active if one.joins and set(one.pair) <= set(members)]
    steps = way_between(edges, [one.pair for one in sames], pair.left.id, pair.right.id)
    bits_by_pair = {frozenset((one.left_id, one.right_id)): one.bits for one in edges}
    same_by_pair = {frozenset(one.pair): one.id for one in sames}
    way = tuple(
        Link(
            pair.name(one),
            pair.name(other),
            bits_by_pair.get(frozenset((one, other))),
            same_by_pair.get(frozenset((one, other))),
        )
        for one, other in steps
    )
    return Why("same_golden_record", why_words.together(left, right, way), left, right, way=way)


def _apart(pair: _Pair, left: Side, right: Side, review_id: ReviewId | None, review_kind: str | None) -> Why:
    seen = pair.seen
    asks = review_id, review_kind
    chain = parting(pair.connection, [pair.left.id], [pair.right.id])
    if chain:
        told = tuple(map(str, chain))
        return Why("decided_apart", why_words.decided(left, right, _parts(chain), told), left, right, decisions=told)
    if seen.clashes:
        return Why("vetoed", why_words.vetoed(left, right, seen.clashes), left, right)
    if not seen.was_compared:
        if not seen.blocks:
            return Why("not_compared", why_words.not_compared(left, right, seen.meetings, *asks), left, right)
        return Why("block_too_large", why_words.too_large(left, right, seen, *asks), left, right)
    verdict = seen.explanation.verdict
    if verdict == "non_match":
        return Why("below_review_line", why_words.below(left, right, seen, pair.entity_type.model, *asks), left, right)
    if verdict == "possible_match":
        return Why("possible_match", why_words.possible(left, right, seen, pair.entity_type.model, *asks), left, right)
    assert is_match(seen), "there are three verdicts"
    return _matched(pair, left, right, review_id)


def _matched(pair: _Pair, left: Side, right: Side, review_id: ReviewId | None) -> Why:
    """Say what keeps two records apart that match: others of their clusters, establishment, or work that waits."""
    opposition = _opposition(pair, *pair.members)
    if opposition is None:
        clusters = proposed_clusters(pair.connection, pair.entity_type, [pair.left.id, pair.right.id], pair.hub.bounds)
        if clusters is None:
            return Why("deferred", why_words.component_too_large(left, right, pair.hub.bounds), left, right)
        of = [next(cluster for cluster in clusters if record.id in cluster) for record in (pair.left, pair.right)]
        opposition = _opposition(pair, *of) if of[0] != of[1] else None
    if opposition is not None:
        return Why("refused", why_words.refused(left, right, opposition), left, right, opposition=opposition)
    if left.is_established and right.is_established:
        return Why("held", why_words.held(left, right, review_id), left, right)
    if pair.seen.is_deferred:
        return Why("deferred", why_words.deferred(left, right), left, right)
    return Why("pending", why_words.pending(left, right), left, right)


def _opposition(pair: _Pair, lefts: Collection[RecordId], rights: Collection[RecordId]) -> Opposition | None:
    chain = parting(pair.connection, lefts, rights)
    if chain:
        parts = _parts(chain)
        return Opposition(parts.left_key, parts.right_key, decisions=tuple(map(str, chain)))
    veto = veto_between(pair.connection, pair.entity_type, lefts, rights)
    if veto is None:
        return None
    return Opposition(pair.name(veto.left_id), pair.name(veto.right_id), clashes=veto.clashes)


def _parts(chain: Sequence[Decision]) -> Decision:
    """Return the one decision of a chain that parts; the others say who is the same as its two records."""
    return next(one for one in chain if not one.joins)
