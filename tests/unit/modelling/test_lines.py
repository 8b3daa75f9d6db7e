"""What a position of the two lines costs, counted by hand on a few pairs."""

import numpy as np
import pytest

from matching.model import MATCH, NON_MATCH, POSSIBLE_MATCH
from mdm.modelling.lines import BITS_MAX, BITS_MIN, calibrate, histogram, position, snapped, weights_of
from mdm.modelling.scoring import Scored


def scored(*pairs: tuple[float, int, int, bool]) -> Scored:
    """Give pairs by bits, the least and the most that rules allow, and whether a veto parts them."""
    count = len(pairs)
    return Scored(
        np.zeros(count, np.int32),
        np.arange(1, count + 1, dtype=np.int32),
        np.array([one[0] for one in pairs], dtype=np.float64),
        np.array([one[1] for one in pairs], dtype=np.int8),
        np.array([one[2] for one in pairs], dtype=np.int8),
        np.array([one[3] for one in pairs], dtype=bool),
    )


PAIRS = scored(
    (9.2, NON_MATCH, MATCH, False),  # matched from 9 on
    (5.2, NON_MATCH, MATCH, False),
    (5.2, NON_MATCH, POSSIBLE_MATCH, False),  # a rule holds it down: asked about, however high it stands
    (1.2, POSSIBLE_MATCH, MATCH, False),  # a rule lifts it: asked about, however low it stands
    (1.2, NON_MATCH, MATCH, False),
    (30.0, NON_MATCH, MATCH, True),  # a veto keeps it apart, and it is no match missed
)
NOBODY = calibrate(np.array([]), np.array([], dtype=bool))


@pytest.mark.parametrize(
    ("lines", "matched", "asked", "left"),
    [((3, 8), 1, 3, 2), ((3, 5), 2, 2, 2), ((1, 5), 2, 3, 1), ((10, 10), 0, 1, 5), ((-16, -16), 4, 1, 1)],
)
def test_a_position_counts_what_the_engine_would_decide(
    lines: tuple[float, float], matched: int, asked: int, left: int
) -> None:
    found = position(histogram(PAIRS), NOBODY, lines, seconds_a_pair=36.0)

    assert (found.matched, found.asked, found.left) == (matched, asked, left)
    assert found.hours == pytest.approx(asked * 36 / 3600)
    verdicts = np.where(PAIRS.vetoed, NON_MATCH, PAIRS.verdicts(*lines))
    assert [int((verdicts == one).sum()) for one in (MATCH, POSSIBLE_MATCH, NON_MATCH)] == [matched, asked, left]


def test_hours_are_unknown_while_nobodys_time_is() -> None:
    assert position(histogram(PAIRS), NOBODY, (3, 8), seconds_a_pair=None).hours is None


def test_without_decisions_the_models_claim_speaks() -> None:
    """At 0 bits half of the pairs are the same by the claim: of a hundred that are matched alone, fifty are wrong."""
    pairs = scored(*[(0.1, NON_MATCH, MATCH, False)] * 100)

    found = position(histogram(pairs), NOBODY, (-2, 0), seconds_a_pair=None)

    assert found.wrong.count == pytest.approx(100 / (1 + 2**0.1), abs=0.01)
    assert found.wrong.low < 30
    assert found.wrong.high > 70


def test_many_decisions_outweigh_the_claim_and_narrow_the_bounds() -> None:
    """A thousand pairs at 4 bits, nine of ten the same: the claim of sixteen in seventeen gives way."""
    bits, same = np.full(1000, 4.1), np.arange(1000) % 10 > 0
    pairs = scored(*[(4.1, NON_MATCH, MATCH, False)] * 100)

    found = position(histogram(pairs), calibrate(bits, same), (0, 4), seconds_a_pair=None)

    assert found.wrong.count == pytest.approx(10, abs=1)
    assert found.wrong.low >= 3
    assert found.wrong.high <= 19


def test_a_drawn_part_stands_for_all() -> None:
    """A tenth is drawn: a pair is met when either record is, at odds of 19 in 100, so each met one stands for 5.26."""
    pairs = scored((5.2, NON_MATCH, MATCH, False), (5.2, NON_MATCH, MATCH, False))
    is_drawn = np.array([False, True, False])

    weights = weights_of(is_drawn, pairs, 0.1)

    assert weights.tolist() == pytest.approx([1 / 0.19, 0])
    assert position(histogram(pairs, weights), NOBODY, (3, 5), seconds_a_pair=None).matched == 5


def test_a_line_stands_at_half_bits_within_the_drawing() -> None:
    assert [snapped(one) for one in (1.2, 1.3, -99, 99)] == [1.0, 1.5, BITS_MIN, BITS_MAX]
