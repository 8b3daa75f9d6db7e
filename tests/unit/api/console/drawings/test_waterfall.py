"""A waterfall stays on its axis, meets from row to row, and tells for from against."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.drawings.waterfall import WIDTH_MIN, waterfall

FEW = settings(max_examples=40)  # each is a second of all runs

BITS = st.floats(-300, 300, allow_nan=False)


@FEW
@given(BITS, st.lists(BITS, max_size=12), st.none() | BITS, st.none() | BITS)
def test_every_place_is_on_the_axis_and_connectors_meet(
    prior: float, steps: list[float], review: float | None, match: float | None
) -> None:
    fall = waterfall(prior, [("x", bits) for bits in steps], review_bits=review, match_bits=match)

    bars = (fall.prior, *fall.steps, fall.total)
    assert all(0 <= place <= 100 for bar in bars for place in (bar.start, bar.end, bar.left, bar.width))
    assert all(bar.left + bar.width <= 100.01 for bar in bars)
    assert all(bar.width >= WIDTH_MIN for bar in bars if bar.sign != "none" and bar is not fall.prior)
    assert all(0 <= line.place <= 100 for line in fall.lines)
    assert [bar.start for bar in (*fall.steps, fall.total)][: len(steps)] == [
        bar.end for bar in (fall.prior, *fall.steps)
    ][: len(steps)]
    assert fall.total.end == (fall.steps or (fall.prior,))[-1].end


def test_the_axis_holds_prior_sum_lines_and_even_odds() -> None:
    # Reached: -8, 2, -1. The axis goes from -8 to 4 (the match line), 12 bits, and 0.36 on both sides: 12.72 in all.
    fall = waterfall(-8, [("name", 10), ("city", -3), ("phone", 0)], review_bits=0, match_bits=4)

    assert fall.prior.end == pytest.approx(100 * 0.36 / 12.72, abs=0.01)
    assert [bar.sign for bar in fall.steps] == ["pos", "neg", "none"]
    name, city, phone = fall.steps
    assert (name.left, name.width) == pytest.approx((2.83, 100 * 10 / 12.72), abs=0.01)
    assert (city.left, city.width) == pytest.approx((100 * 7.36 / 12.72, 100 * 3 / 12.72), abs=0.01)
    assert (phone.width, phone.end) == (0, city.end)
    assert [line.name for line in fall.lines] == ["zero", "review", "match"]
    assert [line.place for line in fall.lines] == pytest.approx([65.72, 65.72, 97.17], abs=0.01)
    assert fall.total.bits == -1
    assert fall.total.sign == "neg"


def test_bits_without_end_are_a_bug() -> None:
    with pytest.raises(AssertionError, match="finite"):
        waterfall(0, [("x", float("inf"))])
