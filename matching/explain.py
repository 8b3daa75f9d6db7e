"""Why a pair has its score: a waterfall from the prior to the sum, the rules that bound the verdict, and the vetoes.

The numbers of a waterfall are decimals of six places that add up exactly, so that whoever reads them can check them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import numpy as np

from matching.decide import holds
from matching.model import MISSING, VERDICTS, MatchModel, Verdict, Veto
from matching.online import Judgement, by_scope, judge_known
from matching.records import Forms
from matching.score import weights
from matching.term_frequency import frequency_bits, know

_PLACES: Final = Decimal("0.000001")  # those of a match weight, see score


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


@dataclass(frozen=True, slots=True)
class Clash:
    """Hold strong identifiers of one scope that two records hold and that have nothing in common: why they conflict."""

    veto: str
    scope: str
    left: tuple[str, ...]
    right: tuple[str, ...]


def explain(forms: Forms, left: int, right: int, model: MatchModel) -> Explanation:
    """Explain the verdict on two records (positions in `forms`)."""
    return explain_many(forms, [left], [right], model)[0]


def explain_many(
    forms: Forms, lefts: Sequence[int], rights: Sequence[int], model: MatchModel, judged: Judgement | None = None
) -> tuple[Explanation, ...]:
    """Explain the verdicts on pairs of records (positions in `forms`), compared all at once or judged already."""
    if not lefts:
        return ()
    first, second = np.array(lefts), np.array(rights)
    known = know(forms, model)
    judged = judged or judge_known(known, first, second, model)
    taken = frequency_bits(known, first, second, judged.vectors, model)
    places, worth = np.arange(judged.vectors.shape[1]), weights(model)
    held = [holds(rule, judged.vectors, model).tolist() for rule in model.rules]
    found = []
    for pair, (left, right) in enumerate(zip(lefts, rights, strict=True)):
        levels = judged.vectors[pair].tolist()
        bits = worth[places, levels]
        parts = [float(part) for both in zip(bits, taken[pair], strict=True) for part in both]
        total = float(judged.bits[pair])
        prior_bits, *shown = _adding_up([model.prior_bits, *parts], total)
        found.append(
            Explanation(
                prior_bits=prior_bits,
                steps=_steps(forms, (left, right), levels, shown, model),
                bits=total,
                verdict=VERDICTS[int(judged.verdicts[pair])],
                rules=tuple(rule.name for rule, holding in zip(model.rules, held, strict=True) if holding[pair]),
                is_conflict=bool(clashes(forms, left, right, model)),
            )
        )
    return tuple(found)


def _steps(
    forms: Forms, pair: tuple[int, int], levels: Sequence[int], shown: Sequence[float], model: MatchModel
) -> tuple[Step, ...]:
    return tuple(
        Step(
            comparison=comparison.name,
            level="missing" if level == MISSING else comparison.levels[level].label,
            bits=bits,
            frequency_bits=frequency,
            left=forms.features[comparison.feature].of(pair[0]),
            right=forms.features[comparison.feature].of(pair[1]),
        )
        for comparison, level, bits, frequency in zip(model.comparisons, levels, shown[::2], shown[1::2], strict=True)
    )


def clashes(forms: Forms, left: int, right: int, model: MatchModel) -> tuple[Clash, ...]:
    """List the strong identifiers that set two records in conflict (positions in `forms`), in the order of the vetoes.

    Empty exactly when `conflicting` says that the two are in no conflict: what parts chains only is left out.
    """
    return _clashes(forms, left, right, tuple(veto for veto in model.vetoes if veto.reach == "pair"))


def chain_clashes(forms: Forms, left: int, right: int, model: MatchModel) -> tuple[Clash, ...]:
    """List what keeps others from being a chain between two records (positions in `forms`), by the order of vetoes."""
    return _clashes(forms, left, right, tuple(veto for veto in model.vetoes if veto.reach == "chain"))


def _clashes(forms: Forms, left: int, right: int, vetoes: tuple[Veto, ...]) -> tuple[Clash, ...]:
    found = []
    for veto in vetoes:
        first, second = (by_scope(forms.features[veto.feature].of(record)) for record in (left, right))
        found += [
            Clash(veto.name, scope, tuple(sorted(first[scope])), tuple(sorted(second[scope])))
            for scope in sorted(first.keys() & second.keys())
            if first[scope].isdisjoint(second[scope])
        ]
    return tuple(found)


def _adding_up(parts: Sequence[float], total: float) -> list[float]:
    """Round parts to six places so that they add up to the total, which has as many: each carries the rest before it.

    A part of nothing stays nothing; what summing in another order left over goes to the last part that is something.
    """
    exact, shown, rounded = Decimal(0), list[Decimal](), Decimal(0)
    for part in parts:
        exact += Decimal(part)
        reached = exact.quantize(_PLACES, ROUND_HALF_EVEN)
        shown.append(reached - rounded)
        rounded = reached
    if rest := Decimal(str(total)).quantize(_PLACES, ROUND_HALF_EVEN) - rounded:
        last = max((place for place, part in enumerate(parts) if part), default=0)
        shown[last] += rest
    return [float(part) for part in shown]
