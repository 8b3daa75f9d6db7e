"""Numbers, bits, ages and names are said in the reader's language."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.views import vocabulary
from api.console.views.words import words
from mdm.decisions.model import INVERSES, JUDGEMENTS, RELATIONS
from mdm.entities.model import ReviewKind, Strategy
from mdm.identity.model import CauseKind

FEW = settings(max_examples=40)  # each is a second of all runs

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
EN, DE = words("en"), words("de")


@pytest.mark.parametrize(
    ("bits", "english", "german"),
    [
        (7.6, "+7.6", "+7,6"),
        (-4.64, "\u22124.6", "\u22124,6"),
        (0.04, "0", "0"),
        (1234.5, "+1,234.5", "+1.234,5"),
        (float("-inf"), "\u2212∞", "\u2212∞"),
    ],
)
def test_bits_have_a_sign_and_one_decimal(bits: float, english: str, german: str) -> None:
    assert (EN.bits(bits), DE.bits(bits)) == (english, german)


@pytest.mark.parametrize(
    ("share", "said"), [(0.943, "94%"), (0.9999, "99%"), (0.001, "1%"), (1.0, "100%"), (0.0, "0%")]
)
def test_only_certainty_is_a_hundred_percent(share: float, said: str) -> None:
    assert EN.percent(share) == said


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=14), "14 min"),
        (timedelta(hours=23.9), "23 h"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=59), "59 d"),
        (timedelta(days=60), "1 mo"),
        (timedelta(days=250), "8 mo"),
        (timedelta(days=366), "1 y"),
        (-timedelta(days=2), "2 d"),
    ],
)
def test_an_age_is_told_in_few_letters(ago: timedelta, said: str) -> None:
    assert EN.age(NOW - ago, NOW) == said


def test_an_age_in_words_knows_past_and_future() -> None:
    assert EN.ago(NOW - timedelta(days=3), NOW) == "3 days ago"
    assert DE.ago(NOW + timedelta(days=3), NOW) == "in 3 Tagen"
    assert EN.ago(NOW, NOW) == "just now"


def test_times_are_told_in_the_zone_of_the_reader() -> None:
    east = words("de", zone=timezone(timedelta(hours=14)))

    assert east.day(NOW) == "26.11.2026"
    assert east.moment(NOW) == "26.11.2026 02:00"
    assert east.tick(NOW, "hour") == "02:00"


def test_a_time_that_the_zone_of_the_reader_has_no_year_for_is_told_in_utc() -> None:
    east, west = words("en", zone=timezone(timedelta(hours=14))), words("en", zone=timezone(timedelta(hours=-12)))

    assert east.moment(datetime.max.replace(tzinfo=UTC)) == EN.moment(datetime.max.replace(tzinfo=UTC))
    assert west.day(datetime.min.replace(tzinfo=UTC)) == EN.day(datetime.min.replace(tzinfo=UTC))


def test_large_numbers_are_shortened() -> None:
    assert (EN.short_number(9_999), EN.short_number(1_234_567), EN.number(-1_234)) == ("9,999", "1.2M", "\u22121,234")


def test_words_are_translated_and_names_of_products_are_not() -> None:
    shouting = words("en", translate=str.upper)

    assert shouting.word("rule", "most_recent") == "MOST RECENT"
    assert shouting.word("system", "netsuite") == "NetSuite"
    assert shouting.word("rule", "my_own_rule") == "my own rule"


def test_the_direction_follows_the_language() -> None:
    assert (EN.direction, words("ar").direction, words("de-CH").direction) == ("ltr", "rtl", "ltr")


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        ("rule", get_args(Strategy)),
        ("review", get_args(ReviewKind)),
        ("cause", get_args(CauseKind)),
        ("judgement", JUDGEMENTS),
        ("relation", (*RELATIONS, *INVERSES.values())),
    ],
)
def test_every_name_of_the_hub_has_a_plain_word(subject: str, names: tuple[Any, ...]) -> None:
    assert [name for name in names if not vocabulary.is_known(subject, name)] == []


@FEW
@given(st.floats(-1e6, 1e6), st.sampled_from(["en", "de", "fr", "ar", "ja", "hi"]))
def test_bits_of_any_size_can_be_said_in_any_language(bits: float, locale: str) -> None:
    said = words(locale).bits(bits)

    assert said[0] in "+\u22120" or round(bits, 1) == 0
