"""Comparators say how like two forms are; the bands of company names are what the levels of a model stand on."""

import numpy as np
import pytest

from matching.comparators import COMPARATORS
from matching.model import EMPTY_POPULATION, Population
from matching.term_frequency import token_rarity
from matching.vocabulary import Vocabulary


def likeness(comparator: str, left: str, right: str, population: Population = EMPTY_POPULATION) -> float:
    values = list(dict.fromkeys([left, right]))
    first, second = np.array([0]), np.array([len(values) - 1])
    words = Vocabulary(values, token_rarity(population, "name"))
    there = COMPARATORS[comparator](words, first, second)[0]
    assert there == COMPARATORS[comparator](words, second, first)[0], "the order of the two does not matter"
    return round(float(there), 2)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("ashcroft plastics", "ashcroft plastics", 1.0),
        ("ashcroft plastics", "plastics ashcroft", 0.95),
        ("ashcroft plastics", "ashcroftplastics", 0.95),
        ("ashcroft plastics", "ashcroft plastcs", 0.94),
        ("ashcroft logistics", "ashcroft log", 0.94),
        ("ashcroft plastics", "ashcroft plastics group", 0.85),
        ("ashcroft plastics", "ap", 0.8),
        ("ashcroft plastics", "ashcroft", 0.7),
        ("quarrenden plastics", "quarrenden solutions", 0.3),  # two of four words are shared: 0.6 · 2 / 4
        ("acme services", "acme holding", 0.3),
        ("ashcroft plastics", "quarrenden foods", 0.0),
        ("acme foods", "acme foods 2023", 0.4),  # a successor
        ("store 12", "store 14", 0.3),  # numbers do not slip
    ],
)
def test_names_of_companies_fall_into_bands(left: str, right: str, expected: float) -> None:
    assert likeness("company_name", left, right) == expected


def test_common_words_alone_make_no_likeness_of_companies() -> None:
    busy = Population(1_000_000, {"name tokens": {"logistics": 50_000}}, frozenset(), {})

    assert likeness("company_name", "logistics", "logistics north") == 0.7
    assert likeness("company_name", "logistics", "logistics north", busy) == 0.2


def test_sister_companies_are_as_unlike_however_common_their_own_words_are() -> None:
    busy = Population(1_000_000, {"name tokens": {"plastics": 50_000, "solutions": 90_000}}, frozenset(), {})

    assert likeness("company_name", "quarrenden plastics", "quarrenden solutions", busy) == 0.3


@pytest.mark.parametrize(
    ("comparator", "left", "right", "expected"),
    [
        ("exact", "a", "b", 0.0),
        ("string", "martha", "marhta", 0.96),  # Winkler's own example
        ("edits", "abcd", "abdc", 0.75),  # one swap of four letters
        ("identifier", "1234567", "1234576", 0.9),
        ("identifier", "12345", "12354", 0.0),  # too short to tell a slip from another number
        ("phone", "4920712345678", "0712345678", 0.95),
        ("phone", "4920712345678", "4920712345679", 0.8),
        ("phone", "4920712345600", "4920712345678", 0.6),
        ("phone", "4920712345678", "4930999999999", 0.0),
        ("number", "90", "100", 0.9),
        ("number", "0", "0.0", 1.0),
        ("date", "1990-03-04", "1990-04-03", 0.9),
        ("date", "1990-03-04", "1990-03-14", 0.9),
        ("date", "1990-03-04", "1990-03-25", 0.8),
        ("date", "1990-03-04", "1990-11-25", 0.7),
        ("date", "1990-03-04", "1991-11-25", 0.5),
        ("date", "1990-03-04", "1985-11-25", 0.0),
        ("postal_code", "e948de", "e948df", 0.85),
        ("postal_code", "60610", "60624", 0.48),  # three of five: 0.8 · 3 / 5
        ("tokens", "query processing", "processing query", 1.0),
        ("street", "w division st", "w division", 0.9),
        ("person_name", "thomas chitty", "t chitty", 0.9),
        ("person_name", "thomas chitty", "thomas", 0.75),
        ("telling_name", "smith", "smith", 0.33),
        ("telling_name", "quarrenden precision castings", "quarrenden precision castings", 1.0),
        ("telling_name", "quarrenden castings", "ashcroft foods", 0.0),
    ],
)
def test_other_values_are_alike_as_their_kind_asks(comparator: str, left: str, right: str, expected: float) -> None:
    assert likeness(comparator, left, right) == expected
