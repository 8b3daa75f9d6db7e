"""Search before create: which golden records a description may mean, and why. Nothing is written.

The path of an arriving record up to its verdicts, on one record that is not stored: the same mapping, compare forms,
blocking keys, comparisons and rules, so that what is found here is what storing the record would join or ask about.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from sqlalchemy import Connection

from matching.explain import Explanation, explain, explain_many
from matching.keys import blocking_keys
from matching.model import NON_MATCH
from matching.online import Judgement, conflict_signatures, conflicting, judge
from mdm.entities.mapping import map_record
from mdm.entities.model import EntityType
from mdm.errors import InputInvalid
from mdm.identity import store as identity_store
from mdm.ids import GoldenId, RecordId
from mdm.resolution import store
from mdm.resolution.model import Bounds, Candidate, Search, Sought
from mdm.resolution.service import standardise
from mdm.sources import references_store
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey, SourceRecord
from mdm.sources.service import instances, references_of

CANDIDATES_MAX: Final = 1_000
"""Records that one search compares (chosen: 20 ms of comparing); those that share the most keys come first."""


def search(
    connection: Connection,
    entity_type: EntityType,
    sought: Sought,
    *,
    bounds: Bounds,
    sources: frozenset[str] | None = None,
    limit: int = 10,
) -> Search:
    """Find the golden records that a description may mean, best first: joinable before vetoed, then by bits.

    sources  source instances whose records may be compared and named; None means all
    Raises InputInvalid when no field says anything that the entity type knows.
    """
    mapped = map_record(entity_type, sought.fields, origin=sought.origin)
    if not mapped.values:
        raise InputInvalid(
            f"no field says anything about a {entity_type.name}",
            remedy=f"send some of {', '.join(list(entity_type.attributes)[:8])}",
            field="fields",
        )
    asked = SourceRecord(
        id=RecordId(""),
        key=SourceKey(sought.origin.instance, "", "", ""),
        entity_type=entity_type.name,
        state="active",
        version=0,
        source_time=None,
        golden_id=None,
        values=mapped.values,
        source_rank=0,
    )
    asked = replace(asked, context=_context(connection, entity_type, asked))
    keys = blocking_keys(standardise(entity_type, [asked]), entity_type.model).keys.tolist()
    ids, is_cut = store.select_sharing(
        connection,
        entity_type.name,
        keys,
        sources=sources,
        size_max=bounds.block_size_emergency,
        limit=CANDIDATES_MAX,
    )
    records = [record for record in sources_store.select_records(connection, ids) if record.golden_id is not None]
    return Search(_candidates(entity_type, asked, records, limit), mapped.faults, tuple(mapped.undeclared), not is_cut)


def explain_pair(
    connection: Connection, entity_type: EntityType, left: SourceKey, right: SourceKey
) -> Explanation | None:
    """Compare two stored records as they are now, step by step; None when one of them is gone."""
    heads = sources_store.select_heads(connection, [left, right])
    records = sources_store.select_records(connection, [RecordId(head.id) for head in heads.values()])
    active = {record.key: record for record in records if record.state == "active"}
    if left not in active or right not in active:
        return None
    return explain(standardise(entity_type, [active[left], active[right]]), 0, 1, entity_type.model)


def explain_pairs(
    entity_type: EntityType, records: Sequence[SourceRecord], pairs: Sequence[tuple[RecordId, RecordId]]
) -> tuple[Explanation | None, ...]:
    """Compare pairs among loaded records, in their order; None where one of the two is not active."""
    active = [record for record in records if record.state == "active"]
    forms = standardise(entity_type, active)
    place = {record.id: position for position, record in enumerate(active)}
    there = [(place[left], place[right]) for left, right in pairs if left in place and right in place]
    lefts, rights = [left for left, _ in there], [right for _, right in there]
    explained = iter(explain_many(forms, lefts, rights, entity_type.model))
    return tuple(next(explained) if left in place and right in place else None for left, right in pairs)


def _candidates(
    entity_type: EntityType, asked: SourceRecord, records: Sequence[SourceRecord], limit: int
) -> tuple[Candidate, ...]:
    """Keep of each golden record the member that agrees best, if it may match at all; the likeliest first, explained.

    The compare forms of all are made once: they take most of a search.
    """
    if not records:
        return ()
    forms = standardise(entity_type, [asked, *records])
    left, right = np.zeros(len(records), np.int32), np.arange(1, len(records) + 1, dtype=np.int32)
    judged = judge(forms, left, right, entity_type.model)
    vetoed = conflicting(conflict_signatures(forms, entity_type.model), left, right)
    columns = zip(vetoed.tolist(), judged.verdicts.tolist(), judged.bits.tolist(), records, strict=True)
    ranked = sorted(
        (veto, -verdict, -bits, str(record.key), place)
        for place, (veto, verdict, bits, record) in enumerate(columns)
        if verdict != NON_MATCH
    )
    best: dict[GoldenId, int] = {}
    for *_, place in ranked:
        if (golden_id := records[place].golden_id) is not None:
            best.setdefault(golden_id, place)
    chosen = list(best.items())[:limit]
    places = np.array([place for _, place in chosen], dtype=np.int64)
    known = Judgement(judged.vectors[places], judged.bits[places], judged.verdicts[places])
    explained = explain_many(forms, [0] * len(chosen), (places + 1).tolist(), entity_type.model, known)
    return tuple(
        Candidate(golden_id, records[place].key, told)
        for (golden_id, place), told in zip(chosen, explained, strict=True)
    )


def _context(connection: Connection, entity_type: EntityType, asked: SourceRecord) -> str:
    """Find the golden parent that a description names by golden id, printed source key or native id; "" if unknown."""
    named = asked.values.get(entity_type.within or "")
    if not named:
        return ""
    first = named[0] if isinstance(named, list) else named
    golden = identity_store.select_goldens(connection, [GoldenId(first)]).get(GoldenId(first))
    if golden is not None:
        return golden.forward_to or golden.id
    known = frozenset(one.id for one in instances(connection))
    references = references_of(entity_type, asked.key, asked.values, known)
    within = next(reference for reference in references if reference.attribute == entity_type.within)
    return references_store.select_referenced(connection, within) or ""
