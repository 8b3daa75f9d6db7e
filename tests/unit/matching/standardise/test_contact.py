"""Telephone numbers, e-mail addresses and web sites."""

import phonenumbers
import pytest

from matching.standardise import FORMS


def form(name: str, value: str, country: str = "") -> tuple[str, ...]:
    return FORMS[name]([value], [country])[0]


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("(0221) 123-4567", "de", "492211234567"),
        ("+49 (0)221 1234567", "", "492211234567"),
        ("0049 221 1234567", "us", "492211234567"),
        ("221 1234567 ext. 12", "de", "492211234567"),
        ("020 7946 0958", "gb", "442079460958"),
        ("+44 20 7946 0958 x7", "", "442079460958"),
        ("(312) 874-3985", "us", "13128743985"),
        ("1-800-FLOWERS", "us", "18003569377"),
        ("06 1 234 5678", "hu", "3612345678"),
        ("8 (495) 123-45-67", "ru", "74951234567"),
        ("02 1234 5678", "it", "390212345678"),
        ("22 12 34 56", "no", "4722123456"),
        ("011 15 2345-6789", "ar", "5491123456789"),
    ],
)
def test_a_phone_number_is_international_in_its_country(value: str, country: str, expected: str) -> None:
    assert form("phone", value, country) == (expected,)


def test_a_phone_number_without_country_keeps_its_last_nine_digits() -> None:
    assert form("phone", "020 7946 0958") == ("079460958",)


def test_a_local_number_without_area_code_stays_usable() -> None:
    assert form("phone", "874-3985", "us") == form("phone", "8743985") == ("8743985",)


@pytest.mark.parametrize("value", ["0000000", "123456789", "n/a", "555", "+", "999 999 9999"])
def test_a_filler_is_no_phone_number(value: str) -> None:
    assert form("phone", value, "us") == ()


@pytest.mark.parametrize(
    "region", ["DE", "PT", "GB", "US", "IT", "ES", "NL", "CH", "SE", "JP", "IN", "AU", "BR", "MX", "RU", "ZA"]
)
def test_our_digits_are_those_of_phonenumbers(region: str) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    national = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
    expected = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")

    assert form("phone", national, region.lower()) == (expected,)
    assert form("phone", f"+{expected}") == (expected,)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("John.Doe+crm@Gmail.com", ("johndoe@gmail.com",)),
        ("johndoe@googlemail.com", ("johndoe@gmail.com",)),
        ("Foo Bar <Foo.Bar@Acme.co.uk>", ("foo.bar@acme.co.uk",)),
        ("mailto:j@müller.de", ("j@xn--mller-kva.de",)),
        ("noreply@acme.com", ()),
        ("jane@example.com", ()),
        ("not an address", ()),
    ],
)
def test_an_email_address_is_one_mailbox(value: str, expected: tuple[str, ...]) -> None:
    assert form("email", value) == expected


def test_a_mail_domain_is_kept_unless_anybody_may_have_it() -> None:
    assert form("email_domain", "a@mail.acme.co.uk") == ("acme.co.uk",)
    assert form("email_domain", "a@outlook.com") == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://www.acme.co.uk/path?x=1", ("acme.co.uk",)),
        ("http://user:secret@shop.acme.de:8080/", ("acme.de",)),
        ("ACME.com", ("acme.com",)),
        ("müller.de", ("xn--mller-kva.de",)),
        ("https://www.linkedin.com/company/acme", ()),
        ("localhost", ()),
        ("1.2.3.4", ()),
        ("no web site", ()),
    ],
)
def test_a_domain_is_the_registrable_one(value: str, expected: tuple[str, ...]) -> None:
    assert form("domain", value) == expected
