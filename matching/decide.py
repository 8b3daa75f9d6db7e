"""Verdicts: from bits and rules to match, possible_match or non_match."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matching.model import MATCH, MISSING, NON_MATCH, POSSIBLE_MATCH, VERDICTS, MatchModel, Rule


def decide(vectors: NDArray[np.int8], bits: NDArray[np.float64], model: MatchModel) -> NDArray[np.int8]:
    """Return the verdict of each pair: int8 [pairs], 0 non_match, 1 possible_match, 2 match.

    The lines decide first, then at_least rules raise a verdict, then at_most rules lower it.
    """
    verdicts = np.full(len(bits), NON_MATCH, dtype=np.int8)
    verdicts[bits >= model.review_bits] = POSSIBLE_MATCH
    verdicts[bits >= model.match_bits] = MATCH
    for rule in (rule for rule in model.rules if rule.bound == "at_least"):
        holding = holds(rule, vectors, model)
        verdicts[holding] = np.maximum(verdicts[holding], VERDICTS.index(rule.verdict))
    for rule in (rule for rule in model.rules if rule.bound == "at_most"):
        holding = holds(rule, vectors, model)
        verdicts[holding] = np.minimum(verdicts[holding], VERDICTS.index(rule.verdict))
    return verdicts


def holds(rule: Rule, vectors: NDArray[np.int8], model: MatchModel) -> NDArray[np.bool_]:
    """Tell where a rule holds: bool [pairs], all of `when` reached and none of `unless`."""
    when = _reached(rule.when, vectors, model)
    unless = _reached(rule.unless, vectors, model)
    return np.asarray(
        np.logical_and.reduce([np.ones(len(vectors), dtype=bool), *when, *(~reached for reached in unless)])
    )


def _reached(
    conditions: Sequence[tuple[str, str]],
    vectors: NDArray[np.int8],
    model: MatchModel,
) -> list[NDArray[np.bool_]]:
    position_by_name = {comparison.name: position for position, comparison in enumerate(model.comparisons)}
    reached = []
    for name, label in conditions:
        position = position_by_name[name]
        labels = [level.label for level in model.comparisons[position].levels]
        levels = vectors[:, position]
        reached.append((levels != MISSING) & (levels <= labels.index(label)))
    return reached
