"""Judge many candidates, of which few matter: a pair is dropped as soon as it can no longer reach the review line.

What costs least is compared first. The pairs that are left, and all that is said of them, are those that `judge_known`
would have left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.comparators import ALIKE_NAMES
from matching.compare import levels_of, likeness
from matching.decide import decide
from matching.model import MISSING, NON_MATCH, Comparison, MatchModel, Rule
from matching.online import Judgement
from matching.score import score, weights
from matching.term_frequency import Known, frequency_bits
from matching.vocabulary import Vocabulary

_CHEAPEST_FIRST: Final = {"exact": 0, "identifier": 1, "postal_code": 2, "company_name": 3, "person_name": 3}
"""Order of comparators: codes alone, then short texts, then what decides most; all others follow."""

_OTHERS: Final = 4
_TELLING: Final = "telling_name"
_KEPT_MAX: Final = 0.95
"""Share of pairs left from which dropping the others costs more than comparing them (chosen)."""

_TOLERANCE: Final = 1e-5  # bits are rounded to six places


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """Hold the pairs at or above the review line: left, right int32 [pairs] and what was judged of them."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    judged: Judgement


def sift(
    known: Known,
    words: Mapping[str, Vocabulary],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    model: MatchModel,
) -> Sifted:
    """Judge pairs and keep those at or above the review line; words are the `vocabularies` of the known forms."""
    vectors = np.full((len(left), len(model.comparisons)), MISSING, dtype=np.int8)
    asked = _Asked(known, words, (left, right, vectors), model)
    for place in _order(model):
        asked.compare(place)
        asked.drop_hopeless()
    left, right, vectors = asked.left, asked.right, asked.vectors
    bits = score(vectors, model, frequency_bits(known, left, right, vectors, model))
    verdicts = decide(vectors, bits, model)
    kept = verdicts != NON_MATCH
    return Sifted(left[kept], right[kept], Judgement(vectors[kept], bits[kept], verdicts[kept]))


def _order(model: MatchModel) -> list[int]:
    """Return the places of the comparisons in the order in which they are made."""

    def rank(place: int) -> tuple[int, float, int]:
        comparison = model.comparisons[place]
        span = _most(comparison) - min(level.bits for level in comparison.levels)
        return _CHEAPEST_FIRST.get(comparison.comparator, _OTHERS), -span, place

    return sorted(range(len(model.comparisons)), key=rank)


def _most(comparison: Comparison) -> float:
    return max(0.0, *(level.bits for level in comparison.levels))


class _Asked:
    """Hold the pairs that are still asked for, and what is known of each so far."""

    def __init__(
        self,
        known: Known,
        words: Mapping[str, Vocabulary],
        pairs: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]],
        model: MatchModel,
    ) -> None:
        self.left, self.right, self.vectors = pairs
        self._known, self._words, self._model, self._table = known, words, model, weights(model)
        self._bits = np.full(len(self.left), model.prior_bits)
        self._open = {place: _most(comparison) for place, comparison in enumerate(model.comparisons)}
        self._lifting = [rule for rule in model.rules if rule.bound == "at_least" and rule.verdict != "non_match"]
        self._names: dict[str, NDArray[np.float64]] = {}

    def compare(self, place: int) -> None:
        """Make one comparison of all pairs."""
        comparison = self._model.comparisons[place]
        levels = levels_of(self._likeness(comparison), comparison)
        self.vectors[:, place] = levels
        self._bits += self._table[place, levels]
        del self._open[place]

    def _likeness(self, comparison: Comparison) -> NDArray[np.float64]:
        column = self._known.forms.features[comparison.feature]
        words = self._words[comparison.feature]
        names = self._names.get(comparison.feature)
        if comparison.comparator == _TELLING and names is not None:  # only names that are alike can tell anything
            alike = np.minimum(names, 0.0)
            asked = np.flatnonzero(names >= ALIKE_NAMES)
            alike[asked] = likeness(column, self.left[asked], self.right[asked], _TELLING, words)
            return alike
        found = likeness(column, self.left, self.right, comparison.comparator, words)
        if comparison.comparator == "company_name":
            self._names[comparison.feature] = found
        return found

    def drop_hopeless(self) -> None:
        """Drop the pairs that no open comparison, and no rule, can bring to the review line, once they are many."""
        reach = self._bits + sum(self._open.values())
        kept = reach >= self._model.review_bits - _TOLERANCE
        if np.count_nonzero(kept) > _KEPT_MAX * len(kept):
            return
        for rule in self._lifting:
            kept |= self._may_hold(rule)
        if np.count_nonzero(kept) > _KEPT_MAX * len(kept):
            return
        self.left, self.right, self.vectors = self.left[kept], self.right[kept], self.vectors[kept]
        self._bits = self._bits[kept]
        self._names = {feature: alike[kept] for feature, alike in self._names.items()}

    def _may_hold(self, rule: Rule) -> NDArray[np.bool_]:
        """Tell where nothing known so far keeps a rule from holding: bool [pairs]."""
        place_by_name = {comparison.name: place for place, comparison in enumerate(self._model.comparisons)}
        may = np.ones(len(self.left), dtype=bool)
        for name, label in rule.when:
            place = place_by_name[name]
            if place not in self._open:
                labels = [level.label for level in self._model.comparisons[place].levels]
                may &= (self.vectors[:, place] != MISSING) & (self.vectors[:, place] <= labels.index(label))
        return may
