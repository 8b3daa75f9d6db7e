"""The path of one record on one screen: ingest, standardise, block, compare, decide, cluster, survive, publish.

Everything happens in the caller's transaction. Matching, planning and survivorship decide; only stores write. Every
change of identity, whoever wants it, is an `IdentityPlan` that `apply` carries out.
"""

from collections.abc import Iterable, Sequence

from mdm.entities.mapping import matches_alike
from mdm.entities.model import EntityType
from mdm.hub import Work
from mdm.identity.model import Cause, IdentityPlan
from mdm.identity.service import carry_out
from mdm.ids import RecordId
from mdm.publishing.model import News
from mdm.publishing.service import publish
from mdm.resolution.followers import followers_of
from mdm.resolution.model import Edge
from mdm.resolution.service import block, cluster, compare, decide, hold, load, refresh_reviews, standardise
from mdm.source_events.model import Noted, SourceFact
from mdm.source_events.service import note, recall
from mdm.sources.model import Accepted, Arrival
from mdm.sources.service import ingest
from mdm.survivorship.service import survive
from mdm.telemetry import stage


def resolve(work: Work, entity_type: EntityType, batch: Sequence[Accepted]) -> tuple[Arrival, ...]:
    """Take a batch of distinct source keys of one entity type along the whole path."""
    with stage("ingest"):
        arrivals = ingest(work.connection, batch, at=work.recording_instant, who=work.who)
        recalled = recall(work.connection, entity_type.name, batch, arrivals, who=work.who)
    changed = [
        (one, arrival) for one, arrival in zip(batch, arrivals, strict=True) if arrival.status in {"created", "updated"}
    ]
    is_told_only = not recalled.record_ids and recalled.event_id is None
    if is_told_only and all(_matches_as_before(entity_type, one, arrival) for one, arrival in changed):
        refresh(work, entity_type, [arrival for _, arrival in changed], cause=Cause("ingest"))
        return arrivals
    ids = {arrival.record_id for _, arrival in changed} | recalled.record_ids
    reevaluate(work, entity_type, ids, cause=Cause("ingest", event_id=recalled.event_id))
    return arrivals


def take_facts(work: Work, entity_type: EntityType, facts: Sequence[SourceFact]) -> tuple[Noted, ...]:
    """Keep what sources did to their own records, each another one, and carry out what follows."""
    noted, settled = note(work.connection, entity_type.name, facts, who=work.who)
    if settled.record_ids:
        reason = str(facts[0]) if len(facts) == 1 else f"{facts[0]}, and {len(facts) - 1} more"
        cause = Cause("source_event", reason, event_id=settled.event_id)
        reevaluate(work, entity_type, settled.record_ids, cause=cause)
    return noted


def refresh(work: Work, entity_type: EntityType, arrivals: Sequence[Arrival], *, cause: Cause) -> None:
    """Work out anew what records say of which nothing changed that matching reads: they stay where they are."""
    golden_ids = hold(work.connection, arrivals, work.locks)
    apply(work, entity_type, IdentityPlan(entity_type.name, refreshed=golden_ids), cause=cause)


def reevaluate(work: Work, entity_type: EntityType, record_ids: Iterable[RecordId], *, cause: Cause) -> None:
    """Match records anew, since they or their parent changed, and carry out what follows."""
    records = load(work.connection, entity_type, record_ids, work.locks)
    if not records:
        return
    with stage("standardise"):
        forms = standardise(entity_type, records)
    with stage("block"):
        blocked = block(work.connection, entity_type, records, forms, work.bounds)
    with stage("compare"):
        edges = compare(work.connection, entity_type, blocked)
    with stage("decide"):
        decided = decide(work.connection, entity_type, records, edges)
    seeds = decided.touched | {record.id for record in records}
    recluster(work, entity_type, seeds, cause=cause, weakened=decided.weakened)


def recluster(
    work: Work, entity_type: EntityType, seeds: Iterable[RecordId], *, cause: Cause, weakened: Sequence[Edge] = ()
) -> None:
    """Bring the part of the graph around the seeds to what the law of clusters asks, after new edges or decisions."""
    with stage("cluster"):
        clustered = cluster(work.connection, entity_type, seeds, work.locks, work.bounds, work.wishes)
    apply(work, entity_type, clustered.plan, cause=cause)
    changes = refresh_reviews(work.connection, entity_type, clustered, weakened=weakened, who=work.who)
    work.tell_reviews(changes)


def apply(work: Work, entity_type: EntityType, plan: IdentityPlan, *, cause: Cause) -> None:
    """Carry out a plan: identity, then values, then messages; then the same for all that points at what moved."""
    if not plan.touched and cause.event_id is None:
        return
    at = work.recording_instant(work.connection)
    event_id = carry_out(work.connection, plan, cause=cause, at=at, who=work.who)
    work.note(plan)
    with stage("survive"):
        versions = survive(work.connection, entity_type, plan.touched, event_id=event_id, at=at, who=work.who)
    work.written.extend(versions)
    with stage("publish"):
        queued = publish(work.connection, News(plan, versions, work.regrouped), event_id=event_id, at=at, who=work.who)
    work.queued.update(queued)
    for follower in followers_of(work.connection, work.declared, plan, work.locks):
        if follower.is_matched_within:
            reevaluate(work, follower.entity_type, follower.record_ids, cause=cause.following(event_id))
        else:
            apply(work, follower.entity_type, follower.refreshing, cause=cause.following(event_id))


def _matches_as_before(entity_type: EntityType, one: Accepted, arrival: Arrival) -> bool:
    return arrival.before is not None and matches_alike(entity_type, arrival.before, one.values)
