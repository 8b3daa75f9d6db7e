"""Blocking: which pairs of records are worth comparing.

Records that share a blocking key (`matching.keys`) form a block, and its pairs are candidates.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.key_parts import Keys, within
from matching.keys import BlockingKeys, running, starts
from matching.model import BlockingRule, MatchModel

BLOCK_SIZE_EMERGENCY: Final = 20
"""How many times block_size_max a block outside the stop keys may grow before it is left out and reported (chosen)."""

PAIRS_AT_ONCE: Final = 2_000_000
"""Pairs expanded at a time, one that several rules find counted for each: bounds memory at any size (chosen)."""


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


def blocks_of(by_rule: Sequence[Keys], model: MatchModel, threads: int = 1) -> list[Blocks]:
    """Lay the records of each rule block by block; blocks of one record and those beyond all bounds are left out."""

    def laid(rule: BlockingRule, keys: Keys) -> Blocks:
        return _blocks(*keys, rule.name, rule.size_max or model.block_size_max)

    with running(threads) as run:
        return list(run(laid, model.blocking, by_rule))


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


def _blocks(records: NDArray[np.int32], keys: NDArray[np.uint64], rule: str, size_max: int) -> Blocks:
    order = np.argsort(keys, kind="stable")
    records, keys = records[order], keys[order]
    begins = starts(keys)
    sizes = np.diff(np.append(begins, len(keys)))
    limit = size_max * BLOCK_SIZE_EMERGENCY
    large = np.flatnonzero(sizes > size_max)
    oversize = tuple(
        OversizeBlock(rule, key, size, size > limit)
        for key, size in zip(keys[begins[large]].view(np.int64).tolist(), sizes[large].tolist(), strict=True)
    )
    is_paired = (sizes > 1) & (sizes <= limit)
    kept = np.repeat(is_paired, sizes)
    sizes = sizes[is_paired]
    following = np.repeat(sizes, sizes) - 1 - within(sizes)
    return Blocks(records[kept], following.astype(np.int32), oversize)


def _expand(blocks: Blocks, start: int, stop: int) -> NDArray[np.int64]:
    """Pair the members with a number from start to stop with those after them in their block: left << 32 | right."""
    first = np.flatnonzero((blocks.records >= start) & (blocks.records < stop) & (blocks.following > 0))
    following = blocks.following[first]
    left = np.repeat(blocks.records[first].astype(np.int64) << 32, following)
    left |= blocks.records[np.repeat(first + 1, following) + within(following)]
    return left
