"""Blocking recall: how many pairs that belong together are candidates at all, and which rule finds them.

What blocking misses no score can bring back, and what it finds needlessly is time. So both are counted, rule by rule:
the candidates of each, the true pairs among them, and those that no other rule finds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.block import Blocks, blocks_of, candidate_batches
from matching.key_parts import Keys, within
from matching.keys import keys_by_rule
from matching.model import EMPTY_POPULATION, MatchModel
from matching.population import learn
from matching.records import Forms
from matching.texts import mix

PAIRS_MAX: Final = 2_000_000
"""True pairs that are looked at; of more, so many are taken at equal distances (chosen: a share known to .0003)."""


@dataclass(frozen=True, slots=True)
class RuleRecall:
    """Count what one rule gives: candidates, true pairs among those looked at, and those that no other rule finds."""

    rule: str
    candidates_count: int
    true_count: int
    only_count: int


@dataclass(frozen=True, slots=True)
class BlockingRecall:
    """Hold what blocking finds of the true pairs.

    true_pairs_count  pairs that belong together
    looked_at_count   how many of them were looked at
    found_count       of those, how many are candidates
    candidates_count  pairs that are compared, each counted once
    """

    records_count: int
    true_pairs_count: int
    looked_at_count: int
    found_count: int
    candidates_count: int
    rules: tuple[RuleRecall, ...]

    @property
    def recall(self) -> float:
        """Return the share of true pairs that are candidates; 1.0 of none, since none was missed."""
        return self.found_count / self.looked_at_count if self.looked_at_count else 1.0


def blocking_recall(forms: Forms, model: MatchModel, truth: NDArray[np.integer], threads: int = 1) -> BlockingRecall:
    """Count what blocking finds; truth names the cluster of each record, integers [records].

    A model without a population learns one first, as matching does.
    """
    if model.population == EMPTY_POPULATION:
        model, by_rule = learn(forms, model, threads)
    else:
        by_rule = keys_by_rule(forms, model, threads)
    blocks = blocks_of(by_rule, model, threads)
    left, right, true_count = true_pairs(truth)
    found = np.array(
        [_meet(keys, of, left, right) for keys, of in zip(by_rule, blocks, strict=True)], dtype=bool
    ).reshape(len(by_rule), len(left))
    times = found.sum(axis=0)
    return BlockingRecall(
        records_count=len(forms.keys),
        true_pairs_count=true_count,
        looked_at_count=len(left),
        found_count=int(np.count_nonzero(times)),
        candidates_count=_count(blocks),
        rules=tuple(_rules(model, blocks, found, times)),
    )


def _rules(
    model: MatchModel, blocks: Sequence[Blocks], found: NDArray[np.bool_], times: NDArray[np.integer]
) -> Iterator[RuleRecall]:
    for rule, of, is_found in zip(model.blocking, blocks, found, strict=True):
        yield RuleRecall(rule.name, _count([of]), int(is_found.sum()), int((is_found & (times == 1)).sum()))


def _count(blocks: Sequence[Blocks]) -> int:
    return sum(len(pairs) for pairs, _ in candidate_batches(blocks))


def true_pairs(truth: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return pairs of records of one cluster (left, right), int64 [pairs] each, and how many there are in all."""
    order = np.argsort(truth, kind="stable")
    _, sizes = np.unique(truth, return_counts=True)
    following = np.repeat(sizes, sizes) - 1 - within(sizes)
    ends = np.cumsum(following)
    count = int(ends[-1]) if len(ends) else 0
    step = max(1, -(-count // PAIRS_MAX))
    asked = np.arange(0, count, step)
    first = np.searchsorted(ends, asked, side="right")
    second = first + 1 + asked - (ends[first] - following[first])
    return order[first], order[second], count


def _meet(keys: Keys, blocks: Blocks, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which pairs share a key of one rule whose block was not left out: bool [pairs]."""
    left_out = np.array([block.key for block in blocks.oversize if block.is_left_out], dtype=np.int64).view(np.uint64)
    records, hashes = keys
    kept = ~np.isin(hashes, left_out)
    records, hashes = records[kept], hashes[kept]
    counts = np.bincount(records, minlength=1 + int(max(left.max(initial=0), right.max(initial=0))))
    begins = np.cumsum(counts) - counts
    pairs = np.repeat(np.arange(len(left)), counts[left])
    own = hashes[np.repeat(begins[left], counts[left]) + within(counts[left])]
    held = mix(hashes, records.astype(np.uint64))
    found = np.zeros(len(left), dtype=bool)
    found[pairs[np.isin(mix(own, right[pairs].astype(np.uint64)), held)]] = True
    return found
