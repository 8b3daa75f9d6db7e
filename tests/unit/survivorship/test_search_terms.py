"""The terms of values: the same whatever way something is written, and bounded."""

import pytest

from mdm.survivorship.search_terms import (
    NAMES_MAX,
    TERMS_MAX,
    number_forms,
    search_row,
    slips,
    sought_in,
    terms_of,
)
from tests.hubs import declared


def terms(attribute: str, text: str, country: str = "") -> set[str]:
    """Give the terms of a customer's value."""
    (sought,) = [one for one in sought_in(declared()["customer"]) if one.attribute == attribute]
    return set(terms_of(sought.kind, sought.name_kind, text, country))


def test_a_name_gives_its_words_its_slips_and_itself_without_legal_form() -> None:
    assert terms("legal_name", "Rød Ko GmbH", "DE") == {
        *("wrod", "wko", "wgmbh"),
        *("fmbh", "fgbh", "fgmh", "fgmb"),
        *("erodko", "erodkogmbh"),
    }


def test_a_slip_is_a_word_with_one_letter_missing() -> None:
    assert set(slips("acme")) == {"cme", "ame", "ace", "acm"}
    assert set(slips("abc")) == set(slips("123456")) == set(slips("x" * 25)) == set()
    # A swapped, a wrong, a missing and an added letter all meet the word in some slip.
    for typed in ("kesterl", "kestral", "kestel", "kestreel"):
        assert {typed, *slips(typed)} & {"kestrel", *slips("kestrel")}


@pytest.mark.parametrize("written", ["DE 136 695 976", "de136695976", "DE-136.695.976", "DE136695976 "])
def test_a_number_is_the_same_in_every_format(written: str) -> None:
    assert terms("tax_ids", written, "DE") == {"nde136695976", "n136695976"}


def test_a_number_loses_leading_zeros_and_its_letters_when_enough_is_left() -> None:
    assert number_forms("PRJ-0042") == ("prj0042", "prj42", "0042", "42")
    assert number_forms("A-7") == ("a7",)
    assert number_forms("none") == ()


def test_a_telephone_number_is_turned_round_with_its_country_code() -> None:
    # 49 221 9876540 from its end, and each as it was typed.
    assert terms("phones", "+49 (0)221 9876-540", "DE") == {"r045678912294", "r0456789122094"}
    assert terms("phones", "0221/9876540", "DE") == {"r045678912294", "r0456789122"}


def test_addresses_give_their_host_unless_everybody_has_one_there() -> None:
    assert terms("emails", "Info@Acme.example.org") == {"minfo@acme.example.org"}
    assert terms("emails", "Info@acme-tools.de") == {"minfo@acme-tools.de", "dacme-tools.de"}
    assert terms("emails", "somebody@gmail.com") == {"msomebody@gmail.com"}
    assert terms("website", "https://www.acme-tools.de/kontakt") == {"dacme-tools.de"}


def test_a_record_of_endless_values_stays_bounded() -> None:
    values = {"trading_names": [f"Word{'x' * (place % 20)}{place} Ltd" for place in range(3_000)]}

    row = search_row(declared()["customer"], "cus_1", values, [])

    assert (len(row.terms), len(row.names)) == (TERMS_MAX, NAMES_MAX)
    assert max(map(len, row.terms)) <= 120


def test_values_of_another_shape_than_declared_are_passed_over() -> None:
    values = {"legal_name": 7, "phones": [{"number": "1"}], "tax_ids": None}

    assert search_row(declared()["customer"], "cus_1", values, []).terms == ()
