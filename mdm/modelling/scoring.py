"""Score pairs under a model, keeping what moving its lines needs: bits, and what rules and vetoes allow. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matching.block import candidate_pairs
from matching.decide import holds
from matching.keys import blocking_keys
from matching.model import MATCH, NON_MATCH, POSSIBLE_MATCH, VERDICTS, MatchModel
from matching.online import conflict_signatures, conflicting, judge_known
from matching.records import Forms
from matching.term_frequency import know

PAIRS_AT_ONCE = 500_000  # as in matching.bulk


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Pairs under a model, whatever its lines: int32, float64, int8, int8, bool [pairs].

    floors, caps  the least and the most that its rules let the verdict be
    vetoed        pairs that never join
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    bits: NDArray[np.float64]
    floors: NDArray[np.int8]
    caps: NDArray[np.int8]
    vetoed: NDArray[np.bool_]

    def verdicts(self, review_bits: float, match_bits: float) -> NDArray[np.int8]:
        """Decide every pair with the lines at these bits."""
        by_line = np.full(len(self.bits), NON_MATCH, dtype=np.int8)
        by_line[self.bits >= review_bits] = POSSIBLE_MATCH
        by_line[self.bits >= match_bits] = MATCH
        found: NDArray[np.int8] = np.minimum(self.caps, np.maximum(self.floors, by_line))
        return found

    def of(self, kept: NDArray[np.bool_]) -> "Scored":
        """Keep some of the pairs."""
        return replace(
            self,
            left=self.left[kept],
            right=self.right[kept],
            bits=self.bits[kept],
            floors=self.floors[kept],
            caps=self.caps[kept],
            vetoed=self.vetoed[kept],
        )


def score_candidates(forms: Forms, model: MatchModel) -> Scored:
    """Score all pairs that share a blocking key."""
    found = candidate_pairs(blocking_keys(forms, model), model)
    return score_pairs(forms, found.left, found.right, model)


def score_pairs(forms: Forms, left: NDArray[np.int32], right: NDArray[np.int32], model: MatchModel) -> Scored:
    """Score given pairs."""
    known = know(forms, model)
    signatures = conflict_signatures(forms, model) if model.vetoes else None
    parts: list[tuple[NDArray[np.float64], NDArray[np.int8], NDArray[np.int8], NDArray[np.bool_]]] = []
    for start in range(0, max(1, len(left)), PAIRS_AT_ONCE):
        first, second = left[start : start + PAIRS_AT_ONCE], right[start : start + PAIRS_AT_ONCE]
        judged = judge_known(known, first, second, model)
        vetoed = np.zeros(len(first), dtype=bool) if signatures is None else conflicting(signatures, first, second)
        parts.append((judged.bits, *_bounds(judged.vectors, model), vetoed))
    bits, floors, caps, vetoed = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Scored(np.asarray(left, np.int32), np.asarray(right, np.int32), bits, floors, caps, vetoed)


def _bounds(vectors: NDArray[np.int8], model: MatchModel) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Give the least and the most that rules let the verdict of each pair be, as matching.decide applies them."""
    floors = np.full(len(vectors), NON_MATCH, dtype=np.int8)
    caps = np.full(len(vectors), MATCH, dtype=np.int8)
    bounds: Sequence[tuple[str, NDArray[np.int8]]] = (("at_least", floors), ("at_most", caps))
    for rule in model.rules:
        holding = holds(rule, vectors, model)
        for bound, column in bounds:
            if rule.bound == bound:
                choose = np.maximum if bound == "at_least" else np.minimum
                column[holding] = choose(column[holding], VERDICTS.index(rule.verdict))
    return floors, caps
