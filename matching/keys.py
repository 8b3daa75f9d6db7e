"""Blocking keys: what a record must share with another to be compared with it.

A blocking key is a hash of a rule, the context and the parts of one record. It depends on its record and the model
alone, so records find each other the same way one by one, in batches and in bulk. A key that the population found too
common (a stop key) is replaced by finer ones: itself joined with the parts that other rules take from the record and
that do not pair records by themselves. A finer key that is still too common is left out.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.distinct import distinct_in_order
from matching.key_parts import Keys, Part, Parts, Run, parts_of, text_hash
from matching.model import BlockingRule, MatchModel
from matching.records import Forms
from matching.term_frequency import informative
from matching.texts import mix

_ENDS: Final = (1 << 20) - 1
"""The last bits of a key by which most are told from stop keys (chosen: a megabyte)."""

_NONE: Final[Keys] = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class BlockingKeys:
    """Hold distinct (record, key), records ascending: records int32, rules int16 (place in the model), keys int64."""

    records: NDArray[np.int32]
    rules: NDArray[np.int16]
    keys: NDArray[np.int64]


def blocking_keys(forms: Forms, model: MatchModel) -> BlockingKeys:
    """Return the blocking keys of every record: the same hashes on every machine, fit for a PostgreSQL bigint."""
    return _together(keys_by_rule(forms, model), len(forms.keys))


def keys_by_rule(forms: Forms, model: MatchModel, threads: int = 1) -> list[Keys]:
    """Return the keys of each rule apart, as `blocking_keys` does: (record, key) rows, records ascending."""
    stops = stops_of(model.population.stop_keys)
    with running(threads) as run:
        parts = parts_of(informative(forms, model.population), model, run)
        whole = _whole(parts, model, run)
        if len(stops) == 0:
            return whole
        split = _split(parts, model, whole, stops, run)
        return list(run(lambda keyed: _together_again(keyed, stops), split))


def learn_stop_keys(forms: Forms, model: MatchModel) -> frozenset[int]:
    """Find the keys whose block is too large, then the finer keys put in their place that are too large again."""
    return learn_blocking(forms, model)[0]


def learn_blocking(forms: Forms, model: MatchModel, threads: int = 1) -> tuple[frozenset[int], list[Keys]]:
    """Find the stop keys as `learn_stop_keys` does, and give the keys of each rule that are left."""
    with running(threads) as run:
        parts = parts_of(informative(forms, model.population), model, run)
        whole = _whole(parts, model, run)
        stops = _all_too_large(whole, model, run)
        split = _split(parts, model, whole, stops, run)
        finer_stops = _all_too_large([keyed.finer for keyed in split], model, run)
        by_rule = list(run(lambda keyed: _together_again(keyed, finer_stops), split))
    return frozenset(np.union1d(stops, finer_stops).view(np.int64).tolist()), by_rule


@lru_cache(maxsize=8)  # a population of millions has a hundred thousand: sorting them would take most of a look-up
def stops_of(stop_keys: frozenset[int]) -> NDArray[np.uint64]:
    """Return stop keys as hashes in order."""
    stops = np.sort(np.fromiter(stop_keys, dtype=np.int64, count=len(stop_keys)).view(np.uint64))
    stops.flags.writeable = False
    return stops


@contextmanager
def running(threads: int) -> Iterator[Run]:
    """Give a `map` that runs in threads: numpy and the compiled loops let go of the interpreter's lock."""
    if threads <= 1:
        yield map
        return
    with ThreadPoolExecutor(threads) as pool:
        yield pool.map


def _all_too_large(by_rule: Sequence[Keys], model: MatchModel, run: Run) -> NDArray[np.uint64]:
    """Find the keys of all rules whose block is too large, in order: uint64 [keys]."""

    def large(rule: BlockingRule, keys: Keys) -> NDArray[np.uint64]:
        return _too_large(keys[1], rule.size_max or model.block_size_max)

    found = run(large, model.blocking, by_rule)
    return distinct_in_order(np.concatenate([np.empty(0, dtype=np.uint64), *found]))


def _too_large(keys: NDArray[np.uint64], size_max: int) -> NDArray[np.uint64]:
    ordered = np.sort(keys)
    begins = starts(ordered)
    return ordered[begins[np.diff(np.append(begins, len(ordered))) > size_max]]


def starts(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return where each run of equal keys begins."""
    if len(keys) == 0:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))


def _together(by_rule: Sequence[Keys], records_count: int) -> BlockingKeys:
    records = np.concatenate([np.empty(0, np.int32), *(rows for rows, _ in by_rule)])
    rules = np.repeat(np.arange(len(by_rule), dtype=np.int16), [len(rows) for rows, _ in by_rule])
    keys = np.concatenate([np.empty(0, np.uint64), *(hashed for _, hashed in by_rule)])
    order = np.argsort(records, kind="stable") if records_count > 1 else np.arange(len(records))
    return BlockingKeys(records[order], rules[order], keys[order].view(np.int64))


def _rule_keys(rule: BlockingRule, parts: Parts, entity_type: str) -> Keys:
    """Combine the parts of one rule, and the context, to a key for each combination a record has."""
    label = "\x1f".join((entity_type, *(f"{part.feature} {part.transform}" for part in rule.parts)))
    records, keys = parts.by_part[rule.parts[0]].rows()
    keys = mix(keys, np.uint64(text_hash(label)))
    for part in rule.parts[1:]:
        records, keys = parts.by_part[part].join(records, keys)
    if parts.contexts is not None:
        known = parts.contexts[records] != 0
        records, keys = records[known], mix(keys[known], parts.contexts[records[known]])
    return records, keys


@dataclass(frozen=True, slots=True, eq=False)
class _Keyed:
    """Hold the keys of one rule: those that stay, and the finer ones put in the place of stop keys."""

    kept: Keys
    finer: Keys


def _whole(parts: Parts, model: MatchModel, run: Run) -> list[Keys]:
    """Return the keys of each rule as declared, stop keys among them."""
    return list(run(lambda rule: _rule_keys(rule, parts, model.entity_type), model.blocking))


def _split(parts: Parts, model: MatchModel, whole: Sequence[Keys], stops: NDArray[np.uint64], run: Run) -> list[_Keyed]:
    """Replace the stop keys of each rule by finer ones."""
    stopped = list(run(lambda found: _is_in(found[1], stops), whole))
    if not any(is_stop.any() for is_stop in stopped):
        return [_Keyed(found, _NONE) for found in whole]
    refining = dict(parts.by_part)
    for rule, is_stop in zip(model.blocking, stopped, strict=True):
        if len(rule.parts) == 1:
            refining[rule.parts[0]] = _only(parts.by_part[rule.parts[0]], is_stop, parts.contexts)

    def finer(rule: BlockingRule, found: Keys, is_stop: NDArray[np.bool_]) -> _Keyed:
        if not is_stop.any():
            return _Keyed(found, _NONE)
        return _finer(found, is_stop, [part for name, part in refining.items() if name not in rule.parts])

    return list(run(finer, model.blocking, whole, stopped))


def _only(part: Part, is_stop: NDArray[np.bool_], contexts: NDArray[np.uint64] | None) -> Part:
    """Keep the hashes of a part whose own rule finds them too common; others pair their records by themselves."""
    owners, hashes = part.rows()
    kept = np.ones(len(hashes), dtype=bool) if contexts is None else contexts[owners] != 0
    kept[kept] = is_stop
    counts = np.bincount(owners[kept], minlength=len(part.offsets) - 1)
    return Part(np.concatenate(([0], np.cumsum(counts))), hashes[kept])


def _finer(found: Keys, is_stop: NDArray[np.bool_], refining: Sequence[Part]) -> _Keyed:
    """Put finer keys in the place of the stop keys of one rule."""
    finer = [part.join(found[0][is_stop], found[1][is_stop]) for part in refining]
    return _Keyed(
        (found[0][~is_stop], found[1][~is_stop]),
        (
            np.concatenate([_NONE[0], *(rows for rows, _ in finer)]),
            np.concatenate([_NONE[1], *(hashed for _, hashed in finer)]),
        ),
    )


def _together_again(keyed: _Keyed, stops: NDArray[np.uint64]) -> Keys:
    """Bring the keys of one rule together, but for finer ones that are stop keys again; records ascending."""
    rows, keys = keyed.finer
    if len(keys) == 0:
        return keyed.kept
    is_kept = ~_is_in(keys, stops)
    records = np.concatenate([keyed.kept[0], rows[is_kept]])
    order = np.argsort(records, kind="stable")
    return records[order], np.concatenate([keyed.kept[1], keys[is_kept]])[order]


def _is_in(keys: NDArray[np.uint64], stops: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell which keys are stop keys, given in order: bool [keys]."""
    if len(stops) == 0:
        return np.zeros(len(keys), dtype=bool)
    asked = np.arange(len(keys))
    if len(keys) > len(stops):
        is_end = np.zeros(_ENDS + 1, dtype=bool)  # few keys end as a stop key does: the others need no search
        is_end[stops & np.uint64(_ENDS)] = True
        asked = np.flatnonzero(is_end[keys & np.uint64(_ENDS)])
    found = np.zeros(len(keys), dtype=bool)
    found[asked] = stops[np.minimum(np.searchsorted(stops, keys[asked]), len(stops) - 1)] == keys[asked]
    return found
