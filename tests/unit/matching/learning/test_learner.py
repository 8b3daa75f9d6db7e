"""The learner: near the declaration with few labels, near the data with many, never upside down."""

import numpy as np
import pytest
from numpy.typing import NDArray

from matching.learning.learner import LabelledPatterns, Pull, fit
from matching.model import MISSING, MatchModel
from tests.unit.matching.learning.companies import MODEL

PULL = Pull(weight_pull=0.5, prior_pull=5.0)


def _labelled(rows: list[tuple[tuple[int, int, int, int], float, float]]) -> LabelledPatterns:
    """Give labelled patterns from (levels, same, different)."""
    levels: NDArray[np.int8] = np.array([row[0] for row in rows], dtype=np.int8)
    return LabelledPatterns(
        levels, np.zeros(len(rows)), np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    )


def _bits(model: MatchModel, name: str) -> list[float]:
    return next([level.bits for level in part.levels] for part in model.comparisons if part.name == name)


def test_no_labels_leave_the_declared_model() -> None:
    assert fit(MODEL, _labelled([]), PULL) == MODEL
    assert fit(MODEL, _labelled([((0, 0, 0, MISSING), 0.0, 0.0)]), PULL) == MODEL


def test_labels_move_what_they_speak_of_and_nothing_else() -> None:
    """Pairs with one telephone and another name are said to be different; no label has an identifier."""
    learnt = fit(MODEL, _labelled([((1, 0, MISSING, MISSING), 0.0, 50.0)]), PULL)

    assert _bits(learnt, "phone")[0] < _bits(MODEL, "phone")[0]
    assert _bits(learnt, "name")[1] < _bits(MODEL, "name")[1]
    assert _bits(learnt, "tax_id") == _bits(MODEL, "tax_id")
    assert _bits(learnt, "city") == _bits(MODEL, "city")


def test_many_labels_are_followed() -> None:
    """Nine of ten pairs of a pattern are the same: odds of 9, log2(9) = 3.17 bits above the line."""
    learnt = fit(MODEL, _labelled([((0, 1, MISSING, MISSING), 90_000.0, 10_000.0)]), PULL)

    score = learnt.prior_bits + _bits(learnt, "name")[0] + _bits(learnt, "phone")[1]
    assert score - learnt.match_bits == pytest.approx(3.17, abs=0.02)


def test_a_better_level_is_never_worth_less() -> None:
    """The labels say so, wrongly: slips in the name are the same, equal names are not."""
    learnt = fit(
        MODEL, _labelled([((0, 0, 0, MISSING), 0.0, 500.0), ((1, 0, 0, MISSING), 500.0, 0.0)]), Pull(0.01, 0.01)
    )

    names = _bits(learnt, "name")
    assert names == sorted(names, reverse=True)
    assert names[0] == names[1]


def test_frozen_comparisons_keep_their_worth() -> None:
    learnt = fit(MODEL, _labelled([((2, 0, 1, MISSING), 0.0, 500.0)]), PULL, frozen=frozenset({"phone"}))

    assert _bits(learnt, "phone") == _bits(MODEL, "phone")
    assert _bits(learnt, "city") != _bits(MODEL, "city")


def test_the_lines_stay_where_they_were_declared() -> None:
    learnt = fit(MODEL, _labelled([((0, 0, 0, MISSING), 50.0, 3.0)]), PULL)

    assert (learnt.match_bits, learnt.review_bits) == (MODEL.match_bits, MODEL.review_bits)
    assert learnt.version != MODEL.version
