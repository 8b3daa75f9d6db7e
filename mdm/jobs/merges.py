"""Deliveries that say that their record was merged into another one inside its source: facts, not new versions."""

from collections.abc import Mapping, Sequence
from typing import Final

from mdm.hub import Work
from mdm.identity import crosswalk_store
from mdm.ids import GoldenId
from mdm.jobs.model import Identity, Outcome
from mdm.pipeline import take_facts
from mdm.source_events.model import SourceFact
from mdm.source_events.model import Status as FactStatus
from mdm.source_events.service import judge
from mdm.sources import store as sources_store
from mdm.sources.model import Delivery, Status
from mdm.sources.service import instances

_STATUS: Final[Mapping[FactStatus, Status]] = {
    "recorded": "updated",
    "waiting": "updated",
    "overtaken": "stale",
    "unchanged": "unchanged",
    "rejected": "rejected",
}


def take_merges(work: Work, merged: Sequence[tuple[int, Delivery]]) -> dict[int, Outcome]:
    """Keep the merges of records of one entity type, and say where the keys that were given up lead now."""
    if not merged:
        return {}
    facts = {index: _fact(delivery) for index, delivery in merged}
    keys = sorted({key for fact in facts.values() for key in (fact.key, fact.other) if key is not None})
    heads = sources_store.select_heads(work.connection, keys)
    known = frozenset(one.id for one in instances(work.connection))
    types = {key: head.entity_type for key, head in heads.items()}
    judged = {index: judge(fact, types=types, known_instances=known) for index, fact in facts.items()}
    before = crosswalk_store.select_golden_ids(work.connection, keys, as_of=None)
    taken = [index for index, found in judged.items() if isinstance(found, str)]
    noted = take_facts(work, work.declared[merged[0][1].entity_type], [facts[index] for index in taken])
    after = crosswalk_store.select_golden_ids(work.connection, keys, as_of=None)
    status = {index: _STATUS[one.status] for index, one in zip(taken, noted, strict=True)}
    outcomes = {}
    for index, delivery in merged:
        reasons, key = judged[index], delivery.key
        golden_id = after[key][0] if key in after else None
        identity = _identity(before[key][0] if key in before else None, golden_id)
        outcomes[index] = (
            Outcome(key, status[index], golden_id, identity)
            if isinstance(reasons, str)
            else Outcome(key, "rejected", None, "none", errors=reasons)
        )
    return outcomes


def _fact(delivery: Delivery) -> SourceFact:
    return SourceFact(
        "merged",
        delivery.key.instance,
        delivery.key,
        delivery.merged_into,
        delivery.entity_type,
        delivery.source_time,
        delivery.reason,
    )


def _identity(before: GoldenId | None, after: GoldenId | None) -> Identity:
    if after is None:
        return "none"
    return "attached" if before is None else "kept" if before == after else "moved"
