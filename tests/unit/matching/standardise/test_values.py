"""Dates, numbers, years, currencies and free text."""

import pytest

from matching.standardise import FORMS


def form(name: str, value: str, country: str = "") -> tuple[str, ...]:
    return FORMS[name]([value], [country])[0]


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("2024-03-04", "", "2024-03-04"),
        ("2024-03-04T10:00:00Z", "", "2024-03-04"),
        ("20240304", "", "2024-03-04"),
        ("03/04/2024", "", "2024-04-03"),
        ("03/04/2024", "us", "2024-03-04"),
        ("13/04/2024", "us", "2024-04-13"),
        ("04/13/2024", "gb", "2024-04-13"),
        ("4.3.24", "de", "2024-03-04"),
        ("2. März 2024", "de", "2024-03-02"),
        ("Jan 12, 1999", "", "1999-01-12"),
        ("12 de enero de 2024", "es", "2024-01-12"),
    ],
)
def test_a_day_is_written_one_way(value: str, country: str, expected: str) -> None:
    assert form("date", value, country) == (expected,)


@pytest.mark.parametrize("value", ["1900-01-01", "31.12.9999", "31/02/2024", "2024", "soon"])
def test_what_is_no_day_gives_nothing(value: str) -> None:
    assert form("date", value) == ()


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("1.234,50 €", "", "1234.5"),
        ("1,234.5", "", "1234.5"),
        ("1'000.00", "ch", "1000"),
        ("1 234,5", "fr", "1234.5"),
        ("1,234", "", "1234"),
        ("1.234", "de", "1234"),
        ("1.234", "us", "1.234"),
        ("1,5", "us", "1.5"),
        ("(12)", "", "-12"),
        ("-0", "", "0"),
        ("1.2E+05", "", "120000"),
    ],
)
def test_a_number_is_plain_decimal_text(value: str, country: str, expected: str) -> None:
    assert form("number", value, country) == (expected,)


def test_a_year_a_currency_and_a_text_have_one_spelling() -> None:
    assert form("year", "FY 1999") == ("1999",)
    assert form("currency", "€") == form("currency", "Euro") == ("eur",)
    assert form("currency", "Pound Sterling") == ("gbp",)
    assert form("text", "Phase 2: Müller’s  ERP") == ("phase 2 mullers erp",)
