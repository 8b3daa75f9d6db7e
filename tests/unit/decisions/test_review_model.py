"""What is at stake is counted, then weighed by the odds of what the question asks."""

import pytest

from mdm.decisions.review_model import Question, Weight, stake
from mdm.entities.model import ReviewKind
from mdm.ids import RecordId


def test_what_hangs_on_a_golden_record_is_counted() -> None:
    # 5 + 2·2 + 3·3 + 2·4
    assert Weight(members=5, published=2, children=3, systems=4).size == 26


@pytest.mark.parametrize(
    ("kind", "bits", "expected"),
    [
        ("possible_match", 0.0, 5.0),  # one in two
        ("possible_match", 2.0, 8.0),  # 4 to 1 that they are one
        ("join", -2.0, 2.0),
        ("split", 2.0, 2.0),  # 1 in 5 that it is not one
        ("weak_bridge", -2.0, 8.0),
        ("possible_match", 10_000.0, 10.0),
        ("decay", 10_000.0, 0.0),
        ("possible_match", -10_000.0, 0.0),
    ],
)
def test_the_stake_is_the_size_times_the_odds_of_being_wrong(kind: ReviewKind, bits: float, expected: float) -> None:
    assert stake(kind, bits, Weight(members=10)) == expected


def test_a_question_is_the_same_from_both_sides() -> None:
    one = Question("join", RecordId("rec_a"), RecordId("rec_b"), 1.0, {})
    other = Question("join", RecordId("rec_b"), RecordId("rec_a"), 2.0, {})

    assert one.key == other.key
