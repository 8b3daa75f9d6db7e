"""Amounts are read as they are written, and a text that only holds digits is none."""

from decimal import Decimal

import pytest

from mdm.entities.amounts import read_amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12", "12"),
        ("-12.50", "-12.5"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("12.", "12"),
        ("1234,5", "1234.5"),
        ("1234,567", "1234.567"),
        ("0,500", "0.5"),
        ("1,234", "1234"),
        ("1.234", "1.234"),
        ("1.234.567", "1234567"),
        ("1,234,567.8", "1234567.8"),
        ("1.234.567,8", "1234567.8"),
        ("1 234 567,89", "1234567.89"),
        ("1 234,500", "1234.5"),
        ("1'234'567.89", "1234567.89"),
        ("1’234", "1234"),
        ("1_234_567", "1234567"),
        ("12,34,567.50", "1234567.5"),
    ],
)
def test_digits_are_read_with_the_groups_that_people_write(text: str, amount: str) -> None:
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.234,50 €", "1234.5"),
        ("€1,500", "1500"),
        ("EUR 12", "12"),
        ("12CHF", "12"),
        ("12 kč", "12"),
        ("12 Kč", "12"),
        ("Rs.500", "500"),
        ("Rs. 12,34,567", "1234567"),
        ("R$ 1.234,50", "1234.5"),
        ("US$ 12", "12"),
        ("$12 CAD", "12"),
        ("12 US dollars", "12"),
        ("1.500,- €", "1500"),
        ("12.-", "12"),
    ],
)
def test_a_currency_may_stand_beside_the_digits(text: str, amount: str) -> None:
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text", ["-12 EUR", "EUR -12", "-€12", "€-12", "(12)", "(12 EUR)", "EUR (12)", "12-", "12- EUR"]
)
def test_a_sign_stands_before_or_behind_and_brackets_are_one(text: str) -> None:
    assert read_amount(text) == -12


@pytest.mark.parametrize(
    "text",
    [
        *(
            "12k",
            "12 K",
            "1.5 Mio",
            "1,5 Mrd",
            "TBD 3",
            "12x",
            "x12",
            "ca 12",
            "12 EUR/h",
            "12 pcs",
            "12 €/$",
            "12 EUR k",
        ),
        *("1.2.3", "1,2,3", "1 2", "12 34", "12.34.567", "1.234.56", "1.234,567.8", "0.123.456", "1,234,56"),
        *("1_2_3", "12'34", "1 234 56", "1.234 567", "2026-06-30", "10:30", "1/2", "12-13", "5 6 EUR"),
        *("", "EUR", "-", ".", "€ .", "()", "(12", "12)", "$.50", "€ .50", "1" * 70 + ",00 euro" + " " * 10),
    ],
)
def test_any_other_text_and_digits_out_of_their_groups_are_no_amount(text: str) -> None:
    assert read_amount(text) is None
