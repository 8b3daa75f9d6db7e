"""Words by which people find a golden record: folded, distinct, bounded."""

import pytest

from mdm.errors import InputInvalid
from mdm.survivorship.search_words import LENGTH_MAX, patterns, search_words


def test_texts_and_numbers_are_found_however_deep_they_lie() -> None:
    told = {"name": "Müller & Söhne GmbH", "addresses": [{"city": "Köln", "number": 7}], "note": None}

    assert search_words("cus_1", told, ("netsuite-us", "10482")) == " cus 1 muller sohne gmbh koln 7 netsuite us 10482 "


def test_a_word_stands_once_and_the_whole_is_bounded() -> None:
    assert search_words("Acme acme ACME") == " acme "
    assert len(search_words([f"word{number}" for number in range(5_000)])) == LENGTH_MAX


def test_a_long_word_is_sought_as_a_part_and_a_short_one_as_a_whole() -> None:
    assert patterns("Mueller 3M mueller") == ["%muller%", "% 3m %"]
    assert patterns("% _ \\") == []


def test_more_words_than_anybody_types_are_refused() -> None:
    with pytest.raises(InputInvalid, match="at most 12 words"):
        patterns(" ".join(map(str, range(100, 113))))
