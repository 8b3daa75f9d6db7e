"""Why a pair has its score: a waterfall from the prior to the sum, and the rules that bound the verdict."""

from dataclasses import dataclass

import numpy as np

from matching.decide import holds
from matching.model import MISSING, VERDICTS, MatchModel, Verdict
from matching.online import conflict_signatures, conflicting, judge
from matching.records import Forms
from matching.score import weights
from matching.term_frequency import frequency_bits, know


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one comparison's part: its level or "missing", its bits, what commonness took off, both sides' values."""

    comparison: str
    level: str
    bits: float
    frequency_bits: float
    left: tuple[str, ...]
    right: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Hold a pair's waterfall: prior_bits + every step's bits and frequency_bits = bits."""

    prior_bits: float
    steps: tuple[Step, ...]
    bits: float
    verdict: Verdict
    rules: tuple[str, ...]
    is_conflict: bool


def explain(forms: Forms, left: int, right: int, model: MatchModel) -> Explanation:
    """Explain the verdict on two records (positions in `forms`)."""
    first, second = np.array([left]), np.array([right])
    judged = judge(forms, first, second, model)
    taken = frequency_bits(know(forms, model), first, second, judged.vectors, model)[0]
    table = weights(model)
    steps = tuple(
        Step(
            comparison=comparison.name,
            level="missing" if level == MISSING else comparison.levels[level].label,
            bits=float(table[position, level]),
            frequency_bits=float(taken[position]),
            left=forms.features[comparison.feature].of(left),
            right=forms.features[comparison.feature].of(right),
        )
        for position, (comparison, level) in enumerate(zip(model.comparisons, judged.vectors[0].tolist(), strict=True))
    )
    return Explanation(
        prior_bits=model.prior_bits,
        steps=steps,
        bits=float(judged.bits[0]),
        verdict=VERDICTS[int(judged.verdicts[0])],
        rules=tuple(rule.name for rule in model.rules if holds(rule, judged.vectors, model)[0]),
        is_conflict=bool(conflicting(conflict_signatures(forms, model), first, second)[0]) if model.vetoes else False,
    )
