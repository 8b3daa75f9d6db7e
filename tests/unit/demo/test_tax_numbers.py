"""Invented tax numbers obey the check digits of their country, and mistyped ones do not."""

from random import Random

import pytest
from stdnum import lei

from mdm.demo.tax_numbers import (
    COUNTRIES_WITHOUT_CHECK_DIGITS,
    PATTERNS,
    lei_number,
    registration_number,
    tax_number,
    tax_number_is_valid,
    with_wrong_check_digit,
)


@pytest.mark.parametrize("country", PATTERNS)
def test_drawn_numbers_are_valid(country: str) -> None:
    random = Random(1)

    assert all(tax_number_is_valid(country, tax_number(country, random)) for _ in range(25))


@pytest.mark.parametrize("country", sorted(PATTERNS.keys() - COUNTRIES_WITHOUT_CHECK_DIGITS))
def test_a_mistyped_number_is_invalid_and_one_digit_away(country: str) -> None:
    number = tax_number(country, Random(2))

    wrong = with_wrong_check_digit(country, number)

    assert not tax_number_is_valid(country, wrong)
    assert sum(left != right for left, right in zip(number, wrong, strict=True)) == 1


def test_a_french_registration_number_is_the_siren_of_the_tax_number() -> None:
    assert registration_number("FR", "FR40303265045", Random(3)) == "303265045"


def test_legal_entity_identifiers_are_valid() -> None:
    assert lei.is_valid(lei_number(Random(4)))
