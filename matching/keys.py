"""Blocking keys: what a record must share with another to be compared with it.

A blocking key is a hash of a rule, the context and the parts of one record. It depends on its record and the model
alone, so records find each other the same way one by one, in batches and in bulk. A key that the population found too
common (a stop key) is replaced by finer ones: itself joined with the parts that other rules take from the record and
that do not pair records by themselves. A finer key that is still too common is left out.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.distinct import distinct_in_order
from matching.model import BlockingRule, KeyPart, MatchModel
from matching.records import Column, Forms
from matching.term_frequency import informative, token_rarity
from matching.texts import mix
from matching.transforms import TRANSFORMS, Values

KEYS_PER_PART_MAX: Final = 16
"""Key texts one record may give to one part: bounds lists and long names (chosen)."""

_ENDS: Final = (1 << 20) - 1
"""The last bits of a key by which most are told from stop keys (chosen: a megabyte)."""

Keys: TypeAlias = tuple[NDArray[np.int32], NDArray[np.uint64]]
"""(record, key) rows, records ascending: int32 and uint64."""

Run: TypeAlias = Callable[..., Iterator[Any]]
"""A `map`: here, or in threads."""


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
        parts = _parts(informative(forms, model.population), model, run)
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
        parts = _parts(informative(forms, model.population), model, run)
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


def part_hashes(part: KeyPart, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Tell the texts of one part from equal ones of another: the hashes that keys are made of."""
    return mix(hashes, np.uint64(text_hash(f"{part.feature}\x1f{part.transform}")))


def text_hash(text: str) -> int:
    """Hash a text to 64 bits, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


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


def within(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count from 0 in each of the groups that lie end to end."""
    ends: NDArray[np.int64] = np.cumsum(counts, dtype=np.int64)
    before: NDArray[np.int64] = np.repeat(ends - counts, counts)
    return np.arange(len(before), dtype=np.int64) - before


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


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Hold the hashes of one key part: record i has hashes[offsets[i] : offsets[i + 1]], distinct."""

    offsets: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    def join(self, records: NDArray[np.int32], keys: NDArray[np.uint64]) -> Keys:
        """Combine each key with every hash of the same record."""
        starts = self.offsets[records]
        counts = self.offsets[records + 1] - starts
        if counts.max(initial=0) <= 1:
            has_one = counts > 0
            return records[has_one], mix(keys[has_one], self.hashes[starts[has_one]])
        places = np.repeat(starts, counts) + within(counts)
        return np.repeat(records, counts), mix(np.repeat(keys, counts), self.hashes[places])

    def rows(self) -> Keys:
        """Return (record, hash) rows."""
        return np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets)), self.hashes


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Hold the hashes of every key part in the model's rules, and of the contexts (None = there are none)."""

    by_part: Mapping[KeyPart, _Part]
    contexts: NDArray[np.uint64] | None


def _parts(forms: Forms, model: MatchModel, run: Run) -> _Parts:
    asked = dict.fromkeys(part for rule in model.blocking for part in rule.parts)

    def of_feature(feature: str) -> dict[KeyPart, _Part]:
        column = forms.features[feature]
        used = np.flatnonzero(np.bincount(column.codes, minlength=len(column.values)))
        local = np.zeros(len(column.values), dtype=np.int64)
        local[used] = np.arange(len(used))
        values = Values([column.values[code] for code in used.tolist()], token_rarity(model.population, feature))
        local = local[column.codes]
        return {part: _part(column, local, values, part) for part in asked if part.feature == feature}

    by_part: dict[KeyPart, _Part] = {}
    for found in run(of_feature, dict.fromkeys(part.feature for part in asked)):
        by_part |= found
    return _Parts(by_part, _context_hashes(forms))


def _part(column: Column, local: NDArray[np.int64], values: Values, part: KeyPart) -> _Part:
    """Hash the key texts of one part: once a distinct value, then spread to the records that hold it."""
    name, _, size = part.transform.partition(":")
    value_of, hashes = TRANSFORMS[name].hashes(values, int(size or 0))
    hashes = part_hashes(part, hashes)
    counts = np.bincount(value_of, minlength=len(values.texts))
    starts = np.cumsum(counts) - counts
    held = counts[local]
    records = np.repeat(column.owners, held)
    spread = hashes[np.repeat(starts[local], held) + within(held)]
    records, spread = _bounded(records, spread, column.counts > 1, KEYS_PER_PART_MAX)
    offsets = np.zeros(len(column) + 1, dtype=np.int64)
    np.cumsum(np.bincount(records, minlength=len(column)), out=offsets[1:])
    return _Part(offsets, spread)


def _bounded(
    records: NDArray[np.int32], hashes: NDArray[np.uint64], has_several: NDArray[np.bool_], limit: int
) -> Keys:
    """Keep the smallest distinct hashes of each record: no order of values can change which.

    has_several  bool [records], whether a record has several values: the hashes of one are distinct already
    """
    is_asked = has_several | (np.bincount(records, minlength=len(has_several)) > limit)
    asked = np.flatnonzero(is_asked[records])
    if len(asked) == 0:
        return records, hashes
    order = asked[np.lexsort((hashes[asked], records[asked]))]
    owners, sorted_hashes = records[order], hashes[order]
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (owners[1:] != owners[:-1]) | (sorted_hashes[1:] != sorted_hashes[:-1])
    order, owners = order[is_new], owners[is_new]
    kept = np.arange(len(owners)) - np.searchsorted(owners, owners, side="left") < limit
    is_kept = np.ones(len(records), dtype=bool)
    is_kept[asked] = False
    is_kept[order[kept]] = True
    return records[is_kept], hashes[is_kept]


def _context_hashes(forms: Forms) -> NDArray[np.uint64] | None:
    """Hash each record's context; 0 stands for the unknown one, which pairs with nobody."""
    if forms.contexts is None:
        return None
    return np.fromiter(
        (text_hash(text) | 1 if text else 0 for text in forms.contexts), dtype=np.uint64, count=len(forms.contexts)
    )


def _rule_keys(rule: BlockingRule, parts: _Parts, entity_type: str) -> Keys:
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


def _whole(parts: _Parts, model: MatchModel, run: Run) -> list[Keys]:
    """Return the keys of each rule as declared, stop keys among them."""
    return list(run(lambda rule: _rule_keys(rule, parts, model.entity_type), model.blocking))


def _split(
    parts: _Parts, model: MatchModel, whole: Sequence[Keys], stops: NDArray[np.uint64], run: Run
) -> list[_Keyed]:
    """Replace the stop keys of each rule by finer ones."""
    stopped = list(run(lambda found: _is_in(found[1], stops), whole))
    refining = dict(parts.by_part)
    for rule, is_stop in zip(model.blocking, stopped, strict=True):
        if len(rule.parts) == 1:
            refining[rule.parts[0]] = _only(parts.by_part[rule.parts[0]], is_stop, parts.contexts)

    def finer(rule: BlockingRule, found: Keys, is_stop: NDArray[np.bool_]) -> _Keyed:
        return _finer(found, is_stop, [part for name, part in refining.items() if name not in rule.parts])

    return list(run(finer, model.blocking, whole, stopped))


def _only(part: _Part, is_stop: NDArray[np.bool_], contexts: NDArray[np.uint64] | None) -> _Part:
    """Keep the hashes of a part whose own rule finds them too common; others pair their records by themselves."""
    owners, hashes = part.rows()
    kept = np.ones(len(hashes), dtype=bool) if contexts is None else contexts[owners] != 0
    kept[kept] = is_stop
    counts = np.bincount(owners[kept], minlength=len(part.offsets) - 1)
    return _Part(np.concatenate(([0], np.cumsum(counts))), hashes[kept])


def _finer(found: Keys, is_stop: NDArray[np.bool_], refining: Sequence[_Part]) -> _Keyed:
    """Put finer keys in the place of the stop keys of one rule."""
    none = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.uint64)
    if not is_stop.any():
        return _Keyed(found, none)
    finer = [part.join(found[0][is_stop], found[1][is_stop]) for part in refining]
    return _Keyed(
        (found[0][~is_stop], found[1][~is_stop]),
        (
            np.concatenate([none[0], *(rows for rows, _ in finer)]),
            np.concatenate([none[1], *(hashed for _, hashed in finer)]),
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
