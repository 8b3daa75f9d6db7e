"""Values that systems keep replacing for each other: found in the versions of a golden record. Pure.

A value that comes back after another one stood in its place is a return. So many returns within a window, by records of
two systems or more, are no change any more but a quarrel: A, B, A, B, A are three.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from mdm.ids import GoldenId, RecordId


@dataclass(frozen=True, slots=True)
class Seen:
    """One version of a golden record: what it shows, and by which record, a key `instance/object:id`, each is won.

    is_news  made by what a source said; a merge that is taken back makes values come back too, and is no quarrel
    """

    version: int
    recorded_at: datetime
    values: Mapping[str, Any]
    record_ids: Mapping[str, str]
    record_keys: Mapping[str, str]
    is_news: bool = True


@dataclass(frozen=True, slots=True)
class Quarrel:
    """An attribute over which two records quarrel, the one that won last first."""

    golden_id: GoldenId
    attribute: str
    returns: int
    record_ids: tuple[RecordId, RecordId]


def quarrels(
    golden_id: GoldenId, versions: Sequence[Seen], *, returns_min: int, settled: Mapping[str, datetime]
) -> tuple[Quarrel, ...]:
    """Find the attributes of a golden record whose values came back so often; versions in their order.

    settled  by attribute, since when an earlier quarrel is settled: what was before counts no more
    """
    names = sorted({name for one in versions for name in one.values})
    found = (
        _quarrel(golden_id, name, [one for one in versions if name not in settled or one.recorded_at > settled[name]])
        for name in names
    )
    return tuple(one for one in found if one is not None and one.returns >= returns_min)


def _quarrel(golden_id: GoldenId, name: str, versions: Sequence[Seen]) -> Quarrel | None:
    turns: list[tuple[bytes, str, str]] = []
    returns = 0
    for one in versions:
        value = orjson.dumps(one.values.get(name), option=orjson.OPT_SORT_KEYS)
        if not turns or turns[-1][0] != value:
            returns += one.is_news and value in {earlier[0] for earlier in turns}
            turns.append((value, one.record_ids.get(name, ""), one.record_keys.get(name, "")))
    winners = {record_id: key.partition("/")[0] for _, record_id, key in turns if record_id}
    if returns == 0 or len(set(winners.values())) < 2:
        return None
    # Those who won last: who won earlier may be no member any more.
    by_turn = [record_id for _, record_id, _ in reversed(turns) if record_id]
    last = by_turn[0]
    other = next(id_ for id_ in by_turn if winners[id_] != winners[last])
    return Quarrel(golden_id, name, returns, (RecordId(last), RecordId(other)))
