"""Rates: how they are printed, and how long to wait."""

import pytest

from mdm.access.rates_model import Rate, parse_own_rates, print_own_rates
from mdm.errors import InputInvalid


def test_a_rate_is_read_and_printed() -> None:
    assert Rate.parse("6000/60") == Rate(6_000, 60)
    assert str(Rate(6_000, 60)) == "6000/60"
    assert Rate(6_000, 60).per_s == 100.0


@pytest.mark.parametrize(
    "printed", ["", "60", "0/60", "60/0", "-1/60", "6_000/60", "60/60s", "1/10000", "1000000000/1"]
)
def test_what_is_no_rate_is_refused(printed: str) -> None:
    with pytest.raises(InputInvalid, match="is not a rate"):
        Rate.parse(printed)


def test_own_rates_stand_in_one_order_and_print_as_they_are_read() -> None:
    rates = parse_own_rates(["bulk_read=10/1", "read=6000/60"])

    assert rates == (("read", Rate(6_000, 60)), ("bulk_read", Rate(10, 1)))
    assert print_own_rates(rates) == ["read=6000/60", "bulk_read=10/1"]


@pytest.mark.parametrize("printed", [["reads=1/1"], ["read=1/1", "read=2/1"], ["1/1"]])
def test_a_name_that_is_none_or_stands_twice_is_refused(printed: list[str]) -> None:
    with pytest.raises(InputInvalid, match="names no rate"):
        parse_own_rates(printed)


def test_waiting_is_told_in_whole_seconds() -> None:
    rate = Rate(20, 60)  # a token every three seconds

    assert [rate.wait_s(missing) for missing in (0.1, 1, 1.5, 20)] == [1, 3, 5, 60]
