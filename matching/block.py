"""Blocking: which pairs of records are worth comparing.

A blocking key is a hash of a rule, the context and the parts of one record; records that share a key form a block and
its pairs are candidates. A key depends on its record and the model alone, so records find each other the same way one
by one, in batches and in bulk. A key that the population found too common (a stop key) is replaced by finer ones:
itself joined with each part that other rules take from the record. A finer key that is still too common is left out.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.model import BlockingRule, KeyPart, MatchModel
from matching.records import Column, Forms
from matching.term_frequency import GENERIC_TOKENS, GENERIC_WEIGHT, Rarity, informative, token_rarity

Transform: TypeAlias = Callable[[str, int, Rarity], Sequence[str]]

KEYS_PER_PART_MAX: Final = 16
"""Key texts one record may give to one part: bounds lists and long names (chosen)."""

BLOCK_SIZE_EMERGENCY: Final = 20
"""How many times block_size_max a block outside the stop keys may grow before it is left out and reported (chosen)."""


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


def blocking_keys(forms: Forms, model: MatchModel) -> BlockingKeys:
    """Return the blocking keys of every record: the same hashes on every machine, fit for a PostgreSQL bigint."""
    known = informative(forms, model.population)
    return _keys(_hashes(known, model), model, np.sort(np.fromiter(model.population.stop_keys, dtype=np.int64)))


def learn_stop_keys(forms: Forms, model: MatchModel) -> frozenset[int]:
    """Find the keys whose block is too large, then the finer keys put in their place that are too large again."""
    hashes, stops = _hashes(informative(forms, model.population), model), np.empty(0, dtype=np.int64)
    for _ in range(2):
        keys, sizes = np.unique(_keys(hashes, model, stops).keys, return_counts=True)
        stops = np.union1d(stops, keys[sizes > model.block_size_max])
    return frozenset(stops.tolist())


def candidate_pairs(blocking_keys: BlockingKeys, model: MatchModel) -> CandidatePairs:
    """Return all pairs of records that share a key, each once, sorted."""
    order = np.lexsort((blocking_keys.records, blocking_keys.keys))
    records, keys = blocking_keys.records[order], blocking_keys.keys[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.empty(0, np.int64)
    sizes = np.diff(np.concatenate((starts, [len(keys)])))
    limit = model.block_size_max * BLOCK_SIZE_EMERGENCY
    oversize = tuple(
        OversizeBlock(model.blocking[rule].name, int(keys[start]), int(size), bool(size > limit))
        for start, size, rule in zip(starts, sizes, blocking_keys.rules[order][starts], strict=True)
        if size > model.block_size_max
    )
    paired = (sizes > 1) & (sizes <= limit)
    left, right = _expand(records, starts[paired], sizes[paired])
    return CandidatePairs(left, right, oversize)


def _expand(
    records: NDArray[np.int32],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Pair each member of a block with those after it; `records` ascend within a block."""
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = np.repeat(starts, sizes) + within
    partners = np.repeat(sizes, sizes) - 1 - within
    step = np.arange(partners.sum()) - np.repeat(np.cumsum(partners) - partners, partners)
    left = records[np.repeat(first, partners)].astype(np.int64)
    right = records[np.repeat(first, partners) + 1 + step]
    coded = np.sort((left << 32) | right)
    distinct = coded[np.concatenate(([True], coded[1:] != coded[:-1]))] if len(coded) else coded
    return (distinct >> 32).astype(np.int32), (distinct & 0xFFFFFFFF).astype(np.int32)


_Hashes: TypeAlias = tuple[NDArray[np.int32], NDArray[np.uint64]]
"""(record, hash) rows, records ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Hold the hashes of every key part in the model's rules, and of the contexts (None = there are none)."""

    by_part: Mapping[KeyPart, _Hashes]
    contexts: NDArray[np.uint64] | None


def _hashes(forms: Forms, model: MatchModel) -> _Parts:
    parts = dict.fromkeys(part for rule in model.blocking for part in rule.parts)
    return _Parts({part: _part_hashes(forms, part, model) for part in parts}, _context_hashes(forms))


def _keys(parts: _Parts, model: MatchModel, stops: NDArray[np.int64]) -> BlockingKeys:
    """Build the keys of every rule, the `stops` (sorted) among them split; distinct by (record, key)."""
    split = [_split(_rule_keys(rule, parts, model.entity_type), rule, parts, stops) for rule in model.blocking]
    records = np.concatenate([np.empty(0, np.int32), *(rows for rows, _ in split)])
    rules = np.repeat(np.arange(len(split), dtype=np.int16), [len(rows) for rows, _ in split])
    keys = np.concatenate([np.empty(0, np.uint64), *(hashed for _, hashed in split)]).view(np.int64)
    order = np.lexsort((rules, keys, records))
    records, rules, keys = records[order], rules[order], keys[order]
    is_new = np.ones(len(keys), dtype=bool)
    is_new[1:] = (records[1:] != records[:-1]) | (keys[1:] != keys[:-1])
    return BlockingKeys(records[is_new], rules[is_new], keys[is_new])


def _part_hashes(forms: Forms, part: KeyPart, model: MatchModel) -> _Hashes:
    """Hash the key texts of one part: once a distinct value, then spread to the records that hold it."""
    column = forms.features[part.feature]
    name, _, size = part.transform.partition(":")
    transform, rarity = TRANSFORMS[name], token_rarity(model.population, part.feature)
    label = f"{part.feature}\x1f{part.transform}\x1f"
    used, local = np.unique(column.codes, return_inverse=True)
    texts = [transform(column.values[code], int(size or 0), rarity) for code in used.tolist()]
    counts = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    hashed = np.fromiter(
        (text_hash(label + text) for group in texts for text in group), dtype=np.uint64, count=counts.sum()
    )
    by_value = Column(np.concatenate(([0], np.cumsum(counts))), np.arange(len(hashed), dtype=np.int32), ())
    spread = by_value.take(local)
    records = np.repeat(column.owners, spread.counts)
    return _bounded(records, hashed[spread.codes], KEYS_PER_PART_MAX)


def _bounded(records: NDArray[np.int32], hashes: NDArray[np.uint64], limit: int) -> _Hashes:
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


def _rule_keys(rule: BlockingRule, parts: _Parts, entity_type: str) -> _Hashes:
    """Combine the parts of one rule, and the context, to a key for each combination a record has."""
    label = "\x1f".join((entity_type, *(f"{part.feature} {part.transform}" for part in rule.parts)))
    records, keys = parts.by_part[rule.parts[0]]
    keys = _mix(np.full(len(keys), text_hash(label), dtype=np.uint64), keys)
    for part in rule.parts[1:]:
        records, keys = _join(records, keys, parts.by_part[part])
    if parts.contexts is not None:
        known = parts.contexts[records] != 0
        records, keys = records[known], _mix(keys[known], parts.contexts[records[known]])
    return records, keys


def _join(records: NDArray[np.int32], keys: NDArray[np.uint64], part: _Hashes) -> _Hashes:
    """Combine each key with every part hash of the same record."""
    starts = np.searchsorted(part[0], records, side="left")
    counts = np.searchsorted(part[0], records, side="right") - starts
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(records, counts), _mix(np.repeat(keys, counts), part[1][np.repeat(starts, counts) + within])


def _split(found: _Hashes, rule: BlockingRule, parts: _Parts, stops: NDArray[np.int64]) -> _Hashes:
    """Replace stop keys by finer ones, each with a part of another rule, but for those that are stop keys again."""
    if len(stops) == 0:
        return found
    is_stop = _is_in(found[1], stops)
    others = (hashes for part, hashes in parts.by_part.items() if part not in rule.parts)
    finer = [_join(found[0][is_stop], found[1][is_stop], hashes) for hashes in others]
    records = np.concatenate([found[0][~is_stop], *(rows for rows, _ in finer)])
    keys = np.concatenate([found[1][~is_stop], *(keys for _, keys in finer)])
    kept = ~_is_in(keys, stops)
    return records[kept], keys[kept]


def _is_in(keys: NDArray[np.uint64], stops: NDArray[np.int64]) -> NDArray[np.bool_]:
    signed = keys.view(np.int64)
    found: NDArray[np.bool_] = stops[np.minimum(np.searchsorted(stops, signed), len(stops) - 1)] == signed
    return found


def text_hash(text: str) -> int:
    """Hash a text to 64 bits, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Combine two columns of hashes, order mattering (the finaliser of splitmix64, Steele et al., OOPSLA 2014)."""
    mixed = first * np.uint64(0x9E3779B97F4A7C15) + second
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _rare_tokens(value: str, count: int, rarity: Rarity) -> Sequence[str]:
    """Return the rarest tokens, two if no count is given, but none far more common than the rarest."""
    weight_by_token = {token: rarity(token) for token in value.split()}
    telling = [token for token, weight in weight_by_token.items() if weight >= 0.6 * max(weight_by_token.values())]
    return sorted(telling, key=lambda token: (-weight_by_token[token], -len(token), token))[: count or 2]


def _token_pairs(value: str, _size: int, rarity: Rarity) -> Sequence[str]:
    return [" ".join(pair) for pair in combinations(sorted(_rare_tokens(value, 5, rarity)), 2)]


def _telling_tokens(value: str, _size: int, rarity: Rarity) -> Sequence[str]:
    tokens = sorted(set(value.split()))
    return [token for token in tokens if rarity(token) > GENERIC_WEIGHT] or tokens


def _acronym(value: str, _size: int, _rarity: Rarity) -> Sequence[str]:
    tokens = [token for token in value.split() if token not in GENERIC_TOKENS] or value.split()
    letters = "".join(token[0] for token in tokens) if len(tokens) > 1 else tokens[0]
    return [letters] if 2 <= len(letters) <= 5 else []


def _consonants(value: str, size: int, _rarity: Rarity) -> Sequence[str]:
    """Keep the first letter and the consonants of the rest, doubled ones once: slips mostly leave them alone."""
    squashed = value.replace(" ", "")
    kept = [squashed[0]]
    for letter in squashed[1:]:
        if letter not in "aeiouyhw" and letter != kept[-1]:
            kept.append(letter)
    return ["".join(kept)[: size or None]]


TRANSFORMS: Final[Mapping[str, Transform]] = {
    "whole": lambda value, _size, _rarity: [value],
    "first": lambda value, size, _rarity: [value.replace(" ", "")[:size]],
    "last": lambda value, size, _rarity: [value.replace(" ", "")[-size:]],
    "tokens": lambda value, _size, _rarity: sorted(set(value.split())),
    "telling_tokens": _telling_tokens,
    "rare_tokens": _rare_tokens,
    "token_pairs": _token_pairs,
    "sorted_tokens": lambda value, _size, _rarity: [" ".join(sorted(value.split()))],
    "squashed": lambda value, _size, _rarity: [value.replace(" ", "")],
    "acronym": _acronym,
    "consonants": _consonants,
}
"""How a compare form becomes key texts; a number after a colon is a size: `first:4`, `rare_tokens:1`."""
