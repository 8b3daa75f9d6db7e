"""Addresses in several languages."""

import pytest

from matching.standardise import FORMS


def form(name: str, value: str, country: str = "") -> tuple[str, ...]:
    return FORMS[name]([value], [country])[0]


@pytest.mark.parametrize(
    ("value", "country", "street", "number"),
    [
        ("197 High Street, Suite 4", "gb", "high st", "197"),
        ("3rd floor, 10 Downing Street", "gb", "downing st", "10"),
        ("432 East 134th St.", "us", "e 134 st", "432"),
        ("9208-9214 South Cottage Grove", "us", "s cottage grv", "9208"),
        ("500 Main St #12", "us", "main st", "500"),
        ("Hauptstraße 5a", "de", "hauptstr", "5a"),
        ("Berliner Str. 12 B", "de", "berlinerstr", "12b"),
        ("Straße des 17. Juni 135", "de", "st des 17 juni", "135"),
        ("12 rue de la Paix", "fr", "rue de la paix", "12"),
        ("C/ Mayor 5, 3º", "es", "calle mayor", "5"),
        ("Via Roma 12", "it", "via roma", "12"),
        ("Keizersgracht 126-128", "nl", "keizersgracht", "126"),
    ],
)
def test_a_street_is_parted_from_its_number_and_unit(value: str, country: str, street: str, number: str) -> None:
    assert form("street", value, country) == (street,)
    assert form("house_number", value, country) == (number,)


@pytest.mark.parametrize(
    ("first", "second", "country"),
    [
        ("Hauptstraße 5", "Hauptstr. 5", "de"),
        ("Berliner Straße", "Berlinerstr.", "de"),
        ("5th Avenue", "Fifth Ave", "us"),
        ("Avenida Diagonal 3", "Av. Diagonal 3", "es"),
        ("P.O. Box 77", "PO Box 77", "us"),
        ("North Main Street", "N Main St", "us"),
    ],
)
def test_spellings_of_a_street_meet(first: str, second: str, country: str) -> None:
    assert form("street", first, country) == form("street", second, country) != ()


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("SW1A 1AA", "gb", "sw1a1aa"),
        ("60613-1234", "us", "60613"),
        ("2134", "us", "02134"),
        ("D-80331", "de", "80331"),
        ("1234 AB", "nl", "1234ab"),
        ("K1A 0B1", "ca", "k1a0b1"),
        ("01-234", "pl", "01234"),
        ("1010", "at", "1010"),
    ],
)
def test_a_postal_code_follows_its_country(value: str, country: str, expected: str) -> None:
    assert form("postal_code", value, country) == (expected,)


@pytest.mark.parametrize(
    ("expected", "spellings"),
    [
        ("munich", ("München", "Muenchen", "MUNICH", "Monaco di Baviera", "80331 München")),
        ("vienna", ("Wien", "Vienne", "Vienna")),
        ("cologne", ("Köln", "Koeln", "Cologne", "Keulen")),
        ("frankfurt", ("Frankfurt am Main", "Frankfurt/Main", "Frankfurt a.M.")),
        ("saint louis", ("St. Louis", "Saint Louis", "St Louis, MO")),
        ("paris", ("Paris Cedex 08", "75008 Paris", "París")),
        ("beijing", ("北京", "Peking")),
        ("moscow", ("Москва", "Moskau")),
        ("new york", ("NYC", "New York City")),
        ("unna", ("Unna",)),
    ],
)
def test_a_city_has_one_name_in_all_languages(expected: str, spellings: tuple[str, ...]) -> None:
    assert {form("city", spelling) for spelling in spellings} == {(expected,)}


@pytest.mark.parametrize(
    ("expected", "spellings"),
    [
        ("gb", ("UK", "GBR", "United Kingdom", "England", "Vereinigtes Königreich")),
        ("de", ("DE", "deu", "Germany", "Deutschland", "Allemagne")),
        ("us", ("USA", "U.S.A.", "United States of America", "États-Unis")),
        ("nl", ("The Netherlands", "Netherlands", "Holland")),
        ("jp", ("日本", "Japan")),
        ("na", ("NA", "Namibia")),
    ],
)
def test_a_country_is_known_by_codes_and_names(expected: str, spellings: tuple[str, ...]) -> None:
    assert {form("country", spelling) for spelling in spellings} == {(expected,)}


def test_an_unknown_country_gives_nothing() -> None:
    assert form("country", "Atlantis") == form("country", "n/a") == ()
