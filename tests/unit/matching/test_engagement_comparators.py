"""Days of a term and numbers of documents, compared."""

import numpy as np
import pytest

from matching.comparators import COMPARATORS
from matching.vocabulary import Vocabulary


def likeness(comparator: str, left: str, right: str) -> float:
    values = list(dict.fromkeys([left, right]))
    words, first, second = Vocabulary(values, lambda _: 1.0), np.array([0]), np.array([len(values) - 1])
    there = COMPARATORS[comparator](words, first, second)[0]
    assert there == COMPARATORS[comparator](words, second, first)[0], "the order of the two does not matter"
    return float(there)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2025-01-01", "2025-01-01", 1.0),
        ("2025-01-01", "2025-01-04", 0.9),
        ("2025-03-04", "2025-04-03", 0.9),
        ("2025-01-01", "2025-02-01", 0.8),
        ("2025-01-31", "2025-04-30", 0.7),
        ("2025-01-01", "2025-07-01", 0.5),
        ("2024-12-31", "2025-01-01", 0.9),
        ("2024-01-01", "2025-01-01", 0.0),
        ("2025", "2026", 0.0),
    ],
)
def test_days_are_compared_by_their_distance(left: str, right: str, expected: float) -> None:
    assert likeness("days", left, right) == expected


def test_a_year_later_to_the_day_is_a_slip_for_a_birth_and_none_for_a_term() -> None:
    assert likeness("date", "2024-01-01", "2025-01-01") == 0.9
    assert likeness("days", "2024-01-01", "2025-01-01") == 0.0


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("c 100", "c 100", 1.0),
        ("prj 42", "prj42", 1.0),
        ("c 100", "c 100 a 1", 0.0),
        ("c 100 a 1", "c 100 a 2", 0.0),
        ("pr 7 1", "pr 7 2", 0.0),
        ("pr 7", "pr 7 12", 0.0),
        ("c 100", "c 205", 0.3),
        ("2024 12", "2024 13", 0.3),
        ("c 100", "7389151", 0.5),
        ("4500123", "7389151", 0.5),
        ("c 100", "pc 100", 0.5),
    ],
)
def test_numbers_of_documents_tell_parts_and_schemes(left: str, right: str, expected: float) -> None:
    assert likeness("document_number", left, right) == expected
