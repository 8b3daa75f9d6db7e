"""Key texts, and hashes of the same texts for many values at once."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.model import EMPTY_POPULATION
from matching.term_frequency import token_rarity
from matching.transforms import TRANSFORMS, Values, key_hashes

RARITY = token_rarity(EMPTY_POPULATION, "name")
WORDS = st.one_of(
    st.sampled_from(["acme", "group", "and", "holdings", "a", "plastics", "ibm"]),
    st.text("abehy019@.é", min_size=1, max_size=9),
)
VALUES = st.lists(st.lists(WORDS, min_size=1, max_size=7).map(" ".join), min_size=1, max_size=8, unique=True)
SIZES: Mapping[str, int] = {"first": 4, "last": 3, "consonants": 6}


@given(VALUES, st.sampled_from(sorted(TRANSFORMS)))
def test_hashes_are_those_of_the_texts(values: list[str], name: str) -> None:
    if name in {
        "first",
        "last",
        "acronym",
        "consonants",
    }:  # letters are cut, and outside ASCII a letter is several bytes
        values = list(dict.fromkeys(value.replace("é", "e") for value in values))
    size = SIZES.get(name, 0)

    owners, hashes = TRANSFORMS[name].hashes(Values(values, RARITY), size)

    assert owners.tolist() == sorted(owners.tolist())
    for place, value in enumerate(values):
        texts = list(TRANSFORMS[name].texts(value, size, RARITY))
        assert sorted(hashes[owners == place].tolist()) == sorted(key_hashes(texts).tolist())


def test_one_value_is_hashed_as_it_is_among_many() -> None:
    together = key_hashes(["acme plastics", "bolt", "été à paris"]).tolist()

    assert [key_hashes([text]).tolist()[0] for text in ("acme plastics", "bolt", "été à paris")] == together


def test_hashes_are_the_same_on_every_machine() -> None:
    assert key_hashes(["acme", "acme plastics", "plastics acme"]).tolist() == FROZEN


def test_letters_that_change_places_make_another_hash() -> None:
    found = key_hashes(["ab cd", "cb ad", "abcd", "acbd", "ab", "ba", "aab", "aba"]).tolist()

    assert len(set(found)) == len(found)


FROZEN = [13014908672138888590, 9070474434710830082, 9070474434710830082]


@pytest.mark.parametrize(
    ("transform", "size", "texts"),
    [
        ("whole", 0, ["acme precision group"]),
        ("first", 4, ["acme"]),
        ("last", 3, ["oup"]),
        ("tokens", 0, ["acme", "group", "precision"]),
        ("telling_tokens", 0, ["acme", "precision"]),
        ("rare_tokens", 1, ["precision"]),
        ("rare_tokens", 3, ["precision", "acme"]),
        ("token_pairs", 0, ["acme precision"]),
        ("sorted_tokens", 0, ["acme group precision"]),
        ("squashed", 0, ["acmeprecisiongroup"]),
        ("acronym", 0, ["ap"]),
        ("consonants", 6, ["acmprc"]),
    ],
)
def test_a_transform_makes_key_texts(transform: str, size: int, texts: list[str]) -> None:
    assert list(TRANSFORMS[transform].texts("acme precision group", size, RARITY)) == texts
