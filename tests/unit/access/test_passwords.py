"""Passwords: what may become one, and that a hash is checked whatever is given."""

import pytest

from mdm.access.passwords import STANDARD_COST, PasswordCost, check_password, hash_password, verify_password
from mdm.errors import InputInvalid
from mdm.settings import Settings

QUICK = PasswordCost(memory_kib=8, passes=1)


@pytest.mark.parametrize(
    "password",
    [
        "seven green boats",
        "Zwölf Boxkämpfer jagen",
        "ਬਾਰਾਂ ਅੱਖਰ ਹਨ ਇੱਥੇ",
        "🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧",
        "savannah trees grow",  # has "anna" in it, and enough besides
        "x7#" + "ab c" * 3,
        " leading and trailing ",
    ],
)
def test_what_is_long_and_unusual_may_be_a_password(password: str) -> None:
    check_password(password, login="anna@example.com")

    assert verify_password(hash_password(password, QUICK), password, QUICK).is_right


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least 12"),
        ("elevenchars", "at least 12"),
        ("ﬃ" * 3, "at least 12"),  # three signs that NFKC writes with nine letters
        ("anna@example.com", "login"),
        ("Anna@Example.com!", "login"),
        ("anna-anna-anna", "login"),
        ("aaaaaaaaaaaaaaaa", "guessed first"),
        ("121212121212", "guessed first"),
        ("123456789012", "guessed first"),
        ("9876543210987", "guessed first"),
        ("abcdefghijklm", "guessed first"),
        ("qwertyuiopas", "guessed first"),
        ("Password2026!", "guessed first"),
        ("passwordpassword", "guessed first"),
        ("P@ssw0rd1234", "guessed first"),
        ("correct horse battery staple", "guessed first"),
        ("Welcome-2026!!", "guessed first"),
        ("seven green boats\0", "control"),
        ("seven green\nboats", "control"),
        ("seven green boats\ud800", "control"),
        ("x" * 1_025, "1024 bytes"),
        ("é" * 600, "1024 bytes"),
        ("\ufdfa" * 200, "1024 bytes"),  # NFKC writes each with eighteen letters
    ],
)
def test_what_is_short_own_or_guessed_first_is_refused_with_the_reason(password: str, why: str) -> None:
    with pytest.raises(InputInvalid, match=why) as refused:
        check_password(password, login="anna@example.com")

    assert refused.value.field == "password"
    assert password[:40] not in refused.value.message or not password


def test_composed_and_decomposed_letters_are_the_same_password() -> None:
    stored = hash_password("zwo\u0308lf boxka\u0308mpfer", QUICK)

    assert verify_password(stored, "zwölf boxkämpfer", QUICK).is_right


def test_two_hashes_of_one_password_differ_and_name_their_parameters() -> None:
    first, second = (hash_password("seven green boats", QUICK) for _ in range(2))

    assert first != second
    assert first.startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_a_hash_of_other_parameters_is_right_and_outdated() -> None:
    stored = hash_password("seven green boats", QUICK)

    assert not verify_password(stored, "seven green boats", QUICK).is_outdated
    assert verify_password(stored, "seven green boats", PasswordCost(memory_kib=16, passes=1)).is_outdated
    assert not verify_password(stored, "wrong", PasswordCost(memory_kib=16, passes=1)).is_outdated


@pytest.mark.parametrize("stored", [None, "", "$argon2id$broken", "plain text"])
@pytest.mark.parametrize("password", ["seven green boats", "-", ""])
def test_without_a_usable_hash_no_password_is_right(stored: str | None, password: str) -> None:
    assert not verify_password(stored, password, QUICK).is_right


@pytest.mark.parametrize("password", ["x" * 10_000, "\ufdfa" * 1_000, "\ud800", "-"])
def test_an_impossible_password_is_wrong(password: str) -> None:
    assert not verify_password(hash_password("-" * 12, QUICK), password, QUICK).is_right


def test_the_standard_cost_is_what_the_settings_say_when_nobody_sets_it() -> None:
    assert PasswordCost.of(Settings()) == STANDARD_COST == PasswordCost(memory_kib=65_536, passes=3)
