"""What holds for every form: nothing raises, all is ASCII, nothing is empty, and the same alone as among many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.standardise import FORMS

COUNTRIES = st.sampled_from(["", "de", "us", "gb", "fr", "jp", "ar", "br", "xx"])
PIECES = st.sampled_from(
    [
        "GmbH",
        "& Co. KG",
        "S.A.",
        "t/a",
        "(IBM)",
        "+49 (0)",
        "0049",
        "DE136695976",
        "@gmail.com",
        "http://",
        "straße",
        "12/3",
        "n/a",
        "株式会社",
        "müller",
        "\u200b",
        "\ud800",
        "\x00",
        "İ",
        "ß",
        "½",
        "١٢",
        "1,234.5",
        "31.12.",
        "2024",
        "-",
        "''",
        "a.b.c.",
        "Ltd",
        "The",
        "//",
        "[",
    ]
)
VALUES = st.one_of(
    st.text(max_size=40), st.lists(PIECES, max_size=6).map(" ".join), st.lists(PIECES, max_size=6).map("".join)
)
IDEMPOTENT = (
    "text",
    "code",
    "identifier",
    "reference",
    "email",
    "domain",
    "country",
    "currency",
    "date",
    "year",
    "duns",
    "lei",
)


@pytest.mark.parametrize("name", sorted(FORMS))
@settings(max_examples=25)
@given(value=VALUES, country=COUNTRIES)
def test_every_form_of_any_value_is_ascii_and_not_empty(name: str, value: str, country: str) -> None:
    (found,) = FORMS[name]([value], [country])

    assert all(each and each.isascii() and each == each.lower() and each.isprintable() for each in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("name", IDEMPOTENT)
@settings(max_examples=25)
@given(value=VALUES, country=COUNTRIES)
def test_a_form_of_a_form_is_itself(name: str, value: str, country: str) -> None:
    (found,) = FORMS[name]([value], [country])

    assert FORMS[name](list(found), [country] * len(found)) == [(each,) for each in found]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_value_means_the_same_alone_and_among_others(name: str) -> None:
    values = ["Acme GmbH", "n/a", "+49 221 1234567", "2024-03-04", "Hauptstr. 5", "a@acme.de"]
    countries = ["de", "", "", "us", "de", ""]

    alone = [FORMS[name]([value], [country])[0] for value, country in zip(values, countries, strict=True)]

    assert FORMS[name](values, countries) == alone


@pytest.mark.parametrize("name", sorted(set(FORMS) - {"country"}))
@pytest.mark.parametrize("value", ["", " ", "n/a", "N/A", "unknown", "-", "???", "tbd", "see notes", "none"])
def test_a_placeholder_gives_nothing(name: str, value: str) -> None:
    assert FORMS[name]([value], [""]) == [()]


def test_a_very_long_value_is_read_in_part_and_quickly() -> None:
    for name, form in FORMS.items():
        (found,) = form(["Acme (1-" * 200_000], ["de"])

        assert all(len(each) <= 1_100 for each in found), name
