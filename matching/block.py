"""Blocking: which pairs of records are worth comparing.

A blocking key is a hash of a rule, the context and the parts of one record; records that share a key form a block and
its pairs are candidates. A key depends on its record and the model alone, so records find each other the same way one
by one, in batches and in bulk. A key that the population found too common (a stop key) is replaced by finer ones:
itself joined with the parts that other rules take from the record and that do not pair records by themselves. A finer
key that is still too common is left out.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.model import BlockingRule, KeyPart, MatchModel
from matching.records import Column, Forms
from matching.term_frequency import informative, token_rarity
from matching.texts import mix
from matching.transforms import TRANSFORMS, Values

KEYS_PER_PART_MAX: Final = 16
"""Key texts one record may give to one part: bounds lists and long names (chosen)."""

BLOCK_SIZE_EMERGENCY: Final = 20
"""How many times block_size_max a block outside the stop keys may grow before it is left out and reported (chosen)."""

PAIRS_AT_ONCE: Final = 2_000_000
"""Pairs expanded at a time, one that several rules find counted for each: bounds memory at any size (chosen)."""

Keys: TypeAlias = tuple[NDArray[np.int32], NDArray[np.uint64]]
"""(record, key) rows, records ascending: int32 and uint64."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockingKeys:
    """Hold distinct (record, key), records ascending: records int32, rules int16 (place in the model), keys int64."""

    records: NDArray[np.int32]
    rules: NDArray[np.int16]
    keys: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OversizeBlock:
    """Report a block that is larger than the model wants; `is_left_out` when it gave no pairs."""

    rule: str
    key: int
    size: int
    is_left_out: bool


@dataclass(frozen=True, slots=True, eq=False)
class CandidatePairs:
    """Hold distinct pairs in order, left < right: int32 [pairs] each, and the blocks that were too large."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    oversize: tuple[OversizeBlock, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Hold the blocks of one rule end to end.

    records    int32 [keys held], by block, ascending within one
    following  int32 [keys held], how many members of the block stand after each
    """

    records: NDArray[np.int32]
    following: NDArray[np.int32]
    oversize: tuple[OversizeBlock, ...]


def blocking_keys(forms: Forms, model: MatchModel) -> BlockingKeys:
    """Return the blocking keys of every record: the same hashes on every machine, fit for a PostgreSQL bigint."""
    return _together(keys_by_rule(forms, model), len(forms.keys))


def keys_by_rule(forms: Forms, model: MatchModel) -> list[Keys]:
    """Return the keys of each rule apart, as `blocking_keys` does: (record, key) rows, records ascending."""
    parts = _parts(informative(forms, model.population), model)
    return _split(parts, model, stops_of(model.population.stop_keys))


def learn_stop_keys(forms: Forms, model: MatchModel) -> frozenset[int]:
    """Find the keys whose block is too large, then the finer keys put in their place that are too large again."""
    return learn_blocking(forms, model)[0]


def learn_blocking(forms: Forms, model: MatchModel) -> tuple[frozenset[int], list[Keys]]:
    """Find the stop keys as `learn_stop_keys` does, and give the keys of each rule that are left."""
    parts = _parts(informative(forms, model.population), model)
    stops = np.empty(0, dtype=np.uint64)
    for _ in range(2):
        split = zip(model.blocking, _split(parts, model, stops), strict=True)
        large = [_too_large(keys, rule.size_max or model.block_size_max) for rule, (_, keys) in split]
        stops = np.union1d(stops, np.concatenate([np.empty(0, dtype=np.uint64), *large]))
    return frozenset(stops.view(np.int64).tolist()), _split(parts, model, stops)


def candidate_pairs(blocking_keys: BlockingKeys, model: MatchModel) -> CandidatePairs:
    """Return all pairs of records that share a key, each once, sorted."""
    by_rule = [
        (blocking_keys.records[of], blocking_keys.keys[of].view(np.uint64))
        for of in (blocking_keys.rules == place for place in range(len(model.blocking)))
    ]
    blocks = blocks_of(by_rule, model)
    batches = list(candidate_batches(blocks))
    none = np.empty(0, dtype=np.int32)
    return CandidatePairs(
        np.concatenate([none, *(left for left, _ in batches)]),
        np.concatenate([none, *(right for _, right in batches)]),
        tuple(block for of in blocks for block in of.oversize),
    )


def blocks_of(by_rule: Sequence[Keys], model: MatchModel) -> list[Blocks]:
    """Lay the records of each rule block by block; blocks of one record and those beyond all bounds are left out."""
    return [
        _blocks(records, keys, rule.name, rule.size_max or model.block_size_max)
        for rule, (records, keys) in zip(model.blocking, by_rule, strict=True)
    ]


def candidate_batches(
    blocks: Sequence[Blocks], pairs_max: int = PAIRS_AT_ONCE
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Yield the distinct pairs of all blocks in order, (left, right) with left < right, not many at a time."""
    size = max((int(of.records.max(initial=-1)) + 1 for of in blocks), default=0)
    partners = np.zeros(size, dtype=np.int64)
    for of in blocks:
        partners += np.bincount(of.records, weights=of.following, minlength=size).astype(np.int64)
    reached = np.cumsum(partners)
    bounds = [0]
    while bounds[-1] < size:
        before = int(reached[bounds[-1] - 1]) if bounds[-1] else 0
        bounds.append(max(bounds[-1] + 1, int(np.searchsorted(reached, before + pairs_max, side="right"))))
    for start, stop in pairwise(bounds):
        coded = np.concatenate([_expand(of, start, stop) for of in blocks])
        if len(coded):
            coded.sort()
            distinct = coded[np.concatenate(([True], coded[1:] != coded[:-1]))]
            yield (distinct >> 32).astype(np.int32), (distinct & 0xFFFFFFFF).astype(np.int32)


def stops_of(stop_keys: frozenset[int]) -> NDArray[np.uint64]:
    """Return stop keys as hashes in order."""
    return np.sort(np.fromiter(stop_keys, dtype=np.int64, count=len(stop_keys)).view(np.uint64))


def part_hashes(part: KeyPart, hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Tell the texts of one part from equal ones of another: the hashes that keys are made of."""
    return mix(hashes, np.uint64(text_hash(f"{part.feature}\x1f{part.transform}")))


def text_hash(text: str) -> int:
    """Hash a text to 64 bits, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _blocks(records: NDArray[np.int32], keys: NDArray[np.uint64], rule: str, size_max: int) -> Blocks:
    order = np.argsort(keys, kind="stable")
    records, keys = records[order], keys[order]
    starts = _starts(keys)
    sizes = np.diff(np.append(starts, len(keys)))
    limit = size_max * BLOCK_SIZE_EMERGENCY
    large = np.flatnonzero(sizes > size_max)
    oversize = tuple(
        OversizeBlock(rule, key, size, size > limit)
        for key, size in zip(keys[starts[large]].view(np.int64).tolist(), sizes[large].tolist(), strict=True)
    )
    is_paired = (sizes > 1) & (sizes <= limit)
    kept = np.repeat(is_paired, sizes)
    sizes = sizes[is_paired]
    following = np.repeat(sizes, sizes) - 1 - _within(sizes)
    return Blocks(records[kept], following.astype(np.int32), oversize)


def _expand(blocks: Blocks, start: int, stop: int) -> NDArray[np.int64]:
    """Pair the members with a number from start to stop with those after them in their block: left << 32 | right."""
    first = np.flatnonzero((blocks.records >= start) & (blocks.records < stop) & (blocks.following > 0))
    following = blocks.following[first]
    left = np.repeat(blocks.records[first].astype(np.int64) << 32, following)
    left |= blocks.records[np.repeat(first + 1, following) + _within(following)]
    return left


def _within(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count from 0 in each of the groups that lie end to end."""
    ends: NDArray[np.int64] = np.cumsum(counts, dtype=np.int64)
    before: NDArray[np.int64] = np.repeat(ends - counts, counts)
    return np.arange(len(before), dtype=np.int64) - before


def _starts(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return where each run of equal keys begins."""
    if len(keys) == 0:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))


def _too_large(keys: NDArray[np.uint64], size_max: int) -> NDArray[np.uint64]:
    ordered = np.sort(keys)
    starts = _starts(ordered)
    return ordered[starts[np.diff(np.append(starts, len(ordered))) > size_max]]


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
        places = np.repeat(starts, counts) + _within(counts)
        return np.repeat(records, counts), mix(np.repeat(keys, counts), self.hashes[places])

    def rows(self) -> Keys:
        """Return (record, hash) rows."""
        return np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets)), self.hashes


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Hold the hashes of every key part in the model's rules, and of the contexts (None = there are none)."""

    by_part: Mapping[KeyPart, _Part]
    contexts: NDArray[np.uint64] | None


def _parts(forms: Forms, model: MatchModel) -> _Parts:
    asked = dict.fromkeys(part for rule in model.blocking for part in rule.parts)
    by_part: dict[KeyPart, _Part] = {}
    for feature in dict.fromkeys(part.feature for part in asked):
        column = forms.features[feature]
        used = np.flatnonzero(np.bincount(column.codes, minlength=len(column.values)))
        local = np.zeros(len(column.values), dtype=np.int64)
        local[used] = np.arange(len(used))
        values = Values([column.values[code] for code in used.tolist()], token_rarity(model.population, feature))
        for part in (part for part in asked if part.feature == feature):
            by_part[part] = _part(column, local[column.codes], values, part)
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
    spread = hashes[np.repeat(starts[local], held) + _within(held)]
    if not column.is_single or int(counts.max(initial=0)) > KEYS_PER_PART_MAX:
        records, spread = _bounded(records, spread, KEYS_PER_PART_MAX)
    offsets = np.zeros(len(column) + 1, dtype=np.int64)
    np.cumsum(np.bincount(records, minlength=len(column)), out=offsets[1:])
    return _Part(offsets, spread)


def _bounded(records: NDArray[np.int32], hashes: NDArray[np.uint64], limit: int) -> Keys:
    """Keep the smallest distinct hashes of each record: no order of values can change which."""
    order = np.lexsort((hashes, records))
    records, hashes = records[order], hashes[order]
    is_new = np.ones(len(records), dtype=bool)
    is_new[1:] = (records[1:] != records[:-1]) | (hashes[1:] != hashes[:-1])
    records, hashes = records[is_new], hashes[is_new]
    starts = np.searchsorted(records, records, side="left")
    kept = np.arange(len(records)) - starts < limit
    return records[kept], hashes[kept]


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


def _split(parts: _Parts, model: MatchModel, stops: NDArray[np.uint64]) -> list[Keys]:
    """Return the keys of each rule, stop keys replaced by finer ones, but for those that are stop keys again."""
    whole = [_rule_keys(rule, parts, model.entity_type) for rule in model.blocking]
    if len(stops) == 0:
        return whole
    stopped = [_is_in(keys, stops) for _, keys in whole]
    refining = dict(parts.by_part)
    for rule, is_stop in zip(model.blocking, stopped, strict=True):
        if len(rule.parts) == 1:
            refining[rule.parts[0]] = _only(parts.by_part[rule.parts[0]], is_stop, parts.contexts)
    return [
        _finer(found, is_stop, [part for name, part in refining.items() if name not in rule.parts], stops)
        for rule, found, is_stop in zip(model.blocking, whole, stopped, strict=True)
    ]


def _only(part: _Part, is_stop: NDArray[np.bool_], contexts: NDArray[np.uint64] | None) -> _Part:
    """Keep the hashes of a part whose own rule finds them too common; others pair their records by themselves."""
    owners, hashes = part.rows()
    kept = np.ones(len(hashes), dtype=bool) if contexts is None else contexts[owners] != 0
    kept[kept] = is_stop
    counts = np.bincount(owners[kept], minlength=len(part.offsets) - 1)
    return _Part(np.concatenate(([0], np.cumsum(counts))), hashes[kept])


def _finer(found: Keys, is_stop: NDArray[np.bool_], refining: Sequence[_Part], stops: NDArray[np.uint64]) -> Keys:
    """Replace the stop keys of one rule."""
    if not is_stop.any():
        return found
    finer = [part.join(found[0][is_stop], found[1][is_stop]) for part in refining]
    records = np.concatenate([rows for rows, _ in finer])
    keys = np.concatenate([hashed for _, hashed in finer])
    kept = ~_is_in(keys, stops)
    records = np.concatenate([found[0][~is_stop], records[kept]])
    keys = np.concatenate([found[1][~is_stop], keys[kept]])
    order = np.argsort(records, kind="stable")
    return records[order], keys[order]


def _is_in(keys: NDArray[np.uint64], stops: NDArray[np.uint64]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = stops[np.minimum(np.searchsorted(stops, keys), len(stops) - 1)] == keys
    return found
