"""Laws of learning: the same labels in any order, the same model; better levels never worth less; waterfalls add up."""

from dataclasses import replace
from decimal import Decimal
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.explain import explain_many
from matching.learning.learner import LabelledPatterns, Pull, fit
from matching.learning.model import Labels
from matching.learning.train import learn_supervised
from matching.model_json import read_model, write_model
from tests.unit.matching.learning.companies import MODEL, firms

COMPANIES = firms(12)
SIZE = len(COMPANIES.entities)


@st.composite
def answers(draw: st.DrawFn) -> Labels:
    """Draw answers about pairs, right and wrong ones, each with a weight."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, SIZE - 1),
                st.integers(1, SIZE - 1),
                st.booleans(),
                st.sampled_from([0.1, 0.3, 0.7, 1.0, 2.5]),
            ),
            max_size=40,
        )
    )
    pairs = [(left, (left + step) % SIZE, is_same, weight) for left, step, is_same, weight in rows]
    return Labels(
        np.array([min(left, right) for left, right, _, _ in pairs], dtype=np.int32),
        np.array([max(left, right) for left, right, _, _ in pairs], dtype=np.int32),
        np.array([is_same for _, _, is_same, _ in pairs], dtype=bool),
        np.array([weight for *_, weight in pairs], dtype=np.float64),
    )


@settings(max_examples=20)
@given(labels=answers(), random=st.randoms(use_true_random=False))
def test_no_order_of_labels_changes_a_model(labels: Labels, random: Random) -> None:
    order = list(range(len(labels)))
    random.shuffle(order)
    turned = Labels(labels.left[order], labels.right[order], labels.is_same[order], labels.weight[order])

    first = learn_supervised(COMPANIES.forms, MODEL, labels, seed=0)
    second = learn_supervised(COMPANIES.forms, MODEL, turned, seed=0)

    assert write_model(first.model) == write_model(second.model)
    assert first.report == second.report


@settings(max_examples=20)
@given(labels=answers())
def test_a_learnt_model_is_monotone_keeps_its_lines_and_explains_itself(labels: Labels) -> None:
    learnt = learn_supervised(COMPANIES.forms, MODEL, labels, seed=0).model

    for comparison in learnt.comparisons:
        bits = [level.bits for level in comparison.levels]
        assert bits == sorted(bits, reverse=True)
    assert (learnt.match_bits, learnt.review_bits) == (MODEL.match_bits, MODEL.review_bits)
    assert read_model(write_model(learnt)).version == learnt.version
    for told in explain_many(COMPANIES.forms, [0, 1, 2], [3, 2, 5], learnt):
        parts = [told.prior_bits, *(part for step in told.steps for part in (step.bits, step.frequency_bits))]
        assert sum(Decimal(str(part)) for part in parts) == Decimal(str(told.bits))


@settings(max_examples=30)
@given(
    rows=st.lists(
        st.tuples(
            st.tuples(st.integers(-1, 2), st.integers(-1, 1), st.integers(-1, 1), st.integers(-1, 1)),
            st.integers(0, 200),
            st.integers(0, 200),
        ),
        min_size=1,
        max_size=20,
        unique_by=lambda row: row[0],
    ),
    copies=st.integers(2, 5),
)
def test_labels_of_a_pattern_count_the_same_told_together_or_apart(
    rows: list[tuple[tuple[int, int, int, int], int, int]], copies: int
) -> None:
    levels = np.array([row[0] for row in rows], dtype=np.int8)
    same, different = np.array([row[1] for row in rows], float), np.array([row[2] for row in rows], float)
    together = LabelledPatterns(levels, np.zeros(len(rows)), same, different)
    apart = LabelledPatterns(
        np.repeat(levels, copies, axis=0),
        np.zeros(len(rows) * copies),
        np.repeat(same / copies, copies),
        np.repeat(different / copies, copies),
    )

    first, second = (fit(replace(MODEL, rules=()), told, Pull(0.5, 5.0)) for told in (together, apart))

    for left, right in zip(first.comparisons, second.comparisons, strict=True):
        for one, other in zip(left.levels, right.levels, strict=True):
            assert abs(one.bits - other.bits) < 0.021  # a hundredth may round the other way
