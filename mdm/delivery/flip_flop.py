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
    """One version of a golden record: what it shows, and by which record, a key `instance/object:id`, each is won."""

    version: int
    recorded_at: datetime
    values: Mapping[str, Any]
    record_ids: Mapping[str, str]
    record_keys: Mapping[str, str]


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
    for one in versions:
        value = orjson.dumps(one.values.get(name), option=orjson.OPT_SORT_KEYS)
        if not turns or turns[-1][0] != value:
            turns.append((value, one.record_ids.get(name, ""), one.record_keys.get(name, "")))
    returns = sum(1 for place, turn in enumerate(turns) if turn[0] in {earlier[0] for earlier in turns[:place]})
    winners = {record_id: key.partition("/")[0] for _, record_id, key in turns if record_id}
    if returns == 0 or len(set(winners.values())) < 2:
        return None
    last = turns[-1][1] or next(iter(winners))
    other = next(id_ for id_ in reversed(winners) if winners[id_] != winners[last])
    return Quarrel(golden_id, name, returns, (RecordId(last), RecordId(other)))
