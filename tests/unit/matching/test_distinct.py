"""Distinct codes are told by first appearance, few as well as many."""

import numpy as np
import pytest

from matching.distinct import distinct_codes


@pytest.mark.parametrize("copies", [1, 100])  # six codes, and six hundred, which go another way
def test_codes_stand_in_the_order_in_which_they_first_appear(copies: int) -> None:
    codes = np.array([7, -1, 7, 2**40, -1, 0] * copies, dtype=np.int64)

    distinct, positions = distinct_codes(codes)

    assert distinct.tolist() == [7, -1, 2**40, 0]
    assert positions.tolist() == [0, 1, 0, 2, 1, 3] * copies
    assert [str(one.dtype) for one in (distinct, positions)] == ["int64", "int32"]


def test_no_codes_have_none_distinct() -> None:
    distinct, positions = distinct_codes(np.array([], dtype=np.int64))

    assert (distinct.tolist(), positions.tolist()) == ([], [])
